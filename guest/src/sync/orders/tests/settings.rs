//! Settings that are narrowed and widened again: no order is lost on the way, and no sale undone.

use super::shop::{Shop, shop_taking_early, shop_with};
use crate::{
    rules::{
        order::{Life, OrderState},
        samples,
    },
    settings::{ImportMoment, OrderSettings},
    sync::report::RetryChoice,
    time,
};

fn no_store(orders: &mut OrderSettings) {
    orders.receiving_stores.clear();
}

fn starts(day: &str) -> impl Fn(&mut OrderSettings) {
    let day = time::parse_day(day).unwrap();
    move |orders| orders.receiving_stores[0].start_date = day
}

fn also_shop_2(orders: &mut OrderSettings) {
    let mut second = samples::store();
    second.shop_id = "2".to_owned();
    orders.receiving_stores.push(second);
}

#[test]
fn an_earlier_start_date_brings_what_was_passed_by() {
    let shop = shop_with(&["1001"]);
    shop.set(starts("2026-11-22"));
    assert_eq!(shop.import().registered, 0);
    shop.set(|_| ());
    assert_eq!(shop.import().registered, 1);
    assert_eq!(
        shop.import().slips_read,
        1,
        "and the start date is not read again"
    );
}

#[test]
fn an_earlier_moment_brings_what_was_passed_by() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.state = OrderState::Printing;
    shop.world.put(order);
    shop.import();
    shop.world.pass(60);
    shop.world.put(samples::order("1002"));
    shop.import();
    shop.set(|orders| orders.moment = ImportMoment::ReadyToShip);
    shop.world.pass(60);
    assert_eq!(shop.import().registered, 1);
}

/// Next Engine allocates goods to a slip, which moves it on and leaves its date as it was.
fn allocate(shop: &Shop, slip: u64) {
    let mut slips = shop.world.slips.borrow_mut();
    slips.get_mut(&slip).unwrap().order.state = OrderState::Printing;
}

#[test]
fn goods_that_are_allocated_later_are_seen_although_the_slip_keeps_its_date() {
    let shop = Shop::open();
    shop.set(|orders| orders.moment = ImportMoment::ReadyToShip);
    let mut order = samples::order("1001");
    order.state = OrderState::Issued;
    shop.world.put(order);
    assert_eq!(shop.import().registered, 0);
    shop.move_on();
    assert_eq!(shop.import().registered, 0);
    allocate(&shop, 1001);
    shop.world.pass(60);
    assert_eq!(shop.import().registered, 1);
    let asked = shop.searches();
    shop.world.pass(60);
    shop.import();
    let again = shop.searches() - asked;
    assert_eq!(again, 1, "and it is not asked after any more");
}

#[test]
fn a_slip_that_cannot_be_read_is_asked_after_until_its_goods_are_allocated() {
    let shop = Shop::open();
    shop.set(|orders| orders.moment = ImportMoment::ReadyToShip);
    let mut order = samples::order("1001");
    order.state = OrderState::Issued;
    shop.world.put(order);
    shop.world
        .raw(1001, "receive_order_total_amount", serde_json::json!("?"));
    shop.import();
    shop.move_on();
    allocate(&shop, 1001);
    assert_eq!(shop.import().refused, 1);
}

#[test]
fn what_is_booked_or_refused_is_not_asked_after() {
    let shop = Shop::open();
    shop.set(|orders| orders.moment = ImportMoment::Issued);
    let mut booked = samples::order("1001");
    booked.state = OrderState::Issued;
    shop.world.put(booked);
    let mut refused = samples::order("1002");
    (refused.state, refused.lines[0].code) = (OrderState::Printing, "later".to_owned());
    shop.world.put(refused);
    let import = shop.import();
    assert_eq!((import.registered, import.refused), (1, 1));
    shop.set(|orders| orders.moment = ImportMoment::ReadyToShip);
    shop.move_on();
    let asked = shop.searches();
    shop.import();
    assert_eq!(shop.searches() - asked, 1);
}

#[test]
fn a_second_shop_is_read_from_its_own_beginning() {
    let shop = shop_with(&["1001"]);
    let mut second = samples::order("1002");
    second.shop_id = "2".to_owned();
    shop.world.put(second);
    shop.import();
    shop.move_on();
    shop.set(also_shop_2);
    assert_eq!(shop.import_of("2").registered, 1);
    assert_eq!(shop.import().slips_read, 1, "the last one, and no older");
}

#[test]
fn a_later_moment_undoes_no_sale() {
    let shop = shop_taking_early();
    shop.set(|_| ());
    for state in [OrderState::Printing, OrderState::Shipped] {
        shop.world.pass(60);
        shop.world.edit(1001, |order| order.state = state);
        let import = shop.import();
        assert_eq!((import.undone, import.registered), (0, 0), "{state:?}");
    }
    assert_eq!(shop.world.live().len(), 1);
}

#[test]
fn waiting_orders_survive_a_store_that_was_gone_for_a_moment() {
    for gone in [
        Box::new(no_store) as Box<dyn Fn(&mut OrderSettings)>,
        Box::new(starts("2026-12-01")),
    ] {
        let shop = shop_with(&["1001"]);
        assert_eq!(shop.import_within(1).waiting, 1);
        shop.set(gone);
        assert_eq!(shop.settle().waiting, 0);
        shop.set(|_| ());
        shop.world.pass(60);
        assert_eq!(shop.import().registered, 1);
    }
}

#[test]
fn waiting_orders_survive_a_moment_that_was_later_for_a_while() {
    let shop = Shop::open();
    let ready = |orders: &mut OrderSettings| orders.moment = ImportMoment::ReadyToShip;
    shop.set(ready);
    let mut order = samples::order("1001");
    order.state = OrderState::Printing;
    shop.world.put(order);
    shop.only_read();
    shop.world.pass(60);
    shop.world.put(samples::order("1002"));
    shop.only_read();
    shop.set(|_| ());
    assert_eq!(shop.settle().registered, 1);
    shop.set(ready);
    shop.world.pass(60);
    assert_eq!(shop.import().registered, 1);
}

#[test]
fn a_scan_that_outlives_its_shop_moves_no_cursor_of_it() {
    let shop = super::imports::two_pages();
    shop.set(also_shop_2);
    shop.import_within(1);
    shop.set(|orders| {
        also_shop_2(orders);
        orders.receiving_stores.remove(0);
    });
    shop.import_of("2");
    shop.set(also_shop_2);
    shop.world.pass(60);
    shop.import();
    assert_eq!(shop.world.live().len(), 200);
}

#[test]
fn a_refused_order_that_changes_while_its_store_is_gone_is_tried_when_it_is_back() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines[0].code = "later".to_owned();
    shop.world.put(order);
    assert_eq!(shop.import().refused, 1);
    shop.world.pass(20);
    shop.world
        .edit(1001, |order| order.lines[0].code = "b".to_owned());
    assert_eq!(shop.import_within(1).waiting, 1);
    shop.set(no_store);
    shop.settle();
    assert_eq!((shop.refused(), shop.has_open_work()), (0, false));
    shop.set(|_| ());
    shop.world.pass(60);
    assert_eq!(shop.import().registered, 1);
}

#[test]
fn a_change_after_the_import_is_not_forgotten_while_its_store_is_gone() {
    for held in [true, false] {
        let shop = shop_with(&["1001"]);
        shop.import();
        shop.world.pass(20);
        let code = if held { "later" } else { "b" };
        shop.world
            .edit(1001, |order| order.lines[0].code = code.to_owned());
        assert_eq!(shop.import_within(1).waiting, 1);
        if held {
            shop.settle();
        }
        shop.set(no_store);
        shop.retry(RetryChoice::AllRefused(true));
        assert_eq!(
            (shop.refused(), shop.has_open_work()),
            (usize::from(held), false)
        );
        shop.set(|_| ());
        shop.world.add_product("later");
        shop.world.pass(60);
        let mended = if held {
            shop.retry(RetryChoice::AllRefused(true))
        } else {
            shop.import()
        };
        assert_eq!((mended.undone, mended.registered), (1, 1), "{held}");
    }
}

#[test]
fn a_cancellation_is_not_forgotten_while_its_store_is_gone() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    assert_eq!(shop.import_within(1).waiting, 1);
    shop.set(no_store);
    assert_eq!(shop.settle().undone, 0);
    shop.set(|_| ());
    shop.world.pass(60);
    assert_eq!(shop.import().undone, 1);
}

#[test]
fn a_refused_order_stays_refused_while_its_store_is_gone() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines[0].code = "later".to_owned();
    shop.world.put(order);
    assert_eq!(shop.import().refused, 1);
    shop.set(no_store);
    shop.retry(RetryChoice::AllRefused(true));
    assert_eq!((shop.refused(), shop.has_open_work()), (1, false));
    shop.set(|_| ());
    shop.world.add_product("later");
    assert_eq!(shop.retry(RetryChoice::AllRefused(true)).registered, 1);
    assert_eq!(shop.refused(), 0);
}

#[test]
fn a_refused_order_is_counted_where_it_is_now() {
    let shop = Shop::open();
    shop.set(also_shop_2);
    let mut order = samples::order("1001");
    order.lines[0].code = "later".to_owned();
    shop.world.put(order);
    shop.import();
    shop.world.pass(20);
    shop.world
        .edit(1001, |order| order.shop_id = "2".to_owned());
    shop.import_of("2");
    let counts: Vec<u32> = shop.stores().iter().map(|state| state.refused).collect();
    assert_eq!((counts, shop.refused()), (vec![0, 1], 1));
}

#[test]
fn a_backlog_sleeps_while_the_link_is_off() {
    let shop = shop_with(&["1001"]);
    shop.import_within(1);
    assert!(shop.has_open_work());
    shop.switch_off();
    assert!(!shop.has_open_work());
    let settled = shop.settle();
    assert_eq!((settled.registered, settled.waiting), (0, 1));
}

#[test]
fn what_was_begun_is_followed_while_the_link_is_off() {
    let shop = shop_with(&["1001"]);
    shop.world
        .faults
        .borrow_mut()
        .push(super::world::Fault::LostAfter);
    shop.import();
    shop.switch_off();
    assert!(shop.has_open_work());
    assert_eq!(shop.settle().registered, 1);
}
