//! サインイン: name and password in, a session out. Tells nobody whether an account exists.

use std::net::SocketAddr;

use axum::{
    Extension,
    extract::{ConnectInfo, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::{Asked, within};
use crate::console::{
    Console,
    access::Visit,
    accounts,
    form::{Line, line},
    layout::{self, Tone, form_code, message},
    secrets,
    sent::Sent,
    sessions::{self, Cookie},
    show,
};
use crate::storage::StoreError;

/// The form.
pub async fn show(
    State(console): State<Console>,
    mut visit: Visit,
    Query(asked): Query<Asked>,
) -> Response {
    let cookie = match know(&console, &mut visit) {
        Ok(cookie) => cookie,
        Err(error) => return layout::store_failed(&visit, &error),
    };
    let page = page(StatusCode::OK, &visit, "", within(&asked.back), None);
    (
        AppendHeaders(cookie.map(|cookie| (header::SET_COOKIE, cookie))),
        page,
    )
        .into_response()
}

/// Gives a browser that comes for the first time the token that its form is tied to: the cookie to set.
pub fn know(console: &Console, visit: &mut Visit) -> Result<Option<String>, StoreError> {
    if visit.form_code().is_some() {
        return Ok(None);
    }
    let token = secrets::token()?;
    let cookie = Cookie::Visitor.set(&console.service.public_url, &token);
    visit.known_by(token);
    Ok(Some(cookie))
}

fn page(
    status: StatusCode,
    visit: &Visit,
    name: &str,
    back: &str,
    problem: Option<&Markup>,
) -> Response {
    let content = html! {
        @if let Some(problem) = problem { (problem) }
        form.narrow method="post" action="/console/sign-in" {
            (form_code(visit))
            input type="hidden" name="back" value=(back);
            (line(&Line {
                name: "name", kind: "text", label: visit.say("アカウント名", "Account name"), hint: "", value: name,
                autocomplete: "username", problem: None,
            }))
            (line(&Line {
                name: "password", kind: "password", label: visit.say("パスワード", "Password"), hint: "", value: "",
                autocomplete: "current-password", problem: None,
            }))
            button { (visit.say("サインイン", "Sign in")) }
        }
        p.hint { (visit.say(
            "アカウントは招待リンクから作ります。リンクは管理者に頼んでください(管理者は tsunagi operator)。",
            "Accounts are made from an invitation link: ask whoever runs this system (who runs `tsunagi operator`).",
        )) }
    };
    let title = visit.say("サインイン", "Sign in");
    layout::with_status(status, visit, None, title, &content)
}

/// Lets somebody in.
pub async fn sign_in(
    State(console): State<Console>,
    visit: Visit,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    sent: Sent,
) -> Response {
    let name = accounts::spelled(sent.text("name"));
    let address = address_of(peer.map(|Extension(ConnectInfo(peer))| peer), &headers);
    let begun = console.attempts(|attempts| attempts.begin(&name, &address, console.now()));
    let refused = |status: StatusCode, problem: &Markup| {
        page(
            status,
            &visit,
            sent.text("name"),
            within(sent.text("back")),
            Some(problem),
        )
    };
    if let Err(free_at) = begun {
        tracing::warn!("too many sign-ins were tried from {address}");
        let problem = message(Tone::Bad, &too_many(&visit, &free_at.to_rfc3339()));
        return refused(StatusCode::TOO_MANY_REQUESTS, &problem);
    }
    let password = sent.raw("password").to_owned();
    let account = match accounts::opened_by(&console.records, &name, password).await {
        Ok(Some(account)) => account,
        Ok(None) => {
            let text = visit.say(
                "アカウント名かパスワードが違います。忘れたときは、管理者に再設定のリンクを頼んでください。",
                "The account name or the password is wrong. If it is forgotten, ask whoever runs this system for a new link.",
            );
            return refused(StatusCode::UNPROCESSABLE_ENTITY, &message(Tone::Bad, text));
        }
        Err(error) => return layout::store_failed(&visit, &error),
    };
    console.attempts(|attempts| attempts.succeeded(&name, &address));
    let back = within(sent.text("back")).to_owned();
    begin(&console, &visit, &account, &back).await
}

fn too_many(visit: &Visit, free_at: &str) -> String {
    let at = show::moment_text(free_at);
    visit
        .say(
            "試した回数が多すぎます。{at} 以降にもう一度試してください。",
            "Too many tries. Try again after {at}.",
        )
        .replace("{at}", &at)
}

/// Begins a session and goes on.
pub async fn begin(
    console: &Console,
    visit: &Visit,
    account: &accounts::Account,
    back: &str,
) -> Response {
    // A session that the browser had before is another one's now.
    if let Some(before) = visit.session()
        && let Err(error) = sessions::end(&console.records, before).await
    {
        return layout::store_failed(visit, &error);
    }
    match sessions::begin(&console.records, account, console.now()).await {
        Ok(token) => {
            let cookie = Cookie::Session.set(&console.service.public_url, &token);
            ([(header::SET_COOKIE, cookie)], Redirect::to(back)).into_response()
        }
        Err(error) => layout::store_failed(visit, &error),
    }
}

/// Where a request comes from. A proxy on this machine tells it in its header; anybody else's header is not believed.
fn address_of(peer: Option<SocketAddr>, headers: &HeaderMap) -> String {
    let Some(peer) = peer else {
        return String::new();
    };
    let forwarded = headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok());
    let last = forwarded
        .and_then(|list| list.rsplit(',').next())
        .map(str::trim);
    match last {
        Some(last) if peer.ip().is_loopback() && !last.is_empty() => last.to_owned(),
        _ => peer.ip().to_string(),
    }
}

/// Ends the session.
pub async fn sign_out(State(console): State<Console>, visit: Visit, _sent: Sent) -> Response {
    if let Some(token) = visit.session()
        && let Err(error) = sessions::end(&console.records, token).await
    {
        return layout::store_failed(&visit, &error);
    }
    let cookie = Cookie::Session.forget(&console.service.public_url);
    (
        [(header::SET_COOKIE, cookie)],
        Redirect::to("/console/sign-in"),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_tells_where_a_request_comes_from() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 203.0.113.7".parse().unwrap());
        let from = |peer: &str| address_of(Some(peer.parse().unwrap()), &headers);
        assert_eq!(from("127.0.0.1:5000"), "203.0.113.7");
        assert_eq!(from("198.51.100.2:5000"), "198.51.100.2");
    }
}
