//! WASI's clocks over the shared clock. The monotonic one replaces wasmtime's, whose sleeps would follow the machine's time even
//! where a test moves the clock by hand.

use std::time::Duration;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock,
    p2::{DynPollable, Pollable, bindings::clocks::monotonic_clock, subscribe},
};

use super::state::CallState;
use crate::clock::{GuestSleep, SharedClock};

/// `wasi:clocks/wall-clock`
pub struct Wall(pub SharedClock);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        (self.0.now() - chrono::DateTime::UNIX_EPOCH)
            .to_std()
            .unwrap_or_default()
    }
}

/// `wasi:clocks/monotonic-clock`, its reading.
pub struct Monotonic(pub SharedClock);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        nanoseconds(&self.0)
    }
}

fn nanoseconds(clock: &SharedClock) -> u64 {
    u64::try_from(clock.monotonic().as_nanos()).unwrap_or(u64::MAX)
}

/// The clock and where sleeps are kept, borrowed for one import call.
pub struct Sleeping<'a> {
    /// The shared clock.
    pub clock: &'a SharedClock,
    /// The instance's resources.
    pub table: &'a mut ResourceTable,
}

struct HasSleeping;

impl HasData for HasSleeping {
    type Data<'a> = Sleeping<'a>;
}

/// Links `wasi:clocks/monotonic-clock` over what is linked already.
pub fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<CallState, HasSleeping>(linker, CallState::sleeping)?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Pending(GuestSleep);

#[async_trait::async_trait]
impl Pollable for Pending {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}

impl Sleeping<'_> {
    fn begin(&mut self, duration: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        let sleep = self
            .table
            .push(Pending(GuestSleep::begin(self.clock.clone(), duration)))?;
        subscribe(self.table, sleep)
    }
}

impl monotonic_clock::Host for Sleeping<'_> {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(nanoseconds(self.clock))
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        Ok(1_000_000)
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.begin(Duration::from_nanos(
            when.saturating_sub(nanoseconds(self.clock)),
        ))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.begin(Duration::from_nanos(duration))
    }
}
