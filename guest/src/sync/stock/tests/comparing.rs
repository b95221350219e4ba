//! What 在庫照合 tells of each product, and what the ledger keeps so that it can.

use rust_decimal::Decimal;
use serde_json::Value;

use super::world::{Bend, World};
use crate::{
    error::Error,
    settings::Trigger,
    sync::{
        own::{self, Kind, Piece},
        report::{Comparison, ComparisonLine, ResendChoice},
        stock::{self, records::MOST_IDS},
        store::Commit,
        story,
        testing::at_once,
    },
};

fn compare(world: &World) -> Comparison {
    at_once(stock::compare(&world.tenant())).unwrap()
}

fn line(world: &World, code: &str) -> ComparisonLine {
    let mut lines = compare(world).lines.into_iter();
    lines.find(|line| line.code == code).unwrap()
}

fn reasons(line: &ComparisonLine) -> Vec<(&str, i64)> {
    let parts = line.explanations.iter();
    parts
        .map(|part| (part.reason.code.as_str(), part.quantity.try_into().unwrap()))
        .collect()
}

#[test]
fn only_products_with_an_unexplained_rest_are_counted() {
    let world = World::new(5);
    world.move_there("p2", 3);
    world.waits(3, 5);
    let comparison = compare(&world);
    assert_eq!(comparison.unexplained_products, 2);
    let codes: Vec<&str> = comparison
        .lines
        .iter()
        .map(|line| line.code.as_str())
        .collect();
    assert_eq!(
        codes,
        ["p2", "p3", "p1", "p4", "p5"],
        "the unexplained first"
    );
}

#[test]
fn a_list_that_is_none_ends_the_comparison_and_is_asked_for_again_later() {
    let world = World::new(1);
    world
        .bent
        .set(Some(("stock", |answer| *answer = Value::from("stock"))));
    let Err(Error::Unavailable(side, message, at)) = at_once(stock::compare(&world.tenant()))
    else {
        panic!("what it lacks would count as no stock")
    };
    assert_eq!(side, crate::error::Side::Smaregi);
    assert!(message.en.contains("/stock"), "{message:?}");
    assert!(at > world.now.get());
}

#[test]
fn a_product_of_one_side_alone_says_which() {
    let world = World::new(1);
    world.add("there", 5);
    world.goods.borrow_mut().remove("p1");
    let message = |code: &str| line(&world, code).explanations.remove(0).reason.message;
    let there = message("there");
    assert_eq!(there.ja, "ネクストエンジンだけに在庫がある商品です。");
    assert_eq!(there.en, "Only Next Engine keeps stock of this product.");
    let here = message("p1");
    assert_eq!(here.ja, "スマレジだけに在庫がある商品です。");
    assert_eq!(here.en, "Only Smaregi keeps stock of this product.");
}

#[test]
fn a_product_without_stock_control_in_smaregi_is_no_product_without_stock() {
    let world = World::new(1);
    world.add("p2", 5);
    let unmanaged: Bend = |answer| {
        let change = |product: &mut Value| {
            if product["productId"] == "2" {
                product["stockControlDivision"] = "1".into();
            }
        };
        match answer.as_array_mut() {
            Some(products) => products.iter_mut().for_each(change),
            None => change(answer),
        }
    };
    world.bent.set(Some(("products", unmanaged)));
    assert_eq!(reasons(&line(&world, "p2")), [("one-side-only", -5)]);
}

#[test]
fn what_is_held_is_told_as_held_with_its_reasons_words() {
    let world = World::new(1);
    world.goods.borrow_mut().get_mut("p1").unwrap().allocated = 100;
    world.waits(1, -3);
    *world.smaregi.borrow_mut().get_mut("1").unwrap() -= 3;
    world.work(1);
    let held = world.held(1).unwrap().reason;
    let line = line(&world, "p1");
    assert_eq!(reasons(&line), [("held", -3)]);
    assert_eq!(line.explanations[0].reason.message, held.message);
}

#[test]
fn what_settings_keep_back_is_told_of_each_product_by_itself() {
    let world = World::new(2);
    world.set(|stock| stock.triggers = vec![Trigger::Loss]);
    for (id, pieces) in [("1", 3), ("2", 4), ("1", 2)] {
        world.sells(id, pieces);
    }
    world.hints("1");
    world.hints("2");
    world.work(1);
    assert_eq!(reasons(&line(&world, "p1")), [("not-sent", -5)]);
    let other = line(&world, "p2");
    assert_eq!(reasons(&other), [("not-sent", -4)]);
    assert!(other.unexplained.is_zero());
    assert_eq!(
        other.explanations[0].reason.value.as_deref(),
        Some("trigger-off")
    );
}

#[test]
fn rows_that_may_be_ours_wait_each_for_itself_until_that_is_known() {
    let world = World::new(2);
    let mut commit = Commit::new();
    let at = world.now.get();
    for id in ["1", "2"] {
        let piece = Piece {
            product_id: id.to_owned(),
            store_id: "1".to_owned(),
            quantity: -3,
            drawn: false,
        };
        let work = format!("{id}-1");
        commit = own::settle(commit, &work, Kind::Sale, &[piece], (at, at), None).unwrap();
        world.sells(id, 3);
    }
    commit.apply(&world.ports()).unwrap();
    world.hints("1");
    world.hints("2");
    world.work(1);
    for code in ["p1", "p2"] {
        assert_eq!(
            reasons(&line(&world, code)),
            [("own-move-open", -3)],
            "{code}"
        );
    }
    assert_eq!((world.out(1), world.out(2)), (None, None));
    // A sale leaves stock alone: both were the till's.
    let nothing = own::Effect::Nothing;
    let commit = Commit::new().put("own-effect/sale", &nothing).unwrap();
    commit.apply(&world.ports()).unwrap();
    world.work(5);
    assert_eq!((world.stock("p1"), world.stock("p2")), (97, 97));
}

#[test]
fn a_difference_names_the_first_of_its_movements_and_its_stores() {
    let world = World::new(1);
    for _ in 0..MOST_IDS + 5 {
        world.sells("1", 1);
    }
    world.hints("1");
    world.work(3);
    assert_eq!(world.stock("p1"), 75);
    let story = story::story(&world.tenant(), "1").unwrap();
    let moved = story
        .events
        .iter()
        .filter(|event| event.ids.change.is_some());
    assert_eq!(moved.count(), MOST_IDS);
    assert_eq!(world.sent().remove(0).stores, ["1"]);
}

#[test]
fn a_movement_that_was_not_sent_has_an_entry_that_releases_nothing() {
    let world = World::new(1);
    world.set(|stock| stock.triggers = vec![Trigger::Loss]);
    world.sells("1", 3);
    world.hints("1");
    world.work(1);
    let entry = world.sent().remove(0);
    assert!(entry.id.starts_with('c') && entry.quantity == Decimal::from(-3));
    let release = |id: &str| {
        let choice = ResendChoice::Entry(id.to_owned());
        stock::resend(&world.tenant(), &choice)
    };
    assert_eq!(release(&entry.id), Ok(0));
    assert!(matches!(release("c77"), Err(Error::NotFound(..))));
}
