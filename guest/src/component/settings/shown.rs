//! Settings as they are shown: without secrets.

use super::wit;
use crate::{
    component::convert,
    money::Rounding,
    settings::{
        CodeBasis, CodePair, Credentials, Endpoints, FeeMode, ImportMoment, OrderSettings, Pace,
        PaymentKind, PointMode, ReceivingStore, Settings, StockSettings, Trigger,
    },
};

/// The stored settings.
pub fn settings(settings: Settings) -> wit::Settings {
    wit::Settings {
        endpoints: endpoints(settings.endpoints),
        credentials: credentials(settings.credentials),
        stock: stock(settings.stock),
        orders: orders(settings.orders),
        pace: pace(&settings.pace),
    }
}

fn endpoints(endpoints: Endpoints) -> wit::Endpoints {
    wit::Endpoints {
        next_engine_sign_in: endpoints.next_engine_sign_in,
        next_engine_api: endpoints.next_engine_api,
        smaregi_id: endpoints.smaregi_id,
        smaregi_api: endpoints.smaregi_api,
    }
}

fn credentials(credentials: Credentials) -> wit::Credentials {
    wit::Credentials {
        has_next_engine_secret: !credentials.next_engine_client_secret.is_empty(),
        has_smaregi_secret: !credentials.smaregi_client_secret.is_empty(),
        next_engine_client_id: credentials.next_engine_client_id,
        next_engine_client_secret: None,
        next_engine_redirect: credentials.next_engine_redirect,
        smaregi_contract_id: credentials.smaregi_contract_id,
        smaregi_client_id: credentials.smaregi_client_id,
        smaregi_client_secret: None,
    }
}

fn stock(stock: StockSettings) -> wit::StockSettings {
    let sent = |trigger: Trigger| stock.triggers.contains(&trigger);
    let triggers = wit::Triggers {
        correction: sent(Trigger::Correction),
        sale: sent(Trigger::Sale),
        purchase: sent(Trigger::Purchase),
        shipment: sent(Trigger::Shipment),
        receipt: sent(Trigger::Receipt),
        issue: sent(Trigger::Issue),
        stocktake: sent(Trigger::Stocktake),
        loss: sent(Trigger::Loss),
    };
    let pair = |pair: CodePair| wit::CodePair {
        next_engine: pair.next_engine,
        smaregi: pair.smaregi,
    };
    wit::StockSettings {
        triggers,
        stores: stock.stores,
        codes: wit::CodeRule {
            basis: match stock.codes.basis {
                CodeBasis::ProductCode => wit::CodeBasis::ProductCode,
                CodeBasis::ProductId => wit::CodeBasis::ProductId,
            },
            prefix: stock.codes.prefix,
            pairs: stock.codes.pairs.into_iter().map(pair).collect(),
        },
        guard: wit::Guard {
            products_to_zero: stock.guard.products_to_zero,
            moved_percent: stock.guard.moved_percent,
        },
    }
}

fn orders(orders: OrderSettings) -> wit::OrderSettings {
    wit::OrderSettings {
        receiving_stores: orders
            .receiving_stores
            .into_iter()
            .map(receiving_store)
            .collect(),
        charge: fee(orders.charge),
        delivery: fee(orders.delivery),
        other: fee(orders.other),
        points: match orders.points {
            PointMode::Unset => wit::PointMode::Unset,
            PointMode::SubtotalDiscount => wit::PointMode::SubtotalDiscount,
        },
        moment: match orders.moment {
            ImportMoment::Shipped => wit::ImportMoment::Shipped,
            ImportMoment::ReadyToShip => wit::ImportMoment::ReadyToShip,
            ImportMoment::Issued => wit::ImportMoment::Issued,
        },
        tax_rounding: match orders.tax_rounding {
            Rounding::HalfUp => wit::TaxRounding::HalfUp,
            Rounding::Down => wit::TaxRounding::Down,
            Rounding::Up => wit::TaxRounding::Up,
        },
        payments: orders
            .payments
            .into_iter()
            .map(|rule| wit::PaymentRule {
                method_id: rule.method_id,
                kind: payment(rule.kind),
            })
            .collect(),
        default_payment: payment(orders.default_payment),
    }
}

fn receiving_store(store: ReceivingStore) -> wit::ReceivingStore {
    wit::ReceivingStore {
        store_id: store.store_id,
        start_date: convert::day(store.start_date),
        shop_id: store.shop_id,
        shop_name: store.shop_name,
        source_store_id: store.source_store_id,
        terminal_id: store.terminal_id,
    }
}

fn fee(mode: FeeMode) -> wit::FeeMode {
    match mode {
        FeeMode::Unset => wit::FeeMode::Unset,
        FeeMode::Line(code) => wit::FeeMode::Line(code),
    }
}

fn payment(kind: PaymentKind) -> wit::PaymentKind {
    match kind {
        PaymentKind::Cash => wit::PaymentKind::Cash,
        PaymentKind::Credit => wit::PaymentKind::Credit,
    }
}

fn pace(pace: &Pace) -> wit::Pace {
    wit::Pace {
        import_minutes: pace.import_minutes,
        send_minutes: pace.send_minutes,
        send_early_products: pace.send_early_products,
        monthly_calls: pace.monthly_calls,
        smaregi_parallel: pace.smaregi_parallel,
        smaregi_writes_per_second: pace.smaregi_writes_per_second,
        catch_up_minutes: pace.catch_up_minutes,
        compare_days: pace.compare_days,
    }
}
