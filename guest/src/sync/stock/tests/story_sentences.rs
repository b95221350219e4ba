//! What the story of a product says, word for word: what moved and why, what was not sent, and what it waits for.

use chrono::TimeDelta;

use super::world::World;
use crate::{
    reason::Reason,
    settings::Trigger,
    sync::{
        own::{self, Kind, Piece},
        stock::records::{SentIndex, sent_key},
        store::Commit,
        story::{self, Event, Ids, Step, Subject},
    },
};

const BATCHED: &str = "Sending the difference was recorded.";
const UPLOADED: &str = "The difference was sent to Next Engine.";
const APPLIED: &str = "Next Engine's stock took it.";
const SOLD: &str = "Stock moved in Smaregi (sale).";
const NOT_SENT: &str = "Not sent to Next Engine.";
const OURS: &str = "Waits until it is known whether an import of ours moved it.";
const TO_READ: &str = "Waits for Smaregi's stock history to be read.";
const NOT_COUNTED: &str = "A movement cannot be counted.";
const CANCELLED: &str = "The movements cancelled out; nothing to send.";
const HELD: &str = "Held back.";
const NEXT: &str = "Waits for the next upload.";

fn events(world: &World, key: &str) -> Vec<Event> {
    story::story(&world.tenant(), key).unwrap().events
}

fn told(world: &World, key: &str) -> Vec<(Step, String)> {
    let events = events(world, key).into_iter();
    events.map(|event| (event.step, event.text.en)).collect()
}

fn find(world: &World, text: &str) -> Event {
    let events = events(world, "1");
    let found = events.iter().find(|event| event.text.en == text);
    found
        .unwrap_or_else(|| panic!("{text}: {events:#?}"))
        .clone()
}

/// Product 1.
fn of_the_product() -> Ids {
    Ids {
        product: Some("1".to_owned()),
        ..Ids::default()
    }
}

/// A row of it in store 1.
fn of_a_row(quantity: i64) -> Ids {
    Ids {
        store: Some("1".to_owned()),
        change: Some("1".to_owned()),
        quantity: Some(quantity.into()),
        ..of_the_product()
    }
}

fn put(world: &World, key: &str, entry: &SentIndex) {
    let commit = Commit::new().put(key, entry).unwrap();
    commit.apply(&world.ports()).unwrap();
}

fn unreadable(product_id: &str) -> SentIndex {
    SentIndex::Unreadable {
        product_id: product_id.to_owned(),
        store_id: "1".to_owned(),
        reason: Reason::new("unreadable-field", "訳", "why"),
    }
}

#[test]
fn a_movement_is_told_with_its_cause_from_the_till_to_next_engine() {
    let world = World::new(1);
    world.sells("1", 3);
    world.hints("1");
    let hinted = find(&world, TO_READ);
    assert_eq!((hinted.step, hinted.at), (Step::Waits, world.now.get()));
    let place = Ids {
        store: Some("1".to_owned()),
        ..of_the_product()
    };
    assert_eq!(hinted.ids, place);
    world.work(3);
    use Step as S;
    let expected = [
        (S::CameIn, SOLD),
        (S::Intent, BATCHED),
        (S::Sent, UPLOADED),
        (S::Settled, APPLIED),
    ];
    let expected = expected.map(|(step, text)| (step, text.to_owned()));
    for key in ["1", "p1"] {
        assert_eq!(told(&world, key), expected, "{key}");
    }
    assert_eq!(find(&world, SOLD).ids, of_a_row(-3));
    let applied = find(&world, APPLIED).ids;
    assert_eq!(
        (applied.quantity, applied.code.as_deref()),
        (Some((-3).into()), Some("p1"))
    );
    world.hints("1");
    let again = told(&world, "p1");
    assert_eq!(again.last(), Some(&(S::Waits, TO_READ.to_owned())));
}

#[test]
fn every_cause_has_its_name_in_both_languages() {
    for (division, en, ja) in [
        ("01", "correction", "修正"),
        ("02", "sale", "売上"),
        ("03", "purchase", "仕入"),
        ("10", "shipment", "出荷"),
        ("05", "receipt", "入庫"),
        ("04", "issue", "出庫"),
        ("08", "stocktake", "棚卸"),
        ("14", "loss", "ロス"),
        ("99", "division 99", "区分 99"),
    ] {
        let world = World::new(1);
        world.moves("1", 2, division);
        world.hints("1");
        world.work(1);
        let moved = find(&world, &format!("Stock moved in Smaregi ({en})."));
        assert_eq!(moved.text.ja, format!("スマレジで在庫が動きました({ja})。"));
        assert_eq!((moved.step, moved.ids), (Step::CameIn, of_a_row(2)));
    }
}

#[test]
fn a_movement_that_settings_keep_back_tells_when_and_why() {
    let world = World::new(1);
    world.set(|stock| stock.triggers = vec![Trigger::Loss]);
    world.sells("1", 3);
    world.pass(5);
    world.hints("1");
    world.work(1);
    let not_sent = find(&world, NOT_SENT);
    let decided = world.now.get() - TimeDelta::minutes(1);
    assert_eq!((not_sent.step, not_sent.at), (Step::Decided, decided));
    assert_eq!(not_sent.reason.unwrap().code, "trigger-off");
    assert_eq!(not_sent.ids, of_a_row(-3));
    assert_eq!(not_sent.text.ja, "ネクストエンジンには送りません。");
    assert_eq!(find(&world, SOLD).at, decided - TimeDelta::minutes(5));
}

#[test]
fn a_movement_that_may_be_an_import_of_ours_waits_for_that() {
    let world = World::new(1);
    let piece = Piece {
        product_id: "1".to_owned(),
        store_id: "1".to_owned(),
        quantity: -3,
        drawn: false,
    };
    let at = world.now.get();
    let settled = own::settle(Commit::new(), "1-1", Kind::Sale, &[piece], (at, at), None);
    settled.unwrap().apply(&world.ports()).unwrap();
    world.sells("1", 3);
    world.hints("1");
    world.work(1);
    let waits = find(&world, OURS);
    assert_eq!((waits.step, waits.ids), (Step::Waits, of_a_row(-3)));
    assert_eq!(told(&world, "1").len(), 2, "it came in, and waits");
}

#[test]
fn what_cannot_be_counted_is_told_at_its_time_and_of_its_product_alone() {
    let world = World::new(2);
    put(
        &world,
        &sent_key(world.now.get(), "x1-1-0"),
        &unreadable("1"),
    );
    let at = world.now.get();
    world.pass(10);
    let refused = find(&world, NOT_COUNTED);
    assert_eq!((refused.step, refused.at), (Step::Refused, at));
    assert_eq!(refused.reason.unwrap().code, "unreadable-field");
    let place = Ids {
        store: Some("1".to_owned()),
        ..of_the_product()
    };
    assert_eq!(refused.ids, place);
    assert!(story::story(&world.tenant(), "2").is_err());
}

#[test]
fn movements_that_cancelled_out_are_told_so() {
    let world = World::new(1);
    world.waits(1, -1);
    world.waits(1, 1);
    world.work(1);
    let cancelled = find(&world, CANCELLED);
    assert_eq!(cancelled.step, Step::Settled);
    assert_eq!(cancelled.ids.quantity, Some(0.into()));
    assert_eq!(told(&world, "1").len(), 1);
}

#[test]
fn what_is_left_tells_its_pieces_and_why_it_is_held() {
    let world = World::new(1);
    world.waits(1, -3);
    let waits = find(&world, NEXT);
    assert_eq!(waits.text.ja, "次の送信を待っています。");
    let entry = Ids {
        entry: Some("w-1".to_owned()),
        quantity: Some((-3).into()),
        ..of_the_product()
    };
    assert_eq!((waits.step, waits.ids), (Step::Waits, entry.clone()));
    // It was uploaded, and nobody can tell whether it was applied.
    world.refused.borrow_mut().insert("p1".to_owned());
    world.movements_late.set(TimeDelta::days(9));
    world.send();
    world.move_there("p1", -1);
    world.work(60);
    world.waits(1, -2);
    let held = find(&world, HELD);
    assert_eq!(held.reason.unwrap().code, "outcome-unclear");
    assert_eq!(held.text.ja, "送信を保留しています。");
    let entry = Ids {
        code: Some("p1".to_owned()),
        quantity: Some((-5).into()),
        ..entry
    };
    assert_eq!(held.ids, entry);
}

#[test]
fn an_upload_is_found_by_its_code_when_the_product_is_no_longer_remembered() {
    let world = World::new(1);
    world.waits(1, -1);
    world.work(3);
    let mut entries = world.storage.entries.borrow_mut();
    entries.retain(|key, _| !key.starts_with("product/"));
    drop(entries);
    let story = story::story(&world.tenant(), "p1").unwrap();
    assert_eq!(story.subjects, [Subject::Product("1".to_owned())]);
    assert_eq!(story.events.len(), 3);
}

#[test]
fn only_the_newest_entries_of_the_history_are_looked_through() {
    let cut = |world: &World| story::story(&world.tenant(), "1").unwrap().cut;
    let batch = |number: i64| SentIndex::Batch(number.unsigned_abs());
    for (entries, entry) in [(2_000, None), (301, Some(batch))] {
        let world = World::new(2);
        world.waits(1, -1);
        for number in 1..=entries {
            assert!(number < entries || !cut(&world), "{number}");
            let key = sent_key(world.now.get(), &format!("{number}"));
            put(
                &world,
                &key,
                &entry.map_or(unreadable("2"), |entry| entry(number)),
            );
        }
        assert!(cut(&world), "{entries}");
    }
}
