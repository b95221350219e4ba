//! What one call's instance may touch: WASI without files, HTTP to listed hosts, one tenant's storage, the shared clock.

use wasmtime::{StoreLimits, StoreLimitsBuilder, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, p2::pipe::MemoryOutputPipe};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use super::{
    Limits, Surroundings, clocks,
    outbound::Outbound,
    storage::{StorageContext, StorageView},
    tape::{self, SEED, Tape, Taped},
};

/// Bytes of what a guest may say on its standard error; a panic's message fits.
const SAID: usize = 8 * 1024;

/// A store's data.
pub struct CallState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Box<dyn WasiHttpHooks + Send>,
    /// Where the call is written down; one that nobody reads, where it is not recorded.
    tape: Tape,
    said: MemoryOutputPipe,
    table: ResourceTable,
    /// For the `storage` import.
    pub storage: StorageContext,
    /// For the monotonic clock.
    pub clock: crate::clock::SharedClock,
    /// Memory and tables.
    pub limits: StoreLimits,
}

impl CallState {
    /// For one call, with a tape where it is recorded.
    pub fn new(surroundings: &Surroundings, limits: &Limits, tape: Option<Tape>) -> Self {
        let said = MemoryOutputPipe::new(SAID);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut wasi = WasiCtx::builder();
        wasi.stderr(said.clone());
        let wall = clocks::Wall(surroundings.clock.clone());
        wasi.monotonic_clock(clocks::Monotonic(surroundings.clock.clone()));
        let outbound = Outbound::new(surroundings.allowed.clone(), limits.answer_bytes);
        let outbound: Box<dyn WasiHttpHooks + Send> = match tape.clone() {
            Some(tape) => {
                wasi.insecure_random_seed(SEED);
                wasi.wall_clock(tape::Clock(wall, tape.clone()));
                Box::new(Taped { outbound, tape })
            }
            None => {
                wasi.wall_clock(wall);
                Box::new(outbound)
            }
        };
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound,
            tape: tape.unwrap_or_default(),
            said,
            table,
            storage: StorageContext {
                store: surroundings.store.clone(),
                tenant: surroundings.tenant.clone(),
                may_write: limits.written_bytes,
            },
            clock: surroundings.clock.clone(),
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory_bytes)
                .table_elements(limits.table_elements)
                .trap_on_grow_failure(true)
                .build(),
        }
    }

    /// Logs what the guest said on its standard error: nothing, unless it panicked.
    pub fn tell(&self, function: &str) {
        let said = self.said.contents();
        if !said.is_empty() {
            let said = String::from_utf8_lossy(&said);
            tracing::warn!(
                tenant = self.storage.tenant,
                function,
                "the component said: {}",
                said.trim_end()
            );
        }
    }

    /// The tape.
    pub fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// The `storage` import, for one call of it.
    pub fn stored(&mut self) -> StorageView<'_> {
        StorageView {
            context: &mut self.storage,
        }
    }

    /// Clock and table together, for sleeping.
    pub fn sleeping(&mut self) -> clocks::Sleeping<'_> {
        clocks::Sleeping {
            clock: &self.clock,
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
            hooks: self.outbound.as_mut(),
        }
    }
}
