//! Answering API calls: tokens first, then whether the API may be used, then the API itself (next-engine.md 0, 1).
//! It must not change the books but by an upload.

use serde_json::{Map, Value, json};

use super::access::{Pair, User};
use super::answer::{Failure, Payload, is_without_tokens, list, respond};
use super::books::{Books, Slip};
use super::columns::{
    GOODS, LINES, MOVEMENTS, QUEUE, Record, SHOPS, SLIPS, STOCK, Table, WAREHOUSE_STOCK, WAREHOUSES,
};
use super::query::Query;
use super::{Mode, NextEngine, lists, tax_account};
use crate::wire::{self, Form, Request, Response};

/// The company the users belong to.
const COMPANY: [(&str, &str); 5] = [
    ("company_id", "100001"),
    ("company_ne_id", "NE000001"),
    ("company_name", "つなぎ商店株式会社"),
    ("company_kana", "ツナギショウテン"),
    ("company_app_header", "tsunagi"),
];

/// The text of a refusal that somebody or something ordered.
const UNAVAILABLE: &str = "ただいまご利用いただけません。";

impl NextEngine {
    /// Answers a call to the API, or refuses it with an ordered code.
    pub(super) fn call(&mut self, request: &Request, refusal: Option<&str>) -> Response {
        let path = path(request);
        let form = match wire::is_media_type(request, "application/x-www-form-urlencoded") {
            true => Form::parse(request.body()),
            false => Form::default(),
        };
        if path == "/api_neauth" {
            return self.neauth(&form, refusal);
        }
        if path == "/api_app/company" {
            let companies = self.companies(&form, refusal);
            return self.respond(companies, None);
        }
        // An ordered answer without tokens must not renew the pair first.
        if let Some(code) = refusal.filter(|code| is_without_tokens(code)) {
            return self.respond(Err(Failure::new(code, UNAVAILABLE)), None);
        }
        let now = self.now();
        let uid = match self.access.check(&form, now, &self.switches) {
            Ok(uid) => uid,
            Err(failure) => return self.respond(Err(failure), None),
        };
        let outcome = match refusal.map(str::to_owned).or_else(|| self.down(&form)) {
            Some(code) => Err(Failure::new(&code, UNAVAILABLE)),
            None if self.disabled.contains(path) => Err(Failure::new(
                "004001",
                "このAPIの利用が許可されていません。",
            )),
            None => self.run(path, &form, &uid),
        };
        self.respond(outcome, self.access.pair(&uid))
    }

    pub(super) fn respond(
        &self,
        outcome: Result<Payload, Failure>,
        pair: Option<&Pair>,
    ) -> Response {
        respond(outcome, pair, &self.switches)
    }

    /// `/api_app/company`: the companies that use the app, for its id and secret alone (next-engine.md 1.2).
    fn companies(&self, form: &Form, refusal: Option<&str>) -> Result<Payload, Failure> {
        if let Some(code) = refusal {
            return Err(Failure::new(code, UNAVAILABLE));
        }
        self.access.check_app(form)?;
        let names = [
            "company_id",
            "company_ne_id",
            "company_name",
            "company_kana",
        ];
        let row = COMPANY.iter().filter(|(name, _)| names.contains(name));
        let row = row.map(|(name, value)| ((*name).to_owned(), json!(value)));
        Ok(list(vec![Value::Object(row.collect())]))
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
            return self.respond(Err(Failure::new(code, UNAVAILABLE)), None);
        }
        let now = self.now();
        match self.access.exchange(form, now) {
            Err(failure) => self.respond(Err(failure), None),
            Ok((user, pair)) => {
                let company = COMPANY
                    .iter()
                    .skip(1)
                    .map(|(name, value)| ((*name).to_owned(), json!(value)));
                let mut payload: Payload = company.collect();
                payload.extend(user_fields(&user));
                self.respond(Ok(payload), Some(&pair))
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
            ("api_v1_receiveorder_tax_account", "search") => {
                tax_account::search(form, &self.books, &self.switches)
            }
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
        let table = table(group).ok_or_else(unknown_path)?;
        let records = self.records(group).into_iter();
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

    /// A search's records in its fixed key order.
    fn records(&self, group: &str) -> Vec<Record<'_>> {
        let (books, now) = (&self.books, self.now());
        let none = Record {
            switches: self.switches,
            ..Record::default()
        };
        match group {
            "api_v1_receiveorder_base" => {
                let slips = books.slips.values();
                slips.map(|slip| none.of_slip(slip)).collect()
            }
            "api_v1_receiveorder_row" => {
                let slips = books.slips.values();
                slips.flat_map(|slip| lines(slip, books, none)).collect()
            }
            "api_v1_master_goods" | "api_v1_master_stock" | "api_v1_warehouse_stock" => {
                let goods = books.goods.values();
                goods.map(|goods| none.of_goods(goods)).collect()
            }
            "api_v1_master_stockiohistory" => {
                let movements = books.movements.iter();
                let readable = movements.filter(|movement| movement.visible_from <= now);
                readable
                    .map(|movement| none.of_movement(movement))
                    .collect()
            }
            "api_v1_system_que" => books.queue.iter().map(|que| none.of_entry(que)).collect(),
            "api_v1_master_shop" => {
                let malls = books.malls.values();
                malls.map(|mall| none.of_mall(mall)).collect()
            }
            // One location only; its row needs nothing of the books.
            "api_v1_warehouse_base" => vec![none],
            _ => Vec::new(),
        }
    }
}

/// The columns of a search; `None` when there is no such search.
fn table(group: &str) -> Option<Table> {
    Some(match group {
        "api_v1_receiveorder_base" => SLIPS,
        "api_v1_receiveorder_row" => LINES,
        "api_v1_master_goods" => GOODS,
        "api_v1_master_stock" => STOCK,
        "api_v1_master_stockiohistory" => MOVEMENTS,
        "api_v1_system_que" => QUEUE,
        "api_v1_master_shop" => SHOPS,
        "api_v1_warehouse_base" => WAREHOUSES,
        "api_v1_warehouse_stock" => WAREHOUSE_STOCK,
        _ => return None,
    })
}

/// A slip's lines, each with its slip and its product.
fn lines<'a>(
    slip: &'a Slip,
    books: &'a Books,
    none: Record<'a>,
) -> impl Iterator<Item = Record<'a>> {
    slip.lines.iter().map(move |line| {
        let goods = books.goods_like(&line.code, none.switches.code_case);
        Record {
            slip: Some(slip),
            line: Some(line),
            goods,
            ..none
        }
    })
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

/// 000001: no such path.
pub(super) fn unknown_path() -> Failure {
    Failure::new("000001", "指定されたパスは存在しません。")
}

/// The path without its last slash.
pub(super) fn path(request: &Request) -> &str {
    request.uri().path().trim_end_matches('/')
}
