//! Plugs components into one another: each gives what the one before it imports. The same as `wac plug`, which passes over an import in
//! silence when the versions of its types differ; this says so. Knows no component.

use std::{env, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use wac_graph::{
    CompositionGraph, EncodeOptions, plug,
    types::{ItemKind, Package},
};

/// What must come from a plug, and never from the host.
const OURS: &str = "tsunagi:";
const USAGE: &str = "usage: tsunagi-compose OUT COMPONENT PLUG...";

fn main() -> Result<()> {
    let mut files = env::args_os().skip(1);
    let out = files.next().context(USAGE)?;
    let parts: Vec<_> = files.collect();
    ensure!(parts.len() > 1, USAGE);
    let mut composed: Option<Vec<u8>> = None;
    for part in parts.iter().rev() {
        let bytes = fs::read(part).with_context(|| format!("{}", Path::new(part).display()))?;
        composed = Some(match composed {
            None => bytes,
            Some(plugged) => composition(bytes, plugged)
                .with_context(|| format!("plugging into {}", Path::new(part).display()))?,
        });
    }
    let composed = composed.context(USAGE)?;
    let open = open_imports(&composed)?;
    if !open.is_empty() {
        bail!(
            "still imported: {}; are all of the same version of the contract?",
            open.join(", ")
        );
    }
    fs::write(&out, composed).with_context(|| format!("{}", Path::new(&out).display()))
}

/// One component in which `socket` imports what `plugged` exports.
fn composition(socket: Vec<u8>, plugged: Vec<u8>) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let socket = Package::from_bytes("tsunagi:socket", None, socket, graph.types_mut())?;
    let socket = graph.register_package(socket)?;
    let plugged = Package::from_bytes("tsunagi:plug", None, plugged, graph.types_mut())?;
    let plugged = graph.register_package(plugged)?;
    plug(&mut graph, vec![plugged], socket)?;
    Ok(graph.encode(EncodeOptions::default())?)
}

/// Imports of ours with functions in them. Some hold nothing but types, and need nobody.
fn open_imports(component: &[u8]) -> Result<Vec<String>> {
    let mut graph = CompositionGraph::new();
    let package = Package::from_bytes("tsunagi:whole", None, component, graph.types_mut())?;
    let imports = &graph.types()[package.ty()].imports;
    let needs = |kind: &ItemKind| match kind {
        ItemKind::Instance(id) => {
            let items = graph.types()[*id].exports.values();
            items
                .into_iter()
                .any(|item| matches!(item, ItemKind::Func(_)))
        }
        _ => true,
    };
    let open = imports
        .iter()
        .filter(|(name, kind)| name.starts_with(OURS) && needs(kind));
    Ok(open.map(|(name, _)| name.clone()).collect())
}
