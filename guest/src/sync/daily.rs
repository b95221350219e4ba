//! Counters by day of Japan's calendar, for small charts. Each is written in the commit that settles what it counts, so nothing is
//! counted twice and nothing is missed. Decides nothing, and nothing depends on it.
//!
//! Three records, each with its own writers: orders (checked, as imports may run side by side), stock and calls (fenced by Next Engine's
//! lease). The newest days are kept, so they stay small.

use std::collections::BTreeMap;

use chrono::{Days as Span, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    sync::{
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time,
};

/// What became of orders.
pub const ORDERS_KEY: &str = "daily/orders";
/// What became of movements.
pub const STOCK_KEY: &str = "daily/stock";
/// Calls to Next Engine.
pub const CALLS_KEY: &str = "daily/calls";

/// Days kept.
pub const KEPT: u32 = 62;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counter {
    /// Transactions registered.
    Registered,
    /// Transactions cancelled or returned.
    Undone,
    /// Orders refused.
    Refused,
    /// Rows seen in Next Engine's movement history.
    Applied,
    /// Rows given back.
    Returned,
    /// Calls to Next Engine.
    Calls,
}

/// One record: counts by day.
pub type Days = BTreeMap<NaiveDate, BTreeMap<Counter, u64>>;

/// One day's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day in Japan.
    pub date: NaiveDate,
    /// Transactions registered.
    pub registered: u64,
    /// Undone.
    pub undone: u64,
    /// Orders refused.
    pub refused: u64,
    /// Rows applied.
    pub applied: u64,
    /// Rows given back.
    pub returned: u64,
    /// Calls to Next Engine.
    pub calls: u64,
}

/// Adds counts of one day to the commit that settles what they count. Whoever may meet another writer adds a check of `seen`.
pub fn add(
    commit: Commit,
    key: &str,
    seen: Option<&Stored<Days>>,
    day: NaiveDate,
    counts: &[(Counter, u64)],
) -> Result<Commit> {
    let mut days = seen.map(|seen| seen.value.clone()).unwrap_or_default();
    let today = days.entry(day).or_default();
    for (counter, more) in counts.iter().filter(|(_, more)| *more > 0) {
        let count = today.entry(*counter).or_default();
        *count = count.saturating_add(*more);
    }
    while days.len() > KEPT as usize {
        days.pop_first();
    }
    commit.put(key, &days)
}

/// The last so many days, today included, oldest first; days without anything are there with zeros.
pub fn daily(tenant: &Tenant<'_>, days: u32) -> Result<Vec<Day>> {
    let keys = [ORDERS_KEY, STOCK_KEY, CALLS_KEY].map(str::to_owned);
    let stored = store::read_all::<Days>(&tenant.ports, &keys)?;
    let records: Vec<Days> = stored
        .into_iter()
        .flatten()
        .map(|days| days.value)
        .collect();
    let today = time::day(tenant.now());
    let days = days.clamp(1, KEPT);
    let back = (0..u64::from(days)).rev();
    let dates = back.filter_map(|ago| today.checked_sub_days(Span::new(ago)));
    Ok(dates.map(|date| day(&records, date)).collect())
}

fn day(records: &[Days], date: NaiveDate) -> Day {
    let count = |counter: Counter| {
        let counts = records
            .iter()
            .filter_map(|days| days.get(&date)?.get(&counter));
        counts.fold(0_u64, |sum, count| sum.saturating_add(*count))
    };
    Day {
        date,
        registered: count(Counter::Registered),
        undone: count(Counter::Undone),
        refused: count(Counter::Refused),
        applied: count(Counter::Applied),
        returned: count(Counter::Returned),
        calls: count(Counter::Calls),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::sync::testing::Script;

    fn count(script: &Script, counter: Counter, more: u64) {
        let tenant = script.tenant();
        let seen = store::read::<Days>(&tenant.ports, STOCK_KEY).unwrap();
        let day = time::day(tenant.now());
        let commit = add(
            Commit::new(),
            STOCK_KEY,
            seen.as_ref(),
            day,
            &[(counter, more)],
        );
        commit.unwrap().apply(&tenant.ports).unwrap();
    }

    #[test]
    fn every_day_is_told_and_a_day_is_japans() {
        let script = Script::new();
        count(&script, Counter::Applied, 2);
        count(&script, Counter::Applied, 3);
        script.now.set(script.now.get() + TimeDelta::hours(12));
        count(&script, Counter::Returned, 1);
        let days = daily(&script.tenant(), 3).unwrap();
        let told: Vec<_> = days
            .iter()
            .map(|day| (day.date.to_string(), day.applied, day.returned))
            .collect();
        let expected = [
            ("2026-11-23", 0, 0),
            ("2026-11-24", 5, 0),
            ("2026-11-25", 0, 1),
        ];
        let expected = expected.map(|(day, applied, returned)| (day.to_owned(), applied, returned));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_day_on_which_nothing_came_of_a_thing_does_not_name_it() {
        let script = Script::new();
        count(&script, Counter::Returned, 0);
        let stored = store::read::<Days>(&script.tenant().ports, STOCK_KEY).unwrap();
        let days: Vec<_> = stored.unwrap().value.into_values().collect();
        assert_eq!(days, [BTreeMap::new()]);
    }

    #[test]
    fn old_days_are_let_go_and_no_more_are_given() {
        let script = Script::new();
        for _ in 0..KEPT + 5 {
            count(&script, Counter::Applied, 1);
            script.now.set(script.now.get() + TimeDelta::days(1));
        }
        let stored = store::read::<Days>(&script.tenant().ports, STOCK_KEY).unwrap();
        assert_eq!(stored.unwrap().value.len(), KEPT as usize);
        assert_eq!(daily(&script.tenant(), 1_000).unwrap().len(), KEPT as usize);
        assert_eq!(daily(&script.tenant(), 0).unwrap().len(), 1);
    }
}
