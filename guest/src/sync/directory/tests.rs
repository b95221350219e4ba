//! Choice lists against scripted answers: what is kept, what is asked for again, and what a refusal looks like.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::{
    sync::{
        next_engine_lease::Lease,
        tenant::SETTINGS_KEY,
        testing::{Script, at_once},
    },
    time,
};

fn connected() -> Script {
    let script = Script::new();
    script.switch_on(&[]);
    script
}

fn shops(names: &[&str]) -> Value {
    let row =
        |(at, name): (usize, &&str)| json!({"shop_id": (at + 1).to_string(), "shop_name": name});
    let rows: Vec<Value> = names.iter().enumerate().map(row).collect();
    json!({"result": "success", "data": rows})
}

fn names(list: &Kept<Choice>) -> Vec<&str> {
    list.choices
        .iter()
        .map(|choice| choice.name.as_str())
        .collect()
}

fn pass(script: &Script, minutes: i64) {
    script
        .now
        .set(script.now.get() + TimeDelta::minutes(minutes));
}

#[test]
fn a_list_is_read_once_in_ten_minutes() {
    let script = connected();
    let read_at = script.now.get();
    script.will(200, &shops(&["楽天市場店"]));
    for minutes in [0, 9] {
        pass(&script, minutes);
        let list = at_once(next_engine_shops(&script.tenant())).unwrap();
        assert_eq!((names(&list), list.read_at), (vec!["楽天市場店"], read_at));
    }
    pass(&script, 1);
    script.will(200, &shops(&["楽天市場店", "公式"]));
    let list = at_once(next_engine_shops(&script.tenant())).unwrap();
    assert_eq!((names(&list).len(), list.read_at), (2, script.now.get()));
    assert_eq!(script.requests.borrow().len(), 2);
    let asked = &script.asked()[0];
    assert!(
        asked.contains("fields=shop_id%2Cshop_name&limit=1000"),
        "{asked}"
    );
}

#[test]
fn a_refusal_is_told_and_nothing_is_kept() {
    let script = connected();
    for _ in 0..2 {
        let refusal = json!({"result": "error", "code": "004001", "message": "x"});
        script.will(200, &refusal);
        let error = at_once(payment_methods(&script.tenant())).unwrap_err();
        assert!(
            matches!(&error, Error::Refused(Side::NextEngine, code, _) if code == "004001"),
            "{error:?}"
        );
    }
    script.will(200, &json!({"result": "success", "data": [{"other": 1}]}));
    let error = at_once(payment_methods(&script.tenant())).unwrap_err();
    assert!(matches!(error, Error::Refused(..)), "{error:?}");
}

#[test]
fn spent_calls_and_a_busy_lease_leave_the_older_list() {
    let script = connected();
    let mut settings = script.tenant().settings;
    settings.pace.monthly_calls = 1;
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
    script.will(200, &shops(&["公式"]));
    at_once(next_engine_shops(&script.tenant())).unwrap();
    pass(&script, 60);
    let list = at_once(next_engine_shops(&script.tenant())).unwrap();
    assert_eq!(names(&list), ["公式"]);
    let error = at_once(payment_methods(&script.tenant())).unwrap_err();
    assert!(
        matches!(&error, Error::Invalid(problems) if problems[0].field == "pace.monthly-calls"),
        "{error:?}"
    );
    settings.pace.monthly_calls = 0;
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
    let tenant = script.tenant();
    let held = Lease::take(&tenant).unwrap();
    let list = at_once(next_engine_shops(&tenant)).unwrap();
    assert_eq!(names(&list), ["公式"]);
    let error = at_once(payment_methods(&tenant)).unwrap_err();
    assert!(matches!(error, Error::Contended(..)), "{error:?}");
    held.release(&tenant).unwrap();
    assert_eq!(script.requests.borrow().len(), 1);
}

#[test]
fn another_contract_and_another_login_have_lists_of_their_own() {
    let script = connected();
    script.will(
        200,
        &json!([{"storeId": "1", "storeName": "本店", "pauseFlag": "1"}]),
    );
    let list = at_once(smaregi_stores(&script.tenant())).unwrap();
    assert!(list.choices[0].paused && list.choices[0].name == "本店");
    let mut settings = script.tenant().settings;
    settings.credentials.smaregi_contract_id = "sb_2".to_owned();
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
    script.will(200, &json!([{"storeId": "7"}, {"storeName": "x"}]));
    let list = at_once(smaregi_stores(&script.tenant())).unwrap();
    assert_eq!((list.choices[0].id.as_str(), list.left_out), ("7", 1));
}

#[test]
fn nobody_logged_in_is_told_without_a_call() {
    let script = Script::new();
    let error = at_once(next_engine_shops(&script.tenant())).unwrap_err();
    assert!(matches!(error, Error::NotConnected(Side::NextEngine, _)));
    assert!(script.requests.borrow().is_empty());
}

fn rows(from: usize, count: usize) -> Value {
    let row = |number: usize| json!({"productId": number.to_string(), "productCode": format!("P-{number}"), "productName": "品", "price": "100"});
    (from..from + count).map(row).collect()
}

#[test]
fn products_are_found_while_typing_and_carry_both_codes() {
    let script = connected();
    let mut settings = script.tenant().settings;
    settings.stock.codes.prefix = "sr-".to_owned();
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
    script.will(200, &rows(1, 1_000));
    script.will(
        200,
        &json!([{"productId": "2001", "productCode": "", "productName": "手数料"}, {"productId": "x"}]),
    );
    let found = at_once(products(&script.tenant(), "p-99")).unwrap();
    assert_eq!(
        (found.matching, found.complete, found.left_out),
        (11, true, 1)
    );
    let first = &found.choices[0];
    assert_eq!(
        (
            first.product.code.as_str(),
            first.next_engine_code.as_deref()
        ),
        ("P-99", Some("sr-P-99"))
    );
    assert_eq!(first.product.price, Some(100.into()));
    let found = at_once(products(&script.tenant(), "手数料")).unwrap();
    assert_eq!(
        (
            found.choices[0].product.id.as_str(),
            &found.choices[0].next_engine_code
        ),
        ("2001", &None)
    );
    let found = at_once(products(&script.tenant(), "")).unwrap();
    assert_eq!((found.choices.len(), found.matching), (20, 1_001));
    assert_eq!(script.requests.borrow().len(), 2);
    assert_eq!(
        found.read_at,
        time::parse_next_engine("2026-11-24 12:00:00").unwrap()
    );
}

#[test]
fn a_huge_catalogue_is_read_in_part_and_a_whole_code_beyond_it_is_found() {
    let script = connected();
    for page in 0..20 {
        script.will(200, &rows(page * 1_000, 1_000));
    }
    script.will(200, &rows(90_000, 1));
    let found = at_once(products(&script.tenant(), "P-90000")).unwrap();
    assert!(!found.complete);
    assert_eq!(found.choices[0].product.id, "90000");
    assert_eq!(script.requests.borrow().len(), 21);
    // What is known by its code, or can be none, is not asked for.
    let no_codes = ["梅干し", "P-90000-90000-90000-90000"];
    for (text, matching) in [("P-19999", 1), (no_codes[0], 0), (no_codes[1], 0)] {
        let found = at_once(products(&script.tenant(), text)).unwrap();
        assert_eq!(found.matching, matching, "{text}");
    }
    assert_eq!(script.requests.borrow().len(), 21);
}

#[test]
fn a_catalogue_that_just_fits_is_whole() {
    let script = connected();
    for page in 0..19 {
        script.will(200, &rows(page * 1_000, 1_000));
    }
    script.will(200, &rows(19_000, 999));
    let found = at_once(products(&script.tenant(), "P-90000")).unwrap();
    assert!(found.complete && found.choices.is_empty());
}
