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
