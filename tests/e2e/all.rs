//! The merchant's page, step by step, with the real component under wasmtime against the sandbox over HTTP. Tests look at both
//! services' books and at what a merchant is shown, never at our own tables.

mod connection;
mod orders;
mod outside;
mod stock;
mod switches;
mod world;
