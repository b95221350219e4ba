//! The words that shapes are made of, and whether a value has one. Knows no command.

use serde_json::{Map, Value};

use crate::json::{Misfit, misfit};

/// A text of no form of its own.
pub const TEXT: &str = "text";
/// A number.
pub const NUMBER: &str = "number";
/// `true` or `false`.
pub const FLAG: &str = "true or false";
/// Nothing.
pub const NULL: &str = "null";
/// Behind a word: or nothing.
pub const OR_NULL: &str = " or null";
/// The only name of an object that stands for one of several shapes.
pub const ONE_OF: &str = "one of";
/// The only name of an object whose names are not known beforehand.
pub const ANY_NAME: &str = "any name";
/// What a text begins with that stands for whatever it is.
const ANYTHING: &str = "anything";

/// Whether a value has a shape, as `tsunagi shapes` tells it: an object has these names and no others, or with `any name` any; a list
/// items of one shape; `{"one of": [...]}` one of those; and a text says what stands there
/// (one that begins with `anything`, that it may be whatever it is).
///
/// # Errors
/// The first place where it has not.
pub fn fits(shape: &Value, value: &Value) -> Result<(), Misfit> {
    fits_at(shape, value, "value")
}

fn fits_at(shape: &Value, value: &Value, place: &str) -> Result<(), Misfit> {
    let expected = || misfit(place, format!("{shape} is expected"));
    match (shape, value) {
        (Value::String(word), value) => {
            let (word, is_open) = match word.strip_suffix(OR_NULL) {
                Some(word) => (word, true),
                None => (word.as_str(), false),
            };
            let fits = match (word, value) {
                (word, _) if word.starts_with(ANYTHING) => true,
                (_, Value::Null) => is_open || word == NULL,
                (NUMBER, value) => value.is_number(),
                (FLAG, value) => value.is_boolean(),
                (_, value) => value.is_string(),
            };
            if fits { Ok(()) } else { expected() }
        }
        (Value::Array(items), Value::Array(values)) => {
            let shape = items.first().unwrap_or(&Value::Null);
            let mut values = values.iter().enumerate();
            values
                .try_for_each(|(index, value)| fits_at(shape, value, &format!("{place}[{index}]")))
        }
        (Value::Object(fields), value) => match (fields.get(ONE_OF), fields.get(ANY_NAME)) {
            (Some(Value::Array(cases)), _) => {
                let is = |case: &Value| match (case.as_str(), value) {
                    (Some(NULL), value) => value.is_null(),
                    // A case is its own name; where it is a kind of value, it is that.
                    (Some(word), Value::String(text)) => word == text || word == TEXT,
                    (Some(_), _) => false,
                    (None, value) => fits_at(case, value, place).is_ok(),
                };
                if cases.iter().any(is) {
                    Ok(())
                } else {
                    expected()
                }
            }
            (_, Some(shape)) => {
                let mut values = value.as_object().into_iter().flatten();
                values
                    .try_for_each(|(name, value)| fits_at(shape, value, &format!("{place}.{name}")))
            }
            _ => fits_in(fields, value, place),
        },
        _ => expected(),
    }
}

fn fits_in(fields: &Map<String, Value>, value: &Value, place: &str) -> Result<(), Misfit> {
    let Some(values) = value.as_object() else {
        return misfit(place, "an object is expected");
    };
    if let Some(unknown) = values.keys().find(|name| !fields.contains_key(*name)) {
        return misfit(&format!("{place}.{unknown}"), "is not expected");
    }
    fields.iter().try_for_each(|(name, shape)| {
        let place = format!("{place}.{name}");
        match values.get(name) {
            Some(value) => fits_at(shape, value, &place),
            None => misfit(&place, "is missing"),
        }
    })
}
