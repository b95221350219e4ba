//! After the import: cancellations, changes, returns, and the stock that goes with them.

use rust_decimal::Decimal;

use super::{
    shop::{Shop, shop_with},
    world::Fault,
};
use crate::{
    rules::{
        order::{Life, Order, OrderLine, OrderState},
        samples,
    },
    sync::{
        lookup,
        report::{ReceivedResult, RetryChoice},
    },
};

fn dearer(order: &mut Order) {
    order.lines[0].unit_price = 1_500.into();
    order.lines[0].amount = 3_000.into();
    order.goods = 4_080.into();
    order.total = 4_080.into();
}

#[test]
fn a_cancelled_order_is_undone() {
    let shop = shop_with(&["1001", "1002"]);
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    let import = shop.import();
    assert_eq!(
        (import.undone, import.registered, import.waiting),
        (1, 0, 0)
    );
    assert_eq!(shop.world.live().len(), 1);
    assert_eq!(
        (shop.world.stock("10", "A"), shop.world.stock("10", "B")),
        (-2, -1)
    );
    assert_eq!(shop.received()[0].outcome, ReceivedResult::Undone);
}

#[test]
fn goods_that_came_back_are_booked_as_a_return() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Returned, "6".to_owned())
    });
    assert_eq!(shop.import().undone, 1);
    assert!(shop.world.transactions.borrow()[0].disposed);
}

#[test]
fn a_cancellation_whose_answer_was_lost_is_looked_up() {
    let shop = shop_with(&["1001", "1002"]);
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    assert_eq!(shop.import().undone, 0);
    assert_eq!(shop.settle().undone, 1);
    assert_eq!(shop.world.asked("POST /transactions/"), 1);
}

#[test]
fn what_cannot_be_undone_waits_for_a_person() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.refuse_cancel.set(true);
    shop.world.faults.borrow_mut().push(Fault::Refuse);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    let import = shop.import();
    assert_eq!(
        (import.undone, import.waiting, shop.world.live().len()),
        (0, 0, 1)
    );
    let told = shop.received().remove(0);
    assert_eq!(
        (told.outcome, told.open),
        (ReceivedResult::NeedsPerson, true)
    );
    assert_eq!(told.reason.unwrap().code, "cannot-undo");
    assert_eq!(shop.retry(RetryChoice::AllRefused(true)).undone, 1);
}

#[test]
fn what_cannot_be_cancelled_is_returned() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.refuse_cancel.set(true);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    assert_eq!(shop.import().undone, 1);
    assert!(shop.world.transactions.borrow()[0].disposed);
}

#[test]
fn what_cannot_be_returned_is_cancelled() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.faults.borrow_mut().push(Fault::Refuse);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Returned, "6".to_owned())
    });
    assert_eq!(shop.import().undone, 1);
    assert!(shop.world.transactions.borrow()[0].cancelled);
}

#[test]
fn a_changed_order_is_undone_and_registered_again() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, dearer);
    let import = shop.import();
    assert_eq!(
        (import.undone, import.registered, import.waiting),
        (1, 1, 0)
    );
    let live = shop.world.live();
    assert_eq!(live.len(), 1);
    assert_eq!(
        (live[0].uuid.as_str(), live[0].body["total"].as_str()),
        ("NE-1001-2", Some("4080"))
    );
    assert_eq!(shop.world.stock("10", "A"), -2);
}

#[test]
fn an_unshipped_order_is_undone_and_comes_back_when_shipped() {
    let shop = shop_with(&["1001"]);
    shop.import();
    for (state, live) in [(OrderState::Printing, 0), (OrderState::Shipped, 1)] {
        shop.world.pass(20);
        shop.world.edit(1001, |order| order.state = state);
        shop.import();
        assert_eq!(shop.world.live().len(), live, "{state:?}");
    }
}

#[test]
fn a_change_of_one_line_alone_is_read_with_its_slip() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.move_on();
    shop.world.edit_line(1001, 1, |order| {
        order.lines[1].quantity = 2.into();
        order.lines[1].amount = 2_160.into();
        (order.goods, order.total) = (4_160.into(), 4_160.into());
    });
    let import = shop.import();
    assert_eq!(
        (import.undone, import.registered, import.refused),
        (1, 1, 0)
    );
    assert_eq!(
        shop.world.live()[0].body["details"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_gift_is_not_lost_when_another_line_changes_alone() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines.push(OrderLine {
        number: "3".to_owned(),
        ..samples::line("a", 0, 1, Some(10))
    });
    shop.world.put(order);
    shop.import();
    shop.move_on();
    shop.world
        .edit_line(1001, 0, |order| order.lines[0].name.push('!'));
    let import = shop.import();
    assert_eq!(
        (import.undone, import.registered, import.waiting),
        (0, 0, 0)
    );
    assert_eq!(
        shop.world.live()[0].body["details"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn returned_pieces_are_told_once_and_the_sale_stays() {
    let shop = shop_with(&["1001"]);
    shop.import();
    for _ in 0..2 {
        shop.world.pass(20);
        shop.world
            .edit(1001, |order| order.lines[0].returned = Decimal::ONE);
        shop.import();
    }
    let told = shop
        .received()
        .into_iter()
        .filter(|entry| entry.outcome == ReceivedResult::NeedsPerson);
    assert_eq!((told.count(), shop.world.live().len()), (1, 1));
}

#[test]
fn pieces_that_came_back_wait_for_a_person_who_says_so_at_that_order() {
    let shop = shop_with(&["1001"]);
    shop.import();
    let comes_back = |pieces: i64| {
        shop.world.pass(20);
        shop.world
            .edit(1001, |order| order.lines[0].returned = pieces.into());
        shop.import();
        shop.stores().remove(0).needs_person
    };
    assert_eq!(comes_back(1), 1);
    shop.retry(RetryChoice::AllRefused(true));
    assert_eq!(shop.stores().remove(0).needs_person, 1, "nobody looked");
    let done = shop.retry(RetryChoice::Slip("1001".to_owned()));
    assert_eq!((done.registered, done.refused, done.waiting), (0, 0, 0));
    assert_eq!(shop.stores().remove(0).needs_person, 0, "somebody did");
    assert_eq!(comes_back(2), 1, "more came back");
    assert_eq!(comes_back(0), 0, "it was a mistake");
    assert_eq!(shop.world.live().len(), 1);
}

#[test]
fn pieces_that_came_back_before_the_import_are_told_with_it() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines[0].returned = Decimal::ONE;
    shop.world.put(order);
    assert_eq!(shop.import().registered, 1);
    let told = shop.received().remove(0);
    assert_eq!(told.reason.unwrap().code, "pieces-returned");
}

#[test]
fn a_change_that_is_read_before_the_registration_is_found_is_brought_over() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    shop.import();
    shop.world.edit(1001, dearer);
    shop.only_read();
    let settled = shop.settle();
    assert_eq!((settled.registered, settled.undone), (2, 1));
    assert_eq!(shop.world.live()[0].body["total"].as_str(), Some("4080"));
}

#[test]
fn the_source_store_gives_the_goods_and_gets_them_back() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.import();
    assert_eq!(
        (shop.world.stock("10", "A"), shop.world.stock("20", "A")),
        (0, -2)
    );
    shop.world.pass(20);
    shop.world.edit(1001, |order| {
        (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
    });
    shop.import();
    assert_eq!(
        (shop.world.stock("10", "A"), shop.world.stock("20", "A")),
        (0, 0)
    );
    assert_eq!(
        (shop.world.stock("10", "B"), shop.world.stock("20", "B")),
        (0, 0)
    );
}

#[test]
fn a_stock_move_whose_answer_was_lost_is_not_made_twice() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    shop.world.faulty.set("stock");
    assert_eq!(shop.import().waiting, 1);
    assert_eq!(shop.settle().waiting, 0);
    assert_eq!(
        (shop.world.stock("10", "A"), shop.world.stock("20", "A")),
        (0, -2)
    );
}

#[test]
fn where_sales_move_no_stock_the_goods_are_moved_by_us() {
    let shop = shop_with(&["1001"]);
    shop.world.sales_move_stock.set(false);
    shop.import();
    assert_eq!(shop.world.stock("10", "A"), 0, "not known yet");
    shop.world.pass(2);
    shop.settle();
    assert_eq!(
        (shop.world.stock("10", "A"), shop.world.stock("10", "B")),
        (-2, -1)
    );
    assert_eq!(shop.settle().waiting, 0);
}

#[test]
fn what_a_product_draws_on_leaves_the_source_store_and_comes_back() {
    let shop = shop_with(&["1001", "1002"]);
    shop.source_store("20");
    shop.world.add_product("c");
    shop.world.draw("b", "C", 3);
    // A sale at the till has shown it before.
    lookup::draws_are_used(&shop.tenant(1)).unwrap();
    shop.import();
    shop.world.pass(70);
    shop.settle();
    let stock = |product: &str| {
        (
            shop.world.stock("10", product),
            shop.world.stock("20", product),
        )
    };
    assert_eq!((stock("B"), stock("C")), ((0, -2), (0, -6)));
    // 67 is the id of C.
    let entries = shop.storage_of("own/10/67/");
    assert!(
        entries
            .iter()
            .all(|entry| entry.key.ends_with("/sale-drawn"))
    );
    assert_eq!(entries.len(), 2);
    for slip in [1001, 1002] {
        shop.world.edit(slip, |order| {
            (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned())
        });
    }
    shop.import();
    shop.world.pass(70);
    shop.settle();
    assert_eq!((stock("B"), stock("C")), ((0, 0), (0, 0)));
}
