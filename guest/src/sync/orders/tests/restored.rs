//! After a restore: what was done since the backup is found, and nothing is done twice; what came later costs no look.

use super::shop::{Shop, shop_with};
use crate::{
    rules::{order::Life, samples},
    sync::own,
};

const LOOKS: &str = "GET /transactions";
const SALES: &str = "POST /transactions";
const MOVES: &str = "POST /stock";
const HISTORY: &str = "GET /stock/changes";

/// Two pieces of `A` leave store 20 for each of these orders; a first one was imported, so that it is known what a sale moves.
fn shop() -> Shop {
    let shop = shop_with(&["1000"]);
    shop.source_store("20");
    shop.import();
    shop.world.pass(60);
    shop
}

/// Open entries of our own sales.
fn entries(shop: &Shop) -> usize {
    shop.storage_of(own::ENTRIES).len()
}

#[test]
fn an_order_imported_since_the_backup_is_found_with_its_moves() {
    let shop = shop();
    let backup = shop.back_up();
    shop.world.put(samples::order("1001"));
    shop.import();
    let stock = (shop.world.stock("10", "A"), shop.world.stock("20", "A"));
    let (sales, moves) = (shop.world.asked(SALES), shop.world.asked(MOVES));
    shop.world.pass(60);
    let known = backup.0.keys().filter(|key| key.starts_with(own::ENTRIES));
    let known = known.count();
    shop.restore(backup);
    assert_eq!(shop.import().waiting, 0);
    assert_eq!(shop.world.asked(SALES), sales, "not even tried");
    assert_eq!(shop.world.asked(MOVES), moves);
    assert_eq!(
        (shop.world.stock("10", "A"), shop.world.stock("20", "A")),
        stock
    );
    assert_eq!(
        entries(&shop),
        known,
        "no entry waits for rows that are older"
    );
    assert_eq!(shop.received()[0].slip, "1001");
}

#[test]
fn what_was_not_done_is_done_and_looked_for_once() {
    let shop = shop();
    shop.world.put(samples::order("1001"));
    let backup = shop.back_up();
    shop.world.pass(60);
    shop.restore(backup);
    let (looks, history) = (shop.world.asked(LOOKS), shop.world.asked(HISTORY));
    for budget in std::iter::repeat_n(1, 40) {
        shop.import_within(budget);
    }
    assert_eq!(shop.world.live().len(), 2);
    assert_eq!(shop.world.stock("20", "A"), -4, "two of each order");
    assert_eq!(shop.world.asked(LOOKS) - looks, 1);
    assert_eq!(shop.world.asked(HISTORY) - history, 4, "once for each move");
    assert!(!shop.has_open_work());
}

#[test]
fn an_order_that_came_after_the_restore_costs_no_look() {
    let shop = shop();
    let backup = shop.back_up();
    shop.restore(backup);
    shop.world.pass(24 * 60);
    let mut order = samples::order("1001");
    order.ordered_at = shop.world.now.get();
    shop.world.put(order);
    let (looks, history) = (shop.world.asked(LOOKS), shop.world.asked(HISTORY));
    shop.import();
    assert_eq!(shop.world.live().len(), 2);
    assert_eq!(
        (shop.world.asked(LOOKS), shop.world.asked(HISTORY)),
        (looks, history)
    );
}

#[test]
fn a_cancellation_made_since_the_backup_is_found_with_its_moves() {
    let shop = shop();
    let cancel = |slip| {
        shop.world.edit(slip, |order| {
            (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned());
        });
        shop.import();
        // It is not known yet whether a cancellation moves stock: one place alone is believed after a while.
        shop.world.pass(20);
        shop.import();
    };
    let backup = shop.back_up();
    cancel(1000);
    let stock = || (shop.world.stock("10", "A"), shop.world.stock("20", "A"));
    assert_eq!((stock(), shop.has_open_work()), ((0, 0), false));
    let posted = (shop.world.asked(SALES), shop.world.asked(MOVES));
    shop.world.pass(60);
    shop.restore(backup);
    cancel(1000);
    assert_eq!(stock(), (0, 0));
    assert_eq!((shop.world.asked(SALES), shop.world.asked(MOVES)), posted);
    // What a cancellation moves by itself is seen at the next one; until then it is open what was left to move.
    assert!(shop.has_open_work());
    shop.world.put(samples::order("1001"));
    shop.import();
    cancel(1001);
    assert_eq!((stock(), shop.has_open_work()), ((0, 0), false));
}
