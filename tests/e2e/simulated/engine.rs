//! The embedded component as an engine of the simulation: a fresh instance for each call, under wasmtime, without sockets and
//! without real time. A death unwinds from the host's function through the instance, as it does from the native ports.

use std::{
    collections::BTreeMap,
    panic::resume_unwind,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use tsunagi::runtime::call::call;
use tsunagi_simulation::{
    export::{Answer, Ended, Engine, Export, Failure},
    instance,
    world::World,
};
use wasmtime::{
    Config, Engine as Wasmtime, Store,
    component::{Component, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, p2::pipe::MemoryOutputPipe};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{
    imports::{self, Lent, Wall},
    sky::Sky,
    words,
};

/// Bytes of what a guest may say before it traps.
const SAID: usize = 8 * 1024;

/// What one call's instance may touch.
pub struct CallState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    said: MemoryOutputPipe,
    sky: Sky,
}

impl CallState {
    fn new(world: &World) -> Self {
        let sky = Sky::new(Arc::new(world.share()));
        let said = MemoryOutputPipe::new(SAID);
        let mut wasi = WasiCtx::builder();
        wasi.stderr(said.clone());
        wasi.wall_clock(Wall(sky.clone()));
        // Seeds of hash maps: the order of what is waited for must not change from run to run.
        wasi.insecure_random_seed(0);
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            said,
            sky,
        }
    }

    /// For the imports.
    pub fn lent(&mut self) -> Lent<'_> {
        Lent {
            sky: &self.sky,
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
            hooks: &mut self.sky,
        }
    }
}

/// The engine.
pub struct Wasm {
    pre: InstancePre<CallState>,
    /// Instructions of all calls by export, where they are counted.
    counted: Option<Mutex<BTreeMap<String, u64>>>,
}

impl Wasm {
    /// Over the component that the other tests share.
    pub fn new() -> Self {
        Self::of(crate::world::runtime().component(), None)
    }

    /// One that counts instructions.
    pub fn counting() -> Self {
        let engine = Wasmtime::new(Config::new().consume_fuel(true)).unwrap();
        let component = Component::new(&engine, tsunagi::runtime::EMBEDDED).unwrap();
        Self::of(&component, Some(Mutex::default()))
    }

    fn of(component: &Component, counted: Option<Mutex<BTreeMap<String, u64>>>) -> Self {
        let mut linker = Linker::new(component.engine());
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).unwrap();
        imports::add_to_linker(&mut linker).unwrap();
        let pre = linker.instantiate_pre(component).unwrap();
        Self { pre, counted }
    }

    /// The compiled component.
    pub fn component(&self) -> &Component {
        self.pre.component()
    }

    /// Instructions of all calls so far, by export.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let counted = self.counted.as_ref().unwrap().lock();
        counted.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls `interface.function` with arguments by name.
    pub fn ask(&self, world: &World, name: &str, given: &Value) -> Result<Value, Value> {
        let mut store = Store::new(self.pre.engine(), CallState::new(world));
        match self.counted {
            Some(_) => store.set_fuel(u64::MAX).unwrap(),
            None => store.set_epoch_deadline(u64::MAX / 2),
        }
        // One thread and no timers: what runs next is decided by the world alone.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let called = runtime.block_on(call(&self.pre, &mut store, name, given));
        if let Some(counted) = &self.counted {
            let burnt = u64::MAX - store.get_fuel().unwrap();
            *counted.lock().unwrap().entry(name.to_owned()).or_default() += burnt;
        }
        called.unwrap_or_else(|trap| {
            let said = store.data().said.contents();
            let said = String::from_utf8_lossy(&said);
            resume_unwind(Box::new(format!("{trap} {said}")))
        })
    }

    fn whole(&self, world: &World, export: &Export) -> Result<Answer, Failure> {
        let called = self.ask(world, export.name(), &words::arguments(export));
        match called {
            Ok(done) => Ok(words::answer(export, &done)),
            Err(error) => Err(words::failure(&error)),
        }
    }
}

impl Engine for Wasm {
    fn call(&self, world: &World, export: &Export) -> Ended {
        instance::watched(world, export.name(), || Some(self.whole(world, export)))
    }
}
