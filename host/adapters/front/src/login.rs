//! The login to Next Engine in the merchant's own browser: begun on a page that asks for the API's token, so that nobody else binds the
//! shop to a company of theirs; out by a redirect; back with a cookie that ties both ends together. Shows no ticket and no state.

use std::time::{Duration, Instant};

use http::{
    Request, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use crate::{
    api::{Connector, Refusal},
    routes::{Secrets, same, text, with},
};

const COOKIE: &str = "tsunagi-login";
/// As long as a ticket lives (wit/connection.wit).
const SECONDS: u32 = 30 * 60;
/// How long the way back waits for a call to Next Engine that is under way.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(1);

const BEGIN: &str = "ログイン / Log in";
const NOT_CONNECTED: &str = "接続できませんでした / Not connected";
const WORDS: &str = "ネクストエンジンにログインします。API のトークンを入力してください。\n\
                     This leads to Next Engine's login. Give the API's token.";
const WRONG: &str = "トークンが違います。\nThis is not the token.";
const NOT_BEGUN: &str = "ログインは、同じブラウザで30分以内に、/login から始めてください。Cookie を許可してください。\n\
                         Begin at /login, in this browser and within 30 minutes, with cookies allowed.";
const NO_STATE: &str = "ネクストエンジンからの戻りに必要な値がありません。アプリのリダイレクト先の設定を確かめてください。\n\
                        The way back from Next Engine lacks its values. Check the app's redirect address.";
const RELOAD: &str =
    "このページを再読み込みすると、もう一度試します。\nLoad this page again to try once more.";

/// The page that a login begins on.
pub fn form() -> Response<Vec<u8>> {
    page(StatusCode::OK, BEGIN, WORDS, true)
}

/// Sends the browser to Next Engine, with a ticket.
pub fn begin(
    request: &Request<Vec<u8>>,
    secrets: &Secrets,
    connector: &dyn Connector,
) -> Response<Vec<u8>> {
    let given = field(request.body(), "token");
    if !same(given.as_deref(), secrets.api_token.as_deref()) {
        return page(StatusCode::FORBIDDEN, BEGIN, WRONG, true);
    }
    let start = match connector.call("connection.begin-login", json!({})) {
        Ok(start) => start,
        Err(refusal) => return page(StatusCode::CONFLICT, NOT_CONNECTED, &words(&refusal), false),
    };
    let part = |name: &str| start.get(name).and_then(Value::as_str).unwrap_or_default();
    let cookie = cookie(part("ticket"), SECONDS, is_https(connector));
    let mut response = page(StatusCode::SEE_OTHER, BEGIN, "", false);
    put(&mut response, header::LOCATION, part("address"));
    put(&mut response, header::SET_COOKIE, &cookie);
    response
}

/// Back from Next Engine.
pub fn finish(request: &Request<Vec<u8>>, connector: &dyn Connector) -> Response<Vec<u8>> {
    let Some(ticket) = ticket(request) else {
        return page(StatusCode::BAD_REQUEST, NOT_CONNECTED, NOT_BEGUN, false);
    };
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let (Some(uid), Some(state)) = (field(query, "uid"), field(query, "state")) else {
        return page(StatusCode::BAD_REQUEST, NOT_CONNECTED, NO_STATE, false);
    };
    let arguments = json!({ "ticket": ticket, "uid": uid, "state": state });
    let (mut response, used) = match patiently(connector, &arguments, PATIENCE) {
        Ok(()) => (
            page(StatusCode::OK, "接続しました / Connected", "", false),
            true,
        ),
        Err((refusal, used)) => {
            let again = if used { "" } else { RELOAD };
            let words = format!("{}\n{again}", words(&refusal));
            (
                page(StatusCode::CONFLICT, NOT_CONNECTED, &words, false),
                used,
            )
        }
    };
    if used {
        put(&mut response, header::SET_COOKIE, &cookie("", 0, false));
    }
    response
}

/// Waits while another call to Next Engine is under way or Next Engine cannot be reached. Beside an error says whether the ticket is
/// used up.
pub(crate) fn patiently(
    connector: &dyn Connector,
    arguments: &Value,
    patience: Duration,
) -> Result<(), (Refusal, bool)> {
    let begun = Instant::now();
    let mut before = None;
    loop {
        let refusal = match connector.call("connection.finish-login", arguments.clone()) {
            Ok(_) => return Ok(()),
            Err(refusal) => refusal,
        };
        let case = match &refusal {
            Refusal::Contract(case, _) => case.as_str(),
            _ => "",
        };
        if !["contended", "unavailable"].contains(&case) {
            // The ticket went with an earlier attempt, whose trouble is what a person should read.
            let told = before.filter(|_| case == "not-found").unwrap_or(refusal);
            return Err((told, true));
        }
        if begun.elapsed() >= patience {
            return Err((refusal, false));
        }
        before = Some(refusal);
        std::thread::sleep(AGAIN);
    }
}

/// Whether browsers come here by https: as the address says that Next Engine sends them back to.
fn is_https(connector: &dyn Connector) -> bool {
    let settings = connector
        .call("settings.get", json!({}))
        .unwrap_or_default();
    let redirect = settings.pointer("/credentials/next-engine-redirect");
    !redirect
        .and_then(Value::as_str)
        .is_some_and(|address| address.starts_with("http://"))
}

fn cookie(ticket: &str, seconds: u32, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={ticket}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn ticket(request: &Request<Vec<u8>>) -> Option<String> {
    let cookies = text(request.headers(), "cookie")?.split(';');
    let found = cookies
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)?;
    Some(found.1.to_owned()).filter(|ticket| !ticket.is_empty())
}

fn field(form: &[u8], name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(form);
    fields
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.into_owned())
}

/// What the component says, in both languages.
fn words(refusal: &Refusal) -> String {
    let Refusal::Contract(case, carried) = refusal else {
        return String::new();
    };
    let message = |language: &str| {
        let text = carried.pointer(&format!("/message/{language}"));
        text.and_then(Value::as_str).unwrap_or(case).to_owned()
    };
    format!("{}\n{}", message("ja"), message("en"))
}

fn put(response: &mut Response<Vec<u8>>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}

fn page(status: StatusCode, title: &str, text: &str, form: bool) -> Response<Vec<u8>> {
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let lines = text.lines().filter(|line| !line.is_empty());
    let text: String = lines
        .map(|line| format!("<p>{}</p>", plain(line)))
        .collect();
    let form = if form {
        "<form method=post action=/login><input type=password name=token autocomplete=current-password autofocus \
         aria-label=\"API token\"> <button>ログイン / Log in</button></form>"
    } else {
        ""
    };
    let body = format!(
        "<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><body style=\"font-family:sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem\">\
         <h1>{title}</h1>{text}{form}</body></html>"
    );
    let mut response = with(status, "text/html; charset=utf-8", body.into_bytes());
    // The address carries what must not travel further.
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}
