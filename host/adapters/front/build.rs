//! Generates the bindings of what the connector exports, with the contract's own spelling as JSON on every type, so that none of it is
//! written out by hand.
#![expect(
    clippy::indexing_slicing,
    reason = "ids are looked up where they came from; a build that fails says so"
)]

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};
use wit_bindgen_core::{
    Files, WorldGenerator,
    wit_parser::{Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem, WorldKey},
};

const WIT: &str = "../../../wit";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={WIT}");
    println!("cargo::rerun-if-changed=build.rs");
    let mut resolve = Resolve::default();
    let world = front(&mut resolve)?;
    let (types, members) = spelling(&resolve, world)?;
    let options = wit_bindgen_rust::Opts {
        additional_derive_attributes: vec![
            "serde::Serialize".to_owned(),
            "serde::Deserialize".to_owned(),
        ],
        additional_type_attributes: types,
        additional_member_attributes: members,
        generate_all: true,
        ..Default::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    let (_, code) = files.iter().next().context("nothing was generated")?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("front.rs"), code)?;
    Ok(())
}

/// The world that imports whatever the connector exports.
fn front(resolve: &mut Resolve) -> Result<WorldId> {
    let (contract, _) = resolve.push_path(WIT)?;
    let connector = resolve.select_world(&[contract], Some("connector"))?;
    let exports = resolve.worlds[connector].exports.values();
    let names = exports.filter_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.id_of(*id),
        _ => None,
    });
    let imports: String = names.map(|name| format!("import {name};")).collect();
    let world = format!("package tsunagi:adapters; world front {{ {imports} }}");
    let package = resolve.push_str("front.wit", &world)?;
    resolve.select_world(&[package], Some("front"))
}

/// For each type and each member of one, how JSON spells it.
type Attributes = Vec<(String, String)>;

fn spelling(resolve: &Resolve, world: WorldId) -> Result<(Attributes, Attributes)> {
    let (mut types, mut members) = (Vec::new(), Vec::new());
    for (key, _) in &resolve.worlds[world].imports {
        let WorldKey::Interface(interface) = key else {
            continue;
        };
        let id = resolve
            .id_of(*interface)
            .context("an interface has no name")?;
        for (name, ty) in &resolve.interfaces[*interface].types {
            let of_type = members_of(resolve, *ty);
            if of_type.is_empty() {
                continue;
            }
            let selector = format!("{id}/{name}");
            types.push((selector.clone(), "#[serde(deny_unknown_fields)]".to_owned()));
            for (member, how) in of_type {
                let rename = format!("#[serde(rename = \"{member}\"{how})]");
                members.push((format!("{selector}.{member}"), rename));
            }
        }
    }
    Ok((types, members))
}

/// The members of a type, each with what else there is to say about it.
fn members_of(resolve: &Resolve, ty: TypeId) -> Vec<(String, &'static str)> {
    let plain = |name: &String| (name.clone(), "");
    match &resolve.types[ty].kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            fields
                .map(|field| {
                    let bytes = is_bytes(resolve, &field.ty);
                    let how = if bytes {
                        ", with = \"crate::text\""
                    } else {
                        ""
                    };
                    (field.name.clone(), how)
                })
                .collect()
        }
        TypeDefKind::Variant(variant) => {
            variant.cases.iter().map(|case| plain(&case.name)).collect()
        }
        TypeDefKind::Enum(names) => names.cases.iter().map(|case| plain(&case.name)).collect(),
        _ => Vec::new(),
    }
}

fn is_bytes(resolve: &Resolve, ty: &Type) -> bool {
    matches!(ty, Type::Id(id) if matches!(resolve.types[*id].kind, TypeDefKind::List(Type::U8)))
}
