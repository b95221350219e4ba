//! Our marks in Next Engine's movement history: reading them, matching a batch's rows with them, and looking an attempt up once more
//! before its product is sent again. Uploads nothing.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::{
    error::Result,
    next_engine::movements::{self, Movement},
    planted::Planted,
    sync::{
        daily::{self, Days},
        next_engine_session::NextEngine,
        stock::{
            batch::{self, Candidate},
            reasons,
            records::{
                Batch, BatchRow, Held, Out, RowResult, Tried, batch_key, held_key, tried_key,
            },
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

const MOVEMENTS_PER_PAGE: u32 = 1_000;
/// Marks looked up before one batch; each is a billed call. The rest has its turn with the next one.
const MOST_MARKS: usize = 10;
/// Products that are asked for by themselves with one reading.
const MOST_CLOSER: usize = 10;

/// The movements with one mark.
#[derive(Debug, Default)]
pub struct Reading {
    by_code: BTreeMap<String, Vec<Movement>>,
    /// Some were not reached, or do not say of which product they are: what is missing may be among them.
    incomplete: bool,
    /// Products that were asked for by themselves: what is missing of these is not there.
    asked: BTreeSet<String>,
}

impl Reading {
    /// Whether there is no trace of the mark.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty() && !self.incomplete
    }

    /// Whether movements of this product may be there though none was found.
    pub fn is_unclear(&self, code: &str) -> bool {
        self.incomplete && !self.by_code.contains_key(code) && !self.asked.contains(code)
    }

    /// Asks for the unclear ones of these products, each by itself: so one bad row holds back nobody but itself. Each is a billed call,
    /// hence only some.
    pub async fn look_closer(
        &mut self,
        next_engine: &mut NextEngine<'_>,
        mark: &str,
        codes: impl Iterator<Item = &str>,
    ) -> Result<()> {
        let unclear: Vec<&str> = codes.filter(|code| self.is_unclear(code)).collect();
        for code in unclear.into_iter().take(MOST_CLOSER) {
            let call = movements::of_product(mark, code, MOVEMENTS_PER_PAGE);
            let Some(found) = movements::decode_of(&next_engine.send(call).await?, code) else {
                continue;
            };
            self.asked.insert(code.to_owned());
            if !found.is_empty() {
                self.by_code.insert(code.to_owned(), found);
            }
        }
        Ok(())
    }

    /// What a row's movements say; `None` when it has none.
    pub fn result(&self, row: &BatchRow) -> Option<RowResult> {
        let found = self.by_code.get(&row.code)?;
        let moved = found
            .iter()
            .try_fold(Decimal::ZERO, |sum, movement| {
                Some(sum.saturating_add(movement.after?.saturating_sub(movement.before?)))
            })
            .unwrap_or_else(|| Decimal::from(row.quantity));
        let right = found.len() == 1 && moved == Decimal::from(row.quantity);
        Some(RowResult::Applied {
            before: found.first().and_then(|movement| movement.before),
            after: found.last().and_then(|movement| movement.after),
            doubt: (!right).then(|| reasons::doubtful(&row.code, found.len(), moved, row.quantity)),
        })
    }
}

/// Every movement with a mark.
pub async fn read(next_engine: &mut NextEngine<'_>, mark: &str) -> Result<Reading> {
    let mut reading = Reading::default();
    let mut last: Option<String> = None;
    loop {
        let call = movements::by_reason(mark, last.as_deref(), MOVEMENTS_PER_PAGE);
        let rows = movements::decode(&next_engine.send(call).await?);
        let full = rows.len() >= MOVEMENTS_PER_PAGE as usize;
        let mut newest = None;
        for row in rows {
            match row {
                Ok(movement) => {
                    newest = movement.id.clone();
                    let same = reading.by_code.entry(movement.code.clone()).or_default();
                    same.push(movement);
                }
                Err(_) => reading.incomplete = true,
            }
        }
        if !full {
            return Ok(reading);
        }
        if newest.is_none() {
            reading.incomplete = true;
            return Ok(reading);
        }
        last = newest;
    }
}

/// Marks the rows that were applied; returns how many there were.
pub fn match_rows(rows: &mut [BatchRow], reading: &Reading, now: Moment) -> u32 {
    let mut applied = 0u32;
    for row in rows
        .iter_mut()
        .filter(|row| row.result == RowResult::Pending)
    {
        if let Some(result) = reading.result(row) {
            row.result = result;
            row.changed_at = now;
            applied = applied.saturating_add(1);
        }
    }
    applied
}

/// A candidate with its open attempt, if there is one that was looked up just now.
pub struct Checked {
    /// The product.
    pub candidate: Candidate,
    /// Left no movement up to now; done with once the product is in another batch.
    pub tried: Option<Stored<Tried>>,
}

/// Looks the candidates' open attempts up once more. What was applied after all is settled; what was kept apart goes back into the
/// difference. Candidates whose attempt could not be looked up are left out.
pub async fn recheck(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    candidates: Vec<Candidate>,
) -> Result<Vec<Checked>> {
    let keys: Vec<String> = candidates
        .iter()
        .map(|candidate| tried_key(&candidate.out.value.product_id))
        .collect();
    let mut tried = store::read_all::<Tried>(&tenant.ports, &keys)?;
    if Planted::MarkNotLookedFor.is_on() {
        tried.iter_mut().for_each(|tried| *tried = None);
    }
    let mut read_so_far: BTreeMap<String, Reading> = BTreeMap::new();
    let mut checked = Vec::new();
    for (candidate, tried) in candidates.into_iter().zip(tried) {
        let Some(tried) = tried else {
            let tried = None;
            checked.push(Checked { candidate, tried });
            continue;
        };
        let mark = &tried.value.mark;
        if !read_so_far.contains_key(mark) {
            if read_so_far.len() >= MOST_MARKS {
                continue;
            }
            let reading = read(next_engine, mark).await?;
            read_so_far.insert(mark.clone(), reading);
        }
        if let Some(reading) = read_so_far.get_mut(mark) {
            let code = std::iter::once(tried.value.sent.code.as_str());
            reading.look_closer(next_engine, mark, code).await?;
            checked.extend(look_again(next_engine, tenant, candidate, tried, reading)?);
        }
    }
    Ok(checked)
}

fn look_again(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    candidate: Candidate,
    tried: Stored<Tried>,
    reading: &Reading,
) -> Result<Option<Checked>> {
    let result = reading.result(&tried.value.sent);
    if result.is_none() && reading.is_unclear(&tried.value.sent.code) {
        return Ok(None);
    }
    if result.is_none() && !tried.value.apart {
        let tried = Some(tried);
        return Ok(Some(Checked { candidate, tried }));
    }
    let mut out = candidate.out.value.clone();
    let mut commit = Commit::new().fence(next_engine.fence());
    let stays = result.is_none();
    let clean = matches!(&result, Some(RowResult::Applied { doubt: None, .. }));
    match result {
        Some(result) => {
            if !tried.value.apart {
                out.quantity = out.quantity.saturating_sub(tried.value.sent.quantity);
            }
            commit = applied(tenant, commit, &tried, result)?;
        }
        None => {
            out.take_back(&tried.value.sent);
            let mut returned = tried.value.clone();
            returned.apart = false;
            commit = commit
                .check(&tried.key, Some(&tried))
                .put(&tried.key, &returned)?;
        }
    }
    put_out(commit, &candidate, &out, clean)?.apply(&tenant.ports)?;
    reread(tenant, &candidate, stays)
}

/// Writes a product's difference; one that is settled and zero is gone, with its hold.
fn put_out(commit: Commit, candidate: &Candidate, out: &Out, settled: bool) -> Result<Commit> {
    let key = &candidate.out.key;
    let commit = commit.check(key, Some(&candidate.out));
    if settled && out.quantity == 0 {
        Ok(commit.delete(key))
    } else {
        commit.put(key, out)
    }
}

/// The candidate as it stands now; none when nothing is left, or a person has to look first.
fn reread(
    tenant: &Tenant<'_>,
    candidate: &Candidate,
    tried_stays: bool,
) -> Result<Option<Checked>> {
    let product_id = &candidate.out.value.product_id;
    let Some(out) = store::read::<Out>(&tenant.ports, &candidate.out.key)? else {
        return Ok(None);
    };
    let held = store::read::<Held>(&tenant.ports, &held_key(product_id))?;
    if held.as_ref().is_some_and(|held| held.value.needs_person) {
        return Ok(None);
    }
    let tried = if tried_stays {
        store::read::<Tried>(&tenant.ports, &tried_key(product_id))?
    } else {
        None
    };
    let candidate = Candidate { out, held };
    Ok(Some(Checked { candidate, tried }))
}

/// An attempt that was applied after all: settled in its batch, and out of the way.
fn applied(
    tenant: &Tenant<'_>,
    commit: Commit,
    tried: &Stored<Tried>,
    result: RowResult,
) -> Result<Commit> {
    let held = held_key(&tried.value.sent.product_id);
    let mut commit = commit.check(&tried.key, Some(tried)).delete(&tried.key);
    commit = match &result {
        RowResult::Applied {
            doubt: Some(doubt), ..
        } => commit.put(
            &held,
            &batch::person(tenant, doubt.clone(), &tried.value.sent.code),
        )?,
        _ => commit.delete(&held),
    };
    let key = batch_key(tried.value.batch);
    let (stored, days) = store::read_two::<Batch, Days>(&tenant.ports, &key, daily::STOCK_KEY)?;
    let Some(seen) = stored else {
        return Ok(commit);
    };
    let mut batch = seen.value.clone();
    if let Some(row) = batch.rows.get_mut(tried.value.row) {
        row.result = result;
        row.changed_at = tenant.now();
    }
    batch.changed_at = tenant.now();
    let commit = batch::count(tenant, commit, &seen.value, &batch, days.as_ref())?;
    batch::put(commit, &seen, &batch)
}
