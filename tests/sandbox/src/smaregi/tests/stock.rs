//! Stock in bulk, and happenings that are entered late.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::Client;
use crate::switches::Switches;

#[test]
fn bulk_updates_are_accepted_done_later_and_told() {
    let mut client = Client::new(Switches::default());
    let (one, two) = (
        client.smaregi.books().stock_of(1, 1),
        client.smaregi.books().stock_of(2, 1),
    );
    let item = |product: &str, amount: &str| json!({"productId": product, "storeId": "1", "stockAmount": amount});
    let order = |items: serde_json::Value| json!({"stock": items, "callbackUrl": "http://127.0.0.1:1/done"});
    for bad in [
        order(json!([])),
        order(json!([item("1", "0")])),
        order(json!([item("4242", "1")])),
        order(vec![item("1", "1"); 101].into()),
        json!({"stocks": [item("1", "1")], "callbackUrl": "http://127.0.0.1:1/done"}),
        json!({"stock": [item("1", "1")], "callbackUrl": "ftp://x"}),
    ] {
        assert_eq!(client.post("/stock/add/bulk", &bad).0, 400, "{bad}");
    }
    let good = order(json!([item("1", "5"), item("2", "-1")]));
    let (status, accepted) = client.post("/stock/add/bulk", &good);
    assert_eq!((status, &accepted["requestId"]), (200, &json!(1)));
    assert_eq!(client.smaregi.books().stock_of(1, 1), one, "not yet");
    client.smaregi.clock.advance(Duration::from_secs(1));
    client.get("/stores");
    assert_eq!(client.smaregi.books().stock_of(1, 1), one + 5);
    assert_eq!(client.smaregi.books().stock_of(2, 1), two - 1);
    let hooks = client.webhooks.take();
    assert_eq!(hooks[0].body["action"], "bulk-update");
    assert_eq!(hooks[0].body["ids"].as_array().unwrap().len(), 2);
    assert_eq!(hooks[1].url, "http://127.0.0.1:1/done");
    assert_eq!(hooks[1].body[0]["requestId"], 1);
    let absolute = order(json!([item("1", "7")]));
    assert_eq!(client.ask(Method::PATCH, "/stock/bulk", &absolute).0, 200);
    client.smaregi.clock.advance(Duration::from_secs(1));
    client.get("/stores");
    assert_eq!(client.smaregi.books().stock_of(1, 1), 7);
}

#[test]
fn a_late_entry_is_about_an_earlier_day() {
    let mut client = Client::new(Switches::default());
    let yesterday = client.smaregi.clock.now() - chrono::TimeDelta::days(1);
    client.smaregi.loss_of(1, 1, 1, Some(yesterday)).unwrap();
    let (_, found) = client.get("/stock/changes/1/1?target_date=2026-11-23");
    assert_eq!(found[0]["stockDivision"], "14");
    assert_ne!(found[0]["updDateTime"], found[0]["targetDateTime"]);
}

#[test]
fn the_scheme_is_read_without_regard_to_case() {
    use crate::service::Service;
    let mut client = Client::new(Switches::default());
    for (scheme, status) in [("bearer ", 200), ("BEARER   ", 200), ("Basic ", 401)] {
        let request = http::Request::get(format!("/{}/pos/stores", client.app.contract_id))
            .header("authorization", format!("{scheme}{}", client.token))
            .body(Vec::new())
            .unwrap();
        assert_eq!(client.smaregi.handle(&request).status(), status, "{scheme}");
    }
}
