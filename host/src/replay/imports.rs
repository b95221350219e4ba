//! The component's imports over a recording: storage, clocks, random, waiting, and what becomes of requests. Nothing leaves the process.

use std::{future::poll_fn, task::Poll, time::Duration};

use chrono::DateTime;
use futures_util::FutureExt;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::{
    HostWallClock, WasiCtx, WasiCtxView, WasiView,
    p2::{
        DynPollable, Pollable,
        bindings::{clocks::monotonic_clock, io::poll, random::random},
        subscribe,
    },
};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{outside::Outside, player::Player};
use crate::{
    recording::{Step, from_hexadecimal},
    runtime::{bindings::tsunagi::connector::storage as wit, tape::SEED},
};

/// How long an answer takes, at most, from the recording through this process's own tasks to the guest.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one call's instance may touch.
pub struct PlayState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    player: Outside,
}

impl PlayState {
    /// For one call.
    pub fn new(player: Player) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.insecure_random_seed(SEED);
        wasi.wall_clock(Wall(player.clone()));
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            player: Outside(player),
        }
    }
}

impl WasiView for PlayState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for PlayState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.player,
        }
    }
}

/// Borrowed for one call of an import.
pub struct View<'a> {
    /// The place in the recording.
    pub player: &'a Player,
    table: &'a mut ResourceTable,
}

struct HasView;

impl HasData for HasView {
    type Data<'a> = View<'a>;
}

fn view(state: &mut PlayState) -> View<'_> {
    View {
        player: &state.player.0,
        table: &mut state.table,
    }
}

/// Links all of them, over what is linked already.
pub fn add_to_linker(linker: &mut Linker<PlayState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    wit::add_to_linker::<PlayState, HasView>(linker, view)?;
    monotonic_clock::add_to_linker::<PlayState, HasView>(linker, view)?;
    random::add_to_linker::<PlayState, HasView>(linker, view)?;
    poll::add_to_linker::<PlayState, HasView>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What a player never gives.
pub fn broken<T>() -> wasmtime::Result<T> {
    Err(wasmtime::Error::msg("another step than was asked for"))
}

/// `wasi:clocks/wall-clock`
struct Wall(Player);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        let since = self.0.now() - DateTime::UNIX_EPOCH;
        since.to_std().unwrap_or_default()
    }
}

/// A wait for the recording to say that it is over; one for nothing is.
struct Wait(Player, Option<u32>);

#[async_trait::async_trait]
impl Pollable for Wait {
    async fn ready(&mut self) {
        // Nobody is woken: whoever lets things happen looks again afterwards.
        poll_fn(|_| match self.1 {
            Some(number) if !self.0.is_over(number) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(self.player.monotonic())
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        Ok(1_000_000)
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.player.monotonic();
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let number = (duration > 0).then(|| self.player.wait(duration));
        let wait = self.table.push(Wait(self.player.clone(), number))?;
        subscribe(self.table, wait)
    }
}

impl View<'_> {
    fn random(&self, bytes: usize) -> wasmtime::Result<Vec<u8>> {
        match self.player.asked(&Step::Random("0".repeat(2 * bytes)))? {
            Step::Random(digits) => from_hexadecimal(&digits).map_err(wasmtime::Error::from_anyhow),
            _ => broken(),
        }
    }

    async fn look(&mut self, list: &[Resource<DynPollable>]) -> wasmtime::Result<Vec<u32>> {
        let list = list.iter().map(|asked| Resource::new_borrow(asked.rep()));
        // A budget of the scheduler must not make what is ready look as if it were not.
        tokio::task::unconstrained(poll::Host::poll(self.table, list.collect())).await
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random(usize::try_from(len)?)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        let bytes = self.random(8)?.into_iter();
        Ok(bytes.fold(0, |number, byte| number << 8 | u64::from(byte)))
    }
}

impl poll::Host for View<'_> {
    /// What is ready is told; while nothing is, one thing after the other happens, as recorded.
    async fn poll(&mut self, list: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        loop {
            self.player.goes_on()?;
            if let Some(ready) = self.look(&list).now_or_never() {
                return ready;
            }
            if self.player.is_writing() {
                let player = self.player.clone();
                tokio::select! {
                    ready = self.look(&list) => return ready,
                    () = player.written() => continue,
                }
            }
            self.player.happens()?;
            return match tokio::time::timeout(PATIENCE, self.look(&list)).await {
                Ok(ready) => ready,
                Err(_) => Err(self.player.in_vain()),
            };
        }
    }
}

impl poll::HostPollable for View<'_> {
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
