//! Running the component: one engine, one fresh instance for each call, limits on memory, tables and time. It knows the contract's
//! functions by their names and types alone, and decides nothing.

pub(crate) mod bindings;
pub mod call;
mod clocks;
#[cfg(test)]
mod imports;
pub(crate) mod outbound;
mod state;
mod storage;
pub(crate) mod tape;
#[cfg(test)]
pub mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy,
    PoolingAllocationConfig, Store, UpdateDeadline,
    component::{Component, InstancePre, Linker},
};

use crate::{clock::SharedClock, json::Misfit, random::hexadecimal, storage as store};
pub use outbound::{AllowList, is_loopback};
use state::CallState;
use tape::{Recorder, Tape};

/// The component that was built with this program.
pub static EMBEDDED: &[u8] = include_bytes!(env!("TSUNAGI_COMPONENT_FILE"));

/// Bytes of each memory and table that stay with the process between two calls, put back as they were. Only where the system tells which
/// pages a call touched (Linux 6.7): the next one then meets no page faults for them.
const KEPT: usize = 512 * 1024;

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(100);

/// What a call may use at most.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of memory.
    pub memory_bytes: usize,
    /// Entries of a table.
    pub table_elements: usize,
    /// How long a call may take in all, by the machine's own time, waiting included.
    pub call: Duration,
    /// Bytes of one HTTP answer.
    pub answer_bytes: usize,
    /// Bytes that the component may hand over at one time: its answer, or what it asks of the host.
    pub handed_bytes: usize,
    /// Bytes that one call may write to the store, so that a runaway one fills no disk.
    pub written_bytes: usize,
    /// Handles that a call may hold at one time: requests, answers, streams, sleeps.
    pub handles: usize,
    /// Calls at the same time; further ones wait for their turn. Half of them are for long work, so that a webhook or a login
    /// never waits behind it.
    pub calls: u32,
}

impl Limits {
    /// Places for long work.
    fn long(&self) -> u32 {
        (self.calls / 2).max(1)
    }
}

impl Default for Limits {
    fn default() -> Self {
        let megabyte = 1 << 20;
        Self {
            memory_bytes: 512 * megabyte,
            table_elements: 20_000,
            call: Duration::from_secs(900),
            answer_bytes: 32 * megabyte,
            handed_bytes: 128 * megabyte,
            written_bytes: 512 * megabyte,
            handles: 10_000,
            calls: 32,
        }
    }
}

/// What a runtime is made of.
#[derive(Debug, Clone, Default)]
pub struct RuntimeConfig {
    /// Another component than the embedded one.
    pub component: Option<PathBuf>,
    /// The folder where compiled code is kept between runs; `None` compiles each time.
    pub cache: Option<PathBuf>,
    /// Limits of each call.
    pub limits: Limits,
    /// The folder into which each call is recorded (`crate::recording`); `None` records nothing and costs nothing.
    pub record: Option<PathBuf>,
}

/// What surrounds one tenant's calls.
#[derive(Clone)]
pub struct Surroundings {
    /// Where everything is kept.
    pub store: Arc<dyn store::Store>,
    /// Whose part of it.
    pub tenant: String,
    /// The clock.
    pub clock: SharedClock,
    /// The places it may reach.
    pub allowed: AllowList,
}

/// Why a call gave no result of the contract's.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The contract has no such function.
    #[error("the contract has no function {0}; `tsunagi component --wit` prints those it has")]
    NoSuchFunction(String),
    /// The arguments do not fit.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The shop was removed, or is being removed.
    #[error("this shop was removed")]
    Removed,
    /// The component failed or hit a limit: its own call ended, nothing else.
    #[error("the component failed: {0:#}")]
    Failed(#[from] wasmtime::Error),
}

/// What may take as long as both services let it: everything that works through lists there.
const LONG: [&str; 10] = [
    "schedule.run",
    "orders.import-shop",
    "orders.preview",
    "orders.retry",
    "orders.try-settings",
    "stock.send",
    "stock.catch-up",
    "stock.compare",
    "stock.align",
    "directory.products",
];

/// The engine with the component. Clones share it.
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

struct Shared {
    pre: InstancePre<CallState>,
    limits: Limits,
    recorder: Option<Recorder>,
    /// As many as the pool has places, so that a busy moment makes calls wait and none fail.
    turns: Semaphore,
    /// Fewer, for long work alone.
    long: Semaphore,
    /// As many, for rounds of the schedule.
    rounds: Arc<Semaphore>,
}

impl Runtime {
    /// Compiles the component, or takes it from the cache.
    ///
    /// # Errors
    /// When the component is none, or imports what this host does not give.
    pub fn new(config: RuntimeConfig) -> wasmtime::Result<Self> {
        match &config.component {
            Some(path) => Self::of(&std::fs::read(path)?, config),
            None => Self::of(EMBEDDED, config),
        }
    }

    /// The same of these bytes, whatever the configuration names.
    ///
    /// # Errors
    /// As [`Runtime::new`].
    pub fn of(component: &[u8], config: RuntimeConfig) -> wasmtime::Result<Self> {
        let engine = engine(&config)?;
        let folder = config.record.clone();
        let recorder = folder.map(|folder| Recorder::new(folder, digest(component)));
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        clocks::add_to_linker(&mut linker)?;
        storage::add_to_linker(&mut linker)?;
        if recorder.is_some() {
            tape::add_to_linker(&mut linker)?;
        }
        let ticking = engine.weak();
        std::thread::Builder::new()
            .name("epochs".to_owned())
            .spawn(move || {
                while let Some(engine) = ticking.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(TICK);
                }
            })?;
        Ok(Self(Arc::new(Shared {
            pre: linker.instantiate_pre(&component)?,
            recorder,
            turns: Semaphore::new(usize::try_from(config.limits.calls)?),
            long: Semaphore::new(usize::try_from(config.limits.long())?),
            rounds: Arc::new(Semaphore::new(usize::try_from(config.limits.long())?)),
            limits: config.limits,
        })))
    }

    /// The compiled component, for who surrounds it with a world of another kind: a simulation.
    pub fn component(&self) -> &Component {
        self.0.pre.component()
    }

    /// Calls `interface.function` with arguments by name, as `wit/` spells both. The outer result is this host's, the inner one the
    /// contract's: its value, or its `error`.
    ///
    /// Whoever waits for it may give up at any time: the call goes on to its end by itself, because one that is cut in the middle
    /// of an answer could lose the tokens that came with it.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn call(
        &self,
        surroundings: &Surroundings,
        function: &str,
        arguments: &Value,
    ) -> Result<Result<Value, Value>, Fault> {
        let shared = self.0.clone();
        let (surroundings, function, arguments) =
            (surroundings.clone(), function.to_owned(), arguments.clone());
        let called =
            tokio::spawn(async move { shared.call(&surroundings, &function, &arguments).await });
        called
            .await
            .unwrap_or_else(|_| Err(wasmtime::Error::msg("the call's task ended").into()))
    }

    /// A turn for one round of a shop's schedule with all that belongs to it, for as long as what is given is held: there are as many as
    /// places for long work.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.0.rounds.clone().acquire_owned().await.ok()
    }

    /// Ends when no call is under way or waiting for its turn.
    pub async fn idle(&self) {
        let all = self.0.limits.calls;
        // First come, first served: whoever asked before has had its turn then.
        let long = self.0.long.acquire_many(self.0.limits.long()).await;
        drop((long, self.0.turns.acquire_many(all).await));
    }
}

impl Shared {
    async fn call(
        &self,
        surroundings: &Surroundings,
        function: &str,
        arguments: &Value,
    ) -> Result<Result<Value, Value>, Fault> {
        // Nobody closes the semaphores; were they closed, calls would go on without turns.
        let _long = if LONG.contains(&function) {
            self.long.acquire().await.ok()
        } else {
            None
        };
        let _turn = self.turns.acquire().await.ok();
        let tape = self.recorder.as_ref().map(|_| Tape::default());
        let begun = surroundings.clock.now();
        let mut store = self.store(surroundings, tape.clone());
        let called = call::call(&self.pre, &mut store, function, arguments);
        let done = tokio::time::timeout(self.limits.call, called).await;
        store.data().tell(function);
        let done = done.unwrap_or_else(|_| Err(too_long(self.limits.call).into()));
        if let (Some(recorder), Some(tape)) = (&self.recorder, tape) {
            let whose = (surroundings.tenant.as_str(), begun);
            let asked = (
                function,
                call::complete(self.pre.component(), function, arguments),
            );
            recorder.keep(&tape, whose, asked, &done).await;
        }
        done
    }

    fn store(&self, surroundings: &Surroundings, tape: Option<Tape>) -> Store<CallState> {
        let mut store = Store::new(
            self.pre.engine(),
            CallState::new(surroundings, &self.limits, tape),
        );
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(self.limits.handed_bytes);
        let (begun, longest) = (Instant::now(), self.limits.call);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if begun.elapsed() > longest {
                return Err(too_long(longest));
            }
            // A guest that computes for long lets others have their turn.
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

fn too_long(longest: Duration) -> wasmtime::Error {
    wasmtime::Error::msg(format!("a call may take {} seconds", longest.as_secs()))
}

/// SHA-256 of a component, in hexadecimal digits.
pub fn digest(component: &[u8]) -> String {
    hexadecimal(&Sha256::digest(component))
}

/// A component's contract as WIT text.
///
/// # Errors
/// When the bytes are no component.
pub fn contract(component: &[u8]) -> anyhow::Result<String> {
    let decoded = wit_component::decode(component)?;
    let mut printer = wit_component::WitPrinter::default();
    let others: Vec<_> = decoded
        .resolve()
        .packages
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != decoded.package())
        .collect();
    printer.print(decoded.resolve(), decoded.package(), &others)?;
    Ok(printer.output.to_string())
}

fn engine(config: &RuntimeConfig) -> wasmtime::Result<Engine> {
    let limits = &config.limits;
    // The component is one core module with memory and a few small ones that join it to its imports.
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits.calls)
        .total_core_instances(limits.calls.saturating_mul(8))
        .total_memories(limits.calls.saturating_mul(2))
        .total_tables(limits.calls.saturating_mul(4))
        .total_stacks(limits.calls)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(KEPT)
            .table_keep_resident(KEPT);
    }
    let mut engine = Config::new();
    engine.epoch_interruption(true);
    engine.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    engine.cache(config.cache.as_deref().and_then(cache));
    Engine::new(&engine)
}

/// Without a cache everything works, only its beginning is slower.
fn cache(folder: &Path) -> Option<Cache> {
    let made = || -> wasmtime::Result<Cache> {
        // Compiled code is run as it lies there, so nobody else may write it.
        let folder = std::path::absolute(folder)?;
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder)?;
        let mut cache = CacheConfig::new();
        cache.with_directory(folder);
        Cache::new(cache)
    };
    made()
        .inspect_err(|error| {
            tracing::warn!(
                "compiled code is not kept in {}: {error:#}",
                folder.display()
            );
        })
        .ok()
}
