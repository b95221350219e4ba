//! A strict double of ネクストエンジン: sign-in page, API, and what a shop does in it (next-engine.md).
//! It must not share a type with the connector.

mod access;
mod action;
mod answer;
mod books;
mod columns;
mod edits;
mod goods_csv;
mod lists;
mod load;
mod orders;
mod placing;
mod query;
mod removal;
mod serve;
mod sign_in;
mod tax_account;
#[cfg(test)]
mod tests;
mod upload;

pub use access::{Access, App, Pair, User};
pub use books::{
    Books, Goods, ISSUED, LIVE, Line, MAIL_ONLY, MERGED, MallShop, Moment, Movement, MovementKind,
    PRINTED, QueueEntry, Rounding, SHIPPED, Slip, Spoil, TaxSequence, Taxing, WAITING_FOR_PRINT,
};
pub use edits::AmountEdit;

use std::collections::BTreeSet;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::SandboxClock;
use crate::service::{Refused, Service};
use crate::shop::Product;
use crate::switches::{Crowding, Switches};
use crate::wire::{Form, Request, Response};
use answer::{Failure, ResultWord};
use books::StockChange;
use serve::{path, unknown_path};

/// Whether Next Engine is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is.
    #[default]
    Normal,
    /// The platform is under maintenance: 002007.
    PlatformMaintenance,
    /// The main function's host is under maintenance: 003004.
    HostMaintenance,
    /// The main function is under maintenance: 003005.
    MainMaintenance,
    /// Overload: 003002 at once, and with `wait_flag=1` the call is held and then runs (the holding itself is not played).
    Overload,
    /// Overload that does not end: 003002, and 003001 with `wait_flag=1`.
    LastingOverload,
}

/// ネクストエンジン's books and rules.
pub struct NextEngine {
    clock: SandboxClock,
    switches: Switches,
    books: Books,
    access: Access,
    mode: Mode,
    refuses_parallel_calls: bool,
    disabled: BTreeSet<String>,
    spoil_next: Option<Spoil>,
    /// The moment being played while past events are loaded.
    replaying: Option<Moment>,
}

impl NextEngine {
    /// Empty books, one user, one app.
    pub fn new(clock: SandboxClock, switches: Switches) -> Self {
        Self {
            clock,
            switches,
            books: Books::default(),
            access: Access::default(),
            mode: Mode::default(),
            refuses_parallel_calls: false,
            disabled: BTreeSet::new(),
            spoil_next: None,
            replaying: None,
        }
    }

    /// How the open questions are answered now.
    pub fn switches(&self) -> Switches {
        self.switches
    }

    /// The same books and tokens again, on another clock.
    pub fn fork(&self, clock: SandboxClock) -> Self {
        Self {
            clock,
            switches: self.switches,
            books: self.books.clone(),
            access: self.access.clone(),
            mode: self.mode,
            refuses_parallel_calls: self.refuses_parallel_calls,
            disabled: self.disabled.clone(),
            spoil_next: self.spoil_next,
            replaying: self.replaying,
        }
    }

    fn now(&self) -> Moment {
        self.replaying.unwrap_or_else(|| self.clock.now())
    }

    /// The books, to look at.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The registered app: client id, secret, redirect address.
    pub fn app(&self) -> &App {
        &self.access.app
    }

    /// The people who can log in; the first is the usual one.
    pub fn users(&self) -> &[User] {
        &self.access.users
    }

    /// Adds somebody who can log in.
    pub fn add_user(&mut self, user: User) {
        self.access.users.push(user);
    }

    /// Registers a redirect address.
    ///
    /// # Errors
    /// When it is neither https nor http on loopback, or is longer than 200 characters.
    pub fn set_redirect_uri(&mut self, address: &str) -> Result<(), Refused> {
        self.access.set_redirect_uri(address)
    }

    /// The token pair in force of a user.
    pub fn pair(&self, uid: &str) -> Option<&Pair> {
        self.access.pair(uid)
    }

    /// Gives a user a fresh pair without the sign-in round trip, and kills the one before (somebody else logged in).
    pub fn issue_pair(&mut self, uid: &str) -> Pair {
        let now = self.now();
        self.access.issue_pair(uid, now)
    }

    /// Sets whether Next Engine is up.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// Whether a second call of one uid is refused while the first is open.
    pub fn refuses_parallel_calls(&self) -> bool {
        self.refuses_parallel_calls || self.switches.crowding == Crowding::Refused
    }

    /// Whether this call is refused when another one of its user is open; `wait_flag=1` has it held instead, and the holding
    /// itself is not played (next-engine.md 1.5).
    pub fn refuses_beside_another(&self, request: &Request) -> bool {
        let waits = Form::parse(request.body()).text("wait_flag") == Some("1");
        self.refuses_parallel_calls() && !waits
    }

    /// Sets whether a second call of one uid is refused while the first is open.
    pub fn refuse_parallel_calls(&mut self, refuse: bool) {
        self.refuses_parallel_calls = refuse;
    }

    /// Sets how a shop's tax is reckoned, for orders to come.
    ///
    /// # Errors
    /// When the shop is unknown.
    pub fn set_mall(
        &mut self,
        id: u32,
        rounding: Rounding,
        sequence: TaxSequence,
    ) -> Result<(), Refused> {
        let mall = self.books.malls.get_mut(&id);
        let mall = mall.ok_or_else(|| Refused::new(format!("no shop {id}")))?;
        mall.taxing = Taxing {
            rounding,
            sequence,
            ..Taxing::default()
        };
        Ok(())
    }

    /// Orders something to go wrong with the next upload.
    pub fn spoil_next_upload(&mut self, how: Spoil) {
        self.spoil_next = Some(how);
    }

    /// Switches an API on or off for the app, e.g. `/api_v1_master_goods/upload`; off answers 004001.
    pub fn set_api(&mut self, path: &str, enabled: bool) {
        if enabled {
            self.disabled.remove(path);
        } else {
            self.disabled.insert(path.to_owned());
        }
    }

    /// A product is added by hand, with this stock.
    ///
    /// # Errors
    /// When its code is taken.
    pub fn add_goods(&mut self, product: &Product, stock: i64) -> Result<(), Refused> {
        if self.books.goods.contains_key(&product.code) {
            return Err(Refused::new(format!("product {} exists", product.code)));
        }
        let goods = load::new_goods(product, &[], self.now());
        self.books.goods.insert(product.code.clone(), goods);
        self.set_stock(&product.code, stock, MovementKind::Manual.label().1)
    }

    /// Somebody counts a product and writes the number (the screen's quick stock-taking).
    ///
    /// # Errors
    /// When the product is unknown.
    pub fn set_stock(&mut self, code: &str, stock: i64, reason: &str) -> Result<(), Refused> {
        let at = self.now();
        let goods = self
            .books
            .goods
            .get(code)
            .ok_or_else(|| Refused::new(format!("no product {code}")))?;
        let (by, kind) = (stock - goods.stock, MovementKind::Manual);
        self.books.move_stock(&StockChange {
            code,
            by,
            at,
            kind,
            reason,
            slip: None,
            visible_from: at,
        });
        self.allocate_waiting(at);
        Ok(())
    }
}

impl Service for NextEngine {
    fn endpoint(&self, request: &Request) -> String {
        format!("{} {}", request.method(), path(request))
    }

    fn caller(&self, request: &Request) -> Option<String> {
        let form = Form::parse(request.body());
        form.text("access_token")
            .and_then(|token| self.access.owner(token))
            .cloned()
    }

    fn handle(&mut self, request: &Request) -> Response {
        self.run_queue();
        match (request.method(), path(request)) {
            (_, "/users/sign_in") => self.sign_in(request),
            (&Method::POST, _) => self.call(request, None),
            _ => self.respond(Err(unknown_path()), None),
        }
    }

    fn refuse(&mut self, request: &Request, code: &str) -> Response {
        match code {
            "002004" => {
                let failure = Failure::new(code, "ログインし直してください。");
                self.respond(Err(failure.with_result(ResultWord::Redirect)), None)
            }
            _ => self.call(request, Some(code)),
        }
    }

    /// Next Engine documents no 429; a gateway before it, which knows no tokens, is assumed.
    fn rate_limited(&mut self, _request: &Request, retry_after_seconds: u32) -> Response {
        let failure = Failure::new("003002", "アクセスが集中しています。");
        let mut response = self.respond(Err(failure), None);
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let seconds = HeaderValue::from(retry_after_seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
        response
    }

    fn tick(&mut self) {
        self.run_queue();
    }

    fn set_switches(&mut self, switches: Switches) {
        self.switches = switches;
    }

    fn operate(&mut self, action: Value) -> Result<Value, Refused> {
        action::operate(self, action)
    }

    fn book(&self, part: &str) -> Option<Value> {
        let book = match part {
            "orders" => serde_json::to_value(self.books.slips.values().collect::<Vec<_>>()),
            "stock" => serde_json::to_value(self.books.goods.values().collect::<Vec<_>>()),
            "movements" => serde_json::to_value(&self.books.movements),
            "queue" => serde_json::to_value(&self.books.queue),
            "credentials" => {
                let (app, user) = (self.app(), self.users().first());
                return Some(json!({
                    "client_id": app.client_id,
                    "client_secret": app.client_secret,
                    "redirect_uri": app.redirect_uri,
                    "uid": user.map(|user| &user.uid),
                    "login": user.map(|user| &user.login),
                    "password": user.map(|user| &user.password),
                }));
            }
            "shops" => serde_json::to_value(self.books.malls.values().collect::<Vec<_>>()),
            _ => return None,
        };
        book.ok()
    }
}
