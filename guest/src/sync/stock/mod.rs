//! Stock out: every movement in Smaregi reaches Next Engine once. The ledger's flow; the rules are in `rules::stock_decision`.
//!
//! [`intake`] notes places, [`ingest`] reads their history, [`decide`] decides each row, [`batch`] forms one marked upload of net
//! differences, [`deliver`] follows it until every row is verified, [`settle`] writes down what became of each, and [`marks`] looks an
//! attempt up once more before it is repeated.

pub mod align;
pub mod batch;
pub mod catch_up;
pub mod compare;
pub mod decide;
pub mod deliver;
pub mod ingest;
pub mod intake;
pub mod lists;
pub mod marks;
pub mod reading;
pub mod reasons;
pub mod records;
pub mod resend;
pub mod settle;
#[cfg(test)]
mod tests;
pub mod trouble;
pub mod unsettled;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result},
    sync::{
        connection,
        next_engine_session::NextEngine,
        own,
        report::{SendProgress, count},
        rest::{self, Part},
        smaregi_session::Smaregi,
        stock::{
            batch::Candidate,
            ingest::Since,
            records::{BOOK_KEY, Batch, BatchState, Book, HINTS, Hint},
        },
        store,
        tenant::Tenant,
    },
    time::Moment,
};

pub use {
    align::align,
    catch_up::catch_up,
    compare::{compare, go_on},
    intake::{take_in, take_in_changes},
    resend::resend,
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
    let now = tenant.now();
    let candidates = batch::candidates(tenant)?;
    let held = candidates
        .iter()
        .filter(|candidate| !candidate.is_free(now))
        .count();
    let free = candidates.len().saturating_sub(held);
    let open = deliver::open_batch(tenant)?;
    let on = connection::link(&tenant.ports)?.on;
    let reading = ingest::next_reading(tenant)?.filter(|_| on);
    let sending = (on && open.is_none() && free > 0).then_some(now);
    progress.products_held = count(held);
    progress.products_waiting = count(free);
    progress.hints_waiting = count(store::list_all::<Hint>(&tenant.ports, HINTS)?.len());
    progress.in_flight = open.is_some();
    progress.more = spent || reading.is_some_and(|at| at <= now) || sending.is_some();
    progress.next_at = open
        .map(|open| open.value.next_at)
        .into_iter()
        .chain(own::next_look(tenant)?)
        .chain(reading)
        .chain(sending)
        .chain(batch::next_again(&candidates, now))
        .min();
    Ok(progress.clone())
}

/// The Smaregi half: looks at our own doing, places hinted at, and rows that were undecided. Nothing while switched off.
pub async fn read(tenant: &Tenant<'_>, progress: &mut SendProgress) -> Result<()> {
    let link = connection::link(&tenant.ports)?;
    if !link.on {
        return Ok(());
    }
    let since = Since::read(tenant, &link)?;
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
    Ok(due_after(&book(tenant)?, pause, tenant.now()))
}

/// When the schedule has something to upload; `None` while nothing may travel, or a batch is in flight.
pub fn next_upload(tenant: &Tenant<'_>, pause: TimeDelta) -> Result<Option<Moment>> {
    if deliver::open_batch(tenant)?.is_some() {
        return Ok(None);
    }
    let candidates = batch::candidates(tenant)?;
    let (book, now) = (book(tenant)?, tenant.now());
    let free = candidates.iter().filter(|candidate| candidate.is_free(now));
    let due = due_after(&book, pause, now).unwrap_or(now);
    let many = tenant.settings.pace.send_early_products as usize;
    let upload = match free.count() {
        0 if candidates.iter().any(may_be_mended) => Some(held_look_due(&book, now).max(due)),
        0 => None,
        free if free >= many && !pauses(&book, now) => Some(now),
        _ => Some(due),
    };
    let again = batch::next_again(&candidates, now).map(|at| at.max(due));
    Ok(upload.into_iter().chain(again).min())
}

/// The numbering with its times; `None` before the first batch was thought of.
fn book(tenant: &Tenant<'_>) -> Result<Option<Book>> {
    Ok(store::read::<Book>(&tenant.ports, BOOK_KEY)?.map(|book| book.value))
}

fn due_after(book: &Option<Book>, pause: TimeDelta, now: Moment) -> Option<Moment> {
    let book = book.as_ref()?;
    let last = book.last_made_at.max(book.held_looked_at);
    last.map(|last| last.min(now) + pause).max(book.not_before)
}

/// Whether Next Engine asked for patience with uploads.
fn pauses(book: &Option<Book>, now: Moment) -> bool {
    let until = book.as_ref().and_then(|book| book.not_before);
    until.is_some_and(|at| at > now)
}

fn held_look_due(book: &Option<Book>, now: Moment) -> Moment {
    let looked_at = book.as_ref().and_then(|book| book.held_looked_at);
    looked_at.map_or(now, |at| at + HELD_LOOK)
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
    let (book, now) = (book(tenant)?, tenant.now());
    let free = candidates.iter().filter(|candidate| candidate.is_free(now));
    let free = free.count();
    let mendable = candidates.iter().any(may_be_mended);
    if pauses(&book, now) && urgency != Urgency::Now {
        return Ok(None);
    }
    let due = match urgency {
        Urgency::Now => free > 0 || mendable,
        Urgency::NotBefore(at) if free > 0 => {
            at <= now || free >= tenant.settings.pace.send_early_products as usize
        }
        Urgency::NotBefore(at) => mendable && at <= now && held_look_due(&book, now) <= now,
    };
    Ok(due.then_some(candidates))
}
