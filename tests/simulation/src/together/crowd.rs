//! Next Engine's door: who is inside together, and whether the lease of each should have kept the other out; and which writes are on
//! their way to either service. It looks at commits only for the moment at which a lease was written.

use std::{cell::Cell, collections::BTreeMap};

use chrono::TimeDelta;
use tsunagi_guest::{ports::Write, sync::next_engine_lease::LEASE_KEY};
use tsunagi_sandbox::ServiceName;

use crate::world::Moment;

/// What the guest promises to hold a lease for after each writing of it.
pub const LEASE_LASTS: TimeDelta = TimeDelta::seconds(120);

/// Until when an instance may believe that nobody else is at Next Engine.
#[derive(Debug, Clone, Default)]
pub struct Lease {
    seen: Cell<Option<Moment>>,
    until: Cell<Option<Moment>>,
}

impl Lease {
    /// The instance looks at the clock; what it writes next is dated by that, however late the commit is.
    pub fn saw(&self, now: Moment) -> Moment {
        self.seen.set(Some(now));
        now
    }

    /// Sees a commit of the instance.
    pub fn committed(&self, writes: &[Write], done: bool) {
        if done && writes.iter().any(|write| write.key == LEASE_KEY) {
            self.until
                .set(self.seen.get().map(|seen| seen + LEASE_LASTS));
        }
    }

    /// Until then; `None` without any.
    pub fn until(&self) -> Option<Moment> {
        self.until.get()
    }
}

/// Requests to Next Engine under way, each with its sender's lease.
#[derive(Debug, Clone, Default)]
pub struct Crowd {
    inside: BTreeMap<u64, Option<Moment>>,
    entered: u64,
    excused: bool,
    /// Writes on their way that nobody can refuse when they are late.
    late: BTreeMap<u64, ServiceName>,
}

impl Crowd {
    /// A request leaves. Gives its place, and what is wrong with it: no lease at all, or two whose leases both hold.
    pub fn enter(&mut self, now: Moment, until: Option<Moment>) -> (u64, Option<String>) {
        let holds = |until: Option<Moment>| until.is_some_and(|until| now < until);
        let mut breach = None;
        if until.is_none() {
            breach = Some("a request to Next Engine without a lease".to_owned());
        }
        for other in self.inside.values() {
            if holds(until) && holds(*other) {
                breach = Some("two at Next Engine while both leases hold".to_owned());
            } else {
                self.excused = true;
            }
        }
        self.entered += 1;
        self.inside.insert(self.entered, until);
        (self.entered, breach)
    }

    /// It is over.
    pub fn leave(&mut self, place: u64) {
        self.inside.remove(&place);
        self.late.remove(&place);
    }

    /// A write leaves that nobody can refuse when it is late.
    pub fn set_out(&mut self, service: ServiceName) -> u64 {
        self.entered += 1;
        self.late.insert(self.entered, service);
        self.entered
    }

    /// The write on its way that may be late the least, if any.
    pub fn late(&self) -> Option<ServiceName> {
        let mut services = self.late.values();
        let smaregi = services
            .clone()
            .find(|service| **service == ServiceName::Smaregi);
        smaregi.or(services.next()).copied()
    }

    /// Whether two met because a lease had run out.
    pub fn is_excused(&self) -> bool {
        self.excused
    }
}
