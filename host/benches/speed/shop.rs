//! The shop that every row trades in: 500 products, and as many shipped orders of one to three lines as are asked for, all to be taken in.
//! Goods leave the selling store, so an order is one sale and nothing else.

use chrono::{DateTime, FixedOffset, TimeDelta};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tsunagi_sandbox::shop::{Fate, Mall, MallTax, Order, OrderLine, Product, ShopData, Store};

/// Products with stock.
pub const PRODUCTS: u64 = 500;
/// The store that sells.
pub const STORE: u32 = 1;
/// Next Engine's shop.
pub const MALL: u32 = 1;
/// Pieces of each product at the beginning: more than any row sells.
const PIECES: i64 = 10_000_000;
/// What delivery is booked on.
const DELIVERY: &str = "SHIP";

/// Both services' books, with so many orders that were shipped before `now`.
pub fn shop(now: DateTime<FixedOffset>, orders: u64) -> ShopData {
    let goods = (1..=PRODUCTS).map(|id| product(id, &code(id), price(id), true));
    let delivery = product(901, DELIVERY, 0, false);
    ShopData {
        stores: vec![Store {
            id: STORE,
            code: "S1".to_owned(),
            name: "本店".to_owned(),
            warehouse: false,
        }],
        linked_stores: vec![STORE],
        products: goods.chain([delivery]).collect(),
        malls: vec![Mall {
            id: MALL,
            name: "店 1".to_owned(),
            short_name: "店1".to_owned(),
            tax: MallTax::Included,
        }],
        orders: (1..=orders).map(|number| order(now, number)).collect(),
    }
}

/// A product's code on both sides.
pub fn code(id: u64) -> String {
    format!("GOODS-{id:04}")
}

fn price(id: u64) -> i64 {
    540 + 110 * i64::try_from(id % 40).unwrap_or_default()
}

/// Every fourth is food.
fn tax_rate(id: u64) -> u8 {
    if id.is_multiple_of(4) { 8 } else { 10 }
}

fn product(id: u64, code: &str, price: i64, goods: bool) -> Product {
    Product {
        id,
        code: code.to_owned(),
        name: format!("商品 {code}"),
        price: price.into(),
        cost: Decimal::ZERO,
        tax_rate: if goods { tax_rate(id) } else { 10 },
        stock_managed: goods,
        in_next_engine: goods,
        in_smaregi: true,
        stock: if goods {
            vec![(STORE, PIECES)]
        } else {
            Vec::new()
        },
    }
}

/// The order of this number. Shipped in the order of the numbers, the newest an hour before `now`.
pub fn order(now: DateTime<FixedOffset>, number: u64) -> Order {
    let line = |at: u64| {
        let id = 1 + (number * 7 + at * 131) % PRODUCTS;
        OrderLine {
            code: code(id),
            name: format!("商品 {}", code(id)),
            quantity: 1 + i64::try_from((number + at) % 3).unwrap_or_default(),
            unit_price: price(id).into(),
            tax_rate: tax_rate(id),
            cancelled: false,
        }
    };
    let zero = Decimal::ZERO;
    Order {
        mall: MALL,
        number: format!("M-{number:07}"),
        ordered_at: now - TimeDelta::hours(5),
        lines: (0..=number % 3).map(line).collect(),
        charge: zero,
        delivery_fee: if number.is_multiple_of(2) {
            550.into()
        } else {
            zero
        },
        other: zero,
        points: zero,
        total: None,
        payment_method: 0,
        fate: vec![Fate::Shipped(now - TimeDelta::hours(1))],
    }
}

/// Complete settings for a sandbox that is described as `tsunagi sandbox --json` does: everything sent, every order taken.
pub fn settings(described: &Value, writes_per_second: u32) -> Value {
    let mut credentials = described.get("credentials").cloned().unwrap_or_default();
    if let Some(fields) = credentials.as_object_mut() {
        for has in ["has-next-engine-secret", "has-smaregi-secret"] {
            fields.insert(has.to_owned(), false.into());
        }
    }
    json!({
        "endpoints": described.get("endpoints"),
        "credentials": credentials,
        "stock": {
            "triggers": { "correction": true, "sale": true, "purchase": true, "shipment": true, "receipt": true,
                "issue": true, "stocktake": true, "loss": true },
            "stores": [STORE.to_string()],
            "codes": { "basis": "product-code", "prefix": "", "pairs": [] },
            "guard": { "products-to-zero": 20, "moved-percent": 20 },
        },
        "orders": {
            "receiving-stores": [{ "store-id": STORE.to_string(), "start-date": "2020-01-01", "shop-id": MALL.to_string(),
                "shop-name": "店 1", "source-store-id": null, "terminal-id": null }],
            "charge": "unset", "delivery": { "line": DELIVERY }, "other": "unset", "points": "unset",
            "moment": "shipped", "tax-rounding": "down", "payments": [], "default-payment": "credit",
        },
        "pace": { "import-minutes": 15, "send-minutes": 5, "send-early-products": 50, "monthly-calls": 0,
            "smaregi-parallel": 8, "smaregi-writes-per-second": writes_per_second, "catch-up-minutes": 60, "compare-days": 0 },
    })
}
