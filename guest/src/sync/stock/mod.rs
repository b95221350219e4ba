//! Stock out: every movement in Smaregi reaches Next Engine once. The ledger's flow; the rules are in `rules::stock_decision`.
//!
//! [`intake`] notes places, [`ingest`] reads their history and decides each row, [`batch`] forms one marked upload of net
//! differences, [`deliver`] follows it until every row is verified, [`settle`] writes down what became of each, and [`marks`] looks an
//! attempt up once more before it is repeated.

pub mod align;
pub mod batch;
pub mod catch_up;
pub mod compare;
pub mod deliver;
pub mod ingest;
pub mod intake;
pub mod marks;
pub mod reasons;
pub mod records;
pub mod resend;
pub mod settle;
#[cfg(test)]
mod tests;
pub mod unsettled;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result},
    sync::{
        connection,
        next_engine_session::NextEngine,
        own,
        report::SendProgress,
        smaregi_session::Smaregi,
        stock::{
            batch::Candidate,
            ingest::Since,
            records::{BOOK_KEY, Batch, BatchState, Book, Hint},
        },
        store,
        tenant::Tenant,
    },
    time::Moment,
};

pub use {
    align::align,
    catch_up::catch_up,
    compare::compare,
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

/// Reads what was hinted at, follows the batch in flight, sends the next one. See `wit/stock.wit`.
pub async fn send(tenant: &Tenant<'_>) -> Result<SendProgress> {
    let mut progress = SendProgress::default();
    let result = step(tenant, Urgency::Now, &mut progress).await;
    finish(tenant, &mut progress, result)
}

/// One round of the flow; what it did is in `progress` also when it ends in an error.
pub async fn step(
    tenant: &Tenant<'_>,
    urgency: Urgency,
    progress: &mut SendProgress,
) -> Result<()> {
    let link = connection::link(&tenant.ports)?;
    if link.on {
        let since = ingest::follow_stores(tenant, link.baseline)?;
        read(tenant, &since, progress).await?;
    }
    deliver(tenant, link.on, urgency, progress).await
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
        .filter(|candidate| !candidate.is_free(tenant.now()))
        .count();
    let open = deliver::open_batch(tenant)?;
    let hints = store::list::<Hint>(&tenant.ports, "stock/hint/", 1_000)?.len();
    progress.products_held = count(held);
    progress.products_waiting = count(candidates.len().saturating_sub(held));
    progress.hints_waiting = count(hints);
    progress.in_flight = open.is_some();
    progress.more = spent || hints > 0;
    progress.next_at = open
        .map(|open| open.value.next_at)
        .into_iter()
        .chain(own::next_look(tenant)?)
        .chain(batch::next_again(&candidates, tenant.now()))
        .min();
    Ok(progress.clone())
}

/// The Smaregi half: places hinted at, and rows that were undecided.
async fn read(tenant: &Tenant<'_>, since: &Since, progress: &mut SendProgress) -> Result<()> {
    let look_due = own::next_look(tenant)?.is_some_and(|at| at <= tenant.now());
    let hinted = !store::list::<Hint>(&tenant.ports, "stock/hint/", 1)?.is_empty();
    if hinted || look_due {
        let session = Smaregi::open(tenant).await?;
        own::pending_looks(&session, tenant).await?;
        let decided = ingest::read_hints(&session, tenant, since).await?;
        progress.changes_decided = progress.changes_decided.saturating_add(decided);
    }
    let decided = ingest::decide_waiting(tenant, since)?;
    progress.changes_decided = progress.changes_decided.saturating_add(decided);
    Ok(())
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
        .filter(|candidate| candidate.is_free(tenant.now()))
        .count();
    let book = store::read::<Book>(&tenant.ports, BOOK_KEY)?.map(|book| book.value);
    let pauses = book
        .as_ref()
        .and_then(|book| book.not_before)
        .is_some_and(|at| at > tenant.now());
    if pauses && urgency != Urgency::Now {
        return Ok(None);
    }
    let looked_at = book.and_then(|book| book.held_looked_at);
    let due = match urgency {
        Urgency::Now => {
            free > 0
                || candidates.iter().any(|candidate| {
                    candidate
                        .held
                        .as_ref()
                        .is_some_and(|held| !held.value.needs_person)
                })
        }
        Urgency::NotBefore(at) if free > 0 => {
            at <= tenant.now() || free >= tenant.settings.pace.send_early_products as usize
        }
        Urgency::NotBefore(_) => {
            let waiting = candidates.iter().any(|candidate| {
                candidate
                    .held
                    .as_ref()
                    .is_some_and(|held| !held.value.needs_person)
            });
            waiting && looked_at.is_none_or(|at| tenant.now() - at >= HELD_LOOK)
        }
    };
    Ok(due.then_some(candidates))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
