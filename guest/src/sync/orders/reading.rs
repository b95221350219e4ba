//! Reading slips from Next Engine whole: pages by key, cut slips left to the next page, lines that came alone completed. Stores
//! nothing.

use std::collections::BTreeSet;

use crate::{
    error::Result,
    next_engine::orders,
    reason::Reason,
    rules::{
        cursor::{self, Next},
        mapping,
        order::Order,
    },
    sync::next_engine_session::NextEngine,
    time::Moment,
};

/// Rows a search: the page that every account takes (next-engine.md 5).
pub const ROWS: usize = 1_000;

/// Slips completed with one search, so that their lines usually fit on one page.
const SLIPS_A_SEARCH: usize = 250;

/// What was read of one slip.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// 伝票番号
    pub slip: String,
    /// 店舗ID
    pub shop_id: String,
    /// The slip, or why it cannot be understood.
    pub order: std::result::Result<Order, Reason>,
    /// The slip itself did not change since the search's beginning, so lines that did not change either are missing.
    pub partial: bool,
}

/// A page of readings in ascending order of slip.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Slips that this page holds as a whole, or of which lines came alone.
    pub readings: Vec<Reading>,
    /// What follows.
    pub next: Next,
    /// The newest change on it, Next Engine's clock.
    pub newest: Option<Moment>,
}

/// One page of changes.
pub async fn page(
    session: &mut NextEngine<'_>,
    shops: &[String],
    from: Moment,
    from_slip: Option<&str>,
) -> Result<Page> {
    let limit = u32::try_from(ROWS).unwrap_or(u32::MAX);
    let answer = session
        .send(orders::changed_rows(shops, from, from_slip, limit))
        .await?;
    let (rows, mut readings) = decode(&answer, Some(from));
    let newest = readings
        .iter()
        .filter_map(|reading| Some(reading.order.as_ref().ok()?.changed_at))
        .max();
    let slips: Vec<String> = readings
        .iter()
        .map(|reading| reading.slip.clone())
        .collect();
    let next = cursor::next(rows, ROWS, &slips);
    match &next {
        Next::Done => {}
        Next::From(last) => readings.retain(|reading| reading.slip != *last),
        Next::Behind(_) => readings
            .iter_mut()
            .for_each(|reading| refuse_long(reading, rows)),
    }
    Ok(Page {
        readings,
        next,
        newest,
    })
}

/// Reads these slips whole, whatever changed on them. Slips that Next Engine does not know are missing from the result.
pub async fn whole(session: &mut NextEngine<'_>, slips: &BTreeSet<String>) -> Result<Vec<Reading>> {
    let mut found = Vec::new();
    let mut left: Vec<String> = slips.iter().cloned().collect();
    left.sort_by(|a, b| by_number(a).cmp(&by_number(b)));
    while !left.is_empty() {
        let now: Vec<String> = left.iter().take(SLIPS_A_SEARCH).cloned().collect();
        let answer = session.send(orders::rows_of(&now)).await?;
        let (rows, mut readings) = decode(&answer, None);
        let ids: Vec<String> = readings
            .iter()
            .map(|reading| reading.slip.clone())
            .collect();
        let behind = match cursor::next(rows, ROWS, &ids) {
            Next::Done => now.last().cloned(),
            Next::From(last) => {
                readings.retain(|reading| reading.slip != last);
                readings.last().map(|reading| reading.slip.clone())
            }
            Next::Behind(only) => {
                readings
                    .iter_mut()
                    .for_each(|reading| refuse_long(reading, rows));
                Some(only)
            }
        };
        let behind = behind.unwrap_or_default();
        left.retain(|slip| by_number(slip) > by_number(&behind));
        found.extend(readings);
    }
    Ok(found)
}

/// Slip numbers in their own order, whatever their length.
fn by_number(slip: &str) -> (usize, &str) {
    let digits = slip.trim_start_matches('0');
    (digits.len(), digits)
}

/// The number of rows, and the slips in ascending order.
fn decode(answer: &serde_json::Value, from: Option<Moment>) -> (usize, Vec<Reading>) {
    let rows = orders::decode(answer);
    let count = rows.len();
    let mut readings: Vec<Reading> = orders::group(rows)
        .into_iter()
        .map(|slip| reading(slip, from))
        .collect();
    readings.sort_by(|a, b| by_number(&a.slip).cmp(&by_number(&b.slip)));
    (count, readings)
}

fn reading(
    slip: std::result::Result<Order, Box<orders::BadOrder>>,
    from: Option<Moment>,
) -> Reading {
    match slip {
        Ok(order) => Reading {
            slip: order.slip.clone(),
            shop_id: order.shop_id.clone(),
            partial: from.is_some_and(|from| is_partial(&order, from)),
            order: Ok(order),
        },
        Err(bad) => Reading {
            slip: bad.slip,
            shop_id: bad.shop_id,
            order: Err(bad.reason),
            partial: false,
        },
    }
}

/// Whether lines may be missing: the search gave only lines that changed, and neither the slip itself did, nor do these lines
/// make up its goods.
fn is_partial(order: &Order, _from: Moment) -> bool {
    let goods: rust_decimal::Decimal = order.live_lines().map(|line| line.amount).sum();
    goods != order.goods
}

fn refuse_long(reading: &mut Reading, rows: usize) {
    reading.order = Err(mapping::too_many_lines(rows));
    reading.partial = false;
}
