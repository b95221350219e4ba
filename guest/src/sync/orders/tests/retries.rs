//! Retries that were cut off are gone on with for a while, and stand in nobody's way; and a retry tells what became of its orders,
//! whoever worked them off.

use chrono::TimeDelta;

use super::{
    shop::{Shop, shop_refusing_points, shop_with},
    world::Fault,
};
use crate::{
    rules::samples,
    sync::{
        orders::{records::Happened, retried, retry},
        report::{ImportProgress, RetryChoice},
    },
};

const ALL: RetryChoice = RetryChoice::AllRefused(true);

/// A retry of two refused orders that the connection's refusal cut off: 1001 was refused again before, 1002 is mended.
fn cut_off() -> Shop {
    let shop = shop_with(&["1000"]);
    shop.import();
    for (slip, code) in [("1001", "later"), ("1002", "soon")] {
        let mut order = samples::order(slip);
        order.lines[0].code = code.to_owned();
        shop.world.put(order);
    }
    assert_eq!(shop.import().refused, 2);
    shop.world.add_product("soon");
    shop.world.faults.borrow_mut().push(Fault::RefuseWith(403));
    assert!(shop.try_retry(&ALL).is_err());
    assert_eq!(shop.received().len(), 4, "1001 is told again");
    shop
}

#[test]
fn a_retry_that_was_cut_off_refuses_nothing_twice() {
    let shop = cut_off();
    let rest = shop.retry(ALL);
    assert_eq!((rest.registered, rest.refused), (1, 1), "told at last");
    assert_eq!(shop.received().len(), 5, "and done once");
}

#[test]
fn a_retry_that_was_cut_off_stands_in_no_other_ones_way() {
    let shop = cut_off();
    shop.world.add_product("later");
    let one = shop.retry(RetryChoice::Slip("1001".to_owned()));
    assert_eq!((one.registered, one.refused), (2, 0));
}

#[test]
fn a_retry_that_nobody_goes_on_with_is_over_after_ten_minutes() {
    for (seconds, told) in [(599, 5), (600, 6)] {
        let shop = cut_off();
        let cut = shop.world.now.get();
        shop.world.now.set(cut + TimeDelta::seconds(seconds));
        assert_eq!(shop.retry(ALL).refused, 1, "{seconds}");
        assert_eq!(shop.received().len(), told, "{seconds}");
    }
}

/// A shop whose order 1001 was refused for its points, which the settings know what to do with by now.
fn mended() -> Shop {
    let shop = shop_refusing_points();
    shop.set(|_| ());
    shop
}

fn one() -> RetryChoice {
    RetryChoice::Slip("1001".to_owned())
}

#[test]
fn what_another_call_registers_while_a_retry_looks_products_up_is_told_by_the_retry() {
    let shop = mended();
    shop.meanwhile("/products", |shop| {
        assert_eq!(shop.settle().registered, 1, "the schedule was quicker");
    });
    let told = shop.retry(one());
    assert_eq!((told.registered, told.refused, told.waiting), (1, 0, 0));
}

#[test]
fn what_another_call_refuses_again_is_told_by_the_retry_too_and_once() {
    let shop = shop_refusing_points();
    shop.meanwhile("/products", |shop| assert_eq!(shop.settle().refused, 1));
    let told = shop.retry(one());
    assert_eq!((told.registered, told.refused, told.waiting), (0, 1, 0));
}

#[test]
fn what_was_done_between_two_calls_of_a_retry_is_told_by_the_second() {
    let shop = mended();
    let first = shop.retry_within(one(), 0);
    assert_eq!((first.registered, first.more), (0, true));
    assert_eq!(shop.settle().registered, 1, "the schedule was quicker");
    let second = shop.retry_within(one(), 100);
    assert_eq!((second.registered, second.more), (1, false));
    assert_eq!(shop.retry(one()).registered, 0, "told once");
}

#[test]
fn a_retry_waits_a_moment_for_what_is_under_way() {
    let shop = mended();
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    let told = shop.retry(one());
    assert_eq!((told.registered, told.waiting), (1, 0));
    let shop = mended();
    shop.world.faults.borrow_mut().push(Fault::LostBefore);
    let told = shop.retry(one());
    assert_eq!((told.registered, told.waiting), (0, 1), "and not for ever");
}

#[test]
fn what_this_call_did_to_other_orders_is_not_taken_for_what_another_did_to_those_of_the_retry() {
    let shop = mended();
    let tenant = shop.tenant(100);
    let run = retry::release(&tenant, &one()).unwrap().run;
    assert_eq!(shop.settle().registered, 1, "the schedule was quicker");
    let own = vec![("5000".to_owned(), Happened::Registered)];
    let mut told = ImportProgress::default();
    retried::tell(&tenant, run, own, &mut told).unwrap();
    assert_eq!(told.registered, 1);
}
