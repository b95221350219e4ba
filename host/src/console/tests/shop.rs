//! A merchant's way through the pages, against the sandbox of both services.

use serde_json::json;
use tsunagi_sandbox::{FaultKind, FaultRule, ServiceName, Switches, shop::demo_shop};

use super::*;
use crate::{
    demo::stage::{Play, SHOP, Stage},
    json::lay,
};

const EVIL: &str = "<script>alert(1)</script>";

/// A shop with its settings, logged in and switched on, and its merchant's browser. A product's and an order line's name are script.
pub async fn merchant() -> (Stage, World, Browser) {
    let begins = DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
    let mut shop = demo_shop(begins);
    for product in &mut shop.products {
        product.name = format!("{EVIL}{}", product.name);
    }
    for line in shop.orders.iter_mut().flat_map(|order| &mut order.lines) {
        line.name = format!("{EVIL}{}", line.name);
    }
    let play = Play {
        shop,
        switches: Switches::default(),
        begins,
    };
    let stage = Stage::start(play, usual()).await.unwrap();
    let own = json!({
        "stock": { "triggers": { "correction": true, "sale": true }, "stores": ["1", "3"] },
        "orders": {
            "receiving-stores": [{ "store-id": "1", "start-date": "2026-10-01", "shop-id": "1", "shop-name": "モール店", "source-store-id": "3" }],
            "charge": { "line": "EC-FEE" }, "delivery": { "line": "EC-SHIPPING" }, "other": { "line": "EC-OTHER" },
            "points": "subtotal-discount",
        },
    });
    let settings = stage.settings(|settings| lay(settings, &own));
    stage
        .call("settings.put", json!({ "settings": settings }))
        .await
        .unwrap();
    stage.log_in().await.unwrap();
    let served = Served {
        tenant: stage.tenant.clone(),
        webhook_secret: SecretString::from("secret"),
        origin: Origin::File,
    };
    let store = stage.store();
    let tenants = BTreeMap::from([(SHOP.to_owned(), served)]);
    let world = World::of("http://127.0.0.1:8080", tenants, store, stage.clock.clone());
    let mut browser = world.signed_in("taro", Some(SHOP)).await;
    let on = browser
        .post("/console/t/demo/connection/switch", &[("to", "on")])
        .await;
    assert_eq!(
        on.header("location"),
        "/console/t/demo/connection?done=on",
        "{}",
        on.text
    );
    (stage, world, browser)
}

/// The page once its work has ended.
pub async fn ended(browser: &mut Browser, path: &str) -> Page {
    for _ in 0..600 {
        let page = browser.get(path).await;
        if !page.text.contains("<progress") {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} never ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_by_hand_shows_its_progress() {
    let (stage, _world, mut browser) = merchant().await;
    let page = browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    assert_eq!(page.header("location"), "/console/t/demo/orders#job");
    // A stream ends before long work does, and a browser comes back for the next.
    let mut events = String::new();
    for _ in 0..6 {
        events += &browser.get("/console/t/demo/orders/events").await.text;
        if events.contains("event: end") {
            break;
        }
    }
    assert!(
        events.contains("event: progress") && events.contains("event: end"),
        "{events}"
    );
    let page = ended(&mut browser, "/console/t/demo/orders").await;
    assert!(
        page.text.contains("Done.") && page.text.contains("Slips read"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("not yet"), "the last import is told");

    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_listed_opened_saved_as_a_file_and_taken_in_again() {
    let (stage, _world, mut browser) = merchant().await;
    browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    ended(&mut browser, "/console/t/demo/orders").await;
    let page = browser.get("/console/t/demo/received").await;
    assert!(page.text.contains("registered") && page.text.contains("JST"));
    let slip = page
        .text
        .split("received/order?slip=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let refused = browser
        .get("/console/t/demo/received?outcome=refused")
        .await;
    assert!(refused.text.contains("name=\"one\""), "{}", refused.text);
    assert!(
        browser
            .get("/console/t/demo/overview")
            .await
            .text
            .contains("orders were refused")
    );

    let order = browser
        .get(&format!("/console/t/demo/received/order?slip={slip}"))
        .await;
    assert!(
        order.text.contains("subtotal") && order.text.contains("¥"),
        "{}",
        order.text
    );
    assert!(
        order.text.contains("came in") && order.text.contains(">done<"),
        "{}",
        order.text
    );
    let story = browser
        .get(&format!("/console/t/demo/story?key={slip}"))
        .await;
    assert!(story.text.contains("came in") && story.text.contains(&slip));
    let none = browser.get("/console/t/demo/story?key=no-such").await;
    assert_eq!(none.status, StatusCode::OK);
    let days = browser.get("/console/t/demo/overview/days").await;
    assert!(days.text.matches("<svg").count() >= 2, "{}", days.text);
    assert!(order.text.contains("&lt;script&gt;alert(1)") && !order.text.contains(EVIL));

    let file = browser
        .get("/console/t/demo/received.csv?outcome=registered")
        .await;
    assert!(
        file.text.starts_with('\u{feff}') && file.text.contains(&slip),
        "{}",
        file.text
    );
    assert!(!file.text.contains("refused"), "the file obeys the filter");

    let page = browser
        .post("/console/t/demo/received/retry", &[("which", "all")])
        .await;
    assert_eq!(
        page.header("location"),
        "/console/t/demo/received#job",
        "{}",
        page.text
    );
    let page = ended(&mut browser, "/console/t/demo/received").await;
    assert!(
        page.text.contains("Retry") && page.text.contains("Done."),
        "{}",
        page.text
    );
    assert!(!page.text.contains("had come in already"), "they were told");
    let registered = file.text.lines().nth(1).unwrap();
    let slip = registered.split(',').nth(2).unwrap().trim_matches('"');
    let path = "/console/t/demo/received/retry";
    browser.post(path, &[("one", slip)]).await;
    let page = ended(&mut browser, "/console/t/demo/received").await;
    assert!(page.text.contains("had come in already"), "{}", page.text);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_is_compared_and_aligned_after_a_look() {
    let (stage, _world, mut browser) = merchant().await;
    let shop = demo_shop(DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap());
    let both = |product: &&tsunagi_sandbox::shop::Product| {
        product.stock_managed && product.in_next_engine && product.in_smaregi
    };
    let code = shop.products.iter().find(both).unwrap().code.clone();
    stage
        .sandbox
        .next_engine(|next_engine| next_engine.set_stock(&code, 7_777, "by hand"))
        .unwrap();
    let page = browser.get("/console/t/demo/compare").await;
    assert!(page.text.contains("After a comparison"));
    browser.post("/console/t/demo/compare/run", &[]).await;
    let page = ended(&mut browser, "/console/t/demo/compare").await;
    assert!(
        page.text.contains("Compared at") && page.text.contains("7,777"),
        "{}",
        page.text
    );
    assert!(page.text.contains("<svg") && page.text.contains("role=\"img\""));
    assert!(page.text.contains("&lt;script&gt;alert(1)") && !page.text.contains(EVIL));
    let list = browser.get("/console/t/demo/connection").await;
    assert!(list.text.contains("products match"), "{}", list.text);

    let page = browser
        .post("/console/t/demo/align/preview", &[("code", &code)])
        .await;
    assert_eq!(page.header("location"), "/console/t/demo/align");
    let page = ended(&mut browser, "/console/t/demo/align").await;
    assert!(
        page.text.contains("Send this") && page.text.contains(&code),
        "{}",
        page.text
    );
    let before = browser.get("/console/t/demo/sent?trigger=alignment").await;
    assert!(
        before.text.contains("Nothing passes this filter"),
        "a look sends nothing"
    );
    let fields = [("codes", code.as_str()), ("over-guard", "true")];
    browser.post("/console/t/demo/align/confirm", &fields).await;
    let page = ended(&mut browser, "/console/t/demo/align").await;
    assert!(page.text.contains("Queued"), "{}", page.text);
    let page = browser.get("/console/t/demo/sent?trigger=alignment").await;
    assert!(
        page.text.contains(">waiting<") && page.text.contains(">−7,"),
        "{}",
        page.text
    );
    let page = browser
        .post(
            "/console/t/demo/sent/resend",
            &[
                ("which", "all"),
                ("back", "/console/t/demo/sent?outcome=waiting"),
            ],
        )
        .await;
    assert_eq!(
        page.header("location"),
        "/console/t/demo/sent?outcome=waiting&done=nothing"
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_asks_both_services_and_its_answer_stays() {
    let (stage, world, mut browser) = merchant().await;
    let page = browser.post("/console/t/demo/connection/check", &[]).await;
    assert_eq!(
        page.header("location"),
        "/console/t/demo/connection?done=checked",
        "{}",
        page.text
    );
    let page = browser.get("/console/t/demo/connection").await;
    assert_eq!(page.text.matches(">connected<").count(), 2, "{}", page.text);
    assert!(
        page.text.contains("Refresh token until")
            && page.text.contains("d ")
            && page.text.contains(" left")
    );
    world
        .clock
        .advance(std::time::Duration::from_secs(60 * 60 * 60));
    let page = browser.get("/console/t/demo/overview").await;
    assert_eq!(
        page.status,
        StatusCode::SEE_OTHER,
        "a session ends by itself"
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_settings_are_saved_as_typed() {
    let (stage, _world, mut browser) = merchant().await;
    let fields = [
        ("stock.triggers.loss", "true"),
        ("stock.stores", "1、3"),
        ("stock.codes.basis", "product-code"),
        ("stock.codes.pairs", "NE-1,SM-1"),
        ("stock.guard.products-to-zero", "５"),
        ("stock.guard.moved-percent", "10"),
    ];
    let page = browser.post("/console/t/demo/stock", &fields).await;
    assert_eq!(
        page.header("location"),
        "/console/t/demo/stock?done=saved",
        "{}",
        page.text
    );
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    assert_eq!(settings["stock"]["triggers"]["loss"], json!(true));
    assert_eq!(
        settings["stock"]["triggers"]["sale"],
        json!(false),
        "an empty box is a no"
    );
    assert_eq!(settings["stock"]["stores"], json!(["1", "3"]));
    assert_eq!(
        settings["stock"]["guard"],
        json!({ "products-to-zero": 5, "moved-percent": 10 })
    );

    let mut wrong = fields;
    wrong[5].1 = "many";
    let page = browser.post("/console/t/demo/stock", &wrong).await;
    assert!(
        page.text
            .contains("id=\"stock.guard.moved-percent-problem\"")
            && page.text.contains("value=\"many\"")
    );

    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receiving_stores_are_added_changed_and_removed() {
    let (stage, _world, mut browser) = merchant().await;
    let row = |field: &str| format!("orders.receiving-stores[1].{field}");
    let names = ["store-id", "start-date", "shop-id", "shop-name"].map(row);
    let typed = ["2", "2026-11-01", "2", "公式通販"];
    let mut fields: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(typed).collect();
    browser.get("/console/t/demo/orders/store").await;
    let page = browser.post("/console/t/demo/orders/store", &fields).await;
    assert_eq!(
        page.header("location"),
        "/console/t/demo/orders?done=saved",
        "{}",
        page.text
    );
    assert!(
        browser
            .get("/console/t/demo/orders")
            .await
            .text
            .contains("公式通販")
    );
    let page = browser.post("/console/t/demo/orders/store", &fields).await;
    assert!(
        page.text.contains("class=\"problem\""),
        "the same shop twice: {}",
        page.text
    );
    fields[3].1 = "通販";
    fields.push(("shop", "2"));
    browser.post("/console/t/demo/orders/store", &fields).await;
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    assert_eq!(
        settings["orders"]["receiving-stores"][1]["shop-name"],
        json!("通販")
    );
    browser
        .post("/console/t/demo/orders/store/remove", &[("shop", "2")])
        .await;
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    assert_eq!(
        settings["orders"]["receiving-stores"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fees_and_payments_are_saved_as_typed() {
    let (stage, _world, mut browser) = merchant().await;
    let fields = [
        ("orders.charge", "line"),
        ("orders.charge.line", "EC-FEE"),
        ("orders.delivery", "unset"),
        ("orders.other", "unset"),
        ("orders.points", "unset"),
        ("orders.moment", "issued"),
        ("orders.tax-rounding", "down"),
        ("orders.default-payment", "cash"),
        ("orders.payments[0].method-id", "7"),
        ("orders.payments[0].kind", "credit"),
        ("orders.payments[1].method-id", ""),
        ("orders.payments[1].kind", "credit"),
    ];
    let page = browser.post("/console/t/demo/details", &fields).await;
    assert_eq!(
        page.header("location"),
        "/console/t/demo/details?done=saved",
        "{}",
        page.text
    );
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    assert_eq!(settings["orders"]["charge"], json!({ "line": "EC-FEE" }));
    assert_eq!(
        settings["orders"]["payments"],
        json!([{ "method-id": "7", "kind": "credit" }])
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_shops_and_products_are_chosen_by_name() {
    let (stage, _world, mut browser) = merchant().await;
    let shop = demo_shop(DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap());
    let page = browser.get("/console/t/demo/stock").await;
    for store in &shop.stores {
        assert!(page.text.contains(&store.name), "{}", page.text);
        assert!(
            page.text
                .contains(&format!("name=\"stock.stores\" value=\"{}\"", store.id))
        );
    }
    let page = browser.get("/console/t/demo/orders/store").await;
    assert!(page.text.contains(&shop.malls[1].name) && page.text.contains("<datalist"));
    let part = browser
        .get("/console/t/demo/details/products?orders.charge.line=EC-")
        .await;
    assert!(
        part.text.starts_with("<option value=\"EC-") && part.text.contains('¥'),
        "{}",
        part.text
    );
    assert!(part.text.contains("&lt;script&gt;") && !part.text.contains(EVIL));
    let page = browser.get("/console/t/demo/details").await;
    assert!(
        page.text.contains("class=\"named\""),
        "the product of a fee by its name: {}",
        page.text
    );

    let row = |field: &str| format!("orders.receiving-stores[1].{field}");
    let names = ["store-id", "start-date", "shop-id", "shop-name"].map(row);
    let typed = ["1", "2026-11-01", "2", ""];
    let fields: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(typed).collect();
    browser.get("/console/t/demo/orders/store").await;
    browser.post("/console/t/demo/orders/store", &fields).await;
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    let named = &settings["orders"]["receiving-stores"][1]["shop-name"];
    assert_eq!(named, &json!(shop.malls[1].name));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_stops_when_asked_and_goes_on_where_it_was() {
    let (stage, _world, mut browser) = merchant().await;
    stage.sandbox.add_fault(FaultRule {
        service: Some(ServiceName::NextEngine),
        endpoint: "POST /api_v1_receiveorder_row/search".to_owned(),
        skip: 0,
        times: Some(1),
        fault: FaultKind::Delay { millis: 1_500 },
    });
    browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    let page = browser.get("/console/t/demo/orders").await;
    assert!(
        page.text
            .contains("sse-connect=\"/console/t/demo/orders/events\""),
        "{}",
        page.text
    );
    assert!(page.text.contains("goes on when this page is closed"));
    browser.post("/console/t/demo/orders/stop", &[]).await;
    let page = browser.get("/console/t/demo/orders").await;
    assert!(
        page.text.contains("Stopping at the next good moment"),
        "{}",
        page.text
    );
    let page = ended(&mut browser, "/console/t/demo/orders").await;
    assert!(page.text.contains("Stopped."), "{}", page.text);
    let registered = |text: &str| text.matches(">registered<").count();
    browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    let page = ended(&mut browser, "/console/t/demo/orders").await;
    assert!(page.text.contains("Done."), "{}", page.text);
    let page = browser
        .get("/console/t/demo/received?outcome=registered")
        .await;
    assert!(registered(&page.text) >= 50, "{}", registered(&page.text));
    stage.close().await;
}
