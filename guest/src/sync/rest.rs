//! Letting what fails rest: each part of the schedule's work waits longer after each failure in a row, so that a standing refusal or an
//! outage does not cost a call a minute for ever. Decides no outcome; a caller who asks by hand is not held back.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, Side},
    reason::Reason,
    sync::{
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

/// Part of the schedule's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Orders whose effects were begun, or wait.
    Settle,
    /// The batch at Next Engine.
    Follow,
    /// Renewing the tokens.
    KeepAlive,
    /// Places hinted at.
    Read,
    /// What webhooks missed.
    CatchUp,
    /// Orders from Next Engine.
    Import,
    /// The next batch.
    Upload,
    /// Both sides' stock held against each other.
    Compare,
}

impl Part {
    /// All, in the order of the schedule.
    pub const ALL: [Self; 8] = [
        Self::Settle,
        Self::Follow,
        Self::KeepAlive,
        Self::Read,
        Self::CatchUp,
        Self::Import,
        Self::Upload,
        Self::Compare,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::Settle => "schedule/rest/settle",
            Self::Follow => "schedule/rest/follow",
            Self::KeepAlive => "schedule/rest/keep-alive",
            Self::Read => "schedule/rest/read",
            Self::CatchUp => "schedule/rest/catch-up",
            Self::Import => "schedule/rest/import",
            Self::Upload => "schedule/rest/upload",
            Self::Compare => "schedule/rest/compare",
        }
    }
}

/// A rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// Failures in a row.
    pub failures: u32,
    /// The last of them.
    pub since: Moment,
    /// Not before then.
    pub until: Moment,
    /// Why, for people.
    pub reason: Reason,
}

const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// Smaregi's calls are free, and an outage ends.
const LONGEST_OUTAGE: TimeDelta = TimeDelta::minutes(15);
/// Next Engine's cost money; and a refusal of Smaregi's is asked about as often.
const LONGEST_COMMON: TimeDelta = TimeDelta::minutes(60);
/// A refusal stays until somebody mends something; Next Engine's is paid for each time.
const FIRST_REFUSED: TimeDelta = TimeDelta::minutes(5);
const LONGEST_REFUSED: TimeDelta = TimeDelta::hours(6);

/// The rest that a part is taking now.
pub fn of(tenant: &Tenant<'_>, part: Part) -> Result<Option<Rest>> {
    let rest = store::read::<Rest>(&tenant.ports, part.key())?.map(|stored| stored.value);
    let now = tenant.now();
    // A clock that was set back must not make it longer.
    Ok(rest.filter(|rest| rest.since <= now && rest.until > now))
}

/// Notes how a part went. `least` is its pause when calls are to be saved. A spent budget and a busy lease say nothing.
pub fn note<T>(
    tenant: &Tenant<'_>,
    part: Part,
    result: &Result<T>,
    least: TimeDelta,
) -> Result<()> {
    let seen = store::read::<Rest>(&tenant.ports, part.key())?;
    let error = match (result, &seen) {
        (Ok(_), None)
        | (Err(Error::BudgetSpent | Error::Contended(..) | Error::Storage(..)), _) => {
            return Ok(());
        }
        (Ok(_), Some(_)) => return Commit::new().delete(part.key()).apply(&tenant.ports),
        (Err(error), _) => error,
    };
    let failures = seen.map_or(0, |seen| seen.value.failures).saturating_add(1);
    let now = tenant.now();
    let rest = Rest {
        failures,
        since: now,
        until: until(error, failures, now, least),
        reason: error.reason(),
    };
    Commit::new().put(part.key(), &rest)?.apply(&tenant.ports)
}

/// Lets a part rest until then, whatever was before: nothing failed, and there is no use in trying earlier.
pub fn put_off(tenant: &Tenant<'_>, part: Part, until: Moment, reason: Reason) -> Result<()> {
    let rest = Rest {
        failures: 0,
        since: tenant.now(),
        until,
        reason,
    };
    Commit::new().put(part.key(), &rest)?.apply(&tenant.ports)
}

fn until(error: &Error, failures: u32, now: Moment, least: TimeDelta) -> Moment {
    let doubled =
        |first: TimeDelta| first * 2_i32.saturating_pow(failures.saturating_sub(1).min(12));
    match error {
        Error::Unavailable(Side::NextEngine, _, at) => {
            let pause = doubled(FIRST_PAUSE)
                .max(least)
                .min(LONGEST_COMMON.max(least));
            (*at).max(now + pause)
        }
        Error::Unavailable(Side::Smaregi, _, at) => {
            (*at).max(now + doubled(FIRST_PAUSE).min(LONGEST_OUTAGE))
        }
        Error::Refused(Side::NextEngine, ..) => {
            now + doubled(FIRST_REFUSED.max(least)).min(LONGEST_REFUSED.max(least))
        }
        Error::Refused(..) => now + doubled(FIRST_REFUSED).min(LONGEST_COMMON),
        // Nothing is called then.
        _ => now + FIRST_PAUSE,
    }
}

/// Ends the rests of these parts, if any: a call by hand has just succeeded.
pub fn end(tenant: &Tenant<'_>, parts: &[Part]) -> Result<()> {
    let keys: Vec<String> = parts.iter().map(|part| part.key().to_owned()).collect();
    let rests = store::read_all::<Rest>(&tenant.ports, &keys)?;
    let commit = rests
        .iter()
        .flatten()
        .fold(Commit::new(), |commit, rest| commit.delete(&rest.key));
    if commit.is_empty() {
        Ok(())
    } else {
        commit.apply(&tenant.ports)
    }
}

/// Ends every rest: something was mended, or somebody asks by hand.
pub fn end_all(commit: Commit) -> Commit {
    Part::ALL
        .into_iter()
        .fold(commit, |commit, part| commit.delete(part.key()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reason::Text, sync::testing::Script};

    #[test]
    fn rests_grow_with_failures_and_end_with_success() {
        let script = Script::new();
        let tenant = script.tenant();
        let refused = || -> Result<()> {
            Err(Error::Refused(
                Side::NextEngine,
                "004001".to_owned(),
                Text::new("x", "x"),
            ))
        };
        let mut made = 0;
        let week = script.now.get() + TimeDelta::days(7);
        while script.now.get() < week {
            note(&tenant, Part::Import, &refused(), TimeDelta::minutes(15)).unwrap();
            made += 1;
            let rest = of(&tenant, Part::Import).unwrap().unwrap();
            assert!(rest.until - script.now.get() >= TimeDelta::minutes(15));
            script.now.set(rest.until);
        }
        assert!(
            made < 35,
            "{made} calls in a week to learn that it is still refused"
        );
        note(&tenant, Part::Import, &Ok(()), TimeDelta::zero()).unwrap();
        note(&tenant, Part::Import, &refused(), TimeDelta::zero()).unwrap();
        assert_eq!(of(&tenant, Part::Import).unwrap().unwrap().failures, 1);
        end(&tenant, &[Part::Upload]).unwrap();
        assert!(of(&tenant, Part::Import).unwrap().is_some());
        end(&tenant, &[Part::Import]).unwrap();
        assert_eq!(of(&tenant, Part::Import).unwrap(), None);
    }

    #[test]
    fn every_failure_waits_longer_up_to_what_its_kind_is_worth() {
        let now = Script::new().now.get();
        let text = || Text::new("x", "x");
        let outage = |side| Error::Unavailable(side, text(), now);
        let refused = |side| Error::Refused(side, "x".to_owned(), text());
        let login = Error::LoginNeeded(now, text());
        for (error, first, second, longest) in [
            (outage(Side::NextEngine), 1, 2, 60),
            (outage(Side::Smaregi), 1, 2, 15),
            (refused(Side::NextEngine), 5, 10, 360),
            (refused(Side::Smaregi), 5, 10, 60),
            (login, 1, 1, 1),
        ] {
            let minutes = [1, 2, 30].map(|failures| {
                let until = until(&error, failures, now, TimeDelta::zero());
                (until - now).num_minutes()
            });
            assert_eq!(minutes, [first, second, longest], "{error:?}");
        }
        let later = now + TimeDelta::hours(3);
        let maintenance = Error::Unavailable(Side::Smaregi, text(), later);
        assert_eq!(until(&maintenance, 1, now, TimeDelta::zero()), later);
    }

    #[test]
    fn a_rest_is_over_in_the_second_in_which_it_ends() {
        let script = Script::new();
        let tenant = script.tenant();
        let failed: Result<()> = Err(Error::LoginNeeded(script.now.get(), Text::new("x", "x")));
        note(&tenant, Part::Read, &failed, TimeDelta::zero()).unwrap();
        let rest = of(&tenant, Part::Read).unwrap().unwrap();
        script.now.set(rest.until - TimeDelta::seconds(1));
        assert!(of(&tenant, Part::Read).unwrap().is_some());
        script.now.set(rest.until);
        assert_eq!(of(&tenant, Part::Read), Ok(None));
        script.now.set(rest.since - TimeDelta::seconds(1));
        assert_eq!(of(&tenant, Part::Read), Ok(None), "the clock was set back");
    }

    #[test]
    fn an_outage_waits_for_the_time_it_was_given() {
        let now = Script::new().now.get();
        let at = now + TimeDelta::minutes(40);
        let error = Error::Unavailable(Side::NextEngine, Text::new("x", "x"), at);
        assert_eq!(until(&error, 1, now, TimeDelta::zero()), at);
        assert_eq!(
            until(&error, 30, now, TimeDelta::zero()),
            now + LONGEST_COMMON
        );
    }
}
