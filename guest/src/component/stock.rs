//! The `stock` export.

use super::{
    Connector, WHOLE,
    bindings::{
        exports::tsunagi::connector::stock::{self as wit, Guest},
        tsunagi::connector::types::{Budget, Error},
    },
    convert, run,
};
use crate::sync::{report, stock};

impl Guest for Connector {
    fn take_in(webhook: wit::Webhook) -> Result<wit::Taken, Error> {
        let delivery = report::Webhook {
            contract_id: webhook.contract_id,
            event: webhook.event,
            event_id: webhook.event_id,
            body: webhook.body,
        };
        run(WHOLE, async |tenant| stock::take_in(tenant, &delivery)).map(taken)
    }

    fn take_in_changes(hints: Vec<wit::ChangeHint>) -> Result<wit::Taken, Error> {
        let hint = |hint: wit::ChangeHint| report::ChangeHint {
            product_id: hint.product_id,
            store_id: hint.store_id,
        };
        let hints: Vec<_> = hints.into_iter().map(hint).collect();
        run(WHOLE, async |tenant| stock::take_in_changes(tenant, &hints)).map(taken)
    }

    fn send(budget: Budget) -> Result<wit::SendProgress, Error> {
        run(budget, async |tenant| stock::send(tenant).await).map(progress)
    }

    fn catch_up(since: Option<String>, budget: Budget) -> Result<wit::SendProgress, Error> {
        run(budget, async |tenant| {
            let since = convert::maybe_given_moment("since", since)?;
            stock::catch_up(tenant, since).await
        })
        .map(progress)
    }

    fn resend(choice: wit::ResendChoice) -> Result<u32, Error> {
        let choice = match choice {
            wit::ResendChoice::Entry(id) => report::ResendChoice::Entry(id),
            wit::ResendChoice::AllFailed(_) => report::ResendChoice::AllFailed,
        };
        run(WHOLE, async |tenant| stock::resend(tenant, &choice))
    }

    fn compare() -> Result<wit::Comparison, Error> {
        let comparison = run(WHOLE, async |tenant| stock::compare(tenant).await)?;
        Ok(wit::Comparison {
            lines: comparison.lines.into_iter().map(line).collect(),
            unexplained_products: comparison.unexplained_products,
            compared_at: convert::moment(comparison.compared_at),
        })
    }

    fn align(
        codes: Vec<String>,
        confirmed: bool,
        over_guard: bool,
    ) -> Result<wit::Alignment, Error> {
        let alignment = run(WHOLE, async |tenant| {
            stock::align(tenant, &codes, confirmed, over_guard).await
        })?;
        let line = |line: report::AlignmentLine| wit::AlignmentLine {
            code: line.code,
            quantity: convert::decimal(line.quantity),
        };
        Ok(wit::Alignment {
            lines: alignment.lines.into_iter().map(line).collect(),
            left_out: alignment.left_out.into_iter().map(left_out).collect(),
            queued: alignment.queued,
            guard: alignment.guard.map(convert::reason),
        })
    }
}

fn left_out(left: report::LeftOut) -> wit::LeftOut {
    wit::LeftOut {
        code: left.code,
        reason: convert::reason(left.reason),
    }
}

fn taken(taken: report::Taken) -> wit::Taken {
    wit::Taken {
        hints: taken.hints,
        repeated: taken.repeated,
    }
}

fn progress(progress: report::SendProgress) -> wit::SendProgress {
    wit::SendProgress {
        changes_decided: progress.changes_decided,
        rows_applied: progress.rows_applied,
        rows_returned: progress.rows_returned,
        products_waiting: progress.products_waiting,
        products_held: progress.products_held,
        hints_waiting: progress.hints_waiting,
        in_flight: progress.in_flight,
        more: progress.more,
        next_at: convert::maybe_moment(progress.next_at),
    }
}

fn line(line: report::ComparisonLine) -> wit::ComparisonLine {
    let part = |part: report::Explanation| wit::Explanation {
        reason: convert::reason(part.reason),
        quantity: convert::decimal(part.quantity),
    };
    wit::ComparisonLine {
        code: line.code,
        name: line.name,
        smaregi: line.smaregi.map(convert::decimal),
        next_engine: line.next_engine.map(convert::decimal),
        next_engine_free: line.next_engine_free.map(convert::decimal),
        next_engine_allocated: line.next_engine_allocated.map(convert::decimal),
        difference: convert::decimal(line.difference),
        explanations: line.explanations.into_iter().map(part).collect(),
        unexplained: convert::decimal(line.unexplained),
    }
}
