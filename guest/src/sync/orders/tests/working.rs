//! Working off what is recorded: all of it in one call, what is found out about stock on the way, and orders that only move on.

use chrono::TimeDelta;

use super::{
    shop::{Shop, shop_taking_early, shop_with},
    world::Fault,
};
use crate::{
    rules::{
        order::{Life, Order, OrderState},
        samples,
    },
    settings::ImportMoment,
};

/// An order of two pieces of one product.
fn two_pieces(slip: &str, code: &str) -> Order {
    let mut order = samples::order(slip);
    order.lines.truncate(1);
    order.lines[0].code = code.to_owned();
    (order.goods, order.total) = (2_000.into(), 2_000.into());
    order
}

#[test]
fn more_orders_than_are_looked_up_together_come_in_one_call() {
    let shop = Shop::open();
    for slip in 1_001..=1_201 {
        shop.world.put(samples::order(&slip.to_string()));
    }
    let import = shop.import();
    assert_eq!((import.registered, import.waiting), (201, 0));
}

#[test]
fn what_a_late_look_at_one_place_saw_is_believed_after_ten_minutes() {
    let shop = Shop::open();
    shop.world.put(two_pieces("1001", "a"));
    shop.storage_takes.set(TimeDelta::seconds(35));
    shop.import();
    assert_eq!(shop.storage_of("own-effect/").len(), 0, "late, and alone");
    shop.settle();
    assert_eq!(
        shop.storage_of("own-effect/").len(),
        0,
        "not ten minutes yet"
    );
    shop.world.pass(20);
    shop.settle();
    assert_eq!(shop.storage_of("own-effect/").len(), 1);
}

#[test]
fn orders_of_products_without_stock_do_not_use_up_the_looks() {
    let shop = Shop::open();
    shop.source_store("20");
    for slip in ["1001", "1002", "1003", "1004", "1005"] {
        shop.world.put(two_pieces(slip, "ship"));
    }
    shop.world.put(samples::order("1006"));
    assert_eq!(shop.import().registered, 6);
    let stock = |store| shop.world.stock(store, "A");
    assert_eq!((stock("10"), stock("20")), (0, -2), "known within the call");
}

#[test]
fn an_order_sold_from_its_own_store_does_not_wait_to_learn_what_a_sale_moves() {
    let shop = Shop::open();
    shop.world.put(two_pieces("1001", "ship"));
    let import = shop.import();
    assert_eq!((import.registered, import.waiting), (1, 0));
    assert!(!shop.has_open_work());
    assert_eq!(shop.storage_of("own-effect/").len(), 0, "not learned");
}

#[test]
fn an_order_taken_early_stays_on_its_day_however_far_it_gets() {
    let shop = shop_taking_early();
    let day = samples::order("1001").shipped_on;
    for (state, shipped_on) in [
        (OrderState::Printing, None),
        (OrderState::Shipped, day),
        (OrderState::Shipped, day.and_then(|day| day.pred_opt())),
    ] {
        shop.world.pass(60);
        shop.world.edit(1001, |order| {
            (order.state, order.shipped_on) = (state, shipped_on)
        });
        let import = shop.import();
        assert_eq!(
            (import.registered, import.undone, import.waiting),
            (0, 0, 0)
        );
        shop.set(|orders| orders.moment = ImportMoment::Shipped);
    }
    assert_eq!(shop.world.transactions.borrow().len(), 1);
}

#[test]
fn a_change_that_makes_the_same_sale_is_taken_over_and_leaves_it_on_its_day() {
    let shop = shop_taking_early();
    let day = samples::order("1001").shipped_on;
    for shipped_on in [day, day.and_then(|day| day.succ_opt())] {
        shop.world.pass(60);
        shop.world.edit(1001, |order| {
            order.payment_method = "31".to_owned();
            (order.state, order.shipped_on) = (OrderState::Shipped, shipped_on);
        });
        let import = shop.import();
        let changed = (import.registered, import.undone, import.waiting);
        assert_eq!(changed, (0, 0, 0), "{shipped_on:?}");
        // From now on the day of shipping counts, for what is taken when it is shipped.
        shop.set(|orders| orders.moment = ImportMoment::Shipped);
    }
    assert_eq!(shop.world.transactions.borrow().len(), 1);
    assert!(!shop.has_open_work());
}

#[test]
fn an_order_that_comes_in_with_returned_pieces_tells_of_them_at_once() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines[0].returned = 1.into();
    shop.world.put(order);
    let import = shop.import();
    assert_eq!((import.registered, import.waiting), (1, 0));
    let told = shop.received().into_iter().filter_map(|entry| entry.reason);
    let told: Vec<_> = told.map(|reason| reason.code).collect();
    assert_eq!(told, ["pieces-returned"]);
}

#[test]
fn a_cancellation_refused_both_ways_needs_a_person_and_is_no_refused_order() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.faults.borrow_mut().push(Fault::Refuse);
    shop.world.faults.borrow_mut().push(Fault::Refuse);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned());
    });
    let import = shop.import();
    assert_eq!((import.undone, import.refused), (0, 0));
    assert_eq!(shop.world.live().len(), 1);
    assert_eq!(shop.refused(), 1, "a person is told");
}
