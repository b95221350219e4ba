//! Seed, step 6: stock out.

use serde_json::json;
use tsunagi_sandbox::{ServiceName, Switches, smaregi::Product, webhook::WebhookFault};

use crate::world::{BAG, CUP, JAR, LID, MAT, POT, TEA, TIN, World, order};

/// One movement of each cause, each of its own product, and the difference at the stores that take part.
fn eight_causes(world: &World) -> [(&'static str, u64, i64); 8] {
    world
        .stage
        .sandbox
        .smaregi(|smaregi| {
            smaregi.correct(TEA, 1, -1)?;
            smaregi.pos_sale(1, &[(CUP, 2)])?;
            smaregi.purchase(POT, 3, 5)?;
            smaregi.ship_out(LID, 3, 3)?;
            // In from, and out to, the store that takes no part.
            smaregi.transfer(BAG, 2, 1, 4)?;
            smaregi.transfer(TIN, 3, 2, 6)?;
            smaregi.stocktake(JAR, 1, 13)?;
            smaregi.loss(MAT, 1, 8)
        })
        .unwrap();
    [
        ("correction", TEA, -1),
        ("sale", CUP, -2),
        ("purchase", POT, 5),
        ("shipment", LID, -3),
        ("receipt", BAG, 4),
        ("issue", TIN, -6),
        ("stocktake", JAR, -7),
        ("loss", MAT, -8),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_6_each_of_the_eight_causes_is_sent_or_not_as_set() {
    for sent in [
        "correction",
        "sale",
        "purchase",
        "shipment",
        "receipt",
        "issue",
        "stocktake",
        "loss",
    ] {
        let world = World::connected(Switches::default(), |settings| {
            settings["stock"]["stores"] = json!(["1", "3"]);
            settings["stock"]["triggers"][sent] = true.into();
        })
        .await;
        let moved = eight_causes(&world);
        world.hours(2).await;
        for (cause, product, by) in moved {
            let expected = if cause == sent { 100 + by } else { 100 };
            assert_eq!(
                world.next_engine_stock(product),
                expected,
                "{cause} while only {sent} is sent"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_6_only_the_chosen_stores_take_part() {
    let world = World::connected(Switches::default(), |settings| {
        World::whole(settings);
        settings["stock"]["stores"] = json!(["3"]);
    })
    .await;
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.loss(TEA, 1, 2).and(smaregi.loss(TEA, 3, 5)))
        .unwrap();
    world.hours(2).await;
    assert_eq!(world.next_engine_stock(TEA), 95);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seed_6_the_send_history_shows_before_and_after_and_resending_books_nothing_twice() {
    let world = World::usual().await;
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.loss(TEA, 1, 2))
        .unwrap();
    world.hours(1).await;
    let entries = world.history("sent").await;
    let entry = entries
        .iter()
        .find(|entry| entry["outcome"] == "applied")
        .unwrap();
    assert_eq!(
        (&entry["before"], &entry["after"], &entry["quantity"]),
        (&json!("100"), &json!("98"), &json!("-2"))
    );
    assert_eq!(
        (&entry["triggers"], &entry["product-code"]),
        (&json!(["loss"]), &json!("TEA"))
    );
    world
        .call(
            "stock.resend",
            json!({ "choice": { "entry": entry["id"] } }),
        )
        .await;
    world
        .call("stock.resend", json!({ "choice": { "all-failed": true } }))
        .await;
    world.hours(1).await;
    assert_eq!(world.next_engine_stock(TEA), 98);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_doubled_and_disordered_webhooks_change_nothing_in_the_end() {
    let world = World::usual().await;
    world.stage.sandbox.world(|world| {
        world.webhooks.add_fault(WebhookFault::Drop, 2);
        world.webhooks.add_fault(WebhookFault::Duplicate, 2);
        world.webhooks.add_fault(WebhookFault::Reorder, 2);
    });
    let moved = eight_causes(&world);
    world.hours(3).await;
    for (cause, product, by) in moved {
        assert_eq!(world.next_engine_stock(product), 100 + by, "{cause}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_next_engine_does_not_know_waits_and_never_makes_a_product() {
    let world = World::usual().await;
    world.stage.sandbox.smaregi(|smaregi| {
        let like = smaregi.books().products[&TEA].product.clone();
        smaregi.set_product(Product {
            id: 50,
            code: "NEW".to_owned(),
            ..like
        });
        smaregi.purchase(50, 1, 7).unwrap();
        smaregi.loss(CUP, 1, 1).unwrap();
    });
    world.hours(2).await;
    assert_eq!(world.next_engine_stock(CUP), 99, "its neighbour goes on");
    assert!(
        world
            .stage
            .sandbox
            .next_engine(|next_engine| !next_engine.books().goods.contains_key("NEW"))
    );
    let waiting = world.history("sent").await;
    let waiting = waiting
        .iter()
        .find(|entry| entry["product-code"] == "NEW")
        .unwrap();
    assert_eq!(
        (&waiting["outcome"], &waiting["reason"]["code"]),
        (&json!("waiting"), &json!("unknown-code"))
    );
    let shop = crate::world::shop();
    let new = tsunagi_sandbox::shop::Product {
        code: "NEW".to_owned(),
        ..shop.products[0].clone()
    };
    world
        .stage
        .sandbox
        .next_engine(|next_engine| next_engine.add_goods(&new, 0))
        .unwrap();
    world
        .call("stock.resend", json!({ "choice": { "all-failed": true } }))
        .await;
    world.hours(2).await;
    assert_eq!(
        world
            .stage
            .sandbox
            .next_engine(|next_engine| next_engine.books().goods["NEW"].stock),
        7
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_next_engine_promised_to_orders_is_not_taken_off_until_it_can_be() {
    let world = World::usual().await;
    // 98 pieces are promised: only 2 are free.
    world
        .stage
        .sandbox
        .next_engine(|next_engine| next_engine.place(&order(1, "BIG", &[(TEA, 98)])))
        .unwrap();
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.loss(TEA, 3, 5).and(smaregi.loss(CUP, 3, 5)))
        .unwrap();
    world.hours(2).await;
    assert_eq!(
        (world.next_engine_stock(TEA), world.next_engine_stock(CUP)),
        (100, 95)
    );
    let entries = world.history("sent").await;
    let held = entries
        .iter()
        .find(|entry| entry["product-code"] == "TEA")
        .unwrap();
    assert_eq!(held["reason"]["code"], "free-stock");
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.purchase(TEA, 3, 10))
        .unwrap();
    world.hours(3).await;
    assert_eq!(
        world.next_engine_stock(TEA),
        105,
        "-5 and +10 travel as one difference"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_doing_does_not_come_back() {
    let world = World::usual().await;
    let slips: Vec<u64> = (0..30)
        .map(|number| {
            world.ship(&order(
                1 + number % 2,
                &format!("A-{number}"),
                &[(TEA, 1), (CUP, 1)],
            ))
        })
        .collect();
    assert_eq!(world.import().await["registered"], 30);
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.pos_sale(1, &[(TEA, 3), (CUP, 2)]))
        .unwrap();
    world.stage.sandbox.next_engine(|next_engine| {
        for slip in &slips[..5] {
            next_engine.take_return(*slip, 1, 1, 0).unwrap();
            next_engine.take_return(*slip, 2, 1, 0).unwrap();
            next_engine.cancel(*slip, 6).unwrap();
        }
    });
    world.hours(3).await;
    for (product, sold) in [(TEA, 3), (CUP, 2)] {
        let expected = 100 - 30 + 5 - sold;
        assert_eq!(world.next_engine_stock(product), expected);
        assert_eq!(
            world.smaregi_stock(product, 1) + world.smaregi_stock(product, 3),
            expected
        );
    }
    assert!(slips[..5].iter().all(|slip| world.booked(*slip).is_empty()));
    assert!(slips[5..].iter().all(|slip| world.booked(*slip).len() == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_hour_costs_next_engine_only_the_imports() {
    let world = World::usual().await;
    world.hours(1).await;
    world.stage.sandbox.world(|world| world.counters.reset());
    world.hours(4).await;
    let asked = |endpoint| world.requests(ServiceName::NextEngine, endpoint);
    assert_eq!(
        asked("POST /api_v1_master_goods/upload") + asked("POST /api_v1_system_que/search"),
        0
    );
    assert_eq!(
        asked("POST /api_v1_master_goods/search")
            + asked("POST /api_v1_master_stockiohistory/search"),
        0
    );
    assert!(asked("POST /api_v1_receiveorder_row/search") <= 4 * 4 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alignment_makes_next_engine_equal_after_a_look() {
    let world = World::usual().await;
    world
        .stage
        .sandbox
        .next_engine(|next_engine| next_engine.set_stock("TEA", 90, "数え直し"))
        .unwrap();
    let comparison = world.call("stock.compare", json!({})).await;
    assert_eq!(comparison["unexplained-products"], 1);
    let preview = world
        .call(
            "stock.align",
            json!({ "codes": [], "confirmed": false, "over-guard": false }),
        )
        .await;
    assert_eq!(
        preview["lines"],
        json!([{ "code": "TEA", "quantity": "10" }])
    );
    world.hours(1).await;
    assert_eq!(world.next_engine_stock(TEA), 90, "a preview sends nothing");
    world
        .call(
            "stock.align",
            json!({ "codes": ["TEA"], "confirmed": true, "over-guard": false }),
        )
        .await;
    world.hours(1).await;
    assert_eq!(world.next_engine_stock(TEA), 100);
}
