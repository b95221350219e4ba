//! What a shop's charts show: one number a day, equal to what both services count.

use serde_json::{Value, json};
use tsunagi_sandbox::{ServiceName, Switches};

use crate::world::{CUP, TEA, World, order};

async fn days(world: &World, days: u32) -> Vec<Value> {
    let answer = world.call("history.daily", json!({ "days": days })).await;
    answer.as_array().unwrap().clone()
}

/// Every call to Next Engine that the sandbox counted, but for the login's own page.
fn calls(world: &World) -> u64 {
    world.requests(ServiceName::NextEngine, "POST /api_")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_day_counts_what_was_done_on_it_and_nothing_twice() {
    let world = World::connected(Switches::default(), |settings| {
        World::whole(settings);
        settings["orders"]["charge"] = "unset".into();
    })
    .await;
    let kept = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    let cancelled = world.ship(&order(2, "B-1", &[(CUP, 1)]));
    let mut refused = order(1, "A-2", &[(TEA, 1)]);
    refused.charge = 330.into();
    world.ship(&refused);
    world.import().await;
    world.import().await;
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.loss(TEA, 1, 2))
        .unwrap();
    world.hours(3).await;
    let today = days(&world, 1).await.remove(0);
    let told = |day: &Value| {
        ["registered", "undone", "refused", "applied", "returned"]
            .map(|name| day[name].as_u64().unwrap())
    };
    assert_eq!(
        (&today["date"], told(&today)),
        (&json!("2026-11-24"), [2, 0, 1, 1, 0])
    );
    let before = today["next-engine-calls"].as_u64().unwrap();
    assert_eq!(before, calls(&world), "each call, and each once");
    world.hours(24).await;
    world.stage.sandbox.next_engine(|next_engine| {
        next_engine.unship(cancelled).unwrap();
        next_engine.cancel(cancelled, 1).unwrap();
    });
    world.import().await;
    let days = days(&world, 30).await;
    assert_eq!(
        (days.len(), told(&days[28]), told(&days[29])),
        (30, [2, 0, 1, 1, 0], [0, 1, 0, 0, 0])
    );
    assert_eq!(told(&days[0]), [0; 5]);
    let sum: u64 = days
        .iter()
        .map(|day| day["next-engine-calls"].as_u64().unwrap())
        .sum();
    assert_eq!(sum, calls(&world));
    assert_eq!(world.booked(kept), [1080]);
}
