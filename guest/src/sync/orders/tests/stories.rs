//! The story of an order: everything that happened to it, in the order of time, and what it waits for.

use super::shop::{shop_refusing_points, shop_with};
use crate::{
    error::Error,
    rules::order::OrderState,
    sync::{
        report::RetryChoice,
        story::{Step, Story, Subject},
    },
};

fn steps(story: &Story) -> Vec<Step> {
    story.events.iter().map(|event| event.step).collect()
}

#[test]
fn a_sale_is_told_from_its_reading_to_its_undoing_by_either_number() {
    let shop = shop_with(&["1001", "1002"]);
    shop.import();
    shop.world.pass(60);
    shop.world.edit(1001, |order| {
        order.life = crate::rules::order::Life::Cancelled;
        order.cancel_type = "1".to_owned();
    });
    shop.import();
    for key in ["1001", "R-1001", " 0001001 "] {
        let story = shop.story(key).unwrap();
        assert_eq!(story.subjects, [Subject::Order("1001".to_owned())], "{key}");
        use Step as S;
        let expected = [
            S::CameIn,
            S::Intent,
            S::Settled,
            S::CameIn,
            S::Decided,
            S::Intent,
            S::Settled,
        ];
        let mut told = steps(&story);
        // What is decided of an order that is over is told at the time of its last step.
        told.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(told, expected, "{:#?}", story.events);
        let registered = story
            .events
            .iter()
            .find(|event| event.step == S::Settled)
            .unwrap();
        assert!(
            registered.ids.transaction.is_some() && registered.ids.store.as_deref() == Some("10")
        );
        assert!(story.events.windows(2).all(|two| two[0].at <= two[1].at));
        assert!(!story.cut);
    }
}

#[test]
fn a_refused_order_tells_each_refusal_and_what_it_waits_for() {
    let shop = shop_refusing_points();
    shop.world.pass(10);
    shop.retry(RetryChoice::Slip("1001".to_owned()));
    let story = shop.story("1001").unwrap();
    assert_eq!(
        steps(&story),
        [Step::CameIn, Step::Refused, Step::Refused, Step::Waits]
    );
    let waits = story.events.last().unwrap();
    assert_eq!(
        waits.reason.as_ref().unwrap().field.as_deref(),
        Some("receive_order_point_amount")
    );
    shop.set(|_| ());
    shop.world.pass(10);
    shop.retry(RetryChoice::Slip("1001".to_owned()));
    let story = shop.story("1001").unwrap();
    assert_eq!(story.events.last().unwrap().step, Step::Settled);
    assert!(!steps(&story).contains(&Step::Waits), "{:#?}", story.events);
}

#[test]
fn an_order_that_went_back_waits_for_its_moment() {
    let shop = shop_with(&["1001"]);
    shop.import();
    shop.world.pass(60);
    shop.world.edit(1001, |order| {
        (order.state, order.shipped_on) = (OrderState::Issued, None);
        order.state_id = "2".to_owned();
    });
    shop.import();
    let story = shop.story("1001").unwrap();
    assert!(
        story
            .events
            .iter()
            .any(|event| event.step == Step::Waits && event.reason.is_some()),
        "{:#?}",
        story.events
    );
}

#[test]
fn a_key_that_names_nothing_is_told() {
    let shop = shop_with(&["1001"]);
    shop.import();
    for key in ["", "9999", "R-10", "no such", "R-1001x"] {
        assert!(
            matches!(shop.story(key), Err(Error::NotFound("order-or-product", _))),
            "{key}"
        );
    }
    let long = "x".repeat(1_000);
    assert!(matches!(shop.story(&long), Err(Error::NotFound(..))));
}

#[test]
fn a_product_tells_the_orders_it_is_in() {
    let shop = shop_with(&["1001"]);
    shop.import();
    let story = shop.story("a").unwrap();
    // The id of A.
    assert_eq!(story.subjects, [Subject::Product("65".to_owned())]);
    assert_eq!(steps(&story), [Step::CameIn, Step::Intent, Step::Settled]);
}
