//! A small world: both services as far as stock needs them, over HTTP requests as they are sent, with faults that the tests set.

mod ports;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    error::Result,
    ports::{HttpFailure, HttpRequest, HttpResponse, Ports},
    settings::{Secret, Settings, StockSettings, Trigger},
    sync::{
        connection::Link,
        history_sent,
        next_engine_login::{LOGIN_KEY, Login},
        report::{ChangeHint, PageRequest, SendProgress, SentEntry, SentFilter, SentPage},
        stock::{
            self,
            records::{Held, Origin, Out, Tried, held_key, out_key, tried_key},
        },
        store::{self, Commit},
        tenant::{SETTINGS_KEY, Tenant},
        testing::{Memory, at_once},
    },
    time::{self, Moment},
};

const UPLOAD: &str = "/api_v1_master_goods/upload";

/// What becomes of the next uploads' answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Taken, but the answer is lost.
    LostAfter,
    /// Lost on the way there.
    LostBefore,
    /// Refused with this code.
    Refuse(&'static str),
}

/// A product in Next Engine.
#[derive(Clone, Copy)]
pub struct Goods {
    pub stock: i64,
    pub allocated: i64,
}

pub struct Movement {
    code: String,
    before: i64,
    after: i64,
    mark: String,
    shown_from: Moment,
}

pub struct Queued {
    pub status: &'static str,
    pub created: Moment,
    rows: Vec<(String, i64, String)>,
}

pub struct Row {
    product: String,
    amount: i64,
    division: &'static str,
    at: Moment,
}

pub struct World {
    pub storage: Memory,
    pub now: Cell<Moment>,
    pub goods: RefCell<BTreeMap<String, Goods>>,
    pub queue: RefCell<Vec<Queued>>,
    pub movements: RefCell<Vec<Movement>>,
    pub faults: RefCell<Vec<Fault>>,
    /// Codes that make Next Engine refuse their whole file.
    pub poison: RefCell<BTreeSet<String>>,
    /// Codes whose rows alone are refused.
    pub refused: RefCell<BTreeSet<String>>,
    /// Uploads stay in the queue, in this state, until it is taken away.
    pub stuck: Cell<Option<&'static str>>,
    /// Movements can be read so much later.
    pub movements_late: Cell<TimeDelta>,
    /// Each row is booked so often.
    pub times: Cell<i64>,
    /// Smaregi's stock and its history.
    pub smaregi: RefCell<BTreeMap<String, i64>>,
    pub history: RefCell<Vec<Row>>,
    /// Smaregi has half a piece more of everything.
    pub broken: Cell<bool>,
    /// A sale at the till that happens while Next Engine's list is read.
    pub sold_meanwhile: RefCell<Option<(String, i64)>>,
    /// Bends the answers of a path.
    pub bent: Cell<Option<(&'static str, Bend)>>,
    /// Codes in Smaregi other than `p` and the id.
    pub codes: RefCell<BTreeMap<String, String>>,
    pub requests: RefCell<Vec<(String, String)>>,
}

/// What becomes of an answer.
pub type Bend = fn(&mut Value);

impl World {
    /// Connected, switched on, store 1, every cause is sent; `products` of them on both sides, 100 pieces each.
    pub fn new(products: usize) -> Self {
        let world = Self {
            storage: Memory::default(),
            now: Cell::new(time::parse_next_engine("2026-11-24 12:00:00").unwrap()),
            goods: RefCell::default(),
            queue: RefCell::default(),
            movements: RefCell::default(),
            faults: RefCell::default(),
            poison: RefCell::default(),
            refused: RefCell::default(),
            stuck: Cell::new(None),
            movements_late: Cell::new(TimeDelta::zero()),
            times: Cell::new(1),
            smaregi: RefCell::default(),
            history: RefCell::default(),
            broken: Cell::new(false),
            sold_meanwhile: RefCell::default(),
            bent: Cell::new(None),
            codes: RefCell::default(),
            requests: RefCell::default(),
        };
        for number in 1..=products {
            world.add(&format!("p{number}"), 100);
            world.smaregi.borrow_mut().insert(number.to_string(), 100);
        }
        world.connect();
        world
    }

    fn connect(&self) {
        let now = self.now.get();
        let mut settings = Settings::default();
        settings.credentials.smaregi_contract_id = "sb_1".to_owned();
        settings.credentials.smaregi_client_secret = Secret::new("s".to_owned());
        settings.stock.stores = vec!["1".to_owned()];
        settings.stock.triggers = Trigger::ALL.to_vec();
        let ends = now + TimeDelta::days(365);
        let login = Login {
            uid: "1".to_owned(),
            access: Secret::new("access".to_owned()),
            access_ends: ends,
            refresh: Secret::new("refresh".to_owned()),
            refresh_ends: ends,
            dead_since: None,
        };
        let commit = Commit::new()
            .put(SETTINGS_KEY, &settings)
            .and_then(|commit| commit.put(LOGIN_KEY, &login));
        commit.unwrap().apply(&self.ports()).unwrap();
        self.link(true);
    }

    pub fn link(&self, on: bool) {
        let baseline = Some(time::parse_next_engine("2026-11-24 00:00:00").unwrap());
        let link = Link {
            on,
            baseline,
            off_since: None,
            restored: None,
        };
        let commit = Commit::new().put("link", &link).unwrap();
        commit.apply(&self.ports()).unwrap();
    }

    pub fn ports(&self) -> Ports<'_> {
        Ports {
            http: self,
            storage: &self.storage,
            clock: self,
            random: self,
        }
    }

    pub fn tenant(&self) -> Tenant<'_> {
        Tenant::open(self.ports(), 10_000, 86_400).unwrap()
    }

    pub fn add(&self, code: &str, stock: i64) {
        let goods = Goods {
            stock,
            allocated: 0,
        };
        self.goods.borrow_mut().insert(code.to_owned(), goods);
    }

    pub fn stock(&self, code: &str) -> i64 {
        self.goods.borrow()[code].stock
    }

    /// Moves stock in Next Engine, as an order or a person does.
    pub fn move_there(&self, code: &str, quantity: i64) {
        let mut goods = self.goods.borrow_mut();
        goods.get_mut(code).unwrap().stock += quantity;
    }

    /// A decided difference of Smaregi's product `id`.
    pub fn waits(&self, id: usize, quantity: i64) {
        let id = id.to_string();
        let seen = store::read::<Out>(&self.ports(), &out_key(&id)).unwrap();
        let mut out = seen.map_or_else(|| Out::new(&id, self.now.get()), |seen| seen.value);
        out.add(quantity, Origin::Trigger(Trigger::Sale), "1", "77");
        let commit = Commit::new().put(&out_key(&id), &out).unwrap();
        commit.apply(&self.ports()).unwrap();
    }

    /// A sale at the till, with its row in the history.
    pub fn sells(&self, id: &str, quantity: i64) {
        self.moves(id, -quantity, "02");
    }

    /// A movement of this division, with its row in the history.
    pub fn moves(&self, id: &str, amount: i64, division: &'static str) {
        *self.smaregi.borrow_mut().get_mut(id).unwrap() += amount;
        self.history.borrow_mut().push(Row {
            product: id.to_owned(),
            amount,
            division,
            at: self.now.get(),
        });
    }

    /// Says that a place in store 1 moved.
    pub fn hints(&self, id: &str) {
        let hint = ChangeHint {
            product_id: id.to_owned(),
            store_id: "1".to_owned(),
        };
        stock::take_in_changes(&self.tenant(), &[hint]).unwrap();
    }

    /// Changes the stock settings.
    pub fn set(&self, change: impl FnOnce(&mut StockSettings)) {
        let mut settings = self.tenant().settings;
        change(&mut settings.stock);
        let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
        commit.apply(&self.ports()).unwrap();
    }

    pub fn pass(&self, minutes: i64) {
        self.now.set(self.now.get() + TimeDelta::minutes(minutes));
    }

    pub fn try_send(&self) -> Result<SendProgress> {
        at_once(stock::send(&self.tenant()))
    }

    /// One call of `send`, whatever becomes of it.
    pub fn send(&self) {
        let _ = self.try_send();
    }

    /// Minutes of calls.
    pub fn work(&self, minutes: i64) {
        self.work_by(1, minutes);
    }

    /// Minutes with a call every few of them.
    pub fn work_by(&self, step: i64, minutes: i64) {
        for _ in 0..minutes / step {
            self.send();
            self.pass(step);
        }
    }

    pub fn held(&self, id: usize) -> Option<Held> {
        let key = held_key(&id.to_string());
        store::read::<Held>(&self.ports(), &key)
            .unwrap()
            .map(|held| held.value)
    }

    pub fn tried(&self, id: usize) -> Option<Tried> {
        let key = tried_key(&id.to_string());
        store::read::<Tried>(&self.ports(), &key)
            .unwrap()
            .map(|tried| tried.value)
    }

    pub fn out(&self, id: usize) -> Option<i64> {
        let key = out_key(&id.to_string());
        store::read::<Out>(&self.ports(), &key)
            .unwrap()
            .map(|out| out.value.quantity)
    }

    pub fn sent_page(&self, limit: u32, continuation: Option<String>) -> SentPage {
        let page = PageRequest {
            continuation,
            limit,
        };
        history_sent::sent(&self.tenant(), &SentFilter::default(), &page).unwrap()
    }

    /// The send history of this stretch of time.
    pub fn sent_between(&self, since: Option<Moment>, before: Option<Moment>) -> Vec<SentEntry> {
        let filter = SentFilter {
            since,
            before,
            ..SentFilter::default()
        };
        let page = PageRequest {
            continuation: None,
            limit: 500,
        };
        let page = history_sent::sent(&self.tenant(), &filter, &page).unwrap();
        page.entries
    }

    pub fn sent(&self) -> Vec<SentEntry> {
        self.sent_page(500, None).entries
    }

    /// How many uploads were asked for.
    pub fn uploads(&self) -> usize {
        self.asked(UPLOAD)
    }

    /// The rows of each upload that was asked for.
    pub fn uploaded_rows(&self) -> Vec<usize> {
        let requests = self.requests.borrow();
        let uploads = requests.iter().filter(|(path, _)| path == UPLOAD);
        let rows = uploads.map(|(_, body)| body.matches("tsunagi-").count());
        rows.collect()
    }

    pub fn asked(&self, path: &str) -> usize {
        let requests = self.requests.borrow();
        requests.iter().filter(|(asked, _)| asked == path).count()
    }

    fn answer(&self, request: &HttpRequest) -> std::result::Result<HttpResponse, HttpFailure> {
        let url = url::Url::parse(&request.url).unwrap();
        let path = url.path().replace("/sb_1/pos", "");
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.requests.borrow_mut().push((path.clone(), body));
        let form: BTreeMap<String, String> =
            form_urlencoded::parse(&request.body).into_owned().collect();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["app", _, "token"] => ok(&json!({"token_type": "Bearer", "expires_in": 3600,
                "access_token": "t", "scope": "pos.products:read pos.stock:read"})),
            ["products"] => ok(&self.bend("products", self.list_products(&query))),
            ["products", id] => ok(&self.bend("products", self.product(id))),
            ["stock"] if query.contains_key("upd_date_time-from") => ok(&self.list_stock(&query)),
            ["stock"] => ok(&self.bend("stock", self.list_stock(&query))),
            ["stock", "changes", product, _] => ok(&self.changes(product)),
            ["api_v1_master_goods", "search"] => ok(&self.bend("goods", self.search_goods(&form))),
            ["api_v1_master_goods", "upload"] => self.upload(&form["data"]),
            ["api_v1_receiveorder_row", "search"] => ok(&json!({"result": "success", "data": []})),
            ["api_v1_system_que", "search"] => ok(&self.search_queue(&form)),
            ["api_v1_master_stockiohistory", "search"] => {
                ok(&self.bend("movements", self.search_movements(&form)))
            }
            other => panic!("not in this world: {other:?}"),
        }
    }

    fn bend(&self, name: &str, mut answer: Value) -> Value {
        if let Some((_, bend)) = self.bent.get().filter(|(bent, _)| *bent == name) {
            bend(&mut answer);
        }
        answer
    }

    fn upload(&self, csv: &str) -> std::result::Result<HttpResponse, HttpFailure> {
        let fault = self.faults.borrow_mut().pop();
        match fault {
            Some(Fault::LostBefore) => return Err(HttpFailure::OutcomeUnknown),
            Some(Fault::Refuse(code)) => {
                return ok(&json!({"result": "error", "code": code, "message": "混雑"}));
            }
            _ => {}
        }
        let rows = csv.lines().skip(1).map(|line| {
            let mut cells = line.rsplitn(3, ',');
            let mark = cells.next().unwrap().to_owned();
            let quantity = cells.next().unwrap().parse().unwrap();
            let code = cells.next().unwrap().trim_matches('"').to_owned();
            (code, quantity, mark)
        });
        let rows: Vec<_> = rows.collect();
        self.queue.borrow_mut().push(Queued {
            status: "0",
            created: self.now.get(),
            rows,
        });
        if self.stuck.get().is_none() {
            self.run_queue();
        }
        if fault.is_some() {
            return Err(HttpFailure::OutcomeUnknown);
        }
        let id = self.queue.borrow().len();
        ok(&json!({"result": "success", "que_id": id.to_string()}))
    }

    /// Another app's upload, done at once.
    pub fn others_upload(&self) {
        self.queue.borrow_mut().push(Queued {
            status: "2",
            created: self.now.get(),
            rows: Vec::new(),
        });
    }

    /// Carries out what is in the queue.
    pub fn run_queue(&self) {
        let mut queue = self.queue.borrow_mut();
        for entry in queue.iter_mut().filter(|entry| entry.status == "0") {
            let poison = self.poison.borrow();
            let failed = entry.rows.iter().any(|(code, ..)| poison.contains(code));
            entry.status = if failed { "-1" } else { "2" };
            for (code, quantity, mark) in &entry.rows {
                if failed || self.refused.borrow().contains(code) {
                    continue;
                }
                for _ in 0..self.times.get() {
                    self.book(code, *quantity, mark);
                }
            }
        }
    }

    pub fn book(&self, code: &str, quantity: i64, mark: &str) {
        let mut goods = self.goods.borrow_mut();
        let goods = goods.get_mut(code).unwrap();
        let before = goods.stock;
        goods.stock += quantity;
        self.movements.borrow_mut().push(Movement {
            code: code.to_owned(),
            before,
            after: goods.stock,
            mark: mark.to_owned(),
            shown_from: self.now.get() + self.movements_late.get(),
        });
    }

    fn search_queue(&self, form: &BTreeMap<String, String>) -> Value {
        let since = form
            .get("que_creation_date-gte")
            .and_then(|since| time::parse_next_engine(since));
        let number = |name: &str| form.get(name).map(|id| id.parse::<usize>().unwrap());
        let (one, after) = (number("que_id-eq"), number("que_id-gt"));
        let queue = self.queue.borrow();
        let rows = queue.iter().enumerate().filter_map(|(index, entry)| {
            let id = index + 1;
            let fits = one.is_none_or(|one| one == id)
                && after.is_none_or(|after| id > after)
                && since.is_none_or(|since| entry.created >= since);
            let status = match self.stuck.get() {
                Some(stuck) if entry.status == "0" => stuck,
                _ => entry.status,
            };
            fits.then(|| json!({"que_id": id.to_string(), "que_status_id": status, "que_message": "言葉"}))
        });
        json!({"result": "success", "data": rows.collect::<Vec<_>>()})
    }

    fn search_movements(&self, form: &BTreeMap<String, String>) -> Value {
        let movements = self.movements.borrow();
        let one = form.get("stock_io_history_goods_id-eq");
        let number = |name: &str| form.get(name).map(|text| text.parse::<usize>().unwrap());
        let after = number("stock_io_history_id-gt").unwrap_or(0);
        let shown = movements.iter().enumerate().filter(|(index, movement)| {
            form["stock_io_history_reason-like"].trim_matches('%') == movement.mark
                && movement.shown_from <= self.now.get()
                && one.is_none_or(|one| *one == movement.code)
                && index + 1 > after
        });
        let limit = number("limit").unwrap();
        let rows = shown.take(limit).map(|(index, movement)| {
            json!({"stock_io_history_id": (index + 1).to_string(), "stock_io_history_goods_id": movement.code,
                "stock_io_history_before_stock_quantity": movement.before.to_string(),
                "stock_io_history_after_stock_quantity": movement.after.to_string()})
        });
        json!({"result": "success", "data": rows.collect::<Vec<_>>()})
    }

    fn search_goods(&self, form: &BTreeMap<String, String>) -> Value {
        if let Some((id, quantity)) = self.sold_meanwhile.borrow_mut().take() {
            self.sells(&id, quantity);
        }
        assert!(!form.contains_key("goods_id-gt"), "-gt is not for text");
        let goods = self.goods.borrow();
        let listed: Option<Vec<&str>> = form
            .get("goods_id-in")
            .map(|list| list.split(',').collect());
        let matching = goods.iter().filter(|(code, _)| {
            let one = form.get("goods_id-eq");
            listed
                .as_ref()
                .is_none_or(|listed| listed.contains(&code.as_str()))
                && one.is_none_or(|one| one == *code)
        });
        let number = |name: &str| form.get(name).map_or(0, |text| text.parse().unwrap());
        let rows = matching.skip(number("offset")).take(number("limit")).map(|(code, goods)| {
            json!({"goods_id": code, "goods_name": code, "stock_quantity": goods.stock.to_string(),
                "stock_allocation_quantity": goods.allocated.to_string(),
                "stock_free_quantity": (goods.stock - goods.allocated).to_string()})
        });
        json!({"result": "success", "data": rows.collect::<Vec<_>>()})
    }

    fn product(&self, id: &str) -> Value {
        let codes = self.codes.borrow();
        let code = codes.get(id).cloned().unwrap_or_else(|| format!("p{id}"));
        json!({"productId": id, "productCode": code, "productName": id, "taxDivision": "0", "reduceTaxId": null,
            "stockControlDivision": "0"})
    }

    fn list_products(&self, query: &BTreeMap<String, String>) -> Value {
        let goods = self.goods.borrow();
        let ids = self.smaregi.borrow();
        let all = goods
            .keys()
            .filter_map(|code| code.strip_prefix('p'))
            .chain(ids.keys().map(String::as_str))
            .collect::<BTreeSet<_>>();
        let wanted = query.get("product_code");
        let found = all
            .into_iter()
            .map(|id| self.product(id))
            .filter(|product| wanted.is_none_or(|code| product["productCode"] == **code));
        page(query, found)
    }

    fn list_stock(&self, query: &BTreeMap<String, String>) -> Value {
        let from = query
            .get("upd_date_time-from")
            .and_then(|from| time::parse_rfc3339(from));
        let history = self.history.borrow();
        let smaregi = self.smaregi.borrow();
        let half = Decimal::new(if self.broken.get() { 5 } else { 0 }, 1);
        let rows = smaregi.iter().filter_map(|(id, amount)| {
            let moved = history.iter().filter(|row| row.product == *id).map(|row| row.at).max();
            let fits = from.is_none_or(|from| moved.is_some_and(|moved| moved >= from));
            let at = moved.map(time::format_rfc3339);
            fits.then(|| {
                json!({"productId": id, "storeId": "1", "stockAmount": (Decimal::from(*amount) + half).to_string(),
                "updDateTime": at})
            })
        });
        page(query, rows)
    }

    fn changes(&self, product: &str) -> Value {
        let history = self.history.borrow();
        let rows = history.iter().enumerate().rev();
        rows.filter(|(_, row)| row.product == product)
            .map(|(index, row)| {
                let at = time::format_rfc3339(row.at);
                json!({"id": (index + 1).to_string(), "updDateTime": at, "targetDateTime": at, "productId": product,
                    "storeId": "1", "amount": row.amount.to_string(), "stockAmount": "0",
                    "stockDivision": row.division, "memo": null})
            })
            .collect()
    }
}

fn page(query: &BTreeMap<String, String>, rows: impl Iterator<Item = Value>) -> Value {
    let page = query
        .get("page")
        .map_or(1, |page| page.parse::<usize>().unwrap());
    rows.skip((page - 1) * 1_000).take(1_000).collect()
}

fn ok(body: &Value) -> std::result::Result<HttpResponse, HttpFailure> {
    Ok(HttpResponse {
        status: 200,
        retry_after: None,
        body: body.to_string().into_bytes(),
    })
}
