//! A strict double of スマレジ: identity host and API, its books, and what happens at the till and in the back office.
//! It must not reach the connector's own types.

mod access;
mod action;
mod answer;
mod back_office;
mod body;
mod books;
mod bulk;
mod lists;
mod load;
mod pace;
mod pending;
mod register;
mod relabel;
mod rows;
mod serve;
mod stock;
#[cfg(test)]
mod tests;
mod till;
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
    Books, Change, DailyReport, Detail, Disposal, Moment, Movement, OtherDeposit, Product,
    ProductKind, Store, Transaction,
};
pub use pace::Limits;

/// How the sandbox's webhooks name themselves (smaregi.md 6b, captured).
const AGENT: &str = "Smaregi-Platform-Api-Webhook/1.2.4(sandbox)";

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
    event_seed: u64,
    pace: pace::Pace,
    rows_to_come: Vec<pending::Rows>,
    jobs: Vec<bulk::Job>,
    jobs_done: u64,
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
            event_seed: 0,
            pace: pace::Pace::default(),
            rows_to_come: Vec::new(),
            jobs: Vec::new(),
            jobs_done: 0,
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
            event_seed: self.event_seed,
            pace: self.pace.clone(),
            rows_to_come: self.rows_to_come.clone(),
            jobs: self.jobs.clone(),
            jobs_done: self.jobs_done,
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

    /// Sets what makes event ids differ between processes; 0, the default, gives the same ids every time.
    pub fn seed_events(&mut self, seed: u64) {
        self.event_seed = seed;
    }

    /// Sets the limits of requests a second; with `real_time` they hold on a clock that stands still, too.
    pub fn set_pace(&mut self, limits: Limits, real_time: bool) {
        (self.pace.limits, self.pace.real_time) = (limits, real_time);
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
                event_id(self.event_seed, self.events),
            ),
            ("user-agent".to_owned(), AGENT.to_owned()),
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
        if notify {
            self.tell_stock("edited", &changes);
        }
        changes
    }

    /// Tells of history rows together, if there are any (smaregi.md 6a).
    fn tell_stock(&mut self, action: &str, changes: &[Change]) {
        let id = |change: &Change| json!({"id": change.id.to_string(), "productId": change.product.to_string(), "storeId": change.store.to_string()});
        let ids: Vec<Value> = changes.iter().map(id).collect();
        if !ids.is_empty() {
            self.notify("pos:stock", action, ("ids", ids.into()));
        }
    }
}

/// A UUID of the event's number and the process's seed.
fn event_id(seed: u64, number: u64) -> String {
    let (high, low) = (seed >> 48, seed & 0xffff_ffff_ffff);
    format!("{number:08x}-{high:04x}-4000-8000-{low:012x}")
}

impl Service for Smaregi {
    fn endpoint(&self, request: &Request) -> String {
        serve::endpoint(request)
    }

    fn caller(&self, _request: &Request) -> Option<String> {
        None
    }

    fn handle(&mut self, request: &Request) -> Response {
        self.tick();
        serve::handle(self, request).unwrap_or_else(|problem| problem.respond())
    }

    fn refuse(&mut self, request: &Request, code: &str) -> Response {
        if serve::is_identity(request) {
            return answer::oauth_of_status(code);
        }
        let write = request.method() != Method::GET;
        let scope = if write {
            "pos.transactions:write"
        } else {
            "pos.stock:read"
        };
        Problem::of_status(code, scope).respond()
    }

    fn rate_limited(&mut self, request: &Request, retry_after_seconds: u32) -> Response {
        let mut response = Problem::too_many(retry_after_seconds).respond();
        if serve::is_identity(request) {
            let (parts, _) = response.into_parts();
            let oauth = answer::oauth_of_status("429");
            response = http::Response::from_parts(parts, oauth.into_body());
            wire::retype(&mut response, "application/json;charset=UTF-8");
        }
        response
    }

    fn tick(&mut self) {
        self.write_due_rows();
        self.run_due_jobs();
    }

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
