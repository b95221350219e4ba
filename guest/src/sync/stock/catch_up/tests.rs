//! Catching up against scripted answers: budgets, refused stores, rows that cannot be read, looks by hand.

use serde_json::json;

use super::*;
use crate::sync::{
    stock::records::{HINTS, Hint, SentIndex},
    testing::{Script, at_once},
};

#[test]
fn a_range_ends_in_the_future_and_a_refused_store_waits_longer_each_time() {
    assert_eq!(refused_pause(1), TimeDelta::minutes(10));
    assert_eq!(refused_pause(3), TimeDelta::minutes(40));
    assert_eq!(refused_pause(40), LONGEST_PAUSE);
}

fn switched_on(stores: &[&str]) -> Script {
    let script = Script::new();
    script.switch_on(stores);
    script.now.set(script.now.get() + TimeDelta::days(1));
    script
}

fn rows(store: &str, products: std::ops::Range<u32>) -> serde_json::Value {
    products
        .map(|product| {
            json!({"storeId": store, "productId": product.to_string(), "stockAmount": "1",
                "updDateTime": "2026-11-25T11:00:00+09:00"})
        })
        .collect()
}

fn hints(script: &Script) -> usize {
    store::list_all::<Hint>(&script.ports(), HINTS)
        .unwrap()
        .len()
}

#[test]
fn a_budget_of_one_request_gets_through_and_reads_no_page_twice() {
    let script = switched_on(&["1"]);
    for (page, more) in [
        (rows("1", 0..1_000), true),
        (rows("1", 1_000..1_200), false),
    ] {
        script.will(200, &page);
        let tenant = Tenant::open(script.ports(), 1, 60).unwrap();
        let progress = at_once(catch_up(&tenant, None)).unwrap();
        assert_eq!(progress.more, more);
    }
    assert_eq!(hints(&script), 1_200);
    let urls: Vec<String> = script
        .requests
        .borrow()
        .iter()
        .map(|request| request.url.clone())
        .collect();
    assert!(
        urls[0].contains("page=1") && urls[1].contains("page=2"),
        "{urls:?}"
    );
    assert!(due_at(&script.tenant()).unwrap().unwrap() > script.now.get());
}

#[test]
fn a_caller_who_repeats_an_earlier_start_comes_to_an_end() {
    let script = switched_on(&["1", "2", "3"]);
    let since = Some(script.now.get() - TimeDelta::hours(5));
    let mut calls = 0;
    loop {
        script.will(200, &json!([]));
        let tenant = Tenant::open(script.ports(), 1, 60).unwrap();
        calls += 1;
        if !at_once(catch_up(&tenant, since)).unwrap().more {
            break;
        }
        script.answers.borrow_mut().clear();
        assert!(calls < 10);
    }
    assert_eq!(script.requests.borrow().len(), 3);
}

#[test]
fn a_refused_store_stops_no_other_and_keeps_its_own_mark() {
    let script = switched_on(&["1", "2"]);
    script.will(400, &json!({"title": "BadRequest", "type": "about:blank"}));
    script.will(200, &rows("2", 0..3));
    assert!(at_once(catch_up(&script.tenant(), None)).is_err());
    assert_eq!(hints(&script), 3);
    let through = |store: &str| {
        state(&script.tenant(), store)
            .unwrap()
            .unwrap()
            .value
            .through
    };
    assert!(through("1") < through("2"));
    // The schedule does not try it again at once; a person who asks is not held back.
    at_once(look(&script.tenant())).unwrap();
    assert_eq!(script.requests.borrow().len(), 2);
    script.will(200, &rows("1", 0..2));
    script.will(200, &json!([]));
    at_once(catch_up(&script.tenant(), None)).unwrap();
    assert_eq!((script.requests.borrow().len(), hints(&script)), (4, 5));
}

#[test]
fn asking_again_by_hand_comes_to_an_end_without_a_start_too() {
    let script = switched_on(&["1", "2", "3"]);
    at_once(look(&nothing_there(&script, 3))).unwrap();
    for more in [true, true, false] {
        script.will(200, &json!([]));
        let tenant = Tenant::open(script.ports(), 1, 60).unwrap();
        assert_eq!(at_once(catch_up(&tenant, None)).unwrap().more, more);
        script.answers.borrow_mut().clear();
    }
    assert_eq!(script.requests.borrow().len(), 6);
}

fn nothing_there(script: &Script, stores: usize) -> Tenant<'_> {
    for _ in 0..stores {
        script.will(200, &json!([]));
    }
    script.tenant()
}

#[test]
fn an_unreadable_row_costs_no_other_and_is_not_lost() {
    let script = switched_on(&["1"]);
    let mut bad = rows("1", 0..3);
    bad[1]["stockAmount"] = json!("many");
    bad[2]["productId"] = json!(null);
    script.will(200, &bad);
    at_once(look(&script.tenant())).unwrap();
    assert_eq!(
        hints(&script),
        2,
        "the history of a product that is named tells"
    );
    let nameless = |script: &Script| {
        let state = state(&script.tenant(), "1").unwrap().unwrap().value;
        state
            .nameless
            .map(|nameless| nameless.reason.field.unwrap())
    };
    assert_eq!(nameless(&script).as_deref(), Some("productId"));
    let told = store::list_all::<SentIndex>(&script.ports(), "stock/sent/").unwrap();
    assert_eq!(told.len(), 1);
    for (row, left) in [(json!([null]), true), (rows("1", 2..3), false)] {
        script.now.set(script.now.get() + TimeDelta::hours(2));
        script.will(200, &row);
        at_once(look(&script.tenant())).unwrap();
        assert_eq!(nameless(&script).is_some(), left);
    }
    assert_eq!(hints(&script), 3);
    let from = |index: usize| {
        let requests = script.requests.borrow();
        let mut parts = requests[index].url.split('&');
        parts.find(|part| part.contains("from")).map(str::to_owned)
    };
    assert_eq!(
        from(0),
        from(2),
        "each look begins with what could not be read"
    );
}

/// A parameter of a request so far.
fn asked(script: &Script, index: usize, name: &str) -> String {
    let requests = script.requests.borrow();
    let url = url::Url::parse(&requests[index].url).unwrap();
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.unwrap().1.into_owned()
}

fn begins(script: &Script, index: usize) -> Moment {
    crate::time::parse_rfc3339(&asked(script, index, "upd_date_time-from")).unwrap()
}

fn ask(script: &Script, requests: u32, since: Option<Moment>) -> Result<SendProgress> {
    let tenant = Tenant::open(script.ports(), requests, 60).unwrap();
    at_once(catch_up(&tenant, since))
}

/// One look of the schedule.
fn look_within(script: &Script, requests: u32) -> Result<()> {
    at_once(look(&Tenant::open(script.ports(), requests, 60).unwrap()))
}

fn refuse(script: &Script, status: u16) {
    script.will(status, &json!({"title": "No", "type": "about:blank"}));
}

#[test]
fn a_caller_says_since_when_or_it_goes_on_from_the_last_look() {
    let script = switched_on(&["1"]);
    script.will(200, &json!([]));
    look_within(&script, 10).unwrap();
    let last = script.now.get();
    script.now.set(last + TimeDelta::hours(2));
    script.will(200, &json!([]));
    ask(&script, 10, None).unwrap();
    assert_eq!(begins(&script, 1), last - OVERLAP);
    let since = last - TimeDelta::hours(9);
    script.will(200, &json!([]));
    ask(&script, 10, Some(since)).unwrap();
    assert_eq!(begins(&script, 2), since);
}

#[test]
fn after_three_stores_without_an_answer_smaregi_is_left_alone() {
    let script = switched_on(&["1", "2", "3", "4", "5"]);
    for _ in 0..5 {
        script.will(503, &json!({}));
    }
    let error = look_within(&script, 10).unwrap_err();
    assert!(matches!(error, Error::Unavailable(Side::Smaregi, ..)));
    assert_eq!(script.requests.borrow().len(), 3);
}

#[test]
fn a_refusal_of_the_connection_is_no_stores() {
    let script = switched_on(&["1", "2"]);
    refuse(&script, 403);
    assert!(look_within(&script, 10).is_err());
    assert_eq!(script.requests.borrow().len(), 1);
    let refused = |store| {
        state(&script.tenant(), store)
            .unwrap()
            .unwrap()
            .value
            .refused
    };
    assert_eq!((refused("1"), refused("2")), (0, 0));
    assert!(due_at(&script.tenant()).unwrap().unwrap() <= script.now.get());
}

#[test]
fn a_refused_store_rests_longer_each_time_until_it_answers() {
    let script = switched_on(&["1"]);
    let due_in = |script: &Script| {
        let due = due_at(&script.tenant()).unwrap().unwrap();
        (due - script.now.get()).num_minutes()
    };
    for minutes in [10, 20, 40] {
        refuse(&script, 400);
        look_within(&script, 10).unwrap_err();
        assert_eq!(due_in(&script), minutes);
        script
            .now
            .set(script.now.get() + TimeDelta::minutes(minutes));
    }
    // A page came: the rest of the look is gone on with at once, and a refusal is the first one again.
    script.will(200, &rows("1", 0..1_000));
    assert_eq!(look_within(&script, 1), Err(Error::BudgetSpent));
    assert_eq!(due_in(&script), 0);
    refuse(&script, 400);
    look_within(&script, 10).unwrap_err();
    assert_eq!(due_in(&script), 10);
}

#[test]
fn the_schedule_goes_on_where_its_budget_ended_and_a_person_begins_anew() {
    for by_hand in [false, true] {
        let script = switched_on(&["1", "2"]);
        script.will(200, &rows("1", 0..1_000));
        assert_eq!(look_within(&script, 1), Err(Error::BudgetSpent));
        script.will(200, &json!([]));
        script.will(200, &json!([]));
        if by_hand {
            assert!(!ask(&script, 10, None).unwrap().more);
        } else {
            look_within(&script, 10).unwrap();
        }
        assert_eq!(script.requests.borrow().len(), 3);
        let page = if by_hand { "1" } else { "2" };
        assert_eq!(asked(&script, 1, "page"), page, "{by_hand}");
        let both: Vec<String> = (1..3).map(|at| asked(&script, at, "store_id")).collect();
        assert_eq!(both, ["1", "2"]);
    }
}

#[test]
fn another_start_asked_for_by_hand_begins_anew_in_every_store() {
    let script = switched_on(&["1", "2"]);
    let since = |hours| Some(script.now.get() - TimeDelta::hours(hours));
    script.will(200, &json!([]));
    assert!(ask(&script, 1, since(5)).unwrap().more);
    for _ in 0..2 {
        script.will(200, &json!([]));
    }
    script.answers.borrow_mut().truncate(2);
    assert!(!ask(&script, 10, since(3)).unwrap().more);
    assert_eq!(script.requests.borrow().len(), 3);
    let stores: Vec<String> = (1..3).map(|at| asked(&script, at, "store_id")).collect();
    assert_eq!(stores, ["1", "2"]);
}

#[test]
fn a_long_time_is_looked_through_range_by_range_each_from_its_first_page() {
    let script = switched_on(&["1"]);
    script.now.set(script.now.get() + TimeDelta::days(40));
    script.will(200, &rows("1", 0..1_000));
    script.will(200, &json!([]));
    script.will(200, &json!([]));
    look_within(&script, 10).unwrap();
    let pages: Vec<String> = (0..3).map(|at| asked(&script, at, "page")).collect();
    assert_eq!(pages, ["1", "2", "1"]);
    assert_eq!(begins(&script, 1), begins(&script, 0));
    assert_eq!(begins(&script, 2), begins(&script, 0) + LONGEST_RANGE);
    assert!(due_at(&script.tenant()).unwrap().unwrap() > script.now.get());
}

#[test]
fn rows_that_name_nobody_are_told_once_while_they_stay_the_same() {
    let script = switched_on(&["1"]);
    let mut bad = rows("1", 0..1);
    for (value, times) in [(json!(null), 1), (json!(null), 1), (json!([7]), 2)] {
        script.now.set(script.now.get() + TimeDelta::hours(2));
        bad[0]["productId"] = value;
        script.will(200, &bad);
        look_within(&script, 10).unwrap();
        let told = store::list_all::<SentIndex>(&script.ports(), "stock/sent/").unwrap();
        assert_eq!(told.len(), times);
    }
}

#[test]
fn a_place_that_is_decided_up_to_its_last_change_is_not_read_again() {
    for (seconds, read) in [(-1, 1), (0, 1), (1, 0)] {
        let script = switched_on(&["1"]);
        let moved = crate::time::parse_rfc3339("2026-11-25T11:00:00+09:00").unwrap();
        let pair = Pair {
            through: "5".to_owned(),
            at: moved + TimeDelta::seconds(seconds),
            descent: None,
        };
        let commit = Commit::new().put(&pair_key("1", "7"), &pair).unwrap();
        commit.apply(&script.ports()).unwrap();
        script.will(200, &rows("1", 7..8));
        look_within(&script, 10).unwrap();
        assert_eq!(hints(&script), read, "{seconds}");
    }
}
