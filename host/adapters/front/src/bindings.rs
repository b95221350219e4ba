//! The generated bindings of what the connector exports (`build.rs`). Nothing is written here by hand.
#![allow(
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unsafe_code,
    unused,
    reason = "generated"
)]

include!(concat!(env!("OUT_DIR"), "/front.rs"));
