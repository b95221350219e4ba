//! The connector's rules and flows. What runs in the component and, compiled natively, in tests; nothing here knows a host.
//!
//! From the inside out (each layer may use only the ones before it):
//! - [`planted`]: nothing, outside the simulation.
//! - [`money`], [`time`], [`text`], [`reason`], [`wire`]: values, and reading foreign ones.
//! - [`rules`]: pure functions from data to data; every rule of the merchant's page has a file named for it.
//! - [`ports`]: what the outside must give: HTTP, storage, clock, random.
//! - [`smaregi`], [`next_engine`]: each service's wire types, requests and quirks.
//! - [`sync`]: the flows that join them, over the ports.
//! - [`component`]: bindings and exports.

// Its imports exist in a component only; what it joins is compiled everywhere.
#[cfg(target_family = "wasm")]
pub mod component;
pub mod error;
pub mod money;
pub mod next_engine;
pub mod planted;
pub mod ports;
pub mod reason;
pub mod rules;
pub mod settings;
pub mod smaregi;
pub mod sync;
pub mod text;
pub mod time;
pub mod wire;
