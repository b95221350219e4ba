//! The component's imports over the simulated world: storage, clocks, random, waiting. They meet their faults where the native
//! ports do; nothing is decided here.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tsunagi_guest::ports::{Check, Entry, Storage, StorageFailure, Write};
use tsunagi_simulation::ports::View;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::{
    HostWallClock,
    p2::{
        DynPollable,
        bindings::{clocks::monotonic_clock, random::random},
        subscribe,
    },
};
use wasmtime_wasi_io::bindings::wasi::io::poll;

use super::{
    engine::CallState,
    sky::{Happened, Sky},
};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package tsunagi:simulated; world host { import tsunagi:connector/storage@0.1.0; }",
        world: "tsunagi:simulated/host",
        imports: { default: trappable },
    });
}
use bindings::tsunagi::connector::storage as wit;

/// More than the host's tasks take to hand on what they have.
const TURNS: u32 = 8;
/// More than they take to hand on an answer that certainly comes.
const PATIENCE: u32 = 10_000;

/// What an import needs, borrowed for one call.
pub struct Lent<'a> {
    /// The instance's.
    pub sky: &'a Sky,
    /// The instance's.
    pub table: &'a mut ResourceTable,
}

struct HasLent;

impl HasData for HasLent {
    type Data<'a> = Lent<'a>;
}

/// Links all of them, over what is linked already.
pub fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    wit::add_to_linker::<CallState, HasLent>(linker, CallState::lent)?;
    monotonic_clock::add_to_linker::<CallState, HasLent>(linker, CallState::lent)?;
    random::add_to_linker::<CallState, HasLent>(linker, CallState::lent)?;
    poll::add_to_linker::<CallState, HasLent>(linker, CallState::lent)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl wit::Host for Lent<'_> {
    fn get(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<wit::Entry>>, wit::StorageError>> {
        self.sky.depart();
        let found = View::new(&self.sky.world).get(&keys).map_err(refused);
        Ok(found.map(|found| found.into_iter().map(|entry| entry.map(shown)).collect()))
    }

    fn scan(
        &mut self,
        range: wit::KeyRange,
        direction: wit::Direction,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Entry>, wit::StorageError>> {
        self.sky.depart();
        let backward = direction == wit::Direction::Backward;
        let view = View::new(&self.sky.world);
        let found = view.scan(&range.start, &range.end, backward, limit);
        let found = found.map_err(refused);
        Ok(found.map(|found| found.into_iter().map(shown).collect()))
    }

    fn commit(
        &mut self,
        checks: Vec<wit::Check>,
        writes: Vec<wit::Write>,
    ) -> wasmtime::Result<Result<(), wit::StorageError>> {
        self.sky.depart();
        let checks = checks.into_iter().map(|check| Check {
            key: check.key,
            revision: check.revision,
        });
        let writes = writes.into_iter().map(|write| Write {
            key: write.key,
            value: write.value,
        });
        let (checks, writes): (Vec<_>, Vec<_>) = (checks.collect(), writes.collect());
        let done = View::new(&self.sky.world).commit(&checks, &writes);
        Ok(done.map_err(refused))
    }
}

fn shown(entry: Entry) -> wit::Entry {
    wit::Entry {
        key: entry.key,
        revision: entry.revision,
        value: entry.value,
    }
}

fn refused(failure: StorageFailure) -> wit::StorageError {
    match failure {
        StorageFailure::Conflict(key) => wit::StorageError::Conflict(key),
        StorageFailure::Unavailable(why) => wit::StorageError::Unavailable(why),
    }
}

/// `wasi:clocks/wall-clock`
pub struct Wall(pub Sky);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        since_1970(&self.0)
    }
}

fn since_1970(sky: &Sky) -> Duration {
    let since = sky.world.now() - chrono::DateTime::UNIX_EPOCH.fixed_offset();
    since.to_std().unwrap()
}

impl Lent<'_> {
    fn sleep(&mut self, duration: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        let sleep = self.table.push(self.sky.sleep(duration))?;
        subscribe(self.table, sleep)
    }
}

impl monotonic_clock::Host for Lent<'_> {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(u64::try_from(since_1970(self.sky).as_nanos())?)
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        Ok(1_000_000)
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let now = monotonic_clock::Host::now(self)?;
        self.sleep(Duration::from_nanos(when.saturating_sub(now)))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.sleep(Duration::from_nanos(duration))
    }
}

impl random::Host for Lent<'_> {
    fn get_random_bytes(&mut self, _len: u64) -> wasmtime::Result<Vec<u8>> {
        Err(wasmtime::Error::msg("the native flows draw numbers only"))
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.sky.world.roll())
    }
}

impl poll::Host for Lent<'_> {
    /// What is ready is told; while nothing is, one thing after the other happens in the world.
    async fn poll(&mut self, list: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.sky.depart();
        let mut asked = pin!(poll::Host::poll(&mut *self.table, list));
        let mut turns = TURNS;
        loop {
            for _ in 0..turns {
                let look = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context)));
                if let Poll::Ready(ready) = look.await {
                    return ready;
                }
                tokio::task::yield_now().await;
            }
            let Some(happened) = self.sky.happens() else {
                return Err(wasmtime::Error::msg("it waits for nothing"));
            };
            turns = if happened == Happened::Answer {
                PATIENCE
            } else {
                TURNS
            };
        }
    }
}

impl poll::HostPollable for Lent<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(self.table, pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::Host::poll(self, vec![pollable]).await.map(|_| ())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
}
