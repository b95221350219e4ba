//! Settings as a caller gives them. What cannot be read at all is a problem here; everything else is `settings_check`'s.

use super::wit;
use crate::{
    error::Problem,
    money::Rounding,
    reason::Reason,
    settings::{
        CodeBasis, CodePair, CodeRule, Credentials, Endpoints, FeeMode, Guard, ImportMoment,
        OrderSettings, Pace, PaymentKind, PaymentRule, PointMode, ReceivingStore, Secret, Settings,
        StockSettings, Trigger,
    },
    sync::settings::Keep,
    time,
};

/// Which stored secrets these settings leave as they are.
pub fn keep(settings: &wit::Settings) -> Keep {
    Keep {
        next_engine: settings.credentials.next_engine_client_secret.is_none(),
        smaregi: settings.credentials.smaregi_client_secret.is_none(),
    }
}

/// The settings, and the problems of what could not be read.
pub fn settings(settings: wit::Settings) -> (Settings, Vec<Problem>) {
    let mut problems = Vec::new();
    let endpoints = Endpoints {
        next_engine_sign_in: settings.endpoints.next_engine_sign_in,
        next_engine_api: settings.endpoints.next_engine_api,
        smaregi_id: settings.endpoints.smaregi_id,
        smaregi_api: settings.endpoints.smaregi_api,
    };
    let given = Settings {
        endpoints,
        credentials: credentials(settings.credentials),
        stock: stock(settings.stock),
        orders: orders(settings.orders, &mut problems),
        pace: pace(&settings.pace),
    };
    (given, problems)
}

fn credentials(given: wit::Credentials) -> Credentials {
    Credentials {
        next_engine_client_id: given.next_engine_client_id,
        next_engine_client_secret: Secret::new(given.next_engine_client_secret.unwrap_or_default()),
        next_engine_redirect: given.next_engine_redirect,
        smaregi_contract_id: given.smaregi_contract_id,
        smaregi_client_id: given.smaregi_client_id,
        smaregi_client_secret: Secret::new(given.smaregi_client_secret.unwrap_or_default()),
    }
}

fn stock(given: wit::StockSettings) -> StockSettings {
    let pair = |pair: wit::CodePair| CodePair {
        next_engine: pair.next_engine,
        smaregi: pair.smaregi,
    };
    StockSettings {
        triggers: triggers(given.triggers),
        stores: given.stores,
        codes: CodeRule {
            basis: match given.codes.basis {
                wit::CodeBasis::ProductCode => CodeBasis::ProductCode,
                wit::CodeBasis::ProductId => CodeBasis::ProductId,
            },
            prefix: given.codes.prefix,
            pairs: given.codes.pairs.into_iter().map(pair).collect(),
        },
        guard: Guard {
            products_to_zero: given.guard.products_to_zero,
            moved_percent: given.guard.moved_percent,
        },
    }
}

fn triggers(given: wit::Triggers) -> Vec<Trigger> {
    let sent = |trigger: &Trigger| match trigger {
        Trigger::Correction => given.correction,
        Trigger::Sale => given.sale,
        Trigger::Purchase => given.purchase,
        Trigger::Shipment => given.shipment,
        Trigger::Receipt => given.receipt,
        Trigger::Issue => given.issue,
        Trigger::Stocktake => given.stocktake,
        Trigger::Loss => given.loss,
    };
    Trigger::ALL.into_iter().filter(sent).collect()
}

fn orders(given: wit::OrderSettings, problems: &mut Vec<Problem>) -> OrderSettings {
    let stores = given.receiving_stores.into_iter().enumerate();
    OrderSettings {
        receiving_stores: stores
            .map(|(index, store)| receiving_store(index, store, problems))
            .collect(),
        charge: fee(given.charge),
        delivery: fee(given.delivery),
        other: fee(given.other),
        points: match given.points {
            wit::PointMode::Unset => PointMode::Unset,
            wit::PointMode::SubtotalDiscount => PointMode::SubtotalDiscount,
        },
        moment: match given.moment {
            wit::ImportMoment::Shipped => ImportMoment::Shipped,
            wit::ImportMoment::ReadyToShip => ImportMoment::ReadyToShip,
            wit::ImportMoment::Issued => ImportMoment::Issued,
        },
        tax_rounding: match given.tax_rounding {
            wit::TaxRounding::HalfUp => Rounding::HalfUp,
            wit::TaxRounding::Down => Rounding::Down,
            wit::TaxRounding::Up => Rounding::Up,
        },
        payments: given
            .payments
            .into_iter()
            .map(|rule| PaymentRule {
                method_id: rule.method_id,
                kind: payment(rule.kind),
            })
            .collect(),
        default_payment: payment(given.default_payment),
    }
}

fn receiving_store(
    index: usize,
    given: wit::ReceivingStore,
    problems: &mut Vec<Problem>,
) -> ReceivingStore {
    let start_date = time::parse_day(&given.start_date);
    if start_date.is_none() {
        let reason = Reason::new(
            "not-a-date",
            "日付は 2026-11-24 の形で入力してください。",
            "Give the date as YYYY-MM-DD.",
        );
        let field = format!("orders.receiving-stores[{index}].start-date");
        problems.push(Problem {
            field,
            reason: reason.value(crate::text::fit(&given.start_date, 40)),
        });
    }
    ReceivingStore {
        store_id: given.store_id,
        start_date: start_date.unwrap_or_default(),
        shop_id: given.shop_id,
        shop_name: given.shop_name,
        source_store_id: given.source_store_id.filter(|id| !id.is_empty()),
        terminal_id: given.terminal_id.filter(|id| !id.is_empty()),
    }
}

fn fee(given: wit::FeeMode) -> FeeMode {
    match given {
        wit::FeeMode::Unset => FeeMode::Unset,
        wit::FeeMode::Line(code) => FeeMode::Line(code),
    }
}

fn payment(given: wit::PaymentKind) -> PaymentKind {
    match given {
        wit::PaymentKind::Cash => PaymentKind::Cash,
        wit::PaymentKind::Credit => PaymentKind::Credit,
    }
}

fn pace(given: &wit::Pace) -> Pace {
    Pace {
        import_minutes: given.import_minutes,
        send_minutes: given.send_minutes,
        send_early_products: given.send_early_products,
        monthly_calls: given.monthly_calls,
        smaregi_parallel: given.smaregi_parallel,
        smaregi_writes_per_second: given.smaregi_writes_per_second,
        catch_up_minutes: given.catch_up_minutes,
        compare_days: given.compare_days,
    }
}
