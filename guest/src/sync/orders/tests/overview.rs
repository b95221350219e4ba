//! What people see counted: what the two services have booked differently, and what became of the day's orders.

use rust_decimal::Decimal;

use super::shop::{Shop, shop_with};
use crate::{
    rules::{
        order::{Life, Order, OrderState},
        samples,
    },
    settings::{ImportMoment, OrderSettings},
    time,
};

fn ready(orders: &mut OrderSettings) {
    orders.moment = ImportMoment::ReadyToShip;
}

fn order(slip: &str, state: OrderState, code: &str) -> Order {
    let mut order = samples::order(slip);
    order.state = state;
    order.lines[0].code = code.to_owned();
    order
}

#[test]
fn only_shipped_orders_that_the_settings_take_are_missing_in_smaregi() {
    let shop = Shop::open();
    shop.set(ready);
    shop.world.put(order("1001", OrderState::Shipped, "later"));
    shop.world.put(order("1002", OrderState::Printing, "later"));
    assert_eq!(shop.import().refused, 2);
    assert_eq!(
        shop.refused_shipped(),
        [
            ("later".to_owned(), 2, "1001".to_owned()),
            ("b".to_owned(), 1, "1001".to_owned())
        ]
    );
    shop.set(|orders| {
        ready(orders);
        orders.receiving_stores[0].start_date = time::parse_day("2026-12-01").unwrap();
    });
    assert_eq!(shop.refused_shipped(), []);
}

#[test]
fn a_sale_is_booked_and_not_shipped_until_next_engine_ships_it() {
    let shop = Shop::open();
    shop.set(ready);
    shop.world.put(order("1001", OrderState::Printing, "a"));
    shop.world.put(order("1002", OrderState::Shipped, "a"));
    assert_eq!(shop.import().registered, 2);
    assert_eq!(
        shop.booked_unshipped(),
        [
            ("a".to_owned(), 2, "1001".to_owned()),
            ("b".to_owned(), 1, "1001".to_owned())
        ]
    );
    shop.world.pass(20);
    shop.world
        .edit(1001, |order| order.state = OrderState::Shipped);
    shop.import();
    assert_eq!(shop.booked_unshipped(), []);
}

#[test]
fn what_became_of_the_days_orders_is_counted() {
    let shop = shop_with(&["1001", "1002", "1003"]);
    shop.world.put(order("1004", OrderState::Shipped, "later"));
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    // Told to a person, and counted as nothing else.
    shop.world
        .edit(1002, |order| order.lines[0].returned = Decimal::ONE);
    shop.import();
    let today = shop.today();
    assert_eq!((today.registered, today.undone, today.refused), (3, 1, 1));
}
