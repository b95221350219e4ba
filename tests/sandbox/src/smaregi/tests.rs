//! What the double of スマレジ answers, asked as a client asks it.

mod identity;
mod reads;
mod registering;
mod stock;
mod undoing;

use http::Method;
use serde_json::{Value, json};

use super::{App, Hook, Smaregi};
use crate::clock::SandboxClock;
use crate::service::Service;
use crate::shop::demo_shop;
use crate::switches::{
    ApiSaleStock, CancelClosed, CancelStock, FourPartKey, Switches, TransactionUuid,
};
use crate::webhook::Webhooks;
use crate::wire::{Request, Response};

struct Client {
    smaregi: Smaregi,
    webhooks: Webhooks,
    app: App,
    token: String,
}

impl Client {
    fn new(switches: Switches) -> Self {
        let morning = chrono::DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
        let clock = SandboxClock::held_at(morning);
        let webhooks = Webhooks::new(clock.clone());
        let mut smaregi = Smaregi::new(clock, switches, webhooks.clone());
        smaregi.load(&demo_shop(morning));
        let hook = Hook {
            url: "http://127.0.0.1:1/hook".to_owned(),
            header: ("x-secret".to_owned(), "s".to_owned()),
        };
        smaregi.set_hook(Some(hook));
        let app = smaregi.app().clone();
        let mut client = Self {
            smaregi,
            webhooks,
            app,
            token: String::new(),
        };
        client.log_in();
        client
    }

    fn log_in(&mut self) {
        let answer = self.ask_token(&self.app.client_secret.clone());
        self.token = body(&answer)["access_token"].as_str().unwrap().to_owned();
    }

    fn ask_token(&mut self, secret: &str) -> Response {
        use base64::Engine as _;
        let basic = base64::engine::general_purpose::STANDARD
            .encode(format!("{}:{secret}", self.app.client_id));
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("/app/{}/token", self.app.contract_id))
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(
                format!(
                    "grant_type=client_credentials&scope={}",
                    super::SCOPES.join("+").replace(':', "%3A")
                )
                .into_bytes(),
            );
        self.smaregi.handle(&request.unwrap())
    }

    fn ask(&mut self, method: Method, path: &str, sent: &Value) -> (u16, Value) {
        let request: Request = http::Request::builder()
            .method(method)
            .uri(format!("/{}/pos{path}", self.app.contract_id))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(if sent.is_null() {
                Vec::new()
            } else {
                sent.to_string().into_bytes()
            })
            .unwrap();
        let answer = self.smaregi.handle(&request);
        (answer.status().as_u16(), body(&answer))
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, &Value::Null)
    }

    fn post(&mut self, path: &str, sent: &Value) -> (u16, Value) {
        self.ask(Method::POST, path, sent)
    }
}

fn body(answer: &Response) -> Value {
    serde_json::from_slice(answer.body()).unwrap()
}

/// Two pieces of product 1 for 1 000 yen each, closed.
fn sale(change: impl FnOnce(&mut Value)) -> Value {
    let mut sale = json!({
        "transactionHeadDivision": "1", "subtotal": "2000", "total": "2000", "storeId": "1", "terminalId": "900001",
        "terminalTranId": "1", "terminalTranDateTime": "2026-11-23T12:00:00+09:00", "sumDivision": "2", "sumDate": "2026-11-23",
        "transactionUuid": "NE-1-1",
        "details": [{"transactionDetailId": "1", "transactionDetailDivision": "1", "productId": "1", "salesPrice": "1000",
            "quantity": "2"}],
    });
    change(&mut sale);
    sale
}

#[test]
fn a_token_needs_the_secret_lives_an_hour_and_carries_only_ticked_scopes() {
    let mut client = Client::new(Switches::default());
    assert_eq!(client.ask_token("wrong").status().as_u16(), 401);
    client.smaregi.set_scopes(&["pos.products:read"]);
    client.log_in();
    assert_eq!(client.get("/products?limit=1").0, 200);
    let (status, problem) = client.get("/stock");
    assert_eq!(
        (status, &problem["title"]),
        (403, &json!("Insufficient Scope"))
    );
    client
        .smaregi
        .clock
        .advance(std::time::Duration::from_secs(3601));
    assert_eq!(client.get("/products?limit=1").0, 401);
}

#[test]
fn reads_refuse_what_the_documents_do_not_have() {
    let mut client = Client::new(Switches::default());
    for (path, status) in [
        ("/products?store_id=1", 400),
        ("/products?limit=1001", 400),
        ("/products?fields=productId,nothing", 400),
        ("/products/424242", 404),
        (
            "/stock?upd_date_time-from=2026-01-01T00:00:00%2B09:00&upd_date_time-to=2026-03-01T00:00:00%2B09:00",
            400,
        ),
        ("/transactions", 400),
        ("/nothing", 404),
    ] {
        assert_eq!(client.get(path).0, status, "{path}");
    }
    let (_, page) = client.get("/products?limit=7&page=2&fields=productId");
    assert_eq!(page[0], json!({"productId": "8"}));
    let (_, found) = client.get("/products?product_code=TEA-SEN-200");
    assert_eq!(
        (found.as_array().unwrap().len(), &found[0]["productId"]),
        (1, &json!("2"))
    );
}

#[test]
fn a_registration_is_checked_as_the_documents_say() {
    type Bend = fn(&mut Value);
    let bends: [(&str, Bend); 13] = [
        ("subtotal", |sale| sale["subtotal"] = json!("1999")),
        ("total", |sale| sale["total"] = json!("1999")),
        ("number as number", |sale| sale["total"] = json!(2000)),
        ("unknown field", |sale| sale["orderId"] = json!("1")),
        ("unknown store", |sale| sale["storeId"] = json!("99")),
        ("no terminal", |sale| sale["terminalId"] = Value::Null),
        ("long number", |sale| {
            sale["terminalTranId"] = json!("12345678901")
        }),
        ("no day", |sale| sale["sumDate"] = Value::Null),
        ("open at a terminal that is none", |sale| {
            sale["sumDivision"] = json!("0")
        }),
        ("no moment", |sale| {
            sale["terminalTranDateTime"] = json!("2026-11-23")
        }),
        ("line twice", |sale| {
            let line = sale["details"][0].clone();
            sale["details"] = json!([line, line]);
        }),
        ("no price", |sale| {
            sale["details"][0]["salesPrice"] = Value::Null
        }),
        ("long tag", |sale| sale["tags"] = json!("あ".repeat(65))),
    ];
    let mut client = Client::new(Switches::default());
    for (what, bend) in bends {
        assert_eq!(client.post("/transactions", &sale(bend)).0, 400, "{what}");
    }
    assert!(client.smaregi.books().transactions.is_empty());
    assert_eq!(client.post("/transactions", &sale(|_| ())).0, 200);
}

#[test]
fn a_sale_is_found_again_moves_stock_and_can_be_cancelled_once() {
    let mut client = Client::new(Switches::default());
    let before = client.smaregi.books().stock_of(1, 1);
    let (_, registered) = client.post("/transactions", &sale(|_| ()));
    let id = registered["transactionHeadId"].as_str().unwrap().to_owned();
    assert_eq!(client.smaregi.books().stock_of(1, 1), before - 2);
    let range = "terminal_tran_date_time-from=2026-11-22T00:00:00%2B09:00&terminal_tran_date_time-to=2026-11-24T00:00:00%2B09:00";
    let (_, found) = client.get(&format!("/transactions?transaction_uuid=NE-1-1&{range}"));
    assert_eq!(
        (&found[0]["transactionHeadId"], &found[0]["cancelDivision"]),
        (&json!(id), &json!("0"))
    );
    assert_eq!(
        client
            .post(&format!("/transactions/{id}/cancel"), &json!({}))
            .0,
        200
    );
    assert_eq!(client.smaregi.books().stock_of(1, 1), before);
    assert_eq!(
        client
            .post(&format!("/transactions/{id}/cancel"), &json!({}))
            .0,
        400
    );
    let (_, history) = client.get("/stock/changes/1/1?sort=id:desc&limit=2");
    assert_eq!(
        (&history[0]["amount"], &history[1]["amount"]),
        (&json!("2"), &json!("-2"))
    );
}

#[test]
fn open_questions_are_answered_as_the_switches_say() {
    let closed = Switches {
        cancel_closed: CancelClosed::Refused,
        ..Switches::default()
    };
    let mut client = Client::new(closed);
    client.post("/transactions", &sale(|_| ()));
    assert_eq!(client.post("/transactions/1/cancel", &json!({})).0, 400);
    assert_eq!(client.post("/transactions/1/dispose", &json!({})).0, 200);
    assert_eq!(client.smaregi.books().transactions[&2].amounts.total, -2000);

    let still = Switches {
        api_sale_stock: ApiSaleStock::Unmoved,
        cancel_stock: CancelStock::Back02,
        ..Switches::default()
    };
    let mut client = Client::new(still);
    let before = client.smaregi.books().stock_of(1, 1);
    client.post("/transactions", &sale(|_| ()));
    client.post("/transactions/1/cancel", &json!({}));
    assert_eq!(
        client.smaregi.books().stock_of(1, 1),
        before,
        "what never left does not come back"
    );

    for (key, uuid, expected) in [
        (FourPartKey::Enforced, TransactionUuid::Ignored, 400),
        (FourPartKey::Ignored, TransactionUuid::Enforced, 400),
        (FourPartKey::Ignored, TransactionUuid::Ignored, 200),
    ] {
        let mut client = Client::new(Switches {
            four_part_key: key,
            transaction_uuid: uuid,
            ..Switches::default()
        });
        client.post("/transactions", &sale(|_| ()));
        assert_eq!(
            client.post("/transactions", &sale(|_| ())).0,
            expected,
            "{key:?} {uuid:?}"
        );
    }
}

#[test]
fn a_stock_update_is_relative_answers_its_history_id_and_refuses_zero() {
    let mut client = Client::new(Switches::default());
    let before = client.smaregi.books().stock_of(1, 3);
    let move_by = |amount: &str, store: &str| json!({"storeId": store, "stockAmount": amount, "stockHistory": {"memo": "印"}});
    let (status, moved) = client.post("/stock/1/add", &move_by("-3", "3"));
    assert_eq!(
        (status, &moved["stockAmount"]),
        (200, &json!((before - 3).to_string()))
    );
    let (_, history) = client.get("/stock/changes/1/3?sort=id:desc&limit=1");
    assert_eq!(
        (&history[0]["id"], &history[0]["memo"]),
        (&moved["stockHistory"]["id"], &json!("印"))
    );
    assert_eq!(client.post("/stock/1/add", &move_by("0", "3")).0, 400);
    assert_eq!(client.post("/stock/1/add", &move_by("1", "99")).0, 400);
    assert_eq!(client.post("/stock/4242/add", &move_by("1", "3")).0, 404);
}

#[test]
fn every_happening_writes_its_division_and_a_webhook_with_ids_alone() {
    type Happening = fn(&mut Smaregi) -> Result<(), crate::service::Refused>;
    let happenings: [(&str, Happening); 8] = [
        ("01", |smaregi| smaregi.correct(1, 1, 1)),
        ("02", |smaregi| smaregi.pos_sale(1, &[(1, 1)]).map(|_| ())),
        ("03", |smaregi| smaregi.purchase(1, 1, 1)),
        ("10", |smaregi| smaregi.ship_out(1, 1, 1)),
        ("05", |smaregi| smaregi.transfer(1, 3, 1, 1)),
        ("08", |smaregi| smaregi.stocktake(1, 1, 500)),
        ("14", |smaregi| smaregi.loss(1, 1, 1)),
        ("99", |smaregi| smaregi.odd_row(1, 1, 1, "99")),
    ];
    for (division, happening) in happenings {
        let mut client = Client::new(Switches::default());
        happening(&mut client.smaregi).unwrap();
        let last = client.smaregi.books().changes.last().cloned().unwrap();
        assert_eq!(last.division, division);
        let sent = client.webhooks.take();
        let notice = sent
            .iter()
            .find(|webhook| webhook.body["event"] == "pos:stock")
            .unwrap();
        let ids = notice.body["ids"].as_array().unwrap();
        assert_eq!(
            ids.last().unwrap(),
            &json!({"id": last.id.to_string(), "productId": "1", "storeId": "1"})
        );
        assert!(
            notice
                .headers
                .iter()
                .any(|(name, _)| name == "smaregi-event-id")
        );
    }
}
