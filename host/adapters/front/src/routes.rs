//! Which address does what. A function from a request to a response; secrets and the connector are given to it. No secret is ever in an
//! address, and nothing of a request comes back in a response but what the connector answers.

use std::time::{Duration, Instant};

use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{self, HeaderValue},
};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::{
    api::{Connector, Refusal},
    login,
};

/// Carries the webhook's secret; set as a custom header in Smaregi's developer console.
const SECRET_HEADER: &str = "x-tsunagi-secret";
/// Bytes of a delivery (wit/stock.wit).
const LARGEST_DELIVERY: usize = 1 << 20;
/// How long a tick works at most, about; less than whoever calls it waits by default.
const TICK: Duration = Duration::from_secs(50);
/// Requests of one round of a tick.
const REQUESTS: u32 = 400;

/// What callers must know. An absent or empty one closes what it opens.
#[derive(Default)]
pub struct Secrets {
    /// The bearer token of the API and the tick, and the password of the login page.
    pub api_token: Option<String>,
    /// What Smaregi's webhook carries.
    pub webhook: Option<String>,
}

/// Answers a request.
pub fn answer(
    request: &Request<Vec<u8>>,
    secrets: &Secrets,
    connector: &dyn Connector,
) -> Response<Vec<u8>> {
    let (method, path) = (request.method(), request.uri().path());
    match (method, path) {
        (&Method::GET, "/healthz") => plain(StatusCode::OK, "ok"),
        (&Method::POST, "/webhook/smaregi") => empty(webhook(request, secrets, connector)),
        (&Method::GET, "/login") => login::form(),
        (&Method::POST, "/login") => login::begin(request, secrets, connector),
        (&Method::GET, "/login/callback") => login::finish(request, connector),
        (&Method::POST, "/tick") => guarded(request, secrets, || tick(connector, TICK)),
        _ => match path
            .strip_prefix("/api/")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((interface, function)) => guarded(request, secrets, || {
                let arguments = arguments(request.body())?;
                connector.call(&format!("{interface}.{function}"), arguments)
            }),
            None => empty(StatusCode::NOT_FOUND),
        },
    }
}

/// For whoever carries the API's token.
fn guarded(
    request: &Request<Vec<u8>>,
    secrets: &Secrets,
    work: impl FnOnce() -> Result<Value, Refusal>,
) -> Response<Vec<u8>> {
    let given =
        text(request.headers(), "authorization").and_then(|given| given.strip_prefix("Bearer "));
    if !same(given, secrets.api_token.as_deref()) {
        return empty(StatusCode::UNAUTHORIZED);
    }
    match work() {
        Ok(value) => as_json(StatusCode::OK, &value),
        Err(refusal) => refused(refusal),
    }
}

fn arguments(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|_| Refusal::Misfit("the body is no JSON".to_owned()))
}

fn webhook(request: &Request<Vec<u8>>, secrets: &Secrets, connector: &dyn Connector) -> StatusCode {
    let header = |name| text(request.headers(), name);
    if !same(header(SECRET_HEADER), secrets.webhook.as_deref()) {
        return StatusCode::UNAUTHORIZED;
    }
    if request.body().len() > LARGEST_DELIVERY {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let Ok(body) = std::str::from_utf8(request.body()) else {
        return StatusCode::BAD_REQUEST;
    };
    let delivery = json!({ "webhook": {
        "contract-id": header("smaregi-contract-id"),
        "event": header("smaregi-event"),
        "event-id": header("smaregi-event-id"),
        "body": body,
    }});
    match connector.call("stock.take-in", delivery) {
        Ok(_) => StatusCode::OK,
        Err(Refusal::Contract(case, _)) if case == "invalid" => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Does what is due, round after round, until nothing is or the time is up: what each round did, and when to come again.
pub(crate) fn tick(connector: &dyn Connector, at_most: Duration) -> Result<Value, Refusal> {
    let begun = Instant::now();
    let mut rounds = Vec::new();
    loop {
        let left = at_most.saturating_sub(begun.elapsed()).as_secs();
        let budget = json!({ "requests": REQUESTS, "seconds": left });
        let round = connector.call("schedule.run", json!({ "budget": budget }))?;
        let more = round
            .get("more")
            .and_then(Value::as_bool)
            .unwrap_or_default();
        let next = round.get("next-at").cloned();
        rounds.push(round);
        if !more || begun.elapsed() >= at_most {
            return Ok(json!({ "rounds": rounds, "more": more, "next-at": next }));
        }
    }
}

fn refused(refusal: Refusal) -> Response<Vec<u8>> {
    match refusal {
        Refusal::Contract(case, carried) => {
            let status = match case.as_str() {
                "invalid" => StatusCode::UNPROCESSABLE_ENTITY,
                "not-found" => StatusCode::NOT_FOUND,
                "not-connected" | "login-needed" | "contended" => StatusCode::CONFLICT,
                "refused" => StatusCode::BAD_GATEWAY,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            as_json(status, &json!({ "error": { case: carried } }))
        }
        Refusal::Unknown => as_json(
            StatusCode::NOT_FOUND,
            &json!({ "error": "there is no such function" }),
        ),
        Refusal::Misfit(place) => as_json(StatusCode::BAD_REQUEST, &json!({ "error": place })),
    }
}

/// Compares without telling by its time how much was right.
pub(crate) fn same(given: Option<&str>, secret: Option<&str>) -> bool {
    let both = given.zip(secret.filter(|secret| !secret.is_empty()));
    both.is_some_and(|(given, secret)| given.as_bytes().ct_eq(secret.as_bytes()).into())
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn as_json(status: StatusCode, value: &Value) -> Response<Vec<u8>> {
    with(status, "application/json", value.to_string().into_bytes())
}

fn plain(status: StatusCode, text: &str) -> Response<Vec<u8>> {
    with(status, "text/plain; charset=utf-8", text.into())
}

fn empty(status: StatusCode) -> Response<Vec<u8>> {
    plain(status, "")
}

/// A response that nobody keeps.
pub(crate) fn with(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
