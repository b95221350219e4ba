//! 再取込: letting refused orders go again, from what was read of them; those of which something could not be read are read again
//! first. Books nothing; `work` does the rest.
//!
//! A retry may take several calls. It is one run, however many they are: what it let go and was refused again is
//! not let go a second time, or a run under a small budget would never end.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result},
    sync::{
        next_engine_session::NextEngine,
        orders::{
            journal, reading,
            records::{
                self, REFUSED, RETRY_KEY, Retried, RetryRun, SlipRecord, retried_key, slip_of,
            },
            scan, words,
        },
        products,
        report::RetryChoice,
        store::{self, Commit},
        tenant::Tenant,
    },
};

/// A run that nobody goes on with for so long is over.
pub(super) const ABANDONED: TimeDelta = TimeDelta::minutes(10);

/// Puts the chosen slips back into the queue; a slip that is not refused is left as it is. Those that could not be read are held
/// still, and are the result's.
pub fn release(tenant: &Tenant<'_>, choice: &RetryChoice) -> Result<Unread> {
    let (run, slips) = match choice {
        RetryChoice::Slip(slip) => {
            let Some(seen) = records::slip(&tenant.ports, slip)? else {
                return Err(Error::NotFound("order", slip.clone()));
            };
            (go_on(tenant, Some(slip))?, vec![seen.value.slip.clone()])
        }
        RetryChoice::AllRefused(_) => {
            let run = go_on(tenant, None)?;
            let refused = store::list_all::<bool>(&tenant.ports, REFUSED)?.into_iter();
            (
                run,
                refused
                    .map(|entry| slip_of(&entry.key).to_owned())
                    .collect(),
            )
        }
    };
    let mut unread = Unread {
        run,
        slips: BTreeSet::new(),
    };
    let mut released = false;
    for slip in slips {
        let is_chosen =
            |record: &SlipRecord| matches!(choice, RetryChoice::Slip(_)) || is_tried_again(record);
        let goes = |record: &SlipRecord| record.unreadable.is_none();
        match again(tenant, &slip, run, is_chosen, goes)? {
            Again::Goes => released = true,
            Again::Not => unread.slips.extend([slip]),
            Again::Left => {}
        }
    }
    // Today's products: what was mended in Smaregi has to be seen.
    if released || !unread.slips.is_empty() {
        products::forget_all(&tenant.ports)?;
    }
    Ok(unread)
}

/// Chosen slips of which something could not be read.
pub struct Unread {
    /// The retry that they are of.
    pub run: u64,
    slips: BTreeSet<String>,
}

impl Unread {
    /// Reads them afresh and lets them go, whatever is read. Each search is stored before the next, so that the smallest budget gets
    /// ahead.
    pub async fn read(mut self, tenant: &Tenant<'_>) -> Result<()> {
        if self.slips.is_empty() {
            return Ok(());
        }
        let mut session = NextEngine::open(tenant).await?;
        let result = self.read_all(&mut session, tenant).await;
        let closed = session.close();
        result.and(closed)
    }

    async fn read_all(&mut self, session: &mut NextEngine<'_>, tenant: &Tenant<'_>) -> Result<()> {
        while !self.slips.is_empty() {
            let (readings, left) = reading::some_whole(session, tenant, &self.slips).await?;
            scan::store(session, tenant, &readings)?;
            for slip in self.slips.difference(&left) {
                again(tenant, slip, self.run, |_| true, |_| true)?;
            }
            self.slips = left;
        }
        Ok(())
    }
}

/// The run under way, if it is of the same choice, or a new one.
fn go_on(tenant: &Tenant<'_>, slip: Option<&String>) -> Result<u64> {
    let seen = store::read::<RetryRun>(&tenant.ports, RETRY_KEY)?.map(|seen| seen.value);
    let number = match seen {
        Some(RetryRun {
            number,
            slip: chosen,
            at: Some(at),
        }) if tenant.now() - at < ABANDONED && chosen.as_ref() == slip => number,
        Some(run) => run.number.saturating_add(1),
        None => 1,
    };
    let run = RetryRun {
        number,
        slip: slip.cloned(),
        at: Some(tenant.now()),
    };
    Commit::new().put(RETRY_KEY, &run)?.apply(&tenant.ports)?;
    Ok(number)
}

/// The run has come to its end.
pub fn end(tenant: &Tenant<'_>) -> Result<()> {
    let Some(seen) = store::read::<RetryRun>(&tenant.ports, RETRY_KEY)? else {
        return Ok(());
    };
    let run = RetryRun {
        at: None,
        ..seen.value.clone()
    };
    Commit::new()
        .check(RETRY_KEY, Some(&seen))
        .put(RETRY_KEY, &run)?
        .try_apply(&tenant.ports)
        .map(|_| ())
}

/// Whether a retry of everything has anything to do: nobody's word that a person has looked is in it.
fn is_tried_again(record: &SlipRecord) -> bool {
    let trouble = record.trouble.as_ref();
    trouble.is_none_or(|trouble| !words::is_for_a_person_alone(&trouble.reason))
}

/// What becomes of a chosen slip.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It goes again.
    Goes,
    /// It may not yet.
    Not,
    /// It goes already, or went in this run.
    Left,
}

fn again(
    tenant: &Tenant<'_>,
    slip: &str,
    run: u64,
    is_chosen: impl Fn(&SlipRecord) -> bool,
    may: impl Fn(&SlipRecord) -> bool,
) -> Result<Again> {
    let mut found = Again::Left;
    journal::change(&tenant.ports, slip, |record, commit| {
        let waits = record.is_held() && record.retried_in != run && is_chosen(record);
        found = match (waits, may(record)) {
            (false, _) => Again::Left,
            (true, false) => Again::Not,
            (true, true) => Again::Goes,
        };
        if found != Again::Goes {
            return Ok(None);
        }
        record.retried_in = run;
        record.release();
        record.todo = true;
        let events = record.events;
        let mark = Retried { run, events };
        commit.put(&retried_key(slip), &mark).map(Some)
    })?;
    Ok(found)
}
