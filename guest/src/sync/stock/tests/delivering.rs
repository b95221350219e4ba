//! Uploads that go wrong, and what must never be booked twice.

use chrono::TimeDelta;
use serde_json::Value;

use super::world::{Bend, Fault, World};
use crate::sync::{
    report::{ResendChoice, SentResult},
    stock::{
        self,
        records::{BOOK_KEY, Book},
    },
    store,
    testing::at_once,
};

fn size(world: &World) -> usize {
    let book = store::read::<Book>(&world.ports(), BOOK_KEY).unwrap();
    book.unwrap().value.most_rows
}

/// A person's word; how many it lets go.
pub fn resend(world: &World, choice: ResendChoice) -> u32 {
    stock::resend(&world.tenant(), &choice).unwrap()
}

/// A row of three that Next Engine refused, while somebody took one off there: nobody knows whether it was applied. By now it would be.
pub fn with_an_unclear_row() -> World {
    let world = World::new(1);
    world.waits(1, -3);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.send();
    world.move_there("p1", -1);
    world.work(60);
    assert_eq!(world.held(1).unwrap().reason.code, "outcome-unclear");
    world.refused.borrow_mut().clear();
    world
}

#[test]
fn a_difference_is_applied_and_leaves_the_ledger() {
    let world = World::new(2);
    world.waits(1, -3);
    world.work(3);
    assert_eq!((world.stock("p1"), world.out(1)), (97, None));
    let sent = world.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].outcome, SentResult::Applied);
}

#[test]
fn an_upload_whose_answer_was_lost_is_found_and_not_repeated() {
    for late in [0, 40] {
        let world = World::new(1);
        world.waits(1, -3);
        world.movements_late.set(TimeDelta::minutes(late));
        world.faults.borrow_mut().push(Fault::LostAfter);
        world.work_by(2, 120);
        assert_eq!((world.uploads(), world.stock("p1")), (1, 97), "{late}");
    }
}

#[test]
fn a_movement_seen_after_all_settles_what_a_person_resends() {
    let world = World::new(1);
    world.waits(1, -3);
    world.movements_late.set(TimeDelta::minutes(90));
    world.work(60);
    let held = world.held(1).unwrap();
    assert_eq!(
        (held.reason.code.as_str(), held.needs_person),
        ("outcome-unclear", true)
    );
    assert_eq!(world.out(1), Some(0), "what is unclear is kept apart");
    assert_eq!(resend(&world, ResendChoice::AllFailed), 0);
    world.waits(1, -2);
    world.work(40);
    world.movements_late.set(TimeDelta::zero());
    assert_eq!((world.uploads(), world.stock("p1")), (1, 97));
    assert_eq!(resend(&world, ResendChoice::Entry("w-1".to_owned())), 1);
    world.work(5);
    assert_eq!(
        (world.uploads(), world.stock("p1"), world.out(1)),
        (2, 95, None)
    );
    assert!(world.tried(1).is_none() && world.held(1).is_none());
    assert!(
        world
            .sent()
            .iter()
            .all(|entry| entry.outcome == SentResult::Applied)
    );
}

#[test]
fn what_a_person_resends_and_nobody_finds_goes_once() {
    let world = with_an_unclear_row();
    let entry = world
        .sent()
        .into_iter()
        .find(|entry| entry.id.starts_with('b'));
    assert_eq!(resend(&world, ResendChoice::Entry(entry.unwrap().id)), 1);
    world.work(10);
    assert_eq!((world.stock("p1"), world.out(1)), (96, None));
}

#[test]
fn an_upload_that_was_lost_on_its_way_goes_again() {
    let world = World::new(1);
    world.waits(1, -3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.work(8);
    assert_eq!(world.uploads(), 1, "not before the grace has passed");
    world.work(30);
    assert_eq!((world.uploads(), world.stock("p1")), (2, 97));
}

#[test]
fn what_was_lost_goes_again_also_when_others_use_the_queue() {
    let world = World::new(2);
    world.waits(1, -3);
    world.work(3);
    world.waits(2, -3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.send();
    world.others_upload();
    world.work(60);
    assert_eq!((world.uploads(), world.stock("p2")), (3, 97));
}

#[test]
fn what_is_in_an_unknown_state_is_neither_absent_nor_over() {
    for stuck in ["0", "1", "9"] {
        for fault in [None, Some(Fault::LostAfter)] {
            let world = World::new(1);
            world.waits(1, -3);
            world.stuck.set(Some(stuck));
            world.faults.borrow_mut().extend(fault);
            world.work_by(5, 180);
            assert_eq!((world.uploads(), world.out(1)), (1, None), "{stuck}");
            world.stuck.set(None);
            world.run_queue();
            world.work(60);
            assert_eq!((world.uploads(), world.stock("p1")), (1, 97), "{stuck}");
        }
    }
}

#[test]
fn one_bad_row_does_not_hold_up_its_neighbours() {
    let world = World::new(20);
    for id in 1..=20 {
        world.waits(id, -1);
    }
    world.poison.borrow_mut().insert("p7".to_owned());
    world.work_by(5, 12 * 60);
    let left: Vec<usize> = (1..=20).filter(|id| world.out(*id).is_some()).collect();
    assert_eq!(left, [7]);
    assert_eq!(world.held(7).unwrap().reason.code, "row-refused");
    assert!((1..=20).all(|id| world.stock(&format!("p{id}")) == if id == 7 { 100 } else { 99 }));
}

#[test]
fn a_movement_that_does_not_say_whose_it_is_holds_up_nobody() {
    let world = World::new(3);
    let nameless: Bend = |answer| {
        let rows = answer["data"].as_array_mut().unwrap().iter_mut();
        for row in rows.filter(|row| row["stock_io_history_goods_id"] == "p2") {
            row["stock_io_history_goods_id"] = Value::Null;
            row["stock_io_history_id"] = "?".into();
        }
    };
    world.bent.set(Some(("movements", nameless)));
    for id in 1..=3 {
        world.waits(id, -1);
    }
    world.refused.borrow_mut().insert("p3".to_owned());
    world.work(60);
    assert_eq!(world.stock("p2"), 99, "counted, and once");
    assert_eq!((world.out(1), world.out(2)), (None, None));
    assert_eq!(world.held(2), None);
    let reason = world.held(3).unwrap().reason.code;
    assert_eq!(reason, "row-refused", "known not to be there");
}

#[test]
fn a_row_that_is_refused_alone_waits_alone() {
    let world = World::new(2);
    world.waits(1, -1);
    world.waits(2, -1);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.work(30);
    let held = world.held(1).unwrap();
    assert_eq!(
        (held.reason.code.as_str(), held.needs_person),
        ("row-refused", true)
    );
    assert!(
        held.reason.message.ja.contains("言葉"),
        "the queue's words are told"
    );
    assert_eq!(
        (world.stock("p1"), world.stock("p2"), world.out(1)),
        (100, 99, Some(-1))
    );
    world.refused.borrow_mut().clear();
    assert_eq!(resend(&world, ResendChoice::AllFailed), 1);
    world.work(10);
    assert_eq!((world.stock("p1"), world.out(1)), (99, None));
}

#[test]
fn a_row_applied_after_it_was_given_back_is_not_sent_again() {
    let world = World::new(2);
    world.waits(1, -1);
    world.waits(2, -1);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.work(30);
    let mark = world.tried(1).unwrap().mark;
    world.book("p1", -1, &mark);
    world.waits(1, -5);
    world.refused.borrow_mut().clear();
    assert_eq!(resend(&world, ResendChoice::AllFailed), 1);
    world.work(10);
    assert_eq!((world.stock("p1"), world.out(1)), (94, None));
    assert!(
        world
            .sent()
            .iter()
            .all(|entry| entry.outcome == SentResult::Applied)
    );
}

#[test]
fn a_row_booked_twice_is_told() {
    let world = World::new(1);
    world.waits(1, -3);
    world.times.set(2);
    world.work(3);
    let held = world.held(1).unwrap();
    assert_eq!(
        (held.reason.code.as_str(), held.needs_person),
        ("applied-wrong", true)
    );
    let entry = world
        .sent()
        .into_iter()
        .find(|entry| entry.id.starts_with('b'))
        .unwrap();
    assert_eq!(entry.outcome, SentResult::Applied);
    assert_eq!(entry.reason.unwrap().code, "applied-wrong");
}

#[test]
fn a_batch_that_was_refused_is_formed_afresh_and_smaller() {
    let world = World::new(200);
    for id in 1..=200 {
        world.waits(id, -1);
    }
    world.faults.borrow_mut().push(Fault::Refuse("006005"));
    assert!(world.try_send().is_err());
    assert_eq!((size(&world), world.out(1)), (100, Some(-1)));
    assert!(world.sent().iter().all(|entry| entry.id.starts_with("w-")));
    // Allocated meanwhile: the fresh look sees it.
    world.goods.borrow_mut().get_mut("p1").unwrap().allocated = 100;
    world.work(20);
    assert_eq!((world.stock("p1"), world.stock("p2")), (100, 99));
    assert_eq!(world.held(1).unwrap().reason.code, "free-stock");
}

#[test]
fn a_batch_that_was_not_handed_over_does_not_go_out_stale_or_while_off() {
    for off in [false, true] {
        let world = World::new(1);
        world.waits(1, -3);
        at_once(async {
            let tenant = world.tenant();
            let smaregi = crate::sync::smaregi_session::Smaregi::open(&tenant)
                .await
                .unwrap();
            let mut next_engine = crate::sync::next_engine_session::NextEngine::open(&tenant)
                .await
                .unwrap();
            let candidates = stock::batch::candidates(&tenant).unwrap();
            stock::batch::form(&smaregi, &mut next_engine, &tenant, candidates)
                .await
                .unwrap()
                .unwrap();
            next_engine.close().unwrap();
        });
        world.link(!off);
        world.pass(if off { 0 } else { 30 });
        world.send();
        // While off it goes back; while on a fresh one, looked up anew, takes its place.
        assert_eq!(world.uploads(), usize::from(!off));
        assert_eq!(world.out(1), off.then_some(-3));
        assert_eq!(
            world.asked("/api_v1_master_goods/search"),
            if off { 1 } else { 2 }
        );
        world.link(true);
        world.work(10);
        assert_eq!(world.stock("p1"), 97);
    }
}

#[test]
fn held_products_are_looked_at_in_turn() {
    let world = World::new(0);
    for id in 1..=1_000 {
        world.waits(id, 1);
    }
    for _ in 0..3 {
        world.send();
        world.pass(1);
    }
    assert!((1..=1_000).all(|id| world.held(id).is_some()));
    world.add("p1000", 0);
    for _ in 0..4 {
        world.send();
        world.pass(1);
    }
    assert_eq!(world.stock("p1000"), 1);
}

#[test]
fn a_code_with_a_comma_is_asked_by_itself() {
    let world = World::new(1);
    world.add("p2,x", 10);
    at_once(async {
        let tenant = world.tenant();
        let mut next_engine = crate::sync::next_engine_session::NextEngine::open(&tenant)
            .await
            .unwrap();
        let codes = ["p1".to_owned(), "p2,x".to_owned()];
        let known = stock::batch::read_goods(&mut next_engine, &codes)
            .await
            .unwrap();
        assert_eq!(known.goods.len(), 2);
    });
}

#[test]
fn a_full_batch_fits_into_storage_whatever_becomes_of_it() {
    let world = World::new(460);
    for id in 1..=460 {
        for _ in 0..25 {
            world.waits(id, -1);
        }
    }
    let codes = world.goods.borrow().keys().cloned().collect::<Vec<_>>();
    world
        .refused
        .borrow_mut()
        .extend(codes.iter().skip(1).cloned());
    world.work_by(7, 35);
    let refused = (1..=460).filter(|id| {
        let held = world.held(*id);
        held.is_some_and(|held| held.reason.code == "row-refused")
    });
    assert!(refused.count() >= 449);
}
