//! JSON Schema (2020-12) as far as the form uses it, by the standard's words: a keyword that is not known here fails the test.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use regex::Regex;
use serde_json::Value;

use crate::time;

/// Places of a value, as the contract spells them, that a schema refuses.
pub fn refused(schema: &Value, value: &Value) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    look(schema, value, "", &mut places);
    places
}

fn look(schema: &Value, value: &Value, place: &str, places: &mut BTreeSet<String>) {
    for (keyword, of) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "readOnly" | "writeOnly" => true,
            word if word.starts_with("x-") => true,
            "properties" => inside(of, value, place, places),
            "required" => required(of, value, place, places),
            "additionalProperties" => has_no_others(schema, value),
            "items" => each(of, value, place, places),
            "allOf" => {
                let all = of.as_array().unwrap();
                all.iter().for_each(|of| look(of, value, place, places));
                true
            }
            "if" => {
                if fits(of, value) {
                    look(&schema["then"], value, place, places);
                }
                true
            }
            "then" => schema.get("if").is_some(),
            "oneOf" => {
                let cases = of.as_array().unwrap().iter();
                cases.filter(|case| fits(case, value)).count() == 1
            }
            keyword => is(keyword, of, value),
        };
        if !holds {
            places.insert(place.to_owned());
        }
    }
}

fn fits(schema: &Value, value: &Value) -> bool {
    refused(schema, value).is_empty()
}

/// Keywords that hold or not, for a value as a whole. One that says something of another kind of value holds.
fn is(keyword: &str, of: &Value, value: &Value) -> bool {
    let number = |than: fn(u64, u64) -> bool| {
        value
            .as_u64()
            .is_none_or(|number| than(number, of.as_u64().unwrap()))
    };
    let text = |holds: &dyn Fn(&str) -> bool| value.as_str().is_none_or(holds);
    let most = || usize::try_from(of.as_u64().unwrap()).unwrap();
    let items = value.as_array();
    match keyword {
        "type" => match of {
            Value::Array(types) => types.iter().any(|of| is_of(of, value)),
            of => is_of(of, value),
        },
        "const" => of == value,
        "minimum" => number(|number, least| number >= least),
        "maximum" => number(|number, most| number <= most),
        "maxLength" => text(&|text| text.chars().count() <= most()),
        "pattern" => text(&|text| matches(of.as_str().unwrap(), text)),
        "maxItems" => items.is_none_or(|items| items.len() <= most()),
        "uniqueItems" => {
            let seen = |items: &Vec<Value>| items.iter().map(Value::to_string).collect();
            items.is_none_or(|items| BTreeSet::len(&seen(items)) == items.len())
        }
        "format" => match of.as_str().unwrap() {
            "date" => text(&|text| time::parse_day(text).is_some()),
            "password" => true,
            other => panic!("no such format: {other}"),
        },
        other => panic!("no such keyword: {other}"),
    }
}

/// Each expression is read once: that takes longer than all the rest.
fn matches(pattern: &str, text: &str) -> bool {
    thread_local! { static READ: RefCell<BTreeMap<String, Regex>> = RefCell::default(); }
    READ.with_borrow_mut(|read| {
        let regex = read.entry(pattern.to_owned());
        let regex = regex.or_insert_with(|| Regex::new(pattern).unwrap());
        regex.is_match(text)
    })
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        other => panic!("no such type: {other}"),
    }
}

fn inside(fields: &Value, value: &Value, place: &str, places: &mut BTreeSet<String>) -> bool {
    for (name, schema) in fields.as_object().unwrap() {
        if let Some(value) = value.get(name) {
            look(schema, value, &below(place, name), places);
        }
    }
    true
}

/// What is missing is refused at its own place.
fn required(names: &Value, value: &Value, place: &str, places: &mut BTreeSet<String>) -> bool {
    let names = names.as_array().unwrap().iter().filter_map(Value::as_str);
    let missing = names.filter(|name| value.is_object() && value.get(name).is_none());
    places.extend(missing.map(|name| below(place, name)));
    true
}

fn has_no_others(schema: &Value, value: &Value) -> bool {
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let known = schema["properties"].as_object().unwrap();
    let mut names = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name);
    names.all(|name| known.contains_key(name))
}

fn each(schema: &Value, value: &Value, place: &str, places: &mut BTreeSet<String>) -> bool {
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        look(schema, value, &format!("{place}[{index}]"), places);
    }
    true
}

fn below(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}
