//! The verdict, from both services' books and the script alone: each order that is a sale is one transaction that stands, to the
//! yen, and nothing else is; each unit of stock is where the script and the books put it. It must never look into our storage.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tsunagi_sandbox::{
    next_engine::{MovementKind, Slip},
    smaregi::Transaction,
};

use crate::{
    script::Script,
    shop::{self, GOODS, OPENING, SHOP},
};

/// What Next Engine asks its users not to do.
pub const TWO_AT_ONCE: &str = "Next Engine saw two requests of one user at once";

/// Everything that is wrong.
pub fn judge(services: &tsunagi_sandbox::World, script: &Script) -> Vec<String> {
    let mut found = Vec::new();
    sales(services, script, &mut found);
    shelves(services, script, &mut found);
    numbers(services, script, &mut found);
    if services
        .counters
        .most_in_flight_of_one_caller(tsunagi_sandbox::ServiceName::NextEngine)
        > 1
    {
        found.push(TWO_AT_ONCE.to_owned());
    }
    found
}

/// Whether an order is a sale as things stand: the settings take shipped ones.
fn is_sale(slip: &Slip, script: &Script) -> bool {
    slip.is_live() && slip.is_shipped() && !script.refused.contains(&slip.id)
}

fn slip_of(sale: &Transaction) -> Option<u64> {
    let rest = sale.uuid.strip_prefix("NE-")?;
    rest.split('-').next()?.parse().ok()
}

fn sales(services: &tsunagi_sandbox::World, script: &Script, found: &mut Vec<String>) {
    let mut standing: BTreeMap<u64, Vec<&Transaction>> = BTreeMap::new();
    let books = services.smaregi.books();
    for sale in books.transactions.values().filter(|sale| sale.stands()) {
        if let Some(slip) = slip_of(sale) {
            standing.entry(slip).or_default().push(sale);
        }
    }
    let mut turnover = Decimal::from(script.takings);
    for slip in services.next_engine.books().slips.values() {
        let booked = standing.remove(&slip.id).unwrap_or_default();
        let expected = is_sale(slip, script);
        turnover += if expected {
            slip.total()
        } else {
            Decimal::ZERO
        };
        match booked.as_slice() {
            [] if !expected => {}
            [sale] if expected => same_sale(slip, sale, found),
            other => found.push(format!(
                "order {} is booked {} times, not {}",
                slip.id,
                other.len(),
                u8::from(expected)
            )),
        }
    }
    found.extend(
        standing
            .keys()
            .map(|slip| format!("no order {slip}, and a sale of it")),
    );
    let booked: i64 = books.sales_by_day().values().sum();
    if Decimal::from(booked) != turnover {
        found.push(format!("the turnover is {booked} yen, not {turnover}"));
    }
}

/// The money, the day, the store, and the pieces of each product.
fn same_sale(slip: &Slip, sale: &Transaction, found: &mut Vec<String>) {
    if Decimal::from(sale.amounts.total) != slip.total() {
        let (booked, total) = (sale.amounts.total, slip.total());
        found.push(format!(
            "order {} is booked with {booked} yen, not {total}",
            slip.id
        ));
    }
    let shipped_on = slip.sent.map(|at| at.date_naive());
    if shipped_on != Some(sale.day()) {
        let day = sale.day();
        found.push(format!(
            "order {} is booked on {day}, and was shipped on {shipped_on:?}",
            slip.id
        ));
    }
    let mut pieces: BTreeMap<&str, i64> = BTreeMap::new();
    for line in slip.live_lines() {
        *pieces.entry(&line.code).or_default() += line.quantity;
    }
    for detail in &sale.details {
        let fee = shop::is_fee(&detail.code);
        *pieces.entry(&detail.code).or_default() -= if fee { 0 } else { detail.quantity };
    }
    for (code, left) in pieces.into_iter().filter(|(_, left)| *left != 0) {
        found.push(format!(
            "order {}: {left} pieces of {code} too few",
            slip.id
        ));
    }
    if sale.store != SHOP {
        found.push(format!(
            "order {} is booked in store {}",
            slip.id, sale.store
        ));
    }
}

/// Smaregi's stock: opening, what people moved, what standing sales took from their source stores.
fn shelves(services: &tsunagi_sandbox::World, script: &Script, found: &mut Vec<String>) {
    let mut expected = script.moved.clone();
    for slip in services.next_engine.books().slips.values() {
        if !is_sale(slip, script) {
            continue;
        }
        for line in slip.live_lines() {
            if let Some(row) = GOODS.iter().find(|row| row.1 == line.code) {
                let shelf = (row.0, shop::source_of(slip.shop_id));
                *expected.entry(shelf).or_default() -= line.quantity;
            }
        }
    }
    for (product, ..) in GOODS {
        for (store, opening) in OPENING {
            let moved = expected.get(&(product, store)).copied().unwrap_or_default();
            let is = services.smaregi.books().stock_of(product, store);
            if is != opening + moved {
                let should = opening + moved;
                let code = shop::code_of(product);
                found.push(format!(
                    "Smaregi has {is} of {code} in store {store}, not {should}"
                ));
            }
        }
    }
}

/// Next Engine's stock: what was uploaded must be what should have travelled; all other movements are its own doing. What its free
/// stock does not allow may wait.
fn numbers(services: &tsunagi_sandbox::World, script: &Script, found: &mut Vec<String>) {
    let books = services.next_engine.books();
    for (_, code, ..) in GOODS {
        let uploads = books
            .movements
            .iter()
            .filter(|movement| movement.code == code && movement.kind == MovementKind::Upload);
        let uploaded: i64 = uploads
            .map(|movement| movement.after - movement.before)
            .sum();
        let travels = script.travels.get(code).copied().unwrap_or_default();
        let waits = travels - uploaded;
        let free = books.goods.get(code).map_or(0, |goods| goods.free());
        let may_wait = waits < 0 && free + waits < 0;
        if waits != 0 && !may_wait {
            found.push(format!(
                "Next Engine was sent {uploaded} of {code}, not {travels}"
            ));
        }
    }
}
