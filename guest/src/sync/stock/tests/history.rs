//! 送信履歴: its pages, its times and its ids.

use super::world::World;
use crate::{
    error::Error,
    reason::Reason,
    sync::{
        history_sent,
        report::{PageRequest, ResendChoice, SentEntry, SentFilter, SentResult},
        stock::{
            self,
            records::{SentIndex, sent_key},
        },
        store::Commit,
    },
};

#[test]
fn what_waits_obeys_the_limit_and_comes_once() {
    let world = World::new(7);
    world.waits(7, -1);
    world.work(3);
    for id in 1..=6 {
        world.waits(id, -1);
        world.pass(1);
    }
    let mut entries: Vec<SentEntry> = Vec::new();
    let mut continuation = None;
    loop {
        let page = world.sent_page(4, continuation);
        assert!(page.entries.len() <= 4);
        entries.extend(page.entries);
        continuation = page.continuation;
        if continuation.is_none() {
            break;
        }
    }
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["w-6", "w-5", "w-4", "w-3", "w-2", "w-1", "b1-0"]);
}

#[test]
fn an_entry_has_the_time_of_its_outcome() {
    let world = World::new(1);
    world.waits(1, -1);
    world.stuck.set(Some("1"));
    world.send();
    let sent = world.sent();
    assert_eq!(
        (sent[0].outcome, sent[0].at),
        (SentResult::InFlight, world.now.get())
    );
    world.pass(20);
    world.stuck.set(None);
    world.run_queue();
    world.send();
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].outcome), (1, SentResult::Applied));
    assert_eq!(sent[0].at, world.now.get());
}

#[test]
fn every_id_of_the_history_can_be_given_back() {
    let world = World::new(2);
    world.waits(1, -1);
    world.work(3);
    world.waits(2, -1);
    let unreadable = SentIndex::Unreadable {
        product_id: "2".to_owned(),
        store_id: "1".to_owned(),
        reason: Reason::new("unreadable-field", "", ""),
    };
    let key = sent_key(world.now.get(), "x1-2-0");
    let commit = Commit::new().put(&key, &unreadable).unwrap();
    commit.apply(&world.ports()).unwrap();
    let entries = world.sent();
    assert_eq!(entries.len(), 3);
    for entry in entries {
        let choice = ResendChoice::Entry(entry.id);
        assert_eq!(stock::resend(&world.tenant(), &choice), Ok(0), "{choice:?}");
    }
    for id in ["", "b9-0", "b1-9", "c9", "x9", "y", "日本"] {
        let choice = ResendChoice::Entry(id.to_owned());
        let answer = stock::resend(&world.tenant(), &choice);
        assert!(matches!(answer, Err(Error::NotFound(..))), "{id}");
    }
}

#[test]
fn what_waits_alone_ends_with_its_last_entry() {
    let world = World::new(2);
    world.waits(1, -1);
    world.waits(2, -1);
    let page = world.sent_page(2, None);
    assert_eq!((page.entries.len(), page.continuation), (2, None));
}

#[test]
fn every_filter_holds_by_itself_and_with_the_others() {
    let world = World::new(3);
    world.waits(1, -1);
    world.work(3);
    world.pass(30);
    let unreadable = SentIndex::Unreadable {
        product_id: "3".to_owned(),
        store_id: "2".to_owned(),
        reason: Reason::new("unreadable-field", "", ""),
    };
    let key = sent_key(world.now.get(), "x1-3-0");
    let commit = Commit::new().put(&key, &unreadable).unwrap();
    commit.apply(&world.ports()).unwrap();
    world.pass(30);
    let waits_since = world.now.get();
    world.waits(2, -1);
    let found = |filter: SentFilter| {
        let page = PageRequest {
            continuation: None,
            limit: 500,
        };
        let found = history_sent::sent(&world.tenant(), &filter, &page).unwrap();
        let ids = found.entries.into_iter().map(|entry| entry.id);
        ids.map(|id| id.chars().next().unwrap()).collect::<String>()
    };
    let all = SentFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let (since, applied) = (Some(waits_since), Some(SentResult::Applied));
    for (filter, expected) in [
        (all(), "wxb"),
        (SentFilter { since, ..all() }, "w"),
        (
            SentFilter {
                before: since,
                ..all()
            },
            "xb",
        ),
        (
            SentFilter {
                outcome: applied,
                ..all()
            },
            "b",
        ),
        (
            SentFilter {
                trigger: text("sale"),
                ..all()
            },
            "wb",
        ),
        (
            SentFilter {
                store_id: text("2"),
                ..all()
            },
            "x",
        ),
        (
            SentFilter {
                product: text("1"),
                ..all()
            },
            "b",
        ),
        (
            SentFilter {
                product: text("p1"),
                ..all()
            },
            "b",
        ),
        (
            SentFilter {
                product: text("2"),
                ..all()
            },
            "w",
        ),
        (
            SentFilter {
                since,
                outcome: applied,
                ..all()
            },
            "",
        ),
        (
            SentFilter {
                before: since,
                product: text("2"),
                ..all()
            },
            "",
        ),
        (
            SentFilter {
                outcome: applied,
                store_id: text("2"),
                ..all()
            },
            "",
        ),
        (
            SentFilter {
                trigger: text("sale"),
                store_id: text("2"),
                ..all()
            },
            "",
        ),
        (
            SentFilter {
                since,
                before: since,
                ..all()
            },
            "",
        ),
        (
            SentFilter {
                trigger: text("sale"),
                product: text("3"),
                ..all()
            },
            "",
        ),
    ] {
        assert_eq!(found(filter.clone()), expected, "{filter:?}");
    }
}

#[test]
fn the_past_goes_by_pages_without_a_gap_or_a_repetition() {
    let world = World::new(5);
    for batch in [&[1, 2, 3][..], &[4, 5]] {
        for id in batch {
            world.waits(*id, -1);
        }
        world.work(3);
        world.pass(10);
    }
    let all: Vec<String> = world.sent().into_iter().map(|entry| entry.id).collect();
    assert_eq!(all, ["b2-0", "b2-1", "b1-0", "b1-1", "b1-2"]);
    for limit in 1..=6 {
        let (mut told, mut continuation) = (Vec::new(), None);
        for _ in 0..10 {
            let page = world.sent_page(limit, continuation);
            told.extend(page.entries.into_iter().map(|entry| entry.id));
            continuation = page.continuation;
            if continuation.is_none() {
                break;
            }
        }
        assert_eq!(
            (told.as_slice(), continuation),
            (all.as_slice(), None),
            "{limit}"
        );
    }
}
