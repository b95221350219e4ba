//! Every function of the contract by its name, with arguments and answers as JSON: the same shapes as the reference host gives. The
//! spelling is on the generated types, and the call of each function is generated, too (`build.rs`).

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::bindings::tsunagi::connector::*;

/// Why a call gave no value.
#[derive(Debug, PartialEq)]
pub enum Refusal {
    /// The contract's error: its case, and what that carries.
    Contract(String, Value),
    /// There is no such function.
    Unknown,
    /// The arguments do not fit; the place, without what was given there.
    Misfit(String),
}

/// Whoever carries out calls.
pub trait Connector {
    /// Calls `interface.function` with arguments by name.
    ///
    /// # Errors
    /// Why there is no value.
    fn call(&self, function: &str, arguments: Value) -> Result<Value, Refusal>;
}

/// The component that is plugged in.
pub struct Plugged;

/// What a call gives.
fn told<T: Serialize>(result: Result<T, types::Error>) -> Result<Value, Refusal> {
    match result {
        Ok(value) => value_of(&value),
        Err(error) => match value_of(&error)? {
            Value::Object(case) => match case.into_iter().next() {
                Some((case, carried)) => Err(Refusal::Contract(case, carried)),
                None => Err(Refusal::Contract("unknown".to_owned(), Value::Null)),
            },
            other => Err(Refusal::Contract("unknown".to_owned(), other)),
        },
    }
}

fn value_of(value: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(value).map_err(|_| Refusal::Misfit("the answer".to_owned()))
}

struct Arguments(Map<String, Value>);

impl Arguments {
    /// One of them. A missing budget is a modest one.
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Refusal> {
        let given = match self.0.remove(name) {
            None if name == "budget" => json!({ "requests": 300, "seconds": 20 }),
            other => other.unwrap_or(Value::Null),
        };
        serde_path_to_error::deserialize(given).map_err(|error| {
            // Serde's own words hold what was given, which may be a secret.
            let place = match error.path().to_string().as_str() {
                "." => name.to_owned(),
                path => format!("{name}.{path}"),
            };
            Refusal::Misfit(format!("{place}: does not fit the contract"))
        })
    }
}

impl Connector for Plugged {
    fn call(&self, function: &str, arguments: Value) -> Result<Value, Refusal> {
        let Value::Object(given) = arguments else {
            return Err(Refusal::Misfit("an object is expected".to_owned()));
        };
        let mut given = Arguments(given);
        include!(concat!(env!("OUT_DIR"), "/calls.rs"))
    }
}
