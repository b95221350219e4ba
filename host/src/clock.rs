//! Time as the host sees it: the system's, or one that a test or the sandbox moves by hand.
//! Nothing else in the host may ask the operating system what time it is: leases, time-outs and the schedule follow this.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, Offset, TimeDelta, Utc};
use tsunagi_sandbox::SandboxClock;

/// How long a guest's sleep lasts in real time, at most, on a clock that stands still. Longer sleeps up to [`PACE`] then move
/// the clock instead, so a test of a slow pace is quick.
const HELD_SLEEP: Duration = Duration::from_millis(1);

/// The longest sleep that is taken for keeping a pace. A longer one is taken for a time-out, which a standing clock must
/// never bring about by itself.
const PACE: Duration = Duration::from_secs(20);

/// Japan's time, all year: what shops read.
pub fn japan() -> FixedOffset {
    // Only an offset of a day or more is none.
    FixedOffset::east_opt(9 * 3_600).unwrap_or_else(|| Utc.fix())
}

/// A clock that every part of the host shares.
pub type SharedClock = Arc<dyn Clock>;

/// Where time comes from. Cheap to ask.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// Time since some fixed point; never smaller than at an earlier reading, if the clock is never set back.
    fn monotonic(&self) -> Duration;

    /// How long waiting for a date may go on before the clock must be read again. Short where somebody may move the clock.
    fn look_again_after(&self) -> Duration;

    /// Whether somebody moves it by hand. A clock that runs by itself is waited for in one piece, by the machine's own monotonic
    /// time.
    fn is_moved_by_hand(&self) -> bool;

    /// Asked when a guest slept on a clock that stood still: makes `to` the present instant. A clock that runs does nothing.
    fn move_to(&self, to: DateTime<Utc>);
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that runs.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn look_again_after(&self) -> Duration {
        // The wall clock may be set and the machine may be suspended; a minute late is early enough.
        Duration::from_secs(60)
    }

    fn is_moved_by_hand(&self) -> bool {
        false
    }

    fn move_to(&self, _to: DateTime<Utc>) {}
}

/// The sandbox's clock drives the host too, so that both services, the leases and the schedule agree about the time.
impl Clock for SandboxClock {
    fn now(&self) -> DateTime<Utc> {
        SandboxClock::now(self).with_timezone(&Utc)
    }

    fn monotonic(&self) -> Duration {
        let since_1970 = Clock::now(self) - DateTime::UNIX_EPOCH;
        since_1970.to_std().unwrap_or_default()
    }

    fn look_again_after(&self) -> Duration {
        Duration::from_millis(2)
    }

    fn is_moved_by_hand(&self) -> bool {
        true
    }

    fn move_to(&self, to: DateTime<Utc>) {
        if Clock::now(self) < to {
            self.set(to.fixed_offset());
        }
    }
}

/// Waits until the clock has reached `deadline`; on a clock that is moved by hand, until somebody moves it there.
pub async fn wait_until(clock: &dyn Clock, deadline: DateTime<Utc>) {
    while let Ok(left) = (deadline - clock.now()).to_std()
        && !left.is_zero()
    {
        tokio::time::sleep(left.min(clock.look_again_after())).await;
    }
}

/// A guest's sleep, by monotonic time: setting the wall clock makes it neither longer nor shorter. On a clock that stands still,
/// one of at most 20 seconds ends almost at once and moves the clock; a longer one waits until somebody moves it.
pub struct GuestSleep {
    clock: SharedClock,
    /// On the monotonic clock; `None`: further away than a duration can say.
    deadline: Option<Duration>,
    paces: bool,
}

impl GuestSleep {
    /// Begins it now.
    pub fn begin(clock: SharedClock, duration: Duration) -> Self {
        let deadline = clock.monotonic().checked_add(duration);
        Self {
            clock,
            deadline,
            paces: duration <= PACE,
        }
    }

    /// Waits for its end. May be given up and asked again.
    pub async fn ready(&self) {
        let Some(deadline) = self.deadline else {
            return std::future::pending().await;
        };
        while let Some(left) = deadline.checked_sub(self.clock.monotonic())
            && !left.is_zero()
        {
            if self.clock.is_moved_by_hand() {
                self.held(left).await;
            } else {
                tokio::time::sleep(left).await;
            }
        }
    }

    /// A moment of a sleep on a clock that is moved by hand. Several sleeps may share one that stands: each moves it once it has
    /// not moved for a moment.
    async fn held(&self, left: Duration) {
        let seen = self.clock.now();
        tokio::time::sleep(left.min(HELD_SLEEP)).await;
        if self.paces
            && self.clock.now() == seen
            && let Ok(left) = TimeDelta::from_std(left)
        {
            self.clock.move_to(seen + left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> SandboxClock {
        SandboxClock::held_at(DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap())
    }

    #[tokio::test]
    async fn a_short_guest_sleep_moves_a_clock_that_stands_still() {
        let clock = held();
        let before = Clock::now(&clock);
        GuestSleep::begin(Arc::new(clock.clone()), Duration::from_secs(10))
            .ready()
            .await;
        assert_eq!(Clock::now(&clock) - before, TimeDelta::seconds(10));
    }

    #[tokio::test]
    async fn a_long_guest_sleep_waits_until_somebody_moves_the_clock() {
        let clock = held();
        let mover = clock.clone();
        let sleep = GuestSleep::begin(Arc::new(clock.clone()), Duration::from_secs(60));
        let early = tokio::time::timeout(Duration::from_millis(50), sleep.ready()).await;
        assert!(early.is_err(), "ended although nobody moved the clock");
        mover.advance(Duration::from_secs(61));
        sleep.ready().await;
    }

    /// Runs by itself, and its wall clock is set back an hour while somebody sleeps.
    struct SetBack(SystemClock, std::sync::atomic::AtomicBool);

    impl Clock for SetBack {
        fn now(&self) -> DateTime<Utc> {
            let back = self.1.swap(true, std::sync::atomic::Ordering::Relaxed);
            Utc::now() - TimeDelta::hours(i64::from(back))
        }
        fn monotonic(&self) -> Duration {
            self.0.monotonic()
        }
        fn look_again_after(&self) -> Duration {
            Duration::from_secs(60)
        }
        fn is_moved_by_hand(&self) -> bool {
            false
        }
        fn move_to(&self, _to: DateTime<Utc>) {}
    }

    #[tokio::test]
    async fn setting_the_wall_clock_back_makes_no_sleep_longer() {
        let clock = Arc::new(SetBack(SystemClock::new(), false.into()));
        clock.now();
        let sleep = GuestSleep::begin(clock, Duration::from_millis(30));
        tokio::time::timeout(Duration::from_secs(5), sleep.ready())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_running_clock_lets_a_sleep_last() {
        let begun = Instant::now();
        GuestSleep::begin(Arc::new(SystemClock::new()), Duration::from_millis(30))
            .ready()
            .await;
        assert!(begun.elapsed() >= Duration::from_millis(29));
    }
}
