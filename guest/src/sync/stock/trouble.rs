//! What keeps rows of Smaregi's history from being counted: told once in the send history, kept until it is mended, and looked at
//! again every day. Decides nothing.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    reason::Reason,
    sync::{
        own,
        stock::{
            intake::{self, Place},
            records::{SentIndex, TROUBLES, sent_key, trouble_key},
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// The row whose id cannot be read.
pub const NO_ID: &str = "no-id";
/// Between two looks at what is in trouble or overdue.
const SWEEP: TimeDelta = TimeDelta::days(1);
/// Places looked at again in one sweep, because each costs a request.
const PLACES: usize = 50;
const SWEPT_KEY: &str = "stock/swept-at";

/// What is wrong with a row, or with a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The row's id, [`NO_ID`], or the whole place.
    pub row: String,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Moment,
}

/// Everything wrong at a place.
pub fn of_place(
    tenant: &Tenant<'_>,
    store_id: &str,
    product_id: &str,
) -> Result<Vec<Stored<Trouble>>> {
    store::list(
        &tenant.ports,
        &format!("{TROUBLES}{store_id}/{product_id}/"),
        1_000,
    )
}

/// Every trouble: its store, its product, and why.
pub fn all(tenant: &Tenant<'_>) -> Result<Vec<(String, String, Reason)>> {
    let troubles: Vec<Stored<Trouble>> = store::list_all(&tenant.ports, TROUBLES)?;
    let placed = troubles.into_iter().filter_map(|trouble| {
        let (store_id, rest) = trouble.key.strip_prefix(TROUBLES)?.split_once('/')?;
        let (product_id, _) = rest.split_once('/')?;
        let (store_id, product_id) = (store_id.to_owned(), product_id.to_owned());
        Some((store_id, product_id, trouble.value.reason))
    });
    Ok(placed.collect())
}

/// Tells what keeps a row, or with [`super::records::WHOLE_PLACE`] a place, from being counted; the same again is not told twice.
pub fn tell(
    tenant: &Tenant<'_>,
    commit: Commit,
    store_id: &str,
    product_id: &str,
    row: &str,
    reason: &Reason,
) -> Result<Commit> {
    let key = trouble_key(store_id, product_id, row);
    let seen = store::read::<Trouble>(&tenant.ports, &key)?;
    if seen
        .as_ref()
        .is_some_and(|seen| seen.value.reason == *reason)
    {
        return Ok(commit);
    }
    let trouble = Trouble {
        row: row.to_owned(),
        reason: reason.clone(),
        since: tenant.now(),
    };
    mention(
        tenant,
        commit.put(&key, &trouble)?,
        store_id,
        product_id,
        row,
        reason,
    )
}

/// Writes an entry of the send history about a place.
pub fn mention(
    tenant: &Tenant<'_>,
    commit: Commit,
    store_id: &str,
    product_id: &str,
    row: &str,
    reason: &Reason,
) -> Result<Commit> {
    let entry = SentIndex::Unreadable {
        product_id: product_id.to_owned(),
        store_id: store_id.to_owned(),
        reason: reason.clone(),
    };
    commit.put(
        &sent_key(tenant.now(), &format!("x{store_id}-{product_id}-{row}")),
        &entry,
    )
}

/// A row, or the place, can be read.
pub fn is_well(commit: Commit, store_id: &str, product_id: &str, row: &str) -> Commit {
    commit.delete(&trouble_key(store_id, product_id, row))
}

/// When places in trouble are looked at again.
pub fn sweep_due(tenant: &Tenant<'_>) -> Result<Moment> {
    let last = store::read::<Moment>(&tenant.ports, SWEPT_KEY)?;
    Ok(last.map_or(tenant.now(), |last| last.value + SWEEP))
}

/// Notes the places that are in trouble, and those where rows of our own are overdue.
pub fn sweep(tenant: &Tenant<'_>) -> Result<()> {
    if sweep_due(tenant)? > tenant.now() {
        return Ok(());
    }
    let mut places: Vec<(String, String)> = all(tenant)?
        .into_iter()
        .map(|(store_id, product_id, _)| (store_id, product_id))
        .collect();
    places.dedup();
    places.truncate(PLACES);
    places.extend(own::overdue(tenant, PLACES)?);
    let places: Vec<Place> = places
        .iter()
        .map(|(store_id, product_id)| Place::new(store_id, product_id))
        .collect();
    intake::note(tenant, &places, None)?;
    Commit::new()
        .put(SWEPT_KEY, &tenant.now())?
        .apply(&tenant.ports)
}
