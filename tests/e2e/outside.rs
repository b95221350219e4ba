//! What the host shows to the outside: who may deliver webhooks, who may call, and what they are told.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{TEA, World};

/// One plain HTTP/1.1 request: status and body.
async fn ask(world: &World, request: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let host = world.stage.base().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (
        status,
        answer
            .split("\r\n\r\n")
            .nth(1)
            .unwrap_or_default()
            .to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_needs_the_secret_and_is_stored_before_it_is_acknowledged() {
    let world = World::usual().await;
    // The sandbox's own notice is lost; the one below is all there is.
    world.stage.sandbox.smaregi(|smaregi| {
        smaregi.set_hook(None);
        smaregi.loss(TEA, 1, 2).unwrap();
    });
    let contract = world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.app().contract_id.clone());
    let body = json!({"contractId": contract, "event": "pos:stock", "action": "edited", "ids": [{"id": "1", "productId": "1", "storeId": "1"}]});
    let post = "POST /t/demo/webhook/smaregi";
    let event = [("smaregi-event", "pos:stock"), ("smaregi-event-id", "e-1")];
    assert_eq!(ask(&world, post, &event, &body.to_string()).await.0, 401);
    let secret = [event[0], event[1], ("x-tsunagi-secret", "wrong")];
    assert_eq!(ask(&world, post, &secret, &body.to_string()).await.0, 401);
    let secret = [
        event[0],
        event[1],
        ("x-tsunagi-secret", "stage-webhook-secret"),
    ];
    assert_eq!(ask(&world, post, &secret, "<html>").await.0, 400);
    assert_eq!(
        ask(&world, post, &secret, &body.to_string()).await,
        (200, String::new())
    );
    assert_eq!(
        ask(&world, post, &secret, &body.to_string()).await.0,
        200,
        "a repetition is acknowledged, too"
    );
    world.call("stock.send", json!({})).await;
    world
        .stage
        .run_for(std::time::Duration::from_secs(600), |_| ())
        .await
        .unwrap();
    assert_eq!(world.next_engine_stock(TEA), 98);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_json_api_asks_for_the_token_and_names_what_is_wrong() {
    let world = World::usual().await;
    assert_eq!(
        ask(&world, "GET /healthz", &[], "").await,
        (200, "ok".to_owned())
    );
    assert_eq!(
        ask(&world, "GET /api/t/demo/connection/get-status", &[], "")
            .await
            .0,
        401
    );
    let token = format!("Bearer {}", world.stage.api_token());
    let bearer = [("authorization", token.as_str())];
    let (status, body) = ask(&world, "GET /api/t/demo/connection/get-status", &bearer, "").await;
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &told["switched-on"]), (200, &json!(true)));
    let (status, body) = ask(
        &world,
        "POST /api/t/demo/orders/import-shop",
        &bearer,
        r#"{"shop-id": "99"}"#,
    )
    .await;
    assert_eq!((status, body.contains("not-found")), (404, true));
    let (status, body) = ask(
        &world,
        "POST /api/t/demo/orders/import-shop",
        &bearer,
        r#"{"shop-id": 1}"#,
    )
    .await;
    assert_eq!((status, body.contains("shop-id")), (400, true));
    assert_eq!(
        ask(&world, "GET /api/t/demo/orders/no-such", &bearer, "")
            .await
            .0,
        404
    );
    let (_, settings) = ask(&world, "GET /api/t/demo/settings/get", &bearer, "").await;
    assert!(
        !settings.contains("sandbox-client-secret") && !settings.contains("smaregi-sandbox-secret")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_with_problems_are_not_stored_and_every_problem_is_named() {
    let world = World::usual().await;
    let settings = world.stage.settings(|settings| {
        World::whole(settings);
        settings["endpoints"]["smaregi-api"] = "http://evil.example".into();
        settings["pace"]["smaregi-parallel"] = 99.into();
        settings["orders"]["receiving-stores"][0]["start-date"] = "tomorrow".into();
    });
    let problems = world
        .call("settings.validate", json!({ "settings": settings }))
        .await;
    let fields: Vec<&str> = problems
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|problem| problem["field"].as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "orders.receiving-stores[0].start-date",
            "endpoints.smaregi-api",
            "pace.smaregi-parallel"
        ]
    );
    assert_eq!(
        world
            .refused("settings.put", json!({ "settings": settings }))
            .await,
        "invalid"
    );
    let stored = world.call("settings.get", json!({})).await;
    assert_eq!(stored["pace"]["smaregi-parallel"], 8);
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let (readme, example) = (
        include_str!("../../README.md"),
        include_str!("../../host/examples/embed.rs"),
    );
    let heart = &example[example.find("#[tokio::main").unwrap()..];
    assert!(
        readme.contains(heart.trim_end()),
        "README.md shows another main than host/examples/embed.rs"
    );
}
