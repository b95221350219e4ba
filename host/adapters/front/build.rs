//! Generates the bindings of what the connector exports, with the contract's own spelling as JSON on every type, and a call of each
//! function by its name, so that none of it is written out by hand and nothing new in the contract is forgotten.
#![expect(
    clippy::indexing_slicing,
    reason = "ids are looked up where they came from; a build that fails says so"
)]

use std::{env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use wit_bindgen_core::{
    Files, WorldGenerator,
    wit_parser::{
        Function, Param, Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem, WorldKey,
    },
};

const WIT: &str = "../../../wit";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={WIT}");
    println!("cargo::rerun-if-changed=build.rs");
    let mut resolve = Resolve::default();
    let world = front(&mut resolve)?;
    let (types, members) = spelling(&resolve, world)?;
    let calls = calls(&resolve, world)?;
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
    fs::write(out.join("calls.rs"), calls)?;
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

/// An expression that matches `function` and calls it with what `given` holds.
fn calls(resolve: &Resolve, world: WorldId) -> Result<String> {
    let mut arms = String::new();
    for (key, _) in &resolve.worlds[world].imports {
        let WorldKey::Interface(id) = key else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        let name = interface
            .name
            .as_deref()
            .context("an interface has no name")?;
        for function in interface.functions.values() {
            let arguments = function
                .params
                .iter()
                .map(|given| argument(resolve, name, given));
            let arguments = arguments.collect::<Result<Vec<_>>>()?;
            let taken: String = arguments.iter().map(|(take, _)| take.as_str()).collect();
            let passed: Vec<&str> = arguments.iter().map(|(_, pass)| pass.as_str()).collect();
            let told = if is_result(resolve, function) {
                "told("
            } else {
                "value_of(&"
            };
            let call = format!(
                "{}::{}({})",
                snake(name),
                snake(&function.name),
                passed.join(", ")
            );
            writeln!(
                arms,
                "\"{name}.{}\" => {{ {taken} {told}{call}) }}",
                function.name
            )?;
        }
    }
    Ok(format!(
        "match function {{ {arms} _ => Err(Refusal::Unknown) }}"
    ))
}

fn is_result(resolve: &Resolve, function: &Function) -> bool {
    let kind = function.result.map(|ty| match ty {
        Type::Id(id) => matches!(resolve.types[id].kind, TypeDefKind::Result(_)),
        _ => false,
    });
    kind.unwrap_or_default()
}

/// How an argument is taken from what was given, and how it is passed on.
fn argument(resolve: &Resolve, interface: &str, given: &Param) -> Result<(String, String)> {
    let (name, variable) = (&given.name, snake(&given.name));
    let ty = rust_type(resolve, interface, &given.ty)?;
    let take = format!("let {variable}: {ty} = given.take(\"{name}\")?;");
    let pass = match ty.as_str() {
        "Option<String>" => format!("{variable}.as_deref()"),
        _ if is_copy(resolve, &given.ty) => variable,
        _ => format!("&{variable}"),
    };
    Ok((take, pass))
}

fn rust_type(resolve: &Resolve, interface: &str, ty: &Type) -> Result<String> {
    Ok(match ty {
        Type::Bool => "bool".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::String => "String".to_owned(),
        Type::Id(id) => match (&resolve.types[*id].kind, &resolve.types[*id].name) {
            (TypeDefKind::List(item), _) => {
                format!("Vec<{}>", rust_type(resolve, interface, item)?)
            }
            (TypeDefKind::Option(item), _) => {
                format!("Option<{}>", rust_type(resolve, interface, item)?)
            }
            (TypeDefKind::Type(other @ Type::String), _) => rust_type(resolve, interface, other)?,
            (TypeDefKind::Type(Type::Id(other)), _)
                if matches!(resolve.types[*other].kind, TypeDefKind::Type(_)) =>
            {
                rust_type(resolve, interface, &Type::Id(*other))?
            }
            (_, Some(name)) => format!("{}::{}", snake(interface), camel(name)),
            _ => bail!("an argument of a kind that no function has had"),
        },
        _ => bail!("an argument of a kind that no function has had"),
    })
}

/// Whether the bindings take it by value.
fn is_copy(resolve: &Resolve, ty: &Type) -> bool {
    match ty {
        Type::String => false,
        Type::Id(id) => match &resolve.types[*id].kind {
            TypeDefKind::Type(other) | TypeDefKind::Option(other) => is_copy(resolve, other),
            TypeDefKind::Enum(_) => true,
            TypeDefKind::Record(record) => record
                .fields
                .iter()
                .all(|field| is_copy(resolve, &field.ty)),
            TypeDefKind::Variant(variant) => {
                let mut carried = variant.cases.iter().filter_map(|case| case.ty.as_ref());
                carried.all(|ty| is_copy(resolve, ty))
            }
            _ => false,
        },
        _ => true,
    }
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn camel(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}
