//! Delivering the open batch: upload, queue, verification row by row from the movement history, giving back what was not applied.
//!
//! Next Engine has no idempotency key, so an upload is tried again only when it certainly was not received: its mark is in no
//! movement, nothing is queued since, and a grace period has passed. What the queue's end state says decides nothing; the
//! movement history does.

use std::collections::HashMap;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::{
    error::Result,
    next_engine::{
        goods::Goods,
        movements::{self, Movement},
        queue::{self, QueueEntry, QueueState},
        upload,
    },
    reason::Reason,
    sync::{
        call_error::CallError,
        next_engine_session::NextEngine,
        stock::{
            batch::{self, give_back, read_goods},
            records::{Batch, BatchRow, BatchState, Held, OPEN_BATCH_KEY, RowResult, batch_key},
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// An upload that left no trace for this long was not received: longer than a request lives, and than the history takes.
const GRACE: TimeDelta = TimeDelta::minutes(10);
/// Rows missing after the queue's end are looked for again after this (assumed: the history follows within it).
const SECOND_LOOK: TimeDelta = TimeDelta::seconds(60);
/// An upload that Next Engine would not take is offered again by the schedule after this.
const REFUSED_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// First pause between looks at the queue; doubled each time, because each look is a billed call.
const FIRST_PAUSE_SECONDS: i64 = 5;
const LONGEST_PAUSE_SECONDS: i64 = 600;
/// An entry that is not in the queue after so many looks is searched by its mark instead.
const MOST_EMPTY_POLLS: u32 = 4;
const MOVEMENTS_PER_PAGE: u32 = 1_000;

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

/// Takes the open batch as far as it goes now; stops where it has to wait. Each step leaves another state or a later moment.
pub async fn advance(next_engine: &mut NextEngine<'_>, tenant: &Tenant<'_>) -> Result<Delivered> {
    while let Some(batch) = open_batch(tenant)? {
        let waits = batch.value.next_at > tenant.now();
        match batch.value.state.clone() {
            BatchState::Ready => hand_over(next_engine, tenant, batch).await?,
            _ if waits => break,
            BatchState::Sending(since) => look_up(next_engine, tenant, batch, since).await?,
            BatchState::Queued(id, polls) => {
                follow_queue(next_engine, tenant, batch, &id, polls).await?
            }
            BatchState::Verifying { looked } => {
                return verify(next_engine, tenant, batch, looked).await;
            }
            BatchState::Settled => break,
        }
    }
    Ok(Delivered::default())
}

fn save(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: &Stored<Batch>,
    batch: &Batch,
) -> Result<()> {
    Commit::new()
        .fence(next_engine.fence())
        .check(&seen.key, Some(seen))
        .put(&seen.key, batch)?
        .apply(&tenant.ports)
}

async fn hand_over(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
) -> Result<()> {
    let mut batch = seen.value.clone();
    let now = tenant.now();
    batch.state = BatchState::Sending(now);
    batch.next_at = now + TimeDelta::seconds(FIRST_PAUSE_SECONDS);
    save(next_engine, tenant, &seen, &batch)?;
    let rows: Vec<(String, i64)> = batch
        .rows
        .iter()
        .filter(|row| row.result == RowResult::Pending)
        .map(|row| (row.code.clone(), row.quantity))
        .collect();
    let answer = next_engine.send(upload::stock(&rows, &batch.mark)).await;
    let Some(seen) = store::read::<Batch>(&tenant.ports, &seen.key)? else {
        return Ok(());
    };
    match answer {
        Ok(answer) => match upload::decode(&answer) {
            Ok(id) => {
                batch.queue_id = Some(id.clone());
                batch.state = BatchState::Queued(id, 0);
                batch.next_at = tenant.now() + TimeDelta::seconds(FIRST_PAUSE_SECONDS);
                save(next_engine, tenant, &seen, &batch)
            }
            // Accepted, but without an id that we can read: found by its mark.
            Err(_) => Ok(()),
        },
        Err(CallError::Unknown(error)) => Err(error),
        Err(error) => {
            batch.state = BatchState::Ready;
            batch.next_at = tenant.now() + REFUSED_PAUSE;
            save(next_engine, tenant, &seen, &batch)?;
            Err(error.into())
        }
    }
}

/// An upload whose answer is not known: is it there?
async fn look_up(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
    since: Moment,
) -> Result<()> {
    let mut batch = seen.value.clone();
    let now = tenant.now();
    if !read_movements(next_engine, &batch.mark).await?.is_empty() {
        batch.state = BatchState::Verifying { looked: false };
        batch.next_at = now;
        return save(next_engine, tenant, &seen, &batch);
    }
    let answer = next_engine
        .send(queue::since(since - TimeDelta::minutes(2)))
        .await?;
    let running = queue::decode(&answer)
        .into_iter()
        .flatten()
        .any(|entry| is_running(&entry));
    if !running && now - since > GRACE {
        batch.state = BatchState::Ready;
        batch.next_at = now;
    } else {
        batch.next_at = now + TimeDelta::minutes(2);
    }
    save(next_engine, tenant, &seen, &batch)
}

fn is_running(entry: &QueueEntry) -> bool {
    matches!(entry.state, QueueState::Waiting | QueueState::Running)
}

async fn follow_queue(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
    id: &str,
    polls: u32,
) -> Result<()> {
    let answer = next_engine.send(queue::one(id)).await?;
    let entry = queue::decode(&answer)
        .into_iter()
        .flatten()
        .find(|entry| entry.id == id);
    let mut batch = seen.value.clone();
    let now = tenant.now();
    match entry {
        Some(entry) if !is_running(&entry) => {
            batch.queue_message = entry.message;
            batch.state = BatchState::Verifying { looked: false };
            batch.next_at = now;
        }
        None if polls >= MOST_EMPTY_POLLS => {
            batch.state = BatchState::Sending(now);
            batch.next_at = now;
        }
        _ => {
            let pause = FIRST_PAUSE_SECONDS
                .saturating_mul(1 << polls.min(7))
                .min(LONGEST_PAUSE_SECONDS);
            batch.state = BatchState::Queued(id.to_owned(), polls.saturating_add(1));
            batch.next_at = now + TimeDelta::seconds(pause);
        }
    }
    save(next_engine, tenant, &seen, &batch)
}

/// Every movement with the batch's mark.
async fn read_movements(next_engine: &mut NextEngine<'_>, mark: &str) -> Result<Vec<Movement>> {
    let mut found: Vec<Movement> = Vec::new();
    loop {
        let after = found.last().map(|movement| movement.id.clone());
        let answer = next_engine
            .send(movements::by_reason(
                mark,
                after.as_deref(),
                MOVEMENTS_PER_PAGE,
            ))
            .await?;
        let page: Vec<Movement> = movements::decode(&answer).into_iter().flatten().collect();
        let full = page.len() >= MOVEMENTS_PER_PAGE as usize;
        found.extend(page);
        if !full {
            return Ok(found);
        }
    }
}

/// Matches each row with the movement history. Missing rows are looked for twice before they are given back.
async fn verify(
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: Stored<Batch>,
    looked: bool,
) -> Result<Delivered> {
    let mut batch = seen.value.clone();
    let movements = read_movements(next_engine, &batch.mark).await?;
    let missing = match_rows(&mut batch.rows, &movements);
    if missing && !looked {
        batch.state = BatchState::Verifying { looked: true };
        batch.next_at = tenant.now() + SECOND_LOOK;
        save(next_engine, tenant, &seen, &batch)?;
        return Ok(Delivered::default());
    }
    let goods = if missing {
        let codes: Vec<String> = pending(&batch.rows).map(|row| row.code.clone()).collect();
        read_goods(next_engine, &codes).await?
    } else {
        Vec::new()
    };
    settle(next_engine, tenant, &seen, batch, &goods)
}

fn pending(rows: &[BatchRow]) -> impl Iterator<Item = &BatchRow> {
    rows.iter().filter(|row| row.result == RowResult::Pending)
}

/// Marks the rows that were applied; says whether any is missing.
fn match_rows(rows: &mut [BatchRow], movements: &[Movement]) -> bool {
    let by_code: HashMap<&str, &Movement> = movements
        .iter()
        .map(|movement| (movement.code.as_str(), movement))
        .collect();
    for row in rows
        .iter_mut()
        .filter(|row| row.result == RowResult::Pending)
    {
        if let Some(movement) = by_code.get(row.code.as_str()) {
            row.result = RowResult::Applied {
                before: movement.before,
                after: movement.after,
            };
        }
    }
    pending(rows).next().is_some()
}

fn settle(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: &Stored<Batch>,
    mut batch: Batch,
    goods: &[Goods],
) -> Result<Delivered> {
    let mut delivered = Delivered::default();
    let mut commit = Commit::new()
        .fence(next_engine.fence())
        .check(&seen.key, Some(seen))
        .delete(OPEN_BATCH_KEY);
    let message = batch.queue_message.clone();
    for row in &mut batch.rows {
        match &row.result {
            RowResult::Applied { .. } => delivered.applied = delivered.applied.saturating_add(1),
            RowResult::Pending => {
                let known = goods.iter().find(|goods| goods.code == row.code);
                let (reason, needs_person) = why_missing(row, known, message.as_deref());
                let held = Held {
                    reason: reason.clone(),
                    code: Some(row.code.clone()),
                    since: tenant.now(),
                    needs_person,
                };
                commit = give_back(tenant, commit, row, Some(&held))?;
                row.result = RowResult::Returned(reason);
                delivered.returned = delivered.returned.saturating_add(1);
            }
            RowResult::Zero | RowResult::Returned(_) => {}
        }
    }
    batch.state = BatchState::Settled;
    commit.put(&seen.key, &batch)?.apply(&tenant.ports)?;
    Ok(delivered)
}

/// Why a row left no movement, and whether a person must look before it is sent again.
fn why_missing(row: &BatchRow, goods: Option<&Goods>, message: Option<&str>) -> (Reason, bool) {
    let quantity = Decimal::from(row.quantity);
    if let (Some(goods), Some(then)) = (goods, row.stock_then)
        && then.saturating_add(quantity) == goods.stock
    {
        // Moved by exactly our difference, yet without our mark: perhaps somebody changed the movement's reason.
        return (unclear(row), true);
    }
    if let Some(goods) = goods
        && row.quantity < 0
        && goods.free.saturating_add(quantity) < Decimal::ZERO
    {
        return (
            batch::free_stock(&row.code, goods.free, row.quantity),
            false,
        );
    }
    (refused(row, message), true)
}

fn unclear(row: &BatchRow) -> Reason {
    Reason::new(
        "outcome-unclear",
        "在庫は送信した分だけ動いていますが、入出庫履歴に印がありません。在庫照合で確かめてから再送信してください。",
        "The stock moved by just this difference, but the movement carries no mark of ours. Compare before sending it again.",
    )
    .field("stock_io_history_reason")
    .value(&row.code)
}

fn refused(row: &BatchRow, message: Option<&str>) -> Reason {
    let said = message
        .map(|message| crate::text::fit(message, 200))
        .unwrap_or_default();
    Reason::new(
        "row-refused",
        format!(
            "ネクストエンジンがこの行を取り込みませんでした。{said} 直してから再送信してください。"
        ),
        format!("Next Engine did not take this row. {said} Mend it, then send it again."),
    )
    .field("syohin_code")
    .value(&row.code)
}
