//! Changing a slip's record, and telling what happened in 受信履歴 in the same commit. Knows no service.

use crate::{
    error::{Error, Result},
    ports::Ports,
    reason::{Reason, Text},
    settings::OrderSettings,
    sync::{
        daily::{self, Counter, Days},
        orders::records::{
            self, Happened, MOST_TOLD, Received, SlipRecord, Told, Trouble, received_key,
        },
        store::{self, Commit, Stored},
    },
    time::{self, Moment},
};

/// How often a change is tried when somebody else is quicker, with this slip or with counting another.
const TRIES: u32 = 16;

/// Changes a record whatever else changes it meanwhile: reads, applies, commits, and again after a conflict. `false` when the
/// record is absent or `apply` found nothing to do.
pub fn change(
    ports: &Ports<'_>,
    slip: &str,
    mut apply: impl FnMut(&mut SlipRecord, Commit) -> Result<Option<Commit>>,
) -> Result<bool> {
    for _ in 0..TRIES {
        let key = records::slip_key(slip);
        let (seen, days) = store::read_two::<SlipRecord, Days>(ports, &key, daily::ORDERS_KEY)?;
        let Some(seen) = seen else {
            return Ok(false);
        };
        let mut record = seen.value.clone();
        let Some(commit) = apply(&mut record, Commit::new())? else {
            return Ok(false);
        };
        let commit = count(commit, &seen.value, &record, days.as_ref())?;
        if records::put(commit, Some(&seen), &record)?.try_apply(ports)? {
            return Ok(true);
        }
    }
    Err(busy(slip))
}

/// Counts what a change tells, by day.
fn count(
    mut commit: Commit,
    before: &SlipRecord,
    after: &SlipRecord,
    days: Option<&Stored<Days>>,
) -> Result<Commit> {
    let new = after.events.saturating_sub(before.events) as usize;
    let told = after.told.iter().rev().take(new);
    let counts: Vec<(Counter, u64)> = told
        .clone()
        .filter_map(|told| Some((counter(told.happened)?, 1)))
        .collect();
    let Some(last) = told.into_iter().next().filter(|_| !counts.is_empty()) else {
        return Ok(commit);
    };
    commit = commit.check(daily::ORDERS_KEY, days);
    daily::add(commit, daily::ORDERS_KEY, days, time::day(last.at), &counts)
}

fn counter(happened: Happened) -> Option<Counter> {
    match happened {
        Happened::Registered => Some(Counter::Registered),
        Happened::Undone => Some(Counter::Undone),
        Happened::Refused => Some(Counter::Refused),
        Happened::NeedsPerson => None,
    }
}

/// Too many were quicker.
pub fn busy(what: &str) -> Error {
    Error::Storage(
        what.to_owned(),
        Text::new(
            "同時の更新が続いたため中断しました。もう一度お試しください。",
            "Others kept changing it. Try again.",
        ),
    )
}

/// Something that happened to a slip.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What.
    pub happened: Happened,
    /// To which transaction.
    pub transaction_id: Option<String>,
    /// Why.
    pub reason: Option<Reason>,
    /// When the effect that it tells of was begun.
    pub begun_at: Option<Moment>,
}

/// Adds an event to the history; returns its key.
pub fn tell(
    commit: Commit,
    record: &mut SlipRecord,
    settings: &OrderSettings,
    event: Event,
) -> Result<(Commit, String)> {
    record.events = record.events.saturating_add(1);
    let key = received_key(&record.slip, record.events, event.at);
    let excess = record
        .told
        .len()
        .saturating_sub(MOST_TOLD.saturating_sub(1));
    record.told.drain(..excess);
    record.told.push(Told {
        at: event.at,
        happened: event.happened,
    });
    let order = record.order.as_ref();
    let booked = record
        .registered
        .as_ref()
        .map(|registered| registered.sale.store_id.clone());
    let received = Received {
        at: event.at,
        slip: record.slip.clone(),
        order_number: order
            .map(|order| order.order_number.clone())
            .unwrap_or_default(),
        shop_id: record.shop_id.clone(),
        store_id: booked
            .or_else(|| {
                settings
                    .receiving_store(&record.shop_id)
                    .map(|store| store.store_id.clone())
            })
            .unwrap_or_default(),
        transaction_id: event.transaction_id,
        amount: order.map(|order| order.total).unwrap_or_default(),
        happened: event.happened,
        reason: event.reason,
        begun_at: event.begun_at,
    };
    Ok((commit.put(&key, &received)?, key))
}

/// Lets a slip wait for a person. A reason that it waits for already is not told twice; after a retry or a change it is told anew.
pub fn hold(
    commit: Commit,
    record: &mut SlipRecord,
    settings: &OrderSettings,
    at: Moment,
    happened: Happened,
    reason: Reason,
) -> Result<Commit> {
    let waits = record.trouble.as_ref();
    if waits.is_some_and(|trouble| trouble.reason == reason && !trouble.again) {
        return Ok(commit);
    }
    let transaction_id = record
        .registered
        .as_ref()
        .map(|registered| registered.transaction_id.clone());
    let event = Event {
        at,
        happened,
        transaction_id,
        reason: Some(reason.clone()),
        begun_at: None,
    };
    let (commit, entry) = tell(commit, record, settings, event)?;
    record.trouble = Some(Trouble {
        reason,
        entry,
        again: false,
        outdated: false,
    });
    Ok(commit)
}
