//! Rounds by script: what is done when, and when the host comes again.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::{
    reason::Text,
    rules::samples,
    sync::{
        next_engine_lease::Lease,
        orders::records::{Cursor, cursor_key},
        stock::{
            intake::{Place, note},
            records::{
                Batch, BatchState, Hint, OPEN_BATCH_KEY, Origin, Out, batch_key, hint_key, out_key,
            },
        },
        tenant::SETTINGS_KEY,
        testing::{Script, at_once},
    },
};

fn open() -> Script {
    let script = Script::new();
    script.switch_on(&["1"]);
    script
}

fn round(script: &Script, requests: u32) -> Round {
    let tenant = Tenant::open(script.ports(), requests, 600).unwrap();
    at_once(run(&tenant)).unwrap()
}

fn difference(script: &Script, product: &str) {
    let mut out = Out::new(product, script.now.get());
    out.add(-1, Origin::Alignment, "1", "1");
    let commit = Commit::new().put(&out_key(product), &out).unwrap();
    commit.apply(&script.ports()).unwrap();
}

fn in_flight(script: &Script, next_at: Moment) {
    let batch = Batch {
        number: 1,
        mark: "m".to_owned(),
        made_at: script.now.get(),
        sent_at: Some(script.now.get()),
        changed_at: script.now.get(),
        state: BatchState::Queued("5".to_owned(), 0),
        queue_id: None,
        queue_message: None,
        next_at,
        rows: Vec::new(),
    };
    let commit = Commit::new().put(OPEN_BATCH_KEY, &1).unwrap();
    let commit = commit.put(&batch_key(1), &batch).unwrap();
    commit.apply(&script.ports()).unwrap();
}

#[test]
fn products_that_wait_behind_a_batch_do_not_call_the_host_back_at_once() {
    let script = open();
    let next_at = script.now.get() + TimeDelta::minutes(4);
    in_flight(&script, next_at);
    difference(&script, "8");
    let round = round(&script, 10);
    assert_eq!((round.more, round.next_at), (false, next_at));
    assert!(script.requests.borrow().is_empty());
}

#[test]
fn a_standing_refusal_costs_few_calls() {
    let script = open();
    in_flight(&script, script.now.get());
    let begin = script.now.get();
    // The login lives for two more days.
    while script.now.get() < begin + TimeDelta::days(1) - TimeDelta::hours(1) {
        // Smaregi makes as little of it as Next Engine.
        for _ in 0..3 {
            script.will(
                200,
                &json!({"result": "error", "code": "004001", "message": "x"}),
            );
        }
        let at = round(&script, 10);
        script.answers.borrow_mut().clear();
        assert!(at.trouble.is_some() && at.next_at > script.now.get());
        script.now.set(at.next_at);
    }
    let requests = script.requests.borrow();
    let billed = requests
        .iter()
        .filter(|request| request.url.contains("next-engine"));
    let billed = billed.count();
    assert!((2..12).contains(&billed), "{billed}");
}

#[test]
fn one_request_at_a_time_starves_no_part() {
    let script = open();
    script.now.set(script.now.get() + TimeDelta::hours(2));
    let tenant = script.tenant();
    in_flight(&script, script.now.get());
    for product in ["7", "8", "9"] {
        note(&tenant, &[Place::new("1", product)], None).unwrap();
    }
    let mut rounds = 0;
    while rounds == 0 || round(&script, 1).more {
        script.answers.borrow_mut().clear();
        let first = script.requests.borrow().is_empty();
        let next_engine = json!({"result": "success", "data": []});
        script.will(200, &if first { next_engine } else { json!([]) });
        rounds += 1;
        assert!(rounds < 20);
    }
    let asked: Vec<String> = script
        .requests
        .borrow()
        .iter()
        .map(|request| request.url.split('?').next().unwrap_or_default().to_owned())
        .collect();
    let of = |part: &str| asked.iter().filter(|url| url.contains(part)).count();
    assert_eq!(
        (of("que"), of("/stock/changes/"), of("/pos/stock")),
        (1, 3, 4),
        "{asked:?}"
    );
}

/// Shop 1 takes orders, last imported so many minutes ago, with this budget of calls.
fn imported(minutes: i64, monthly_calls: u32) -> Script {
    let script = open();
    let mut settings = script.tenant().settings;
    settings.orders = samples::settings();
    settings.pace.monthly_calls = monthly_calls;
    let cursor = Cursor {
        changed_through: None,
        reach: None,
        last_imported_at: Some(script.now.get() - TimeDelta::minutes(minutes)),
    };
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    let commit = commit.put(&cursor_key("1"), &cursor).unwrap();
    commit.apply(&script.ports()).unwrap();
    script
}

/// So many calls to each service this month.
fn called(script: &Script, next_engine: u64, smaregi: u64) {
    let month = time::month(script.now.get());
    let counts = |calls: u64| BTreeMap::from([("POST /search".to_owned(), calls)]);
    let key = |side: &str| format!("meter/{month}/{side}");
    let commit = Commit::new().put(&key("next-engine"), &counts(next_engine));
    let commit = commit.unwrap().put(&key("smaregi"), &counts(smaregi));
    commit.unwrap().apply(&script.ports()).unwrap();
}

#[test]
fn a_shop_is_due_after_its_pause_and_when_the_clock_was_set_back() {
    for (minutes, due, pause) in [(14, false, 15), (15, true, 15), (-1, true, 15)] {
        let script = imported(minutes, 0);
        let tenant = script.tenant();
        let shops = due_shops(&tenant).unwrap();
        assert_eq!(shops.len(), usize::from(due), "{minutes}");
        let next = script.now.get() + TimeDelta::minutes(pause - minutes);
        assert_eq!(next_import(&tenant), Ok(Some(next)));
    }
    let script = imported(0, 0);
    let never = Commit::new().delete(&cursor_key("1"));
    never.apply(&script.ports()).unwrap();
    let tenant = script.tenant();
    assert_eq!(due_shops(&tenant), Ok(vec!["1".to_owned()]));
    assert_eq!(next_import(&tenant), Ok(Some(script.now.get())));
}

#[test]
fn a_month_s_budget_stretches_every_pause_and_what_fails_keeps_it_too() {
    let script = imported(0, 110);
    called(&script, 10, 500);
    // A hundred calls for six days and a half: one in 5 616 seconds, half of them for imports, four to an upload.
    let tenant = script.tenant();
    let seconds = |part| least_pause(&tenant, part).unwrap().num_seconds();
    assert_eq!(seconds(Part::Follow), 5_616);
    assert_eq!(seconds(Part::Import), 2 * 5_616);
    assert_eq!(seconds(Part::Upload), 8 * 5_616);
    assert_eq!(send_pause(&tenant), Ok(TimeDelta::seconds(8 * 5_616)));
    let next = script.now.get() + TimeDelta::seconds(2 * 5_616);
    assert_eq!(next_import(&tenant), Ok(Some(next)));
}

#[test]
fn calls_are_told_with_what_the_month_will_come_to() {
    let script = imported(0, 1_000);
    called(&script, 23, 500);
    let told = calls(&script.tenant()).unwrap();
    assert_eq!(
        (told.month.as_str(), told.next_engine_calls),
        ("2026-11", 23)
    );
    assert_eq!((told.next_engine_budget, told.endpoints.len()), (1_000, 2));
    // One a day, and six whole days are left.
    assert_eq!(told.next_engine_forecast, Some(29));
    script.now.set(script.now.get() + TimeDelta::days(30));
    called(&script, 23, 0);
    let told = calls(&script.tenant()).unwrap();
    assert_eq!(
        (told.month.as_str(), told.next_engine_forecast),
        ("2026-12", Some(30))
    );
}

#[test]
fn while_switched_off_only_what_was_begun_is_due() {
    let script = imported(60, 0);
    script.now.set(script.now.get() + TimeDelta::hours(2));
    difference(&script, "8");
    note(&script.tenant(), &[Place::new("1", "8")], None).unwrap();
    let due = |part| due_at(&script.tenant(), part).unwrap().is_some();
    let parts = [Part::Read, Part::CatchUp, Part::Import, Part::Upload];
    assert_eq!(parts.map(due), [true; 4]);
    super::connection::switch_off(&script.ports()).unwrap();
    assert_eq!(parts.map(due), [false; 4]);
    in_flight(&script, script.now.get());
    let begun = Commit::new().put("orders/begun/1", &true).unwrap();
    begun.apply(&script.ports()).unwrap();
    assert_eq!(
        [Part::Settle, Part::Follow, Part::KeepAlive].map(due),
        [true; 3]
    );
}

#[test]
fn a_part_that_was_cut_off_lets_the_others_go_first_next_time() {
    let script = open();
    in_flight(&script, script.now.get());
    note(&script.tenant(), &[Place::new("1", "8")], None).unwrap();
    let turn = || store::read::<Part>(&script.ports(), TURN_KEY).unwrap();
    let cut_off = Commit::new().put(TURN_KEY, &Part::Follow).unwrap();
    cut_off.apply(&script.ports()).unwrap();
    script.will(200, &json!([]));
    assert!(round(&script, 1).more);
    assert!(script.requests.borrow()[0].url.contains("/stock/changes/"));
    assert_eq!(turn().map(|turn| turn.value), Some(Part::Follow));
    script.will(200, &json!({"result": "success", "data": []}));
    assert!(!round(&script, 10).more);
    assert_eq!(turn(), None);
    note(&script.tenant(), &[Place::new("1", "8")], None).unwrap();
    assert!(round(&script, 0).more);
    assert_eq!(turn().map(|turn| turn.value), Some(Part::Read));
}

#[test]
fn what_a_catch_up_finds_is_read_in_the_same_round() {
    let script = open();
    script.now.set(script.now.get() + TimeDelta::hours(1));
    script.will(200, &json!([{"productId": "8", "storeId": "1", "stockAmount": "5", "updDateTime": "2026-11-24T12:30:00+09:00"}]));
    script.will(
        200,
        &json!([{"id": "1", "productId": "8", "storeId": "1", "amount": "-1", "stockDivision": "02",
        "memo": null, "updDateTime": "2026-11-24T12:30:00+09:00"}]),
    );
    let done = round(&script, 10);
    let asked = script.requests.borrow();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].url.contains("/stock/changes/8/1"));
    assert_eq!((done.changes_decided, done.more), (1, false));
}

#[test]
fn a_part_that_rests_calls_the_host_back_when_its_rest_ends() {
    let script = open();
    in_flight(&script, script.now.get());
    script.will(
        200,
        &json!({"result": "error", "code": "004001", "message": "x"}),
    );
    let refused = round(&script, 10);
    let until = script.now.get() + TimeDelta::minutes(5);
    assert_eq!((refused.more, refused.next_at), (false, until));
    script.now.set(script.now.get() + TimeDelta::minutes(1));
    let resting = round(&script, 10);
    assert_eq!(
        script.requests.borrow().len(),
        1,
        "it is not asked meanwhile"
    );
    assert_eq!(resting.next_at, until);
    assert_eq!(resting.trouble, refused.trouble);
}

#[test]
fn what_another_instance_holds_is_tried_again_soon() {
    let script = open();
    in_flight(&script, script.now.get());
    let _held = Lease::take(&script.tenant()).unwrap();
    let busy = round(&script, 10);
    assert_eq!(busy.next_at, script.now.get() + SOON);
    assert!(busy.trouble.is_some() && script.requests.borrow().is_empty());
}

#[test]
fn a_place_that_smaregi_does_not_answer_for_holds_up_no_other_and_a_refusal_rests() {
    for (status, resting) in [(503, false), (403, true)] {
        let script = open();
        note(&script.tenant(), &[Place::new("1", "8")], None).unwrap();
        script.will(status, &json!({"title": "x", "type": "about:blank"}));
        assert!(round(&script, 10).trouble.is_some());
        let rest = rest::of(&script.tenant(), Part::Read).unwrap();
        assert_eq!(rest.is_some(), resting, "{status}");
        note(&script.tenant(), &[Place::new("1", "9")], None).unwrap();
        script.switch_on(&["1"]);
        script.will(200, &json!([]));
        round(&script, 10);
        let asked = script.requests.borrow().len();
        assert_eq!(asked, if resting { 1 } else { 2 }, "{status}");
    }
}

fn day() -> Day {
    Day {
        round: Round::default(),
        retry_at: None,
        rests: Vec::new(),
        put_off: false,
    }
}

#[test]
fn whoever_holds_something_is_waited_for_a_second_at_least() {
    let script = open();
    let (tenant, now) = (script.tenant(), script.now.get());
    for (seconds, waits) in [(-5, 1), (0, 1), (30, 30)] {
        let until = now + TimeDelta::seconds(seconds);
        let mut day = day();
        let held = Err(Error::Contended("lease".to_owned(), until));
        day.note(&tenant, held).unwrap();
        let again = now + TimeDelta::seconds(waits);
        assert_eq!(day.retry_at, Some(again), "{seconds}");
        assert_eq!(day.finish(&tenant).unwrap().next_at, again);
    }
}

#[test]
fn a_round_counts_what_its_parts_did_and_has_more_when_one_has() {
    let mut day = day();
    let progress = |more| ImportProgress {
        registered: 1,
        undone: 2,
        refused: 3,
        more,
        ..ImportProgress::default()
    };
    for (more, has_more) in [(false, false), (true, true), (false, true)] {
        day.count(&progress(more));
        assert_eq!(day.round.more, has_more);
    }
    let round = &day.round;
    let counted = (
        round.orders_registered,
        round.orders_undone,
        round.orders_refused,
    );
    assert_eq!(counted, (3, 6, 9));
}

#[test]
fn only_places_that_wait_for_their_time_after_an_outage_of_smaregi_rest_by_themselves() {
    let script = open();
    let tenant = script.tenant();
    let away = |side| {
        let text = Text::new("不通", "away");
        Err(Error::Unavailable(side, text, script.now.get()))
    };
    let rests = |part, result: &Result<()>| rests_by_itself(&tenant, part, result).unwrap();
    assert!(!rests(Part::Read, &away(Side::Smaregi)), "no place waits");
    note(&tenant, &[Place::new("1", "8")], None).unwrap();
    assert!(
        !rests(Part::Read, &away(Side::Smaregi)),
        "it is to be read now"
    );
    let key = hint_key("1", "8");
    let seen = store::read::<Hint>(&script.ports(), &key).unwrap().unwrap();
    let waits = |at: Moment| {
        let hint = Hint {
            retry_at: Some(at),
            ..seen.value.clone()
        };
        let commit = Commit::new().put(&key, &hint).unwrap();
        commit.apply(&script.ports()).unwrap();
    };
    waits(script.now.get());
    assert!(
        !rests(Part::Read, &away(Side::Smaregi)),
        "its time has come"
    );
    waits(script.now.get() + TimeDelta::seconds(1));
    assert!(rests(Part::Read, &away(Side::Smaregi)));
    assert!(!rests(Part::Read, &away(Side::NextEngine)));
    assert!(!rests(Part::Read, &Ok(())));
    assert!(!rests(Part::CatchUp, &away(Side::Smaregi)));
}

#[test]
fn following_a_batch_begins_none() {
    let script = open();
    difference(&script, "8");
    let mut progress = SendProgress::default();
    at_once(stock_part(&script.tenant(), Part::Follow, &mut progress)).unwrap();
    assert!(script.requests.borrow().is_empty());
}

#[test]
fn a_shop_is_due_when_its_pause_is_over_or_its_last_import_lies_in_the_future() {
    let script = open();
    let mut settings = script.tenant().settings;
    settings.orders = samples::settings();
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
    let now = script.now.get();
    let pause = i64::from(settings.pace.import_minutes);
    for (minutes, due) in [(1, true), (0, false), (1 - pause, false), (-pause, true)] {
        let cursor = Cursor {
            last_imported_at: Some(now + TimeDelta::minutes(minutes)),
            ..Cursor::default()
        };
        let commit = Commit::new().put(&cursor_key("1"), &cursor).unwrap();
        commit.apply(&script.ports()).unwrap();
        let shops = due_shops(&script.tenant()).unwrap();
        assert_eq!(shops.contains(&"1".to_owned()), due, "{minutes}");
    }
}
