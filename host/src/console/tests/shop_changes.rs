//! Shops that come and go while everything runs.

use serde_json::json;

use super::*;
use crate::{
    shops::{Going, book, bring_back},
    storage::{Direction, Store, Write},
};

const PLAIN: &str = "http://127.0.0.1:8080";

/// What `serve` does every other second.
async fn followed(world: &World) {
    let mut going = Going::default();
    world.shops.step(&mut going, None).await.unwrap();
    going.all_gone().await;
}

#[tokio::test]
async fn a_shop_is_added_used_removed_and_added_again_with_its_data() {
    let world = World::new(PLAIN);
    let mut boss = world.signed_in("boss", None).await;
    boss.get("/console").await;
    for (name, told) in [
        ("My Shop", "1 to 40 lower-case"),
        ("a", "There is a shop of this name"),
    ] {
        let page = boss.post("/console/shops/add", &[("new-shop", name)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text.contains(told) && page.text.contains(&format!("value=\"{name}\"")),
            "{}",
            page.text
        );
    }
    let page = boss
        .post("/console/shops/add", &[("new-shop", "ume")])
        .await;
    assert!(
        page.text
            .contains("http://127.0.0.1:8080/t/ume/webhook/smaregi"),
        "{}",
        page.text
    );
    followed(&world).await;
    let page = boss.get("/console").await;
    assert!(page.text.contains("Shops: 3") && page.text.contains("/console/shops/remove?shop=ume"));
    assert!(
        !page.text.contains("remove?shop=a\""),
        "the configuration's is removed there"
    );

    let mut taro = world.signed_in("taro", Some("ume")).await;
    assert_eq!(
        taro.get("/console/t/ume/overview").await.status,
        StatusCode::OK
    );
    // A row of its data, whatever it says.
    let row = Write {
        key: "probe".to_owned(),
        value: Some(b"1".to_vec()),
    };
    world.store.commit("ume", vec![], vec![row]).await.unwrap();
    let has_row = async || {
        let found = world.store.get("ume", vec!["probe".to_owned()]).await;
        found.unwrap()[0].is_some()
    };

    let page = boss.get("/console/shops/remove?shop=ume").await;
    assert!(
        page.text.contains("/console/t/ume/export"),
        "the data first: {}",
        page.text
    );
    let wrong = boss
        .post("/console/shops/remove", &[("shop", "ume"), ("again", "um")])
        .await;
    assert!(wrong.text.contains("Nothing was removed"), "{}", wrong.text);
    let fields = [("shop", "ume"), ("again", "ume"), ("data", "kept")];
    let gone = boss.post("/console/shops/remove", &fields).await;
    assert_eq!(gone.header("location"), "/console", "{}", gone.text);
    assert!(boss.get("/console").await.text.contains("Being removed"));
    followed(&world).await;
    let page = boss.get("/console").await;
    assert!(page.text.contains("Shops: 2") && !page.text.contains("Being removed"));
    assert_eq!(
        boss.get("/console/t/ume/overview").await.status,
        StatusCode::NOT_FOUND
    );
    let log = boss.get("/console/changes").await;
    assert!(log.text.contains("added a shop") && log.text.contains("removed a shop"));

    // Whoever saw the old shop does not see the new one of its name.
    boss.post("/console/shops/add", &[("new-shop", "ume")])
        .await;
    followed(&world).await;
    assert_eq!(
        taro.get("/console/t/ume/overview").await.status,
        StatusCode::SEE_OTHER
    );
    assert!(!has_row().await, "it begins empty");
    let store: Arc<dyn Store> = world.store.clone();
    assert_eq!(
        bring_back(&store, "ume").await.unwrap(),
        Err(book::Unfit::Taken),
        "not over a living one"
    );
    boss.get("/console/shops/remove?shop=ume").await;
    let fields = [("shop", "ume"), ("again", "ume"), ("data", "deleted")];
    boss.post("/console/shops/remove", &fields).await;
    followed(&world).await;
    bring_back(&store, "ume").await.unwrap().unwrap();
    boss.post("/console/shops/add", &[("new-shop", "ume")])
        .await;
    followed(&world).await;
    assert!(has_row().await, "it goes on with what was kept");
}

#[tokio::test]
async fn a_shop_of_the_configuration_is_removed_there() {
    let world = World::new(PLAIN);
    let mut boss = world.signed_in("boss", None).await;
    boss.get("/console").await;
    let page = boss.get("/console/shops/remove?shop=a").await;
    assert!(
        page.text.contains("[tenants.&lt;name&gt;]") && !page.text.contains("name=\"again\""),
        "{}",
        page.text
    );
    let fields = [("shop", "a"), ("again", "a"), ("data", "deleted")];
    let page = boss.post("/console/shops/remove", &fields).await;
    assert!(
        page.text.contains("This shop is in the configuration"),
        "{}",
        page.text
    );
    followed(&world).await;
    assert_eq!(
        boss.get("/console/t/a/overview").await.status,
        StatusCode::OK
    );
    let mut taro = world.signed_in("taro", Some("a")).await;
    taro.get("/console/t/a/overview").await;
    for path in ["/console/shops/add", "/console/shops/remove"] {
        let fields = [("new-shop", "mine"), ("shop", "a"), ("again", "a")];
        assert_eq!(
            taro.post(path, &fields).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_call_under_way_is_finished_before_anything_is_taken_away() {
    let (stage, world, _browser) = shop::merchant().await;
    let records = Records::new(world.store.clone());
    let now = world.clock.now().with_timezone(&Utc);
    // The stage's one shop, as if it had been added.
    let demo = world.shops.find("demo").unwrap();
    book::add(&records, "demo", Vec::new(), now)
        .await
        .unwrap()
        .unwrap();
    let served = Served {
        origin: Origin::Added,
        ..demo
    };
    let make: Make = Box::new(|_, _| unreachable!("nothing is added"));
    let shops = Shops::of(
        world.store.clone(),
        make,
        BTreeMap::from([("demo".to_owned(), served)]),
    );
    let tenant = stage.tenant.clone();
    let budget = json!({ "shop-id": "1", "budget": { "requests": 100_000, "seconds": 600 } });
    let import = tokio::spawn(async move { tenant.call("orders.import-shop", budget).await });
    while stage
        .sandbox
        .smaregi(|smaregi| smaregi.books().transactions.is_empty())
    {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    book::remove(&records, "demo", book::Fate::Kept, now)
        .await
        .unwrap()
        .unwrap();
    let mut going = Going::default();
    shops.step(&mut going, None).await.unwrap();
    assert!(shops.find("demo").is_none(), "nobody finds it any more");
    going.all_gone().await;
    let progress = import.await.unwrap().unwrap();
    assert_eq!(progress["more"], json!(false), "{progress}");
    let late = stage.tenant.call("connection.get-status", json!({})).await;
    assert_eq!(late.unwrap_err().to_string(), "this shop was removed");
    let rows = async |tenant: &str| {
        let (start, end) = (String::new(), "\u{10ffff}".to_owned());
        let found = world
            .store
            .scan(tenant, start, end, Direction::Forward, 100_000)
            .await;
        found.unwrap()
    };
    assert!(rows("demo").await.is_empty());
    let kept = rows(&book::kept_place("demo")).await;
    let slips = kept
        .iter()
        .filter(|row| row.key.starts_with("orders/slip/"))
        .count();
    assert!(
        slips as u64 >= progress["registered"].as_u64().unwrap(),
        "all of it is kept"
    );
    stage.close().await;
}
