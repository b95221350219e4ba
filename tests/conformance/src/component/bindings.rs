//! The generated bindings of `wit/`. Nothing is written here by hand.
#![allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unused,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "kit",
    pub_export_macro: true,
    export_macro_name: "export",
});
