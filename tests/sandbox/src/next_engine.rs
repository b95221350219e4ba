//! A strict double of ネクストエンジン: sign-in page and API. It must not reach the connector's own types.

use serde_json::Value;

use crate::clock::SandboxClock;
use crate::service::{Refused, Service};
use crate::shop::ShopData;
use crate::switches::Switches;
use crate::wire::{self, Request, Response};

/// ネクストエンジン's books and rules.
pub struct NextEngine {
    _clock: SandboxClock,
    switches: Switches,
}

impl NextEngine {
    /// Empty books.
    pub fn new(clock: SandboxClock, switches: Switches) -> Self {
        Self {
            _clock: clock,
            switches,
        }
    }

    /// Fills the books.
    pub fn load(&mut self, _shop: &ShopData) {}

    /// Whether a second call of one uid is refused while the first is open.
    pub fn refuses_parallel_calls(&self) -> bool {
        false
    }
}

impl Service for NextEngine {
    fn endpoint(&self, request: &Request) -> String {
        format!("{} {}", request.method(), request.uri().path())
    }

    fn caller(&self, _request: &Request) -> Option<String> {
        None
    }

    fn handle(&mut self, _request: &Request) -> Response {
        wire::json(http::StatusCode::OK, &Value::Null)
    }

    fn refuse(&mut self, request: &Request, _code: &str) -> Response {
        self.handle(request)
    }

    fn tick(&mut self) {}

    fn set_switches(&mut self, switches: Switches) {
        self.switches = switches;
    }

    fn operate(&mut self, _action: Value) -> Result<Value, Refused> {
        Err(Refused::new("no such action"))
    }

    fn book(&self, _part: &str) -> Option<Value> {
        None
    }
}
