//! The story of a product: its movements, uploads and what it waits for.

use super::world::World;
use crate::sync::story::{self, Step, Subject};

fn steps(world: &World, key: &str) -> Vec<Step> {
    let story = story::story(&world.tenant(), key).unwrap();
    story.events.iter().map(|event| event.step).collect()
}

#[test]
fn an_upload_is_told_from_its_intent_to_the_movement() {
    let world = World::new(2);
    world.waits(1, -1);
    assert_eq!(steps(&world, "1"), [Step::Waits]);
    world.work(3);
    let story = story::story(&world.tenant(), "1").unwrap();
    assert_eq!(story.subjects, [Subject::Product("1".to_owned())]);
    assert_eq!(
        steps(&world, "1"),
        [Step::Intent, Step::Sent, Step::Settled]
    );
    let sent = &story.events[1].ids;
    assert_eq!(sent.entry.as_deref(), Some("b1-0"));
    assert!(sent.queue.is_some() && sent.code.is_some());
    let by_code = sent.code.clone().unwrap();
    assert_eq!(steps(&world, &by_code), steps(&world, "1"));
    assert!(
        story::story(&world.tenant(), "2").is_err(),
        "nothing of it is known here"
    );
}

#[test]
fn a_refused_row_tells_why_and_waits() {
    let world = World::new(1);
    world.waits(1, -1);
    let code = world.goods.borrow().keys().next().unwrap().clone();
    world.refused.borrow_mut().insert(code.clone());
    world.work(12);
    let story = story::story(&world.tenant(), &code).unwrap();
    let refused = story
        .events
        .iter()
        .find(|event| event.step == Step::Refused);
    assert!(
        refused.is_some_and(|event| event.reason.is_some()),
        "{:#?}",
        story.events
    );
    let last = story.events.last().unwrap();
    assert_eq!(last.step, Step::Waits);
    assert!(last.reason.is_some());
}

#[test]
fn what_was_applied_and_given_back_is_counted_by_day() {
    let world = World::new(2);
    world.waits(1, -1);
    world.waits(2, -2);
    let code = world.goods.borrow().keys().next().unwrap().clone();
    world.refused.borrow_mut().insert(code);
    world.work(12);
    let days = crate::sync::daily::daily(&world.tenant(), 1).unwrap();
    assert_eq!((days[0].applied, days[0].returned), (1, 1));
    let calls = world
        .requests
        .borrow()
        .iter()
        .filter(|(path, _)| path.starts_with("/api_v1"))
        .count();
    assert_eq!(days[0].calls, calls as u64);
}
