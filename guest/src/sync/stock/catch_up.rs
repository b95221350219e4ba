//! Finding what webhooks missed: Smaregi's stock by update time, store by store, then the history of the places that moved. Decides
//! nothing. How far it came is stored with each page, so that a small budget gets through and one refused store stops no other.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result, Side},
    planted::Planted,
    reason::Reason,
    smaregi::{
        stock::{self, StockRow},
        webhook::plain_id,
    },
    sync::{
        call_error::{CallError, Refusal},
        connection::{self, Link},
        report::SendProgress,
        rest::{self, Part},
        smaregi_session::{Smaregi, unreadable_answer},
        stock::{
            finish,
            ingest::Since,
            intake::{self, Place},
            records::{CATCH_UPS, CatchUp, Looking, Nameless, Pair, catch_up_key, pair_key},
            trouble,
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
    wire::Unread,
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

/// Who asks for a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The schedule, where one is due.
    WhenDue,
    /// A person or a caller: at once in every store, since the last look or since then.
    ByHand(Option<Moment>),
}

impl Asked {
    fn since(self) -> Option<Moment> {
        match self {
            Self::WhenDue => None,
            Self::ByHand(since) => since,
        }
    }

    fn is_by_hand(self) -> bool {
        self != Self::WhenDue
    }
}

/// Looks since the last look, or since then. See `wit/stock.wit`.
pub async fn catch_up(tenant: &Tenant<'_>, since: Option<Moment>) -> Result<SendProgress> {
    let result = look_at_once(tenant, since).await;
    if result.is_ok() {
        rest::end(tenant, &[Part::CatchUp])?;
    }
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

/// Notes the places that moved, in every store where a look is due. The first error comes after every store was tried.
pub async fn look(tenant: &Tenant<'_>) -> Result<()> {
    look_as(tenant, Asked::WhenDue).await
}

/// The same in every store at once, since the last look or since then.
pub async fn look_at_once(tenant: &Tenant<'_>, since: Option<Moment>) -> Result<()> {
    look_as(tenant, Asked::ByHand(since)).await
}

async fn look_as(tenant: &Tenant<'_>, asked: Asked) -> Result<()> {
    let link = connection::link(&tenant.ports)?;
    let (true, Some(baseline)) = (link.on, link.baseline) else {
        return Ok(());
    };
    let session = Smaregi::open(tenant).await?;
    let mut first = None;
    let mut outages = 0;
    for (store_id, looking) in due_looks(tenant, asked, &link, baseline)? {
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

/// The looks to go on with: those that are due, or by hand all of them. Where an earlier slice began them, only what that one left.
fn due_looks(
    tenant: &Tenant<'_>,
    asked: Asked,
    link: &Link,
    baseline: Moment,
) -> Result<Vec<(String, Stored<CatchUp>)>> {
    let parts = Since::read(tenant, link)?;
    let mut looks = Vec::new();
    for store_id in stores(tenant) {
        let seen = state(tenant, &store_id)?;
        let due = store_due_at(tenant, seen.as_ref(), baseline) <= tenant.now();
        if due || asked.is_by_hand() {
            looks.push((store_id, seen));
        }
    }
    let is_left = |(_, seen): &(String, Option<Stored<CatchUp>>)| is_left(seen.as_ref(), asked);
    if looks.iter().any(is_left) {
        looks.retain(is_left);
    }
    let begun = looks.iter().map(|(store_id, seen)| {
        let taking_part = parts.read_from(store_id).unwrap_or(baseline);
        let state = begin(tenant, seen.as_ref(), asked, taking_part);
        (store_id.as_str(), seen.as_ref(), state)
    });
    let begun = save_all(tenant, begun.collect())?;
    let stores = looks.iter().map(|(store_id, _)| store_id.clone());
    Ok(stores.zip(begun).collect())
}

/// Whether an earlier slice of the same call by hand began this look, and did not get to it. What was refused was tried.
fn is_left(seen: Option<&Stored<CatchUp>>, asked: Asked) -> bool {
    let untried = seen.filter(|seen| seen.value.refused_at.is_none());
    let open = untried.and_then(|seen| seen.value.open.as_ref());
    open.is_some_and(|open| asked.is_by_hand() && open.by_hand && open.asked == asked.since())
}

/// The store's look under way, or a new one; one that began later than it should begins anew.
fn begin(
    tenant: &Tenant<'_>,
    seen: Option<&Stored<CatchUp>>,
    asked: Asked,
    taking_part: Moment,
) -> CatchUp {
    let mut state = seen.map_or_else(|| CatchUp::new(taking_part), |seen| seen.value.clone());
    let last = if Planted::CatchUpWithoutOverlap.is_on() {
        state.through + TimeDelta::seconds(1)
    } else {
        state.through - OVERLAP
    };
    let nameless = state.nameless.as_ref().map(|nameless| nameless.since);
    let from = [asked.since(), nameless].into_iter().flatten();
    let from = from.fold(last, Moment::min).max(taking_part);
    let fits = |open: &Looking| {
        open.from <= from && (!asked.is_by_hand() || open.by_hand && open.asked == asked.since())
    };
    if !state.open.as_ref().is_some_and(fits) {
        state.open = Some(Looking {
            asked: asked.since(),
            from,
            started: tenant.now(),
            range: from,
            page: 1,
            by_hand: asked.is_by_hand(),
            nameless: None,
        });
    }
    state
}

/// A store with its look as it was read, and as it is to be.
type Saved<'a> = (&'a str, Option<&'a Stored<CatchUp>>, CatchUp);

/// Writes down what is begun, all of it or nothing: a call by hand that goes on with what an earlier one left takes that for the whole.
fn save_all(tenant: &Tenant<'_>, looks: Vec<Saved<'_>>) -> Result<Vec<Stored<CatchUp>>> {
    let keys: Vec<String> = looks.iter().map(|(id, ..)| catch_up_key(id)).collect();
    // Somebody else looks, or asked for an earlier start meanwhile: that look is still due.
    let contended = || Error::Contended(keys.first().cloned().unwrap_or_default(), tenant.now());
    let mut commit = Commit::new();
    for (key, (_, seen, state)) in keys.iter().zip(&looks) {
        if seen.is_none_or(|seen| seen.value != *state) {
            commit = commit.check(key, *seen).put(key, state)?;
        }
    }
    if !commit.is_empty() && !commit.try_apply(&tenant.ports)? {
        return Err(contended());
    }
    let stored = store::read_all::<CatchUp>(&tenant.ports, &keys)?.into_iter();
    stored.map(|stored| stored.ok_or_else(contended)).collect()
}

fn save(
    tenant: &Tenant<'_>,
    store_id: &str,
    seen: &Stored<CatchUp>,
    state: CatchUp,
) -> Result<Stored<CatchUp>> {
    let saved = save_all(tenant, vec![(store_id, Some(seen), state)])?.pop();
    saved.ok_or_else(|| Error::Contended(seen.key.clone(), tenant.now()))
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
    save(tenant, store_id, &seen, state).map(|_| ())
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
        let rows = stock::decode_all(&answer, store_id)
            .map_err(|reason| unreadable_answer(tenant, &reason))?;
        let full = rows.len() >= PAGE_ROWS;
        let nameless = note_moved(tenant, store_id, rows)?;
        let open = Looking {
            nameless: open.nameless.or(nameless),
            ..open
        };
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
        let state = match next {
            Some(open) => CatchUp {
                open: Some(open),
                refused: 0,
                refused_at: None,
                ..seen.value.clone()
            },
            None => ended(tenant, store_id, &seen.value, open)?,
        };
        seen = save(tenant, store_id, &seen, state)?;
    }
    Ok(())
}

/// A look that came to its end. Rows that do not say whose they are were told once, and the next look begins before them.
fn ended(tenant: &Tenant<'_>, store_id: &str, seen: &CatchUp, open: Looking) -> Result<CatchUp> {
    let nameless = open.nameless.map(|reason| Nameless {
        since: open.from,
        reason,
    });
    let told = |reason: &Reason| {
        seen.nameless
            .as_ref()
            .is_some_and(|seen| seen.reason == *reason)
    };
    if let Some(Nameless { reason, .. }) = &nameless
        && !told(reason)
    {
        let commit = Commit::new();
        trouble::mention(tenant, commit, store_id, "", trouble::NO_ID, reason)?
            .apply(&tenant.ports)?;
    }
    Ok(CatchUp {
        nameless,
        ..CatchUp::new(open.started)
    })
}

/// Notes the places that moved. A row that says whose it is, and is otherwise unreadable, has moved for all we know: the history tells.
/// Gives why rows that do not even say that cannot be read.
fn note_moved(
    tenant: &Tenant<'_>,
    store_id: &str,
    rows: Vec<std::result::Result<StockRow, Unread>>,
) -> Result<Option<Reason>> {
    let (mut readable, mut places, mut nameless) = (Vec::new(), Vec::new(), None);
    for row in rows {
        match row {
            Ok(row) => readable.push(row),
            Err(unread) => match unread.of.as_deref().and_then(plain_id) {
                Some(product_id) => places.push(Place::new(store_id, &product_id)),
                None => nameless = Some(*unread.reason),
            },
        }
    }
    places.extend(moved(tenant, &readable)?);
    intake::note(tenant, &places, None)?;
    Ok(nameless)
}

fn moved(tenant: &Tenant<'_>, rows: &[StockRow]) -> Result<Vec<Place>> {
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
    let places = moved.map(|(row, _)| Place::new(&row.store_id, &row.product_id));
    Ok(places.collect())
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
mod tests;
