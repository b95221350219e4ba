//! A transaction's identity (取引の同一性): from the slip, its revision and the day of the sale, and from nothing else, so that a
//! repeated registration is either refused by Smaregi or found again. Never random, never from a clock.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use crate::{
    rules::sale::Identity,
    time::{self, Moment},
};

/// `terminalTranId` holds this many (smaregi.md 2).
const TRAN_ID_DIGITS: usize = 10;

/// Seconds after noon that revisions are spread over, so that the day stays the day of the sale.
const SPREAD_SECONDS: u32 = 36_000;

/// The identity of a slip's revision. `terminalTranDateTime` is noon of the day plus one second a revision: Smaregi's four-part
/// key (store, terminal, time, number; smaregi.md 2) then differs between revisions too.
pub fn identity(slip: &str, revision: u32, sold_on: NaiveDate) -> Identity {
    let digits: Vec<char> = slip.chars().filter(char::is_ascii_digit).collect();
    let from = digits.len().saturating_sub(TRAN_ID_DIGITS);
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or(NaiveTime::MIN);
    let wall = sold_on.and_time(noon) + TimeDelta::seconds(i64::from(revision % SPREAD_SECONDS));
    Identity {
        uuid: format!("NE-{slip}-{revision}"),
        terminal_tran_id: digits.into_iter().skip(from).collect(),

        terminal_tran_at: japan(wall),
    }
}

/// Japan has no daylight saving, so every wall time is exactly one moment.
fn japan(wall: NaiveDateTime) -> Moment {
    let zone = time::japan();
    wall.and_local_timezone(zone)
        .single()
        .unwrap_or_else(|| wall.and_utc().with_timezone(&zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_on_slip_revision_and_day_alone() {
        let day = time::parse_day("2026-11-21").unwrap();
        let first = identity("123456789012", 1, day);
        assert_eq!(first, identity("123456789012", 1, day));
        assert_eq!(first.uuid, "NE-123456789012-1");
        assert_eq!(first.terminal_tran_id, "3456789012");
        assert_eq!(
            time::format_rfc3339(first.terminal_tran_at),
            "2026-11-21T12:00:01+09:00"
        );
    }

    #[test]
    fn every_revision_has_its_own() {
        let day = time::parse_day("2026-11-21").unwrap();
        let (one, two) = (identity("7", 1, day), identity("7", 2, day));
        assert_ne!(one.uuid, two.uuid);
        assert_ne!(one.terminal_tran_at, two.terminal_tran_at);
        let far = identity("7", u32::MAX, day);
        assert_eq!(time::day(far.terminal_tran_at), day);
    }
}
