//! The component under wasmtime, over the world of answers that are given from a list: as the host runs it, a fresh instance out of the pool
//! for each call, its imports by `wasmtime-wasi` and `wasmtime-wasi-http`.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tsunagi::{json, runtime::Runtime};
use tsunagi_guest::ports::{Check, StorageFailure, Write};
use wasmtime::{
    Store,
    component::{HasData, InstancePre, Linker, Resource, ResourceTable, Val},
};
use wasmtime_wasi::{
    HostWallClock, WasiCtx, WasiCtxView, WasiView,
    p2::{
        DynPollable, Pollable,
        bindings::{clocks::monotonic_clock, random::random},
        subscribe,
    },
};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::World;

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

/// What one call's instance may touch.
struct CallState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    world: Outside,
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.world,
        }
    }
}

/// The component.
pub struct Wasm {
    pre: InstancePre<CallState>,
    world: World,
}

impl Wasm {
    /// Over this world.
    pub fn new(runtime: &Runtime, world: &World) -> Result<Self> {
        let component = runtime.component();
        let mut linker = Linker::new(component.engine());
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        linker.allow_shadowing(true);
        wit::add_to_linker::<CallState, Lent>(&mut linker, lent)?;
        monotonic_clock::add_to_linker::<CallState, Lent>(&mut linker, lent)?;
        random::add_to_linker::<CallState, Lent>(&mut linker, lent)?;
        Ok(Self {
            pre: linker.instantiate_pre(component)?,
            world: world.clone(),
        })
    }

    /// Calls `interface.function` with arguments by name. The answer stays as the runtime gives it.
    pub fn call(&self, function: &str, given: &Value) -> Result<Val> {
        let threads = tokio::runtime::Builder::new_current_thread().build()?;
        threads.block_on(self.call_in(function, given))
    }

    async fn call_in(&self, function: &str, given: &Value) -> Result<Val> {
        let mut store = Store::new(self.pre.engine(), self.fresh());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let (interface, name) = function.split_once('.').context("interface.function")?;
        let interface = format!("tsunagi:connector/{interface}@0.1.0");
        let outer = instance.get_export_index(&mut store, None, &interface);
        let inner = instance.get_export_index(&mut store, outer.as_ref(), name);
        let func = inner.and_then(|inner| instance.get_func(&mut store, inner));
        let func = func.context("no such function")?;
        let ty = func.ty(&store);
        let read = ty.params().map(|(name, ty)| {
            let value = given.get(name).unwrap_or(&Value::Null);
            json::to_val(&ty, value, name).map_err(|misfit| anyhow!("{misfit}"))
        });
        let arguments: Vec<Val> = read.collect::<Result<_>>()?;
        let mut results = vec![Val::Bool(false)];
        func.call_async(&mut store, &arguments, &mut results).await?;
        match results.into_iter().next() {
            Some(Val::Result(Ok(done))) => Ok(done.map_or(Val::Bool(true), |done| *done)),
            Some(other) => Err(anyhow!("{function}: {}", json::from_val(&other))),
            None => Err(anyhow!("{function} gave nothing")),
        }
    }

    fn fresh(&self) -> CallState {
        let mut wasi = WasiCtx::builder();
        wasi.wall_clock(Still(self.world.state().now.timestamp()));
        wasi.insecure_random_seed(0);
        CallState {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            world: Outside(self.world.clone()),
        }
    }
}

/// A clock that stands at this second.
struct Still(i64);

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

struct View<'a> {
    world: &'a World,
    table: &'a mut ResourceTable,
}

fn lent(state: &mut CallState) -> View<'_> {
    View {
        world: &state.world.0,
        table: &mut state.table,
    }
}

impl wit::Host for View<'_> {
    fn get(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<wit::Entry>>, wit::StorageError>> {
        let found = self.world.act(|state| state.memory.get(&keys));
        Ok(Ok(found.into_iter().map(|entry| entry.map(shown)).collect()))
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
        let done = self.world.act(|state| state.memory.commit(&checks, &writes));
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
        Ok((0..len).map(|_| self.world.state().roll().to_le_bytes()[0]).collect())
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.world.state().roll())
    }
}

/// What is asked of the outside.
struct Outside(World);

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Outside {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let world = self.0.clone();
        Box::new(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes().to_vec();
            let answer = world.answer(&http::Request::from_parts(head, body));
            let answer = answer.ok_or(Error::ConnectionRefused)?;
            let body = |body| Full::new(Bytes::from(body)).map_err(|never| match never {});
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> =
                Box::new(async { Ok(()) });
            Ok((answer.map(|bytes| body(bytes).boxed_unsync()), done))
        })
    }
}
