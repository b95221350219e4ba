//! What keeps an alignment from going out: its guard, codes that two products share, and what was decided while both sides were read.

use rust_decimal::Decimal;
use serde_json::Value;

use super::world::{Bend, World};
use crate::{
    rules::samples,
    settings::{Guard, Trigger},
    sync::{report::Alignment, stock, store::Commit, tenant::SETTINGS_KEY, testing::at_once},
};

fn align(world: &World, codes: &[&str], confirmed: bool, over_guard: bool) -> Alignment {
    let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
    at_once(stock::align(&world.tenant(), &codes, confirmed, over_guard)).unwrap()
}

fn left(alignment: &Alignment) -> Vec<(&str, &str)> {
    let left = alignment.left_out.iter();
    left.map(|left| (left.code.as_str(), left.reason.code.as_str()))
        .collect()
}

fn guard(world: &World, products_to_zero: u32, moved_percent: u32) {
    world.set(|stock| {
        stock.guard = Guard {
            products_to_zero,
            moved_percent,
        };
    });
}

#[test]
fn as_many_products_as_the_guard_says_may_come_to_zero_and_no_more() {
    for (empty, guarded) in [(2, false), (3, true)] {
        let world = World::new(10);
        guard(&world, 2, 100);
        for id in 1..=empty {
            *world.smaregi.borrow_mut().get_mut(&id.to_string()).unwrap() = 0;
        }
        // It moves, and does not come to zero.
        world.move_there("p9", 1);
        let alignment = align(&world, &[], true, false);
        assert_eq!(alignment.guard.is_some(), guarded, "{empty}");
        assert_eq!(alignment.queued, !guarded);
        if let Some(reason) = alignment.guard {
            assert_eq!(reason.code, "guard");
            assert!(reason.message.ja.starts_with("4商品を動かし、うち3商品"));
            assert!(align(&world, &[], true, true).queued, "said explicitly");
        }
    }
}

#[test]
fn as_large_a_part_as_the_guard_says_may_move_of_what_both_sides_know() {
    for (moved, guarded) in [(1, false), (2, true)] {
        let world = World::new(10);
        guard(&world, 100, 10);
        for id in 11..=30 {
            world.add(&format!("alone{id}"), 0);
        }
        for id in 1..=moved {
            world.move_there(&format!("p{id}"), 1);
        }
        let alignment = align(&world, &[], true, false);
        assert_eq!(alignment.guard.is_some(), guarded, "{moved}");
    }
}

/// Smaregi's product 2 has the code of product 1.
fn with_a_shared_code(stock: i64) -> World {
    let world = World::new(2);
    let share: Bend = |answer| {
        let change = |product: &mut Value| {
            if product["productId"] == "2" {
                product["productCode"] = "p1".into();
            }
        };
        match answer.as_array_mut() {
            Some(products) => products.iter_mut().for_each(change),
            None => change(answer),
        }
    };
    world.bent.set(Some(("products", share)));
    world.goods.borrow_mut().clear();
    world.add("p1", stock);
    world
}

#[test]
fn a_code_that_two_products_share_is_left_out_where_it_differs() {
    let world = with_a_shared_code(150);
    let alignment = align(&world, &[], true, true);
    assert_eq!(left(&alignment), [("p1", "shared-code")]);
    assert!(alignment.lines.is_empty() && !alignment.queued);
    let world = with_a_shared_code(200);
    for codes in [&[][..], &["p1"]] {
        let alignment = align(&world, codes, true, true);
        assert_eq!(left(&alignment), [], "{codes:?}");
    }
}

#[test]
fn a_named_product_that_moves_is_told_of_though_both_sides_are_equal() {
    let world = World::new(1);
    world.hints("1");
    assert_eq!(
        left(&align(&world, &["p1"], false, true)),
        [("p1", "unread")]
    );
    assert_eq!(left(&align(&world, &[], false, true)), []);
}

#[test]
fn what_was_decided_while_both_sides_were_read_is_left_out_though_nothing_of_it_is_sent() {
    let world = World::new(2);
    world.set(|stock| stock.triggers = vec![Trigger::Loss]);
    world.move_there("p1", 5);
    world.move_there("p2", 5);
    world.pass(30);
    world.sold_meanwhile.replace(Some(("1".to_owned(), 4)));
    let alignment = align(&world, &[], true, true);
    assert_eq!(left(&alignment), [("p1", "moved-meanwhile")]);
    let moved: Vec<_> = alignment
        .lines
        .iter()
        .map(|line| line.code.as_str())
        .collect();
    assert_eq!(moved, ["p2"]);
}

#[test]
fn an_alignment_ends_a_wrong_booking_and_no_other_hold() {
    let world = World::new(2);
    world.waits(1, -3);
    *world.smaregi.borrow_mut().get_mut("1").unwrap() -= 3;
    world.times.set(2);
    world.work(3);
    world.times.set(1);
    assert_eq!(world.held(1).unwrap().reason.code, "applied-wrong");
    // It differs by a piece, and more than is free there is to be taken off.
    world.goods.borrow_mut().get_mut("p2").unwrap().allocated = 100;
    world.waits(2, -3);
    *world.smaregi.borrow_mut().get_mut("2").unwrap() -= 4;
    world.work(2);
    let held = world.held(2).unwrap();
    assert_eq!(held.reason.code, "free-stock");
    let alignment = align(&world, &[], true, true);
    assert_eq!(alignment.lines.len(), 2);
    assert_eq!((world.held(1), world.held(2)), (None, Some(held)));
    world.work(5);
    assert_eq!(world.stock("p1"), 97);
}

#[test]
fn orders_are_read_before_an_alignment_where_a_shop_has_its_store() {
    const SEARCH: &str = "/api_v1_receiveorder_row/search";
    for receiving in [false, true] {
        let world = World::new(1);
        if receiving {
            let mut settings = world.tenant().settings;
            settings.orders = samples::settings();
            let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
            commit.apply(&world.ports()).unwrap();
        }
        align(&world, &[], false, true);
        assert_eq!(world.asked(SEARCH), 0, "a preview changes nothing");
        align(&world, &[], true, true);
        assert_eq!(world.asked(SEARCH) > 0, receiving);
    }
}

#[test]
fn the_pieces_of_an_alignment_are_no_stores() {
    let world = World::new(1);
    world.move_there("p1", 1);
    align(&world, &[], true, true);
    world.work(3);
    let entry = world.sent().remove(0);
    assert_eq!(entry.quantity, Decimal::from(-1));
    assert_eq!(
        (entry.stores, entry.triggers),
        (vec![], vec!["alignment".to_owned()])
    );
}
