//! Trying settings: only what differs is told, and nothing is changed by looking.

use rust_decimal::Decimal;

use super::shop::{Shop, shop_refusing_points, shop_with};
use crate::{
    rules::{samples, trial::Outcome},
    settings::{FeeMode, PointMode},
};

#[test]
fn only_orders_that_differ_are_told_with_their_yen() {
    let shop = shop_with(&["1001", "1003"]);
    let mut with_fee = samples::order("1002");
    (with_fee.charge, with_fee.total) = (330.into(), 3_410.into());
    shop.world.put(with_fee);
    shop.world.add_product("fee");
    assert_eq!(shop.import().registered, 3);
    let before = (shop.storage_of("").len(), shop.world.live().len());
    let trial = shop.try_settings(10, |orders| orders.charge = FeeMode::Unset);
    assert_eq!((trial.looked_at, trial.unreadable), (3, 0));
    assert_eq!(
        (trial.before.booked, trial.after.booked, trial.after.refused),
        (3, 2, 1)
    );
    assert_eq!(
        trial.before.yen - trial.after.yen,
        3_410,
        "the refused order's"
    );
    let [change] = trial.changes.as_slice() else {
        panic!("{:?}", trial.changes);
    };
    assert_eq!(
        (change.slip.as_str(), change.differs_in.as_slice()),
        ("1002", ["outcome"].as_slice())
    );
    assert!(change.transaction_id.is_some() && change.order_total == Decimal::from(3_410));
    assert!(
        matches!(&change.after, Outcome::Refused(reason) if reason.field.as_deref() == Some("receive_order_charge_amount"))
    );
    assert_eq!((shop.storage_of("").len(), shop.world.live().len()), before);
}

#[test]
fn the_same_settings_change_nothing_and_the_newest_are_looked_at() {
    let shop = shop_with(&["998", "1001", "1002"]);
    shop.import();
    let trial = shop.try_settings(2, |_| ());
    assert_eq!((trial.looked_at, trial.changes.len()), (2, 0));
    assert_eq!(trial.before, trial.after);
    let trial = shop.try_settings(2, |orders| {
        orders.receiving_stores[0].store_id = "11".to_owned();
    });
    let slips = trial.changes.iter().map(|change| change.slip.as_str());
    assert_eq!(slips.collect::<Vec<_>>(), ["1002", "1001"]);
}

#[test]
fn refused_orders_show_what_would_mend_them_and_next_engine_is_not_asked() {
    let shop = shop_refusing_points();
    let asked = shop.world.asked("POST /api_v1");
    let trial = shop.try_settings(1, |orders| {
        orders.points = PointMode::SubtotalDiscount;
    });
    assert_eq!(
        (trial.before.refused, trial.after.booked, trial.after.yen),
        (1, 1, 3_000)
    );
    assert_eq!(shop.world.asked("POST /api_v1"), asked);
}

#[test]
fn as_many_orders_are_looked_at_as_were_asked_for() {
    let shop = Shop::open();
    (1_001..1_121).for_each(|slip| shop.world.put(samples::order(&slip.to_string())));
    shop.only_read();
    assert_eq!(shop.try_settings(110, |_| ()).looked_at, 110);
}
