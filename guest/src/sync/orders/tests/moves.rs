//! Stock moves of our own whose answer is lost or refused: each is made exactly once, and looked for no longer than it needs.

use chrono::{DateTime, FixedOffset, TimeDelta};

use super::{
    shop::{Shop, shop_with},
    world::Fault,
};
use crate::error::{Error, Side};

/// The history of `A` in the source store, and changes of its stock.
const HISTORY: &str = "GET /stock/changes/65/20";
const MOVES: &str = "POST /stock/65/add";

/// Pieces of `A` in the selling and in the source store.
fn stock(shop: &Shop) -> (i64, i64) {
    (shop.world.stock("10", "A"), shop.world.stock("20", "A"))
}

/// A sale of which the first stock move, of two `A` out of the source store, gets no answer; and when it was tried.
fn with_a_lost_move(before: impl Fn(&Shop), fault: Fault) -> (Shop, DateTime<FixedOffset>) {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    before(&shop);
    // The registration's answer is lost, too, so that the move is the first write of its call and waits for no pace.
    shop.world
        .faults
        .borrow_mut()
        .extend([fault, Fault::LostAfter]);
    shop.import();
    let tried = shop.world.now.get();
    assert_eq!(shop.settle().waiting, 1);
    assert_eq!((shop.world.asked(MOVES), shop.world.now.get()), (1, tried));
    (shop, tried)
}

#[test]
fn a_move_that_never_arrived_is_made_as_soon_as_it_cannot_arrive_any_more() {
    let (shop, tried) = with_a_lost_move(|_| (), Fault::LostBefore);
    let looked = shop.world.asked(HISTORY);
    shop.settle();
    // The selling store gets its two back.
    assert_eq!((shop.world.asked(MOVES), stock(&shop)), (2, (0, 0)));
    for (seconds, moves) in [(119, 2), (120, 3), (121, 3)] {
        shop.world.now.set(tried + TimeDelta::seconds(seconds));
        shop.settle();
        assert_eq!(shop.world.asked(MOVES), moves, "{seconds}");
    }
    assert_eq!((stock(&shop), shop.has_open_work()), ((0, -2), false));
    assert_eq!(shop.world.asked(HISTORY) - looked, 3, "a page each time");
}

#[test]
fn a_move_is_found_behind_a_page_of_the_tills_sales() {
    let (shop, _) = with_a_lost_move(|_| (), Fault::LostAfter);
    shop.world.sell("A", "20", 150);
    let looked = shop.world.asked(HISTORY);
    assert_eq!(shop.settle().waiting, 0);
    assert_eq!((shop.world.asked(MOVES), stock(&shop)), (2, (0, -152)));
    assert_eq!(shop.world.asked(HISTORY) - looked, 2);
}

#[test]
fn a_move_is_not_looked_for_in_what_is_older() {
    let sold_before = |shop: &Shop| {
        shop.world.sell("A", "20", 250);
        shop.world.pass(60);
    };
    let (shop, _) = with_a_lost_move(sold_before, Fault::LostBefore);
    let looked = shop.world.asked(HISTORY);
    assert_eq!(shop.settle().waiting, 1);
    assert_eq!(shop.world.asked(HISTORY) - looked, 1);
}

#[test]
fn a_move_is_found_although_smaregis_clock_is_ten_minutes_behind() {
    let (shop, _) = with_a_lost_move(|_| (), Fault::LostAfter);
    shop.world.sell("A", "20", 1);
    let mut history = shop.world.history.borrow_mut();
    history
        .iter_mut()
        .for_each(|row| row.at -= TimeDelta::minutes(10));
    drop(history);
    assert_eq!(shop.settle().waiting, 0);
    assert_eq!((shop.world.asked(MOVES), stock(&shop)), (2, (0, -3)));
}

#[test]
fn the_history_names_the_slip_and_tells_its_moves_apart() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.import();
    let history = shop.world.history.borrow();
    let mut memos: Vec<&str> = history
        .iter()
        .filter_map(|row| row.memo.as_deref())
        .collect();
    assert!(memos.iter().all(|memo| memo.contains("1001")), "{memos:?}");
    memos.sort_unstable();
    memos.dedup();
    assert_eq!(memos.len(), 4, "two products in two stores");
}

#[test]
fn a_refusal_of_the_connection_keeps_no_move_waiting_for_a_person() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.world.faulty.set("stock");
    shop.world.faults.borrow_mut().push(Fault::RefuseWith(403));
    let stopped = shop.try_import();
    assert!(
        matches!(stopped, Err(Error::Refused(Side::Smaregi, _, _))),
        "{stopped:?}"
    );
    assert_eq!(shop.refused(), 0);
    assert_eq!(shop.settle().waiting, 0);
    assert_eq!(stock(&shop), (0, -2));
}
