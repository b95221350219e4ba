//! Delivering the open batch: upload, queue, verification row by row from the movement history.
//!
//! Next Engine has no idempotency key, so a difference is sent again only when it certainly was not applied: no movement carries its
//! mark, nothing of ours is at work in the queue, and the stock is as it was before. Everything else waits for a person.

use chrono::TimeDelta;

use crate::{
    error::{Error, Result},
    next_engine::{
        queue::{self, QueueState},
        upload,
    },
    planted::Planted,
    rules::upload_outcome::{self, Evidence, Now},
    sync::{
        call_error::CallError,
        connection, daily,
        next_engine_session::NextEngine,
        stock::{
            batch::{self, Known, read_goods},
            marks::{self, Reading},
            records::{
                BOOK_KEY, Batch, BatchRow, BatchState, OPEN_BATCH_KEY, RowResult, batch_key,
            },
            settle,
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// A batch that was not handed over within this is formed afresh: what Next Engine knows of its products may have changed.
const FRESH: TimeDelta = TimeDelta::minutes(3);
/// An upload that left no trace for this long was not received: longer than a request lives, and than the history takes.
const GRACE: TimeDelta = TimeDelta::minutes(10);
/// Clocks may differ by less than this.
const SKEW: TimeDelta = TimeDelta::days(1);
/// Nothing stays in the queue for longer (assumed); an entry that seems to is not waited for.
const QUEUE_LIFE: TimeDelta = TimeDelta::hours(6);
/// Pause between looks for an upload whose answer was lost.
const TRACE_PAUSE: TimeDelta = TimeDelta::minutes(2);
/// An upload that Next Engine would not take is offered again by the schedule after this.
const REFUSED_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// After a refusal for overload batches shrink to this; one app that meets 006005 does the same (next-engine.md 1.6).
const SMALL_BATCH: usize = 50;
/// First pause between looks at the queue; doubled each time, because each look is a billed call.
const FIRST_PAUSE_SECONDS: i64 = 5;
const LONGEST_PAUSE_SECONDS: i64 = 600;
/// An entry that is not in the queue after so many looks (about 20 minutes) is searched by its mark instead.
const MOST_EMPTY_POLLS: u32 = 8;
/// An entry in a state that we do not know is verified after so many looks: its rows may be there. Missing ones are waited for.
const UNKNOWN_POLLS: u32 = 3;
/// Pauses between looks for missing rows (assumed: the history follows the queue's end within their sum).
const LOOK_PAUSES: [TimeDelta; 4] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(10),
    TimeDelta::minutes(15),
];
/// From this look on unmoved stock is believed, and not only an absent movement.
const STOCK_BELIEVED: u32 = 3;
const LONGEST_MESSAGE: usize = 500;

/// What one step brought.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Rows seen applied.
    pub applied: u32,
    /// Rows given back.
    pub returned: u32,
}

/// The batch that is not settled.
pub fn open_batch(tenant: &Tenant<'_>) -> Result<Option<Stored<Batch>>> {
    match store::read::<u64>(&tenant.ports, OPEN_BATCH_KEY)? {
        None => Ok(None),
        Some(number) => store::read::<Batch>(&tenant.ports, &batch_key(number.value)),
    }
}

/// Takes the open batch as far as it goes now; stops where it has to wait. Each step leaves another state or a later moment. A batch that
/// is not handed over yet goes out only while the link is on, and only fresh.
pub async fn advance(next_engine: &mut NextEngine<'_>, tenant: &Tenant<'_>) -> Result<Delivered> {
    let mut delivered = Delivered::default();
    while let Some(batch) = open_batch(tenant)? {
        let waits = batch.value.next_at > tenant.now();
        match batch.value.state.clone() {
            BatchState::Ready => {
                let stale = tenant.now() - batch.value.made_at > FRESH;
                if stale || !connection::link(&tenant.ports)?.on {
                    batch::dissolve(next_engine, tenant, &batch, None, TimeDelta::zero())?;
                    break;
                }
                hand_over(next_engine, tenant, batch).await?;
            }
            _ if waits => break,
            BatchState::Sending => {
                delivered.returned = delivered
                    .returned
                    .saturating_add(look_up(next_engine, tenant, batch).await?);
            }
            BatchState::Queued(id, polls) => {
                follow_queue(next_engine, tenant, batch, &id, polls).await?;
            }
            BatchState::Verifying { looks } => {
                let verified = verify(next_engine, tenant, batch, looks).await?;
                delivered.applied = delivered.applied.saturating_add(verified.applied);
                delivered.returned = delivered.returned.saturating_add(verified.returned);
                break;
            }
            BatchState::Settled => break,
        }
    }
    Ok(delivered)
}

fn save(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: &Stored<Batch>,
    batch: &Batch,
) -> Result<()> {
    let mut commit = Commit::new().fence(next_engine.fence());
    let counts = batch::settled(&seen.value, batch);
    if counts.iter().any(|(_, count)| *count > 0) {
        let days = store::read(&tenant.ports, daily::STOCK_KEY)?;
        commit = batch::count(tenant, commit, &seen.value, batch, days.as_ref())?;
    }
    batch::put(commit, seen, batch)?.apply(&tenant.ports)
}

async fn hand_over(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
) -> Result<()> {
    let mut batch = seen.value.clone();
    let now = tenant.now();
    batch.state = BatchState::Sending;
    batch.sent_at = Some(now);
    batch.next_at = now + TimeDelta::seconds(FIRST_PAUSE_SECONDS);
    batch.changed_at = now;
    let rows = batch.rows.iter_mut();
    rows.filter(|row| row.result == RowResult::Pending)
        .for_each(|row| row.changed_at = now);
    if !Planted::UploadBeforeIntent.is_on() {
        save(next_engine, tenant, &seen, &batch)?;
    }
    let rows: Vec<(String, i64)> = pending(&batch.rows)
        .map(|row| (row.code.clone(), row.quantity))
        .collect();
    let answer = next_engine.send(upload::stock(&rows, &batch.mark)).await;
    let Some(seen) = store::read::<Batch>(&tenant.ports, &seen.key)? else {
        return Ok(());
    };
    match answer {
        Ok(answer) => match upload::decode(&answer) {
            Ok(id) => queued(next_engine, tenant, &seen, id),
            // Accepted, but without an id that we can read: found by its mark.
            Err(_) => Ok(()),
        },
        Err(CallError::Unknown(error)) => Err(error),
        Err(CallError::NotDone(error @ Error::BudgetSpent)) => {
            let unsent = Batch {
                next_at: now,
                state: BatchState::Ready,
                sent_at: None,
                ..seen.value.clone()
            };
            save(next_engine, tenant, &seen, &unsent)?;
            Err(error)
        }
        Err(error) => {
            let smaller = matches!(
                error,
                CallError::Refused(_) | CallError::NotDone(Error::Unavailable(..))
            );
            let size = smaller.then(|| (rows.len() / 2).max(SMALL_BATCH));
            batch::dissolve(next_engine, tenant, &seen, size, REFUSED_PAUSE)?;
            Err(error.into())
        }
    }
}

fn queued(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: &Stored<Batch>,
    id: String,
) -> Result<()> {
    let mut batch = seen.value.clone();
    batch.queue_id = Some(id.clone());
    batch.state = BatchState::Queued(id.clone(), 0);
    batch.next_at = tenant.now() + TimeDelta::seconds(FIRST_PAUSE_SECONDS);
    let (stored, mut book) = batch::book(tenant)?;
    book.last_queue_id = Some(id);
    let commit = Commit::new()
        .fence(next_engine.fence())
        .check(BOOK_KEY, stored.as_ref())
        .put(BOOK_KEY, &book)?;
    batch::put(commit, seen, &batch)?.apply(&tenant.ports)
}

/// An upload whose answer is not known: is it there? Returns the rows given back.
async fn look_up(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
) -> Result<u32> {
    let mut batch = seen.value.clone();
    let now = tenant.now();
    if Planted::ResentWithoutLookUp.is_on() {
        (batch.state, batch.made_at) = (BatchState::Ready, now);
        save(next_engine, tenant, &seen, &batch)?;
        return Ok(0);
    }
    let since = began(&batch);
    let found = !marks::read(next_engine, &batch.mark).await?.is_empty();
    if !found && now - since <= GRACE {
        batch.next_at = (now + TRACE_PAUSE).min(since + GRACE + TimeDelta::seconds(1));
        save(next_engine, tenant, &seen, &batch)?;
        return Ok(0);
    }
    let trace = if found || now - since > QUEUE_LIFE {
        Trace::Over
    } else {
        trace(next_engine, tenant, since).await?
    };
    match trace {
        Trace::None => return settle::not_received(next_engine, tenant, &seen),
        Trace::Running => batch.next_at = now + TRACE_PAUSE.max((now - since) / 10),
        Trace::Over => {
            batch.state = BatchState::Verifying { looks: 0 };
            batch.next_at = now;
        }
    }
    save(next_engine, tenant, &seen, &batch)?;
    Ok(0)
}

fn began(batch: &Batch) -> Moment {
    batch.sent_at.unwrap_or(batch.made_at)
}

/// What the queue shows of an upload whose id is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// Nothing that could be it.
    None,
    /// Something that could be it is not at its end, or cannot be read.
    Running,
    /// What could be it is at its end.
    Over,
}

/// Any entry since the upload could be ours, except those that are not newer than our last one: an entry shows neither file nor mark.
async fn trace(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    since: Moment,
) -> Result<Trace> {
    let mut after = batch::book(tenant)?.1.last_queue_id;
    let mut trace = Trace::None;
    loop {
        let call = queue::since(since - SKEW, after.as_deref());
        let entries = queue::decode(&next_engine.send(call).await?);
        if entries.iter().any(|entry| !entry.state.is_over()) {
            return Ok(Trace::Running);
        }
        if !entries.is_empty() {
            trace = Trace::Over;
        }
        match entries.last().filter(|_| entries.len() >= queue::FULL) {
            Some(last) => after = Some(last.id.clone()),
            None => return Ok(trace),
        }
    }
}

async fn follow_queue(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
    id: &str,
    polls: u32,
) -> Result<()> {
    let answer = next_engine.send(queue::one(id)).await?;
    let entry = queue::decode(&answer).into_iter().next();
    let mut batch = seen.value.clone();
    let now = tenant.now();
    let over = match &entry {
        Some(entry) if entry.state == QueueState::Unknown => polls >= UNKNOWN_POLLS,
        Some(entry) => entry.state.is_over() || now - began(&batch) > QUEUE_LIFE,
        None => polls >= MOST_EMPTY_POLLS,
    };
    if over && Planted::QueueBelieved.is_on() {
        for row in &mut batch.rows {
            row.result = RowResult::Applied {
                before: None,
                after: None,
                doubt: None,
            };
        }
        return settle::settle(next_engine, tenant, &seen, batch, &[]).map(|_| ());
    }
    if over {
        let message = entry.and_then(|entry| entry.message);
        batch.queue_message = message.map(|message| crate::text::fit(&message, LONGEST_MESSAGE));
        batch.state = BatchState::Verifying { looks: 0 };
        batch.next_at = now;
    } else {
        let pause = FIRST_PAUSE_SECONDS
            .saturating_mul(1 << polls.min(7))
            .min(LONGEST_PAUSE_SECONDS);
        batch.state = BatchState::Queued(id.to_owned(), polls.saturating_add(1));
        batch.next_at = now + TimeDelta::seconds(pause);
    }
    save(next_engine, tenant, &seen, &batch)
}

/// Matches each row with the movement history. Missing rows are looked for several times before they are given back.
async fn verify(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
    looks: u32,
) -> Result<Delivered> {
    let mut batch = seen.value.clone();
    let now = tenant.now();
    let mut reading = marks::read(next_engine, &batch.mark).await?;
    let codes = pending(&batch.rows).map(|row| row.code.as_str());
    reading.look_closer(next_engine, &batch.mark, codes).await?;
    let applied = marks::match_rows(&mut batch.rows, &reading, now);
    if applied > 0 {
        batch.changed_at = now;
    }
    let missing: Vec<BatchRow> = pending(&batch.rows).cloned().collect();
    let looks = looks.saturating_add(1);
    let evidence = if missing.is_empty() {
        Some(Vec::new())
    } else {
        evidence(next_engine, tenant, &batch, &missing, looks, &reading).await?
    };
    let Some(evidence) = evidence else {
        let pause = LOOK_PAUSES.get(looks.saturating_sub(1) as usize);
        let longest = LOOK_PAUSES.iter().max();
        batch.state = BatchState::Verifying { looks };
        batch.next_at = now + pause.or(longest).copied().unwrap_or_default();
        save(next_engine, tenant, &seen, &batch)?;
        let returned = 0;
        return Ok(Delivered { applied, returned });
    };
    let returned = settle::settle(next_engine, tenant, &seen, batch, &evidence)?;
    Ok(Delivered { applied, returned })
}

fn pending(rows: &[BatchRow]) -> impl Iterator<Item = &BatchRow> {
    rows.iter().filter(|row| row.result == RowResult::Pending)
}

/// What is known of missing rows; `None` while it is worth looking again: early, while something may still run, or while a row's stock
/// has moved and its movement may yet appear.
async fn evidence(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    batch: &Batch,
    missing: &[BatchRow],
    looks: u32,
    reading: &Reading,
) -> Result<Option<Vec<Evidence>>> {
    if looks < STOCK_BELIEVED {
        return Ok(None);
    }
    if runs(next_engine, tenant, batch).await? {
        return Ok(None);
    }
    let codes: Vec<String> = missing.iter().map(|row| row.code.clone()).collect();
    let known = read_goods(next_engine, &codes).await?;
    let evidence: Vec<Evidence> = missing
        .iter()
        .map(|row| Evidence {
            quantity: row.quantity,
            stock_then: row.stock_then,
            now: if reading.is_unclear(&row.code) {
                Now::Unreadable
            } else {
                now(&known, row)
            },
        })
        .collect();
    let last = looks as usize > LOOK_PAUSES.len();
    let certain = evidence.iter().all(upload_outcome::is_certain);
    Ok((last || certain).then_some(evidence))
}

fn now(known: &Known, row: &BatchRow) -> Now {
    match known.goods.iter().find(|goods| goods.code == row.code) {
        Some(goods) => Now::Stock(goods.stock, goods.free),
        None if known.unreadable => Now::Unreadable,
        None => Now::Missing,
    }
}

/// Whether the batch may still be at work in the queue.
async fn runs(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    batch: &Batch,
) -> Result<bool> {
    if tenant.now() - began(batch) > QUEUE_LIFE {
        return Ok(false);
    }
    match &batch.queue_id {
        None => Ok(trace(next_engine, tenant, began(batch)).await? == Trace::Running),
        Some(id) => {
            let entries = queue::decode(&next_engine.send(queue::one(id)).await?);
            Ok(entries.iter().any(|entry| !entry.state.is_over()))
        }
    }
}
