//! What a call of the stock's flow says of what is left, and which batch it takes up at once.

use chrono::TimeDelta;

use super::world::World;
use crate::{
    error::Error,
    sync::{
        own::{self, Kind, Piece, look},
        report::SendProgress,
        smaregi_session::Smaregi,
        stock::{
            self, Urgency, finish,
            intake::{Place, note},
            records::{Batch, BatchState, OPEN_BATCH_KEY},
        },
        store::{self, Commit},
        testing::at_once,
    },
};

fn left(world: &World) -> SendProgress {
    finish(&world.tenant(), &mut SendProgress::default(), Ok(())).unwrap()
}

#[test]
fn each_thing_that_the_same_call_would_do_now_is_a_reason_to_call_again() {
    let world = World::new(2);
    let now = Some(world.now.get());
    let nothing = left(&world);
    assert_eq!((nothing.more, nothing.next_at), (false, None));
    world.waits(1, -1);
    let waits = left(&world);
    assert_eq!(
        (waits.more, waits.next_at, waits.products_waiting),
        (true, now, 1)
    );
    world.link(false);
    assert!(!left(&world).more, "nothing is sent while it is off");
    let hinted = World::new(2);
    note(&hinted.tenant(), &[Place::new("1", "1")], None).unwrap();
    let hints = left(&hinted);
    assert_eq!(
        (hints.more, hints.next_at, hints.hints_waiting),
        (true, now, 1)
    );
    let spent = World::new(2);
    let tenant = spent.tenant();
    let spent = finish(
        &tenant,
        &mut SendProgress::default(),
        Err(Error::BudgetSpent),
    );
    assert!(spent.unwrap().more);
}

/// One product in a batch that is formed and not handed over, with its turn in five minutes.
pub fn with_a_batch_that_is_ready() -> World {
    let world = World::new(1);
    world.waits(1, -1);
    let tenant = world.tenant();
    let candidates = stock::batch::candidates(&tenant).unwrap();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let mut next_engine =
        at_once(crate::sync::next_engine_session::NextEngine::open(&tenant)).unwrap();
    let formed = stock::batch::form(&session, &mut next_engine, &tenant, candidates);
    let batch = at_once(formed).unwrap().unwrap();
    next_engine.close().unwrap();
    let later = Batch {
        next_at: world.now.get() + TimeDelta::minutes(5),
        ..batch
    };
    assert_eq!(later.state, BatchState::Ready);
    let key = stock::records::batch_key(later.number);
    let commit = Commit::new().put(&key, &later).unwrap();
    commit.apply(&world.ports()).unwrap();
    assert!(
        store::read::<u64>(&world.ports(), OPEN_BATCH_KEY)
            .unwrap()
            .is_some()
    );
    world
}

#[test]
fn a_batch_that_is_ready_goes_at_once_for_a_person_and_in_its_time_for_the_schedule() {
    let world = with_a_batch_that_is_ready();
    let mut progress = SendProgress::default();
    at_once(stock::follow(&world.tenant(), &mut progress)).unwrap();
    let soon = Urgency::NotBefore(world.now.get());
    at_once(stock::upload(&world.tenant(), soon, &mut progress)).unwrap();
    assert_eq!(world.uploads(), 0);
    world.send();
    assert_eq!(world.uploads(), 1);
    // What is handed over is asked after in its time, whoever asks.
    let asked = world.requests.borrow().len();
    world.send();
    assert_eq!(world.requests.borrow().len(), asked);
}

#[test]
fn a_difference_in_a_batch_waits_until_it_is_handed_over_and_is_on_its_way_then() {
    let world = with_a_batch_that_is_ready();
    *world.smaregi.borrow_mut().get_mut("1").unwrap() -= 1;
    let told = || {
        let comparison = at_once(stock::compare(&world.tenant())).unwrap();
        let reasons = comparison.lines[0].explanations.iter();
        let codes = reasons.map(|part| part.reason.code.clone());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(told(), ["waiting"]);
    world.stuck.set(Some("1"));
    world.send();
    assert_eq!(told(), ["in-flight"]);
}

#[test]
fn a_look_at_what_our_own_sale_moved_is_gone_on_with_when_it_is_due() {
    let world = World::new(1);
    let piece = Piece {
        product_id: "1".to_owned(),
        store_id: "1".to_owned(),
        quantity: -1,
        drawn: false,
    };
    let pieces = [piece];
    let tenant = world.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let begun = look::begin(&session, &tenant, Kind::Sale, "1-1", &pieces);
    let begun = at_once(begun).unwrap().unwrap();
    let at = world.now.get();
    let commit = look::note(Commit::new(), &begun).unwrap();
    let commit = own::settle(commit, "1-1", Kind::Sale, &pieces, (at, at), None).unwrap();
    commit.apply(&world.ports()).unwrap();
    world.sells("1", 1);
    let asked = world.asked("/stock/changes/1/1");
    let mut progress = SendProgress::default();
    at_once(stock::read(&world.tenant(), &mut progress)).unwrap();
    assert_eq!(world.asked("/stock/changes/1/1"), asked + 1);
}
