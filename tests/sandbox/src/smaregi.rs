//! A strict double of スマレジ: identity host and API. It must not reach the connector's own types.

use serde_json::Value;

use crate::clock::SandboxClock;
use crate::service::{Refused, Service};
use crate::shop::ShopData;
use crate::switches::Switches;
use crate::webhook::Webhooks;
use crate::wire::{self, Request, Response};

/// スマレジ's books and rules.
pub struct Smaregi {
    _clock: SandboxClock,
    switches: Switches,
    _webhooks: Webhooks,
}

impl Smaregi {
    /// Empty books.
    pub fn new(clock: SandboxClock, switches: Switches, webhooks: Webhooks) -> Self {
        Self {
            _clock: clock,
            switches,
            _webhooks: webhooks,
        }
    }

    /// Fills the books.
    pub fn load(&mut self, _shop: &ShopData) {}
}

impl Service for Smaregi {
    fn endpoint(&self, request: &Request) -> String {
        format!("{} {}", request.method(), request.uri().path())
    }

    fn caller(&self, _request: &Request) -> Option<String> {
        None
    }

    fn handle(&mut self, _request: &Request) -> Response {
        wire::json(http::StatusCode::NOT_FOUND, &Value::Null)
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
