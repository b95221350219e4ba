//! Retries of everything that were cut off: they are gone on with for a while, and stand in nobody's way.

use chrono::TimeDelta;

use super::{
    shop::{Shop, shop_with},
    world::Fault,
};
use crate::{rules::samples, sync::report::RetryChoice};

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
    assert_eq!((rest.registered, rest.refused), (1, 0));
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
    for (seconds, refused) in [(599, 0), (600, 1)] {
        let shop = cut_off();
        let cut = shop.world.now.get();
        shop.world.now.set(cut + TimeDelta::seconds(seconds));
        assert_eq!(shop.retry(ALL).refused, refused, "{seconds}");
    }
}
