//! What a registration may carry, and what the switches leave open about it.

use serde_json::{Value, json};

use super::{Client, sale};
use crate::switches::*;

#[test]
fn every_field_has_its_type_and_range() {
    // field, value, whether it is good
    let table = [
        ("subtotalDiscountDivision", json!("0"), false),
        ("roundingDivision", json!("14"), false),
        ("roundingDivision", json!("99"), true),
        ("taxRounding", json!("3"), false),
        ("sellDivision", json!("2"), false),
        ("newPoint", json!("ten"), false),
        ("newPoint", json!(10), false),
        ("spendPoint", json!("10"), true),
        ("memo", json!(5), false),
        ("memo", json!("長".repeat(2000)), true),
        ("enterDateTime", json!("yesterday"), false),
        ("terminalId", json!("0900001"), false),
        ("terminalId", json!("-1"), false),
        ("terminalId", json!("1234567890"), false),
        (
            "terminalTranDateTime",
            json!("2026-11-23T12:00:00+0900"),
            true,
        ),
        ("customerId", json!("7"), false),
        ("customerId", json!("8"), true),
        ("customerCode", json!("C-8"), false),
        ("staffId", json!("5"), false),
        ("staffId", json!("6"), true),
        ("customerGroupId3", json!("1"), false),
        ("subtotalDiscountRate", json!("10"), false),
        ("couponDiscount", json!("0"), false),
        ("roundingPrice", json!("1"), false),
    ];
    for (field, value, good) in table {
        let mut client = Client::new(Switches::default());
        client.smaregi.set_customer(8, "C-8");
        client.smaregi.add_staff(6);
        let sent = sale(|sale| sale[field] = value.clone());
        let status = client.post("/transactions", &sent).0;
        assert_eq!(status == 200, good, "{field} {value}");
    }
    for (field, value, good) in [
        ("unitDiscountRate", json!("10"), false),
        ("productDivision", json!("1"), false),
        ("salesDivision", json!("1"), true),
        ("categoryId", json!("99"), false),
        ("productId", json!("x"), false),
        ("productId", json!("123456789012345678901"), true),
        ("quantity", json!("1000000000"), false),
    ] {
        let mut client = Client::new(Switches::default());
        let sent = sale(|sale| sale["details"][0][field] = value.clone());
        let status = client.post("/transactions", &sent).0;
        assert_eq!(status == 200, good, "{field} {value}");
    }
}

#[test]
fn what_belongs_together_is_taken_together() {
    let mut client = Client::new(Switches::default());
    client.smaregi.set_customer(8, "C-8");
    let sent = sale(|sale| {
        sale["subtotalDiscountRate"] = json!("10");
        sale["subtotalDiscountPrice"] = json!("200");
        sale["roundingPrice"] = json!("-1");
        sale["total"] = json!("1799");
        sale["customerId"] = json!("8");
        sale["customerCode"] = json!("C-8");
        sale["details"][0]["productId"] = json!("99999999999999999999");
    });
    assert_eq!(client.post("/transactions", &sent).0, 200);
    let (_, found) = client.get("/transactions/1?with_details=all");
    assert_eq!(found["subtotalDiscountRate"], "10");
    assert_eq!(found["customerCode"], "C-8");
    for (row, name) in [
        (&found, "couponDiscount"),
        (&found["details"][0], "costSum"),
    ] {
        assert_eq!(row.get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(found["details"][0]["productId"], Value::Null);
    let patched = client.ask(
        http::Method::PATCH,
        "/transactions/1",
        &json!({"memo": "後で", "guestNumbers": "2"}),
    );
    assert_eq!(patched.0, 200);
    let refused = client.ask(
        http::Method::PATCH,
        "/transactions/1",
        &json!({"total": "1"}),
    );
    assert_eq!(refused.0, 400);
    let (_, found) = client.get("/transactions/1");
    assert_eq!(
        (&found["memo"], &found["guestNumbers"]),
        (&json!("後で"), &json!("2"))
    );
}

#[test]
fn the_daily_report_counts_how_sales_were_paid() {
    let pay = |number: &str, parts: Value| {
        sale(|sale| {
            sale["terminalTranId"] = json!(number);
            sale.as_object_mut()
                .unwrap()
                .extend(parts.as_object().unwrap().clone());
        })
    };
    let other = json!([{"no": "1", "paymentMethodId": "2", "depositOthers": "500"}]);
    let mut client = Client::new(Switches::default());
    let whole =
        json!({"deposit": "2500", "depositCash": "2000", "change": "500", "depositOthers": other});
    client.post("/transactions", &pay("1", whole));
    let (_, found) = client.get("/transactions/1?with_deposit_others=all");
    assert_eq!(
        found["depositOthers"][0]["paymentMethodName"],
        "QRコード決済"
    );
    let days = client.smaregi.books().daily_report();
    let day = days.values().next().unwrap();
    assert_eq!(
        (day.total, day.cash, day.others, day.wrong),
        (2000, 1500, 500, 0)
    );
    assert!(day.agrees());
    client.post("/transactions", &pay("2", json!({"deposit": "2000"})));
    let days = client.smaregi.books().daily_report();
    assert!(!days.values().next().unwrap().agrees());
    let mut client = Client::new(Switches {
        deposit_others: DepositOthers::Refused,
        ..Switches::default()
    });
    let sent = pay("1", json!({"depositOthers": other}));
    assert_eq!(client.post("/transactions", &sent).0, 400);
}

#[test]
fn numbers_times_and_closing_follow_switches_and_stores() {
    let letters = sale(|sale| sale["terminalTranId"] = json!("NE-1"));
    for (terminal_tran_id, status) in [(TerminalTranId::Any, 200), (TerminalTranId::Digits, 400)] {
        let mut client = Client::new(Switches {
            terminal_tran_id,
            ..Switches::default()
        });
        assert_eq!(client.post("/transactions", &letters).0, status);
    }
    let utc = sale(|sale| sale["terminalTranDateTime"] = json!("2026-11-23T03:00:00Z"));
    for (offsets, hour) in [(Offsets::Ignored, "T03:"), (Offsets::Honoured, "T12:")] {
        let mut client = Client::new(Switches {
            offsets,
            ..Switches::default()
        });
        client.post("/transactions", &utc);
        let (_, found) = client.get("/transactions/1");
        let time = found["terminalTranDateTime"].as_str().unwrap().to_owned();
        assert!(time.contains(hour), "{time}");
    }
    let mut client = Client::new(Switches::default());
    let open = sale(|sale| {
        sale["sumDivision"] = Value::Null;
        sale["sumDate"] = Value::Null;
        sale["terminalId"] = json!("1");
    });
    assert_eq!(client.post("/transactions", &open).0, 200);
    assert_eq!(client.get("/transactions/1").1["sumDivision"], "0");
    client.smaregi.set_store(2, Some(true), Some(true)).unwrap();
    let mut closed = open.clone();
    closed["storeId"] = json!("2");
    assert_eq!(client.post("/transactions", &closed).0, 200);
    assert_eq!(client.get("/transactions/2").1["sumDate"], "2026-11-23");
    let (_, store) = client.get("/stores/2");
    assert_eq!(
        (&store["sumProcDivision"], &store["sellDivision"]),
        (&json!("1"), &json!("1"))
    );
}
