//! Generated bindings of the one import that is ours. Private to `runtime`; exports are called by name and type (`crate::json`).

wasmtime::component::bindgen!({
    path: "../wit",
    inline: "package tsunagi:host; world host { import tsunagi:connector/storage@0.1.0; }",
    world: "tsunagi:host/host",
    imports: { default: async | trappable },
});
