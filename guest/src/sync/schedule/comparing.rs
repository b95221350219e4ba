//! The comparison of all stock that nobody asks for: when it is due, what is kept of it. Decides nothing about stock, and tells a difference
//! only when it stood twice: what moves while lists are read, and what no webhook told, is no difference an hour later.
//!
//! Where a call's budget does not do for the lists, what it read of them is kept, and the next call goes on behind it. Pages that are kept
//! lie under the moment at which the reading was begun, so that none of another reading is ever taken for one of it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    reason::Reason,
    rules::pace,
    sync::{
        connection,
        report::{Compared, Comparison, count},
        rest::{self, Part},
        stock::{
            self,
            lists::{Page, Pages},
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// What is kept.
const KEY: &str = "schedule/compared";
/// Products that may wait for a second look; more than these are no accident.
const MOST_DOUBTFUL: usize = 1_000;
/// Behind the next look for missed changes.
const READ_BY_THEN: TimeDelta = TimeDelta::minutes(15);
/// Minutes of the night over which shops are spread.
const SPREAD: u32 = 120;
/// Where pages are kept.
const PAGES: &str = "schedule/comparing/";
/// Pages of one commit.
const PAGES_A_COMMIT: usize = 8;
const PAGES_DELETED: usize = 1_000;
/// What was read earlier than this is read anew.
const LONGEST: TimeDelta = TimeDelta::hours(1);
/// Calls that one comparison may be spread over, begun anew or not.
const MOST_CALLS: u32 = 60;
/// Next Engine's largest page.
const GOODS_A_CALL: usize = 1_000;

/// The last comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// When it was made; absent before the first.
    last: Option<Moment>,
    /// What is told of it, or of the one before while some of it is doubtful.
    told: Option<Compared>,
    /// Differences that one look has seen, by code, and when to look again.
    doubtful: BTreeMap<String, Decimal>,
    again_at: Option<Moment>,
    /// Calls to Next Engine that it takes.
    calls: u32,
    /// The one that is cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reading: Option<Reading>,
}

/// A comparison over several calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    /// When the pages that are kept were begun.
    begun: Moment,
    /// Calls that were cut off.
    cut_off: u32,
}

impl Reading {
    fn is_fresh(&self, now: Moment) -> bool {
        // A clock that was set back must not make it last.
        self.begun <= now && now - self.begun < LONGEST
    }

    fn key(&self, page: &str) -> String {
        format!("{PAGES}{:0>13}/{page}", self.begun.timestamp_millis())
    }
}

fn kept(tenant: &Tenant<'_>) -> Result<Kept> {
    let kept = store::read::<Kept>(&tenant.ports, KEY)?;
    Ok(kept.map(|kept| kept.value).unwrap_or_default())
}

/// Whether the settings want any.
pub fn is_wanted(tenant: &Tenant<'_>) -> bool {
    tenant.settings.pace.compare_days > 0
}

/// What is told of the last one.
pub fn told(tenant: &Tenant<'_>) -> Result<Option<Compared>> {
    if !is_wanted(tenant) {
        return Ok(None);
    }
    Ok(kept(tenant)?.told)
}

/// When the next one is due, while the link is on.
pub fn due_at(tenant: &Tenant<'_>, seconds_a_call: i64) -> Result<Option<Moment>> {
    let kept = kept(tenant)?;
    if let Some(again_at) = kept.again_at {
        return Ok(Some(again_at));
    }
    let last = match kept.last {
        Some(last) => last,
        None => connection::link(&tenant.ports)?
            .baseline
            .unwrap_or(tenant.now()),
    };
    Ok(Some(after(tenant, seconds_a_call, kept.calls, last)))
}

fn after(tenant: &Tenant<'_>, seconds_a_call: i64, calls: u32, last: Moment) -> Moment {
    // A clock that was set back must not put it off.
    let last = last.min(tenant.now());
    let pace = &tenant.settings.pace;
    pace::next_comparison(pace, seconds_a_call, calls, minute(tenant), last)
}

/// A minute of the night of the shop's own, so that those of one host or one account do not all come at once.
fn minute(tenant: &Tenant<'_>) -> u32 {
    let credentials = &tenant.settings.credentials;
    let names = [
        &credentials.smaregi_contract_id,
        &credentials.next_engine_client_id,
    ];
    let letters = names.into_iter().flat_map(|name| name.bytes());
    let sum = letters.fold(0_u32, |sum, letter| {
        sum.wrapping_mul(31).wrapping_add(u32::from(letter))
    });
    sum.checked_rem(SPREAD).unwrap_or_default()
}

/// Compares, and keeps what is to be told. Dying before the end leaves it due, and what this call read is read again.
pub async fn compare(tenant: &Tenant<'_>, seconds_a_call: i64) -> Result<()> {
    let mut before = kept(tenant)?;
    let (mut pages, stored) = earlier(tenant, &mut before)?;
    match stock::go_on(tenant, &mut pages).await {
        Ok(comparison) => {
            let kept = after_look(before, &comparison, look_again_at(tenant));
            end(tenant, &kept, &stored)
        }
        Err(Error::BudgetSpent) => {
            if !keep(tenant, &mut before, pages)? {
                let next = after(tenant, seconds_a_call, before.calls, tenant.now());
                rest::put_off(tenant, Part::Compare, next, too_large())?;
                before.reading = None;
                end(tenant, &before, &stored)?;
            }
            Err(Error::BudgetSpent)
        }
        Err(error) => Err(error),
    }
}

/// What earlier calls read of a comparison that was cut off, and the keys under which it lies. What is too old is read anew.
fn earlier(tenant: &Tenant<'_>, kept: &mut Kept) -> Result<(Pages, Vec<String>)> {
    let mut pages = Pages {
        new: Some(Vec::new()),
        ..Pages::default()
    };
    let Some(reading) = kept.reading.as_mut() else {
        return Ok((pages, Vec::new()));
    };
    let found = store::list_all::<Page>(&tenant.ports, PAGES)?;
    let keys: Vec<String> = found.iter().map(|page| page.key.clone()).collect();
    if !reading.is_fresh(tenant.now()) {
        reading.begun = tenant.now();
        end(tenant, kept, &keys)?;
        return Ok((pages, Vec::new()));
    }
    let prefix = reading.key("");
    let named = |page: Stored<Page>| Some((page.key.strip_prefix(&prefix)?.to_owned(), page.value));
    pages.earlier = found.into_iter().filter_map(named).collect();
    Ok((pages, keys))
}

/// This is kept from now on, and none of these pages.
fn end(tenant: &Tenant<'_>, kept: &Kept, pages: &[String]) -> Result<()> {
    Commit::new().put(KEY, kept)?.apply(&tenant.ports)?;
    for keys in pages.chunks(PAGES_DELETED) {
        let commit = keys
            .iter()
            .fold(Commit::new(), |commit, key| commit.delete(key));
        commit.apply(&tenant.ports)?;
    }
    Ok(())
}

/// Keeps what this call read for the next one; `false` when there is no use in it.
fn keep(tenant: &Tenant<'_>, kept: &mut Kept, pages: Pages) -> Result<bool> {
    let mut reading = kept.reading.clone().unwrap_or(Reading {
        begun: tenant.now(),
        cut_off: 0,
    });
    reading.cut_off = reading.cut_off.saturating_add(1);
    if tenant.budget.is_whole() || reading.cut_off > MOST_CALLS {
        return Ok(false);
    }
    // The reading before its pages: none is left behind by a death in between.
    kept.reading = Some(reading.clone());
    Commit::new().put(KEY, kept)?.apply(&tenant.ports)?;
    for pages in pages.new.unwrap_or_default().chunks(PAGES_A_COMMIT) {
        let mut commit = Commit::new();
        for (name, page) in pages {
            commit = commit.put(&reading.key(name), page)?;
        }
        commit.apply(&tenant.ports)?;
    }
    Ok(true)
}

fn look_again_at(tenant: &Tenant<'_>) -> Moment {
    let catch_up = i64::from(tenant.settings.pace.catch_up_minutes);
    tenant.now() + TimeDelta::minutes(catch_up) + READ_BY_THEN
}

fn after_look(before: Kept, comparison: &Comparison, again_at: Moment) -> Kept {
    let open = comparison.lines.iter();
    let open = open.filter(|line| !line.unexplained.is_zero());
    let mut differences: BTreeMap<String, Decimal> = open
        .map(|line| (line.code.clone(), line.unexplained))
        .collect();
    let is_second = before.again_at.is_some();
    let kept = Kept {
        last: Some(comparison.compared_at),
        calls: calls(comparison),
        ..Kept::default()
    };
    if !is_second && (1..=MOST_DOUBTFUL).contains(&differences.len()) {
        return Kept {
            told: before.told,
            doubtful: differences,
            again_at: Some(again_at),
            ..kept
        };
    }
    if is_second {
        differences.retain(|code, rest| before.doubtful.get(code) == Some(rest));
    }
    Kept {
        told: Some(sums(comparison, differences.len())),
        ..kept
    }
}

fn calls(comparison: &Comparison) -> u32 {
    let goods = comparison.lines.iter();
    let goods = goods.filter(|line| line.next_engine.is_some()).count();
    count(goods.div_euclid(GOODS_A_CALL).saturating_add(1))
}

fn sums(comparison: &Comparison, unexplained: usize) -> Compared {
    let lines = comparison.lines.iter();
    let both = lines.filter(|line| line.smaregi.is_some() && line.next_engine.is_some());
    let both = both.count();
    Compared {
        compared_at: comparison.compared_at,
        both: count(both),
        one_side: count(comparison.lines.len().saturating_sub(both)),
        unexplained: count(unexplained),
    }
}

fn too_large() -> Reason {
    Reason::new(
        "comparison-too-large",
        "商品が多く、夜間の在庫照合が呼び出しの予算に収まりませんでした。在庫照合の画面で照合してください。",
        "There are too many products for the nightly comparison within the calls' budgets. Compare by hand.",
    )
}

#[cfg(test)]
mod tests;
