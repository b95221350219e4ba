//! The routes before a connector that is written down in each test, and the spelling of types.

use std::{cell::RefCell, time::Duration};

use http::{Request, Response};
use serde_json::{Value, json};

use crate::{
    api::{Connector, Plugged, Refusal},
    bindings::tsunagi::connector::settings::Settings,
    login,
    routes::{Secrets, answer, tick},
};

type Answer = Result<Value, Refusal>;

/// Gives the answers in their order, and remembers what was asked.
struct Script {
    answers: RefCell<Vec<Answer>>,
    asked: RefCell<Vec<(String, Value)>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self {
            answers: RefCell::new(answers),
            asked: RefCell::default(),
        }
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.take()
    }
}

impl Connector for Script {
    fn call(&self, function: &str, arguments: Value) -> Answer {
        self.asked
            .borrow_mut()
            .push((function.to_owned(), arguments));
        self.answers.borrow_mut().pop().unwrap()
    }
}

fn secrets() -> Secrets {
    Secrets {
        api_token: Some("token".to_owned()),
        webhook: Some("hook".to_owned()),
    }
}

fn request(method: &str, address: &str, headers: &[(&str, &str)], body: &str) -> Request<Vec<u8>> {
    let begun = Request::builder().method(method).uri(address);
    let built = headers
        .iter()
        .fold(begun, |built, (name, value)| built.header(*name, *value));
    built.body(body.into()).unwrap()
}

fn api(path: &str, body: &str) -> Request<Vec<u8>> {
    request("POST", path, &[("authorization", "Bearer token")], body)
}

fn text(response: &Response<Vec<u8>>) -> String {
    String::from_utf8(response.body().clone()).unwrap()
}

fn status(request: &Request<Vec<u8>>, connector: &dyn Connector) -> u16 {
    answer(request, &secrets(), connector).status().as_u16()
}

fn contract(case: &str) -> Answer {
    Err(Refusal::Contract(
        case.to_owned(),
        json!({ "message": { "ja": "だめ", "en": "no" } }),
    ))
}

/// The settings of the platforms' scenario, which every host takes.
#[test]
fn types_are_spelled_as_the_contract_spells_them() {
    let scenario: Value =
        serde_json::from_str(include_str!("../../../../tests/platforms/scenario.json")).unwrap();
    let steps = scenario["steps"].as_array().unwrap();
    let given: Vec<&Value> = steps
        .iter()
        .filter(|step| step["call"] == "settings.put")
        .map(|step| &step["arguments"]["settings"])
        .collect();
    assert!(!given.is_empty());
    for settings in given {
        let read: Settings = serde_json::from_value(settings.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), *settings);
    }
}

#[test]
fn a_call_carries_the_token_or_is_not_made() {
    let connector = Script::new([Ok(json!({ "on": true }))]);
    let path = "/api/connection/get-status";
    for headers in [
        &[][..],
        &[("authorization", "Bearer wrong")],
        &[("authorization", "token")],
    ] {
        assert_eq!(status(&request("POST", path, headers, ""), &connector), 401);
    }
    let closed = Secrets {
        api_token: Some(String::new()),
        webhook: None,
    };
    let empty = request("POST", path, &[("authorization", "Bearer ")], "");
    assert_eq!(answer(&empty, &closed, &connector).status(), 401);
    let called = answer(&api(path, r#"{"a":1}"#), &secrets(), &connector);
    assert_eq!(
        (called.status().as_u16(), text(&called).as_str()),
        (200, r#"{"on":true}"#)
    );
    assert_eq!(
        connector.asked(),
        [("connection.get-status".to_owned(), json!({ "a": 1 }))]
    );
}

#[test]
fn an_error_of_the_contract_comes_whole_with_its_status() {
    for (case, meant) in [
        ("invalid", 422),
        ("not-found", 404),
        ("contended", 409),
        ("refused", 502),
        ("storage", 503),
    ] {
        let response = answer(
            &api("/api/orders/stores", ""),
            &secrets(),
            &Script::new([contract(case)]),
        );
        assert_eq!(response.status().as_u16(), meant);
        assert!(
            text(&response).contains(&format!(r#"{{"error":{{"{case}":{{"message""#)),
            "{}",
            text(&response)
        );
    }
}

#[test]
fn what_does_not_fit_is_named_by_its_place_and_not_repeated() {
    let body = r#"{"shop-id":"1","budget":{"requests":"s3cret","seconds":1}}"#;
    let response = answer(&api("/api/orders/import-shop", body), &secrets(), &Plugged);
    assert_eq!(response.status(), 400);
    assert!(
        text(&response).contains("budget.requests") && !text(&response).contains("s3cret"),
        "{}",
        text(&response)
    );
    assert_eq!(status(&api("/api/orders/import-shop", "[]"), &Plugged), 400);
    assert_eq!(status(&api("/api/orders/import-shop", "{"), &Plugged), 400);
    assert_eq!(status(&api("/api/orders/nothing", ""), &Plugged), 404);
    assert_eq!(status(&api("/nowhere", ""), &Plugged), 404);
}

#[test]
fn a_webhook_is_acknowledged_once_it_is_taken_in() {
    let delivery = |secret| {
        request(
            "POST",
            "/webhook/smaregi",
            &[
                ("X-Tsunagi-Secret", secret),
                ("Smaregi-Event", "pos:stock"),
                ("Smaregi-Event-Id", "e1"),
            ],
            "{}",
        )
    };
    let connector = Script::new([Ok(Value::Null), contract("invalid"), contract("storage")]);
    assert_eq!(status(&delivery("wrong"), &connector), 401);
    assert_eq!(
        answer(&delivery(""), &Secrets::default(), &connector).status(),
        401
    );
    assert_eq!(
        [(); 3].map(|()| status(&delivery("hook"), &connector)),
        [200, 400, 503]
    );
    let webhook =
        json!({ "contract-id": null, "event": "pos:stock", "event-id": "e1", "body": "{}" });
    assert_eq!(
        connector.asked()[0],
        ("stock.take-in".to_owned(), json!({ "webhook": webhook }))
    );
    let large = request(
        "POST",
        "/webhook/smaregi",
        &[("X-Tsunagi-Secret", "hook")],
        &" ".repeat((1 << 20) + 1),
    );
    assert_eq!(status(&large, &connector), 413);
}

#[test]
fn a_tick_goes_on_while_more_is_due_and_no_longer_than_it_may() {
    let round = |more| Ok(json!({ "more": more, "next-at": "2026-11-29T10:00:00+09:00" }));
    let connector = Script::new([round(true), round(false)]);
    let told = tick(&connector, Duration::from_secs(9)).unwrap();
    assert_eq!(
        (told["rounds"].as_array().unwrap().len(), &told["more"]),
        (2, &json!(false))
    );
    assert_eq!(told["next-at"], "2026-11-29T10:00:00+09:00");
    assert!(
        connector.asked()[0].1["budget"]["seconds"]
            .as_u64()
            .unwrap()
            >= 8
    );
    let told = tick(&Script::new([round(true)]), Duration::ZERO).unwrap();
    assert_eq!(told["more"], true);
    assert_eq!(
        status(&request("POST", "/tick", &[], ""), &Script::new([])),
        401
    );
}

#[test]
fn a_login_is_begun_with_the_token_and_ends_in_the_same_browser() {
    let start =
        Ok(json!({ "address": "https://base.next-engine.org/users/sign_in/?a=1", "ticket": "t1" }));
    let settings =
        |address: &str| Ok(json!({ "credentials": { "next-engine-redirect": address } }));
    let connector = Script::new([start, settings("https://x/login/callback"), Ok(json!({}))]);
    let wrong = answer(
        &request("POST", "/login", &[], "token=wrong"),
        &secrets(),
        &connector,
    );
    assert_eq!(wrong.status(), 403);
    let begun = answer(
        &request("POST", "/login", &[], "token=token"),
        &secrets(),
        &connector,
    );
    assert_eq!(begun.status(), 303);
    assert_eq!(
        begun.headers()["location"],
        "https://base.next-engine.org/users/sign_in/?a=1"
    );
    let cookie = begun.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("tsunagi-login=t1; ")
            && cookie.contains("HttpOnly")
            && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    let back = "/login/callback?uid=u&state=s%2B";
    assert_eq!(status(&request("GET", back, &[], ""), &connector), 400);
    assert_eq!(
        status(
            &request(
                "GET",
                "/login/callback",
                &[("cookie", "tsunagi-login=t1")],
                ""
            ),
            &connector
        ),
        400
    );
    let ended = answer(
        &request("GET", back, &[("cookie", "a=b; tsunagi-login=t1")], ""),
        &secrets(),
        &connector,
    );
    assert_eq!(ended.status(), 200);
    assert!(
        ended.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    let finish = json!({ "ticket": "t1", "uid": "u", "state": "s+" });
    assert_eq!(
        connector.asked()[2],
        ("connection.finish-login".to_owned(), finish)
    );
}

#[test]
fn a_login_waits_for_a_call_that_is_under_way_and_tells_the_first_trouble() {
    let arguments = json!({});
    let patient = Duration::from_secs(9);
    let waited = login::patiently(
        &Script::new([contract("contended"), Ok(json!({}))]),
        &arguments,
        patient,
    );
    assert_eq!(waited, Ok(()));
    let (told, used) = login::patiently(
        &Script::new([contract("unavailable"), contract("not-found")]),
        &arguments,
        patient,
    )
    .unwrap_err();
    assert!(matches!(told, Refusal::Contract(case, _) if case == "unavailable") && used);
    let (_, used) = login::patiently(
        &Script::new([contract("contended")]),
        &arguments,
        Duration::ZERO,
    )
    .unwrap_err();
    assert!(!used);
}
