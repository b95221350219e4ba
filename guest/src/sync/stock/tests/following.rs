//! How an upload is followed: how soon it is asked after, how long it is waited for, and what is concluded when nothing is seen.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::Value;

use super::world::{Bend, Fault, Queued, World};
use crate::sync::{
    report::{SendProgress, SentEntry, SentResult},
    stock::{
        self,
        batch::{MOST_OPERATIONS, MOST_ROWS},
        deliver,
        records::BatchState,
    },
    story::{self, Step},
    tenant::Tenant,
    testing::at_once,
};

const QUEUE: &str = "/api_v1_system_que/search";
const MOVEMENTS: &str = "/api_v1_master_stockiohistory/search";

fn with_one(quantity: i64) -> World {
    let world = World::new(1);
    world.waits(1, quantity);
    world
}

/// The entry of the upload.
fn entry(world: &World) -> SentEntry {
    let mut entries = world.sent().into_iter();
    entries.find(|entry| entry.id.starts_with("b1-")).unwrap()
}

fn outcome(world: &World) -> SentResult {
    entry(world).outcome
}

/// Another app's upload that is at work until it is said otherwise.
fn others_run(world: &World) {
    world.others_upload();
    let mut queue = world.queue.borrow_mut();
    queue.last_mut().unwrap().status = "1";
}

fn end(entry: &mut Queued) {
    entry.status = "2";
}

/// Books the open upload's row, whatever the queue says.
fn book(world: &World, quantity: i64) {
    let batch = deliver::open_batch(&world.tenant()).unwrap().unwrap();
    world.book("p1", quantity, &batch.value.mark);
}

#[test]
fn nothing_is_asked_after_in_the_moment_in_which_it_was_handed_over() {
    let world = with_one(-3);
    world.stuck.set(Some("1"));
    world.send();
    assert_eq!((world.asked(QUEUE), world.asked(MOVEMENTS)), (0, 0));
    let world = with_one(-3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.send();
    let asked = world.requests.borrow().len();
    world.send();
    assert_eq!(world.requests.borrow().len(), asked);
}

#[test]
fn a_movement_is_the_proof_of_an_upload_without_an_answer() {
    let world = with_one(-3);
    world.faults.borrow_mut().push(Fault::LostAfter);
    // The queue would say that something is at work.
    others_run(&world);
    world.send();
    world.pass(1);
    world.send();
    assert_eq!((outcome(&world), world.out(1)), (SentResult::Applied, None));
    assert_eq!(world.asked(QUEUE), 0);
}

#[test]
fn an_upload_without_an_answer_is_looked_for_at_a_pace_and_given_up_after_ten_minutes() {
    let world = with_one(-3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.work(9);
    assert_eq!(outcome(&world), SentResult::InFlight);
    assert_eq!((world.asked(MOVEMENTS), world.asked(QUEUE)), (4, 0));
    world.work(3);
    assert_eq!((world.uploads(), world.stock("p1")), (2, 97), "at once");
    assert!(world.asked(MOVEMENTS) < 10, "to the last at a pace");
}

#[test]
fn what_others_have_in_the_queue_is_read_once_and_waited_for() {
    let world = with_one(-3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.send();
    others_run(&world);
    world.work(60);
    assert_eq!(outcome(&world), SentResult::InFlight);
    let asked = world.asked(QUEUE);
    assert!((10..=25).contains(&asked), "{asked}");
    world.queue.borrow_mut().iter_mut().for_each(end);
    let before = world.asked(QUEUE);
    for _ in 0..20 {
        world.send();
        world.pass(1);
    }
    assert!(world.asked(QUEUE) > before, "within a tenth of the time");
    world.work(30);
    assert_eq!((world.uploads(), world.stock("p1")), (2, 97));
}

#[test]
fn one_page_of_the_queue_is_asked_for_where_one_is_all() {
    let world = with_one(-3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.send();
    world.others_upload();
    world.work(11);
    assert_eq!(world.asked(QUEUE), 0);
    world.send();
    assert_eq!(world.asked(QUEUE), 1);
}

#[test]
fn nothing_in_the_queue_is_waited_for_longer_than_six_hours() {
    let world = with_one(-3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.send();
    others_run(&world);
    world.work_by(5, 5 * 60 + 50);
    assert_eq!(outcome(&world), SentResult::InFlight);
    world.work_by(5, 3 * 60);
    assert_eq!((world.uploads(), world.stock("p1")), (2, 97));
    // The same of an upload whose id is known, and whose entry never ends.
    for state in ["1", "9"] {
        let world = with_one(-3);
        world.stuck.set(Some(state));
        world.work_by(5, 5 * 60 + 50);
        assert_eq!(outcome(&world), SentResult::InFlight, "{state}");
        world.work_by(5, 3 * 60);
        assert_eq!(outcome(&world), SentResult::Returned, "{state}");
    }
}

#[test]
fn an_entry_that_is_at_work_is_not_verified_and_one_in_an_unknown_state_soon_is() {
    for (state, verified) in [("1", false), ("9", true)] {
        let world = with_one(-3);
        world.stuck.set(Some(state));
        world.send();
        book(&world, -3);
        world.pass(1);
        world.send();
        assert_eq!((world.asked(QUEUE), world.asked(MOVEMENTS)), (1, 0));
        world.pass(1);
        world.work(20);
        let expected = if verified {
            SentResult::Applied
        } else {
            SentResult::InFlight
        };
        assert_eq!(outcome(&world), expected, "{state}");
        assert_eq!(world.asked(MOVEMENTS) > 0, verified);
    }
}

#[test]
fn rows_that_are_not_seen_are_looked_for_three_times_at_growing_pauses() {
    let world = with_one(-3);
    world.refused.borrow_mut().insert("p1".to_owned());
    let mut looks = Vec::new();
    for minute in 0..10 {
        let before = world.asked(MOVEMENTS);
        world.send();
        if world.asked(MOVEMENTS) > before {
            looks.push(minute);
        }
        let open = outcome(&world) == SentResult::InFlight;
        assert_eq!(open, minute < 7, "{minute}");
        world.pass(1);
    }
    assert_eq!(looks, [1, 2, 7]);
}

#[test]
fn a_row_whose_stock_moved_is_looked_for_half_an_hour_before_it_is_called_unclear() {
    let world = with_one(-3);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.send();
    world.move_there("p1", -1);
    world.pass(1);
    world.work(30);
    assert_eq!(
        (outcome(&world), world.held(1)),
        (SentResult::InFlight, None)
    );
    world.work(4);
    let unclear = entry(&world);
    assert_eq!(unclear.outcome, SentResult::Returned);
    assert_eq!(unclear.reason.unwrap().code, "outcome-unclear");
    assert_eq!(world.held(1).unwrap().reason.code, "outcome-unclear");
}

#[test]
fn a_code_that_is_gone_is_known_to_be_not_applied_and_one_that_cannot_be_read_is_not() {
    let world = with_one(-3);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.send();
    world.goods.borrow_mut().remove("p1");
    world.pass(1);
    world.work(10);
    assert_eq!(world.held(1).unwrap().reason.code, "unknown-code");
    let world = with_one(-3);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.send();
    let unreadable: Bend = |answer| answer["data"][0]["stock_quantity"] = Value::from("many");
    world.bent.set(Some(("goods", unreadable)));
    world.pass(1);
    world.work(10);
    assert_eq!(outcome(&world), SentResult::InFlight);
    world.work(30);
    assert_eq!(world.held(1).unwrap().reason.code, "outcome-unclear");
}

#[test]
fn a_batch_that_waited_three_minutes_goes_as_it_is_and_a_later_one_is_formed_afresh() {
    for (minutes, searches) in [(3, 1), (4, 2)] {
        let world = super::left::with_a_batch_that_is_ready();
        world.pass(minutes);
        // Forming it afresh is for the next call.
        world.send();
        world.send();
        assert_eq!(world.uploads(), 1);
        let asked = world.asked("/api_v1_master_goods/search");
        assert_eq!(asked, searches, "{minutes}");
    }
}

#[test]
fn a_row_has_the_time_at_which_it_was_handed_over() {
    let world = super::left::with_a_batch_that_is_ready();
    world.stuck.set(Some("1"));
    world.pass(2);
    world.send();
    let sent = entry(&world);
    assert_eq!(
        (sent.outcome, sent.at),
        (SentResult::InFlight, world.now.get())
    );
}

#[test]
fn a_budget_that_ends_before_the_upload_leaves_it_to_the_next_call() {
    let mut cut = 0;
    for requests in 0..12 {
        let world = with_one(-3);
        let tenant = Tenant::open(world.ports(), requests, 86_400).unwrap();
        let _ = at_once(stock::send(&tenant));
        let open = deliver::open_batch(&world.tenant()).unwrap();
        if open.is_some_and(|open| open.value.state == BatchState::Ready) {
            cut += 1;
            let story = story::story(&world.tenant(), "1").unwrap();
            assert!(story.events.iter().all(|event| event.step != Step::Sent));
            let mut progress = SendProgress::default();
            at_once(stock::follow(&world.tenant(), &mut progress)).unwrap();
            assert_eq!(world.uploads(), 1, "the schedule's next call");
        }
        world.pass(1);
        world.work(3);
        assert_eq!((world.uploads(), world.stock("p1")), (1, 97), "{requests}");
    }
    assert!(cut > 0);
}

#[test]
fn another_time_than_the_settled_one_finds_no_row() {
    // Applied, and given back: both when it was settled.
    for refused in [false, true] {
        let world = with_one(-3);
        world.stuck.set(Some("1"));
        world.send();
        world.pass(20);
        if refused {
            world.refused.borrow_mut().insert("p1".to_owned());
        }
        world.stuck.set(None);
        world.run_queue();
        let since = world.now.get();
        world.work(10);
        let found = |since, before| {
            let mut ids = world.sent_between(since, before).into_iter();
            ids.any(|entry| entry.id == "b1-0")
        };
        assert!(found(Some(since), None), "{refused}");
        assert!(!found(None, Some(since)), "{refused}");
    }
    // While it is looked for it stays where it was handed over.
    let world = with_one(-3);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.send();
    world.pass(1);
    let after = world.now.get();
    world.work(4);
    assert_eq!(outcome(&world), SentResult::InFlight);
    assert_eq!(world.sent_between(None, Some(after)).len(), 1);
}

#[test]
fn a_row_that_never_arrived_has_its_time_too() {
    let world = with_one(-3);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.work(9);
    let since = world.now.get();
    world.work(4);
    let found = world.sent_between(Some(since), None);
    let returned = found.iter().find(|entry| entry.id == "b1-0").unwrap();
    assert_eq!(returned.outcome, SentResult::Returned);
    assert_eq!(returned.reason.as_ref().unwrap().code, "not-received");
}

#[test]
fn an_applied_and_a_refused_row_of_one_look_are_both_counted() {
    let world = World::new(2);
    world.waits(1, -1);
    world.waits(2, -2);
    world.refused.borrow_mut().insert("p1".to_owned());
    world.movements_late.set(TimeDelta::minutes(5));
    world.work(9);
    let days = crate::sync::daily::daily(&world.tenant(), 1).unwrap();
    assert_eq!((days[0].applied, days[0].returned), (1, 1));
}

/// Whether the upload stands above a movement that settings kept back half an hour after it was handed over, and half an hour before
/// it was followed to its end.
fn stands_above(upload: impl FnOnce(&World), after: impl FnOnce(&World)) -> bool {
    let world = with_one(-3);
    upload(&world);
    world.send();
    world.set(|stock| stock.triggers.clear());
    world.pass(30);
    world.sells("1", 1);
    world.hints("1");
    let mut progress = SendProgress::default();
    at_once(stock::read(&world.tenant(), &mut progress)).unwrap();
    world.pass(1);
    after(&world);
    world.work(60);
    let ids: Vec<String> = world.sent().into_iter().map(|entry| entry.id).collect();
    let place = |id: &str| ids.iter().position(|other| other == id).unwrap();
    place("b1-0") < place("c1")
}

#[test]
fn what_became_of_an_upload_stands_where_it_was_seen() {
    let stuck = |world: &World| world.stuck.set(Some("1"));
    let runs = |world: &World| {
        world.stuck.set(None);
        world.run_queue();
    };
    assert!(stands_above(stuck, runs), "applied");
    let refused = |world: &World| {
        stuck(world);
        world.refused.borrow_mut().insert("p1".to_owned());
    };
    assert!(stands_above(refused, runs), "refused");
    let lost = |world: &World| world.faults.borrow_mut().push(Fault::LostBefore);
    assert!(stands_above(lost, |_| ()), "not received");
    assert!(!stands_above(stuck, |_| ()), "nothing was seen of it");
}

#[test]
fn looks_that_see_nothing_leave_an_upload_where_it_was_handed_over() {
    let first = |world: &World| {
        world.refused.borrow_mut().insert("p1".to_owned());
    };
    let world = with_one(-3);
    first(&world);
    world.send();
    world.pass(1);
    world.set(|stock| stock.triggers.clear());
    world.sells("1", 1);
    world.hints("1");
    world.send();
    let kept_back = world.sent()[0].id.clone();
    for minute in 2..7 {
        world.pass(1);
        world.send();
        assert_eq!(outcome(&world), SentResult::InFlight, "{minute}");
        assert_eq!(world.sent()[0].id, kept_back, "{minute}");
    }
}

/// So many products, one of each sold.
fn with_rows(rows: usize) -> World {
    let world = World::new(rows);
    (1..=rows).for_each(|id| world.waits(id, -1));
    world
}

/// What all products are held for, and the sum of what waits of them.
fn all_held(world: &World) -> (BTreeSet<String>, i64) {
    let held = (1..=MOST_ROWS).map(|id| world.held(id).unwrap().reason.code);
    let waits = (1..=MOST_ROWS).filter_map(|id| world.out(id));
    (held.collect(), waits.sum())
}

#[test]
fn an_upload_as_large_as_can_be_is_given_back_whole_and_halved() {
    let world = with_rows(MOST_ROWS);
    world.poison.borrow_mut().insert("p7".to_owned());
    world.work(9);
    assert_eq!(world.uploads(), 1);
    let most = i64::try_from(MOST_ROWS).unwrap();
    let refused = BTreeSet::from(["batch-refused".to_owned()]);
    assert_eq!(all_held(&world), (refused, -most));
    let days = crate::sync::daily::daily(&world.tenant(), 1).unwrap();
    assert_eq!(days[0].returned, MOST_ROWS as u64);
    world.work(10);
    assert_eq!(world.uploaded_rows()[1], MOST_ROWS / 2);
}

#[test]
fn one_that_is_left_after_the_rest_was_given_back_is_not_to_blame_for_being_alone() {
    let rows = MOST_OPERATIONS / 4 + 1;
    let world = with_rows(rows);
    world.poison.borrow_mut().insert("p7".to_owned());
    world.work(9);
    let codes = (1..=rows).map(|id| world.held(id).unwrap().reason.code);
    let codes: BTreeSet<String> = codes.collect();
    assert_eq!(codes, BTreeSet::from(["batch-refused".to_owned()]));
}

#[test]
fn an_upload_as_large_as_can_be_that_was_booked_twice_waits_whole_for_a_person() {
    let world = with_rows(MOST_ROWS);
    world.times.set(2);
    world.work(9);
    let wrong = BTreeSet::from(["applied-wrong".to_owned()]);
    assert_eq!((all_held(&world), world.uploads()), ((wrong, 0), 1));
}

#[test]
fn one_row_to_blame_keeps_the_next_uploads_as_large_as_they_were() {
    let world = with_rows(MOST_ROWS);
    world.stuck.set(Some("1"));
    world.send();
    // The first: it is given back before the last.
    world.goods.borrow_mut().remove("p1");
    world.poison.borrow_mut().insert("p7".to_owned());
    world.stuck.set(None);
    world.run_queue();
    world.pass(1);
    world.work(12);
    assert_eq!(world.held(1).unwrap().reason.code, "unknown-code");
    assert_eq!(world.held(600).unwrap().reason.code, "batch-refused");
    world.poison.borrow_mut().clear();
    world.work(10);
    assert!(world.uploaded_rows()[1] > MOST_ROWS / 2);
}

#[test]
fn of_a_large_upload_what_was_refused_and_what_was_booked_wrong_is_kept_apart() {
    let world = with_rows(MOST_ROWS);
    let refused = |id: usize| id.is_multiple_of(2);
    let codes = (1..=MOST_ROWS).filter(|id| refused(*id));
    let codes = codes.map(|id| format!("p{id}"));
    world.refused.borrow_mut().extend(codes);
    world.times.set(2);
    world.work(12);
    for id in 1..=MOST_ROWS {
        let (code, waits) = if refused(id) {
            ("row-refused", -1)
        } else {
            ("applied-wrong", 0)
        };
        let held = world.held(id).unwrap().reason.code;
        assert_eq!((held.as_str(), world.out(id)), (code, Some(waits)), "{id}");
    }
    assert_eq!(world.uploads(), 1);
}
