//! When an upload goes: by hand at once, by the schedule after its pause, with many sooner, and never while patience is asked for.

use chrono::TimeDelta;

use super::world::{Fault, World};
use crate::{
    reason::Reason,
    sync::{
        report::SendProgress,
        stock::{
            self, Urgency,
            records::{BOOK_KEY, Book, Held, held_key},
        },
        store::{self, Commit, Stored},
        tenant::SETTINGS_KEY,
        testing::at_once,
    },
    time::Moment,
};

const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// One batch was made at the moment given; three products wait is many.
fn shop() -> (World, Moment) {
    let world = World::new(9);
    let mut settings = world.tenant().settings;
    settings.pace.send_early_products = 3;
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&world.ports()).unwrap();
    let made_at = world.now.get();
    world.waits(9, -1);
    world.work(3);
    assert_eq!((world.stock("p9"), world.uploads()), (99, 1));
    (world, made_at)
}

fn change_book(world: &World, change: impl Fn(&mut Book)) {
    let seen: Stored<Book> = store::read(&world.ports(), BOOK_KEY).unwrap().unwrap();
    let mut book = seen.value;
    change(&mut book);
    let commit = Commit::new().put(BOOK_KEY, &book).unwrap();
    commit.apply(&world.ports()).unwrap();
}

fn hold(world: &World, id: usize, needs_person: bool, again_at: Option<Moment>) {
    let held = Held {
        reason: Reason::new("held", "訳", "why"),
        code: Some(format!("p{id}")),
        since: world.now.get(),
        looked_at: world.now.get(),
        again_at,
        needs_person,
    };
    let commit = Commit::new()
        .put(&held_key(&id.to_string()), &held)
        .unwrap();
    commit.apply(&world.ports()).unwrap();
}

fn next(world: &World) -> Option<Moment> {
    stock::next_upload(&world.tenant(), PAUSE).unwrap()
}

/// Whether an upload of the schedule's makes any call.
fn goes(world: &World, urgency: Urgency) -> bool {
    let before = world.requests.borrow().len();
    let mut progress = SendProgress::default();
    at_once(stock::upload(&world.tenant(), urgency, &mut progress)).unwrap();
    world.requests.borrow().len() > before
}

#[test]
fn the_schedule_keeps_its_pause_between_batches() {
    let fresh = World::new(1);
    assert_eq!(stock::send_due_at(&fresh.tenant(), PAUSE), Ok(None));
    assert_eq!(next(&fresh), None, "nothing waits");
    fresh.waits(1, -1);
    assert_eq!(next(&fresh), Some(fresh.now.get()));
    let (world, made_at) = shop();
    let due = made_at + PAUSE;
    assert_eq!(stock::send_due_at(&world.tenant(), PAUSE), Ok(Some(due)));
    world.waits(1, -1);
    world.waits(2, -1);
    assert_eq!(next(&world), Some(due));
    assert!(!goes(&world, Urgency::NotBefore(due)));
    world.now.set(due);
    assert!(goes(&world, Urgency::NotBefore(due)));
}

#[test]
fn many_products_do_not_wait_for_the_pause_and_a_person_never_does() {
    let (world, made_at) = shop();
    let later = Urgency::NotBefore(made_at + PAUSE);
    for id in 1..=3 {
        assert!(!goes(&world, later), "{id}");
        world.waits(id, -1);
    }
    assert_eq!(next(&world), Some(world.now.get()));
    assert!(goes(&world, later));
    let (world, _) = shop();
    assert!(!goes(&world, Urgency::Now), "nothing waits");
    world.waits(1, -1);
    assert!(goes(&world, Urgency::Now));
}

#[test]
fn patience_that_was_asked_for_is_kept_by_the_schedule_alone() {
    let (world, _) = shop();
    let until = world.now.get() + TimeDelta::hours(1);
    change_book(&world, |book| book.not_before = Some(until));
    for id in 1..=3 {
        world.waits(id, -1);
    }
    assert_eq!(next(&world), Some(until));
    assert!(!goes(&world, Urgency::NotBefore(world.now.get())));
    assert!(goes(&world, Urgency::Now));
    let (world, _) = shop();
    change_book(&world, |book| book.not_before = Some(until));
    world.waits(1, -1);
    world.now.set(until);
    assert!(goes(&world, Urgency::NotBefore(until)));
}

#[test]
fn what_is_held_is_looked_at_once_a_day_and_what_waits_for_a_person_never() {
    let (world, _) = shop();
    world.waits(1, -1);
    hold(&world, 1, true, None);
    assert_eq!(next(&world), None);
    assert!(!goes(&world, Urgency::NotBefore(world.now.get())));
    assert!(!goes(&world, Urgency::Now));
    hold(&world, 1, false, None);
    let looked_at = world.now.get();
    change_book(&world, |book| book.held_looked_at = Some(looked_at));
    let tomorrow = looked_at + TimeDelta::days(1);
    assert_eq!(next(&world), Some(tomorrow));
    world.now.set(tomorrow - TimeDelta::seconds(1));
    assert!(!goes(&world, Urgency::NotBefore(looked_at)));
    world.now.set(tomorrow);
    assert!(!goes(&world, Urgency::NotBefore(tomorrow + PAUSE)));
    assert!(goes(&world, Urgency::NotBefore(tomorrow)));
    let (world, _) = shop();
    world.waits(1, -1);
    hold(&world, 1, false, None);
    assert!(goes(&world, Urgency::Now), "a person looks at once");
}

#[test]
fn what_is_held_until_a_moment_is_due_then_and_not_before_the_pause() {
    let (world, made_at) = shop();
    world.waits(1, -1);
    let again = made_at + TimeDelta::minutes(4);
    hold(&world, 1, false, Some(again));
    assert_eq!(next(&world), Some(made_at + PAUSE));
    let again = made_at + TimeDelta::minutes(7);
    hold(&world, 1, false, Some(again));
    assert_eq!(next(&world), Some(again));
}

#[test]
fn a_batch_on_its_way_is_followed_before_another_is_due() {
    let (world, _) = shop();
    world.stuck.set(Some("1"));
    world.waits(1, -1);
    let progress = world.try_send().unwrap();
    assert!(progress.in_flight && !progress.more);
    world.waits(2, -1);
    assert_eq!(next(&world), None);
    let progress = world.try_send().unwrap();
    assert_eq!(progress.products_waiting, 1);
    assert!(progress.in_flight && !progress.more);
    assert!(progress.next_at.is_some_and(|at| at > world.now.get()));
}

#[test]
fn a_caller_learns_what_waits_what_is_held_and_when_to_come_again() {
    let (world, _) = shop();
    let idle = world.try_send().unwrap();
    let asked = world.requests.borrow().len();
    assert_eq!(world.try_send(), Ok(idle.clone()));
    assert_eq!(world.requests.borrow().len(), asked, "nothing to do");
    assert!(!idle.more && !idle.in_flight);
    assert_eq!((idle.products_waiting, idle.products_held), (0, 0));
    world.waits(1, -1);
    hold(&world, 1, true, None);
    world.waits(2, -1);
    hold(&world, 2, true, None);
    let held = world.try_send().unwrap();
    assert_eq!((held.products_waiting, held.products_held), (0, 2));
    assert!(!held.more);
    world.link(false);
    world.waits(3, -1);
    world.waits(4, -1);
    let off = world.try_send().unwrap();
    assert_eq!((off.products_waiting, off.products_held), (2, 2));
    assert!(!off.more && off.next_at.is_none());
}

#[test]
fn a_batch_that_next_engine_put_off_goes_again_by_hand_at_once() {
    let (world, _) = shop();
    world.waits(1, -1);
    world.faults.borrow_mut().push(Fault::Refuse("003001"));
    world.send();
    assert_eq!(world.uploads(), 2);
    let mut progress = SendProgress::default();
    at_once(stock::follow(&world.tenant(), &mut progress)).unwrap();
    assert_eq!(world.uploads(), 2, "the schedule waits");
    world.send();
    assert_eq!(world.uploads(), 3);
}
