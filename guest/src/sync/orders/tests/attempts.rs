//! Attempts at Smaregi: what may still arrive is not repeated, what is no longer wanted is not sent, and a refusal that is about the
//! connection is no order's.

use chrono::TimeDelta;

use super::{
    shop::{Shop, shop_with},
    world::Fault,
};
use crate::{
    error::{Error, Side},
    rules::order::Life,
    sync::report::ReceivedResult,
};

fn total(shop: &Shop) -> Vec<String> {
    let live = shop.world.live();
    let totals = live.iter().map(|sale| sale.body["total"].as_str());
    totals.map(|total| total.unwrap().to_owned()).collect()
}

#[test]
fn a_registration_is_repeated_as_soon_as_it_cannot_arrive_any_more() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::LostBefore);
    let tried = shop.world.now.get();
    shop.import();
    for (seconds, registered) in [(119, 0), (120, 1)] {
        shop.world.now.set(tried + TimeDelta::seconds(seconds));
        assert_eq!(shop.settle().registered, registered, "{seconds}");
    }
}

#[test]
fn what_storage_kept_back_too_long_is_not_sent_late() {
    for (seconds, sent) in [(60, 1), (61, 0)] {
        let shop = shop_with(&["1001"]);
        shop.storage_takes.set(TimeDelta::seconds(seconds));
        shop.import();
        assert_eq!(shop.world.asked("POST /transactions"), sent, "{seconds}");
        shop.storage_takes.set(TimeDelta::zero());
        shop.world.pass(2);
        shop.settle();
        assert_eq!(total(&shop), ["3080"]);
        assert_eq!(shop.world.asked("POST /transactions"), 1);
    }
}

#[test]
fn an_order_that_changes_shortly_before_its_registration_is_registered_as_it_is_now() {
    let shop = shop_with(&["1001"]);
    // The history is read to learn what a sale does to stock.
    shop.meanwhile("/stock/changes/", |shop| {
        shop.world.edit(1001, |order| {
            order.lines[0].unit_price = 1_500.into();
            order.lines[0].amount = 3_000.into();
            (order.goods, order.total) = (4_080.into(), 4_080.into());
        });
        shop.only_read();
    });
    assert_eq!(shop.import().registered, 1);
    assert_eq!(total(&shop), ["4080"]);
    assert_eq!(shop.world.asked("POST /transactions"), 1);
}

#[test]
fn a_refusal_of_the_connection_refuses_no_order() {
    // A token that is refused is asked for again once.
    for (status, times) in [(401, 2), (403, 1), (404, 1)] {
        let shop = shop_with(&["1001"]);
        let faults = vec![Fault::RefuseWith(status); times];
        shop.world.faults.borrow_mut().extend(faults);
        let Err(Error::Refused(Side::Smaregi, code, _)) = shop.try_import() else {
            panic!("{status} is for the connection's owner")
        };
        assert!(code.starts_with(&status.to_string()), "{code}");
        assert_eq!((shop.received().len(), shop.refused()), (0, 0), "{status}");
        assert_eq!(shop.settle().registered, 1, "{status}");
        let told: Vec<_> = shop.received().iter().map(|entry| entry.outcome).collect();
        assert_eq!(told, [ReceivedResult::Registered]);
    }
}

#[test]
fn a_transaction_that_cannot_be_found_for_cancelling_is_no_trouble_of_the_connection() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.faults.borrow_mut().push(Fault::RefuseWith(404));
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    assert_eq!(shop.import().undone, 1);
}
