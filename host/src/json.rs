//! The contract as JSON: names as `wit/` spells them, by the component's own types, so that no function is written out by hand.
//!
//! A record is an object; an absent option may be left out. A variant is its case's name, or `{"case": payload}`; an enum is its
//! name. A list of bytes is given as text. Money, quantities and moments are text already.

use serde_json::{Map, Value};
use wasmtime::component::{Type, Val};

/// Something in the given JSON does not fit the contract; names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Misfit {
    /// Path, as `settings.orders.receiving-stores[0].shop-id`.
    pub place: String,
    /// What was expected.
    pub problem: String,
}

pub(crate) fn misfit<T>(place: &str, problem: impl Into<String>) -> Result<T, Misfit> {
    Err(Misfit {
        place: place.to_owned(),
        problem: problem.into(),
    })
}

/// Reads a value of the given type. `place` is named in problems.
///
/// # Errors
/// Where the JSON does not fit the type.
pub fn to_val(ty: &Type, value: &Value, place: &str) -> Result<Val, Misfit> {
    match ty {
        Type::Bool => value.as_bool().map_or_else(
            || misfit(place, "true or false is expected"),
            |flag| Ok(Val::Bool(flag)),
        ),
        Type::U32 => number(value, place).map(Val::U32),
        Type::U64 => number(value, place).map(Val::U64),
        Type::String => match value.as_str() {
            Some(text) => Ok(Val::String(text.to_owned())),
            None => misfit(place, "text is expected"),
        },
        Type::List(list) => to_list(&list.ty(), value, place),
        Type::Record(record) => to_record(record, value, place),
        Type::Option(option) if value.is_null() => {
            let _ = option;
            Ok(Val::Option(None))
        }
        Type::Option(option) => Ok(Val::Option(Some(Box::new(to_val(
            &option.ty(),
            value,
            place,
        )?)))),
        Type::Enum(names) => match value
            .as_str()
            .filter(|name| names.names().any(|known| known == *name))
        {
            Some(name) => Ok(Val::Enum(name.to_owned())),
            None => misfit(place, one_of(names.names())),
        },
        Type::Variant(variant) => to_variant(variant, value, place),
        _ => misfit(place, "the contract has no such type"),
    }
}

fn number<N: TryFrom<u64>>(value: &Value, place: &str) -> Result<N, Misfit> {
    let number = value.as_u64().and_then(|number| N::try_from(number).ok());
    number.map_or_else(|| misfit(place, "a whole number is expected"), Ok)
}

fn to_list(item: &Type, value: &Value, place: &str) -> Result<Val, Misfit> {
    if let (Type::U8, Some(text)) = (item, value.as_str()) {
        return Ok(Val::List(text.bytes().map(Val::U8).collect()));
    }
    let Some(items) = value.as_array() else {
        return misfit(place, "a list is expected");
    };
    let read = items
        .iter()
        .enumerate()
        .map(|(index, value)| to_val(item, value, &format!("{place}[{index}]")));
    read.collect::<Result<_, _>>().map(Val::List)
}

fn to_record(
    record: &wasmtime::component::types::Record,
    value: &Value,
    place: &str,
) -> Result<Val, Misfit> {
    let Some(given) = value.as_object() else {
        return misfit(place, "an object is expected");
    };
    if let Some(unknown) = given
        .keys()
        .find(|name| !record.fields().any(|field| field.name == name.as_str()))
    {
        return misfit(
            &format!("{place}.{unknown}"),
            one_of(record.fields().map(|field| field.name)),
        );
    }
    let read = record.fields().map(|field| {
        let place = format!("{place}.{}", field.name);
        match given.get(field.name) {
            Some(value) => Ok((field.name.to_owned(), to_val(&field.ty, value, &place)?)),
            None if matches!(field.ty, Type::Option(_)) => {
                Ok((field.name.to_owned(), Val::Option(None)))
            }
            None => misfit(&place, "is missing"),
        }
    });
    read.collect::<Result<_, _>>().map(Val::Record)
}

fn to_variant(
    variant: &wasmtime::component::types::Variant,
    value: &Value,
    place: &str,
) -> Result<Val, Misfit> {
    let (name, payload) = match value {
        Value::String(name) => (name.as_str(), None),
        Value::Object(object) if object.len() == 1 => match object.iter().next() {
            Some((name, payload)) => (name.as_str(), Some(payload)),
            None => return misfit(place, "a case is expected"),
        },
        _ => return misfit(place, one_of(variant.cases().map(|case| case.name))),
    };
    let case = variant
        .cases()
        .find(|case| case.name == name)
        .and_then(|case| match (case.ty, payload) {
            (None, None) => Some(Ok(None)),
            (Some(ty), Some(payload)) => Some(
                to_val(&ty, payload, &format!("{place}.{name}")).map(|val| Some(Box::new(val))),
            ),
            _ => None,
        });
    match case {
        Some(payload) => Ok(Val::Variant(name.to_owned(), payload?)),
        None => misfit(place, one_of(variant.cases().map(|case| case.name))),
    }
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!(
        "one of these is expected: {}",
        names.collect::<Vec<_>>().join(", ")
    )
}

/// Shows a value.
pub fn from_val(val: &Val) -> Value {
    match val {
        Val::Bool(flag) => Value::Bool(*flag),
        Val::U8(number) => (*number).into(),
        Val::U32(number) => (*number).into(),
        Val::U64(number) => (*number).into(),
        Val::String(text) | Val::Enum(text) => Value::String(text.clone()),
        Val::List(items) => items.iter().map(from_val).collect(),
        Val::Record(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, val)| (name.clone(), from_val(val)))
                .collect(),
        ),
        Val::Option(val) => val.as_deref().map_or(Value::Null, from_val),
        Val::Variant(name, None) => Value::String(name.clone()),
        Val::Variant(name, Some(payload)) => {
            let mut object = Map::new();
            object.insert(name.clone(), from_val(payload));
            Value::Object(object)
        }
        // The contract has no floats, tuples, flags or resources.
        _ => Value::Null,
    }
}

/// Objects are laid over each other field by field; everything else is replaced.
pub fn lay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                lay(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_part_of_the_settings_leaves_the_rest() {
        let mut settings = json!({ "stock": { "stores": ["1"], "guard": { "moved-percent": 20 } }, "orders": { "charge": "unset" } });
        lay(
            &mut settings,
            &json!({ "stock": { "stores": ["2"] }, "orders": { "charge": { "line": "FEE" } } }),
        );
        let expected = json!({ "stock": { "stores": ["2"], "guard": { "moved-percent": 20 } }, "orders": { "charge": { "line": "FEE" } } });
        assert_eq!(settings, expected);
    }
}
