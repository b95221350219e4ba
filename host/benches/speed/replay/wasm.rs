//! The component under wasmtime, over the world of answers that are given from a list: as the host runs it, a fresh instance out of the pool
//! for each call, its imports by `wasmtime-wasi` and `wasmtime-wasi-http`.

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tsunagi::{
    json,
    runtime::{Runtime, call},
};
use wasmtime::{
    Store,
    component::{InstancePre, Linker, ResourceTable, Val},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::{
    World,
    imports::{self, Still, View},
};

/// What one call's instance may touch.
pub struct CallState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    world: Outside,
}

impl CallState {
    /// For the imports.
    pub fn lent(&mut self) -> View<'_> {
        View {
            world: &self.world.0,
            table: &mut self.table,
        }
    }
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
        imports::add_to_linker(&mut linker)?;
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
        match call::given(&self.pre, &mut store, function, given).await? {
            Val::Result(Ok(done)) => Ok(done.map_or(Val::Bool(true), |done| *done)),
            other => Err(anyhow!("{function}: {}", json::from_val(&other))),
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
