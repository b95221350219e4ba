//! The component's imports over the world of answers that are given from a list: storage in memory, a clock that stands, numbers that are the
//! same in each run.

use std::time::Duration;

use tsunagi_guest::ports::{Check, StorageFailure, Write};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::{
    HostWallClock,
    p2::{
        DynPollable, Pollable,
        bindings::{clocks::monotonic_clock, random::random},
        subscribe,
    },
};

use super::{World, wasm::CallState};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "package tsunagi:replayed; world host { import tsunagi:connector/storage@0.1.0; }",
        world: "tsunagi:replayed/host",
        imports: { default: trappable },
    });
}
use bindings::tsunagi::connector::storage as wit;

/// A wait as long as this is a time-out, and never over; a shorter one keeps a pace, and is over at once.
const TIME_OUT: Duration = Duration::from_secs(20);

/// Links all of them, over what is linked already.
pub fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    wit::add_to_linker::<CallState, Lent>(linker, CallState::lent)?;
    monotonic_clock::add_to_linker::<CallState, Lent>(linker, CallState::lent)?;
    random::add_to_linker::<CallState, Lent>(linker, CallState::lent)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A clock that stands at this second.
pub struct Still(pub i64);

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.0.unsigned_abs())
    }
}

struct Lent;

impl HasData for Lent {
    type Data<'a> = View<'a>;
}

/// What an import needs, borrowed for one call.
pub struct View<'a> {
    /// Everything outside.
    pub world: &'a World,
    /// The instance's.
    pub table: &'a mut ResourceTable,
}

impl wit::Host for View<'_> {
    fn get(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<wit::Entry>>, wit::StorageError>> {
        let found = self.world.act(|state| state.memory.get(&keys));
        Ok(Ok(found
            .into_iter()
            .map(|entry| entry.map(shown))
            .collect()))
    }

    fn scan(
        &mut self,
        range: wit::KeyRange,
        direction: wit::Direction,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Entry>, wit::StorageError>> {
        let backward = direction == wit::Direction::Backward;
        let found = self
            .world
            .act(|state| state.memory.scan(&range.start, &range.end, backward, limit));
        Ok(Ok(found.into_iter().map(shown).collect()))
    }

    fn commit(
        &mut self,
        checks: Vec<wit::Check>,
        writes: Vec<wit::Write>,
    ) -> wasmtime::Result<Result<(), wit::StorageError>> {
        let checks = checks.into_iter().map(|check| Check {
            key: check.key,
            revision: check.revision,
        });
        let writes = writes.into_iter().map(|write| Write {
            key: write.key,
            value: write.value,
        });
        let (checks, writes): (Vec<_>, Vec<_>) = (checks.collect(), writes.collect());
        let done = self
            .world
            .act(|state| state.memory.commit(&checks, &writes));
        Ok(done.map_err(|failure| match failure {
            StorageFailure::Conflict(key) => wit::StorageError::Conflict(key),
            StorageFailure::Unavailable(why) => wit::StorageError::Unavailable(why),
        }))
    }
}

fn shown(entry: tsunagi_guest::ports::Entry) -> wit::Entry {
    wit::Entry {
        key: entry.key,
        revision: entry.revision,
        value: entry.value,
    }
}

/// A wait.
struct Wait(bool);

#[async_trait::async_trait]
impl Pollable for Wait {
    async fn ready(&mut self) {
        if !self.0 {
            std::future::pending::<()>().await;
        }
    }
}

impl View<'_> {
    fn wait(&mut self, duration: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        let wait = self.table.push(Wait(duration < TIME_OUT))?;
        subscribe(self.table, wait)
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(0)
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        Ok(1_000_000)
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.wait(Duration::from_nanos(when))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.wait(Duration::from_nanos(duration))
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        Ok((0..len)
            .map(|_| self.world.state().roll().to_le_bytes()[0])
            .collect())
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.world.state().roll())
    }
}
