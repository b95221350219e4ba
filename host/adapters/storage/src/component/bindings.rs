//! The generated bindings of `wit/storage.wit`. Nothing is written here by hand.
#![allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    unused,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "package tsunagi:adapters; world store { export tsunagi:connector/storage@0.1.0; }",
    world: "tsunagi:adapters/store",
    pub_export_macro: true,
    export_macro_name: "export",
});
