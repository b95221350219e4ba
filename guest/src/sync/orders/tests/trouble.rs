//! Troubles: what waits for a person holds up nothing else, and what is found in Smaregi is taken for what it is.

use serde_json::json;

use super::{
    shop::{Shop, shop_with},
    world::{Fault, Transaction},
};
use crate::{
    rules::{
        order::{Life, Order, OrderLine},
        samples,
    },
    sync::{
        lookup,
        report::{ReceivedResult, RetryChoice},
    },
};

fn cancel(order: &mut Order) {
    (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned());
}

fn stock(shop: &Shop, product: &str) -> (i64, i64) {
    (
        shop.world.stock("10", product),
        shop.world.stock("20", product),
    )
}

/// Two sales are booked, so that what a sale does to stock is known; then one whose product `A` cannot be moved.
fn with_a_refused_move() -> Shop {
    let shop = shop_with(&["1001", "1002"]);
    shop.source_store("20");
    shop.import();
    shop.world.pass(5);
    shop.settle();
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, -4), (0, -2)));
    shop.world.refuse_stock_of.set("A");
    shop.world.put(samples::order("1003"));
    shop.world.pass(5);
    shop.import();
    shop
}

#[test]
fn a_refused_stock_move_holds_up_no_other() {
    let shop = with_a_refused_move();
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((-2, -4), (0, -3)));
    assert_eq!(shop.received()[0].outcome, ReceivedResult::NeedsPerson);
    assert!(!shop.has_open_work());
    // 65 is the id of A.
    let asked = shop.world.asked("POST /stock/65");
    shop.settle();
    assert_eq!(shop.world.asked("POST /stock/65"), asked, "a person first");
    shop.world.refuse_stock_of.set("");
    assert_eq!(shop.retry(RetryChoice::AllRefused(true)).waiting, 0);
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, -6), (0, -3)));
    assert_eq!(shop.refused(), 0);
}

#[test]
fn each_refused_stock_move_is_told() {
    let shop = with_a_refused_move();
    let told = shop.received().into_iter();
    let messages: Vec<String> = told
        .filter(|entry| entry.outcome == ReceivedResult::NeedsPerson)
        .map(|entry| entry.reason.unwrap().message.en)
        .collect();
    let tell = |store: &str| {
        let named = format!("in store {store} ");
        messages
            .iter()
            .filter(|message| message.contains(&named))
            .count()
    };
    assert_eq!((tell("10"), tell("20")), (1, 1), "{messages:?}");
}

#[test]
fn what_was_never_moved_needs_not_be_moved_back() {
    let shop = with_a_refused_move();
    shop.world.pass(20);
    shop.world.edit(1003, cancel);
    shop.import();
    shop.world.pass(5);
    shop.world.put(samples::order("1004"));
    shop.world.edit(1002, cancel);
    shop.world.refuse_stock_of.set("");
    shop.import();
    shop.world.pass(5);
    shop.settle();
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, -4), (0, -2)));
    assert_eq!((shop.refused(), shop.has_open_work()), (0, false));
}

#[test]
fn a_lost_registration_is_not_sent_for_an_order_that_was_cancelled() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::LostBefore);
    shop.import();
    shop.world.pass(1);
    shop.world.edit(1001, cancel);
    shop.import();
    shop.world.pass(3);
    assert_eq!(shop.settle().waiting, 0);
    assert_eq!(shop.world.asked("POST /transactions"), 1);
    assert!(shop.world.live().is_empty());
}

#[test]
fn a_lost_registration_is_planned_anew_for_an_order_that_changed() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::LostBefore);
    shop.import();
    shop.world.pass(1);
    shop.world.edit(1001, |order| {
        order.lines[0].unit_price = 1_500.into();
        (order.goods, order.total) = (4_080.into(), 4_080.into());
    });
    shop.import();
    shop.world.pass(3);
    assert_eq!(shop.settle().registered, 1);
    let live = shop.world.live();
    assert_eq!(
        (live[0].uuid.as_str(), live[0].body["total"].as_str()),
        ("NE-1001-1", Some("4080"))
    );
}

#[test]
fn a_registration_found_otherwise_than_it_was_sent_is_told() {
    type Meddle = fn(&mut Transaction);
    let meddled: [(Meddle, &[&str]); 4] = [
        (|_| (), &[]),
        (|sale| sale.cancelled = true, &["cancelled-there"]),
        (|sale| sale.disposed = true, &["cancelled-there"]),
        (
            |sale| sale.body["total"] = json!("9999"),
            &["another-total"],
        ),
    ];
    for (meddle, expected) in meddled {
        let shop = shop_with(&["1001"]);
        shop.world.faults.borrow_mut().push(Fault::LostAfter);
        shop.import();
        meddle(&mut shop.world.transactions.borrow_mut()[0]);
        assert_eq!(shop.settle().registered, 1);
        let open = shop.received().into_iter().filter(|entry| entry.open);
        let told: Vec<String> = open.map(|entry| entry.reason.unwrap().code).collect();
        assert_eq!(
            (told, shop.refused()),
            (
                expected.iter().map(|code| (*code).to_owned()).collect(),
                expected.len()
            )
        );
    }
}

#[test]
fn an_order_found_twice_is_told_with_the_transactions_that_stand() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    shop.import();
    let first = shop.world.transactions.borrow()[0].clone();
    for (id, cancelled, disposed) in [("2", false, false), ("3", true, false), ("4", false, true)] {
        shop.world.transactions.borrow_mut().push(Transaction {
            id: id.to_owned(),
            cancelled,
            disposed,
            ..first.clone()
        });
    }
    assert_eq!(shop.settle().registered, 1);
    let told = shop.received().remove(0);
    let reason = told.reason.unwrap();
    assert_eq!(
        (reason.code.as_str(), reason.value.as_deref(), told.open),
        ("registered-twice", Some("1, 2"), true)
    );
}

#[test]
fn a_refused_order_that_is_cancelled_waits_for_nobody_although_it_cannot_be_read() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines[0].code = "nobody-knows".to_owned();
    shop.world.put(order);
    assert_eq!(shop.import().refused, 1);
    shop.world.pass(20);
    shop.world.edit(1001, cancel);
    shop.world
        .raw(1001, "receive_order_total_amount", json!("?"));
    shop.import();
    assert_eq!((shop.refused(), shop.has_open_work()), (0, false));
}

#[test]
fn a_retry_that_is_refused_again_is_told_again() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines[0].code = "nobody-knows".to_owned();
    shop.world.put(order);
    shop.import();
    shop.world.pass(1);
    assert_eq!(shop.retry(RetryChoice::Slip("1001".to_owned())).refused, 1);
    shop.world.pass(1);
    shop.settle();
    let told: Vec<bool> = shop.received().iter().map(|entry| entry.open).collect();
    assert_eq!(told, [true, false]);
}

#[test]
fn refused_registrations_teach_nothing_about_stock() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.world.faults.borrow_mut().push(Fault::Refuse);
    assert_eq!(shop.import().refused, 1);
    shop.world.pass(3);
    shop.settle();
    shop.world.pass(90);
    shop.settle();
    assert!(shop.storage_of("own-effect/").is_empty());
    assert_eq!(shop.retry(RetryChoice::AllRefused(true)).registered, 1);
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, -2), (0, -1)));
}

#[test]
fn a_return_in_the_place_of_a_cancellation_brings_the_goods_back() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.import();
    shop.world.pass(20);
    shop.world.refuse_cancel.set(true);
    shop.world.edit(1001, cancel);
    assert_eq!(shop.import().undone, 1);
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, 0), (0, 0)));
    let learned = shop.storage_of("own-effect/");
    let keys: Vec<&str> = learned.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["own-effect/dispose", "own-effect/sale"]);
}

#[test]
fn a_lost_answer_to_the_first_effect_loses_no_look() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    shop.import();
    assert_eq!(shop.settle().waiting, 0);
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, -2), (0, -1)));
}

#[test]
fn a_refusal_is_followed_under_the_smallest_budget() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.refuse_cancel.set(true);
    shop.world.edit(1001, cancel);
    let mut undone = 0;
    for _ in 0..40 {
        undone += shop.import_within(1).undone;
    }
    assert_eq!((undone, shop.world.live().len()), (1, 0));
    assert_eq!(shop.world.asked("POST /transactions/1/"), 2);
}

#[test]
fn an_order_that_cannot_be_told_to_count_is_refused_and_not_passed() {
    for (field, value) in [
        ("receive_order_order_status_id", json!("1e999")),
        ("receive_order_order_status_id", json!("50\u{fffd}")),
        ("receive_order_order_status_id", json!(null)),
        ("receive_order_cancel_type_id", json!("1e999")),
        ("receive_order_cancel_type_id", json!("0\u{fffd}")),
        ("receive_order_shop_id", json!("1e999")),
        ("receive_order_shop_id", json!("1\u{fffd}")),
    ] {
        let shop = shop_with(&["1001", "1002"]);
        shop.world.raw(1001, field, value.clone());
        let progress = shop.import();
        assert_eq!(
            (progress.registered, progress.refused),
            (1, 1),
            "{field} {value}"
        );
        let told = shop.received();
        let told = told.iter().find(|entry| entry.slip == "1001").unwrap();
        let reason = told.reason.as_ref().unwrap();
        assert_eq!(reason.field.as_deref(), Some(field), "{value}");
        assert!(told.open);
        shop.world.pass(20);
        shop.world.put(samples::order("1003"));
        assert_eq!(shop.import().registered, 1, "{field} {value}");
        shop.world.pass(20);
        shop.world.put(samples::order("1001"));
        assert_eq!(shop.import().registered, 1, "{field} {value}");
        assert_eq!(shop.refused(), 0);
    }
}

#[test]
fn a_first_sale_with_its_product_on_two_lines_tells_what_a_sale_does() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines[1] = samples::line("a", 1_000, 1, None);
    order.lines[1].number = "2".to_owned();
    order.goods = order.lines.iter().map(|line| line.amount).sum();
    order.total = order.goods;
    shop.world.put(order);
    shop.source_store("20");
    assert_eq!(shop.import().registered, 1);
    assert_eq!(
        shop.world
            .history
            .borrow()
            .iter()
            .filter(|row| row.division == "02")
            .count(),
        2
    );
    assert_eq!(stock(&shop, "A"), (0, -3));
}

#[test]
fn a_product_on_one_line_tells_what_a_sale_does_whatever_the_till_sells() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines.push(OrderLine {
        number: "3".to_owned(),
        ..samples::line("b", 1_080, 2, Some(8))
    });
    order.goods = order.lines.iter().map(|line| line.amount).sum();
    order.total = order.goods;
    shop.world.put(order);
    shop.source_store("20");
    shop.meanwhile("/transactions", |shop| shop.world.sell("B", "10", 1));
    assert_eq!(shop.import().registered, 1);
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, -2), (-1, -3)));
}

#[test]
fn a_product_that_another_draws_on_does_not_blur_what_a_sale_does() {
    let shop = Shop::open();
    shop.world.draw("a", "B", 1);
    // A sale at the till has shown it before.
    lookup::draws_are_used(&shop.tenant(1)).unwrap();
    let mut order = samples::order("1001");
    order.lines[0] = samples::line("a", 1_000, 1, Some(10));
    (order.goods, order.total) = (2_080.into(), 2_080.into());
    shop.world.put(order);
    shop.source_store("20");
    assert_eq!(shop.import().registered, 1);
    assert_eq!((stock(&shop, "A"), stock(&shop, "B")), ((0, -1), (0, -2)));
}
