//! Counting calls (呼び出し回数) by month of Japan's calendar, because Next Engine bills them. Limits nothing: the schedule's pace does.
//!
//! Calls to Next Engine are counted in the commit that precedes them. Those to Smaregi cost nothing; they are counted in memory
//! and written at the end of an export, so a call that dies forgets its own.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{
    error::{Result, Side},
    ports::Ports,
    sync::{
        daily::{self, Counter, Days},
        report::EndpointCalls,
        store::{self, Commit},
        tenant::Tenant,
    },
    time,
};

type Counts = BTreeMap<String, u64>;

/// Calls of one export that are not written yet.
#[derive(Debug, Default)]
pub struct Tally(RefCell<Counts>);

impl Tally {
    /// Counts one call to Smaregi.
    pub fn count(&self, endpoint: String) {
        let mut counts = self.0.borrow_mut();
        let calls = counts.entry(endpoint).or_default();
        *calls = calls.saturating_add(1);
    }
}

fn key(month: &str, side: Side) -> String {
    let side = match side {
        Side::Smaregi => "smaregi",
        Side::NextEngine => "next-engine",
    };
    format!("meter/{month}/{side}")
}

/// Adds one call to Next Engine to a commit that is fenced by its lease, so no two count at once: to the month's and to the day's.
pub fn count_next_engine(tenant: &Tenant<'_>, commit: Commit, endpoint: &str) -> Result<Commit> {
    let now = tenant.now();
    let key = key(&time::month(now), Side::NextEngine);
    let (seen, days) = store::read_two::<Counts, Days>(&tenant.ports, &key, daily::CALLS_KEY)?;
    let mut counts = seen.map(|seen| seen.value).unwrap_or_default();
    let calls = counts.entry(format!("POST {endpoint}")).or_default();
    *calls = calls.saturating_add(1);
    let one = [(Counter::Calls, 1)];
    let commit = daily::add(
        commit,
        daily::CALLS_KEY,
        days.as_ref(),
        time::day(now),
        &one,
    )?;
    commit.put(&key, &counts)
}

/// Writes what an export counted. Another export may write at the same time; then this one reads anew.
pub fn flush(tenant: &Tenant<'_>) -> Result<()> {
    const TRIES: u32 = 10;
    let counted = tenant.tally.0.take();
    if counted.is_empty() {
        return Ok(());
    }
    let key = key(&time::month(tenant.now()), Side::Smaregi);
    for _ in 0..TRIES {
        let seen = store::read::<Counts>(&tenant.ports, &key)?;
        let mut counts = seen
            .as_ref()
            .map(|seen| seen.value.clone())
            .unwrap_or_default();
        for (endpoint, calls) in &counted {
            let sum = counts.entry(endpoint.clone()).or_default();
            *sum = sum.saturating_add(*calls);
        }
        if Commit::new()
            .check(&key, seen.as_ref())
            .put(&key, &counts)?
            .try_apply(&tenant.ports)?
        {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the month's calls to Next Engine are used up; never without a budget.
pub fn is_spent(tenant: &Tenant<'_>) -> Result<bool> {
    let budget = u64::from(tenant.settings.pace.monthly_calls);
    if budget == 0 {
        return Ok(false);
    }
    let key = key(&time::month(tenant.now()), Side::NextEngine);
    let counts = store::read::<Counts>(&tenant.ports, &key)?.map(|seen| seen.value);
    let made: u64 = counts.unwrap_or_default().values().sum();
    Ok(made >= budget)
}

/// The calls of a month, by side and endpoint.
pub fn read(ports: &Ports<'_>, month: &str) -> Result<Vec<EndpointCalls>> {
    let sides = [Side::Smaregi, Side::NextEngine];
    let stored = store::read_all::<Counts>(ports, &sides.map(|side| key(month, side)))?;
    let by_side = sides.into_iter().zip(stored);
    let calls = by_side.flat_map(|(side, counts)| {
        let counts = counts.map(|counts| counts.value).unwrap_or_default();
        counts
            .into_iter()
            .map(move |(endpoint, calls)| EndpointCalls {
                side,
                endpoint,
                calls,
            })
    });
    Ok(calls.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::Script;

    #[test]
    fn calls_are_counted_by_month_side_and_endpoint() {
        let script = Script::new();
        for endpoint in ["GET /stores", "GET /stock", "GET /stock"] {
            let tenant = script.tenant();
            tenant.tally.count("GET /stock".to_owned());
            tenant.tally.count(endpoint.to_owned());
            flush(&tenant).unwrap();
            flush(&tenant).unwrap();
            let commit = count_next_engine(&tenant, Commit::new(), "/search").unwrap();
            commit.apply(&tenant.ports).unwrap();
        }
        let calls = read(&script.ports(), "2026-11").unwrap().into_iter();
        let told: Vec<_> = calls
            .map(|counted| (counted.side, counted.endpoint, counted.calls))
            .collect();
        let expected = [
            (Side::Smaregi, "GET /stock".to_owned(), 5),
            (Side::Smaregi, "GET /stores".to_owned(), 1),
            (Side::NextEngine, "POST /search".to_owned(), 3),
        ];
        assert_eq!(told, expected);
        assert_eq!(read(&script.ports(), "2026-12"), Ok(Vec::new()));
        let today = daily::daily(&script.tenant(), 1).unwrap();
        assert_eq!(today[0].calls, 3);
    }

    #[test]
    fn a_budget_is_spent_by_the_month_and_none_never_is() {
        let script = Script::new();
        let mut tenant = script.tenant();
        for (budget, spent) in [(0, false), (1, false), (2, false)] {
            tenant.settings.pace.monthly_calls = budget;
            assert_eq!(is_spent(&tenant), Ok(spent));
        }
        for spent in [false, true] {
            let commit = count_next_engine(&tenant, Commit::new(), "/search").unwrap();
            commit.apply(&tenant.ports).unwrap();
            assert_eq!(is_spent(&tenant), Ok(spent));
        }
        script
            .now
            .set(script.now.get() + chrono::TimeDelta::days(7));
        assert_eq!(is_spent(&tenant), Ok(false), "another month");
    }
}
