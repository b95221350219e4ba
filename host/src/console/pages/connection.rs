//! 連携設定: on and off, the login, 接続確認, and what both services know us by. What each button does; how it looks is in
//! `connection_view`.

use std::time::Duration;

use axum::{
    extract::{Query, State},
    http::header,
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{DOCTYPE, html};
use serde_json::{Value, json};

use super::{
    Asked, checklist,
    connection_view::{View, fields},
};
use crate::{
    console::{
        Console,
        access::AtShop,
        audit::{self, Change},
        form::Draft,
        layout::{self, told},
        sent::Sent,
    },
    server::begin_from_console,
    tenant::CallError,
};

/// How often a check is tried again while another call is at work with Next Engine, and after how long.
const TRIES: usize = 10;
const AGAIN: Duration = Duration::from_millis(500);

/// Where the last 接続確認 of a shop is kept.
pub fn checked_key(shop: &str) -> String {
    format!("check/{shop}")
}

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let draft = Draft::stored(&at).await?;
    let view = View {
        done: &asked.done,
        ..View::new(&draft)
    };
    page(&console, &at, view).await
}

async fn page(console: &Console, at: &AtShop, view: View<'_>) -> Result<Response, Response> {
    let status = at.call("connection.get-status", json!({})).await?;
    let checked = console.records.read(checked_key(at.shop())).await;
    let checked: Option<Value> = checked
        .map_err(|error| layout::store_failed(&at.signed.visit, &error))?
        .map(|row| row.value);
    let list = checklist::read(console, at, &status, checked.as_ref()).await?;
    let content = view.page(at, &status, checked.as_ref(), &list, console.now());
    Ok(layout::shop_page(at, "connection", &content))
}

/// The page with what went wrong.
async fn failed(console: &Console, at: &AtShop, error: &CallError) -> Result<Response, Response> {
    let draft = Draft::stored(at).await?;
    let view = View {
        failure: Some(told(at.language(), error)),
        ..View::new(&draft)
    };
    page(console, at, view).await
}

/// Stores addresses, ids and secrets.
pub async fn save(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let mut draft = Draft::stored(&at).await?;
    draft.lay(&fields(&at), &sent, at.language());
    if draft.put(&console, &at).await? {
        return Ok(done(&at, "saved"));
    }
    page(&console, &at, View::new(&draft)).await
}

fn done(at: &AtShop, word: &str) -> Response {
    Redirect::to(&at.address(&format!("connection?done={word}"))).into_response()
}

/// 連携オン・オフ.
pub async fn switch(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let is_on = sent.text("to") == "on";
    let backlog = if sent.text("backlog") == "send" {
        "send"
    } else {
        "leave"
    };
    let (function, arguments) = if is_on {
        ("connection.switch-on", json!({ "backlog": backlog }))
    } else {
        ("connection.switch-off", json!({}))
    };
    if let Err(error) = at.try_call(function, arguments).await {
        return failed(&console, &at, &error).await;
    }
    let (action, changes) = if is_on {
        ("switched-on", vec![Change::of("backlog", backlog)])
    } else {
        ("switched-off", Vec::new())
    };
    audit::note(&console, &at.signed, Some(at.shop()), action, changes).await?;
    Ok(done(&at, if is_on { "on" } else { "off" }))
}

/// Sends the browser to Next Engine's login, in the same window. By a page of its own that goes on at once: browsers hold the way from a
/// form to the form's own policy, and that allows no other place.
pub async fn log_in(
    State(console): State<Console>,
    at: AtShop,
    _sent: Sent,
) -> Result<Response, Response> {
    let begun = begin_from_console(&console.service, &at.served.tenant, "connection").await;
    let (address, cookies) = match begun {
        Ok(begun) => begun,
        Err(error) => return failed(&console, &at, &error).await,
    };
    audit::note(
        &console,
        &at.signed,
        Some(at.shop()),
        "login-begun",
        Vec::new(),
    )
    .await?;
    let title = at.say("ネクストエンジンへ進みます", "On to Next Engine");
    let page = html! {
        (DOCTYPE)
        html lang=(at.language().code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                meta http-equiv="refresh" content={ "0;url=" (address) };
                title { (title) }
            }
            body { p { a href=(address) { (title) } } }
        }
    };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((cookies, headers, Html(page.0)).into_response())
}

/// 接続確認: asks both services, and keeps what they said.
pub async fn check(
    State(console): State<Console>,
    at: AtShop,
    _sent: Sent,
) -> Result<Response, Response> {
    match patiently(&at).await {
        Ok(report) => {
            let kept = console.records.put(checked_key(at.shop()), &report).await;
            kept.map_err(|error| layout::store_failed(&at.signed.visit, &error))?;
            audit::note(&console, &at.signed, Some(at.shop()), "checked", Vec::new()).await?;
            Ok(done(&at, "checked"))
        }
        Err(error) => failed(&console, &at, &error).await,
    }
}

async fn patiently(at: &AtShop) -> Result<Value, CallError> {
    for _ in 0..TRIES {
        match at.try_call("connection.check", json!({})).await {
            Err(CallError::Contract(error)) if error.kind == "contended" => {
                tokio::time::sleep(AGAIN).await;
            }
            called => return called,
        }
    }
    at.try_call("connection.check", json!({})).await
}

/// Forgets the login to Next Engine; only with the box ticked, for work stops then.
pub async fn forget(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    if sent.text("sure") != "true" {
        return Ok(done(&at, "unsure"));
    }
    if let Err(error) = at.try_call("connection.disconnect", json!({})).await {
        return failed(&console, &at, &error).await;
    }
    audit::note(
        &console,
        &at.signed,
        Some(at.shop()),
        "disconnected",
        Vec::new(),
    )
    .await?;
    Ok(done(&at, "disconnected"))
}
