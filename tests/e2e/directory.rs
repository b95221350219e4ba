//! Settings are filled in from lists: nobody types an id. Over the server's JSON, as a console asks.

use serde_json::{Value, json};
use tsunagi_sandbox::{ServiceName, Switches};

use crate::{outside, world::World};

const SHOPS: &str = "POST /api_v1_master_shop/search";

/// Asks the server: the status and the answer.
async fn ask(world: &World, function: &str, arguments: Value) -> (u16, Value) {
    let token = format!("Bearer {}", world.stage.api_token());
    let request = format!("POST /api/t/demo/directory/{function}");
    let headers = [("authorization", token.as_str())];
    let (status, body) = outside::ask(world, &request, &headers, &arguments.to_string()).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_four_lists_name_what_both_services_hold() {
    let world = World::usual().await;
    let (status, stores) = ask(&world, "smaregi-stores", json!({})).await;
    let name = |choice: &Value| choice["name"].as_str().unwrap().to_owned();
    let names = |list: &Value| {
        list["choices"]
            .as_array()
            .unwrap()
            .iter()
            .map(name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (status, names(&stores)),
        (
            200,
            vec!["本店".to_owned(), "駅前店".to_owned(), "倉庫".to_owned()]
        )
    );
    let (status, shops) = ask(&world, "next-engine-shops", json!({})).await;
    assert_eq!(
        (status, names(&shops)),
        (200, vec!["店 1".to_owned(), "店 2".to_owned()])
    );
    assert_eq!(shops["choices"][1]["id"], "2");
    assert_eq!(shops["read-at"], "2026-11-24T09:00:00+09:00");
    let (_, methods) = ask(&world, "payment-methods", json!({})).await;
    assert!(
        methods["choices"]
            .as_array()
            .unwrap()
            .contains(&json!({ "id": "1", "name": "代金引換" }))
    );
    let (_, products) = ask(&world, "products", json!({ "text": "te" })).await;
    assert_eq!(
        products["choices"],
        json!([{
            "code": "TEA", "name": "品 TEA", "price": "1080", "product-id": "1", "next-engine-code": "TEA",
        }])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_on_and_looking_again_costs_no_further_call() {
    let world = World::usual().await;
    world.stage.sandbox.world(|world| world.counters.reset());
    for text in ["", "S", "SH", "SHIP"] {
        let (_, found) = ask(&world, "products", json!({ "text": text })).await;
        assert!(
            found["choices"]
                .as_array()
                .unwrap()
                .iter()
                .any(|choice| choice["code"] == "SHIP"),
            "{found}"
        );
        ask(&world, "next-engine-shops", json!({})).await;
    }
    assert_eq!(world.requests(ServiceName::NextEngine, SHOPS), 1);
    assert_eq!(world.requests(ServiceName::Smaregi, "GET /products"), 1);
    world.stage.pass(std::time::Duration::from_secs(600));
    ask(&world, "next-engine-shops", json!({})).await;
    assert_eq!(world.requests(ServiceName::NextEngine, SHOPS), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_is_not_switched_on_is_named_and_mended() {
    let world = World::usual().await;
    let switch = |on| {
        let path = "/api_v1_master_shop/search";
        world
            .stage
            .sandbox
            .next_engine(|next_engine| next_engine.set_api(path, on));
    };
    switch(false);
    let (status, refused) = ask(&world, "next-engine-shops", json!({})).await;
    assert_eq!(
        (status, &refused["error"]["refused"]["code"]),
        (502, &json!("004001"))
    );
    switch(true);
    assert_eq!(ask(&world, "next-engine-shops", json!({})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_login_smaregis_lists_are_there_and_next_engines_ask_for_it() {
    let world = World::bare(Switches::default()).await;
    assert_eq!(
        ask(&world, "smaregi-stores", json!({})).await.0,
        409,
        "no settings yet"
    );
    world.put(|_| ()).await;
    assert_eq!(ask(&world, "smaregi-stores", json!({})).await.0, 200);
    let (status, error) = ask(&world, "next-engine-shops", json!({})).await;
    assert_eq!(
        (status, &error["error"]["not-connected"]["side"]),
        (409, &json!("next-engine"))
    );
}
