//! A small world for the flow's tests: both services as far as orders need them, over HTTP requests as they are sent, with books
//! that the tests read and faults that they set.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use chrono::TimeDelta;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::rows::{Slip, rows};
use crate::{
    ports::{Http, HttpFailure, HttpRequest, HttpResponse},
    rules::order::Order,
    time::{self, Moment},
};

/// A transaction in Smaregi.
#[derive(Clone)]
pub struct Transaction {
    pub id: String,
    pub uuid: String,
    pub body: Value,
    pub cancelled: bool,
    pub disposed: bool,
}

/// A row of Smaregi's stock history.
#[derive(Clone)]
pub struct Row {
    pub id: u32,
    pub product: String,
    pub store: String,
    pub amount: i64,
    pub division: &'static str,
    pub memo: Option<String>,
    pub at: Moment,
}

/// How the next writes to Smaregi end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Done, but the answer is lost.
    LostAfter,
    /// Lost before anything was done.
    LostBefore,
    /// Refused with 400.
    Refuse,
    /// Refused with this status.
    RefuseWith(u16),
}

/// Both services.
pub struct World {
    pub now: Cell<Moment>,
    pub slips: RefCell<BTreeMap<u64, Slip>>,
    pub products: RefCell<Vec<Value>>,
    pub transactions: RefCell<Vec<Transaction>>,
    pub history: RefCell<Vec<Row>>,
    pub faults: RefCell<Vec<Fault>>,
    /// Faults strike only requests whose path begins so.
    pub faulty: Cell<&'static str>,
    pub refuse_cancel: Cell<bool>,
    /// No stock of this product can be moved.
    pub refuse_stock_of: Cell<&'static str>,
    /// Smaregi answers nothing.
    pub smaregi_down: Cell<bool>,
    pub sales_move_stock: Cell<bool>,
    pub requests: RefCell<Vec<String>>,
}

impl World {
    pub fn new() -> Self {
        let products = [("a", "0", "0"), ("b", "0", "0"), ("ship", "0", "1")]
            .iter()
            .map(|(code, tax, stock)| product(code, tax, stock))
            .collect();
        Self {
            now: Cell::new(time::parse_next_engine("2026-11-24 12:00:00").unwrap()),
            slips: RefCell::default(),
            products: RefCell::new(products),
            transactions: RefCell::default(),
            history: RefCell::default(),
            faults: RefCell::default(),
            faulty: Cell::new(""),
            refuse_cancel: Cell::new(false),
            refuse_stock_of: Cell::new(""),
            smaregi_down: Cell::new(false),
            sales_move_stock: Cell::new(true),
            requests: RefCell::default(),
        }
    }

    /// Puts a slip into Next Engine, all of it changed now.
    pub fn put(&self, order: Order) {
        let changed = self.now.get();
        let lines_changed = vec![changed; order.lines.len()];
        let number = order.slip.parse().unwrap();
        self.slips.borrow_mut().insert(
            number,
            Slip {
                order,
                changed,
                lines_changed,
                raw: Vec::new(),
            },
        );
    }

    /// Changes a slip in Next Engine.
    pub fn edit(&self, slip: u64, change: impl FnOnce(&mut Order)) {
        let mut slips = self.slips.borrow_mut();
        let slip = slips.get_mut(&slip).unwrap();
        change(&mut slip.order);
        slip.changed = self.now.get();
    }

    /// Answers a field of a slip with something else than its order says.
    pub fn raw(&self, slip: u64, field: &'static str, value: Value) {
        let mut slips = self.slips.borrow_mut();
        let slip = slips.get_mut(&slip).unwrap();
        slip.raw.push((field, value));
        slip.changed = self.now.get();
    }

    /// Shows a slip as it truly is again; nothing on it changed.
    pub fn as_it_was(&self, slip: u64) {
        let mut slips = self.slips.borrow_mut();
        slips.get_mut(&slip).unwrap().raw.clear();
    }

    /// Changes one line only: the slip's own change time stays.
    pub fn edit_line(&self, slip: u64, line: usize, change: impl FnOnce(&mut Order)) {
        let mut slips = self.slips.borrow_mut();
        let slip = slips.get_mut(&slip).unwrap();
        change(&mut slip.order);
        slip.lines_changed[line] = self.now.get();
    }

    pub fn pass(&self, minutes: i64) {
        self.now.set(self.now.get() + TimeDelta::minutes(minutes));
    }

    /// Adds a product that was missing.
    pub fn add_product(&self, code: &str) {
        self.products.borrow_mut().push(product(code, "0", "0"));
    }

    /// Makes each piece of a product draw on pieces of another.
    pub fn draw(&self, code: &str, on: &str, pieces: i64) {
        let mut products = self.products.borrow_mut();
        let product = products
            .iter_mut()
            .find(|product| product["productCode"] == *code)
            .unwrap();
        product["inventoryReservations"] = json!([{"reservationProductId": product_id(on), "reservationAmount": pieces.to_string()}]);
    }

    fn drawn(&self, product: &str) -> Vec<(String, i64)> {
        let products = self.products.borrow();
        let draws = products
            .iter()
            .find(|row| row["productId"] == *product)
            .and_then(|row| row["inventoryReservations"].as_array().cloned());
        let text = |draw: &Value, field: &str| draw[field].as_str().unwrap().to_owned();
        let draw = |draw: &Value| {
            let pieces = text(draw, "reservationAmount").parse().unwrap();
            (text(draw, "reservationProductId"), pieces)
        };
        draws.iter().flatten().map(draw).collect()
    }

    /// The till of a store sells a product, one piece each time.
    pub fn sell(&self, product: &str, store: &str, times: usize) {
        for _ in 0..times {
            self.move_stock(&product_id(product), store, -1, "02", None);
        }
    }

    /// Transactions that stand.
    pub fn live(&self) -> Vec<Transaction> {
        let transactions = self.transactions.borrow();
        transactions
            .iter()
            .filter(|transaction| !transaction.cancelled && !transaction.disposed)
            .cloned()
            .collect()
    }

    /// Requests whose `METHOD path` begins so.
    pub fn asked(&self, beginning: &str) -> usize {
        self.requests
            .borrow()
            .iter()
            .filter(|request| request.starts_with(beginning))
            .count()
    }

    /// The books' stock of a product in a store.
    pub fn stock(&self, store: &str, product: &str) -> i64 {
        let history = self.history.borrow();
        history
            .iter()
            .filter(|row| row.store == store && row.product == product_id(product))
            .map(|row| row.amount)
            .sum()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let url = url::Url::parse(&request.url).unwrap();
        let path = url.path().replace("/sb_test/pos", "");
        self.requests
            .borrow_mut()
            .push(format!("{} {path}", request.method));
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        if path.starts_with("/api_v1_receiveorder_row/search") {
            return ok(rows(
                &self.slips.borrow(),
                &form_urlencoded::parse(&request.body).into_owned().collect(),
            ));
        }
        if self.smaregi_down.get() {
            return Err(HttpFailure::NotSent);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method, parts.as_slice()) {
            ("POST", ["app", _, "token"]) => ok(
                json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "t",
                "scope": "pos.products:read pos.stores:read pos.stock:read pos.stock:write pos.stock-changes:read \
                          pos.transactions:read pos.transactions:write"}),
            ),
            ("GET", ["products"]) => ok(self.list_products(&query)),
            ("GET", ["transactions"]) => ok(self.find(&query)),
            ("GET", ["stock", "changes", product, store]) => {
                ok(self.changes(product, store, &query))
            }
            ("POST", ["transactions"]) => self.write(&path, || self.register(&body)),
            ("POST", ["transactions", id, "cancel"]) if self.refuse_cancel.get() => {
                refused(400, &format!("締め済み {id}"))
            }
            ("POST", ["transactions", id, undo]) => self.write(&path, || self.undo(id, undo)),
            ("POST", ["stock", product, "add"])
                if *product == product_id(self.refuse_stock_of.get()) =>
            {
                refused(400, "在庫を変更できません")
            }
            ("POST", ["stock", product, "add"]) => self.write(&path, || self.add(product, &body)),
            other => panic!("not in this world: {other:?}"),
        }
    }

    fn write(
        &self,
        path: &str,
        act: impl FnOnce() -> Result<HttpResponse, HttpFailure>,
    ) -> Result<HttpResponse, HttpFailure> {
        let struck = path.starts_with(&format!("/{}", self.faulty.get()));
        let fault = if struck {
            self.faults.borrow_mut().pop()
        } else {
            None
        };
        match fault {
            None => act(),
            Some(Fault::LostAfter) => act().and(Err(HttpFailure::OutcomeUnknown)),
            Some(Fault::LostBefore) => Err(HttpFailure::OutcomeUnknown),
            Some(Fault::Refuse) => refused(400, "受け付けられません"),
            Some(Fault::RefuseWith(status)) => refused(status, "受け付けられません"),
        }
    }

    fn register(&self, body: &Value) -> Result<HttpResponse, HttpFailure> {
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        let uuid = text("transactionUuid");
        if self
            .transactions
            .borrow()
            .iter()
            .any(|known| known.uuid == uuid)
        {
            return refused(400, "同じ取引が登録されています");
        }
        let id = (self.transactions.borrow().len() + 1).to_string();
        if self.sales_move_stock.get() {
            self.move_lines(body, -1);
        }
        let transaction = Transaction {
            id: id.clone(),
            uuid,
            body: body.clone(),
            cancelled: false,
            disposed: false,
        };
        self.transactions.borrow_mut().push(transaction);
        ok(json!({"transactionHeadId": id}))
    }

    fn undo(&self, id: &str, how: &str) -> Result<HttpResponse, HttpFailure> {
        let body = {
            let mut transactions = self.transactions.borrow_mut();
            let transaction = transactions
                .iter_mut()
                .find(|transaction| transaction.id == id)
                .unwrap();
            if transaction.cancelled || transaction.disposed {
                return refused(400, "取消済み");
            }
            transaction.cancelled = how == "cancel";
            transaction.disposed = how == "dispose";
            transaction.body.clone()
        };
        if self.sales_move_stock.get() {
            self.move_lines(&body, 1);
        }
        ok(json!({"transactionHeadId": id}))
    }

    fn move_lines(&self, body: &Value, sign: i64) {
        for line in body["details"].as_array().unwrap() {
            let quantity: i64 = line["quantity"].as_str().unwrap().parse().unwrap();
            let product = line["productId"].as_str().unwrap();
            let store = body["storeId"].as_str().unwrap();
            for (drawn, pieces) in self.drawn(product) {
                self.move_stock(&drawn, store, sign * quantity * pieces, "16", None);
            }
            if product != product_id("SHIP") {
                self.move_stock(
                    product,
                    body["storeId"].as_str().unwrap(),
                    sign * quantity,
                    "02",
                    None,
                );
            }
        }
    }

    fn add(&self, product: &str, body: &Value) -> Result<HttpResponse, HttpFailure> {
        let amount = body["stockAmount"].as_str().unwrap().parse().unwrap();
        let store = body["storeId"].as_str().unwrap();
        let memo = body["stockHistory"]["memo"].as_str().map(str::to_owned);
        let id = self.move_stock(product, store, amount, "15", memo);
        ok(
            json!({"productId": product, "storeId": store, "stockAmount": self.stock(store, product).to_string(),
            "updDateTime": time::format_rfc3339(self.now.get()), "stockHistory": {"id": id.to_string()}}),
        )
    }

    fn move_stock(
        &self,
        product: &str,
        store: &str,
        amount: i64,
        division: &'static str,
        memo: Option<String>,
    ) -> u32 {
        let mut history = self.history.borrow_mut();
        let id = u32::try_from(history.len()).unwrap() + 1;
        let (product, store) = (product.to_owned(), store.to_owned());
        history.push(Row {
            id,
            product,
            store,
            amount,
            division,
            memo,
            at: self.now.get(),
        });
        id
    }

    fn changes(&self, product: &str, store: &str, query: &BTreeMap<String, String>) -> Value {
        let number = |name: &str| query[name].parse::<usize>().unwrap();
        let (page, limit) = (number("page"), number("limit"));
        let history = self.history.borrow();
        let rows = history
            .iter()
            .rev()
            .filter(|row| row.product == product && row.store == store)
            .skip((page - 1) * limit)
            .take(limit);
        rows.map(|row| {
            json!({"id": row.id.to_string(), "updDateTime": time::format_rfc3339(row.at), "targetDateTime": time::format_rfc3339(row.at),
                "productId": product, "storeId": store, "amount": row.amount.to_string(), "stockAmount": "0",
                "stockDivision": row.division, "memo": row.memo})
        })
        .collect()
    }

    fn list_products(&self, query: &BTreeMap<String, String>) -> Value {
        let wanted = query.get("product_code");
        let products = self.products.borrow();
        products
            .iter()
            .filter(|product| wanted.is_none_or(|code| product["productCode"] == **code))
            .cloned()
            .collect()
    }

    fn find(&self, query: &BTreeMap<String, String>) -> Value {
        let transactions = self.transactions.borrow();
        let found = transactions
            .iter()
            .filter(|transaction| Some(&transaction.uuid) == query.get("transaction_uuid"));
        found
            .map(|transaction| {
                let flag = |set: bool| if set { "1" } else { "0" };
                json!({"transactionHeadId": transaction.id, "transactionUuid": transaction.uuid,
                    "transactionHeadDivision": "1", "total": transaction.body["total"],
                    "cancelDivision": flag(transaction.cancelled), "disposeDivision": flag(transaction.disposed)})
            })
            .collect()
    }
}

impl Http for World {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async move { self.answer(&request) })
    }
}

/// A product's id by its name in these tests, in whichever case: digits, as Smaregi's are.
fn product_id(name: &str) -> String {
    let digits = |letter: u8| match letter {
        b'0'..=b'9' => char::from(letter).to_string(),
        _ => letter.to_ascii_uppercase().to_string(),
    };
    name.bytes().map(digits).collect()
}

fn product(code: &str, tax: &str, stock: &str) -> Value {
    json!({"productId": product_id(code), "productCode": code, "productName": format!("品{code}"), "taxDivision": tax,
        "reduceTaxId": null, "stockControlDivision": stock})
}

fn ok(body: Value) -> Result<HttpResponse, HttpFailure> {
    Ok(HttpResponse {
        status: 200,
        retry_after: None,
        body: body.to_string().into_bytes(),
    })
}

fn refused(status: u16, detail: &str) -> Result<HttpResponse, HttpFailure> {
    let body =
        json!({"type": "about:blank", "title": "BadRequest", "detail": detail, "status": status});
    Ok(HttpResponse {
        status,
        retry_after: None,
        body: body.to_string().into_bytes(),
    })
}
