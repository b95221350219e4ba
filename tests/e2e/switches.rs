//! Every open question about both services, pairwise: whatever the answer is, each sale is booked once and to the yen, and stock is
//! equal or explained. Judged by both services' books alone.

use serde_json::json;
use tsunagi::demo::judge;
use tsunagi_sandbox::Switches;

use crate::world::{CUP, POT, TEA, World, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_is_right_under_every_pair_of_answers() {
    let mut wrong = Vec::new();
    for (row, switches) in Switches::pairwise().into_iter().enumerate() {
        let verdict = day(switches).await;
        if !verdict.is_good() {
            let lines = verdict.comparison["lines"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let unequal: Vec<_> = lines
                .into_iter()
                .filter(|line| line["difference"] != "0")
                .collect();
            wrong.push(format!("row {row} {switches:?}: {verdict:?}\n{unequal:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Orders of both shops, a sale and a loss at the till, a change, a return and a cancellation.
async fn day(switches: Switches) -> judge::Verdict {
    let world = World::connected(switches, World::whole).await;
    let mut slips = Vec::new();
    for number in 0..3 {
        slips.push(world.ship(&order(1, &format!("A-{number}"), &[(TEA, 1), (CUP, 2)])));
        slips.push(world.ship(&order(2, &format!("B-{number}"), &[(POT, 1), (TEA, 1)])));
    }
    world.hours(1).await;
    world
        .stage
        .sandbox
        .smaregi(|smaregi| {
            smaregi
                .pos_sale(1, &[(TEA, 2), (CUP, 1)])
                .and(smaregi.loss(POT, 3, 1))
        })
        .unwrap();
    world.hours(1).await;
    world.stage.sandbox.next_engine(|next_engine| {
        next_engine.unship(slips[0]).unwrap();
        next_engine.edit_line(slips[0], 1, Some(3), None).unwrap();
        next_engine.ship(slips[0]).unwrap();
        for line in [1, 2] {
            next_engine.take_return(slips[1], line, 1, 0).unwrap();
        }
        next_engine.cancel(slips[1], 6).unwrap();
        next_engine.unship(slips[2]).unwrap();
        next_engine.cancel(slips[2], 1).unwrap();
    });
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.pos_sale(1, &[(TEA, 1), (POT, 1)]))
        .unwrap();
    world.hours(5).await;
    let _ = world.call("stock.send", json!({})).await;
    world.hours(1).await;
    judge::judge(&world.stage, 0).await.unwrap()
}
