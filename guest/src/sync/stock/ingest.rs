//! Reading Smaregi's change history where something moved; `decide` decides each row once. Sends nothing to Next Engine.
//!
//! A row is new when it has no record and is not older than what is ours to send. Rows below the newest decided one are looked at
//! again for a day, and rows that a delivery named whatever their age: the history is not known to be written in the order of ids.
//! A place that cannot be read holds up no other.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};

use crate::{
    error::{Error, Result, Side},
    planted::Planted,
    reason::Reason,
    smaregi::changes,
    sync::{
        call_error::{CallError, Refusal},
        connection::Link,
        smaregi_session::Smaregi,
        stock::{
            reading::Reading,
            records::{HINTS, Hint, STORES, WHOLE_PLACE},
            trouble,
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::{self, Moment},
};

/// Rows a page (smaregi.md 1).
pub const PAGE_ROWS: u32 = 1_000;
/// Places read at one go.
const HINTS_AT_ONCE: u32 = 500;
/// After so many places without an answer in one call, Smaregi is left alone: each may cost a time-out.
const MOST_OUTAGES: u32 = 3;
/// Pauses before a place is read again, doubled each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Since when rows of a store are sent: the link's baseline, or when the store was chosen, if later.
pub struct Since {
    /// The link's baseline.
    pub baseline: Option<Moment>,
    /// Of stores that were chosen later.
    pub stores: Vec<(String, Moment)>,
    /// When storage was last put back: what was registered since has no older rows.
    pub restored: Option<Moment>,
}

impl Since {
    /// As it is written down, by the switch and by the settings.
    pub fn read(tenant: &Tenant<'_>, link: &Link) -> Result<Self> {
        let stores: Vec<Stored<Moment>> = store::list_all(&tenant.ports, STORES)?;
        let id = |key: &str| key.strip_prefix(STORES).unwrap_or_default().to_owned();
        Ok(Self {
            baseline: link.baseline,
            restored: link.restored.map(|restored| restored.told_at),
            stores: stores
                .into_iter()
                .map(|store| (id(&store.key), store.value))
                .collect(),
        })
    }

    /// Since when rows of this store are sent.
    pub fn of(&self, store_id: &str) -> Option<Moment> {
        if Planted::BaselineIgnored.is_on() {
            return time::from_unix(0, 0);
        }
        let chosen = self
            .stores
            .iter()
            .find(|(id, _)| id == store_id)
            .map(|(_, since)| *since);
        self.baseline.max(chosen)
    }

    /// From when on rows of this store are read and decided. Smaregi dates its rows by the second, so the whole second of the beginning
    /// belongs to it: a row of our own sale in it must use its entry up, or that would later swallow somebody else's. What else
    /// happened in it is told as older: sent, it might be the very stock that the link began with.
    pub fn read_from(&self, store_id: &str) -> Option<Moment> {
        self.of(store_id).map(time::second)
    }
}

/// When the earliest place is to be read; `None` when none waits.
pub fn next_reading(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let hints: Vec<Stored<Hint>> = store::list_all(&tenant.ports, HINTS)?;
    let now = tenant.now();
    Ok(hints
        .iter()
        .map(|hint| hint.value.retry_at.unwrap_or(now))
        .min())
}

/// Places that are to be read now, not tried before in this call.
fn due(tenant: &Tenant<'_>, tried: &BTreeSet<(String, u64)>) -> Result<Vec<Stored<Hint>>> {
    let (mut start, end) = store::range(HINTS);
    loop {
        let page: Vec<Stored<Hint>> =
            store::between(&tenant.ports, &start, &end, false, HINTS_AT_ONCE)?;
        let Some(last) = page.last() else {
            return Ok(Vec::new());
        };
        start = format!("{}\u{1}", last.key);
        let due: Vec<Stored<Hint>> = page
            .into_iter()
            .filter(|hint| hint.value.retry_at.is_none_or(|at| at <= tenant.now()))
            .filter(|hint| !tried.contains(&(hint.key.clone(), hint.revision)))
            .collect();
        if !due.is_empty() {
            return Ok(due);
        }
    }
}

/// What reading the places of one call came to.
#[derive(Default)]
struct Tally {
    decided: Cell<u32>,
    outages: Cell<u32>,
    stop: Cell<bool>,
    first: RefCell<Option<Error>>,
}

impl Tally {
    fn fail(&self, error: Error, stop: bool) {
        let mut first = self.first.borrow_mut();
        if error == Error::BudgetSpent {
            // So that the rest is gone on with at once.
            *first = Some(error);
        } else {
            first.get_or_insert(error);
        }
        self.stop.set(self.stop.get() || stop);
    }
}

/// Reads the history of every place hinted at, several at a time, and decides what is new. What was decided is in `decided` also
/// when it ends in an error: the first one met, after every place that could be read was.
pub async fn read_hints(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    since: &Since,
    decided: &mut u32,
) -> Result<()> {
    let tally = Tally::default();
    let mut tried = BTreeSet::new();
    while !tally.stop.get() {
        let hints = due(tenant, &tried)?;
        if hints.is_empty() {
            break;
        }
        tried.extend(hints.iter().map(|hint| (hint.key.clone(), hint.revision)));
        let tally = &tally;
        stream::iter(hints)
            .map(|hint| async move {
                if !tally.stop.get() {
                    read_one(session, tenant, since, &hint, tally).await;
                }
            })
            .buffer_unordered(session.parallel())
            .collect::<Vec<()>>()
            .await;
    }
    *decided = decided.saturating_add(tally.decided.get());
    tally.first.into_inner().map_or(Ok(()), Err)
}

async fn read_one(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    since: &Since,
    hint: &Stored<Hint>,
    tally: &Tally,
) {
    let error = match read_place(session, tenant, since, hint, tally).await {
        Ok(()) => return tally.outages.set(0),
        Err(error) => error,
    };
    let settled = match error {
        CallError::Refused(refusal) if is_of_the_place(&refusal) => refuse(tenant, hint, &refusal),
        CallError::NotDone(error @ Error::Unavailable(..)) => {
            tally.outages.set(tally.outages.get().saturating_add(1));
            tally.fail(error, tally.outages.get() >= MOST_OUTAGES);
            postpone(tenant, hint, hint.value.ids.clone())
        }
        // Somebody else is reading it.
        CallError::NotDone(Error::Contended(..)) => Ok(()),
        error => return tally.fail(error.into(), true),
    };
    if let Err(error) = settled {
        tally.fail(error, true);
    }
}

/// Whether a refusal is about this product or store, and not about our token.
fn is_of_the_place(refusal: &Refusal) -> bool {
    let status = refusal.code.split_whitespace().next().unwrap_or_default();
    refusal.side == Side::Smaregi && matches!(status, "400" | "404" | "410" | "422")
}

/// Tells that a place cannot be read, and lets it rest until it is hinted at again.
fn refuse(tenant: &Tenant<'_>, hint: &Stored<Hint>, refusal: &Refusal) -> Result<()> {
    let Hint {
        store_id,
        product_id,
        ..
    } = &hint.value;
    let commit = Commit::new().check(&hint.key, Some(hint)).delete(&hint.key);
    let reason = refused_place(refusal);
    trouble::tell(tenant, commit, store_id, product_id, WHOLE_PLACE, &reason)?
        .try_apply(&tenant.ports)?;
    Ok(())
}

/// Lets a place rest, longer each time, with the rows that are still asked for by name.
pub fn postpone(tenant: &Tenant<'_>, hint: &Stored<Hint>, ids: BTreeSet<String>) -> Result<()> {
    let tries = hint.value.tries.saturating_add(1);
    let doubled = FIRST_PAUSE * 2_i32.saturating_pow(tries.saturating_sub(1).min(10));
    let later = Hint {
        tries,
        ids,
        retry_at: Some(tenant.now() + doubled.min(LONGEST_PAUSE)),
        ..hint.value.clone()
    };
    Commit::new()
        .check(&hint.key, Some(hint))
        .put(&hint.key, &later)?
        .try_apply(&tenant.ports)?;
    Ok(())
}

/// Reads a place page by page, newest first, deciding and storing each, until it meets what is known.
async fn read_place(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    since: &Since,
    hint: &Stored<Hint>,
    tally: &Tally,
) -> std::result::Result<(), CallError> {
    let mut reading = Reading::begin(tenant, since, &hint.value)?;
    loop {
        let request = changes::newest(
            &hint.value.product_id,
            &hint.value.store_id,
            reading.page,
            PAGE_ROWS,
        );
        let answer = session.send(&request).await?;
        let rows = changes::decode_of(&answer, &hint.value.product_id, &hint.value.store_id);
        let decided = reading.take_in(tenant, since, &rows)?;
        tally
            .decided
            .set(tally.decided.get().saturating_add(decided));
        if reading.is_done(&rows) {
            return Ok(reading.end(tenant, hint)?);
        }
        reading.next_page(tenant)?;
    }
}

fn refused_place(refusal: &Refusal) -> Reason {
    Reason::new(
        "place-refused",
        format!(
            "スマレジがこの商品・店舗の在庫変動履歴を返しません({}: {})。商品か店舗が削除されていないか確認してください。",
            refusal.code, refusal.message
        ),
        format!(
            "Smaregi does not give the stock history of this product and store ({}: {}). Was one of them deleted?",
            refusal.code, refusal.message
        ),
    )
    .field("productId")
}

#[cfg(test)]
mod tests;
