//! The merchant's page, step by step, with the real component under wasmtime against the sandbox over HTTP. Tests look at both
//! services' books and at what a merchant is shown, never at our own tables.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the whole program is a test, and a test may stop at the first surprise"
)]

mod connection;
mod orders;
mod outside;
mod stock;
mod switches;
mod world;
