//! 試す, against the sandbox of both services.

use serde_json::json;

use super::{
    language::Language,
    shop::{ended, merchant},
    *,
};

/// The form of 受注受信詳細設定 as the stage's settings fill it, but for 手数料.
fn details(charge: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("orders.charge", charge),
        ("orders.charge.line", "EC-FEE"),
        ("orders.delivery", "line"),
        ("orders.delivery.line", "EC-SHIPPING"),
        ("orders.other", "line"),
        ("orders.other.line", "EC-OTHER"),
        ("orders.points", "subtotal-discount"),
        ("orders.moment", "shipped"),
        ("orders.tax-rounding", "down"),
        ("orders.default-payment", "credit"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_tried_on_the_last_orders_before_they_are_saved() {
    let (stage, _world, mut browser) = merchant().await;
    let path = "/console/t/demo/details";
    let mut tried = details("unset");
    tried.push(("try", "true"));
    browser.get(path).await;
    let page = browser.post(path, &tried).await;
    assert!(
        page.text.contains("No order was read so far"),
        "{}",
        page.text
    );

    browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    ended(&mut browser, "/console/t/demo/orders").await;
    let before = stage.call("settings.get", json!({})).await.unwrap();
    let page = browser.post(path, &tried).await;
    assert_eq!(page.status, StatusCode::OK);
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    assert_eq!(before, settings, "a trial saves nothing");
    let mut proposed = settings;
    proposed["orders"]["charge"] = json!("unset");
    let trial = json!({ "proposed": proposed, "last": 100 });
    let trial = stage.call("orders.try-settings", trial).await.unwrap();
    let changes = trial["changes"].as_array().unwrap();
    assert!(!changes.is_empty(), "the stage has orders with a charge");
    assert_eq!(
        page.text.matches("data-name=\"Wherein\"").count(),
        changes.len(),
        "{}",
        page.text
    );
    for change in changes {
        let slip = change["slip"].as_str().unwrap();
        assert!(page.text.contains(&format!("order?slip={slip}\"")));
        let lost = show::money(Language::En, change["difference"].as_str().unwrap());
        assert!(page.text.contains(&lost), "{lost} in {}", page.text);
    }
    for told in [
        "Nothing is saved yet",
        "are transactions already and stay as they are",
        "−¥",
        "Orders that no settings so far have taken are not among them",
        "value=\"unset\" selected",
        "value=\"EC-FEE\"",
    ] {
        assert!(page.text.contains(told), "{told} in {}", page.text);
    }

    let page = browser.post(path, &details("unset")).await;
    assert_eq!(
        page.header("location"),
        "/console/t/demo/details?done=saved",
        "it can be saved from there: {}",
        page.text
    );
    browser.headers.clear();
    let page = browser.post(path, &tried).await;
    assert!(
        page.text.contains("結果は変わりません") && page.text.contains("保存せずに試す"),
        "{}",
        page.text
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiving_store_is_tried_and_what_is_wrong_stands_beside_its_field() {
    let (stage, _world, mut browser) = merchant().await;
    browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    ended(&mut browser, "/console/t/demo/orders").await;
    let row = |field: &str| format!("orders.receiving-stores[0].{field}");
    let names = ["store-id", "start-date", "shop-id", "shop-name"].map(row);
    let tried = |store: &'static str, day: &'static str| {
        let typed = [store, day, "1", "Renamed & typed"];
        let names = names.iter().map(String::as_str);
        let mut fields: Vec<(&str, &str)> = names.zip(typed).collect();
        fields.extend([("shop", "1"), ("try", "true")]);
        fields
    };
    let path = "/console/t/demo/orders/store";
    browser.get("/console/t/demo/orders/store?shop=1").await;
    let page = browser.post(path, &tried("2", "2026-10-01")).await;
    assert!(
        page.text.contains("id=\"tried\"")
            && page.text.contains("つなぎ茶舗 駅前店, 2026-")
            && page
                .text
                .contains("つなぎ茶舗 本店 (stock from つなぎ茶舗 倉庫), 2026-"),
        "{}",
        page.text
    );
    assert!(page.text.contains("value=\"Renamed &amp; typed\""));
    let page = browser.post(path, &tried("1", "someday")).await;
    let problem = format!("id=\"{}-problem\"", row("start-date"));
    assert!(page.text.contains(&problem), "{}", page.text);
    assert!(
        !page.text.contains("id=\"tried\"") && page.text.contains("value=\"Renamed &amp; typed\"")
    );
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    let stored = &settings["orders"]["receiving-stores"][0];
    assert_eq!(
        (&stored["store-id"], &stored["shop-name"]),
        (&json!("1"), &json!("モール店"))
    );
    stage.close().await;
}
