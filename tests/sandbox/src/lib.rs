//! A strict double of both services the connector stands between: in process, or over HTTP on loopback.
//! Nothing in here may be used by the connector itself, so that one misunderstanding can't pass on both sides.
//!
//! [`world::World`] is the whole sandbox without sockets; [`server::Sandbox`] puts it behind two listeners.

pub mod clock;
pub mod control;
pub mod counters;
pub mod faults;
pub mod next_engine;
pub mod server;
pub mod service;
pub mod shop;
pub mod smaregi;
pub mod switches;
pub mod webhook;
pub mod wire;
pub mod world;

pub use clock::SandboxClock;
pub use faults::{FaultKind, FaultRule};
pub use next_engine::NextEngine;
pub use server::{Sandbox, SandboxConfig};
pub use service::{Refused, Service, ServiceName};
pub use smaregi::Smaregi;
pub use switches::Switches;
pub use world::{Outcome, World};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, and goes on after a panic elsewhere: a failed test's assertion inside a closure must not hide behind a second panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
