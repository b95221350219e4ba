//! Reading slips from Next Engine whole: pages by key, cut slips left to the next page, lines that came alone completed. Stores
//! nothing.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result, Side},
    next_engine::orders::{self, NO_SLIP},
    reason::{Reason, Text},
    rules::{
        cursor::{self, Next},
        mapping,
        order::{Head, Order},
    },
    sync::{next_engine_session::NextEngine, tenant::Tenant},
    time::Moment,
    wire::Value,
};

/// Rows a search: the page that every account takes (next-engine.md 5).
pub const ROWS: usize = 1_000;

/// Slips completed with one search, so that their lines usually fit on one page.
const SLIPS_A_SEARCH: usize = 250;

/// After an answer that leads nowhere.
const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// What was read of one slip.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// 伝票番号
    pub slip: String,
    /// 店舗ID
    pub shop_id: String,
    /// Whether the slip counts at all; absent when even that cannot be read.
    pub head: Option<Head>,
    /// The slip, or why it cannot be understood.
    pub order: std::result::Result<Order, Reason>,
    /// The slip itself did not change since the search's beginning (or that cannot be read), so lines that did not change either
    /// are missing.
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
    tenant: &Tenant<'_>,
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
    let slips = numbers(&readings);
    if rows >= ROWS && slips.is_empty() {
        return Err(leads_nowhere(tenant));
    }
    let next = cursor::next(rows, ROWS, &slips);
    match &next {
        Next::Done => {}
        Next::From(last) => readings.retain(|reading| reading.slip != *last),
        Next::Behind(only) => refuse_long(&mut readings, only),
    }
    Ok(Page {
        readings,
        next,
        newest,
    })
}

/// For [`Planted::OffsetPaging`]: how many rows lie behind a page.
pub fn rows_behind(before: Option<&str>, readings: &[Reading]) -> String {
    let orders = readings
        .iter()
        .filter_map(|reading| reading.order.as_ref().ok());
    let rows: usize = orders.map(|order| order.lines.len()).sum();
    let before: usize = before
        .and_then(|rows| rows.parse().ok())
        .unwrap_or_default();
    before.saturating_add(rows).to_string()
}

/// Reads these slips whole, whatever changed on them. Slips that Next Engine does not know are missing from the result.
pub async fn whole(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    slips: &BTreeSet<String>,
) -> Result<Vec<Reading>> {
    let mut found = Vec::new();
    let mut left = slips.clone();
    while !left.is_empty() {
        let (readings, rest) = some_whole(session, tenant, &left).await?;
        found.extend(readings);
        left = rest;
    }
    Ok(found)
}

/// With one search, as many of these slips whole as it takes; and those that are left.
pub async fn some_whole(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    slips: &BTreeSet<String>,
) -> Result<(Vec<Reading>, BTreeSet<String>)> {
    let mut sorted: Vec<&String> = slips.iter().collect();
    sorted.sort_by(|a, b| by_number(a).cmp(&by_number(b)));
    let now: Vec<String> = sorted.into_iter().take(SLIPS_A_SEARCH).cloned().collect();
    let answer = session.send(orders::rows_of(&now)).await?;
    let (rows, mut readings) = decode(&answer, None);
    let behind = match cursor::next(rows, ROWS, &numbers(&readings)) {
        Next::Done => now.last().cloned(),
        Next::From(last) => {
            readings.retain(|reading| reading.slip != last);
            readings.last().map(|reading| reading.slip.clone())
        }
        Next::Behind(only) => {
            refuse_long(&mut readings, &only);
            Some(only)
        }
    };
    let behind = behind.unwrap_or_default();
    let left: BTreeSet<String> = slips
        .iter()
        .filter(|slip| by_number(slip) > by_number(&behind))
        .cloned()
        .collect();
    if left.len() == slips.len() {
        return Err(leads_nowhere(tenant));
    }
    Ok((readings, left))
}

/// The slips that a page can be continued by, in their order.
fn numbers(readings: &[Reading]) -> Vec<String> {
    let slips = readings.iter().map(|reading| reading.slip.clone());
    slips.filter(|slip| slip != NO_SLIP).collect()
}

/// A page from which no next one follows: asking again at once would bring the same.
fn leads_nowhere(tenant: &Tenant<'_>) -> Error {
    let message = Text::new(
        "ネクストエンジンの受注明細検索の応答を続けて読めません。しばらくして自動で読み直します。",
        "An answer of Next Engine's order search cannot be continued. It is read again by itself after a while.",
    );
    Error::Unavailable(Side::NextEngine, message, tenant.now() + PAUSE)
}

/// Slip numbers in their own order, whatever their length; what is none comes first.
fn by_number(slip: &str) -> (usize, &str) {
    if slip == NO_SLIP {
        return (0, "");
    }
    let digits = slip.trim_start_matches('0');
    (digits.len(), digits)
}

/// The number of rows, and the slips in ascending order.
fn decode(answer: &Value, from: Option<Moment>) -> (usize, Vec<Reading>) {
    let rows = orders::decode(answer);
    let count = rows.len();
    let mut readings: Vec<Reading> = orders::group(rows)
        .into_iter()
        .map(|slip| reading(slip, from))
        .collect();
    readings.sort_by(|a, b| by_number(&a.slip).cmp(&by_number(&b.slip)));
    (count, readings)
}

fn reading(slip: orders::Slip, from: Option<Moment>) -> Reading {
    Reading {
        // What has no number cannot be asked for.
        partial: slip.slip != NO_SLIP
            && from.is_some_and(|from| slip.changed_at.is_none_or(|at| at < from)),
        slip: slip.slip,
        shop_id: slip.shop_id,
        head: slip.head,
        order: slip.order,
    }
}

/// A slip that fills a page: what is behind its last line cannot be read.
fn refuse_long(readings: &mut [Reading], slip: &str) {
    for reading in readings.iter_mut().filter(|reading| reading.slip == slip) {
        if let Ok(order) = &reading.order {
            let live = order.live_lines().count();
            reading.order = Err(if live > mapping::MOST_LINES {
                mapping::too_many_lines(live)
            } else {
                mapping::too_long(order.lines.len())
            });
        }
        reading.partial = false;
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::sent as json;

    use super::*;
    use crate::time;

    fn row(slip: &Value, changed: &str) -> Value {
        json!({"receive_order_row_receive_order_id": slip, "receive_order_last_modified_null_safe_date": changed})
    }

    #[test]
    fn lines_came_alone_where_the_slip_itself_is_older() {
        let from = time::parse_next_engine("2026-11-24 12:00:00").unwrap();
        let answer = json!({"data": [
            row(&json!("10"), "2026-11-24 11:59:59"), row(&json!("9"), "2026-11-24 12:00:00"), row(&json!("11"), ""),
        ]});
        let (_, readings) = decode(&answer, Some(from));
        let found: Vec<_> = readings
            .iter()
            .map(|reading| (reading.slip.as_str(), reading.partial))
            .collect();
        assert_eq!(found, [("9", false), ("10", true), ("11", true)]);
    }

    #[test]
    fn a_row_without_a_slip_number_pages_nothing() {
        let answer = json!({"data": [row(&json!("7"), ""), row(&json!(null), ""), json!(3)]});
        let from = time::parse_next_engine("2026-11-24 12:00:00");
        let (rows, readings) = decode(&answer, from);
        assert_eq!((rows, readings.len()), (3, 2));
        assert_eq!(
            (readings[0].slip.as_str(), readings[0].partial),
            (NO_SLIP, false)
        );
        assert_eq!(numbers(&readings), ["7"]);
    }

    #[test]
    fn a_slip_that_fills_a_page_is_refused_by_the_lines_that_count() {
        let long = |cancelled: usize| {
            let mut order = crate::rules::samples::order("7");
            order.lines = vec![crate::rules::samples::line("a", 1, 1, None); 1_000];
            order
                .lines
                .iter_mut()
                .take(cancelled)
                .for_each(|line| line.cancelled = true);
            let mut readings = [Reading {
                slip: "7".to_owned(),
                shop_id: "1".to_owned(),
                head: None,
                order: Ok(order),
                partial: false,
            }];
            refuse_long(&mut readings, "7");
            let reason = readings[0].order.clone().unwrap_err();
            (reason.code, reason.value.unwrap())
        };
        assert_eq!(long(0), ("too-many-lines".to_owned(), "1000".to_owned()));
        assert_eq!(long(900), ("too-many-rows".to_owned(), "1000".to_owned()));
        // 999 lines fit into a transaction.
        assert_eq!(long(1), ("too-many-rows".to_owned(), "1000".to_owned()));
    }
}
