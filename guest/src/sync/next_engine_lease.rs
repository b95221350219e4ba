//! One at a time toward Next Engine (design: a lease in storage): its service asks not to be called in parallel for one user.
//! Whoever lost the lease can no longer write what the lease protects. Makes no call itself.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    ports::Check,
    sync::{
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

/// Its key, also its name in errors.
pub const LEASE_KEY: &str = "next-engine/lease";

/// Twice the time a request may take, so that an honoured lease outlives every request made under it.
const LENGTH: TimeDelta = TimeDelta::seconds(120);
/// When somebody was quicker by a moment.
const SOON: TimeDelta = TimeDelta::seconds(1);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    number: u64,
    holder: u64,
    until: Moment,
}

/// A lease that is held.
pub struct Lease {
    holder: u64,
    number: u64,
    revision: u64,
}

impl Lease {
    /// Takes it, or says when it is worth trying again.
    pub fn take(tenant: &Tenant<'_>) -> Result<Self> {
        let seen = store::read::<Record>(&tenant.ports, LEASE_KEY)?;
        let now = tenant.now();
        if let Some(seen) = &seen
            && seen.value.until > now
            // Nobody takes it for longer: the clock was set back since.
            && seen.value.until <= now + LENGTH
        {
            return Err(Error::Contended(LEASE_KEY.to_owned(), seen.value.until));
        }
        let number = seen
            .as_ref()
            .map_or(1, |seen| seen.value.number.saturating_add(1));
        let mut lease = Self {
            holder: tenant.ports.random.next(),
            number,
            revision: 0,
        };
        let commit = Commit::new().check(LEASE_KEY, seen.as_ref());
        lease.write(tenant, commit, now + LENGTH)?;
        Ok(lease)
    }

    /// Holds it for longer, together with whatever else the commit writes.
    pub fn renew(&mut self, tenant: &Tenant<'_>, commit: Commit) -> Result<()> {
        self.write(tenant, commit.fence(self.fence()), tenant.now() + LENGTH)
    }

    /// What every write under the lease must check.
    pub fn fence(&self) -> Check {
        Check {
            key: LEASE_KEY.to_owned(),
            revision: Some(self.revision),
        }
    }

    /// Gives it back. One that was lost needs no giving back.
    pub fn release(self, tenant: &Tenant<'_>) -> Result<()> {
        let record = Record {
            number: self.number,
            holder: self.holder,
            until: tenant.now(),
        };
        Commit::new()
            .fence(self.fence())
            .put(LEASE_KEY, &record)?
            .try_apply(&tenant.ports)?;
        Ok(())
    }

    fn write(&mut self, tenant: &Tenant<'_>, commit: Commit, until: Moment) -> Result<()> {
        let lost = || Error::Contended(LEASE_KEY.to_owned(), tenant.now() + SOON);
        let record = Record {
            number: self.number,
            holder: self.holder,
            until,
        };
        if !commit.put(LEASE_KEY, &record)?.try_apply(&tenant.ports)? {
            return Err(lost());
        }
        // Storage gives revisions only to readers; between our write and this read somebody may have taken an expired lease.
        let now = store::read::<Record>(&tenant.ports, LEASE_KEY)?.ok_or_else(lost)?;
        if (now.value.holder, now.value.number) != (self.holder, self.number) {
            return Err(lost());
        }
        self.revision = now.revision;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::Script;

    #[test]
    fn a_lease_is_held_from_its_last_renewal_until_it_ends_or_is_given_back() {
        let script = Script::new();
        let tenant = script.tenant();
        let pass = |seconds| {
            script
                .now
                .set(script.now.get() + TimeDelta::seconds(seconds))
        };
        let mut held = Lease::take(&tenant).unwrap();
        pass(100);
        held.renew(&tenant, Commit::new()).unwrap();
        pass(119);
        let until = script.now.get() + TimeDelta::seconds(1);
        let contended = Error::Contended(LEASE_KEY.to_owned(), until);
        assert_eq!(Lease::take(&tenant).err(), Some(contended));
        pass(1);
        let next = Lease::take(&tenant).unwrap();
        let lost = held.renew(&tenant, Commit::new()).unwrap_err();
        let soon = script.now.get() + SOON;
        assert_eq!(lost, Error::Contended(LEASE_KEY.to_owned(), soon));
        next.release(&tenant).unwrap();
        assert!(Lease::take(&tenant).is_ok());
    }

    #[test]
    fn a_lease_without_end_is_a_clock_set_back() {
        let script = Script::new();
        let tenant = script.tenant();
        let now = script.now.get();
        script.now.set(now + TimeDelta::seconds(1));
        let _ahead = Lease::take(&tenant).unwrap();
        script.now.set(now);
        assert!(Lease::take(&tenant).is_ok());
    }
}
