//! A strict double of スマレジ: identity host and API, its books, and what happens at the till and in the back office.
//! It must not reach the connector's own types.

mod access;
mod action;
mod answer;
mod back_office;
mod body;
mod books;
mod lists;
mod load;
mod register;
mod rows;
mod serve;
mod stock;
#[cfg(test)]
mod tests;
mod undo;

use http::Method;
use serde_json::{Value, json};

use crate::clock::SandboxClock;
use crate::service::{Refused, Service};
use crate::switches::Switches;
use crate::webhook::{Webhook, Webhooks};
use crate::wire::{self, Request, Response};
pub use access::{App, SCOPES};
use answer::Problem;
pub use books::{
    Books, Change, Disposal, Moment, Movement, Product, ProductKind, Store, Transaction,
};

/// Where webhooks go, and the custom header they carry (smaregi.md 6b).
#[derive(Clone, Default)]
pub struct Hook {
    /// Address.
    pub url: String,
    /// Name and value of the header.
    pub header: (String, String),
}

/// スマレジ's books and rules.
pub struct Smaregi {
    clock: SandboxClock,
    switches: Switches,
    webhooks: Webhooks,
    books: Books,
    access: access::Access,
    hook: Option<Hook>,
    events: u64,
    pace: access::Pace,
}

impl Smaregi {
    /// Empty books, one app.
    pub fn new(clock: SandboxClock, switches: Switches, webhooks: Webhooks) -> Self {
        Self {
            clock,
            switches,
            webhooks,
            books: Books::default(),
            access: access::Access::default(),
            hook: None,
            events: 0,
            pace: access::Pace::default(),
        }
    }

    /// The same books and tokens again, on another clock and with other webhooks.
    pub fn fork(&self, clock: SandboxClock, webhooks: Webhooks) -> Self {
        Self {
            clock,
            switches: self.switches,
            webhooks,
            books: self.books.clone(),
            access: self.access.clone(),
            hook: self.hook.clone(),
            events: self.events,
            pace: self.pace.clone(),
        }
    }

    /// The books, to look at.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The registered app: contract, client id and secret, scopes ticked in the console.
    pub fn app(&self) -> &App {
        &self.access.app
    }

    /// Ticks the scopes of the app in the console; tokens out already keep theirs.
    pub fn set_scopes(&mut self, scopes: &[&str]) {
        self.access.app.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    }

    /// Makes every token out so far invalid.
    pub fn revoke_tokens(&mut self) {
        self.access.revoke();
    }

    /// Sets where webhooks go; `None` sends none.
    pub fn set_hook(&mut self, hook: Option<Hook>) {
        self.hook = hook;
    }

    fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Lets a webhook leave, if an address is set (smaregi.md 6a, 6b).
    fn notify(&mut self, event: &str, action: &str, what: (&str, Value)) {
        let Some(hook) = self.hook.clone() else {
            return;
        };
        self.events += 1;
        let contract = self.access.app.contract_id.clone();
        let mut body = json!({"contractId": contract, "event": event, "action": action});
        wire::set(&mut body, what.0, what.1);
        let headers = vec![
            ("smaregi-contract-id".to_owned(), contract),
            ("smaregi-event".to_owned(), event.to_owned()),
            (
                "smaregi-event-id".to_owned(),
                format!("{:08x}-0000-4000-8000-000000000000", self.events),
            ),
            hook.header,
        ];
        self.webhooks.push(Webhook {
            url: hook.url,
            headers,
            body,
        });
    }

    /// Writes movements of one happening and tells of them together.
    fn move_stock(&mut self, movements: Vec<Movement>, notify: bool) -> Vec<Change> {
        let at = self.now();
        let managed = |books: &Books, movement: &Movement| books.manages_stock(movement.product);
        let mut changes = Vec::new();
        for movement in movements {
            if movement.amount != 0 && managed(&self.books, &movement) {
                changes.push(self.books.apply(movement, at));
            }
        }
        if notify && !changes.is_empty() {
            let id = |change: &Change| json!({"id": change.id.to_string(), "productId": change.product.to_string(), "storeId": change.store.to_string()});
            let ids: Vec<Value> = changes.iter().map(id).collect();
            self.notify("pos:stock", "edited", ("ids", ids.into()));
        }
        changes
    }
}

impl Service for Smaregi {
    fn endpoint(&self, request: &Request) -> String {
        serve::endpoint(request)
    }

    fn caller(&self, _request: &Request) -> Option<String> {
        None
    }

    fn handle(&mut self, request: &Request) -> Response {
        serve::handle(self, request).unwrap_or_else(|problem| problem.respond())
    }

    fn refuse(&mut self, request: &Request, code: &str) -> Response {
        let write = request.method() != Method::GET;
        let scope = if write {
            "pos.transactions:write"
        } else {
            "pos.stock:read"
        };
        Problem::of_status(code, scope).respond()
    }

    fn tick(&mut self) {}

    fn set_switches(&mut self, switches: Switches) {
        self.switches = switches;
    }

    fn operate(&mut self, action: Value) -> Result<Value, Refused> {
        action::operate(self, action)
    }

    fn book(&self, part: &str) -> Option<Value> {
        rows::book(&self.books, part)
    }
}
