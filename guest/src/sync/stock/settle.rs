//! Settling a batch: what was applied leaves the ledger, what was not goes back, and what may have been is kept apart for a person. Asks
//! nobody; the evidence was read before.

use chrono::TimeDelta;

use crate::{
    error::Result,
    reason::Reason,
    rules::upload_outcome::{Evidence, Upload, Verdict, judge},
    sync::{
        daily,
        next_engine_session::NextEngine,
        report,
        stock::{
            batch::{self, MOST_OPERATIONS, MOST_ROWS, give_back, keep_waiting, person},
            reasons,
            records::{
                BOOK_KEY, Batch, BatchRow, BatchState, Held, OPEN_BATCH_KEY, RowResult, Tried,
                held_key, tried_key,
            },
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

/// Rows that were refused for another's sake are sent again after this.
const INNOCENT_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// What giving a row back checks and writes, and what keeping one apart does that was booked otherwise than sent.
const OPERATIONS_BACK: usize = 4;
const OPERATIONS_APART: usize = 3;

/// Settles the rows; `evidence` is of those without a movement, in their order. Returns how many were given back. Where it is more than
/// one commit takes, some are given back and the batch stays open for the rest.
pub fn settle(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: &Stored<Batch>,
    mut batch: Batch,
    evidence: &[Evidence],
) -> Result<u32> {
    let (upload, missing) = (upload(&batch), missing(&batch));
    let (verdicts, halve) = judge(evidence, upload, missing);
    let halve = halve && batch.rows.iter().all(is_innocent);
    let mut verdicts = verdicts.into_iter();
    let mut commit = Commit::new().fence(next_engine.fence());
    let mut returned = 0usize;
    let (most, is_last) = turn(&batch);
    let mut rows = std::mem::take(&mut batch.rows);
    for (index, row) in rows.iter_mut().enumerate() {
        match &row.result {
            RowResult::Applied {
                doubt: Some(doubt), ..
            } if is_last => {
                let hold = person(tenant, doubt.clone(), &row.code);
                commit =
                    keep_waiting(tenant, commit, row)?.put(&held_key(&row.product_id), &hold)?;
            }
            RowResult::Pending if returned < most => {
                let verdict = verdicts.next().unwrap_or(Verdict::Unclear);
                commit = put_back(tenant, commit, &batch, index, row, verdict)?;
                returned = returned.saturating_add(1);
            }
            _ => {}
        }
    }
    batch.rows = rows;
    let size = |most: usize| match (halve, upload) {
        (true, _) => (missing / 2).max(1),
        (false, Upload::AppliedInPart) => most.saturating_mul(2).min(MOST_ROWS),
        (false, _) => most,
    };
    if is_last {
        close(tenant, commit, seen, batch, missing > 0, size)?;
    } else {
        keep_open(tenant, commit, seen, &batch)?;
    }
    Ok(report::count(returned))
}

/// What is known of the upload as a whole.
fn upload(batch: &Batch) -> Upload {
    let is_applied = |row: &BatchRow| matches!(row.result, RowResult::Applied { .. });
    match &batch.queue_id {
        _ if batch.rows.iter().any(is_applied) => Upload::AppliedInPart,
        Some(_) => Upload::Taken,
        None => Upload::Unknown,
    }
}

/// How many rows left no movement, given back or not yet.
fn missing(batch: &Batch) -> usize {
    let is_missing =
        |row: &&BatchRow| matches!(row.result, RowResult::Pending | RowResult::Returned(_));
    batch.rows.iter().filter(is_missing).count()
}

/// Whether a row was not given back for its own sake.
fn is_innocent(row: &BatchRow) -> bool {
    match &row.result {
        RowResult::Returned(reason) => reason.code == reasons::BATCH_REFUSED,
        _ => true,
    }
}

/// How many rows are given back in one commit, and whether that settles the batch.
fn turn(batch: &Batch) -> (usize, bool) {
    let count = |is: fn(&BatchRow) -> bool| batch.rows.iter().filter(|row| is(row)).count();
    let apart = count(|row| matches!(row.result, RowResult::Applied { doubt: Some(_), .. }));
    let pending = count(|row| row.result == RowResult::Pending);
    let back = pending.saturating_mul(OPERATIONS_BACK);
    let all = back.saturating_add(apart.saturating_mul(OPERATIONS_APART));
    if all <= MOST_OPERATIONS {
        (pending, true)
    } else {
        (MOST_OPERATIONS / OPERATIONS_BACK, false)
    }
}

/// Settles a batch that Next Engine certainly never received: every row waits again.
pub fn not_received(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: &Stored<Batch>,
) -> Result<u32> {
    let mut batch = seen.value.clone();
    let mut commit = Commit::new().fence(next_engine.fence());
    let mut returned = 0u32;
    let mut rows = std::mem::take(&mut batch.rows);
    for (index, row) in rows.iter_mut().enumerate() {
        if row.result == RowResult::Pending {
            commit = give_back(tenant, commit, row)?;
            commit = note(commit, &batch, index, row, false)?;
            row.result = RowResult::Returned(reasons::not_received(&row.code));
            row.changed_at = tenant.now();
            returned = returned.saturating_add(1);
        }
    }
    batch.rows = rows;
    close(tenant, commit, seen, batch, returned > 0, |most| most)?;
    Ok(returned)
}

/// Writes what is settled so far; the rest, which is due, has its turn with the next look.
fn keep_open(
    tenant: &Tenant<'_>,
    commit: Commit,
    seen: &Stored<Batch>,
    batch: &Batch,
) -> Result<()> {
    let days = store::read(&tenant.ports, daily::STOCK_KEY)?;
    let commit = batch::count(tenant, commit, &seen.value, batch, days.as_ref())?;
    batch::put(commit, seen, batch)?.apply(&tenant.ports)
}

/// Writes the settled batch, and how large the next one may be.
fn close(
    tenant: &Tenant<'_>,
    commit: Commit,
    seen: &Stored<Batch>,
    mut batch: Batch,
    changed: bool,
    size: impl FnOnce(usize) -> usize,
) -> Result<()> {
    let (stored, days) = store::read_two(&tenant.ports, BOOK_KEY, daily::STOCK_KEY)?;
    let (stored, mut book) = batch::book_of(tenant, stored);
    book.most_rows = size(book.most_rows);
    batch.state = BatchState::Settled;
    if changed {
        batch.changed_at = tenant.now();
    }
    let commit = commit
        .check(BOOK_KEY, stored.as_ref())
        .put(BOOK_KEY, &book)?
        .delete(OPEN_BATCH_KEY);
    let commit = batch::count(tenant, commit, &seen.value, &batch, days.as_ref())?;
    batch::put(commit, seen, &batch)?.apply(&tenant.ports)
}

/// Puts a row without a movement where its verdict says, and remembers the attempt.
fn put_back(
    tenant: &Tenant<'_>,
    commit: Commit,
    batch: &Batch,
    index: usize,
    row: &mut BatchRow,
    verdict: Verdict,
) -> Result<Commit> {
    let apart = verdict == Verdict::Unclear;
    let commit = if apart {
        keep_waiting(tenant, commit, row)?
    } else {
        give_back(tenant, commit, row)?
    };
    let commit = note(commit, batch, index, row, apart)?;
    let hold = hold(tenant, row, verdict, batch);
    let commit = commit.put(&held_key(&row.product_id), &hold)?;
    row.result = RowResult::Returned(told(&hold.reason, row));
    row.changed_at = tenant.now();
    Ok(commit)
}

fn note(
    commit: Commit,
    batch: &Batch,
    index: usize,
    row: &BatchRow,
    apart: bool,
) -> Result<Commit> {
    let tried = Tried {
        batch: batch.number,
        row: index,
        mark: batch.mark.clone(),
        apart,
        sent: row.clone(),
    };
    commit.put(&tried_key(&row.product_id), &tried)
}

/// The queue's words are kept once in a batch, not in each of its rows.
fn told(reason: &Reason, row: &BatchRow) -> Reason {
    if reason.code == reasons::REFUSED {
        reasons::refused(&row.code, None)
    } else {
        reason.clone()
    }
}

fn hold(tenant: &Tenant<'_>, row: &BatchRow, verdict: Verdict, batch: &Batch) -> Held {
    let code = &row.code;
    let said = batch.queue_message.as_deref();
    let (reason, needs_person) = match verdict {
        Verdict::Unclear => (reasons::unclear(code), true),
        Verdict::Refused => (reasons::refused(code, said), true),
        Verdict::UnknownCode => (reasons::unknown_code(code), false),
        Verdict::FreeStock(free) => (reasons::free_stock(code, free, row.quantity), false),
        Verdict::Innocent if batch.queue_id.is_none() => (reasons::not_received(code), false),
        Verdict::Innocent => (reasons::batch_refused(code), false),
    };
    let again_at = (verdict == Verdict::Innocent).then(|| tenant.now() + INNOCENT_PAUSE);
    Held {
        needs_person,
        again_at,
        ..person(tenant, reason, code)
    }
}
