//! The login to Next Engine in the merchant's own browser and window: out by a redirect, back with a cookie that ties both ends
//! together, because Next Engine makes its own `state` (next-engine.md 1.1).

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use crate::tenant::CallError;

/// Holds `tenant:ticket`.
const COOKIE: &str = "tsunagi-login";
const COOKIE_SECONDS: u32 = 30 * 60;

/// What Next Engine's redirect carries. Not `Debug`: `state` is as good as a password for five minutes.
#[derive(Deserialize)]
pub struct Back {
    uid: String,
    state: String,
}

/// Sends the browser to Next Engine.
pub async fn begin(
    State(service): State<Service>,
    Path(tenant): Path<String>,
) -> Result<Response, StatusCode> {
    let served = service.find(&tenant)?;
    let start = match served
        .tenant
        .call("connection.begin-login", json!({}))
        .await
    {
        Ok(start) => start,
        Err(error) => return Ok(failed(&error)),
    };
    let text = |field: &str| start.get(field).and_then(Value::as_str).unwrap_or_default();
    let secure = if service.secure { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={tenant}:{}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}{secure}",
        text("ticket")
    );
    Ok((
        [(header::SET_COOKIE, cookie)],
        Redirect::to(text("address")),
    )
        .into_response())
}

/// Back at the address that all shops share: the cookie says which one it was.
pub async fn finish(
    State(service): State<Service>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let (tenant, ticket) = cookie(&headers).ok_or(StatusCode::BAD_REQUEST)?;
    finished(&service, &tenant, &ticket, back).await
}

/// Back at a shop's own address.
pub async fn finish_named(
    State(service): State<Service>,
    Path(named): Path<String>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let (tenant, ticket) = cookie(&headers).ok_or(StatusCode::BAD_REQUEST)?;
    if tenant != named {
        return Err(StatusCode::BAD_REQUEST);
    }
    finished(&service, &tenant, &ticket, back).await
}

async fn finished(
    service: &Service,
    tenant: &str,
    ticket: &str,
    Back { uid, state }: Back,
) -> Result<Response, StatusCode> {
    let served = service.find(tenant)?;
    let arguments = json!({ "ticket": ticket, "uid": uid, "state": state });
    let response = match served
        .tenant
        .call("connection.finish-login", arguments)
        .await
    {
        Ok(status) => {
            served.tenant.wake();
            let until = status
                .pointer("/tokens/refresh-expires-at")
                .and_then(Value::as_str)
                .unwrap_or_default();
            page(StatusCode::OK, "接続しました / Connected", until)
        }
        Err(error) => failed(&error),
    };
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok(([(header::SET_COOKIE, gone)], response).into_response())
}

/// Shop and ticket of the browser's cookie.
fn cookie(headers: &HeaderMap) -> Option<(String, String)> {
    let all = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = all
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
    let (tenant, ticket) = value.split_once(':')?;
    Some((tenant.to_owned(), ticket.to_owned()))
}

fn failed(error: &CallError) -> Response {
    match error {
        CallError::Contract(error) => {
            let told = format!("{} / {}", error.message("ja"), error.message("en"));
            page(
                StatusCode::CONFLICT,
                "接続できませんでした / Not connected",
                &told,
            )
        }
        CallError::Fault(fault) => {
            tracing::error!("a login failed: {fault}");
            page(
                StatusCode::INTERNAL_SERVER_ERROR,
                "接続できませんでした / Not connected",
                "",
            )
        }
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><body style=\"font-family:sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem\">\
         <h1>{title}</h1><p>{text}</p></body></html>"
    );
    (status, Html(body)).into_response()
}
