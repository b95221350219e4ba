//! A login that meets another call to Next Engine, on the demo's stage.

use axum::body::Body;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tsunagi_sandbox::{FaultKind, FaultRule, ServiceName, Switches, shop::demo_shop};

use super::*;
use crate::{
    demo::stage::{Play, Stage},
    json::lay,
    runtime::tests::usual,
};

/// Connected and switched on; the search for orders takes three seconds.
async fn slow() -> Stage {
    let begins = chrono::DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
    let mut shop = demo_shop(begins);
    shop.orders.clear();
    let play = Play {
        shop,
        switches: Switches::default(),
        begins,
    };
    let stage = Stage::start(play, usual()).await.unwrap();
    let store = json!({ "store-id": "1", "start-date": "2026-10-01", "shop-id": "1", "shop-name": "モール店" });
    let own = json!({ "orders": { "receiving-stores": [store] } });
    let settings = json!({ "settings": stage.settings(|settings| lay(settings, &own)) });
    stage.call("settings.put", settings).await.unwrap();
    stage.log_in().await.unwrap();
    let on = json!({ "backlog": "leave" });
    stage.call("connection.switch-on", on).await.unwrap();
    stage.sandbox.add_fault(FaultRule {
        service: Some(ServiceName::NextEngine),
        endpoint: "POST /api_v1_receiveorder_row/search".to_owned(),
        skip: 0,
        times: None,
        fault: FaultKind::Delay { millis: 3_000 },
    });
    stage
}

/// What a browser brings back.
async fn back(stage: &Stage) -> Value {
    let start = stage
        .call("connection.begin-login", json!({}))
        .await
        .unwrap();
    let address = stage
        .sandbox
        .next_engine(|next_engine| next_engine.launch("sandbox-uid-1"));
    let state = address.split("state=").nth(1).unwrap();
    let state = state.split('&').next().unwrap().replace("%2D", "-");
    json!({ "ticket": start["ticket"], "uid": "sandbox-uid-1", "state": state })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_outlives_a_wait_that_was_too_short() {
    let stage = slow().await;
    let arguments = back(&stage).await;
    let login = || patiently(&stage.tenant, &arguments, Duration::ZERO);
    let early = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        login().await
    };
    let import = stage.call("orders.import-shop", json!({ "shop-id": "1" }));
    let (imported, early) = tokio::join!(import, early);
    imported.unwrap();
    let (error, used) = early.unwrap_err();
    assert_eq!((kind(&error), used), ("contended", false));
    let page = failed(&error, used, None).into_body();
    let page = axum::body::to_bytes(page, usize::MAX).await.unwrap();
    let page = String::from_utf8_lossy(&page).into_owned();
    assert!(page.contains("再読み込み") && page.contains("Load this page again"));
    login().await.unwrap_or_else(|(error, _)| panic!("{error}"));
    let (error, used) = login().await.unwrap_err();
    assert_eq!((kind(&error), used), ("not-found", true));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_was_begun_in_the_console_comes_back_to_its_page() {
    let stage = slow().await;
    let arguments = back(&stage).await;
    let text = |field: &str| arguments[field].as_str().unwrap().to_owned();
    let query = format!("uid={}&state={}", text("uid"), text("state"));
    let cookies = format!(
        "tsunagi-login-demo={}; tsunagi-back-demo=connection",
        text("ticket")
    );
    let request = http::Request::builder()
        .uri(format!("{}/login/callback?{query}", stage.base()))
        .header(header::COOKIE, cookies)
        .body(Body::empty())
        .unwrap();
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let place = response.headers().get(header::LOCATION).unwrap();
    assert_eq!(place, "/console/t/demo/connection?done=connected");
    let gone = response.headers().get_all(header::SET_COOKIE).iter();
    let gone: Vec<_> = gone.map(|line| line.to_str().unwrap()).collect();
    assert!(
        gone.iter()
            .any(|line| line.starts_with("tsunagi-back-demo=;")),
        "{gone:?}"
    );
    stage.close().await;
}
