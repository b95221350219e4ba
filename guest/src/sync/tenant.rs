//! What every flow takes: the ports, the tenant's settings and the call's budget. Makes no call itself.

use std::{cell::Cell, time::Duration};

use crate::{
    error::{Error, Result, Side},
    ports::Ports,
    reason::Text,
    settings::Settings,
    sync::{meter::Tally, store},
    time::Moment,
};

/// Where the settings are kept.
pub const SETTINGS_KEY: &str = "settings";

/// What one call may spend.
#[derive(Debug)]
pub struct Budget {
    whole: u32,
    requests: Cell<u32>,
    until: Moment,
}

impl Budget {
    /// So many requests and seconds from now.
    pub fn new(ports: &Ports<'_>, requests: u32, seconds: u32) -> Self {
        let span = Duration::from_secs(u64::from(seconds));
        Self {
            whole: requests,
            requests: Cell::new(requests),
            until: ports.clock.now() + span,
        }
    }

    /// Pays for one request, or says that nothing is left.
    pub fn spend(&self, now: Moment) -> Result<()> {
        match self.requests.get().checked_sub(1) {
            Some(left) if now < self.until => {
                self.requests.set(left);
                Ok(())
            }
            _ => Err(Error::BudgetSpent),
        }
    }

    /// Whether nothing of it was spent yet.
    pub fn is_whole(&self) -> bool {
        self.left() == self.whole
    }

    /// How many requests are left.
    pub fn left(&self) -> u32 {
        self.requests.get()
    }
}

/// One tenant in one call.
pub struct Tenant<'a> {
    /// The outside.
    pub ports: Ports<'a>,
    /// As stored when the call began.
    pub settings: Settings,
    /// Shared by everything the call does.
    pub budget: Budget,
    /// Calls that are counted when the export ends.
    pub tally: Tally,
}

impl<'a> Tenant<'a> {
    /// Reads the settings. Without any the tenant is not connected to anything.
    pub fn open(ports: Ports<'a>, requests: u32, seconds: u32) -> Result<Self> {
        let settings = settings(&ports)?.ok_or_else(|| {
            Error::NotConnected(
                Side::Smaregi,
                Text::new("まだ設定がありません。", "There are no settings yet."),
            )
        })?;
        let budget = Budget::new(&ports, requests, seconds);
        Ok(Self::of(ports, settings, budget))
    }

    /// For looking at what is stored, which needs no settings and may make no request.
    pub fn look(ports: Ports<'a>) -> Result<Self> {
        let settings = settings(&ports)?.unwrap_or_default();
        let budget = Budget::new(&ports, 0, 0);
        Ok(Self::of(ports, settings, budget))
    }

    fn of(ports: Ports<'a>, settings: Settings, budget: Budget) -> Self {
        Self {
            ports,
            settings,
            budget,
            tally: Tally::default(),
        }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.ports.clock.now()
    }
}

fn settings(ports: &Ports<'_>) -> Result<Option<Settings>> {
    Ok(store::read::<Settings>(ports, SETTINGS_KEY)?.map(|stored| stored.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::Script;

    #[test]
    fn a_budget_ends_with_its_requests_or_with_its_time() {
        let script = Script::new();
        let budget = Budget::new(&script.ports(), 3, 60);
        assert!(budget.is_whole());
        let after = |seconds| script.now.get() + Duration::from_secs(seconds);
        assert_eq!(budget.spend(after(59)), Ok(()));
        assert_eq!(budget.spend(after(60)), Err(Error::BudgetSpent));
        assert_eq!((budget.left(), budget.is_whole()), (2, false));
        assert_eq!(
            [budget.spend(after(0)), budget.spend(after(0))],
            [Ok(()), Ok(())]
        );
        assert_eq!(budget.spend(after(0)), Err(Error::BudgetSpent));
    }
}
