//! Reading Smaregi's change history where something moved, and deciding each row once. Sends nothing to Next Engine.

use futures_util::{StreamExt, stream};

use crate::{
    error::{Error, Result},
    reason::Reason,
    rules::stock_decision::{self, Claim, Decision, Movement},
    smaregi::changes::{self, Change},
    sync::{
        own,
        smaregi_session::Smaregi,
        stock::records::{
            ChangeRecord, Decided, Held, Hint, Origin, Out, Pair, SentIndex, Unsent, change_key,
            held_key, out_key, pair_key, sent_key, unsent_key, waiting_key,
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::{self, Moment},
};

const PAGE_ROWS: u32 = 100;
/// Rows decided in one commit: each may write a record, an index entry and an undecided mark.
const ROWS_PER_COMMIT: usize = 300;
/// Places read at one go.
const HINTS_AT_ONCE: u32 = 500;

/// Since when rows of a store are sent: the link's baseline, or when the store was chosen, if later.
pub struct Since {
    /// The link's baseline.
    pub baseline: Option<Moment>,
    /// By chosen store.
    pub stores: Vec<(String, Moment)>,
}

impl Since {
    fn of(&self, store_id: &str) -> Option<Moment> {
        let chosen = self
            .stores
            .iter()
            .find(|(id, _)| id == store_id)
            .map(|(_, since)| *since);
        // Smaregi dates its rows by the second: one of the second of the beginning is taken to come after it. Taken for older,
        // a row of our own sale would leave its entry behind, which would later swallow somebody else's.
        self.baseline.max(chosen).map(time::second)
    }
}

/// Notes which stores take part since when: a store chosen today brings no history of its own.
pub fn follow_stores(tenant: &Tenant<'_>, baseline: Option<Moment>) -> Result<Since> {
    const PREFIX: &str = "stock/store/";
    let known: Vec<Stored<Moment>> = store::list_all(&tenant.ports, PREFIX)?;
    let chosen = &tenant.settings.stock.stores;
    let mut commit = Commit::new();
    let mut stores = Vec::new();
    for gone in known
        .iter()
        .filter(|known| !chosen.iter().any(|id| known.key == format!("{PREFIX}{id}")))
    {
        commit = commit.delete(&gone.key);
    }
    let first = known.is_empty();
    for id in chosen {
        let key = format!("{PREFIX}{id}");
        let since = match known.iter().find(|known| known.key == key) {
            Some(known) => known.value,
            None => {
                let since = baseline.filter(|_| first).unwrap_or_else(|| tenant.now());
                commit = commit.put(&key, &since)?;
                if !first {
                    commit = forget_entries(tenant, id, commit)?;
                }
                since
            }
        };
        stores.push((id.clone(), since));
    }
    if !commit.is_empty() {
        commit.apply(&tenant.ports)?;
    }
    Ok(Since { baseline, stores })
}

/// Entries of ours whose rows are older than the store's part in this: no row will consume them any more.
fn forget_entries(tenant: &Tenant<'_>, store_id: &str, mut commit: Commit) -> Result<Commit> {
    for entry in store::list::<own::Entry>(&tenant.ports, &own::store_prefix(store_id), 1_000)? {
        if entry.value.due {
            commit = commit.delete(&entry.key);
        }
    }
    Ok(commit)
}

/// Reads the history of every place hinted at, several at a time, and decides what is new. Returns how many rows were decided.
pub async fn read_hints(session: &Smaregi<'_>, tenant: &Tenant<'_>, since: &Since) -> Result<u32> {
    let mut decided = 0u32;
    loop {
        let hints: Vec<Stored<Hint>> = store::list(&tenant.ports, "stock/hint/", HINTS_AT_ONCE)?;
        if hints.is_empty() {
            return Ok(decided);
        }
        let mut reads = stream::iter(hints)
            .map(
                |hint| async move { (read_place(session, tenant, since, &hint.value).await, hint) },
            )
            .buffer_unordered(session.parallel());
        let mut failure = None;
        while let Some((rows, hint)) = reads.next().await {
            match rows.and_then(|rows| decide_rows(tenant, since, &hint, rows)) {
                Ok(count) => decided = decided.saturating_add(count),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(error) = failure {
            return if decided > 0 && error == Error::BudgetSpent {
                Ok(decided)
            } else {
                Err(error)
            };
        }
    }
}

type Rows = Vec<std::result::Result<Change, Reason>>;

/// The rows of a place that have no record yet, oldest first.
async fn read_place(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    since: &Since,
    hint: &Hint,
) -> Result<Rows> {
    let pair = store::read::<Pair>(&tenant.ports, &pair_key(&hint.store_id, &hint.product_id))?;
    let limit = since.of(&hint.store_id);
    let known = |change: &Change| {
        let decided = pair
            .as_ref()
            .is_some_and(|pair| !own::is_newer(&change.id, &pair.value.through));
        // Without a limit the link was never switched on: nothing is ours to decide.
        decided || pair.is_none() && limit.is_none_or(|limit| change.updated_at < limit)
    };
    let mut rows = Rows::new();
    for page in 1u32.. {
        let answer = session
            .send(&changes::newest(
                &hint.product_id,
                &hint.store_id,
                page,
                PAGE_ROWS,
            ))
            .await?;
        let read = changes::decode(&answer);
        let full = read.len() >= PAGE_ROWS as usize;
        let reached = read.iter().flatten().any(known);
        rows.extend(
            read.into_iter()
                .filter(|row| row.as_ref().map_or(true, |change| !known(change))),
        );
        if reached || !full {
            break;
        }
    }
    rows.reverse();
    // New rows may have shifted older ones onto a second page.
    let mut seen = std::collections::HashSet::new();
    rows.retain(|row| {
        row.as_ref()
            .map_or(true, |change| seen.insert(change.id.clone()))
    });
    Ok(rows)
}

/// Decides a place's new rows and removes its hint, unless it was hinted at again meanwhile.
fn decide_rows(tenant: &Tenant<'_>, since: &Since, hint: &Stored<Hint>, rows: Rows) -> Result<u32> {
    let Hint {
        store_id,
        product_id,
        ..
    } = &hint.value;
    let mut decided = 0u32;
    for chunk in rows.chunks(ROWS_PER_COMMIT) {
        let mut changes = Vec::new();
        let mut commit = Commit::new();
        for (index, row) in chunk.iter().enumerate() {
            match row {
                Ok(change) => changes.push(record(tenant, change)?),
                Err(reason) => commit = unreadable(commit, tenant, &hint.value, index, reason)?,
            }
        }
        decided = decided.saturating_add(u32::try_from(changes.len()).unwrap_or(u32::MAX));
        let key = pair_key(store_id, product_id);
        let seen = store::read::<Pair>(&tenant.ports, &key)?;
        changes.retain(|change| {
            seen.as_ref()
                .is_none_or(|pair| own::is_newer(&change.id, &pair.value.through))
        });
        if let Some(newest) = changes.last() {
            let pair = Pair {
                through: newest.id.clone(),
                at: newest.at,
            };
            commit = commit.check(&key, seen.as_ref()).put(&key, &pair)?;
        }
        commit = decide(tenant, since, store_id, product_id, changes, commit)?;
        commit.apply(&tenant.ports)?;
    }
    // A conflict means a new delivery for the same place: the hint stays, and the place is read again.
    Commit::new()
        .check_revision(&hint.key, Some(hint.revision))
        .delete(&hint.key)
        .try_apply(&tenant.ports)?;
    Ok(decided)
}

fn record(tenant: &Tenant<'_>, change: &Change) -> Result<ChangeRecord> {
    let marked = change.memo.as_deref().is_some_and(own::is_mark);
    let moved =
        !marked && store::read::<bool>(&tenant.ports, &own::moved_key(&change.id))?.is_some();
    Ok(ChangeRecord {
        id: change.id.clone(),
        store_id: change.store_id.clone(),
        product_id: change.product_id.clone(),
        amount: change.amount,
        division: change.division.clone(),
        at: change.updated_at,
        marked_ours: marked || moved,
        decided: Decided::Waiting,
    })
}

fn unreadable(
    commit: Commit,
    tenant: &Tenant<'_>,
    hint: &Hint,
    index: usize,
    reason: &Reason,
) -> Result<Commit> {
    let Hint {
        store_id,
        product_id,
        ..
    } = hint;
    let key = sent_key(tenant.now(), &format!("x{store_id}-{product_id}-{index}"));
    let (product_id, store_id) = (product_id.clone(), store_id.clone());
    commit.put(
        &key,
        &SentIndex::Unreadable {
            product_id,
            store_id,
            reason: reason.clone(),
        },
    )
}

/// Looks again at rows that could have been our own. Call after anything that settles that question.
pub fn decide_waiting(tenant: &Tenant<'_>, since: &Since) -> Result<u32> {
    let waiting: Vec<Stored<(String, String, String)>> =
        store::list_all(&tenant.ports, "stock/waiting/")?;
    let mut decided = 0u32;
    for place in waiting.chunk_by(|a, b| (&a.value.0, &a.value.1) == (&b.value.0, &b.value.1)) {
        for rows in place.chunks(ROWS_PER_COMMIT) {
            let Some((store_id, product_id, _)) = rows.first().map(|row| &row.value) else {
                continue;
            };
            let keys: Vec<String> = rows.iter().map(|row| change_key(&row.value.2)).collect();
            let stored: Vec<Stored<ChangeRecord>> = store::read_all(&tenant.ports, &keys)?
                .into_iter()
                .flatten()
                .collect();
            let before = stored.len();
            let mut commit = Commit::new();
            for row in rows {
                commit = commit.check(&row.key, Some(row));
            }
            let changes = stored.into_iter().map(|record| record.value).collect();
            let commit = decide(tenant, since, store_id, product_id, changes, commit)?;
            if !commit.is_empty() && commit.try_apply(&tenant.ports)? {
                let left = store::list::<(String, String, String)>(
                    &tenant.ports,
                    &format!("stock/waiting/{store_id}/{product_id}/"),
                    HINTS_AT_ONCE,
                )?;
                decided = decided
                    .saturating_add(u32::try_from(before.saturating_sub(left.len())).unwrap_or(0));
            }
        }
    }
    Ok(decided)
}

/// Decides rows of one place: their records, the product's difference, our own entries they consume.
fn decide(
    tenant: &Tenant<'_>,
    since: &Since,
    store_id: &str,
    product_id: &str,
    changes: Vec<ChangeRecord>,
    mut commit: Commit,
) -> Result<Commit> {
    if changes.is_empty() {
        return Ok(commit);
    }
    let mut place = Place::read(tenant, store_id, product_id)?;
    for mut change in changes {
        let movement = Movement {
            store_id,
            amount: change.amount,
            division: &change.division,
            at: change.at,
            marked_ours: change.marked_ours,
        };
        let outcome = stock_decision::decide(
            &movement,
            since.of(store_id),
            &tenant.settings.stock,
            &place.claims,
        );
        place.consume(&outcome.taken);
        let waiting = waiting_key(store_id, product_id, &change.id);
        commit = match &outcome.decision {
            Decision::Wait => commit.put(&waiting, &(store_id, product_id, &change.id))?,
            _ => commit.delete(&waiting),
        };
        change.decided = match outcome.decision {
            Decision::Wait => Decided::Waiting,
            Decision::Send(quantity, trigger) => {
                place
                    .out
                    .add(quantity, Origin::Trigger(trigger), store_id, &change.id);
                place.touched = true;
                Decided::Queued(quantity)
            }
            Decision::Not(reason) => {
                place.keep_back(&change, &reason);
                let key = sent_key(tenant.now(), &format!("c{:0>20}", change.id));
                commit = commit.put(&key, &SentIndex::Change(change.id.clone()))?;
                Decided::Not(reason)
            }
        };
        commit = commit.put(&change_key(&change.id), &change)?;
    }
    place.write(commit)
}

/// What one product in one store brings to a decision.
struct Place {
    entries: Vec<Stored<own::Entry>>,
    claims: Vec<Claim>,
    out_revision: Option<u64>,
    out: Out,
    touched: bool,
    unsent_revision: Option<u64>,
    unsent: Unsent,
    kept_back: bool,
    short_of_stock: bool,
}

impl Place {
    fn read(tenant: &Tenant<'_>, store_id: &str, product_id: &str) -> Result<Self> {
        let effects = own::effects(tenant)?;
        let entries: Vec<Stored<own::Entry>> =
            store::list_all(&tenant.ports, &own::prefix(store_id, product_id))?;
        let claims = entries
            .iter()
            .map(|entry| claim(&entry.value, effects.get(&entry.value.kind)))
            .collect();
        let out = store::read::<Out>(&tenant.ports, &out_key(product_id))?;
        let unsent = store::read::<Unsent>(&tenant.ports, &unsent_key(product_id))?;
        let held = store::read::<Held>(&tenant.ports, &held_key(product_id))?;
        Ok(Self {
            entries,
            claims,
            out_revision: out.as_ref().map(|out| out.revision),
            out: out.map_or_else(|| Out::new(product_id, tenant.now()), |out| out.value),
            touched: false,
            unsent_revision: unsent.as_ref().map(|unsent| unsent.revision),
            unsent: unsent.map(|unsent| unsent.value).unwrap_or_default(),
            kept_back: false,
            short_of_stock: held.is_some_and(|held| {
                held.value.reason.code == "free-stock" && !held.value.needs_person
            }),
        })
    }

    fn consume(&mut self, taken: &[i64]) {
        for (claim, taken) in self.claims.iter_mut().zip(taken) {
            claim.remaining = claim.remaining.saturating_sub(*taken);
        }
    }

    /// Counts what the comparison has to explain: movements of the chosen stores that settings keep from being sent.
    fn keep_back(&mut self, change: &ChangeRecord, reason: &Reason) {
        let explains =
            ["trigger-off", "promised-only", "unknown-division"].contains(&reason.code.as_str());
        if let (true, Some(amount)) = (explains, crate::money::whole(change.amount)) {
            let sum = self.unsent.entry(reason.code.clone()).or_default();
            *sum = sum.saturating_add(amount);
            self.kept_back = true;
        }
    }

    fn write(self, mut commit: Commit) -> Result<Commit> {
        let product = self.out.product_id.clone();
        if self.touched {
            let key = out_key(&product);
            commit = commit
                .check_revision(&key, self.out_revision)
                .put(&key, &self.out)?;
            if self.short_of_stock {
                // Another difference may fit into the free stock that the last one did not.
                commit = commit.delete(&held_key(&product));
            }
        }
        if self.kept_back {
            let key = unsent_key(&product);
            commit = commit
                .check_revision(&key, self.unsent_revision)
                .put(&key, &self.unsent)?;
        }
        for (entry, claim) in self.entries.into_iter().zip(self.claims) {
            // Also entries that no row consumed are checked: an outcome that became known meanwhile changes the decision.
            commit = commit.check(&entry.key, Some(&entry));
            commit = match claim.remaining {
                0 => commit.delete(&entry.key),
                same if same == entry.value.remaining => commit,
                remaining => commit.put(
                    &entry.key,
                    &own::Entry {
                        remaining,
                        ..entry.value
                    },
                )?,
            };
        }
        Ok(commit)
    }
}

fn claim(entry: &own::Entry, effect: Option<&own::Effect>) -> Claim {
    let (remaining, division) = match effect {
        None => (entry.remaining, None),
        Some(own::Effect::Moves { division }) => (entry.remaining, Some(division.clone())),
        // It leaves stock alone: no row will come, whatever becomes of it.
        Some(own::Effect::Nothing) => (0, Some(String::new())),
    };
    Claim {
        remaining,
        due: entry.due,
        division,
    }
}
