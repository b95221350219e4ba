//! Every function of the contract by its name, with arguments and answers as JSON: the same shapes as the reference host gives. The
//! spelling is on the generated types; here is only which function takes what.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::bindings::tsunagi::connector::{
    connection, directory, history, orders, schedule, settings, stock,
    types::{self, Budget, PageRequest},
};

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

/// What a call gives, as JSON.
trait Told {
    fn told(self) -> Result<Value, Refusal>;
}

impl<T: Serialize> Told for Result<T, types::Error> {
    fn told(self) -> Result<Value, Refusal> {
        match self {
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
}

impl<T: Serialize> Told for Vec<T> {
    fn told(self) -> Result<Value, Refusal> {
        value_of(&self)
    }
}

fn value_of(value: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(value).map_err(|_| Refusal::Misfit("the answer".to_owned()))
}

struct Arguments(Map<String, Value>);

impl Arguments {
    /// One of them, by the name that Rust spells.
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Refusal> {
        let name = name.replace('_', "-");
        let given = match self.0.remove(&name) {
            None if name == "budget" => json!({ "requests": 300, "seconds": 20 }),
            other => other.unwrap_or(Value::Null),
        };
        serde_path_to_error::deserialize(given).map_err(|error| {
            // Serde's own words hold what was given, which may be a secret.
            let place = match error.path().to_string().as_str() {
                "." => name,
                path => format!("{name}.{path}"),
            };
            Refusal::Misfit(format!("{place}: does not fit the contract"))
        })
    }
}

macro_rules! functions {
    ($( $function:literal ( $( $argument:ident: $kind:ty ),* ) => $call:expr; )*) => {
        /// Each function with its arguments, as Rust spells these.
        #[cfg(test)]
        pub const FUNCTIONS: &[(&str, &[&str])] = &[$( ($function, &[$( stringify!($argument) ),*]) ),*];

        impl Connector for Plugged {
            fn call(&self, function: &str, arguments: Value) -> Result<Value, Refusal> {
                let Value::Object(given) = arguments else {
                    return Err(Refusal::Misfit("an object is expected".to_owned()));
                };
                #[allow(unused_variables, unused_mut, reason = "some functions take nothing")]
                let mut given = Arguments(given);
                match function {
                    $( $function => {
                        $( let $argument: $kind = given.take(stringify!($argument))?; )*
                        $call.told()
                    } )*
                    _ => Err(Refusal::Unknown),
                }
            }
        }
    };
}

functions! {
    "connection.begin-login" () => connection::begin_login();
    "connection.finish-login" (ticket: String, uid: String, state: String) => connection::finish_login(&ticket, &uid, &state);
    "connection.check" () => connection::check();
    "connection.get-status" () => connection::get_status();
    "connection.switch-on" (backlog: connection::Backlog) => connection::switch_on(backlog);
    "connection.switch-off" () => connection::switch_off();
    "connection.disconnect" () => connection::disconnect();
    "settings.get" () => settings::get();
    "settings.put" (settings: settings::Settings) => settings::put(&settings);
    "settings.validate" (settings: settings::Settings) => settings::validate(&settings);
    "settings.hosts" (settings: settings::Settings) => settings::hosts(&settings);
    "directory.smaregi-stores" () => directory::smaregi_stores();
    "directory.next-engine-shops" () => directory::next_engine_shops();
    "directory.payment-methods" () => directory::payment_methods();
    "directory.products" (text: String) => directory::products(&text);
    "orders.import-shop" (shop_id: String, budget: Budget) => orders::import_shop(&shop_id, budget);
    "orders.retry" (choice: orders::RetryChoice, budget: Budget) => orders::retry(&choice, budget);
    "orders.preview" (choice: orders::PreviewChoice) => orders::preview(&choice);
    "orders.try-settings" (proposed: settings::Settings, last: u32) => orders::try_settings(&proposed, last);
    "orders.stores" () => orders::stores();
    "stock.take-in" (webhook: stock::Webhook) => stock::take_in(&webhook);
    "stock.take-in-changes" (hints: Vec<stock::ChangeHint>) => stock::take_in_changes(&hints);
    "stock.send" (budget: Budget) => stock::send(budget);
    "stock.catch-up" (since: Option<String>, budget: Budget) => stock::catch_up(since.as_deref(), budget);
    "stock.resend" (choice: stock::ResendChoice) => stock::resend(&choice);
    "stock.compare" () => stock::compare();
    "stock.align" (codes: Vec<String>, confirmed: bool, over_guard: bool) => stock::align(&codes, confirmed, over_guard);
    "history.story" (key: String) => history::story(&key);
    "history.daily" (days: u32) => history::daily(days);
    "history.sent" (filter: history::SentFilter, page: PageRequest) => history::sent(&filter, &page);
    "history.received" (filter: history::ReceivedFilter, page: PageRequest) => history::received(&filter, &page);
    "schedule.run" (budget: Budget) => schedule::run(budget);
    "schedule.calls" () => schedule::calls();
}
