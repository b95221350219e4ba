//! A backup made under load, put back after the shop went on: no sale is booked twice, nothing is moved twice in Smaregi, and the shop goes
//! on. What may reach Next Engine twice is what `tsunagi restore` says.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::{Play, full::deliver, process::Place, process::call, tally};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_under_load_comes_back_and_no_sale_is_booked_twice() {
    let mut play = Play::begin_in(Place::new(), tally::fresh_seed()).await;
    let mut server = play.place.serve(0);
    server.up().await;
    for _ in 0..6 {
        let dice = play.dice.roll();
        play.shop.ship(dice);
    }
    assert_eq!(deliver(&mut play, 4).await, [Some(200); 4]);
    let port = play.place.ports[0];
    let import =
        tokio::spawn(
            async move { call(port, "orders.import-shop", &json!({ "shop-id": "1" })).await },
        );
    let copy = play.place.path("copy").display().to_string();
    let (code, made) = play.place.run(&["backup", "--out", &copy]);
    assert_eq!(
        (code, &made["manifest"]["tsunagi-backup"]),
        (0, &json!(1)),
        "{made}"
    );
    let (code, told) = play.place.run(&["backup", "--out", &copy]);
    assert_eq!(code, 3, "nothing is written over: {told}");
    import.await.unwrap();
    // All of this is at both services and not in the backup.
    for _ in 0..4 {
        let dice = play.dice.roll();
        play.shop.ship(dice);
    }
    assert_eq!(deliver(&mut play, 4).await, [Some(200); 4]);
    let (code, told) = play.place.run(&["restore", &copy, "--replace"]);
    let said = told["message"].as_str().unwrap();
    assert!(
        code == 2 && said.contains("in use") && said.contains("SIGTERM"),
        "{told}"
    );
    server.end().await;
    let wrong = play.settle().await;
    assert_eq!(wrong, Vec::<String>::new(), "before the restore");
    let before = sales(&play).len();

    let (code, told) = play.place.run(&["restore", &copy]);
    assert!(
        code == 2 && told["message"].as_str().unwrap().contains("--replace"),
        "{told}"
    );
    let (code, told) = play.place.run(&["restore", &copy, "--replace"]);
    assert_eq!(
        (code, &told["switched-off"]),
        (0, &json!(["shop"])),
        "{told}"
    );
    assert!(
        std::path::Path::new(told["kept"].as_str().unwrap()).exists(),
        "{told}"
    );

    // As the command says.
    play.shop.pass(&play.place, Duration::from_secs(60));
    for step in [&["check"][..], &["connect", "--on"], &["import"]] {
        let (code, told) = play.place.run(step);
        assert_eq!(code, 0, "{step:?}: {told}");
    }
    // The shop goes on: what is new is registered, and no sale that was there is there again.
    let dice = play.dice.roll();
    play.shop.ship(dice);
    let mut server = play.place.serve(0);
    server.up().await;
    let missing = play.rounds(left_to_do).await;
    assert_eq!(missing, Vec::<String>::new(), "{}", play.place.log());
    server.end().await;
    let (_, compared) = play.place.run(&["compare"]);
    assert!(compared["lines"].as_array().is_some(), "{compared}");
    let after = sales(&play);
    assert_eq!(after.len(), before + 1);
    assert_eq!(after.iter().collect::<BTreeSet<_>>().len(), after.len());
    assert_eq!(play.place.integrity(), "ok");
}

/// The slips of all transactions that stand, by their identities.
fn sales(play: &Play) -> Vec<String> {
    play.shop.sandbox.smaregi(|smaregi| {
        let standing = smaregi.books().transactions.values();
        let standing = standing.filter(|sale| sale.stands());
        standing
            .map(|sale| format!("{:?}", sale.slip_key()))
            .collect()
    })
}

/// Orders without their transaction, and shelves on which a move out of the source store was made twice, or not at all.
fn left_to_do(shop: &super::Shop) -> Vec<String> {
    let missing = shop.missing().into_iter();
    let slips = missing.filter(|wrong| wrong.starts_with("slip "));
    slips.chain(shop.stock_wrong()).collect()
}
