//! `shapes`: what each command prints with `--json`. What the contract's functions give is read from the component's own contract; only
//! what is this program's is written here. Calls nobody.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::{Map, Value, json};
use wit_parser::{Function, Resolve, Type, TypeDefKind, WorldItem};

use fits::{FLAG, NULL, NUMBER, ONE_OF, OR_NULL, TEXT};

use super::{Common, Ending, failure::Usage};
use crate::runtime::EMBEDDED;

pub mod fits;
#[cfg(test)]
mod tests;

/// Before a function of the contract, in place of its shape.
const OF_THE_CONTRACT: char = '=';

/// Each command that prints JSON, with its shape. `=interface.function` stands for what that function gives.
const SHAPES: [(&str, &str); 42] = [
    ("align", r#""=stock.align""#),
    (
        "backup",
        r#"{"folder": "text", "manifest": {"tsunagi-backup": "number", "program": "text", "made-at": "timestamp", "store-version": "number", "bytes": "number", "sha256": "text"}}"#,
    ),
    (
        "call",
        r#""anything: what the function gives, by tsunagi component --wit""#,
    ),
    ("calls", r#""=schedule.calls""#),
    ("catch-up", r#""=stock.catch-up""#),
    ("check", r#""=connection.check""#),
    ("compare", r#""=stock.compare""#),
    ("completions", r#"{"shell": "text", "script": "text"}"#),
    (
        "component",
        r#"{"wit": "text or null", "written": "text or null", "bytes": "number"}"#,
    ),
    (
        "conformance",
        r#"[{"name": "text", "sentence": "text", "outcome": {"one of": ["kept", {"broken": "text"}, {"skipped": "text"}]}}]"#,
    ),
    (
        "conformance --out",
        r#"{"written": "text", "bytes": "number"}"#,
    ),
    ("conformance --peer", r#"{"peer": "text"}"#),
    (
        "connect",
        r#"{"address": "text", "expires-at": "timestamp"}"#,
    ),
    ("connect --disconnect", r#""=connection.get-status""#),
    ("connect --off", r#""=connection.get-status""#),
    ("connect --on", r#""=connection.get-status""#),
    (
        "demo",
        r#"{"orders_imported": "number", "orders_refused": "number", "orders_undone": "number", "orders_unaccounted": "number",
        "amounts_wrong": "number", "duplicate_transactions": "number", "stock_changes_decided": "number", "stock_rows_sent": "number",
        "stock_differences": "number", "unexplained_stock_differences": "number", "wrong": ["text"],
        "requests": {"any name": {"any name": "number"}}}"#,
    ),
    ("history received", r#"["=history.received/entries/0"]"#),
    ("history sent", r#"["=history.sent/entries/0"]"#),
    (
        "import",
        r#"{"shops": {"any name": "=orders.import-shop"}, "stores": "=orders.stores"}"#,
    ),
    ("man", r#"{"folder": "text", "pages": ["text"]}"#),
    (
        "operator",
        r#"{"address": "text", "expires-at": "timestamp"}"#,
    ),
    ("preview", r#""=orders.preview""#),
    (
        "replay",
        r#"[{"file": "text", "function": "text", "component": "text or null", "trace": [{"step": "number", "at": "timestamp or null", "what": "text",
        "content": "text"}], "ended": "text", "departure": {"one of": ["null", {"step": "number", "recorded": "text", "asked": "text"}]}}]"#,
    ),
    ("resend", r#""=stock.resend""#),
    (
        "restore",
        r#"{"store": "text", "kept": "text or null", "made-at": "timestamp", "switched-off": ["text"]}"#,
    ),
    ("retry", r#""=orders.retry""#),
    (
        "sandbox",
        r#"{"endpoints": {"next-engine-sign-in": "text", "next-engine-api": "text", "smaregi-id": "text", "smaregi-api": "text"},
        "credentials": {"next-engine-client-id": "text", "next-engine-client-secret": "text", "next-engine-redirect": "text",
            "smaregi-contract-id": "text", "smaregi-client-id": "text", "smaregi-client-secret": "text"},
        "login": {"id": "text or null", "password": "text or null", "uid": "text or null"},
        "operator": {"next-engine": "text", "smaregi": "text"}}"#,
    ),
    ("send", r#""=stock.send""#),
    ("serve", r#"{"listening": "text", "public-url": "text"}"#),
    ("settings check", r#""=settings.validate""#),
    (
        "settings form",
        r#""anything: a JSON Schema (2020-12) of what settings get gives""#,
    ),
    ("settings get", r#""=settings.get""#),
    ("settings hosts", r#""=settings.hosts""#),
    ("settings put", r#""=settings.get""#),
    ("shapes", r#"{"any name": "anything: a shape"}"#),
    ("status", r#""=connection.get-status""#),
    (
        "tenants add",
        r#"{"name": "text", "webhook-address": "text", "webhook-header": "text", "webhook-secret": "text"}"#,
    ),
    ("tenants export", r#"{"name": "text", "file": "text"}"#),
    (
        "tenants list",
        r#"{"tenants": [{"one of": [
            {"name": "text", "origin": {"one of": ["file", "added"]}, "needs-person": "true or false", "switched-on": "true or false",
                "login-ends": "timestamp or null", "refused": "number", "last-import": "timestamp or null"},
            {"name": "text", "origin": {"one of": ["file", "added"]}, "needs-person": "true or false", "error": "text"}]}],
        "leaving": ["text"], "kept": ["text"]}"#,
    ),
    (
        "tenants remove",
        r#"{"name": "text", "data": {"one of": ["kept", "deleted"]}, "gone": "true or false"}"#,
    ),
    ("why", r#""=history.story""#),
];

/// Of every command that fails.
const FAILURE: (&str, &str) = (
    "any command that fails",
    r#"{"error": {"one of": ["text", {"any name": "anything: what it says of it"}]}, "message": "text", "exit-code": "number"}"#,
);

/// Prints them, or the one of a command.
pub fn show(common: &Common, command: &[String]) -> anyhow::Result<Ending> {
    let all = all()?;
    let named = command.join(" ");
    let wanted =
        |name: &str| named.is_empty() || name.split(' ').zip(named.split(' ')).all(|(a, b)| a == b);
    let found: BTreeMap<&String, &Value> = all.iter().filter(|(name, _)| wanted(name)).collect();
    if found.is_empty() {
        let what = format!(
            "{named} prints no JSON of its own; `tsunagi shapes` lists the commands that do"
        );
        return Err(Usage(what).into());
    }
    if common.json {
        outln!("{:#}", json!(found));
        return Ok(Ending::Done);
    }
    for (name, shape) in found {
        outln!("tsunagi {name} --json\n{shape:#}\n");
    }
    Ok(Ending::Done)
}

/// Every command's shape.
pub fn all() -> anyhow::Result<BTreeMap<String, Value>> {
    let contract = Contract::read()?;
    let shapes = SHAPES.iter().chain([&FAILURE]).map(|(command, text)| {
        let shape = serde_json::from_str(text).with_context(|| (*command).to_owned())?;
        Ok(((*command).to_owned(), contract.filled(shape)?))
    });
    shapes.collect()
}

/// What the embedded component says of itself.
struct Contract(Resolve, Vec<(String, Function)>);

impl Contract {
    fn read() -> anyhow::Result<Self> {
        let decoded = wit_component::decode(EMBEDDED)?;
        let resolve = decoded.resolve().clone();
        let exports = resolve
            .worlds
            .iter()
            .flat_map(|(_, world)| world.exports.values());
        let mut functions = Vec::new();
        for export in exports {
            let WorldItem::Interface { id, .. } = export else {
                continue;
            };
            let interface = resolve.interfaces.get(*id);
            let name = interface.and_then(|interface| interface.name.clone());
            for (function, of) in interface
                .into_iter()
                .flat_map(|interface| &interface.functions)
            {
                functions.push((
                    format!("{}.{function}", name.clone().unwrap_or_default()),
                    of.clone(),
                ));
            }
        }
        Ok(Self(resolve, functions))
    }

    /// A shape with those of the contract in their places.
    fn filled(&self, shape: Value) -> anyhow::Result<Value> {
        Ok(match shape {
            Value::String(text) => match text.strip_prefix(OF_THE_CONTRACT) {
                Some(function) => self.given(function)?,
                None => Value::String(text),
            },
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.filled(item));
                Value::Array(items.collect::<anyhow::Result<_>>()?)
            }
            Value::Object(fields) => {
                let fields = fields
                    .into_iter()
                    .map(|(name, field)| Ok((name, self.filled(field)?)));
                Value::Object(fields.collect::<anyhow::Result<_>>()?)
            }
            other => other,
        })
    }

    /// What a function gives, or with a path a part of it.
    fn given(&self, place: &str) -> anyhow::Result<Value> {
        let (name, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let found = self.1.iter().find(|(known, _)| known == name);
        let (_, function) = found.with_context(|| format!("the contract has no {name}"))?;
        let whole = function
            .result
            .map_or(Value::Null, |result| self.shape(&result));
        let part = whole.pointer(path);
        Ok(part.with_context(|| place.to_owned())?.clone())
    }

    fn shape(&self, ty: &Type) -> Value {
        let leaf = |word: &str| Value::String(word.to_owned());
        match ty {
            Type::Bool => leaf(FLAG),
            Type::String | Type::Char => leaf(TEXT),
            Type::Id(id) => self.0.types.get(*id).map_or(Value::Null, |named| {
                let name = named.name.as_deref().unwrap_or_default();
                self.defined(&named.kind, name)
            }),
            _ => leaf(NUMBER),
        }
    }

    /// Of an alias the name says more than what is behind it: a timestamp is a text of a form.
    fn defined(&self, kind: &TypeDefKind, name: &str) -> Value {
        let leaf = |word: &str| Value::String(word.to_owned());
        match kind {
            TypeDefKind::Type(Type::String) if !name.is_empty() => leaf(name),
            TypeDefKind::Type(inner) => self.shape(inner),
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                let fields = fields.map(|field| (field.name.clone(), self.shape(&field.ty)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            TypeDefKind::Option(inner) => match self.shape(inner) {
                Value::String(word) => Value::String(format!("{word}{OR_NULL}")),
                shape => json!({ ONE_OF: [NULL, shape] }),
            },
            TypeDefKind::List(Type::U8) => leaf(TEXT),
            TypeDefKind::List(item) => json!([self.shape(item)]),
            TypeDefKind::Enum(words) => {
                let words: Vec<&str> = words.cases.iter().map(|case| case.name.as_str()).collect();
                json!({ ONE_OF: words })
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| match &case.ty {
                    Some(payload) => json!({ (case.name.as_str()): self.shape(payload) }),
                    None => json!(case.name),
                });
                json!({ ONE_OF: cases.collect::<Vec<_>>() })
            }
            TypeDefKind::Result(result) => result.ok.map_or(Value::Null, |ok| self.shape(&ok)),
            _ => leaf("a value"),
        }
    }
}
