//! The settings' form is the contract's `settings`, field by field: nothing is missing in it, and nothing is there that the contract
//! has not.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wit_parser::{Record, Type, TypeDefKind, Variant};

use super::super::Contract;
use crate::runtime::tests::{alone, usual};

async fn form(language: &str) -> Value {
    let runtime = usual();
    let around = alone();
    let form = runtime
        .call(&around, "settings.form", &json!({ "language": language }))
        .await;
    serde_json::from_str(form.unwrap().unwrap().as_str().unwrap()).unwrap()
}

/// Walks contract and schema side by side, and writes down where they part.
struct Walk<'a> {
    contract: &'a Contract,
    parted: Vec<String>,
    lists: BTreeSet<String>,
}

impl Walk<'_> {
    fn is(&mut self, place: &str, schema: &Value, name: &str, expected: &Value) {
        if schema[name] != *expected {
            let told = format!("{place}: {name} is {}, not {expected}", schema[name]);
            self.parted.push(told);
        }
    }

    fn look(&mut self, ty: &Type, schema: &Value, place: &str) {
        match ty {
            Type::Bool => self.is(place, schema, "type", &json!("boolean")),
            Type::String => self.is(place, schema, "type", &json!("string")),
            Type::U32 => {
                self.is(place, schema, "type", &json!("integer"));
                let (least, most) = (schema["minimum"].as_u64(), schema["maximum"].as_u64());
                if least.is_none() || most.is_none_or(|most| most > u64::from(u32::MAX)) {
                    self.parted.push(format!("{place}: not a number of ours"));
                }
            }
            Type::Id(id) => {
                let named = self.contract.0.types.get(*id).unwrap();
                if named.name.as_deref() == Some("date") {
                    self.is(place, schema, "format", &json!("date"));
                }
                self.defined(&named.kind, schema, place);
            }
            other => panic!("{place}: {other:?}"),
        }
    }

    fn defined(&mut self, kind: &TypeDefKind, schema: &Value, place: &str) {
        match kind {
            TypeDefKind::Type(inner) => self.look(inner, schema, place),
            TypeDefKind::Record(record) => self.record(record, schema, place),
            TypeDefKind::List(item) => {
                self.is(place, schema, "type", &json!("array"));
                self.look(item, &schema["items"], &format!("{place}[]"));
            }
            TypeDefKind::Option(_) => self.is(place, schema, "type", &json!(["string", "null"])),
            TypeDefKind::Enum(words) => {
                let words = words.cases.iter().map(|case| json!(case.name));
                self.cases(words.collect(), schema, place);
            }
            TypeDefKind::Variant(variant) => self.variant(variant, schema, place),
            other => panic!("{place}: {other:?}"),
        }
    }

    fn record(&mut self, record: &Record, schema: &Value, place: &str) {
        self.is(place, schema, "type", &json!("object"));
        self.is(place, schema, "additionalProperties", &json!(false));
        let names = |names: Vec<&str>| {
            names
                .into_iter()
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        let fields = names(
            record
                .fields
                .iter()
                .map(|field| field.name.as_str())
                .collect(),
        );
        let properties = schema["properties"].as_object().unwrap();
        let told = names(properties.keys().map(String::as_str).collect());
        let required = schema["required"].as_array().unwrap().iter();
        let required = names(required.filter_map(Value::as_str).collect());
        let needed = record
            .fields
            .iter()
            .filter(|field| !self.is_option(&field.ty));
        let needed = names(needed.map(|field| field.name.as_str()).collect());
        if fields != told || needed != required {
            self.parted.push(format!(
                "{place}: {fields:?} {needed:?}, but {told:?} {required:?}"
            ));
        }
        for field in &record.fields {
            let (place, schema) = (format!("{place}.{}", field.name), &properties[&field.name]);
            if schema["title"].as_str().is_none_or(str::is_empty) {
                self.parted.push(format!("{place}: no title"));
            }
            self.lists
                .extend(schema["x-choices"].as_str().map(str::to_owned));
            self.look(&field.ty, schema, &place);
        }
    }

    fn is_option(&self, ty: &Type) -> bool {
        let Type::Id(id) = ty else { return false };
        let kind = &self.contract.0.types.get(*id).unwrap().kind;
        matches!(kind, TypeDefKind::Option(_))
    }

    fn variant(&mut self, variant: &Variant, schema: &Value, place: &str) {
        let cases = variant.cases.iter().map(|case| match case.ty {
            None => json!(case.name),
            Some(_) => json!({ (case.name.as_str()): "string" }),
        });
        self.cases(cases.collect(), schema, place);
    }

    /// Each is a word, or an object of one text.
    fn cases(&mut self, expected: Vec<Value>, schema: &Value, place: &str) {
        let told = schema["oneOf"].as_array().unwrap().iter().map(|case| {
            let properties = case["properties"].as_object().into_iter().flatten();
            let carried = properties.map(|(name, of)| (name.clone(), of["type"].clone()));
            match case.get("const") {
                Some(word) => word.clone(),
                None => Value::Object(carried.collect()),
            }
        });
        let sorted = |mut cases: Vec<Value>| {
            cases.sort_by_key(Value::to_string);
            cases
        };
        let (told, expected) = (sorted(told.collect()), sorted(expected));
        if told != expected {
            self.parted
                .push(format!("{place}: {told:?}, not {expected:?}"));
        }
    }
}

#[tokio::test]
async fn the_form_has_the_settings_fields_and_no_others() {
    let contract = Contract::read().unwrap();
    let function = contract.1.iter().find(|(name, _)| name == "settings.put");
    let settings = function.unwrap().1.params[0].ty;
    for language in ["ja", "en"] {
        let mut walk = Walk {
            contract: &contract,
            parted: Vec::new(),
            lists: BTreeSet::new(),
        };
        walk.look(&settings, &form(language).await, language);
        assert_eq!(walk.parted, Vec::<String>::new());
        assert!(!walk.lists.is_empty());
        for list in walk.lists {
            let function = format!("directory.{list}");
            assert!(
                contract.1.iter().any(|(name, _)| *name == function),
                "{function}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_set_by_nobody_is_the_forms_default() {
    let runtime = usual();
    let settings = runtime.call(&alone(), "settings.get", &json!({})).await;
    let settings = settings.unwrap().unwrap();
    let form = form("en").await;
    let mut seen = 0;
    for (group, schema) in form["properties"].as_object().unwrap() {
        for (name, schema) in schema["properties"].as_object().unwrap() {
            if let Some(default) = schema.get("default") {
                assert_eq!(settings[group][name], *default, "{group}.{name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}
