//! Orders, products and settings for the tests of the rules. Never compiled into the component.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    rules::{
        codes::SmaregiKey,
        mapping,
        order::{Life, Order, OrderLine, OrderState},
        product::{Product, TaxClass},
        sale::Sale,
    },
    settings::{FeeMode, OrderSettings, PointMode, ReceivingStore, Settings},
    time,
};

/// Shop 1 into store 10, from November 2026, everything that can be set is set.
pub fn settings() -> OrderSettings {
    OrderSettings {
        receiving_stores: vec![store()],
        charge: FeeMode::Line("fee".to_owned()),
        delivery: FeeMode::Line("ship".to_owned()),
        other: FeeMode::Line("misc".to_owned()),
        points: PointMode::SubtotalDiscount,
        ..Settings::default().orders
    }
}

/// Its receiving store.
pub fn store() -> ReceivingStore {
    ReceivingStore {
        store_id: "10".to_owned(),
        start_date: time::parse_day("2026-11-01").unwrap(),
        shop_id: "1".to_owned(),
        shop_name: "楽天,本店".to_owned(),
        source_store_id: None,
        terminal_id: None,
    }
}

/// A line of whole yen.
pub fn line(code: &str, price: i64, quantity: i64, rate: Option<i64>) -> OrderLine {
    OrderLine {
        number: "1".to_owned(),
        code: code.to_owned(),
        name: format!("商品{code}"),
        quantity: quantity.into(),
        unit_price: price.into(),
        amount: price.saturating_mul(quantity).into(),
        tax_rate: rate.map(Decimal::from),
        cancelled: false,
        returned: Decimal::ZERO,
    }
}

/// A shipped order of shop 1: two pieces of `a` at 10 %, one of `b` at 8 %, 3 080 yen in all.
pub fn order(slip: &str) -> Order {
    Order {
        slip: slip.to_owned(),
        shop_id: "1".to_owned(),
        order_number: format!("R-{slip}"),
        state: OrderState::Shipped,
        state_id: "50".to_owned(),
        life: Life::Live,
        cancel_type: "0".to_owned(),
        ordered_at: time::parse_next_engine("2026-11-20 10:00:00").unwrap(),
        shipped_on: time::parse_day("2026-11-21"),
        goods: 3_080.into(),
        tax: Decimal::ZERO,
        charge: Decimal::ZERO,
        delivery: Decimal::ZERO,
        other: Decimal::ZERO,
        points: Decimal::ZERO,
        total: 3_080.into(),
        payment_method: "1".to_owned(),
        changed_at: time::parse_next_engine("2026-11-21 10:00:00").unwrap(),
        lines: vec![
            line("a", 1_000, 2, Some(10)),
            OrderLine {
                number: "2".to_owned(),
                ..line("b", 1_080, 1, Some(8))
            },
        ],
    }
}

/// A product whose id is its code in capitals.
pub fn product(code: &str, tax: TaxClass) -> Product {
    Product {
        id: code.to_uppercase(),
        code: code.to_owned(),
        name: format!("品{code}"),
        tax,
        stock_managed: !matches!(code, "fee" | "ship" | "misc"),
        draws_on: Vec::new(),
        flaw: None,
    }
}

/// Products `a`, `b`, `z` (exempt) and the three fees, by code.
pub fn products() -> BTreeMap<SmaregiKey, Vec<Product>> {
    use TaxClass as T;
    [
        ("a", T::Standard),
        ("b", T::Reduced),
        ("z", T::Exempt),
        ("fee", T::Standard),
        ("ship", T::Standard),
        ("misc", T::Standard),
    ]
    .into_iter()
    .map(|(code, tax)| (SmaregiKey::Code(code.to_owned()), vec![product(code, tax)]))
    .collect()
}

/// The sale that an order becomes in a store.
pub fn sale(order: &Order, store: &ReceivingStore) -> Sale {
    let codes = Settings::default().stock.codes;
    mapping::map(order, store, &settings(), &codes, &products()).unwrap()
}
