//! The conformance kit: what a platform must give the connector, tried sentence by sentence of `wit/storage.wit`, and of what the
//! connector needs of WASI's HTTP, clocks and random. Knows no platform, and nothing of orders and stock.
//!
//! Checks are functions over the traits of [`ports`], so that they run natively, too: against stores and clients that are broken on
//! purpose, which they must catch (`tests/broken.rs`). In a component the traits are the imports.

#[cfg(target_family = "wasm")]
mod component;
pub mod contention;
pub mod ports;
pub mod report;
pub mod storage;
pub mod surroundings;
pub mod web;

#[cfg(test)]
mod tests;
