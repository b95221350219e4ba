//! Seed, steps 2 to 5: connecting, checking, staying connected.

use std::time::Duration;

use serde_json::json;
use tsunagi_sandbox::{ServiceName, Switches};

use crate::world::{TEA, World, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_3_a_login_that_nobody_began_here_is_refused_and_next_engine_is_not_asked() {
    let world = World::bare(Switches::default()).await;
    world.put(World::whole).await;
    let finish = json!({ "ticket": "0123456789abcdef0123456789abcdef", "uid": "sandbox-uid-1", "state": "x" });
    assert_eq!(
        world.refused("connection.finish-login", finish).await,
        "not-found"
    );
    assert_eq!(
        world.requests(ServiceName::NextEngine, "POST /api_neauth"),
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_3_a_ticket_works_once_and_for_its_own_user() {
    let world = World::bare(Switches::default()).await;
    world.put(World::whole).await;
    let start = world.call("connection.begin-login", json!({})).await;
    let ticket = start["ticket"].as_str().unwrap();
    let back = world
        .stage
        .sandbox
        .next_engine(|next_engine| next_engine.launch("sandbox-uid-1"));
    let state = back
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .replace("%2D", "-");
    let finish = json!({ "ticket": ticket, "uid": "somebody-else", "state": state });
    assert_eq!(
        world
            .refused("connection.finish-login", finish.clone())
            .await,
        "refused"
    );
    assert_eq!(
        world.refused("connection.finish-login", finish).await,
        "not-found"
    );
    assert!(world.call("connection.get-status", json!({})).await["tokens"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_4_and_5_the_connection_check_shows_both_expiries_and_missing_scopes() {
    let world = World::usual().await;
    let check = world.call("connection.check", json!({})).await;
    assert_eq!(
        (&check["next-engine"]["ok"], &check["smaregi"]["ok"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        check["tokens"]["access-expires-at"],
        "2026-11-25T09:00:00+09:00"
    );
    assert_eq!(
        check["tokens"]["refresh-expires-at"],
        "2026-11-27T09:00:00+09:00"
    );
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.set_scopes(&["pos.stores:read", "pos.products:read"]));
    let check = world.call("connection.check", json!({})).await;
    let missing = check["missing-scopes"].as_array().unwrap();
    assert!(
        missing.contains(&json!("pos.stock-changes:read"))
            && missing.contains(&json!("pos.transactions:write"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_who_does_nothing_stays_connected() {
    let world = World::connected(Switches::default(), |settings| {
        World::whole(settings);
        // Hardly any work, so that only the renewal keeps the login.
        settings["pace"]["import-minutes"] = 1440.into();
        settings["pace"]["catch-up-minutes"] = 1440.into();
    })
    .await;
    world.hours(24 * 10).await;
    let status = world.call("connection.get-status", json!({})).await;
    assert!(status["login-needed"].is_null(), "{status}");
    let slip = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    world.import().await;
    assert_eq!(world.booked(slip), [1080]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_died_is_told_and_the_work_waits_for_the_next_one() {
    let world = World::usual().await;
    let slip = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.loss(TEA, 1, 2))
        .unwrap();
    world.stage.pass(Duration::from_secs(4 * 24 * 3600));
    world.hours(1).await;
    let status = world.call("connection.get-status", json!({})).await;
    assert!(
        status["login-needed"]["ja"]
            .as_str()
            .unwrap()
            .contains("ログイン")
    );
    assert!(world.booked(slip).is_empty());
    world.stage.log_in().await.unwrap();
    world.hours(2).await;
    assert_eq!(world.booked(slip), [1080]);
    assert_eq!(world.next_engine_stock(TEA), 100 - 1 - 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnecting_forgets_the_tokens_and_keeps_the_ledger() {
    let world = World::usual().await;
    let slip = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    world.import().await;
    let status = world.call("connection.disconnect", json!({})).await;
    assert!(status["tokens"].is_null() && status["switched-on"] == json!(false));
    world.stage.log_in().await.unwrap();
    world
        .call("connection.switch-on", json!({ "backlog": "send" }))
        .await;
    world.hours(2).await;
    assert_eq!(world.booked(slip), [1080], "imported once");
}
