//! The cursor (最終取込日時 and what lies behind it): from when to read changes, how to page by key, and how far a finished scan
//! has come. Reads nothing.
//!
//! Next Engine answers a search in ascending order of slip and line, with no other sort (next-engine.md 5), and its changes
//! carry whole seconds. So a scan goes through all changes since a moment by slip number, and the next scan begins a little
//! before the newest change seen; what comes twice is recognised by its content.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use crate::time::{self, Moment};

/// How far a scan reaches back behind the last one: clocks that differ, changes that become visible late (assumed enough).
pub const OVERLAP: TimeDelta = TimeDelta::minutes(15);

/// Shops whose scans would begin within this of each other share one search: a day's changes read again cost rows, a second search
/// costs a billed call.
const TOGETHER: TimeDelta = TimeDelta::days(1);

/// Where a shop's next scan begins: behind the last one, at first at the start date's midnight in Japan.
pub fn scan_from(changed_through: Option<Moment>, start_date: NaiveDate) -> Moment {
    changed_through.map_or_else(|| midnight(start_date), |through| through - OVERLAP)
}

fn midnight(day: NaiveDate) -> Moment {
    let wall = day.and_time(NaiveTime::MIN);
    let zone = time::japan();
    wall.and_local_timezone(zone)
        .single()
        .unwrap_or_else(|| wall.and_utc().with_timezone(&zone))
}

/// Shops that one search serves, and from when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Next Engine shop ids.
    pub shops: Vec<String>,
    /// The earliest of their beginnings.
    pub from: Moment,
}

/// Puts shops whose beginnings lie close together into one search.
pub fn groups(shops: impl IntoIterator<Item = (String, Moment)>) -> Vec<Group> {
    let mut shops: Vec<(String, Moment)> = shops.into_iter().collect();
    shops.sort_by_key(|(_, from)| *from);
    let mut groups: Vec<Group> = Vec::new();
    for (shop, from) in shops {
        match groups.last_mut() {
            Some(group) if from - group.from <= TOGETHER => group.shops.push(shop),
            _ => groups.push(Group {
                shops: vec![shop],
                from,
            }),
        }
    }
    groups
}

/// What follows after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It was the last one; all its slips are whole.
    Done,
    /// Its last slip may be cut: leave it, and read again from it.
    From(String),
    /// The page is one slip and does not hold it: leave it, and go on behind it.
    Behind(String),
}

/// What follows after a page of `rows` rows of at most `limit`, with these slips in ascending order.
pub fn next(rows: usize, limit: usize, slips: &[String]) -> Next {
    match slips {
        [.., _, last] if rows >= limit => Next::From(last.clone()),
        [only] if rows >= limit => Next::Behind(only.clone()),
        _ => Next::Done,
    }
}

/// The slip number after this one, for a condition `>=`.
pub fn successor(slip: &str) -> String {
    slip.parse::<u64>().map_or_else(
        |_| format!("{slip}0"),
        |number| number.saturating_add(1).to_string(),
    )
}

/// How far the changes are read when a scan ends: to the newest change seen, but not beyond our clock when the scan began, since
/// a slip passed early may have changed while later ones were read. Never backwards.
pub fn through(
    old: Option<Moment>,
    scan_started: Moment,
    newest_seen: Option<Moment>,
) -> Option<Moment> {
    let reached = newest_seen.map(|newest| newest.min(scan_started));
    old.max(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        time::parse_next_engine(&format!("2026-11-{text}:00")).unwrap()
    }

    #[test]
    fn begins_at_the_start_date_and_later_behind_the_last_change() {
        let start = time::parse_day("2026-11-01").unwrap();
        assert_eq!(scan_from(None, start), at("01 00:00"));
        assert_eq!(scan_from(Some(at("24 12:00")), start), at("24 11:45"));
    }

    #[test]
    fn shops_close_together_share_a_search() {
        let shops = [("2", "24 12:40"), ("1", "24 12:00"), ("3", "25 12:01")];
        let found = groups(shops.map(|(shop, from)| (shop.to_owned(), at(from))));
        let group = |shops: &[&str], from| Group {
            shops: shops.iter().map(|shop| (*shop).to_owned()).collect(),
            from: at(from),
        };
        assert_eq!(
            found,
            [group(&["1", "2"], "24 12:00"), group(&["3"], "25 12:01")]
        );
    }

    #[test]
    fn a_full_page_leaves_its_last_slip_to_the_next() {
        let slips = |slips: &[&str]| {
            slips
                .iter()
                .map(|slip| (*slip).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(next(2, 3, &slips(&["1", "2"])), Next::Done);
        assert_eq!(next(0, 3, &[]), Next::Done);
        assert_eq!(next(3, 3, &slips(&["1", "2"])), Next::From("2".to_owned()));
        assert_eq!(next(3, 3, &slips(&["2"])), Next::Behind("2".to_owned()));
        assert_eq!(successor("99"), "100");
    }

    #[test]
    fn a_scan_comes_as_far_as_it_saw_and_never_back() {
        let (old, started) = (Some(at("24 10:00")), at("24 12:00"));
        assert_eq!(through(old, started, None), old);
        assert_eq!(
            through(old, started, Some(at("24 11:00"))),
            Some(at("24 11:00"))
        );
        assert_eq!(
            through(old, started, Some(at("24 12:30"))),
            Some(at("24 12:00"))
        );
        assert_eq!(through(old, started, Some(at("24 09:00"))), old);
    }
}
