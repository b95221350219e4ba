//! 再取込: letting refused orders go again, from what was read of them. Calls nobody; `work` does the rest.
//!
//! A retry may take several calls. It is one run, however many they are: what it let go and was refused again is
//! not let go a second time, or a run under a small budget would never end.

use chrono::TimeDelta;

use crate::{
    error::{Error, Result},
    sync::{
        orders::{
            journal,
            records::{self, REFUSED, RETRY_KEY, RetryRun, SlipRecord, slip_of},
        },
        products,
        report::RetryChoice,
        store::{self, Commit},
        tenant::Tenant,
    },
};

/// A run that nobody goes on with for so long is over.
pub(super) const ABANDONED: TimeDelta = TimeDelta::minutes(10);

/// Puts the chosen slips back into the queue. A slip that is not refused is left as it is.
pub fn release(tenant: &Tenant<'_>, choice: &RetryChoice) -> Result<()> {
    let released = match choice {
        RetryChoice::Slip(slip) => {
            let Some(seen) = records::slip(&tenant.ports, slip)? else {
                return Err(Error::NotFound("order", slip.clone()));
            };
            let run = go_on(tenant, Some(slip))?;
            again(tenant, &seen.value.slip, run)?
        }
        RetryChoice::AllRefused(_) => {
            let run = go_on(tenant, None)?;
            let mut released = false;
            for entry in store::list_all::<bool>(&tenant.ports, REFUSED)? {
                released |= again(tenant, slip_of(&entry.key), run)?;
            }
            released
        }
    };
    // Today's products: what was mended in Smaregi has to be seen.
    if released {
        products::forget_all(&tenant.ports)?;
    }
    Ok(())
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

/// `false` when it goes already, or went in this run.
fn again(tenant: &Tenant<'_>, slip: &str, run: u64) -> Result<bool> {
    let release = |record: &mut SlipRecord| {
        if !record.is_held() || record.retried_in == run {
            return None;
        }
        record.retried_in = run;
        record.release();
        record.todo = true;
        Some(())
    };
    journal::change(&tenant.ports, slip, |record, commit| {
        Ok(release(record).map(|()| commit))
    })
}
