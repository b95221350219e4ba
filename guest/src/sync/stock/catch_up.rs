//! Finding what webhooks missed: Smaregi's stock by update time, store by store, then the history of the places that moved. Decides
//! nothing. How far it came is stored with each page, so that a small budget gets through and one refused store stops no other.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result, Side},
    planted::Planted,
    smaregi::stock,
    sync::{
        call_error::{CallError, Refusal},
        connection,
        report::SendProgress,
        smaregi_session::Smaregi,
        stock::{
            finish,
            ingest::Since,
            intake::{self, Place},
            records::{CATCH_UPS, CatchUp, Looking, Pair, catch_up_key, pair_key},
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// Both clocks may differ a little, and a row may be written while its list is read.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// Smaregi takes at most 31 days (smaregi.md 4a).
const LONGEST_RANGE: TimeDelta = TimeDelta::days(30);
/// The last range ends this far in the future: what changes while its pages are read stays in it, and moves nothing out of a page
/// that is still to come.
const AHEAD: TimeDelta = TimeDelta::hours(12);
/// Between two tries with a store that Smaregi refuses, doubled each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(10);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(12);
/// After so many stores without an answer in one call, Smaregi is left alone: each may cost a time-out.
const MOST_OUTAGES: u32 = 2;
const PAGE_ROWS: usize = 1_000;

/// Looks since the last look, or since then. See `wit/stock.wit`.
pub async fn catch_up(tenant: &Tenant<'_>, since: Option<Moment>) -> Result<SendProgress> {
    let result = look(tenant, since).await;
    let spent = result == Err(Error::BudgetSpent);
    let mut progress = finish(tenant, &mut SendProgress::default(), result)?;
    // Hints are read by `send`: a caller who repeats this call while there is more comes to an end.
    progress.more = spent;
    Ok(progress)
}

/// When the next look is due; `None` while nothing was ever switched on.
pub fn due_at(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let link = connection::link(&tenant.ports)?;
    let Some(baseline) = link.baseline else {
        return Ok(None);
    };
    let mut times = Vec::new();
    for store_id in stores(tenant) {
        times.push(store_due_at(
            tenant,
            state(tenant, &store_id)?.as_ref(),
            baseline,
        ));
    }
    Ok(times.into_iter().min())
}

fn store_due_at(tenant: &Tenant<'_>, state: Option<&Stored<CatchUp>>, baseline: Moment) -> Moment {
    let pause = TimeDelta::minutes(i64::from(tenant.settings.pace.catch_up_minutes));
    let Some(state) = state.map(|state| &state.value) else {
        return baseline + pause;
    };
    match (state.refused_at, &state.open) {
        (Some(at), _) => at + refused_pause(state.refused),
        (None, Some(_)) => tenant.now(),
        (None, None) => state.through + pause,
    }
}

fn refused_pause(times: u32) -> TimeDelta {
    let doubled = FIRST_PAUSE * 2_i32.saturating_pow(times.saturating_sub(1).min(10));
    doubled.min(LONGEST_PAUSE)
}

fn state(tenant: &Tenant<'_>, store_id: &str) -> Result<Option<Stored<CatchUp>>> {
    store::read(&tenant.ports, &catch_up_key(store_id))
}

/// Notes the places that moved, in every store where a look is due, or in all of them since then. The first error comes after
/// every store was tried.
pub async fn look(tenant: &Tenant<'_>, since: Option<Moment>) -> Result<()> {
    let link = connection::link(&tenant.ports)?;
    let (true, Some(baseline)) = (link.on, link.baseline) else {
        return Ok(());
    };
    let session = Smaregi::open(tenant).await?;
    let mut first = None;
    let mut outages = 0;
    for (store_id, looking) in due_looks(tenant, since, baseline)? {
        match look_in_store(&session, tenant, &store_id, looking).await {
            Ok(()) => {}
            // So that the rest is gone on with at once.
            Err(CallError::NotDone(Error::BudgetSpent)) => return Err(Error::BudgetSpent),
            Err(CallError::NotDone(error @ Error::Unavailable(..))) if outages < MOST_OUTAGES => {
                outages += 1;
                first.get_or_insert(error);
            }
            Err(CallError::Refused(refusal)) if is_of_the_store(&refusal) => {
                refused(tenant, &store_id)?;
                first.get_or_insert_with(|| CallError::Refused(refusal).into());
            }
            Err(error) => return Err(first.unwrap_or_else(|| error.into())),
        }
    }
    first.map_or(Ok(()), Err)
}

/// Whether a refusal is about this store, and not about our token.
fn is_of_the_store(refusal: &Refusal) -> bool {
    let status = refusal.code.split_whitespace().next().unwrap_or_default();
    refusal.side == Side::Smaregi && !matches!(status, "401" | "403")
}

/// The looks to go on with: those that are due, or with `since` those that it asks for. Where an earlier slice began them, only what
/// that one left.
fn due_looks(
    tenant: &Tenant<'_>,
    since: Option<Moment>,
    baseline: Moment,
) -> Result<Vec<(String, Stored<CatchUp>)>> {
    let parts = Since::read(tenant, Some(baseline))?;
    let mut looks = Vec::new();
    for store_id in stores(tenant) {
        let seen = state(tenant, &store_id)?;
        let due = store_due_at(tenant, seen.as_ref(), baseline) <= tenant.now();
        if due || since.is_some() {
            looks.push((store_id, seen));
        }
    }
    if since.is_some()
        && looks
            .iter()
            .any(|(_, seen)| was_asked(seen.as_ref(), since))
    {
        looks.retain(|(_, seen)| was_asked(seen.as_ref(), since));
    }
    let begun = looks.into_iter().map(|(store_id, seen)| {
        let taking_part = parts.read_from(&store_id).unwrap_or(baseline);
        let looking = begin(tenant, &store_id, seen, since, taking_part)?;
        Ok((store_id, looking))
    });
    begun.collect()
}

fn was_asked(seen: Option<&Stored<CatchUp>>, since: Option<Moment>) -> bool {
    let open = seen.and_then(|seen| seen.value.open.as_ref());
    open.is_some_and(|open| open.asked == since)
}

/// The store's look under way, or a new one; one that began later than it should begins anew.
fn begin(
    tenant: &Tenant<'_>,
    store_id: &str,
    seen: Option<Stored<CatchUp>>,
    since: Option<Moment>,
    taking_part: Moment,
) -> Result<Stored<CatchUp>> {
    let mut state = seen
        .as_ref()
        .map_or_else(|| CatchUp::new(taking_part), |seen| seen.value.clone());
    let last = if Planted::CatchUpWithoutOverlap.is_on() {
        state.through + TimeDelta::seconds(1)
    } else {
        state.through - OVERLAP
    };
    let from = since.map_or(last, |since| since.min(last)).max(taking_part);
    let fits = |open: &Looking| open.from <= from && (since.is_none() || open.asked == since);
    if !state.open.as_ref().is_some_and(fits) {
        state.open = Some(Looking {
            asked: since,
            from,
            started: tenant.now(),
            range: from,
            page: 1,
        });
    }
    save(tenant, store_id, seen.as_ref(), state)
}

fn save(
    tenant: &Tenant<'_>,
    store_id: &str,
    seen: Option<&Stored<CatchUp>>,
    state: CatchUp,
) -> Result<Stored<CatchUp>> {
    let key = catch_up_key(store_id);
    let contended = || Error::Contended(key.clone(), tenant.now());
    if seen.is_none_or(|seen| seen.value != state) {
        let commit = Commit::new().check(&key, seen).put(&key, &state)?;
        if !commit.try_apply(&tenant.ports)? {
            // Somebody else looks, or asked for an earlier start meanwhile: that look is still due.
            return Err(contended());
        }
    }
    store::read(&tenant.ports, &key)?.ok_or_else(contended)
}

fn refused(tenant: &Tenant<'_>, store_id: &str) -> Result<()> {
    let Some(seen) = state(tenant, store_id)? else {
        return Ok(());
    };
    let state = CatchUp {
        refused: seen.value.refused.saturating_add(1),
        refused_at: Some(tenant.now()),
        ..seen.value.clone()
    };
    save(tenant, store_id, Some(&seen), state).map(|_| ())
}

/// The stores that take part, and those we register sales in: rows of ours there use up their entries.
fn stores(tenant: &Tenant<'_>) -> BTreeSet<String> {
    let receiving = tenant
        .settings
        .orders
        .receiving_stores
        .iter()
        .map(|store| store.store_id.clone());
    tenant
        .settings
        .stock
        .stores
        .iter()
        .cloned()
        .chain(receiving)
        .collect()
}

async fn look_in_store(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    store_id: &str,
    mut seen: Stored<CatchUp>,
) -> std::result::Result<(), CallError> {
    while let Some(open) = seen.value.open.clone() {
        let range_end = open.range + LONGEST_RANGE;
        let is_last = range_end >= open.started;
        let end = if is_last {
            open.started + AHEAD
        } else {
            range_end
        };
        let answer = session
            .send(&stock::list(store_id, Some((open.range, end)), open.page))
            .await?;
        let rows = stock::decode(&answer);
        let full = rows.len() >= PAGE_ROWS;
        note_moved(tenant, rows.into_iter().flatten().collect())?;
        let next = if full {
            Some(Looking {
                page: open.page.saturating_add(1),
                ..open.clone()
            })
        } else {
            (!is_last).then(|| Looking {
                range: range_end,
                page: 1,
                ..open.clone()
            })
        };
        let state = CatchUp {
            through: if next.is_none() {
                open.started
            } else {
                seen.value.through
            },
            open: next,
            refused: 0,
            refused_at: None,
        };
        seen = save(tenant, store_id, Some(&seen), state)?;
    }
    Ok(())
}

fn note_moved(tenant: &Tenant<'_>, rows: Vec<stock::StockRow>) -> Result<()> {
    let keys: Vec<String> = rows
        .iter()
        .map(|row| pair_key(&row.store_id, &row.product_id))
        .collect();
    let known = store::read_all::<Pair>(&tenant.ports, &keys)?;
    // A place decided up to its last change has nothing new; equal seconds are read again.
    let moved = rows
        .iter()
        .zip(known)
        .filter(|(row, known)| match (row.updated_at, known) {
            (Some(at), Some(pair)) => pair.value.at <= at,
            _ => true,
        });
    let places: Vec<Place> = moved
        .map(|(row, _)| Place::new(&row.store_id, &row.product_id))
        .collect();
    intake::note(tenant, &places, None)
}

/// Lets every look begin at this moment at the latest: stock that moved while the link was off is found by it.
pub fn look_from(tenant: &Tenant<'_>, mut commit: Commit, from: Moment) -> Result<Commit> {
    for seen in store::list_all::<CatchUp>(&tenant.ports, CATCH_UPS)? {
        let through = seen.value.through.min(from);
        commit = commit
            .check(&seen.key, Some(&seen))
            .put(&seen.key, &CatchUp::new(through))?;
    }
    Ok(commit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::{
        stock::records::{HINTS, Hint},
        testing::{Script, at_once},
    };

    #[test]
    fn a_range_ends_in_the_future_and_a_refused_store_waits_longer_each_time() {
        assert_eq!(refused_pause(1), TimeDelta::minutes(10));
        assert_eq!(refused_pause(3), TimeDelta::minutes(40));
        assert_eq!(refused_pause(40), LONGEST_PAUSE);
    }

    fn switched_on(stores: &[&str]) -> Script {
        let script = Script::new();
        script.switch_on(stores);
        script.now.set(script.now.get() + TimeDelta::days(1));
        script
    }

    fn rows(store: &str, products: std::ops::Range<u32>) -> serde_json::Value {
        products
            .map(|product| {
                json!({"storeId": store, "productId": product.to_string(), "stockAmount": "1",
                    "updDateTime": "2026-11-25T11:00:00+09:00"})
            })
            .collect()
    }

    fn hints(script: &Script) -> usize {
        store::list_all::<Hint>(&script.ports(), HINTS)
            .unwrap()
            .len()
    }

    #[test]
    fn a_budget_of_one_request_gets_through_and_reads_no_page_twice() {
        let script = switched_on(&["1"]);
        for (page, more) in [
            (rows("1", 0..1_000), true),
            (rows("1", 1_000..1_200), false),
        ] {
            script.will(200, &page);
            let tenant = Tenant::open(script.ports(), 1, 60).unwrap();
            let progress = at_once(catch_up(&tenant, None)).unwrap();
            assert_eq!(progress.more, more);
        }
        assert_eq!(hints(&script), 1_200);
        let urls: Vec<String> = script
            .requests
            .borrow()
            .iter()
            .map(|request| request.url.clone())
            .collect();
        assert!(
            urls[0].contains("page=1") && urls[1].contains("page=2"),
            "{urls:?}"
        );
        assert!(due_at(&script.tenant()).unwrap().unwrap() > script.now.get());
    }

    #[test]
    fn a_caller_who_repeats_an_earlier_start_comes_to_an_end() {
        let script = switched_on(&["1", "2", "3"]);
        let since = Some(script.now.get() - TimeDelta::hours(5));
        let mut calls = 0;
        loop {
            script.will(200, &json!([]));
            let tenant = Tenant::open(script.ports(), 1, 60).unwrap();
            calls += 1;
            if !at_once(catch_up(&tenant, since)).unwrap().more {
                break;
            }
            script.answers.borrow_mut().clear();
            assert!(calls < 10);
        }
        assert_eq!(script.requests.borrow().len(), 3);
    }

    #[test]
    fn a_refused_store_stops_no_other_and_keeps_its_own_mark() {
        let script = switched_on(&["1", "2"]);
        script.will(400, &json!({"title": "BadRequest", "type": "about:blank"}));
        script.will(200, &rows("2", 0..3));
        assert!(at_once(catch_up(&script.tenant(), None)).is_err());
        assert_eq!(hints(&script), 3);
        let through = |store: &str| {
            state(&script.tenant(), store)
                .unwrap()
                .unwrap()
                .value
                .through
        };
        assert!(through("1") < through("2"));
        // Not tried again at once.
        at_once(catch_up(&script.tenant(), None)).unwrap();
        assert_eq!(script.requests.borrow().len(), 2);
    }
}
