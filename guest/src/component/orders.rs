//! The `orders` export.

use super::{
    Connector, WHOLE,
    bindings::{
        exports::tsunagi::connector::orders::{self as wit, Guest},
        tsunagi::connector::types::{Budget, Error},
    },
    convert, look, run,
    settings::given,
};
use crate::{
    rules::{
        order::{Order, OrderLine},
        sale::{Sale, SaleLine},
        trial::Outcome,
    },
    sync::{
        orders::{
            self,
            trial::{Change, Sums},
        },
        report, settings,
    },
};

impl Guest for Connector {
    fn import_shop(shop_id: String, budget: Budget) -> Result<wit::ImportProgress, Error> {
        run(budget, async |tenant| {
            orders::import_shop(tenant, &shop_id).await
        })
        .map(progress)
    }

    fn retry(choice: wit::RetryChoice, budget: Budget) -> Result<wit::ImportProgress, Error> {
        let choice = match choice {
            wit::RetryChoice::Slip(slip) => report::RetryChoice::Slip(slip),
            wit::RetryChoice::AllRefused(all) => report::RetryChoice::AllRefused(all),
        };
        run(budget, async |tenant| orders::retry(tenant, &choice).await).map(progress)
    }

    fn preview(choice: wit::PreviewChoice) -> Result<Vec<wit::OrderPreview>, Error> {
        let choice = match choice {
            wit::PreviewChoice::Slip(slip) => report::PreviewChoice::Slip(slip),
            wit::PreviewChoice::Shop(shop) => report::PreviewChoice::Shop(shop),
        };
        let previews = run(WHOLE, async |tenant| orders::preview(tenant, &choice).await)?;
        Ok(previews.into_iter().map(preview).collect())
    }

    fn try_settings(proposed: wit::Settings, last: u32) -> Result<wit::Trial, Error> {
        let (keep, (given, problems)) = (given::keep(&proposed), given::settings(proposed));
        let trial = run(WHOLE, async |tenant| {
            let proposed = settings::checked(&tenant.settings, given, &keep, &problems)?;
            orders::try_settings(tenant, &proposed, last).await
        })?;
        Ok(wit::Trial {
            looked_at: trial.looked_at,
            unreadable: trial.unreadable,
            before: sums(trial.before),
            after: sums(trial.after),
            changes: trial.changes.into_iter().map(change).collect(),
        })
    }

    fn stores() -> Result<Vec<wit::StoreState>, Error> {
        let states = look(orders::stores)?;
        let state = |state: report::StoreState| wit::StoreState {
            shop_id: state.shop_id,
            store_id: state.store_id,
            last_imported_at: convert::maybe_moment(state.last_imported_at),
            refused: state.refused,
            needs_person: state.needs_person,
        };
        Ok(states.into_iter().map(state).collect())
    }
}

fn progress(progress: report::ImportProgress) -> wit::ImportProgress {
    wit::ImportProgress {
        slips_read: progress.slips_read,
        registered: progress.registered,
        undone: progress.undone,
        refused: progress.refused,
        waiting: progress.waiting,
        more: progress.more,
    }
}

fn preview(preview: report::Preview) -> wit::OrderPreview {
    wit::OrderPreview {
        slip: preview.slip,
        order_number: preview.order_number,
        shop_id: preview.shop_id,
        order_total: convert::decimal(preview.order_total),
        parts: preview.order.map(parts),
        sale: preview.sale.map(sale),
        refusal: preview.refusal.map(convert::reason),
        skipped: preview.skipped.map(convert::reason),
        transaction_id: preview.transaction_id,
    }
}

fn parts(order: Order) -> wit::OrderParts {
    let line = |line: OrderLine| wit::OrderLine {
        product_code: line.code,
        name: line.name,
        quantity: convert::decimal(line.quantity),
        unit_price: convert::decimal(line.unit_price),
        amount: convert::decimal(line.amount),
        cancelled: line.cancelled,
    };
    wit::OrderParts {
        lines: order.lines.into_iter().map(line).collect(),
        goods: convert::decimal(order.goods),
        tax: convert::decimal(order.tax),
        charge: convert::decimal(order.charge),
        delivery: convert::decimal(order.delivery),
        other: convert::decimal(order.other),
        points: convert::decimal(order.points),
    }
}

fn sums(sums: Sums) -> wit::TrialSums {
    wit::TrialSums {
        booked: sums.booked,
        refused: sums.refused,
        skipped: sums.skipped,
        yen: sums.yen.to_string(),
    }
}

fn change(change: Change) -> wit::TrialChange {
    let more = change.after.yen().saturating_sub(change.before.yen());
    wit::TrialChange {
        slip: change.slip,
        order_number: change.order_number,
        shop_id: change.shop_id,
        order_total: convert::decimal(change.order_total),
        transaction_id: change.transaction_id,
        before: outcome(change.before),
        after: outcome(change.after),
        difference: more.to_string(),
        differs_in: change.differs_in.into_iter().map(str::to_owned).collect(),
    }
}

fn outcome(outcome: Outcome) -> wit::TrialOutcome {
    match outcome {
        Outcome::Booked(booked) => wit::TrialOutcome::Booked(sale(*booked)),
        Outcome::Refused(reason) => wit::TrialOutcome::Refused(convert::reason(reason)),
        Outcome::Skipped(reason) => wit::TrialOutcome::Skipped(convert::reason(reason)),
    }
}

fn sale(sale: Sale) -> wit::Sale {
    wit::Sale {
        store_id: sale.store_id,
        source_store_id: sale.source_store_id,
        terminal_id: sale.terminal_id,
        sold_on: convert::day(sale.sold_on),
        lines: sale.lines.into_iter().map(line).collect(),
        subtotal: sale.subtotal.to_string(),
        discount: sale.discount.to_string(),
        tax_included: sale.tax_included.to_string(),
        tax_added: sale.tax_added.to_string(),
        total: sale.total.to_string(),
    }
}

fn line(line: SaleLine) -> wit::SaleLine {
    wit::SaleLine {
        amount: line.amount().to_string(),
        product_id: line.product_id,
        product_code: line.product_code,
        name: line.name,
        quantity: line.quantity.to_string(),
        unit_price: line.unit_price.to_string(),
        tax_rate: convert::decimal(line.tax_rate),
    }
}
