//! What everyone who works on slips in one call shares: the session, what was looked up, and the tally. Decides nothing.

use std::cell::{Cell, RefCell};

use crate::{
    error::{Error, Result},
    rules::goods::Products,
    sync::{
        connection::Restored,
        orders::{plan::Known, records::Happened},
        own::{self, Kind},
        report::ImportProgress,
        smaregi_session::Smaregi,
        tenant::Tenant,
    },
};

/// After so many writes without an answer in one call, Smaregi is left alone: each costs a time-out.
const MOST_UNKNOWN: u32 = 3;

/// Whether to go on with a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Plan it again.
    Again,
    /// Leave it for a later call.
    Leave,
}

/// Counts of one call.
#[derive(Debug, Default)]
pub struct Tally {
    /// What became of which slip, in its order.
    done: RefCell<Vec<(String, Happened)>>,
    unknown: Cell<u32>,
    /// The first reason to begin nothing more.
    stop: RefCell<Option<Error>>,
}

impl Tally {
    /// This became of a slip.
    pub fn done(&self, slip: &str, happened: Happened) {
        self.done.borrow_mut().push((slip.to_owned(), happened));
    }

    /// A write was not answered.
    pub fn unknown(&self, error: Error) {
        self.unknown.set(self.unknown.get().saturating_add(1));
        if self.unknown.get() >= MOST_UNKNOWN {
            self.stop(error);
        }
    }

    /// Nothing more is to be begun; the first reason stands.
    pub fn stop(&self, error: Error) {
        self.stop.borrow_mut().get_or_insert(error);
    }

    /// Whether nothing more is to be begun.
    pub fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Adds the counts to a call's progress, and tells what they are of; the reason to stop, unless it is the budget, is the call's
    /// error.
    pub fn into_progress(self, progress: &mut ImportProgress) -> Result<Vec<(String, Happened)>> {
        let done = self.done.into_inner();
        for (_, happened) in &done {
            count(progress, *happened);
        }
        match self.stop.into_inner() {
            None => Ok(done),
            Some(Error::BudgetSpent) => {
                progress.more = true;
                Ok(done)
            }
            Some(error) => Err(error),
        }
    }
}

/// Counts what became of an order; what a person has to do for one that was taken in is no count.
pub fn count(progress: &mut ImportProgress, happened: Happened) {
    let number = match happened {
        Happened::Registered => &mut progress.registered,
        Happened::Undone => &mut progress.undone,
        Happened::Refused => &mut progress.refused,
        Happened::NeedsPerson => return,
    };
    *number = number.saturating_add(1);
}

/// The shared things.
pub struct Bench<'a> {
    /// The tenant.
    pub tenant: &'a Tenant<'a>,
    /// The way to Smaregi.
    pub session: &'a Smaregi<'a>,
    /// Everything looked up so far.
    pub products: &'a Products,
    /// 連携オン
    pub on: bool,
    /// 復元
    pub restored: Option<Restored>,
    /// The tally.
    pub tally: &'a Tally,
}

impl Bench<'_> {
    /// Kinds whose effect on stock is known by now.
    pub fn effects(&self) -> Result<Vec<Kind>> {
        let known = [Kind::Sale, Kind::Cancel, Kind::Dispose]
            .map(|kind| Ok((kind, own::effect(self.tenant, kind)?.is_some())));
        let known: Vec<(Kind, bool)> = known.into_iter().collect::<Result<_>>()?;
        Ok(known
            .into_iter()
            .filter_map(|(kind, known)| known.then_some(kind))
            .collect())
    }

    /// What is known, for planning.
    pub fn known<'b>(&'b self, effects: &'b [Kind]) -> Known<'b> {
        Known {
            settings: &self.tenant.settings,
            products: self.products,
            on: self.on,
            effects,
        }
    }
}
