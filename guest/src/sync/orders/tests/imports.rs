//! Imports: what arrives in Smaregi's books, whatever happens on the way.

use super::{
    shop::{Shop, shop_with},
    world::Fault,
};
use crate::{
    rules::samples,
    sync::report::{ReceivedResult, RetryChoice},
};

#[test]
fn an_order_is_registered_once_however_often_it_is_imported() {
    let shop = shop_with(&["1001", "1002", "1003"]);
    let first = shop.import();
    assert_eq!(
        (
            first.slips_read,
            first.registered,
            first.waiting,
            first.more
        ),
        (3, 3, 0, false)
    );
    shop.world.pass(5);
    let again = shop.import();
    assert_eq!((again.registered, again.undone, again.refused), (0, 0, 0));
    assert_eq!(shop.world.asked("POST /transactions"), 3);
    assert_eq!(shop.world.live().len(), 3);
    assert!(shop.stores()[0].last_imported_at.is_some());
}

#[test]
fn one_write_an_order_and_almost_no_reads() {
    let slips: Vec<String> = (1_001..1_101).map(|slip: u32| slip.to_string()).collect();
    let shop = shop_with(&slips.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(shop.import().registered, 100);
    assert_eq!(shop.world.asked("POST /transactions"), 100);
    assert_eq!(shop.world.asked("POST /stock"), 0);
    assert_eq!(shop.world.asked("POST /api_v1_receiveorder_row/search"), 1);
    assert!(
        shop.world.asked("GET") <= 6,
        "{:?}",
        shop.world.requests.borrow()
    );
}

#[test]
fn a_lost_answer_is_looked_up_and_not_repeated() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.put(samples::order("1002"));
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    let lost = shop.import();
    assert_eq!((lost.registered, lost.waiting), (0, 1));
    let found = shop.settle();
    assert_eq!((found.registered, found.waiting), (1, 0));
    assert_eq!(shop.world.asked("POST /transactions"), 2);
    assert_eq!(shop.received()[0].transaction_id.as_deref(), Some("2"));
}

#[test]
fn an_attempt_that_never_arrived_is_repeated_after_a_while() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::LostBefore);
    assert_eq!(shop.import().waiting, 1);
    assert_eq!(shop.settle().registered, 0, "it may still arrive");
    shop.world.pass(3);
    assert_eq!(shop.settle().registered, 1);
    assert_eq!(shop.world.live().len(), 1);
}

#[test]
fn one_bad_order_is_refused_and_its_neighbours_go_on() {
    let shop = shop_with(&["1001", "1003"]);
    let mut bad = samples::order("1002");
    bad.lines[0].code = "later".to_owned();
    shop.world.put(bad);
    let import = shop.import();
    assert_eq!(
        (import.registered, import.refused, import.waiting),
        (2, 1, 0)
    );
    assert_eq!(shop.stores()[0].refused, 1);
    assert_eq!(
        shop.refused_shipped(),
        [
            ("later".to_owned(), 2, "1002".to_owned()),
            ("b".to_owned(), 1, "1002".to_owned())
        ]
    );
    let refused = shop
        .received()
        .into_iter()
        .find(|entry| entry.slip == "1002")
        .unwrap();
    assert_eq!(
        (refused.outcome, refused.open),
        (ReceivedResult::Refused, true)
    );
    assert_eq!(refused.reason.unwrap().value.as_deref(), Some("later"));

    assert_eq!(
        shop.retry(RetryChoice::AllRefused(true)).refused,
        1,
        "nothing was mended"
    );
    shop.world.add_product("later");
    let retried = shop.retry(RetryChoice::Slip("1002".to_owned()));
    assert_eq!((retried.registered, retried.refused), (1, 0));
    assert_eq!(shop.world.asked("POST /api_v1_receiveorder_row/search"), 1);
    assert!(shop.received().iter().all(|entry| !entry.open));
    assert_eq!(shop.stores()[0].refused, 0);
}

#[test]
fn what_smaregi_refuses_is_refused_with_its_words() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::Refuse);
    assert_eq!(shop.import().refused, 1);
    let reason = shop.received().remove(0).reason.unwrap();
    assert_eq!(reason.code, "smaregi-refused");
    assert!(reason.message.ja.contains("受け付けられません"));
    assert_eq!(shop.retry(RetryChoice::AllRefused(true)).registered, 1);
    assert_eq!(shop.world.live().len(), 1);
}

/// 200 slips of seven lines: two pages, the first of which ends inside a slip.
pub fn two_pages() -> Shop {
    let shop = Shop::open();
    for slip in 1_001..1_201 {
        let mut order = samples::order(&slip.to_string());
        order.lines = (0..7)
            .map(|_| samples::line("a", 100, 1, Some(10)))
            .collect();
        (order.goods, order.total) = (700.into(), 700.into());
        shop.world.put(order);
    }
    shop
}

#[test]
fn a_scan_cut_by_the_budget_goes_on_where_it_was() {
    let shop = two_pages();
    assert!(shop.import_within(1).more);
    let rest = shop.import();
    assert_eq!(shop.world.asked("POST /api_v1_receiveorder_row/search"), 2);
    assert_eq!((rest.registered, shop.world.live().len()), (200, 200));
}

#[test]
fn pages_that_cut_a_slip_lose_and_double_nothing() {
    let shop = two_pages();
    let import = shop.import();
    assert_eq!((import.registered, import.refused), (200, 0));
    assert_eq!(shop.world.asked("POST /api_v1_receiveorder_row/search"), 2);
    assert!(
        shop.world
            .live()
            .iter()
            .all(|sale| sale.body["details"].as_array().unwrap().len() == 7)
    );
}

#[test]
fn a_slip_longer_than_a_page_is_refused_and_does_not_stop_the_rest() {
    let shop = shop_with(&["1001", "1003"]);
    let mut long = samples::order("1002");
    long.lines = (0..1_200)
        .map(|_| samples::line("a", 1, 1, Some(10)))
        .collect();
    (long.goods, long.total) = (1_200.into(), 1_200.into());
    shop.world.put(long);
    let import = shop.import();
    assert_eq!((import.registered, import.refused), (2, 1));
    let refused = shop
        .received()
        .into_iter()
        .find(|entry| entry.slip == "1002")
        .unwrap();
    assert_eq!(refused.reason.unwrap().code, "too-many-lines");
}

#[test]
fn a_spent_budget_is_carried_on_by_the_next_call() {
    let slips: Vec<String> = (1_001..1_021).map(|slip: u32| slip.to_string()).collect();
    let shop = shop_with(&slips.iter().map(String::as_str).collect::<Vec<_>>());
    let mut calls = 0;
    while shop.import_within(9).more {
        calls += 1;
        assert!(calls < 20, "it never ends");
    }
    assert_eq!(
        (
            shop.world.live().len(),
            shop.world.asked("POST /transactions")
        ),
        (20, 20)
    );
}

#[test]
fn a_preview_writes_nothing() {
    let shop = shop_with(&["1001"]);
    let before = shop.storage_of("orders/");
    let preview = shop.preview("1");
    assert_eq!(preview[0].sale.as_ref().unwrap().total, 3_080);
    assert_eq!(shop.world.asked("POST /transactions"), 0);
    assert_eq!(shop.storage_of("orders/"), before);
}
