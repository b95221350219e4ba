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
    let parts = files.map(|file| {
        let name = Path::new(&file).display().to_string();
        let bytes = fs::read(&file).with_context(|| name.clone())?;
        Ok((name, bytes))
    });
    let composed = composed(parts.collect::<Result<_>>()?)?;
    fs::write(&out, composed).with_context(|| Path::new(&out).display().to_string())
}

/// All of them in one, each with its name for problems.
fn composed(parts: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>> {
    ensure!(parts.len() > 1, USAGE);
    let mut composed: Option<Vec<u8>> = None;
    for (name, bytes) in parts.into_iter().rev() {
        composed = Some(match composed {
            None => bytes,
            Some(plugged) => {
                composition(bytes, plugged).with_context(|| format!("plugging into {name}"))?
            }
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
    Ok(composed)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Imports `answer` of two interfaces.
    const SOCKET: &str = r#"(component
        (import "tsunagi:a/one@0.1.0" (instance (export "answer" (func (result u32)))))
        (import "tsunagi:a/two@0.1.0" (instance (export "answer" (func (result u32))))))"#;

    fn part(text: &str) -> (String, Vec<u8>) {
        ("part".to_owned(), wat::parse_str(text).unwrap())
    }

    /// Exports both, the second with a result of this type.
    fn plug(second: &str) -> (String, Vec<u8>) {
        part(&format!(
            r#"(component
                (core module $m (func (export "f") (result i32) i32.const 7))
                (core instance $i (instantiate $m))
                (func $one (result u32) (canon lift (core func $i "f")))
                (func $two (result {second}) (canon lift (core func $i "f")))
                (instance $first (export "answer" (func $one)))
                (instance $second (export "answer" (func $two)))
                (export "tsunagi:a/one@0.1.0" (instance $first))
                (export "tsunagi:a/two@0.1.0" (instance $second)))"#
        ))
    }

    #[test]
    fn parts_of_one_version_become_one_file_that_needs_nobody() {
        let one = composed(vec![part(SOCKET), plug("u32")]).unwrap();
        assert_eq!(open_imports(&one).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_interface_of_another_version_is_named() {
        let refused = composed(vec![part(SOCKET), plug("s32")]).unwrap_err();
        let told = refused.to_string();
        assert!(
            told.contains("tsunagi:a/two@0.1.0") && !told.contains("one@"),
            "{told}"
        );
    }

    #[test]
    fn one_part_is_no_composition() {
        assert!(composed(vec![part(SOCKET)]).is_err());
    }
}
