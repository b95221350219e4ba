//! A strict double of ネクストエンジン: sign-in page, API, and what a shop does in it (next-engine.md).
//! It must not share a type with the connector.

mod access;
mod action;
mod answer;
mod books;
mod columns;
mod lists;
mod load;
mod orders;
mod query;
mod sign_in;
mod tax_account;
mod upload;

pub use access::{Access, App, Pair, User};
pub use books::{Books, Goods, Line, MallShop, Moment, Movement, MovementKind, QueueEntry, Slip};
pub use orders::AmountEdit;

use std::collections::BTreeSet;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::SandboxClock;
use crate::service::{Refused, Service};
use crate::switches::Switches;
use crate::wire::{self, Form, Request, Response};
use answer::{Failure, Payload, ResultWord, list, respond};
use books::StockChange;
use columns::{GOODS, LINES, MOVEMENTS, QUEUE, Record, SHOPS, SLIPS, STOCK, Table};
use query::Query;

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

/// The company the users belong to.
const COMPANY: [(&str, &str); 5] = [
    ("company_id", "100001"),
    ("company_ne_id", "NE000001"),
    ("company_name", "つなぎ商店株式会社"),
    ("company_kana", "ツナギショウテン"),
    ("company_app_header", "tsunagi"),
];

/// ネクストエンジン's books and rules.
pub struct NextEngine {
    clock: SandboxClock,
    switches: Switches,
    books: Books,
    access: Access,
    mode: Mode,
    refuses_parallel_calls: bool,
    disabled: BTreeSet<String>,
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
            replaying: None,
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
        self.refuses_parallel_calls
    }

    /// Sets whether a second call of one uid is refused while the first is open.
    pub fn refuse_parallel_calls(&mut self, refuse: bool) {
        self.refuses_parallel_calls = refuse;
    }

    /// Switches an API on or off for the app, e.g. `/api_v1_master_goods/upload`; off answers 004001.
    pub fn set_api(&mut self, path: &str, enabled: bool) {
        if enabled {
            self.disabled.remove(path);
        } else {
            self.disabled.insert(path.to_owned());
        }
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

    fn call(&mut self, request: &Request, refusal: Option<&str>) -> Response {
        let path = path(request);
        let form = match wire::is_media_type(request, "application/x-www-form-urlencoded") {
            true => Form::parse(request.body()),
            false => Form::default(),
        };
        if path == "/api_neauth" {
            return self.neauth(&form, refusal);
        }
        let now = self.now();
        let uid = match self.access.check(&form, now, &self.switches) {
            Ok(uid) => uid,
            Err(failure) => return respond(Err(failure), None),
        };
        let outcome = match refusal.map(str::to_owned).or_else(|| self.down(&form)) {
            Some(code) => Err(Failure::new(&code, "ただいまご利用いただけません。")),
            None if self.disabled.contains(path) => Err(Failure::new(
                "004001",
                "このAPIの利用が許可されていません。",
            )),
            None => self.run(path, &form, &uid),
        };
        respond(outcome, self.access.pair(&uid))
    }

    /// The code to refuse with while Next Engine is not up.
    fn down(&self, form: &Form) -> Option<String> {
        let waits = form.text("wait_flag") == Some("1");
        let code = match self.mode {
            Mode::Normal => return None,
            Mode::Overload if waits => return None,
            Mode::PlatformMaintenance => "002007",
            Mode::HostMaintenance => "003004",
            Mode::MainMaintenance => "003005",
            Mode::LastingOverload if waits => "003001",
            Mode::Overload | Mode::LastingOverload => "003002",
        };
        Some(code.to_owned())
    }

    fn neauth(&mut self, form: &Form, refusal: Option<&str>) -> Response {
        let down = (self.mode == Mode::PlatformMaintenance).then_some("002007");
        if let Some(code) = refusal.or(down) {
            return respond(
                Err(Failure::new(code, "ただいまご利用いただけません。")),
                None,
            );
        }
        let now = self.now();
        match self.access.exchange(form, now) {
            Err(failure) => respond(Err(failure), None),
            Ok((user, pair)) => {
                let company = COMPANY
                    .iter()
                    .skip(1)
                    .map(|(name, value)| ((*name).to_owned(), json!(value)));
                let mut payload: Payload = company.collect();
                payload.extend(user_fields(&user));
                respond(Ok(payload), Some(&pair))
            }
        }
    }

    fn run(&mut self, path: &str, form: &Form, uid: &str) -> Result<Payload, Failure> {
        let (group, verb) = path
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or_default();
        match (group, verb) {
            ("api_v1_master_goods", "upload") => self.upload(form),
            ("api_v1_receiveorder_tax_account", "search") => tax_account::search(form, &self.books),
            ("api_v1_login_company", "info") => {
                let row = COMPANY
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), json!(value)));
                Ok(list(vec![Value::Object(
                    row.chain([("company_host".to_owned(), json!("main.invalid"))])
                        .collect(),
                )]))
            }
            ("api_v1_login_user", "info") => {
                let user = self.access.users.iter().find(|user| user.uid == uid);
                Ok(list(
                    user.into_iter()
                        .map(|user| Value::Object(user_fields(user)))
                        .collect(),
                ))
            }
            (system, "info") => {
                let rows = system.strip_prefix("api_v1_system_").and_then(lists::info);
                rows.map(list).ok_or_else(unknown_path)
            }
            (group, verb @ ("search" | "count")) => self.search(group, verb, form),
            _ => Err(unknown_path()),
        }
    }

    fn search(&self, group: &str, verb: &str, form: &Form) -> Result<Payload, Failure> {
        let (table, records) = self.table(group).ok_or_else(unknown_path)?;
        if verb == "search" {
            return Ok(Query::search(form, &table, &self.switches)?.page(records));
        }
        let query = Query::count(form, &table)?;
        let count = records.filter(|record| query.matches(record)).count();
        Ok(Map::from_iter([(
            "count".to_owned(),
            json!(count.to_string()),
        )]))
    }

    /// A search's columns and its records in key order.
    fn table(&self, group: &str) -> Option<(Table, Box<dyn Iterator<Item = Record<'_>> + '_>)> {
        let (now, switches) = (self.now(), self.switches);
        let blank = Record {
            switches,
            ..Record::default()
        };
        let books = &self.books;
        Some(match group {
            "api_v1_receiveorder_base" => {
                let slips = books.slips.values();
                (
                    SLIPS,
                    Box::new(slips.map(move |slip| Record {
                        slip: Some(slip),
                        ..blank
                    })),
                )
            }
            "api_v1_receiveorder_row" => {
                let lines = books
                    .slips
                    .values()
                    .flat_map(|slip| slip.lines.iter().map(move |line| (slip, line)));
                let records = lines.map(move |(slip, line)| {
                    let goods = books.goods.get(&line.code);
                    Record {
                        slip: Some(slip),
                        line: Some(line),
                        goods,
                        ..blank
                    }
                });
                (LINES, Box::new(records))
            }
            "api_v1_master_goods" | "api_v1_master_stock" => {
                let records = books.goods.values().map(move |goods| Record {
                    goods: Some(goods),
                    ..blank
                });
                (
                    if group == "api_v1_master_goods" {
                        GOODS
                    } else {
                        STOCK
                    },
                    Box::new(records),
                )
            }
            "api_v1_master_stockiohistory" => {
                let readable = books
                    .movements
                    .iter()
                    .filter(move |movement| movement.visible_from <= now);
                (
                    MOVEMENTS,
                    Box::new(readable.map(move |movement| Record {
                        movement: Some(movement),
                        ..blank
                    })),
                )
            }
            "api_v1_system_que" => (
                QUEUE,
                Box::new(books.queue.iter().map(move |entry| Record {
                    entry: Some(entry),
                    ..blank
                })),
            ),
            "api_v1_master_shop" => (
                SHOPS,
                Box::new(books.malls.values().map(move |mall| Record {
                    mall: Some(mall),
                    ..blank
                })),
            ),
            _ => return None,
        })
    }
}

fn user_fields(user: &User) -> Map<String, Value> {
    let fields = [
        ("uid", user.uid.clone()),
        ("pic_id", String::from("1")),
        ("pic_ne_id", String::from("NE000001-1")),
        ("pic_name", user.name.clone()),
        ("pic_kana", String::new()),
        (
            "pic_mail_address",
            format!("{}@example.invalid", user.login),
        ),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect()
}

fn unknown_path() -> Failure {
    Failure::new("000001", "指定されたパスは存在しません。")
}

fn path(request: &Request) -> &str {
    request.uri().path().trim_end_matches('/')
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
            _ => respond(Err(unknown_path()), None),
        }
    }

    fn refuse(&mut self, request: &Request, code: &str) -> Response {
        match code {
            "002004" => {
                let failure = Failure::new(code, "ログインし直してください。");
                respond(Err(failure.with_result(ResultWord::Redirect)), None)
            }
            _ => self.call(request, Some(code)),
        }
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
            "shops" => serde_json::to_value(self.books.malls.values().collect::<Vec<_>>()),
            _ => return None,
        };
        book.ok()
    }
}

#[cfg(test)]
mod tests;
