//! The merchant's page, step by step, with the real component under wasmtime against the sandbox over HTTP. Tests look at both
//! services' books and at what a merchant is shown, never at our own tables. Besides, the scenarios of `tests/simulation` through
//! the component, in process, beside the same ones through the native flows.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the whole program is a test, and a test may stop at the first surprise"
)]

mod charts;
mod connection;
mod directory;
mod orders;
mod outside;
mod recordings;
mod simulated;
mod stock;
mod stories;
mod switches;
mod world;
