//! The sandbox as programs on the same machine meet it: over sockets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::faults::FaultKind;
use crate::service::ServiceName;
use crate::webhook::Webhook;

/// Sends raw text and reads until the connection closes.
fn send(base: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A cut body ends in a reset or a close; either way what came before counts.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(base: &str, path: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    send(
        base,
        &format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}

fn get(base: &str, path: &str) -> String {
    send(
        base,
        &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
    )
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_browser_signs_in_and_the_app_fetches_its_tokens() {
    let sandbox = Sandbox::start(SandboxConfig::default()).unwrap();
    let base = sandbox.ne_sign_in();
    let (app, user) = sandbox.next_engine(|ne| (ne.app().clone(), ne.users()[0].clone()));
    assert!(get(&base, "/users/sign_in/?client_id=other").starts_with("HTTP/1.1 400"));
    let page = format!("/users/sign_in/?client_id={}", app.client_id);
    assert!(get(&base, &page).contains("ログイン"));
    let answer = post(
        &base,
        &page,
        FORM,
        &format!("login={}&password={}", user.login, user.password),
    );
    assert!(answer.starts_with("HTTP/1.1 302"), "{answer}");
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap();
    let query = location
        .strip_prefix(&format!("{}?", app.redirect_uri))
        .unwrap();
    let tokens = post(
        &sandbox.ne_api(),
        "/api_neauth",
        FORM,
        &format!("{query}&client_secret={}", app.client_secret),
    );
    assert!(
        tokens.contains("\"access_token\"") && tokens.contains("\"company_ne_id\""),
        "{tokens}"
    );
}

#[test]
fn faults_reach_the_wire_and_the_operator_has_a_door() {
    let sandbox = Sandbox::start(SandboxConfig::default()).unwrap();
    let base = sandbox.ne_api();
    let order = r#"{"service": "next_engine", "kind": "cut_body", "keep": 9, "times": 1}"#;
    assert!(post(&base, "/_sandbox/faults", "application/json", order).contains("done"));
    sandbox.add_fault(
        FaultRule::once(
            ServiceName::NextEngine,
            "/api_neauth",
            FaultKind::DropAnswer,
        )
        .after(1),
    );
    assert!(post(&base, "/api_neauth", FORM, "").ends_with("{\"code\":\""));
    assert_eq!(post(&base, "/api_neauth", FORM, ""), "");
    assert!(post(&base, "/api_neauth", FORM, "").contains("001001"));
    assert!(get(&base, "/_sandbox/counters").contains("\"POST /api_neauth\":3"));
    assert!(get(&base, "/_sandbox/books/orders").ends_with("[]"));
}

#[test]
fn webhooks_are_posted_once_and_never_again() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", receiver.local_addr().unwrap());
    let sandbox = Sandbox::start(SandboxConfig::default()).unwrap();
    let headers = vec![(String::from("smaregi-event"), String::from("pos:stock"))];
    let webhook = Webhook {
        url,
        headers,
        body: serde_json::json!({"action": "edited"}),
    };
    sandbox.world(|world| world.webhooks.push(webhook));
    let (mut stream, _) = receiver.accept().unwrap();
    let mut start = [0; 512];
    let read = stream.read(&mut start).unwrap();
    let text = String::from_utf8_lossy(&start[..read]).into_owned();
    assert!(
        text.starts_with("POST /hook HTTP/1.1") && text.contains("smaregi-event: pos:stock"),
        "{text}"
    );
    drop(stream);
    assert_eq!(sandbox.world(|world| world.webhooks.counts()), (1, 0));
}

#[test]
fn the_description_names_everything_and_the_door_answers() {
    let redirect = "https://localhost:9/back";
    let sandbox = Sandbox::start(SandboxConfig {
        redirect_uri: Some(String::from(redirect)),
        ..SandboxConfig::default()
    })
    .unwrap();
    let told = sandbox.describe();
    assert_eq!(told["credentials"]["next-engine-redirect"], redirect);
    let door = told["operator"]["smaregi"].as_str().unwrap().to_owned();
    let base = sandbox.smaregi_api();
    let path = door.strip_prefix(&base).unwrap();
    assert!(get(&base, &format!("{path}switches")).contains("\"count_type\":\"string\""));
    let json = "application/json";
    let hook = r#"{"action": "set_hook", "url": "http://127.0.0.1:1", "header": ["", "s"]}"#;
    assert!(post(&base, &format!("{path}actions"), json, hook).contains("refused"));
    let unset = r#"{"action": "unset_hook"}"#;
    assert!(post(&base, &format!("{path}actions"), json, unset).contains("done"));
    let uid = told["login"]["uid"].as_str().unwrap();
    let issue = format!(r#"{{"action": "issue_pair", "uid": "{uid}"}}"#);
    let base = sandbox.ne_api();
    assert!(post(&base, "/_sandbox/actions", json, &issue).contains("access_token_end_date"));
}
