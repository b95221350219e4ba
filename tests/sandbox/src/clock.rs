//! The sandbox's own time, in Japan time: following the system with an offset, or held still.
//! It must not be read from anywhere but here: neither service asks the operating system.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, FixedOffset, Offset, TimeDelta, Utc};

use crate::lock;

/// Seconds Japan is ahead of UTC; both services speak Japan time (next-engine.md 6, smaregi.md 2).
const JST_SECONDS: i32 = 9 * 3600;

/// The zone of every instant inside the sandbox, `+09:00`.
pub fn jst() -> FixedOffset {
    // `east_opt` only refuses offsets of a day or more; the fallback is never taken.
    FixedOffset::east_opt(JST_SECONDS).unwrap_or_else(|| Utc.fix())
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    /// Follows the system's clock, shifted.
    System { offset: TimeDelta },
    /// Stands still until somebody moves it.
    Held { at: DateTime<FixedOffset> },
}

/// A clock that tests own. Clones share the same time.
#[derive(Debug, Clone)]
pub struct SandboxClock(Arc<Mutex<Mode>>, Instant);

impl SandboxClock {
    /// A clock that follows the system's.
    pub fn system() -> Self {
        Self::with(Mode::System {
            offset: TimeDelta::zero(),
        })
    }

    /// A clock that stands at `instant` until it is moved.
    pub fn held_at(instant: DateTime<FixedOffset>) -> Self {
        Self::with(Mode::Held {
            at: instant.with_timezone(&jst()),
        })
    }

    fn with(mode: Mode) -> Self {
        Self(Arc::new(Mutex::new(mode)), Instant::now())
    }

    /// The present instant, `+09:00`.
    pub fn now(&self) -> DateTime<FixedOffset> {
        match *lock(&self.0) {
            Mode::System { offset } => system_now() + offset,
            Mode::Held { at } => at,
        }
    }

    /// Moves the time forward by `step`, in either mode.
    pub fn advance(&self, step: Duration) {
        let step = TimeDelta::from_std(step).unwrap_or(TimeDelta::MAX);
        match &mut *lock(&self.0) {
            Mode::System { offset } => *offset = offset.checked_add(&step).unwrap_or(*offset),
            Mode::Held { at } => *at = at.checked_add_signed(step).unwrap_or(*at),
        }
    }

    /// Makes `instant` the present: a held clock stays held, a running one runs on from there.
    pub fn set(&self, instant: DateTime<FixedOffset>) {
        match &mut *lock(&self.0) {
            Mode::System { offset } => *offset = instant.with_timezone(&jst()) - system_now(),
            Mode::Held { at } => *at = instant.with_timezone(&jst()),
        }
    }

    /// Stops the clock at its present instant.
    pub fn hold(&self) {
        let at = self.now();
        *lock(&self.0) = Mode::Held { at };
    }

    /// Whole seconds of real time since the clock was made, whatever its mode: for what counts per second on a held clock.
    pub fn real_seconds(&self) -> i64 {
        i64::try_from(self.1.elapsed().as_secs()).unwrap_or(i64::MAX)
    }

    /// Whether it stands still.
    pub fn is_held(&self) -> bool {
        matches!(*lock(&self.0), Mode::Held { .. })
    }

    /// Lets the clock run again from its present instant.
    pub fn run(&self) {
        let offset = self.now() - system_now();
        *lock(&self.0) = Mode::System { offset };
    }
}

fn system_now() -> DateTime<FixedOffset> {
    DateTime::<Utc>::from(SystemTime::now()).with_timezone(&jst())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_clock_moves_only_by_hand_and_is_shared_by_clones() {
        let start = DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
        let clock = SandboxClock::held_at(start);
        let other = clock.clone();
        other.advance(Duration::from_secs(90));
        assert_eq!(clock.now() - start, TimeDelta::seconds(90));
        clock.set(start);
        assert_eq!(other.now(), start);
    }

    #[test]
    fn a_running_clock_can_be_shifted_and_stopped() {
        let clock = SandboxClock::system();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        clock.hold();
        let held = clock.now();
        assert!(held - before >= TimeDelta::hours(1));
        assert_eq!(clock.now(), held);
    }
}
