//! What everyone who works on slips in one call shares: the session, what was looked up, and the tally. Decides nothing.

use std::cell::{Cell, RefCell};

use crate::{
    error::{Error, Result},
    rules::goods::Products,
    sync::{
        connection::Restored,
        orders::plan::Known,
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
    registered: Cell<u32>,
    undone: Cell<u32>,
    refused: Cell<u32>,
    unknown: Cell<u32>,
    /// The first reason to begin nothing more.
    stop: RefCell<Option<Error>>,
}

impl Tally {
    /// A transaction was registered.
    pub fn registered(&self) {
        self.registered.set(self.registered.get().saturating_add(1));
    }

    /// One was undone.
    pub fn undone(&self) {
        self.undone.set(self.undone.get().saturating_add(1));
    }

    /// An order was refused.
    pub fn refused(&self) {
        self.refused.set(self.refused.get().saturating_add(1));
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

    /// Adds the counts to a call's progress; the reason to stop, unless it is the budget, is the call's error.
    pub fn into_progress(self, progress: &mut ImportProgress) -> Result<()> {
        progress.registered = progress.registered.saturating_add(self.registered.get());
        progress.undone = progress.undone.saturating_add(self.undone.get());
        progress.refused = progress.refused.saturating_add(self.refused.get());
        match self.stop.into_inner() {
            None => Ok(()),
            Some(Error::BudgetSpent) => {
                progress.more = true;
                Ok(())
            }
            Some(error) => Err(error),
        }
    }
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
