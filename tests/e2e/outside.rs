//! What the host shows to the outside: who may deliver webhooks, who may call, and what they are told.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use tsunagi::runtime::{Limits, Runtime, RuntimeConfig};
use tsunagi_sandbox::{ServiceName, Switches};

use crate::world::{TEA, World, order};

/// One plain HTTP/1.1 request: status and body.
pub async fn ask(
    world: &World,
    request: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let (status, _, body) = whole(world, request, headers, body).await;
    (status, body)
}

/// One plain HTTP/1.1 request: status, head and body.
async fn whole(
    world: &World,
    request: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
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
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, head.to_owned(), body.to_owned())
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

/// What a browser would ask for, of an address on our server.
fn path(world: &World, address: &str) -> String {
    format!("GET {}", address.strip_prefix(world.stage.base()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_needs_a_link_and_a_link_works_once() {
    let world = World::bare(Switches::default()).await;
    world.put(World::whole).await;
    for request in [
        "GET /t/demo/login",
        "GET /t/demo/login?link=",
        "GET /t/demo/login?link=0123456789abcdef",
    ] {
        let (status, page) = ask(&world, request, &[], "").await;
        assert_eq!(status, 403, "{request}");
        assert!(page.contains("リンク") && page.contains("link"), "{page}");
    }
    let open = path(&world, &world.stage.login_link().await.unwrap());
    let (status, head, _) = whole(&world, &open, &[], "").await;
    assert_eq!(status, 303);
    assert!(head.contains("tsunagi-login-demo="), "{head}");
    assert_eq!(ask(&world, &open, &[], "").await.0, 403, "used already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_holds_the_apis_token_makes_links() {
    let world = World::bare(Switches::default()).await;
    world.put(World::whole).await;
    let post = "POST /api/t/demo/login-link";
    assert_eq!(ask(&world, post, &[], "").await.0, 401);
    let token = format!("Bearer {}", world.stage.api_token());
    let (status, body) = ask(&world, post, &[("authorization", &token)], "").await;
    assert_eq!(status, 200);
    let told: Value = serde_json::from_str(&body).unwrap();
    let open = path(&world, told["address"].as_str().unwrap());
    assert_eq!(ask(&world, &open, &[], "").await.0, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_that_fits_no_login_is_explained_and_next_engine_is_not_asked() {
    let world = World::bare(Switches::default()).await;
    world.put(World::whole).await;
    let one = ("cookie", "tsunagi-login-demo=0123");
    let two = (
        "cookie",
        "tsunagi-login-demo=0123; tsunagi-login-other=4567",
    );
    let other = ("cookie", "tsunagi-login-other=4567");
    for (request, headers) in [
        ("GET /login/callback?uid=u&state=s", &[][..]),
        ("GET /login/callback", &[one]),
        ("GET /login/callback?uid=u&state=s", &[two]),
        ("GET /login/callback?uid=u&state=s", &[other]),
        ("GET /t/demo/login/callback?uid=u&state=s", &[other]),
    ] {
        let (status, page) = ask(&world, request, headers, "").await;
        assert_eq!(status, 400, "{request} {headers:?}");
        assert!(
            page.contains("ログイン") && page.contains("og in") || page.contains("login"),
            "{page}"
        );
    }
    let asked = world.requests(ServiceName::NextEngine, "POST /api_neauth");
    assert_eq!(asked, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_waits_for_a_call_to_next_engine_that_is_under_way() {
    let world = World::usual().await;
    world.slow_search(3_000);
    let import = world
        .stage
        .call("orders.import-shop", json!({ "shop-id": "1" }));
    let login = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        world.stage.log_in().await
    };
    let (imported, logged_in) = tokio::join!(import, login);
    imported.unwrap();
    logged_in.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_answered_while_every_place_for_rounds_is_busy() {
    let limits = Limits {
        calls: 2,
        ..Limits::default()
    };
    let runtime = Runtime::new(RuntimeConfig {
        limits,
        ..RuntimeConfig::default()
    })
    .unwrap();
    let world = World::on(Switches::default(), runtime).await;
    world.connect(World::whole).await;
    world.slow_search(5_000);
    let secret = [("x-tsunagi-secret", "stage-webhook-secret")];
    let webhook = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let begun = std::time::Instant::now();
        let status = ask(&world, "POST /t/demo/webhook/smaregi", &secret, "<html>").await;
        (status.0, begun.elapsed())
    };
    let rounds = async {
        tokio::join!(
            world.stage.call("schedule.run", json!({})),
            world.stage.call("schedule.run", json!({}))
        )
    };
    let (rounds, (status, took)) = tokio::join!(rounds, webhook);
    rounds.0.unwrap();
    rounds.1.unwrap();
    assert_eq!(status, 400, "the component read it");
    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_ends_no_call() {
    let world = World::usual().await;
    let slip = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    world.slow_search(1_000);
    let token = format!("Bearer {}", world.stage.api_token());
    let headers = [("authorization", token.as_str())];
    let body = json!({ "shop-id": "1" }).to_string();
    let post = "POST /api/t/demo/orders/import-shop";
    let asking = ask(&world, post, &headers, &body);
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(400), asking).await;
    assert!(given_up.is_err(), "answered too early for this test");
    let begun = std::time::Instant::now();
    while world.booked(slip).is_empty() && begun.elapsed().as_secs() < 30 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(world.booked(slip), [1080]);
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
