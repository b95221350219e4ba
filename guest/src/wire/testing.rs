//! What a service sends, written down in tests. No test itself.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::{Object, Value};

/// What a service sends, in the words of `serde_json::json!`.
macro_rules! sent {
    ($($json:tt)+) => { $crate::wire::Value::from(serde_json::json!($($json)+)) };
}
pub(crate) use sent;

impl From<Json> for Value {
    fn from(value: Json) -> Self {
        serde_json::from_value(value).unwrap()
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Text(text) => Self::String(text.clone()),
            Value::List(list) => list.iter().map(Self::from).collect(),
            Value::Object(Object(fields)) => {
                let field =
                    |(name, value): &(std::rc::Rc<str>, Value)| (name.to_string(), value.into());
                Self::Object(fields.iter().map(field).collect())
            }
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        Json::from(self).serialize(out)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Json::from(self).fmt(out)
    }
}
