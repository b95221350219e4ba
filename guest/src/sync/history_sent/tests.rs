//! Pages of the send history: every entry once, however long the past and however narrow the filter.

use chrono::TimeDelta;

use super::*;
use crate::sync::{
    stock::records::{Held, OPEN_BATCH_KEY, Origin, Out, held_key, out_key, sent_key},
    store::Commit,
    testing::Script,
};

fn row(product: &str, result: RowResult, at: Moment) -> BatchRow {
    BatchRow {
        product_id: product.to_owned(),
        code: product.to_owned(),
        quantity: 1,
        stock_then: None,
        origins: [Origin::Alignment].into(),
        stores: std::collections::BTreeSet::new(),
        changes: Vec::new(),
        since: at,
        result,
        changed_at: at,
    }
}

fn batch_of(number: u64, state: BatchState, rows: Vec<BatchRow>, at: Moment) -> Batch {
    Batch {
        number,
        mark: "m".to_owned(),
        made_at: at,
        sent_at: None,
        state,
        queue_id: None,
        queue_message: None,
        next_at: at,
        changed_at: at,
        rows,
    }
}

fn with_batch(commit: Commit, batch: &Batch) -> Commit {
    let commit = commit.put(&batch_key(batch.number), batch).unwrap();
    let index = SentIndex::Batch(batch.number);
    commit.put(&batch::index_key(batch), &index).unwrap()
}

fn put_batch(commit: Commit, number: u64, state: BatchState, row: BatchRow) -> Commit {
    let at = row.changed_at;
    with_batch(commit, &batch_of(number, state, vec![row], at))
}

fn found(script: &Script, outcome: SentResult) -> (Vec<String>, Option<String>) {
    let filter = SentFilter {
        outcome: Some(outcome),
        ..SentFilter::default()
    };
    let page = PageRequest {
        continuation: None,
        limit: 500,
    };
    let page = sent(&script.tenant(), &filter, &page).unwrap();
    let products = page.entries.into_iter().map(|entry| entry.product_id);
    (products.collect(), page.continuation)
}

#[test]
fn what_waits_or_is_in_flight_is_found_at_once_behind_a_long_past() {
    let script = Script::new();
    let now = script.now.get();
    let mut commit = Commit::new();
    for number in 1..=u64::from(INDEX_PER_PAGE) + 50 {
        let at = now + TimeDelta::minutes(i64::try_from(number).unwrap());
        let row = row("past", RowResult::Zero, at);
        commit = put_batch(commit, number, BatchState::Settled, row);
    }
    commit.apply(&script.ports()).unwrap();
    assert_eq!(found(&script, SentResult::Waiting), (Vec::new(), None));
    // Older than all of that: its rows wait for their result since.
    for (state, outcome, other) in [
        (BatchState::Ready, SentResult::Waiting, SentResult::InFlight),
        (
            BatchState::Sending,
            SentResult::InFlight,
            SentResult::Waiting,
        ),
    ] {
        let row = row("open", RowResult::Pending, now);
        let commit = put_batch(Commit::new(), 900, state, row);
        let commit = commit.put(OPEN_BATCH_KEY, &900).unwrap();
        commit.apply(&script.ports()).unwrap();
        let open = (vec!["open".to_owned()], None);
        assert_eq!(found(&script, outcome), open);
        assert_eq!(found(&script, other), (Vec::new(), None));
    }
}

#[test]
fn an_entry_that_waits_says_whether_only_a_person_ends_the_wait() {
    let script = Script::new();
    let now = script.now.get();
    let mut commit = Commit::new();
    for (product, needs_person) in [("1", Some(true)), ("2", Some(false)), ("3", None)] {
        let mut out = Out::new(product, now);
        out.add(-1, Origin::Alignment, "1", "1");
        commit = commit.put(&out_key(product), &out).unwrap();
        if let Some(needs_person) = needs_person {
            let held = Held {
                reason: Reason::new("x", "x", "x"),
                code: None,
                since: now,
                looked_at: now,
                again_at: None,
                needs_person,
            };
            commit = commit.put(&held_key(product), &held).unwrap();
        }
    }
    commit.apply(&script.ports()).unwrap();
    let page = PageRequest {
        continuation: None,
        limit: 10,
    };
    let page = sent(&script.tenant(), &SentFilter::default(), &page).unwrap();
    let told = page.entries.iter();
    let told = told.filter(|entry| entry.needs_person);
    let told: Vec<&str> = told.map(|entry| entry.product_id.as_str()).collect();
    assert_eq!(told, ["1"]);
}

fn page(script: &Script, filter: &SentFilter, limit: u32, from: Option<String>) -> SentPage {
    let page = PageRequest {
        continuation: from,
        limit,
    };
    sent(&script.tenant(), filter, &page).unwrap()
}

/// All entries, page by page; each page but the last says where to go on.
fn all(script: &Script, filter: &SentFilter, limit: u32) -> Vec<SentEntry> {
    let (mut entries, mut from) = (Vec::new(), None);
    for _ in 0..2_000 {
        let page = page(script, filter, limit, from);
        entries.extend(page.entries);
        from = page.continuation;
        if from.is_none() {
            return entries;
        }
    }
    panic!("it has no end");
}

fn ids(entries: &[SentEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

#[test]
fn what_began_to_wait_in_the_same_instant_is_shown_once_each_however_short_the_pages() {
    let script = Script::new();
    let now = script.now.get();
    for (product, later) in [("1", 0), ("2", 0), ("3", 1), ("4", 0)] {
        let mut out = Out::new(product, now + TimeDelta::milliseconds(later));
        out.add(-1, Origin::Alignment, "1", "1");
        let commit = Commit::new().put(&out_key(product), &out).unwrap();
        commit.apply(&script.ports()).unwrap();
    }
    let all = all(&script, &SentFilter::default(), 1);
    assert_eq!(ids(&all), ["w-3", "w-1", "w-2", "w-4"]);
}

#[test]
fn a_look_through_a_long_past_shows_each_entry_once_and_comes_to_an_end() {
    let script = Script::new();
    let now = script.now.get();
    let last_of_the_first = 51;
    let mut commit = Commit::new();
    for number in 1..=u64::from(INDEX_PER_PAGE) + 50 {
        let at = now + TimeDelta::minutes(i64::try_from(number).unwrap());
        let product = match number {
            1 | 50 | 51 | 52 => "wanted",
            _ => "other",
        };
        commit = put_batch(
            commit,
            number,
            BatchState::Settled,
            row(product, RowResult::Zero, at),
        );
    }
    commit.apply(&script.ports()).unwrap();
    let filter = SentFilter {
        product: Some("wanted".to_owned()),
        ..SentFilter::default()
    };
    let first = page(&script, &filter, 500, None);
    assert_eq!(
        ids(&first.entries),
        ["b52-0", &format!("b{last_of_the_first}-0")]
    );
    let second = page(&script, &filter, 500, first.continuation);
    assert_eq!(
        (ids(&second.entries), second.continuation),
        (vec!["b50-0", "b1-0"], None)
    );
}

#[test]
fn a_page_may_end_between_two_rows_of_a_batch() {
    let script = Script::new();
    let now = script.now.get();
    let rows = ["1", "2", "3"].map(|product| row(product, RowResult::Zero, now));
    let batch = batch_of(7, BatchState::Settled, rows.into(), now);
    let mut commit = with_batch(Commit::new(), &batch);
    let older = row("4", RowResult::Zero, now - TimeDelta::minutes(1));
    commit = put_batch(commit, 6, BatchState::Settled, older);
    commit.apply(&script.ports()).unwrap();
    for limit in [1, 2, 3, 4, 5] {
        let all = all(&script, &SentFilter::default(), limit);
        assert_eq!(ids(&all), ["b7-0", "b7-1", "b7-2", "b6-0"], "{limit}");
    }
}

/// So many changes that were not sent, a minute apart, the first one now.
fn not_sent(script: &Script, number: usize) {
    let now = script.now.get();
    let mut commit = Commit::new();
    for change in 0..number {
        let id = format!("{:05}", change + 1);
        let record = ChangeRecord {
            id: id.clone(),
            store_id: "1".to_owned(),
            product_id: "8".to_owned(),
            amount: Decimal::ONE,
            division: "02".to_owned(),
            at: now,
            marked_ours: false,
            decided: Decided::Not(Reason::new("off", "切", "off")),
        };
        let at = now + TimeDelta::minutes(i64::try_from(change).unwrap());
        let index = SentIndex::Change(id.clone());
        commit = commit.put(&change_key(&id), &record).unwrap();
        let key = sent_key(at, &format!("c{id:0>20}"));
        commit = commit.put(&key, &index).unwrap();
    }
    commit.apply(&script.ports()).unwrap();
}

#[test]
fn changes_that_were_not_sent_are_shown_at_their_moments_whatever_else_is_asked() {
    let script = Script::new();
    let now = script.now.get();
    let number = 2 * AT_ONCE + 5;
    not_sent(&script, number);
    let at = |minute: usize| now + TimeDelta::minutes(i64::try_from(minute).unwrap());
    let of = |outcome, since: Option<usize>, before: Option<usize>| {
        let filter = SentFilter {
            outcome,
            since: since.map(at),
            before: before.map(at),
            ..SentFilter::default()
        };
        let found = all(&script, &filter, 500).into_iter();
        found
            .map(|entry| (entry.at - now).num_minutes())
            .collect::<Vec<_>>()
    };
    let down = |from: i64, to: i64| (from..to).rev().collect::<Vec<i64>>();
    let every = i64::try_from(number).unwrap();
    assert_eq!(of(None, None, None), down(0, every));
    assert_eq!(of(Some(SentResult::NotSent), None, None), down(0, every));
    assert_eq!(of(Some(SentResult::Returned), None, None), [0_i64; 0]);
    assert_eq!(of(None, Some(150), None), down(150, every));
    assert_eq!(of(Some(SentResult::NotSent), None, Some(7)), down(0, 7));
    assert_eq!(of(None, Some(3), Some(5)), [4, 3]);
}

#[test]
fn a_row_that_was_given_back_tells_what_next_engine_said_of_the_batch_where_that_was_why() {
    let script = Script::new();
    let now = script.now.get();
    let mut commit = Commit::new();
    for (number, code) in [(1, reasons::REFUSED), (2, "free-stock")] {
        let result = RowResult::Returned(Reason::new(code, "訳", "why"));
        let batch = Batch {
            queue_message: Some("ファイルの形式".to_owned()),
            ..batch_of(
                number,
                BatchState::Settled,
                vec![row("8", result, now)],
                now,
            )
        };
        commit = with_batch(commit, &batch);
    }
    commit.apply(&script.ports()).unwrap();
    let told = |id: &str| {
        let entries = all(&script, &SentFilter::default(), 10);
        let entry = entries.into_iter().find(|entry| entry.id == id);
        entry.and_then(|entry| entry.reason).unwrap().message.ja
    };
    assert!(told("b1-0").contains("ファイルの形式"));
    assert_eq!(told("b2-0"), "訳");
}
