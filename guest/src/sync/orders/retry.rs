//! 再取込: letting refused orders go again, from what was read of them. Calls nobody; `work` does the rest.

use crate::{
    error::{Error, Result},
    sync::{
        orders::{
            journal,
            records::{self, REFUSED, SlipRecord, slip_of},
        },
        report::RetryChoice,
        store,
        tenant::Tenant,
    },
};

/// Puts the chosen slips back into the queue. A slip that is not refused is left as it is.
pub fn release(tenant: &Tenant<'_>, choice: &RetryChoice) -> Result<()> {
    match choice {
        RetryChoice::Slip(slip) => {
            let Some(seen) = records::slip(&tenant.ports, slip)? else {
                return Err(Error::NotFound("order", slip.clone()));
            };
            again(tenant, &seen.value.slip)
        }
        RetryChoice::AllRefused(_) => {
            for entry in store::list_all::<bool>(&tenant.ports, REFUSED)? {
                again(tenant, slip_of(&entry.key))?;
            }
            Ok(())
        }
    }
}

fn again(tenant: &Tenant<'_>, slip: &str) -> Result<()> {
    let release = |record: &mut SlipRecord| {
        let trouble = record.trouble.as_mut()?;
        trouble.again = true;
        record.todo = true;
        Some(())
    };
    journal::change(&tenant.ports, slip, |record, commit| {
        Ok(release(record).map(|()| commit))
    })
    .map(|_| ())
}
