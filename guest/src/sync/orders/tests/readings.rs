//! Readings that are odd: what cannot be read, what came in part, what Smaregi's silence must not stop.

use serde_json::json;

use super::shop::{Shop, shop_with};
use crate::{
    error::{Error, Side},
    rules::{
        order::{Life, Order, OrderState},
        samples,
    },
    sync::report::{ReceivedResult, RetryChoice},
};

fn cancel(order: &mut Order) {
    (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned());
}

const TOTAL: &str = "receive_order_total_amount";

#[test]
fn a_cancellation_is_followed_although_the_amounts_cannot_be_read() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, cancel);
    shop.world.raw(1001, TOTAL, json!("?"));
    let import = shop.import();
    assert_eq!((import.undone, import.refused), (1, 0));
    assert_eq!(shop.refused(), 0);
}

#[test]
fn an_unreadable_slip_is_raised_only_if_it_could_be_a_sale() {
    let shop = shop_with(&["1001", "1002", "1003"]);
    shop.world.edit(1001, cancel);
    shop.world
        .edit(1002, |order| order.state = OrderState::Printing);
    for slip in [1001, 1002, 1003] {
        shop.world.raw(slip, TOTAL, json!(null));
    }
    assert_eq!(shop.import().refused, 1);
    assert_eq!(shop.received()[0].slip, "1003");
}

#[test]
fn a_retry_reads_again_what_could_not_be_read_long_after() {
    let shop = shop_with(&["1001", "1002"]);
    shop.world.raw(1001, TOTAL, json!("?"));
    let import = shop.import();
    assert_eq!((import.registered, import.refused), (1, 1));
    // Beyond what later searches read again.
    shop.world.pass(24 * 60);
    shop.import();
    assert_eq!(shop.retry(RetryChoice::AllRefused(true)).refused, 1);
    shop.world.as_it_was(1001);
    let retried = shop.retry(RetryChoice::Slip("1001".to_owned()));
    assert_eq!((retried.registered, retried.refused), (1, 0));
}

#[test]
fn a_sale_whose_order_became_unreadable_stays_and_needs_a_person() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.raw(1001, TOTAL, json!("?"));
    let import = shop.import();
    assert_eq!((import.undone, import.refused, import.waiting), (0, 0, 0));
    let told = shop.received().remove(0);
    assert_eq!(told.outcome, ReceivedResult::NeedsPerson);
    assert!(told.open && told.transaction_id.is_some());
}

#[test]
fn a_change_that_cannot_be_mapped_needs_a_person() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world.edit(1001, |order| {
        order.lines[0].code = "nobody-knows".to_owned()
    });
    assert_eq!(shop.import().refused, 0);
    assert_eq!(shop.received()[0].outcome, ReceivedResult::NeedsPerson);
    assert_eq!(shop.world.live().len(), 1);
}

#[test]
fn a_slip_whose_amounts_differ_for_good_costs_one_search_an_import() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.goods = 9_999.into();
    shop.world.put(order);
    for _ in 0..3 {
        shop.import();
        shop.world.pass(1);
    }
    assert_eq!(shop.world.asked("POST /api_v1_receiveorder_row/search"), 3);
}

#[test]
fn a_new_slip_of_which_one_line_came_is_completed() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.state = OrderState::Printing;
    shop.world.put(order);
    shop.world.put(samples::order("1002"));
    shop.import();
    shop.move_on();
    shop.world.edit_line(1001, 1, |order| {
        order.state = OrderState::Shipped;
        // What is left of its goods would add up by itself.
        order.lines[0].unit_price = 0.into();
        order.lines[0].amount = 0.into();
        (order.goods, order.total) = (1_080.into(), 1_080.into());
    });
    assert_eq!(shop.import().registered, 1);
    let lines = shop.world.live()[1].body["details"].clone();
    assert_eq!(lines.as_array().unwrap().len(), 2);
}

#[test]
fn long_slips_of_which_one_line_came_are_completed_over_two_pages() {
    let shop = Shop::open();
    for slip in 1_001..1_013 {
        let mut order = samples::order(&slip.to_string());
        order.lines = vec![samples::line("a", 100, 1, Some(10)); 90];
        (order.goods, order.total) = (9_000.into(), 9_000.into());
        shop.world.put(order);
    }
    assert_eq!(shop.import().registered, 12);
    shop.move_on();
    for slip in 1_001..1_013 {
        shop.world.edit_line(slip, 0, |order| {
            (order.lines[0].quantity, order.lines[0].amount) = (2.into(), 200.into());
            (order.goods, order.total) = (9_100.into(), 9_100.into());
        });
    }
    let asked = shop.world.asked("POST /api_v1_receiveorder_row/search");
    let import = shop.import();
    assert_eq!(
        (import.undone, import.registered, import.refused),
        (12, 12, 0)
    );
    let asked = shop.world.asked("POST /api_v1_receiveorder_row/search") - asked;
    assert_eq!(asked, 3, "the changes, and two pages of their slips");
}

#[test]
fn a_page_of_which_no_row_names_its_slip_is_read_again_after_a_while() {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    order.lines = vec![samples::line("a", 1, 1, Some(10)); 1_000];
    shop.world.put(order);
    shop.world
        .raw(1001, "receive_order_row_receive_order_id", json!(null));
    let Err(Error::Unavailable(Side::NextEngine, _, until)) = shop.try_import() else {
        panic!("nothing follows from this page")
    };
    assert!(until > shop.world.now.get());
}

#[test]
fn an_order_that_became_unreadable_costs_nothing_at_smaregi() {
    let shop = shop_with(&["1001"]);
    shop.only_read();
    shop.world.raw(1001, TOTAL, json!("?"));
    shop.only_read();
    let asked = shop.world.asked("GET /products");
    assert_eq!(shop.settle().refused, 1);
    assert_eq!(shop.world.asked("GET /products"), asked);
}

#[test]
fn a_search_that_was_cut_counts_as_up_to_date_for_five_minutes() {
    // The second page; or that, and both of them once more.
    for (minutes, searches) in [(5, 1), (6, 3)] {
        let shop = super::imports::two_pages();
        shop.import_within(1);
        let asked = shop.searches();
        shop.world.pass(minutes);
        shop.only_read();
        assert_eq!(shop.searches() - asked, searches, "{minutes}");
    }
}

#[test]
fn a_slip_that_cannot_be_read_is_told_once_however_often_it_comes() {
    let shop = shop_with(&["1001"]);
    shop.world.raw(1001, TOTAL, json!("?"));
    assert_eq!((shop.import().refused, shop.import().refused), (1, 0));
    assert_eq!(shop.received().len(), 1);
}

#[test]
fn a_sale_is_not_undone_for_a_state_that_came_with_unreadable_amounts() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(20);
    shop.world
        .edit(1001, |order| order.state = OrderState::Printing);
    shop.world.raw(1001, TOTAL, json!("?"));
    assert_eq!(shop.import().undone, 0);
    assert_eq!(shop.received()[0].outcome, ReceivedResult::NeedsPerson);
}

#[test]
fn a_preview_of_a_shop_completes_a_slip_of_which_one_line_came() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.move_on();
    shop.world
        .edit_line(1001, 0, |order| order.lines[0].name.push('!'));
    let previews = shop.preview("1");
    let found = previews.iter().find(|preview| preview.slip == "1001");
    assert_eq!(found.unwrap().sale.as_ref().unwrap().lines.len(), 2);
}

#[test]
fn smaregis_silence_does_not_stop_the_reading() {
    let shop = shop_with(&["1001"]);
    shop.import_within(1);
    shop.world.put(samples::order("1002"));
    shop.world.smaregi_down.set(true);
    assert!(shop.try_import().is_err());
    assert_eq!(shop.world.asked("POST /api_v1_receiveorder_row/search"), 2);
    assert_eq!(shop.storage_of("orders/todo/").len(), 2);
    shop.world.smaregi_down.set(false);
    assert_eq!(shop.settle().registered, 2);
}

#[test]
fn a_preview_of_a_slip_is_read_afresh() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.edit(1001, |order| order.total = 1.into());
    let preview = shop.preview_slip("1001");
    assert_eq!(preview.order_total, 1.into());
    assert_eq!(preview.refusal.unwrap().code, "totals-disagree");
    let order = preview.order.unwrap();
    assert_eq!(
        order.lines.len(),
        1,
        "what was ordered is shown beside the refusal"
    );
    assert_eq!(preview.transaction_id.as_deref(), Some("1"));
    shop.world.edit(1001, |order| order.total = order.goods);
    let sale = shop.preview_slip("1001").sale.unwrap();
    assert_eq!(sale.lines[0].name, "商品a", "the name in Next Engine");
}
