//! How often スマレジ may be asked (smaregi.md 1, second-hand numbers). It must not know what is asked.

use serde::{Deserialize, Serialize};

use super::answer::Problem;
use crate::clock::SandboxClock;

/// Which limits are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limits {
    /// 50 reads and 20 writes a second.
    #[default]
    Production,
    /// 10 reads and 4 writes a second.
    Sandbox,
    /// None.
    None,
}

impl Limits {
    /// Reads and writes a second.
    fn most(self) -> Option<(u32, u32)> {
        match self {
            Self::Production => Some((50, 20)),
            Self::Sandbox => Some((10, 4)),
            Self::None => None,
        }
    }
}

/// Requests in the current second.
#[derive(Clone, Default)]
pub struct Pace {
    /// The limits.
    pub limits: Limits,
    /// Whether seconds are counted by real time, so that a clock that stands still has them, too.
    pub real_time: bool,
    second: i64,
    reads: u32,
    writes: u32,
}

impl Pace {
    /// Counts one; refuses it beyond the limit. A clock that stands still has no seconds, so nothing is counted on it unless real
    /// time is asked for.
    pub fn count(&mut self, clock: &SandboxClock, write: bool) -> Result<(), Problem> {
        let Some((most_reads, most_writes)) = self.limits.most() else {
            return Ok(());
        };
        let second = match (self.real_time, clock.is_held()) {
            (true, _) => clock.real_seconds(),
            (false, true) => return Ok(()),
            (false, false) => clock.now().timestamp(),
        };
        if second != self.second {
            (self.second, self.reads, self.writes) = (second, 0, 0);
        }
        let (count, most) = if write {
            (&mut self.writes, most_writes)
        } else {
            (&mut self.reads, most_reads)
        };
        *count += 1;
        if *count > most {
            Err(Problem::too_many(1))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_counted_on_a_held_clock_only_when_asked_to() {
        let clock = SandboxClock::held_at(chrono::DateTime::UNIX_EPOCH.fixed_offset());
        // limits, real time, writes of a burst of 60 that are refused at least
        for (limits, real_time, refused) in [
            (Limits::Production, false, 0),
            (Limits::Production, true, 1),
            (Limits::Sandbox, true, 20),
            (Limits::None, true, 0),
        ] {
            let mut pace = Pace {
                limits,
                real_time,
                ..Pace::default()
            };
            let found = (0..60)
                .filter(|_| pace.count(&clock, true).is_err())
                .count();
            assert!(
                found >= refused && (found > 0) == (refused > 0),
                "{limits:?} {found}"
            );
        }
    }
}
