//! Next Engine as a client sees it, in process.

mod answers;
mod changes;
mod uploads;

use std::time::Duration;

use chrono::DateTime;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::clock::SandboxClock;
use crate::faults::{FaultKind, FaultRule};
use crate::service::ServiceName;
use crate::shop::{Mall, MallTax, Order, OrderLine, Product, ShopData};
use crate::switches::*;
use crate::wire::Request;
use crate::world::{Outcome, World};

const NE: ServiceName = ServiceName::NextEngine;

struct Client {
    world: World,
    access: String,
    refresh: String,
}

impl Client {
    fn new(switches: Switches) -> Self {
        let clock = SandboxClock::held_at(
            DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap(),
        );
        let mut world = World::new(clock, switches);
        world.load(&shop()).unwrap();
        let uid = world.next_engine.users()[0].uid.clone();
        let pair = world.next_engine.issue_pair(&uid);
        Self {
            world,
            access: pair.access,
            refresh: pair.refresh,
        }
    }

    fn call(&mut self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let mut body = format!(
            "access_token={}&refresh_token={}",
            encode(&self.access),
            encode(&self.refresh)
        );
        for (name, value) in parameters {
            body += &format!(
                "&{}={}",
                encode(name).replace("%2D", "-").replace("%5F", "_"),
                encode(value)
            );
        }
        let request: Request = http::Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.into_bytes())
            .unwrap();
        let Outcome::Answer(response) = self.world.handle(NE, &request) else {
            return Value::Null;
        };
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        if let Some(access) = answer["access_token"].as_str() {
            self.access = access.to_owned();
            self.refresh = answer["refresh_token"].as_str().unwrap().to_owned();
        }
        answer
    }

    fn stock(&self, code: &str) -> (i64, i64) {
        let goods = &self.world.next_engine.books().goods[code];
        (goods.stock, goods.free())
    }

    /// Uploads and waits; answers the queue's status and message.
    fn upload(&mut self, csv: &str) -> (String, String) {
        let answer = self.call(
            "/api_v1_master_goods/upload",
            &[("data_type", "csv"), ("data", csv)],
        );
        let id = answer["que_id"].as_str().unwrap().to_owned();
        self.world.clock.advance(Duration::from_secs(3600));
        let fields = "que_status_id,que_message";
        let answer = self.call(
            "/api_v1_system_que/search",
            &[("fields", fields), ("que_id-eq", &id)],
        );
        let row = &answer["data"][0];
        (
            row["que_status_id"].as_str().unwrap().to_owned(),
            row["que_message"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

fn product(code: &str, stock: i64) -> Product {
    Product {
        id: 1,
        code: code.to_owned(),
        name: format!("商品{code}"),
        price: Decimal::from(1100),
        cost: Decimal::from(500),
        tax_rate: 10,
        stock_managed: true,
        in_next_engine: true,
        in_smaregi: false,
        stock: vec![(1, stock)],
    }
}

fn shop() -> ShopData {
    let mall = |id, tax| Mall {
        id,
        name: format!("店{id}"),
        short_name: id.to_string(),
        tax,
    };
    ShopData {
        linked_stores: vec![1],
        products: vec![product("B-2", 10), product("A-1", 10)],
        malls: vec![mall(1, MallTax::Included), mall(2, MallTax::Added)],
        ..ShopData::default()
    }
}

fn order(mall: u32, quantity: i64) -> Order {
    let line = |code: &str, quantity, tax_rate| OrderLine {
        code: code.to_owned(),
        name: format!("商品{code}"),
        quantity,
        unit_price: Decimal::from(999),
        tax_rate,
        cancelled: false,
    };
    Order {
        mall,
        number: String::from("M-1"),
        ordered_at: DateTime::parse_from_rfc3339("2026-11-24T08:00:00+09:00").unwrap(),
        lines: vec![line("A-1", quantity, 10), line("B-2", 1, 8)],
        charge: Decimal::from(330),
        delivery_fee: Decimal::from(550),
        other: Decimal::from(-100),
        points: Decimal::from(50),
        total: None,
        payment_method: 1,
        fate: vec![],
    }
}

#[test]
fn a_search_is_ordered_typed_as_text_and_refuses_what_it_does_not_know() {
    let mut client = Client::new(Switches::default());
    let path = "/api_v1_master_stock/search";
    let answer = client.call(
        path,
        &[(
            "fields",
            "stock_goods_id,stock_quantity,stock_last_modified_date",
        )],
    );
    assert_eq!(answer["count"], "2");
    assert_eq!(
        answer["data"][0],
        json!({"stock_goods_id": "A-1", "stock_quantity": "10", "stock_last_modified_date": null})
    );
    let refused: [&[(&str, &str)]; 6] = [
        &[],
        &[("fields", "")],
        &[("fields", "stock_goods_id,goods")],
        &[("fields", "stock_goods_id"), ("sort", "stock_goods_id-asc")],
        &[("fields", "stock_goods_id"), ("stock_goods_id-gt", "A")],
        &[("fields", "stock_goods_id"), ("limit", "many")],
    ];
    for parameters in refused {
        let answer = client.call(path, parameters);
        assert_eq!(
            (&answer["result"], &answer["code"]),
            (&json!("error"), &json!("004002")),
            "{parameters:?}"
        );
        assert!(answer["access_token"].is_string(), "errors carry tokens");
    }
    let paged = client.call(
        path,
        &[
            ("fields", "stock_goods_id"),
            ("offset", "1"),
            ("limit", "1"),
        ],
    );
    assert_eq!(paged["data"], json!([{"stock_goods_id": "B-2"}]));
    assert_eq!(
        client.call(
            "/api_v1_master_stock/count",
            &[("stock_goods_id-in", "A-1,X")]
        )["count"],
        "1"
    );
    assert_eq!(client.call("/api_v1_nothing/search", &[])["code"], "000001");
    client.world.next_engine.set_api(path, false);
    assert_eq!(
        client.call(path, &[("fields", "stock_goods_id")])["code"],
        "004001"
    );
}

#[test]
fn an_order_keeps_stock_allocation_and_totals_true() {
    let mut client = Client::new(Switches::default());
    let ne = &mut client.world.next_engine;
    let slip = ne.place(&order(1, 3)).unwrap();
    assert_eq!(
        ne.books().slips[&slip].total(),
        Decimal::from(999 * 4 + 330 + 550 - 100 - 50)
    );
    assert_eq!(client.stock("A-1"), (10, 7));
    let ne = &mut client.world.next_engine;
    ne.edit_line(slip, 1, Some(5), None).unwrap();
    ne.print(slip).unwrap();
    ne.ship(slip).unwrap();
    assert_eq!(client.stock("A-1"), (5, 5));
    let ne = &mut client.world.next_engine;
    assert!(ne.edit_line(slip, 1, Some(1), None).is_err(), "shipped");
    ne.unship(slip).unwrap();
    assert_eq!(client.stock("A-1"), (10, 5));
    client.world.next_engine.cancel(slip, 1).unwrap();
    assert_eq!(client.stock("A-1"), (10, 10));
    client.world.next_engine.place_mail(&order(1, 3)).unwrap();
    assert_eq!(client.stock("A-1"), (10, 10), "a mail alone takes nothing");
    let movements = &client.world.next_engine.books().movements;
    let a1: Vec<_> = movements
        .iter()
        .filter(|m| m.code == "A-1")
        .map(|m| (m.before, m.after))
        .collect();
    assert_eq!(a1, [(10, 5), (5, 10)]);
    let added = client.world.next_engine.place(&order(2, 3)).unwrap();
    assert_eq!(
        client.world.next_engine.books().slips[&added].tax_amount(),
        Decimal::from(299 + 79),
        "per rate, down"
    );
}

#[test]
fn merging_splitting_and_waiting_for_stock() {
    let mut client = Client::new(Switches::default());
    let ne = &mut client.world.next_engine;
    let (first, second) = (
        ne.place(&order(1, 8)).unwrap(),
        ne.place(&order(1, 8)).unwrap(),
    );
    assert_eq!(ne.books().slips[&second].lines[0].allocated, 2);
    assert!(ne.ship(second).is_err(), "waits for stock");
    ne.cancel(first, 1).unwrap();
    ne.ship(second).unwrap();
    let (third, fourth) = (
        ne.place(&order(1, 1)).unwrap(),
        ne.place(&order(1, 1)).unwrap(),
    );
    ne.merge(third, fourth).unwrap();
    let (absorbed, target) = (&ne.books().slips[&third], &ne.books().slips[&fourth]);
    assert_eq!(
        (absorbed.cancel_type, absorbed.include_to),
        (3, Some(fourth))
    );
    assert_eq!(target.lines[2].include_from, Some((third, 1)));
    let part = ne.split(fourth, &[3]).unwrap();
    assert_eq!(ne.books().slips[&part].divide_from, Some(fourth));
    assert_eq!(ne.books().slips[&part].total(), Decimal::from(999));
    let allocated: i64 = ne
        .books()
        .slips
        .values()
        .filter(|s| s.is_live() && !s.is_shipped())
        .flat_map(|s| &s.lines)
        .map(|l| l.allocated)
        .sum();
    assert_eq!(
        allocated,
        ne.books()
            .goods
            .values()
            .map(|goods| goods.allocated)
            .sum::<i64>()
    );
}

#[test]
fn lines_join_slip_and_goods() {
    let mut client = Client::new(Switches::default());
    client.world.next_engine.place(&order(1, 2)).unwrap();
    let fields = "receive_order_id,receive_order_row_no,receive_order_cancel_type_id,receive_order_row_unit_price,\
                  receive_order_row_tax_rate,goods_name,receive_order_last_modified_date";
    let conditions = [
        ("fields", fields),
        ("receive_order_shop_id-in", "1,2"),
        ("receive_order_row_no-gt", "1"),
    ];
    let answer = client.call("/api_v1_receiveorder_row/search", &conditions);
    assert_eq!(
        answer["data"],
        json!([{"receive_order_id": "10001", "receive_order_row_no": "2", "receive_order_cancel_type_id": "0",
                "receive_order_row_unit_price": "999.00", "receive_order_row_tax_rate": "8", "goods_name": "商品B-2",
                "receive_order_last_modified_date": null}])
    );
    let tax = client.call(
        "/api_v1_receiveorder_tax_account/search",
        &[("receive_order_ids", "10001")],
    );
    assert_eq!(
        tax["data"][0]["receive_order_request_amount_tax8"],
        "999.00"
    );
    client.world.set_switches(Switches {
        row_tax_rate: RowTaxRate::Null,
        ..Switches::default()
    });
    let answer = client.call("/api_v1_receiveorder_row/search", &conditions);
    assert_eq!(answer["data"][0]["receive_order_row_tax_rate"], Value::Null);
}

#[test]
fn renewal_happens_inside_a_call_and_in_errors_too() {
    let mut client = Client::new(Switches::default());
    let (old, old_refresh) = (client.access.clone(), client.refresh.clone());
    client.world.clock.advance(Duration::from_secs(25 * 3600));
    let answer = client.call("/api_v1_master_stock/search", &[("fields", "nonsense")]);
    assert_eq!(answer["code"], "004002");
    assert_ne!(client.access, old);
    (client.access, client.refresh) = (old, old_refresh);
    let answer = client.call("/api_v1_master_stock/count", &[]);
    assert_eq!(
        answer,
        json!({"result": "error", "code": "002002", "message": answer["message"]})
    );
}

#[test]
fn a_lost_answer_takes_the_new_pair_with_it() {
    let mut client = Client::new(Switches::default());
    client.world.clock.advance(Duration::from_secs(25 * 3600));
    client
        .world
        .faults
        .add(FaultRule::once(NE, "/count", FaultKind::DropAnswer));
    assert_eq!(client.call("/api_v1_master_stock/count", &[]), Value::Null);
    assert_eq!(
        client.call("/api_v1_master_stock/count", &[])["code"],
        "002002"
    );
}

#[test]
fn modes_and_ordered_codes_refuse() {
    use super::Mode;
    let table = [
        (Mode::PlatformMaintenance, "1", "002007"),
        (Mode::HostMaintenance, "", "003004"),
        (Mode::MainMaintenance, "", "003005"),
        (Mode::Overload, "", "003002"),
        (Mode::Overload, "1", ""),
        (Mode::LastingOverload, "1", "003001"),
    ];
    for (mode, wait, code) in table {
        let mut client = Client::new(Switches::default());
        client.world.next_engine.set_mode(mode);
        let answer = client.call("/api_v1_master_stock/count", &[("wait_flag", wait)]);
        assert_eq!(
            answer["code"].as_str().unwrap_or_default(),
            code,
            "{mode:?} {wait}"
        );
    }
    let mut client = Client::new(Switches::default());
    client.world.faults.add(FaultRule::once(
        NE,
        "/count",
        FaultKind::RefuseCode {
            code: String::from("003001"),
        },
    ));
    assert_eq!(
        client.call("/api_v1_master_stock/count", &[])["code"],
        "003001"
    );
    assert_eq!(
        client.call("/api_v1_master_stock/count", &[])["result"],
        "success"
    );
    assert_eq!(
        client
            .world
            .counters
            .requests(NE, "POST /api_v1_master_stock/count"),
        2
    );
}

#[test]
fn operators_can_be_driven_by_json() {
    let mut client = Client::new(Switches::default());
    let order = serde_json::to_value(order(1, 1)).unwrap();
    let world = &mut client.world;
    let placed = world
        .service(NE)
        .operate(json!({"action": "place", "order": order}))
        .unwrap();
    world
        .service(NE)
        .operate(json!({"action": "ship", "slip": placed["slip"]}))
        .unwrap();
    assert_eq!(world.service(NE).book("orders").unwrap()[0]["status"], 50);
    assert!(
        world
            .service(NE)
            .operate(json!({"action": "ship", "slip": 1}))
            .is_err()
    );
}

#[test]
fn calls_of_one_user_at_once_are_counted_and_can_be_refused() {
    let crowded = Switches {
        crowding: Crowding::Refused,
        ..Switches::default()
    };
    for (switches, order, waits, refuse) in [
        (Switches::default(), false, "0", false),
        (Switches::default(), true, "0", true),
        (crowded, false, "0", true),
        (crowded, false, "1", false),
    ] {
        let mut client = Client::new(switches);
        client.world.next_engine.refuse_parallel_calls(order);
        let request: Request = http::Request::post("/api_v1_master_stock/count")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("access_token={}&wait_flag={waits}", client.access).into_bytes())
            .unwrap();
        let first = client.world.begin(NE, &request);
        let second = client.world.begin(NE, &request);
        for (ticket, refused) in [(first, false), (second, refuse)] {
            let outcome = client.world.act(&ticket, &request);
            let Outcome::Answer(response) = &outcome else {
                panic!("{outcome:?}")
            };
            let text = String::from_utf8_lossy(response.body());
            assert_eq!(text.contains("003002"), refused);
            client.world.end(ticket, &outcome);
        }
        assert_eq!(client.world.counters.most_in_flight_of_one_caller(NE), 2);
        assert_eq!(client.world.counters.status(NE, 200), 2);
    }
}
