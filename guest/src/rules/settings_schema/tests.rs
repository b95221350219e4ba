//! What the schema refuses the check refuses, at the same field, and the other way round as far as a schema can say it.

mod checker;

use std::collections::BTreeSet;

use checker::refused;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    error::Problem,
    rules::{samples, settings_check},
    settings::Trigger,
};

fn read(language: Language) -> Value {
    serde_json::from_str(&schema(language)).unwrap()
}

/// A shop's settings as JSON, everything set that can be.
fn complete() -> Value {
    let mut orders = serde_json::to_value(samples::settings()).unwrap();
    let store = orders.pointer_mut("/receiving_stores/0").unwrap();
    store["source_store_id"] = json!("3");
    store["terminal_id"] = json!("7");
    orders["payments"] = json!([{ "method_id": "1", "kind": "cash" }]);
    let mut given = serde_json::to_value(Settings::default()).unwrap();
    given["orders"] = orders;
    given["stock"]["stores"] = json!(["1", "3"]);
    given["stock"]["codes"]["pairs"] = json!([{ "next_engine": "a", "smaregi": "b" }]);
    let causes = given["stock"]["triggers"].take();
    let sent = |cause: &Trigger| causes.as_array().unwrap().contains(&json!(cause.name()));
    let flags = Trigger::ALL.map(|cause| (cause.name().to_owned(), sent(&cause).into()));
    given["stock"]["triggers"] = Value::Object(Map::from_iter(flags));
    for secret in ["next_engine_client_secret", "smaregi_client_secret"] {
        given["credentials"][secret] = json!("s");
    }
    for id in [
        "next_engine_client_id",
        "smaregi_contract_id",
        "smaregi_client_id",
    ] {
        given["credentials"][id] = json!("i");
    }
    for flag in ["has_next_engine_secret", "has_smaregi_secret"] {
        given["credentials"][flag] = json!(false);
    }
    renamed(&given, "_", "-")
}

fn renamed(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.replace(from, to), renamed(value, from, to)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| renamed(item, from, to)).collect(),
        other => other.clone(),
    }
}

/// Fields that `settings.validate` names.
struct Checked {
    all: BTreeSet<String>,
    /// Those that a schema can know of.
    sayable: BTreeSet<String>,
    /// Something is too long: then nothing else is told.
    too_long: bool,
}

/// What the component makes of settings that are given as JSON.
fn checked(given: &Value) -> Checked {
    let credentials = &given["credentials"];
    let flag = |name: &str| credentials[name].as_bool().unwrap();
    let (next_engine, smaregi) = (flag("has-next-engine-secret"), flag("has-smaregi-secret"));
    let problems = settings_check::validate(&as_settings(given));
    let problems = settings_check::but_stored(problems, next_engine, smaregi);
    let sayable = problems
        .iter()
        .filter(|problem| match problem.reason.code.as_str() {
            // Of texts alone a schema can say that they occur once.
            "twice" => problem.field.starts_with("stock.stores"),
            "same-store" => false,
            // One that has the form and still is none.
            "not-an-address" => url::Url::parse(problem.reason.value.as_deref().unwrap()).is_ok(),
            // One that is not set is derived from the shop's id.
            "not-an-id" if problem.field.ends_with("terminal-id") => is_set(given, &problem.field),
            _ => true,
        });
    Checked {
        all: problems.iter().map(place_of).collect(),
        sayable: sayable.map(place_of).collect(),
        too_long: problems
            .iter()
            .any(|problem| problem.reason.code == "too-long"),
    }
}

/// As the component reads what is given.
fn as_settings(given: &Value) -> Settings {
    let mut stored = renamed(given, "-", "_");
    for secret in ["next_engine_client_secret", "smaregi_client_secret"] {
        let secret = &mut stored["credentials"][secret];
        *secret = json!(secret.as_str().unwrap_or_default());
    }
    let triggers = stored["stock"]["triggers"].take();
    let sent = triggers.as_object().unwrap().iter();
    let sent = sent.filter(|(_, is_sent)| **is_sent == json!(true));
    stored["stock"]["triggers"] = sent.map(|(cause, _)| json!(cause)).collect();
    let store = &mut stored["orders"]["receiving_stores"][0];
    for name in ["source_store_id", "terminal_id"] {
        // An empty one is none.
        if store[name] == json!("") {
            store[name] = Value::Null;
        }
    }
    serde_json::from_value(stored).unwrap()
}

/// A problem's field as the schema has it: of a store that occurs twice the list, of a fee's code the fee.
fn place_of(problem: &Problem) -> String {
    match problem.field.split_once('[') {
        Some((list @ "stock.stores", _)) if problem.reason.code == "twice" => list.to_owned(),
        _ => problem.field.trim_end_matches(".line").to_owned(),
    }
}

fn is_set(given: &Value, field: &str) -> bool {
    let pointer = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
    let value = given.pointer(&pointer).and_then(Value::as_str);
    value.is_some_and(|text| !text.is_empty())
}

/// Texts of all kinds that settings hold, right ones and wrong ones.
fn texts() -> impl Strategy<Value = String> {
    let address = "(https?:/{1,3}|ftp://|http://localhost|http://127\\.0\\.0\\.1|http://\\[::1\\]|)(shop\\.example|:80|/| |@|\\?|#|\\\\|a|あ){0,4}";
    prop_oneof![
        address,
        "[0-9]{0,11}",
        "[ -~]{0,22}",
        "[\u{3000}\u{85}\u{feff} \t\n]{0,3}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        (998_usize..1_003).prop_map(|length| "長".repeat(length)),
        ".{0,6}",
    ]
}

/// A place of the settings and what is put there.
fn changes() -> impl Strategy<Value = (&'static str, Value)> {
    let texts = prop::sample::select(vec![
        "/endpoints/next-engine-sign-in",
        "/endpoints/smaregi-api",
        "/credentials/next-engine-client-id",
        "/credentials/next-engine-client-secret",
        "/credentials/next-engine-redirect",
        "/credentials/smaregi-contract-id",
        "/credentials/smaregi-client-secret",
        "/stock/stores/0",
        "/stock/codes/prefix",
        "/stock/codes/pairs/0/next-engine",
        "/stock/codes/pairs/0/smaregi",
        "/orders/receiving-stores/0/store-id",
        "/orders/receiving-stores/0/shop-id",
        "/orders/receiving-stores/0/shop-name",
        "/orders/receiving-stores/0/source-store-id",
        "/orders/receiving-stores/0/terminal-id",
        "/orders/payments/0/method-id",
    ]);
    let numbers = prop::sample::select(vec![
        "/stock/guard/moved-percent",
        "/stock/guard/products-to-zero",
        "/pace/import-minutes",
        "/pace/send-early-products",
        "/pace/monthly-calls",
        "/pace/smaregi-parallel",
        "/pace/smaregi-writes-per-second",
        "/pace/catch-up-minutes",
        "/pace/compare-days",
    ]);
    let number = prop_oneof![
        0_u32..40,
        90_u32..110,
        1_430_u32..1_450,
        99_990_u32..100_010,
        any::<u32>()
    ];
    let options = prop::sample::select(vec![
        "/credentials/next-engine-client-secret",
        "/orders/receiving-stores/0/source-store-id",
        "/orders/receiving-stores/0/terminal-id",
    ]);
    let flags = prop::sample::select(vec![
        "/credentials/has-next-engine-secret",
        "/credentials/has-smaregi-secret",
        "/stock/triggers/sale",
    ]);
    let fees = prop::sample::select(vec!["/orders/charge", "/orders/other"]);
    let fee = prop_oneof![
        Just(json!("unset")),
        self::texts().prop_map(|code| json!({ "line": code }))
    ];
    prop_oneof![
        8 => (texts, self::texts().prop_map(Value::from)),
        3 => (numbers, number.prop_map(Value::from)),
        1 => (options, Just(Value::Null)),
        1 => (flags, any::<bool>().prop_map(Value::from)),
        2 => (fees, fee),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]
    #[test]
    fn the_schema_and_the_check_refuse_the_same(changes in prop::collection::vec(changes(), 1..4)) {
        thread_local! { static FORM: Value = read(Language::En); }
        let mut given = complete();
        for (place, value) in changes {
            *given.pointer_mut(place).unwrap() = value;
        }
        let refused = FORM.with(|form| refused(form, &given));
        let Checked { all, sayable, too_long } = checked(&given);
        prop_assert!(too_long || refused.is_subset(&all), "only the schema: {refused:?}, check: {all:?}");
        prop_assert!(sayable.is_subset(&refused), "only the check: {sayable:?}, schema: {refused:?}");
    }
}

#[test]
fn complete_settings_are_taken_and_so_is_what_is_shown() {
    let form = read(Language::Ja);
    let mut settings = complete();
    assert_eq!(refused(&form, &settings), BTreeSet::new());
    // As `settings.get` shows them.
    for secret in ["next-engine-client-secret", "smaregi-client-secret"] {
        settings["credentials"][secret] = Value::Null;
    }
    settings["credentials"]["has-smaregi-secret"] = json!(true);
    let missing = BTreeSet::from(["credentials.next-engine-client-secret".to_owned()]);
    assert_eq!(refused(&form, &settings), missing);
    settings["credentials"]["has-next-engine-secret"] = json!(true);
    assert_eq!(refused(&form, &settings), BTreeSet::new());
}

#[test]
fn what_the_contract_does_not_have_is_refused() {
    let form = read(Language::En);
    for (place, value, refused_at) in [
        ("/orders/moment", json!("someday"), "orders.moment"),
        ("/orders/charge", json!("line"), "orders.charge"),
        (
            "/orders/charge",
            json!({ "line": "FEE", "unset": 1 }),
            "orders.charge",
        ),
        ("/stock/triggers", json!({}), "stock.triggers.sale"),
        ("/stock/guard", json!({ "percent": 1 }), "stock.guard"),
        ("/stock/stores", json!(["1", "1"]), "stock.stores"),
        ("/pace/compare-days", json!("1"), "pace.compare-days"),
        (
            "/orders/receiving-stores/0/start-date",
            json!("2026-02-30"),
            "orders.receiving-stores[0].start-date",
        ),
    ] {
        let mut settings = complete();
        *settings.pointer_mut(place).unwrap() = value;
        assert!(refused(&form, &settings).contains(refused_at), "{place}");
    }
}

#[test]
fn the_form_is_in_its_order_and_in_one_language() {
    let (ja, en) = (schema(Language::Ja), schema(Language::En));
    let at = |text: &str| ja.find(text).unwrap();
    assert!(at("\"endpoints\"") < at("\"credentials\"") && at("\"stock\"") < at("\"pace\""));
    assert!(at("修正時に送信") < at("ロス時に送信"));
    assert!(en.is_ascii() && en.contains("\"title\":\"Corrections\""));
}

#[test]
fn what_nobody_has_filled_in_is_a_default_where_it_may_stay_so() {
    let form = read(Language::En);
    let default = |place: &str| {
        let place = place.replace('/', "/properties/");
        let field = form.pointer(&place);
        field.unwrap_or_else(|| panic!("{place}")).get("default")
    };
    let settings = Settings::default();
    for cause in Trigger::ALL {
        let sent = json!(settings.stock.triggers.contains(&cause));
        let place = format!("/stock/triggers/{}", cause.name());
        assert_eq!(default(&place), Some(&sent), "{place}");
    }
    let address = json!(settings.endpoints.smaregi_api);
    assert_eq!(default("/endpoints/smaregi-api"), Some(&address));
    let days = json!(settings.pace.compare_days);
    assert_eq!(default("/pace/compare-days"), Some(&days));
    for needed in [
        "/stock",
        "/credentials/smaregi-client-id",
        "/credentials/smaregi-client-secret",
    ] {
        assert_eq!(default(needed), None, "{needed}");
    }
}

#[test]
fn a_set_says_of_each_name_whether_it_holds_it() {
    let set = json!(["sale"]);
    assert_eq!(part(&set, "sale"), Some(json!(true)));
    assert_eq!(part(&set, "loss"), Some(json!(false)));
}
