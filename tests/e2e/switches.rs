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
            wrong.push(format!("row {row} {switches:?}: {:#?}", verdict.wrong));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

type Tamper = fn(&World);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_sees_every_book_that_was_tampered_with() {
    let (world, script) = played(Switches::default()).await;
    assert!(verdict(&world, &script).await.is_good());
    let tampered = |what: Tamper| {
        what(&world);
        let sandbox = &world.stage.sandbox;
        let books = sandbox.world(|world| judge::look(&world.smaregi, &world.next_engine, &script));
        books.wrong
    };
    // Each adds to what was done before, so each must bring something new that is wrong.
    let mut before: Vec<String> = Vec::new();
    let tampers: [(&str, Tamper); 6] = [
        ("Next Engine's stock is corrected by hand", |world| {
            let set = |services: &mut tsunagi_sandbox::NextEngine| {
                services.set_stock("TEA", 90, "数え直し")
            };
            world.stage.sandbox.next_engine(set).unwrap();
        }),
        ("a sale at the till is not sent", |world| {
            let sale = |smaregi: &mut tsunagi_sandbox::Smaregi| {
                smaregi.pos_sale(1, &[(CUP, 1)]).map(|_| ())
            };
            world.stage.sandbox.smaregi(sale).unwrap();
        }),
        ("an order is not imported", |world| {
            world.ship(&order(1, "LATE", &[(POT, 1)]));
        }),
        ("an imported order has another total", |world| {
            let slip = newest_booked(world);
            world.stage.sandbox.next_engine(|next_engine| {
                next_engine.unship(slip).unwrap();
                next_engine.edit_line(slip, 1, Some(7), None).unwrap();
                next_engine.ship(slip).unwrap();
            });
        }),
        ("a transaction is cancelled", |world| {
            let sale = world.stage.sandbox.smaregi(|smaregi| {
                let sales = smaregi.books().transactions.values();
                let ours = sales.filter(|sale| sale.stands() && sale.uuid.starts_with("NE-"));
                ours.map(|sale| sale.id).next().unwrap()
            });
            let cancel = |smaregi: &mut tsunagi_sandbox::Smaregi| smaregi.pos_sale_cancel(sale);
            world.stage.sandbox.smaregi(cancel).unwrap();
        }),
        ("an imported order is set back", |world| {
            let slip = newest_booked(world);
            let unship = |next_engine: &mut tsunagi_sandbox::NextEngine| next_engine.unship(slip);
            world.stage.sandbox.next_engine(unship).unwrap();
        }),
    ];
    for (what, tamper) in tampers {
        let wrong = tampered(tamper);
        let new = wrong.iter().any(|told| !before.contains(told));
        assert!(new, "{what}: {wrong:#?}");
        before = wrong;
    }
    assert!(!verdict(&world, &script).await.is_good());
}

/// The newest slip with a transaction that stands.
fn newest_booked(world: &World) -> u64 {
    let slips = world.stage.sandbox.next_engine(|next_engine| {
        let slips = next_engine.books().slips.values();
        slips
            .filter(|slip| slip.is_shipped() && slip.is_live())
            .map(|slip| slip.id)
            .collect::<Vec<_>>()
    });
    let booked = slips
        .into_iter()
        .filter(|slip| !world.booked(*slip).is_empty());
    booked.max().unwrap()
}

async fn day(switches: Switches) -> judge::Verdict {
    let (world, script) = played(switches).await;
    verdict(&world, &script).await
}

async fn verdict(world: &World, script: &judge::Script) -> judge::Verdict {
    judge::judge(&world.stage, script, 0).await.unwrap()
}

/// Orders of both shops, a sale and a loss at the till, a change, a return and a cancellation.
async fn played(switches: Switches) -> (World, judge::Script) {
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
    world.call("stock.send", json!({})).await;
    world.hours(1).await;
    let sent = [("TEA", -3), ("CUP", -1), ("POT", -2)];
    let script = judge::Script {
        linked: vec![1, 3],
        imported: 4,
        refused: [].into(),
        undone: slips[..3].iter().copied().collect(),
        sent: sent.map(|(code, by)| (code.to_owned(), by)).into(),
    };
    (world, script)
}
