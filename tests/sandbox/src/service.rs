//! What the shared core asks of a service's double, and what both answer operators with.
//! It must not know what the services do.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::switches::Switches;
use crate::wire::{Request, Response};

/// Which of the two services a request, a fault or a counter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceName {
    /// ネクストエンジン: sign-in page and API.
    NextEngine,
    /// スマレジ: identity host and API.
    Smaregi,
}

/// Why an operator's action could not be done; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

impl Refused {
    /// A refusal with this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// A double of one service: books, rules, and the answers to requests. It has no sockets, threads or time of its own.
pub trait Service: Send {
    /// The request's name in the counters: method and path with ids replaced, e.g. `GET /stock/changes/{product}/{store}`.
    fn endpoint(&self, request: &Request) -> String;

    /// Who calls, where the service asks for one call at a time per caller (Next Engine's uid).
    fn caller(&self, request: &Request) -> Option<String>;

    /// Acts on a request and answers it.
    fn handle(&mut self, request: &Request) -> Response;

    /// Answers with one of the service's own error codes without acting (a fault, e.g. `003001`).
    fn refuse(&mut self, request: &Request, code: &str) -> Response;

    /// Answers 429 with `Retry-After` in the service's own shape without acting (a fault).
    fn rate_limited(&mut self, request: &Request, retry_after_seconds: u32) -> Response;

    /// Runs whatever the clock has made due (queues, callbacks).
    fn tick(&mut self);

    /// Changes how the open questions are answered from now on.
    fn set_switches(&mut self, switches: Switches);

    /// An operator's action as JSON, `{"action": "ship", ...}`: the same actions that Rust callers have as methods.
    fn operate(&mut self, action: Value) -> Result<Value, Refused>;

    /// One part of the books as JSON (`orders`, `stock`, `movements`, ...); `None` when there is no such part.
    fn book(&self, part: &str) -> Option<Value>;
}
