//! The identity host: the way a person lets an app in, and the shape of its refusals.

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Client, body};
use crate::service::Service;
use crate::switches::Switches;

fn ask(client: &mut Client, path: &str, form: &str, authorization: &str) -> (u16, Value) {
    let request = http::Request::post(path)
        .header("authorization", authorization)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.as_bytes().to_vec())
        .unwrap();
    let answer = client.smaregi.handle(&request);
    (answer.status().as_u16(), body(&answer))
}

/// Asks for a code with the challenge of `verifier`.
fn code(client: &mut Client, verifier: &str) -> String {
    let challenge =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let address = format!(
        "/authorize?response_type=code&client_id={}&scope=openid+offline_access+pos.stock%3Aread&state=s%26s\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fback&code_challenge={challenge}&code_challenge_method=S256",
        client.app.client_id
    );
    let request = http::Request::get(address).body(Vec::new()).unwrap();
    let answer = client.smaregi.handle(&request);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let query = location
        .strip_prefix("http://127.0.0.1:1/back?code=")
        .unwrap();
    let (code, state) = query.split_once('&').unwrap();
    assert_eq!(state, "state=s%26s");
    code.to_owned()
}

#[test]
fn a_code_is_good_once_and_with_its_verifier() {
    let mut client = Client::new(Switches::default());
    let basic = {
        let pair = format!("{}:{}", client.app.client_id, client.app.client_secret);
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        format!("basic {pair}")
    };
    let redeem = |code: &str, verifier: &str| {
        format!(
            "grant_type=authorization_code&code={code}&code_verifier={verifier}&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fback"
        )
    };
    let first = code(&mut client, "right");
    let wrong = ask(
        &mut client,
        "/authorize/token",
        &redeem(&first, "wrong"),
        &basic,
    );
    assert_eq!((wrong.0, &wrong.1["error"]), (400, &json!("invalid_grant")));
    let second = code(&mut client, "right");
    let (status, token) = ask(
        &mut client,
        "/authorize/token",
        &redeem(&second, "right"),
        &basic,
    );
    assert_eq!(status, 200);
    let again = ask(
        &mut client,
        "/authorize/token",
        &redeem(&second, "right"),
        &basic,
    );
    assert_eq!(again.0, 400);
    let refresh = token["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let (status, token) = ask(&mut client, "/authorize/token", &form, &basic);
    assert_eq!(status, 200);
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let (status, who) = ask(&mut client, "/userinfo", "", &bearer);
    assert_eq!(
        (status, &who["contract"]["id"]),
        (200, &json!(client.app.contract_id))
    );
    client.token = token["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get("/stock").0, 200);
    assert_eq!(client.get("/stores").0, 403, "not asked for");
}

#[test]
fn refusals_have_the_shape_of_their_host() {
    let mut client = Client::new(Switches::default());
    let token = http::Request::post(format!("/app/{}/token", client.app.contract_id));
    let token = token.body(Vec::new()).unwrap();
    let stock = http::Request::get(format!("/{}/pos/stock", client.app.contract_id));
    let stock = stock.body(Vec::new()).unwrap();
    for (request, member) in [(&token, "error"), (&stock, "title")] {
        for answer in [
            client.smaregi.refuse(request, "503"),
            client.smaregi.rate_limited(request, 3),
        ] {
            assert!(body(&answer)[member].is_string(), "{answer:?}");
        }
        let limited = client.smaregi.rate_limited(request, 3);
        assert_eq!(
            (limited.status().as_u16(), &limited.headers()["retry-after"]),
            (429, &http::HeaderValue::from(3))
        );
    }
    let limited = client.smaregi.rate_limited(&stock, 3);
    assert_eq!(
        limited.headers()["content-type"],
        "application/problem+json"
    );
}

#[test]
fn event_ids_repeat_by_seed_and_webhooks_name_their_sender() {
    let header = |seed: u64, wanted: &str| {
        let mut client = Client::new(Switches::default());
        client.smaregi.seed_events(seed);
        client.smaregi.correct(1, 1, 1).unwrap();
        let hook = client.webhooks.take().remove(0);
        let found = hook.headers.into_iter().find(|(name, _)| name == wanted);
        found.unwrap().1
    };
    assert_eq!(
        header(0, "smaregi-event-id"),
        "00000001-0000-4000-8000-000000000000"
    );
    assert_eq!(header(7, "smaregi-event-id"), header(7, "smaregi-event-id"));
    assert_ne!(header(7, "smaregi-event-id"), header(8, "smaregi-event-id"));
    assert!(header(0, "user-agent").starts_with("Smaregi-Platform-Api-Webhook/"));
}
