//! Seed, steps 7 to 9: orders in.

use rust_decimal::Decimal;
use serde_json::json;
use tsunagi_sandbox::{FaultKind, FaultRule, ServiceName, Switches};

use crate::world::{CUP, TEA, World, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_7_two_shops_sell_into_one_store_and_stay_apart() {
    let world = World::usual().await;
    let first = world.ship(&order(1, "A-1", &[(TEA, 1), (CUP, 2)]));
    let second = world.ship(&order(2, "B-1", &[(CUP, 1)]));
    assert_eq!(world.import().await["registered"], 2);
    assert_eq!(
        (world.booked(first), world.booked(second)),
        (vec![1080 + 2 * 1100], vec![1100])
    );
    let terminals: Vec<u32> = world.stage.sandbox.smaregi(|smaregi| {
        smaregi
            .books()
            .transactions
            .values()
            .map(|sale| sale.terminal)
            .collect()
    });
    assert_eq!(terminals, [900_001, 900_002]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_7_goods_leave_the_source_store() {
    let world = World::usual().await;
    world.ship(&order(1, "A-1", &[(TEA, 3)]));
    world.ship(&order(2, "B-1", &[(CUP, 3)]));
    world.import().await;
    assert_eq!(
        (world.smaregi_stock(TEA, 1), world.smaregi_stock(TEA, 3)),
        (20, 77),
        "from the warehouse"
    );
    assert_eq!(
        (world.smaregi_stock(CUP, 1), world.smaregi_stock(CUP, 3)),
        (17, 80),
        "from the selling store"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_7_orders_before_the_start_date_stay_out() {
    let world = World::connected(Switches::default(), |settings| {
        World::whole(settings);
        settings["orders"]["receiving-stores"][0]["start-date"] = "2026-11-25".into();
    })
    .await;
    let early = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    world.import().await;
    world.hours(24).await;
    let later = world.ship(&order(1, "A-2", &[(TEA, 1)]));
    world.hours(1).await;
    assert_eq!(
        (world.booked(early).len(), world.booked(later).len()),
        (0, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_8_a_manual_import_shows_when_it_was() {
    let world = World::usual().await;
    let before = world.call("orders.stores", json!({})).await;
    assert!(before[0]["last-imported-at"].is_null());
    world.import().await;
    let after = world.call("orders.stores", json!({})).await;
    assert!(
        after[0]["last-imported-at"]
            .as_str()
            .unwrap()
            .starts_with("2026-11-24T09:")
    );
    assert_eq!(world.import().await["registered"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_9_unset_money_refuses_the_order_by_name_and_a_retry_brings_it_in() {
    type Part = fn(&mut tsunagi_sandbox::shop::Order, Decimal);
    let parts: [(&str, &str, Part); 4] = [
        ("charge", "receive_order_charge_amount", |order, yen| {
            order.charge = yen
        }),
        (
            "delivery",
            "receive_order_delivery_fee_amount",
            |order, yen| order.delivery_fee = yen,
        ),
        ("other", "receive_order_other_amount", |order, yen| {
            order.other = yen
        }),
        ("points", "receive_order_point_amount", |order, yen| {
            order.points = yen
        }),
    ];
    for (setting, field, part) in parts {
        let world = World::connected(Switches::default(), |settings| {
            World::whole(settings);
            settings["orders"][setting] = "unset".into();
        })
        .await;
        let mut with = order(1, "A-1", &[(TEA, 1)]);
        part(&mut with, 330.into());
        let slip = world.ship(&with);
        let neighbour = world.ship(&order(1, "A-2", &[(TEA, 1)]));
        assert_eq!(world.import().await["refused"], 1);
        assert_eq!(world.booked(neighbour), [1080]);
        let entries = world.history("received").await;
        let refused = entries
            .iter()
            .find(|entry| entry["outcome"] == "refused")
            .unwrap();
        assert_eq!(
            (&refused["slip"], &refused["reason"]["field"]),
            (&json!(slip.to_string()), &json!(field))
        );
        world.put(World::whole).await;
        world
            .call("orders.retry", json!({ "choice": { "all-refused": true } }))
            .await;
        let expected = if setting == "points" {
            1080 - 330
        } else {
            1080 + 330
        };
        assert_eq!(world.booked(slip), [expected], "{setting}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_money_at_once_agrees_to_the_yen() {
    let world = World::usual().await;
    let mut slips = Vec::new();
    for mall in [1, 2] {
        let mut full = order(mall, &format!("M-{mall}"), &[(TEA, 3), (CUP, 2)]);
        (full.charge, full.delivery_fee, full.other, full.points) =
            (330.into(), 550.into(), (-300).into(), 257.into());
        slips.push(world.ship(&full));
    }
    assert_eq!(world.import().await["registered"], 2);
    for slip in slips {
        let total = world
            .stage
            .sandbox
            .next_engine(|next_engine| next_engine.books().slips[&slip].total());
        assert_eq!(
            world
                .booked(slip)
                .into_iter()
                .map(Decimal::from)
                .collect::<Vec<_>>(),
            [total]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_looked_up_and_nothing_is_booked_twice() {
    for fault in [
        FaultKind::DropAnswer,
        FaultKind::FailAfterActing { status: 500 },
        FaultKind::CutBody { keep: 3 },
    ] {
        let world = World::usual().await;
        let slips: Vec<u64> = (0..4)
            .map(|number| world.ship(&order(2, &format!("A-{number}"), &[(TEA, 1)])))
            .collect();
        world.stage.sandbox.add_fault(FaultRule {
            service: Some(ServiceName::Smaregi),
            endpoint: "POST /transactions".to_owned(),
            skip: 1,
            times: Some(2),
            fault,
        });
        let _ = world
            .stage
            .call("orders.import-shop", json!({ "shop-id": "2" }))
            .await;
        world.hours(1).await;
        assert!(slips.iter().all(|slip| world.booked(*slip).len() == 1));
        assert_eq!(world.smaregi_stock(TEA, 1), 16);
        assert_eq!(world.next_engine_stock(TEA), 96, "nothing came back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_after_the_import_are_followed() {
    let world = World::usual().await;
    let changed = world.ship(&order(1, "A-1", &[(TEA, 2)]));
    let cancelled = world.ship(&order(2, "B-1", &[(CUP, 1)]));
    world.import().await;
    world.stage.sandbox.next_engine(|next_engine| {
        next_engine.unship(changed).unwrap();
        next_engine.edit_line(changed, 1, Some(5), None).unwrap();
        next_engine.ship(changed).unwrap();
        next_engine.unship(cancelled).unwrap();
        next_engine.cancel(cancelled, 1).unwrap();
    });
    world.hours(2).await;
    assert_eq!(world.booked(changed), [5 * 1080]);
    assert!(world.booked(cancelled).is_empty());
    assert_eq!(
        (world.smaregi_stock(TEA, 3), world.smaregi_stock(CUP, 1)),
        (75, 20)
    );
    assert_eq!(
        (world.next_engine_stock(TEA), world.next_engine_stock(CUP)),
        (95, 100)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_the_sale_and_writes_nothing() {
    let world = World::usual().await;
    let slip = world.ship(&order(1, "A-1", &[(TEA, 2)]));
    let previews = world
        .call("orders.preview", json!({ "choice": { "shop": "1" } }))
        .await;
    assert_eq!(previews[0]["sale"]["total"], "2160");
    assert!(world.booked(slip).is_empty() && world.history("received").await.is_empty());
    assert_eq!(world.import().await["registered"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_orders_costs_one_search_and_one_write_each() {
    let world = World::usual().await;
    for number in 0..40 {
        world.ship(&order(2, &format!("A-{number}"), &[(TEA, 1)]));
    }
    world.stage.sandbox.world(|world| world.counters.reset());
    world
        .call("orders.import-shop", json!({ "shop-id": "2" }))
        .await;
    let asked = |service, endpoint| world.requests(service, endpoint);
    assert_eq!(
        asked(
            ServiceName::NextEngine,
            "POST /api_v1_receiveorder_row/search"
        ),
        1
    );
    assert_eq!(asked(ServiceName::Smaregi, "POST /transactions"), 40);
    assert!(asked(ServiceName::Smaregi, "GET /products") <= 3);
    assert_eq!(asked(ServiceName::Smaregi, "GET /transactions"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_tried_on_the_last_orders_before_they_are_saved() {
    let world = World::usual().await;
    let plain = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    let mut with_fee = order(2, "B-1", &[(CUP, 1)]);
    with_fee.charge = 330.into();
    let with_fee = world.ship(&with_fee);
    world.import().await;
    world.stage.sandbox.world(|world| world.counters.reset());
    let proposed = |change: fn(&mut serde_json::Value)| {
        let settings = world.stage.settings(|settings| {
            World::whole(settings);
            change(settings);
        });
        json!({ "proposed": settings, "last": 200 })
    };
    let unset = proposed(|settings| settings["orders"]["charge"] = "unset".into());
    let trial = world.call("orders.try-settings", unset).await;
    assert_eq!(
        (
            &trial["looked-at"],
            &trial["before"]["yen"],
            &trial["after"]["yen"]
        ),
        (&json!(2), &json!("2510"), &json!("1080"))
    );
    let changes = trial["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (
            &changes[0]["slip"],
            &changes[0]["difference"],
            &changes[0]["before"]["booked"]["total"]
        ),
        (
            &json!(with_fee.to_string()),
            &json!("-1430"),
            &json!("1430")
        )
    );
    assert_eq!(
        changes[0]["after"]["refused"]["field"],
        "receive_order_charge_amount"
    );
    let elsewhere = proposed(|settings| {
        settings["orders"]["receiving-stores"][0]["store-id"] = "2".into();
    });
    let trial = world.call("orders.try-settings", elsewhere).await;
    assert_eq!(
        (
            &trial["changes"][0]["slip"],
            &trial["changes"][0]["differs-in"]
        ),
        (&json!(plain.to_string()), &json!(["store"]))
    );
    let wrong = proposed(|settings| settings["pace"]["import-minutes"] = 0.into());
    assert_eq!(world.refused("orders.try-settings", wrong).await, "invalid");
    assert_eq!(
        world.requests(
            ServiceName::NextEngine,
            "POST /api_v1_receiveorder_row/search"
        ),
        0
    );
    assert_eq!(
        (world.booked(plain), world.booked(with_fee)),
        (vec![1080], vec![1430])
    );
}
