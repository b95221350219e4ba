//! The cursor (最終取込日時 and what lies behind it): from when to read changes, how to page by key, and how far a finished scan
//! has come. Reads nothing.
//!
//! Next Engine answers a search in ascending order of slip and line, with no other sort (next-engine.md 5), and its changes
//! carry whole seconds. So a scan goes through all changes since a moment by slip number, and the next scan begins a little
//! before the newest change seen; what comes twice is recognised by its content.

use std::cmp;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::{
    rules::moment,
    settings::{ImportMoment, OrderSettings},
    time::{self, Moment},
};

/// How far a scan reaches back behind the last one: clocks that differ, changes that become visible late (assumed enough).
pub const OVERLAP: TimeDelta = TimeDelta::minutes(15);

/// Shops whose scans would begin within this of each other share one search: a day's changes read again cost rows, a second search
/// costs a billed call.
const TOGETHER: TimeDelta = TimeDelta::days(1);

/// Which of a shop's orders the settings take. What a scan passed by under narrower ones must be read again under wider ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// 取込開始日
    pub start_date: NaiveDate,
    /// 取込タイミング
    pub moment: ImportMoment,
}

impl Reach {
    /// Today's reach of a shop; `None` without a receiving store.
    pub fn of(settings: &OrderSettings, shop_id: &str) -> Option<Self> {
        let store = settings.receiving_store(shop_id)?;
        Some(Self {
            start_date: store.start_date,
            moment: settings.moment,
        })
    }

    /// Whether everything that `other` takes was taken.
    pub fn covers(&self, other: &Self) -> bool {
        self.narrowed(other) == *other
    }

    /// What both take.
    pub fn narrowed(&self, other: &Self) -> Self {
        let later = |moment: &ImportMoment| moment::needed(*moment);
        Self {
            start_date: self.start_date.max(other.start_date),
            moment: cmp::max_by_key(self.moment, other.moment, later),
        }
    }
}

/// Where a shop's next scan begins: behind the last one; at the start date's midnight in Japan at first, and whenever the settings
/// take more than they did.
pub fn scan_from(changed_through: Option<Moment>, read: Option<Reach>, wanted: &Reach) -> Moment {
    let start = midnight(wanted.start_date);
    match (changed_through, read) {
        (Some(through), Some(read)) if read.covers(wanted) => through - OVERLAP,
        (Some(through), _) => start.min(through - OVERLAP),
        (None, _) => start,
    }
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
        let wanted = reach("2026-11-01", ImportMoment::Shipped);
        assert_eq!(scan_from(None, None, &wanted), at("01 00:00"));
        let through = Some(at("24 12:00"));
        assert_eq!(scan_from(through, Some(wanted), &wanted), at("24 11:45"));
    }

    fn reach(start: &str, moment: ImportMoment) -> Reach {
        Reach {
            start_date: time::parse_day(start).unwrap(),
            moment,
        }
    }

    #[test]
    fn begins_anew_when_the_settings_take_more_than_was_read() {
        use ImportMoment as M;
        let wanted = reach("2026-11-10", M::ReadyToShip);
        let through = Some(at("24 12:00"));
        for (read, anew) in [
            (Some(reach("2026-11-10", M::ReadyToShip)), false),
            (Some(reach("2026-11-01", M::Issued)), false),
            (Some(reach("2026-11-11", M::ReadyToShip)), true),
            (Some(reach("2026-11-01", M::Shipped)), true),
            (None, true),
        ] {
            let expected = if anew { "10 00:00" } else { "24 11:45" };
            assert_eq!(scan_from(through, read, &wanted), at(expected), "{read:?}");
        }
        let later = reach("2026-11-28", M::Issued);
        assert_eq!(scan_from(through, None, &later), at("24 11:45"));
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
