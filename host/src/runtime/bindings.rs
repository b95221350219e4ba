//! The generated bindings of `wit/`. Private to `runtime`: the rest of the host uses the types that `contract` lists, so that
//! a change of the generator or of wasmtime is felt here alone.
#![expect(missing_docs, reason = "bindgen-generated code; wit/ documents it")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "connector",
    imports: { default: async | trappable },
    exports: { default: async },
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
});
