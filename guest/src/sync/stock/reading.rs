//! One place's history being read page by page, newest first: what is new on a page, when the reading is done, and how far it came.
//! Calls nobody.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    error::Result,
    planted::Planted,
    reason::Reason,
    smaregi::changes::{Change, Unreadable},
    sync::{
        own,
        stock::{
            decide::decide_new,
            ingest::{PAGE_ROWS, Since, postpone},
            records::{ChangeRecord, Descent, Hint, Pair, WHOLE_PLACE, change_key, pair_key},
            trouble,
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// Rows that appear below the newest decided one are found for this long.
const OVERLAP: TimeDelta = TimeDelta::days(1);
/// A row that was named and is still not shown after so many readings is given up.
const MOST_TRIES: u32 = 6;

/// A row as it was read.
pub type Row = std::result::Result<Change, Unreadable>;

/// One place being read.
pub struct Reading {
    store_id: String,
    product_id: String,
    seen: Option<Stored<Pair>>,
    /// Rows older than this are not ours, as long as nothing of the place is decided.
    floor: Option<Moment>,
    /// Rows asked for by name and not met yet.
    wanted: BTreeSet<String>,
    top: Option<(String, Moment)>,
    /// The page to read, from 1.
    pub page: u32,
    /// An earlier call began it: rows may have come above it.
    continued: bool,
    /// Rows whose very id cannot be read were met.
    nameless: bool,
}

impl Reading {
    /// Goes on where an earlier call stopped, or begins with the newest rows.
    pub fn begin(tenant: &Tenant<'_>, since: &Since, hint: &Hint) -> Result<Self> {
        let (store_id, product_id) = (hint.store_id.as_str(), hint.product_id.as_str());
        let seen = store::read::<Pair>(&tenant.ports, &pair_key(store_id, product_id))?;
        let descent = seen.as_ref().and_then(|seen| seen.value.descent.clone());
        let mut wanted = hint.ids.clone();
        let troubles = trouble::of_place(tenant, store_id, product_id)?;
        wanted.extend(troubles.into_iter().map(|trouble| trouble.value.row));
        wanted.retain(|row| row != WHOLE_PLACE && row != trouble::NO_ID);
        // Rows of our own doing have to be met even where the store takes part later.
        let own = own::earliest(tenant, store_id, product_id)?.map(|at| at - OVERLAP);
        let since = since.read_from(store_id);
        Ok(Self {
            store_id: store_id.to_owned(),
            product_id: product_id.to_owned(),
            floor: own.map_or(since, |own| since.map(|since| since.min(own))),
            wanted,
            continued: descent.is_some(),
            nameless: false,
            page: descent.as_ref().map_or(1, |descent| descent.page),
            top: descent.map(|descent| (descent.top, descent.top_at)),
            seen,
        })
    }

    fn through(&self) -> &str {
        self.seen.as_ref().map_or("", |seen| &seen.value.through)
    }

    fn is_below(&self, id: &str) -> bool {
        !own::is_newer(id, self.through())
    }

    /// Whether a row may be new; then its record has the last word. Without a floor the link was never switched on.
    fn may_be_new(&self, change: &Change) -> bool {
        let ours = self.floor.is_some_and(|floor| change.updated_at >= floor);
        let below = self.is_below(&change.id);
        let late = self
            .seen
            .as_ref()
            .is_some_and(|seen| change.updated_at >= seen.value.at - OVERLAP);
        let first = self.through().is_empty();
        (!below && !first) || ours && (!below || late || self.wanted.contains(&change.id))
    }

    /// Decides what is new on a page, and tells what cannot be read.
    pub fn take_in(&mut self, tenant: &Tenant<'_>, since: &Since, rows: &[Row]) -> Result<u32> {
        let readable = || rows.iter().filter_map(|row| row.as_ref().ok());
        let candidates: Vec<&Change> = readable()
            .filter(|change| self.may_be_new(change))
            .collect();
        let keys: Vec<String> = candidates
            .iter()
            .map(|change| change_key(&change.id))
            .collect();
        let known = store::read_all::<ChangeRecord>(&tenant.ports, &keys)?;
        let mut new: Vec<&Change> = candidates
            .into_iter()
            .zip(known)
            .filter(|(_, known)| known.is_none() || Planted::RowCountedTwice.is_on())
            .map(|(change, _)| change)
            .collect();
        new.reverse();
        let decided = decide_new(tenant, since, &self.store_id, &self.product_id, &new)?;
        self.tell_unreadable(tenant, rows)?;
        for change in readable() {
            self.wanted.remove(&change.id);
            let newest = self.top.as_ref();
            if newest.is_none_or(|(top, _)| own::is_newer(&change.id, top)) && !self.continued {
                self.top = Some((change.id.clone(), change.updated_at));
            }
        }
        Ok(decided)
    }

    fn tell_unreadable(&mut self, tenant: &Tenant<'_>, rows: &[Row]) -> Result<()> {
        for row in rows.iter().filter_map(|row| row.as_ref().err()) {
            let id = row.id.as_deref().unwrap_or(trouble::NO_ID);
            self.nameless |= row.id.is_none();
            self.wanted.remove(id);
            let commit = Commit::new();
            let (store_id, product_id) = (&self.store_id, &self.product_id);
            let commit = trouble::tell(tenant, commit, store_id, product_id, id, &row.reason)?;
            if !commit.is_empty() {
                commit.apply(&tenant.ports)?;
            }
        }
        Ok(())
    }

    /// Whether nothing that is not known lies below this page.
    pub fn is_done(&self, rows: &[Row]) -> bool {
        let ids = || {
            rows.iter().filter_map(|row| match row {
                Ok(change) => Some(change.id.as_str()),
                Err(row) => row.id.as_deref(),
            })
        };
        let too_old = |change: &Change| self.floor.is_none_or(|floor| change.updated_at < floor);
        let known = if self.through().is_empty() {
            rows.iter().flatten().any(too_old)
        } else {
            ids().any(|id| self.is_below(id))
        };
        let passed = |wanted: &String| ids().any(|id| !own::is_newer(id, wanted));
        rows.len() < PAGE_ROWS as usize || known && self.wanted.iter().all(passed)
    }

    /// Notes that everything above the next page is decided.
    pub fn next_page(&mut self, tenant: &Tenant<'_>) -> Result<()> {
        self.page = self.page.saturating_add(1);
        let Some((top, top_at)) = self.top.clone() else {
            return Ok(());
        };
        let descent = Descent {
            top,
            top_at,
            page: self.page,
        };
        let pair = Pair {
            through: self.through().to_owned(),
            at: self
                .seen
                .as_ref()
                .map_or(descent.top_at, |seen| seen.value.at),
            descent: Some(descent),
        };
        self.write(tenant, &pair)
    }

    fn write(&mut self, tenant: &Tenant<'_>, pair: &Pair) -> Result<()> {
        let key = pair_key(&self.store_id, &self.product_id);
        Commit::new()
            .check(&key, self.seen.as_ref())
            .put(&key, pair)?
            .apply(&tenant.ports)?;
        self.seen = store::read::<Pair>(&tenant.ports, &key)?;
        Ok(())
    }

    /// Everything down to what was known is decided: the hint goes, unless the place was hinted at again meanwhile.
    pub fn end(mut self, tenant: &Tenant<'_>, hint: &Stored<Hint>) -> Result<()> {
        if let Some((top, at)) = self.top.clone() {
            let pair = if self.is_below(&top) {
                // Nothing above what was known.
                self.seen.as_ref().map(|seen| Pair {
                    descent: None,
                    ..seen.value.clone()
                })
            } else {
                Some(Pair {
                    through: top,
                    at,
                    descent: None,
                })
            };
            let changed =
                pair.filter(|pair| self.seen.as_ref().map(|seen| &seen.value) != Some(pair));
            if let Some(pair) = changed {
                self.write(tenant, &pair)?;
            }
        }
        if self.continued {
            // What came above it since is read from the top: written once more, it is to be read now.
            return replace(tenant, hint, &hint.value);
        }
        self.settle(tenant, hint)
    }

    fn settle(self, tenant: &Tenant<'_>, hint: &Stored<Hint>) -> Result<()> {
        let (store_id, product_id) = (self.store_id.as_str(), self.product_id.as_str());
        let wanted: BTreeSet<String> = self.wanted.intersection(&hint.value.ids).cloned().collect();
        let missing = unknown(tenant, wanted)?;
        if !missing.is_empty() && hint.value.tries < MOST_TRIES {
            return postpone(tenant, hint, missing);
        }
        let mut commit = Commit::new().check(&hint.key, Some(hint)).delete(&hint.key);
        for row in &missing {
            commit = trouble::mention(tenant, commit, store_id, product_id, row, &not_shown(row))?;
        }
        commit = trouble::is_well(commit, store_id, product_id, WHOLE_PLACE);
        if !self.nameless {
            commit = trouble::is_well(commit, store_id, product_id, trouble::NO_ID);
        }
        if commit.try_apply(&tenant.ports)? {
            give_up_own(tenant, store_id, product_id)?;
        }
        Ok(())
    }
}

fn replace(tenant: &Tenant<'_>, hint: &Stored<Hint>, with: &Hint) -> Result<()> {
    Commit::new()
        .check(&hint.key, Some(hint))
        .put(&hint.key, with)?
        .try_apply(&tenant.ports)?;
    Ok(())
}

/// Those of these rows that have no record.
fn unknown(tenant: &Tenant<'_>, rows: BTreeSet<String>) -> Result<BTreeSet<String>> {
    let keys: Vec<String> = rows.iter().map(|id| change_key(id)).collect();
    let known = store::read_all::<ChangeRecord>(&tenant.ports, &keys)?;
    let pairs = rows.into_iter().zip(known);
    Ok(pairs
        .filter(|(_, known)| known.is_none())
        .map(|(id, _)| id)
        .collect())
}

/// After a whole reading: rows of our own that did not come will not come, unless some still wait for a decision.
fn give_up_own(tenant: &Tenant<'_>, store_id: &str, product_id: &str) -> Result<()> {
    let prefix = format!("stock/waiting/{store_id}/{product_id}/");
    if !store::list::<serde_json::Value>(&tenant.ports, &prefix, 1)?.is_empty() {
        return Ok(());
    }
    let pieces = own::give_up(tenant, store_id, product_id)?;
    if pieces == 0 {
        return Ok(());
    }
    let reason = rows_missing(pieces);
    trouble::mention(tenant, Commit::new(), store_id, product_id, "own", &reason)?
        .apply(&tenant.ports)
}

fn not_shown(row: &str) -> Reason {
    Reason::new(
        "row-not-shown",
        "通知された在庫変動が履歴に現れません。在庫照合で確かめてください。",
        "A movement that Smaregi announced does not appear in its history. Compare the stock.",
    )
    .field("id")
    .value(row)
}

fn rows_missing(pieces: i64) -> Reason {
    Reason::new(
        "own-row-missing",
        "この連携の登録による在庫変動が1日たっても履歴に現れません。スマレジの動きを調べ直します。在庫照合で確かめてください。",
        "The movement of our own registration did not appear within a day. What Smaregi does is found out again; compare the stock.",
    )
    .field("amount")
    .value(pieces.to_string())
}
