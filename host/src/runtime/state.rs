//! What one call's instance may touch: WASI without files, HTTP to listed hosts, one tenant's storage, the shared clock.

use wasmtime::{StoreLimits, StoreLimitsBuilder, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{Limits, Surroundings, clocks, outbound::Outbound, storage::StorageContext};

/// A store's data.
pub struct CallState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    table: ResourceTable,
    /// For the `storage` import.
    pub storage: StorageContext,
    /// For the monotonic clock.
    pub clock: crate::clock::SharedClock,
    /// Memory and tables.
    pub limits: StoreLimits,
}

impl CallState {
    /// For one call.
    pub fn new(surroundings: &Surroundings, limits: &Limits) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.wall_clock(clocks::Wall(surroundings.clock.clone()));
        wasi.monotonic_clock(clocks::Monotonic(surroundings.clock.clone()));
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(surroundings.allowed.clone(), limits.answer_bytes),
            table: ResourceTable::new(),
            storage: StorageContext {
                store: surroundings.store.clone(),
                tenant: surroundings.tenant.clone(),
            },
            clock: surroundings.clock.clone(),
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory_bytes)
                .table_elements(limits.table_elements)
                .trap_on_grow_failure(true)
                .build(),
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
            hooks: &mut self.outbound,
        }
    }
}
