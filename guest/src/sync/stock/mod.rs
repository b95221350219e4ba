//! Stock out: every movement in Smaregi reaches Next Engine once. The ledger's flow; the rules are in `rules::stock_decision`.
//!
//! [`intake`] notes places, [`ingest`] reads their history, [`decide`] decides each row, [`batch`] forms one marked upload of net
//! differences, [`deliver`] follows it until every row is verified or given back.

pub mod align;
pub mod batch;
pub mod catch_up;
pub mod compare;
pub mod decide;
pub mod deliver;
pub mod ingest;
pub mod intake;
pub mod reading;
pub mod records;
pub mod trouble;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result},
    sync::{
        connection,
        next_engine_session::NextEngine,
        own,
        report::{ResendChoice, SendProgress},
        rest::{self, Part},
        smaregi_session::Smaregi,
        stock::{
            batch::Candidate,
            ingest::Since,
            records::{
                BOOK_KEY, Batch, BatchState, Book, HINTS, Held, Hint, RowResult, batch_key,
                held_key,
            },
        },
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

pub use {
    align::align,
    catch_up::catch_up,
    compare::compare,
    intake::{take_in, take_in_changes},
};

/// Held products are looked at once a day when nothing else is sent: each look is a billed call.
const HELD_LOOK: TimeDelta = TimeDelta::days(1);

/// Whether an upload waits for the schedule's interval or goes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A person or a caller asked.
    Now,
    /// Not before this moment, unless much has moved.
    NotBefore(Moment),
}

/// Follows the batch in flight, reads what was hinted at, sends the next batch. See `wit/stock.wit`.
pub async fn send(tenant: &Tenant<'_>) -> Result<SendProgress> {
    let mut progress = SendProgress::default();
    let result = step(tenant, Urgency::Now, &mut progress).await;
    if result.is_ok() {
        rest::end(tenant, &[Part::Follow, Part::Read, Part::Upload])?;
    }
    finish(tenant, &mut progress, result)
}

/// One round of the flow; what it did is in `progress` also when it ends in an error, which is the first one met: trouble with one
/// service does not keep the other from what needs only that one.
async fn step(tenant: &Tenant<'_>, urgency: Urgency, progress: &mut SendProgress) -> Result<()> {
    let followed = follow(tenant, progress).await;
    let read = read(tenant, progress).await;
    let sent = match &followed {
        Ok(()) => upload(tenant, urgency, progress).await,
        // It would fail the same way, at the same cost.
        Err(_) => Ok(()),
    };
    followed.and(read).and(sent)
}

/// Counts what is left, and turns a spent budget into progress.
pub fn finish(
    tenant: &Tenant<'_>,
    progress: &mut SendProgress,
    result: Result<()>,
) -> Result<SendProgress> {
    let spent = match result {
        Ok(()) => false,
        Err(Error::BudgetSpent) => true,
        Err(error) => return Err(error),
    };
    let candidates = batch::candidates(tenant)?;
    let held = candidates
        .iter()
        .filter(|candidate| candidate.held.is_some())
        .count();
    let free = candidates.len().saturating_sub(held);
    let open = deliver::open_batch(tenant)?;
    let on = connection::link(&tenant.ports)?.on;
    let reading = ingest::next_reading(tenant)?.filter(|_| on);
    let sending = (on && open.is_none() && free > 0).then(|| tenant.now());
    progress.products_held = count(held);
    progress.products_waiting = count(free);
    progress.hints_waiting = count(store::list_all::<Hint>(&tenant.ports, HINTS)?.len());
    progress.in_flight = open.is_some();
    let now = tenant.now();
    progress.more = spent || reading.is_some_and(|at| at <= now) || sending.is_some();
    progress.next_at = open
        .map(|open| open.value.next_at)
        .into_iter()
        .chain(own::next_look(tenant)?)
        .chain(reading)
        .chain(sending)
        .min();
    Ok(progress.clone())
}

/// The Smaregi half: looks at our own doing, places hinted at, and rows that were undecided. Nothing while switched off.
pub async fn read(tenant: &Tenant<'_>, progress: &mut SendProgress) -> Result<()> {
    let link = connection::link(&tenant.ports)?;
    if !link.on {
        return Ok(());
    }
    let since = Since::read(tenant, link.baseline)?;
    let result = read_smaregi(tenant, &since, progress).await;
    let decided = decide::decide_waiting(tenant, &since)?;
    progress.changes_decided = progress.changes_decided.saturating_add(decided);
    result
}

async fn read_smaregi(
    tenant: &Tenant<'_>,
    since: &Since,
    progress: &mut SendProgress,
) -> Result<()> {
    let look_due = own::next_look(tenant)?.is_some_and(|at| at <= tenant.now());
    let hinted = ingest::next_reading(tenant)?.is_some_and(|at| at <= tenant.now());
    if !hinted && !look_due {
        return Ok(());
    }
    let session = Smaregi::open(tenant).await?;
    let looked = own::pending_looks(&session, tenant).await;
    let read = ingest::read_hints(&session, tenant, since, &mut progress.changes_decided).await;
    looked.and(read)
}

/// Follows the batch in flight, if it is time to. Forms none.
pub async fn follow(tenant: &Tenant<'_>, progress: &mut SendProgress) -> Result<()> {
    deliver(tenant, false, Urgency::NotBefore(tenant.now()), progress).await
}

/// Forms the next batch, if one is due, and gives it to Next Engine.
pub async fn upload(
    tenant: &Tenant<'_>,
    urgency: Urgency,
    progress: &mut SendProgress,
) -> Result<()> {
    let on = connection::link(&tenant.ports)?.on;
    deliver(tenant, on, urgency, progress).await
}

/// When the schedule's next upload is due: after the set pause, stretched by the budget, since calls were last spent on one,
/// whether a batch came of it or not. `None` before the first.
pub fn send_due_at(tenant: &Tenant<'_>, pause: TimeDelta) -> Result<Option<Moment>> {
    let book = store::read::<Book>(&tenant.ports, BOOK_KEY)?.map(|book| book.value);
    let last = book.and_then(|book| book.last_made_at.max(book.held_looked_at));
    Ok(last.map(|last| last.min(tenant.now()) + pause))
}

/// When the schedule has something to upload; `None` while nothing may travel, or a batch is in flight.
pub fn next_upload(tenant: &Tenant<'_>, pause: TimeDelta) -> Result<Option<Moment>> {
    if deliver::open_batch(tenant)?.is_some() {
        return Ok(None);
    }
    let candidates = batch::candidates(tenant)?;
    let free = candidates
        .iter()
        .filter(|candidate| candidate.held.is_none());
    let due = send_due_at(tenant, pause)?.unwrap_or_else(|| tenant.now());
    Ok(match free.count() {
        0 if candidates.iter().any(may_be_mended) => Some(held_look_due(tenant)?.max(due)),
        0 => None,
        free if free >= tenant.settings.pace.send_early_products as usize => Some(tenant.now()),
        _ => Some(due),
    })
}

fn held_look_due(tenant: &Tenant<'_>) -> Result<Moment> {
    let book = store::read::<Book>(&tenant.ports, BOOK_KEY)?.map(|book| book.value);
    let looked_at = book.and_then(|book| book.held_looked_at);
    Ok(looked_at.map_or(tenant.now(), |at| at + HELD_LOOK))
}

fn may_be_mended(candidate: &Candidate) -> bool {
    candidate
        .held
        .as_ref()
        .is_some_and(|held| !held.value.needs_person)
}

/// The Next Engine half. Opens a session only when there is something to learn or to send.
async fn deliver(
    tenant: &Tenant<'_>,
    on: bool,
    urgency: Urgency,
    progress: &mut SendProgress,
) -> Result<()> {
    let open = deliver::open_batch(tenant)?;
    let follow = open
        .as_ref()
        .is_some_and(|open| open.value.next_at <= tenant.now() || is_ready(&open.value, urgency));
    let wanted = if on && open.is_none() {
        wanted(tenant, urgency)?
    } else {
        None
    };
    if !follow && wanted.is_none() {
        return Ok(());
    }
    let smaregi = match &wanted {
        Some(_) => Some(Smaregi::open(tenant).await?),
        None => None,
    };
    let mut next_engine = NextEngine::open(tenant).await?;
    let result = deliver_with(&mut next_engine, smaregi.as_ref(), tenant, wanted, progress).await;
    next_engine.close()?;
    result
}

fn is_ready(batch: &Batch, urgency: Urgency) -> bool {
    batch.state == BatchState::Ready && urgency == Urgency::Now
}

async fn deliver_with(
    next_engine: &mut NextEngine<'_>,
    smaregi: Option<&Smaregi<'_>>,
    tenant: &Tenant<'_>,
    wanted: Option<Vec<Candidate>>,
    progress: &mut SendProgress,
) -> Result<()> {
    if let (Some(candidates), Some(smaregi)) = (wanted, smaregi) {
        batch::form(smaregi, next_engine, tenant, candidates).await?;
    }
    let delivered = deliver::advance(next_engine, tenant).await?;
    progress.rows_applied = progress.rows_applied.saturating_add(delivered.applied);
    progress.rows_returned = progress.rows_returned.saturating_add(delivered.returned);
    Ok(())
}

/// The differences for the next batch, if one is due.
fn wanted(tenant: &Tenant<'_>, urgency: Urgency) -> Result<Option<Vec<Candidate>>> {
    let candidates = batch::candidates(tenant)?;
    let free = candidates
        .iter()
        .filter(|candidate| candidate.held.is_none())
        .count();
    let mendable = candidates.iter().any(may_be_mended);
    let due = match urgency {
        Urgency::Now => free > 0 || mendable,
        Urgency::NotBefore(at) if free > 0 => {
            at <= tenant.now() || free >= tenant.settings.pace.send_early_products as usize
        }
        Urgency::NotBefore(at) => {
            mendable && at <= tenant.now() && held_look_due(tenant)? <= tenant.now()
        }
    };
    Ok(due.then_some(candidates))
}

/// Lets held products go again. See `wit/stock.wit`.
pub fn resend(tenant: &Tenant<'_>, choice: &ResendChoice) -> Result<u32> {
    let held = match choice {
        ResendChoice::AllFailed => store::list_all::<Held>(&tenant.ports, "stock/held/")?,
        ResendChoice::Entry(id) => {
            let key = held_key(&product_of(tenant, id)?);
            store::read::<Held>(&tenant.ports, &key)?
                .into_iter()
                .collect()
        }
    };
    for chunk in held.chunks(1_000) {
        let commit = chunk.iter().fold(Commit::new(), |commit, held| {
            commit.check(&held.key, Some(held)).delete(&held.key)
        });
        commit.apply(&tenant.ports)?;
    }
    Ok(count(held.len()))
}

/// The product of a history entry's id: `b<batch>-<row>` or `w-<product>`. An applied row releases nothing of its own: whatever
/// its product holds now came later.
fn product_of(tenant: &Tenant<'_>, id: &str) -> Result<String> {
    let missing = || Error::NotFound("history-entry", id.to_owned());
    if let Some(product) = id.strip_prefix("w-") {
        return Ok(product.to_owned());
    }
    let (number, row) = id
        .strip_prefix('b')
        .and_then(|rest| rest.split_once('-'))
        .ok_or_else(missing)?;
    let (number, row): (u64, usize) = number
        .parse()
        .ok()
        .zip(row.parse().ok())
        .ok_or_else(missing)?;
    let batch = store::read::<Batch>(&tenant.ports, &batch_key(number))?.ok_or_else(missing)?;
    let row = batch.value.rows.get(row).ok_or_else(missing)?;
    match row.result {
        RowResult::Returned(_) => Ok(row.product_id.clone()),
        _ => Ok(String::new()),
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
