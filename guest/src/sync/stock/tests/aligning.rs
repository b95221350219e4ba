//! 在庫照合 and 在庫を合わせる: what is unread, undecided or under way is never sent by an alignment.

use rust_decimal::Decimal;

use serde_json::json;

use super::world::{Bend, World};
use crate::{
    error::{Error, Side},
    rules::{order::OrderState, samples},
    sync::{
        orders::records::{self, SlipRecord},
        report::{Alignment, ChangeHint, ComparisonLine},
        stock,
        store::Commit,
        testing::at_once,
    },
};

fn align(world: &World, codes: &[&str], confirmed: bool) -> Alignment {
    let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
    at_once(stock::align(&world.tenant(), &codes, confirmed, true)).unwrap()
}

fn line(world: &World, code: &str) -> ComparisonLine {
    let comparison = at_once(stock::compare(&world.tenant())).unwrap();
    let mut lines = comparison.lines.into_iter();
    lines.find(|line| line.code == code).unwrap()
}

fn reasons(line: &ComparisonLine) -> Vec<(&str, Decimal)> {
    let parts = line.explanations.iter();
    parts
        .map(|part| (part.reason.code.as_str(), part.quantity))
        .collect()
}

#[test]
fn an_alignment_makes_both_sides_equal() {
    let world = World::new(3);
    world.move_there("p1", 7);
    let preview = align(&world, &[], false);
    assert_eq!(
        (preview.lines.len(), preview.queued, world.out(1)),
        (1, false, None)
    );
    assert!(align(&world, &["p1"], true).queued);
    world.work(5);
    assert_eq!(world.stock("p1"), 100);
    assert!(align(&world, &[], true).lines.is_empty());
}

#[test]
fn what_is_only_unread_is_read_first_and_travels_once() {
    for told in [false, true] {
        let world = World::new(2);
        world.sells("1", 4);
        if told {
            let hint = ChangeHint {
                product_id: "1".to_owned(),
                store_id: "1".to_owned(),
            };
            stock::take_in_changes(&world.tenant(), &[hint]).unwrap();
            let line = line(&world, "p1");
            assert_eq!(reasons(&line), [("unread", Decimal::from(-4))]);
            assert!(line.unexplained.is_zero());
            let preview = align(&world, &[], false);
            assert!(preview.lines.is_empty());
            assert_eq!(preview.left_out[0].reason.code, "unread");
        }
        align(&world, &[], true);
        world.work(30);
        assert_eq!(world.stock("p1"), 96, "{told}");
    }
}

#[test]
fn what_moves_while_both_sides_are_read_is_left_out() {
    let world = World::new(2);
    world.move_there("p1", 5);
    world.move_there("p2", 5);
    world.pass(30);
    world.sold_meanwhile.replace(Some(("1".to_owned(), 4)));
    let alignment = align(&world, &[], true);
    assert_eq!(alignment.lines.len(), 1);
    assert_eq!(alignment.lines[0].code, "p2");
    assert_eq!(alignment.left_out[0].reason.code, "moved-meanwhile");
    world.work(60);
    assert_eq!((world.stock("p1"), world.stock("p2")), (101, 100));
}

#[test]
fn the_open_batch_is_left_out_whether_it_was_applied_or_not() {
    for applied in [false, true] {
        let world = World::new(1);
        world.waits(1, -3);
        *world.smaregi.borrow_mut().get_mut("1").unwrap() -= 3;
        world.stuck.set(Some("1"));
        world.send();
        if applied {
            world.run_queue();
        }
        let line = line(&world, "p1");
        assert!(line.unexplained.is_zero());
        assert!(align(&world, &["p1"], true).lines.is_empty());
        world.stuck.set(None);
        world.run_queue();
        world.work(30);
        assert_eq!(world.stock("p1"), 97);
    }
}

#[test]
fn an_alignment_ends_what_was_unclear() {
    for applied in [false, true] {
        let world = World::new(1);
        world.waits(1, -3);
        *world.smaregi.borrow_mut().get_mut("1").unwrap() -= 3;
        if !applied {
            world.refused.borrow_mut().insert("p1".to_owned());
        }
        world.movements_late.set(chrono::TimeDelta::days(9));
        world.send();
        if !applied {
            world.move_there("p1", -1);
        }
        world.work(60);
        assert_eq!(world.held(1).unwrap().reason.code, "outcome-unclear");
        let line = line(&world, "p1");
        assert!(line.unexplained.is_zero());
        world.refused.borrow_mut().clear();
        world.movements_late.set(chrono::TimeDelta::zero());
        assert!(align(&world, &["p1"], true).queued);
        world.work(10);
        assert_eq!((world.stock("p1"), world.out(1)), (97, None), "{applied}");
        assert!(world.held(1).is_none() && world.tried(1).is_none());
    }
}

#[test]
fn all_products_are_guarded_and_queued_however_many() {
    let world = World::new(1_200);
    for id in 1..=1_200 {
        world.move_there(&format!("p{id}"), 1);
    }
    let careful = at_once(stock::align(&world.tenant(), &[], true, false)).unwrap();
    let guard = careful.guard.unwrap();
    assert!(guard.message.ja.starts_with("1200商品") && !careful.queued);
    assert_eq!(align(&world, &[], true).lines.len(), 1_200);
    assert!((1..=1_200).all(|id| world.out(id) == Some(-1)));
}

#[test]
fn a_product_without_a_row_counts_as_zero_where_next_engine_has_stock() {
    let world = World::new(1);
    world.add("p2", 5);
    world.add("p3", 0);
    assert_eq!(line(&world, "p2").unexplained, Decimal::from(-5));
    assert_eq!(reasons(&line(&world, "p3"))[0].0, "one-side-only");
    align(&world, &["p2"], true);
    world.work(5);
    assert_eq!(world.stock("p2"), 0);
}

#[test]
fn a_named_product_that_one_side_does_not_know_is_told_of() {
    let world = World::new(1);
    world.add("p3", 0);
    let left = |codes: &[&str]| {
        let alignment = align(&world, codes, false);
        assert!(alignment.lines.is_empty());
        let left = alignment.left_out.into_iter();
        left.map(|left| (left.code, left.reason.code))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        left(&["p1", "p3"]),
        [("p3".to_owned(), "one-side-only".to_owned())]
    );
    assert_eq!(left(&[]), []);
}

#[test]
fn a_product_of_an_order_under_way_is_left_out() {
    let world = World::new(2);
    world.move_there("p1", 1);
    world.move_there("p2", 1);
    let mut record = SlipRecord::new("7", "1");
    let mut order = samples::order("7");
    order.lines = vec![samples::line("p1", 100, 1, None)];
    order.state = OrderState::Printing;
    record.order = Some(order);
    record.todo = true;
    let commit = records::put(Commit::new(), None, &record).unwrap();
    commit.apply(&world.ports()).unwrap();
    assert!(line(&world, "p1").unexplained.is_zero());
    let preview = align(&world, &[], false);
    assert_eq!(preview.lines.len(), 1);
    let left = &preview.left_out[0];
    assert_eq!(
        (left.code.as_str(), left.reason.code.as_str()),
        ("p1", "order-open")
    );
}

#[test]
fn a_fraction_is_explained_and_the_rest_aligned() {
    let world = World::new(1);
    world.broken.set(true);
    world.move_there("p1", -2);
    let line = line(&world, "p1");
    assert_eq!(
        reasons(&line),
        [("fractional-quantity", Decimal::new(5, 1))]
    );
    assert_eq!(line.unexplained, Decimal::from(2));
}

#[test]
fn nothing_is_queued_while_switched_off() {
    let world = World::new(1);
    world.move_there("p1", 1);
    world.link(false);
    assert_eq!(align(&world, &[], false).lines.len(), 1);
    let confirmed = at_once(stock::align(&world.tenant(), &[], true, true));
    assert!(matches!(confirmed, Err(Error::NotConnected(..))));
}

#[test]
fn what_cannot_be_read_is_never_aligned() {
    let stock: [(&str, Bend, &[&str]); 6] = [
        (
            "stock",
            |rows| rows[0]["stockAmount"] = json!("many"),
            &["p1"],
        ),
        ("stock", |rows| rows[0]["storeId"] = json!("2"), &["p1"]),
        // It may be anybody's whose row was not read, also that of a product without one.
        (
            "stock",
            |rows| rows[0]["productId"] = json!(null),
            &["p1", "p4"],
        ),
        ("stock", |rows| rows[1] = json!(7), &["p2", "p4"]),
        (
            "goods",
            |rows| rows["data"][0]["stock_quantity"] = json!("many"),
            &["p1"],
        ),
        (
            "goods",
            |rows| rows["data"][0]["goods_id"] = json!(null),
            &["p1"],
        ),
    ];
    for (index, (name, bend, out)) in stock.into_iter().enumerate() {
        let world = World::new(3);
        world.add("p4", 5);
        for code in ["p1", "p2", "p3"] {
            world.move_there(code, 7);
        }
        world.bent.set(Some((name, bend)));
        let alignment = align(&world, &[], true);
        let left: Vec<&str> = alignment
            .left_out
            .iter()
            .map(|left| left.code.as_str())
            .collect();
        assert_eq!(left, out, "{index}");
        assert!(
            alignment
                .left_out
                .iter()
                .all(|left| left.reason.code == "unreadable-field")
        );
        assert_eq!(alignment.lines.len(), 4 - out.len(), "{index}");
        let unread = line(&world, out[0]);
        assert!(unread.unexplained.is_zero() && unread.smaregi.is_none() || name == "goods");
        assert_eq!(reasons(&unread)[0].0, "unreadable-field");
    }
}

#[test]
fn a_list_that_cannot_be_read_fails_the_comparison() {
    let whole: [(&str, Bend, Side, &str); 3] = [
        ("stock", |rows| *rows = json!(null), Side::Smaregi, "/stock"),
        (
            "stock",
            |rows| *rows = json!({"stock": []}),
            Side::Smaregi,
            "/stock",
        ),
        (
            "goods",
            |rows| rows["data"] = json!(null),
            Side::NextEngine,
            "/api_v1_master_goods/search",
        ),
    ];
    for (name, bend, side, endpoint) in whole {
        let world = World::new(1);
        world.bent.set(Some((name, bend)));
        let failed = at_once(stock::compare(&world.tenant())).unwrap_err();
        let Error::Unavailable(of, message, again_at) = failed else {
            panic!("{failed:?}");
        };
        assert!(of == side && message.en.contains(endpoint), "{message:?}");
        assert!(again_at > world.now.get(), "{again_at}");
    }
}
