//! The login to Next Engine in the merchant's own browser and window: begun with a one-time link, out by a redirect, back with a
//! cookie that ties both ends together, because Next Engine makes its own `state` (next-engine.md 1.1).
//!
//! Without the link anybody could bind a new shop to a company of their own. Whoever holds the API's token, or may use the command
//! line, makes links; who is signed in to the console needs none.

mod cookies;
mod page;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{AppendHeaders, IntoResponse, IntoResponseParts, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use crate::tenant::{CallError, ContractError, Link, Tenant};
use page::{Told, page};

/// How long a login waits for a call to Next Engine that is under way.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(1);

/// What a link carries.
#[derive(Deserialize)]
pub struct Begun {
    #[serde(default)]
    link: String,
}

/// What Next Engine's redirect carries. Not `Debug`: `state` is as good as a password for five minutes.
#[derive(Deserialize)]
pub struct Back {
    uid: String,
    state: String,
}

/// A link's address.
pub fn address(public_url: &str, tenant: &str, link: &Link) -> String {
    format!("{public_url}/t/{tenant}/login?link={}", link.code)
}

/// Makes a one-time link, for whoever holds the API's token.
pub async fn link(
    State(service): State<Service>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    if !service.knows(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let served = service.find(&tenant)?;
    let link = served.tenant.new_link().await.map_err(|error| {
        tracing::error!(tenant, "no link could be made: {error}");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    let address = address(&service.public_url, &tenant, &link);
    Ok(Json(json!({ "address": address, "expires-at": link.expires_at })).into_response())
}

/// Takes a link and sends the browser to Next Engine.
pub async fn begin(
    State(service): State<Service>,
    Path(tenant): Path<String>,
    Query(begun): Query<Begun>,
) -> Result<Response, StatusCode> {
    let served = service.find(&tenant)?;
    match served.tenant.use_link(&begun.link).await {
        Ok(true) => {}
        Ok(false) => return Ok(page(StatusCode::FORBIDDEN, Told::NO_LINK)),
        Err(error) => {
            tracing::error!(tenant, "a link could not be looked up: {error}");
            return Ok(page(StatusCode::SERVICE_UNAVAILABLE, Told::FAILED));
        }
    }
    match started(&served.tenant, &service.public_url, "").await {
        Ok((address, cookies)) => Ok((cookies, Redirect::to(&address)).into_response()),
        Err(error) => Ok(failed(&error, true, None)),
    }
}

type Cookies = AppendHeaders<[(HeaderName, String); 2]>;

/// Begins a login: where to send the browser, and the cookies that it comes back with.
async fn started(
    tenant: &Tenant,
    public_url: &str,
    back: &str,
) -> Result<(String, Cookies), CallError> {
    let start = tenant.call("connection.begin-login", json!({})).await?;
    let text = |field: &str| start.get(field).and_then(Value::as_str).unwrap_or_default();
    let ticket = cookies::set(&tenant.name, text("ticket"), public_url);
    let back = cookies::set_back(&tenant.name, back, public_url);
    let cookies = [(header::SET_COOKIE, ticket), (header::SET_COOKIE, back)];
    Ok((text("address").to_owned(), AppendHeaders(cookies)))
}

/// The same for somebody who is signed in to the console; afterwards the browser comes back to this page of the shop.
pub async fn begin_from_console(
    service: &Service,
    tenant: &Tenant,
    page: &'static str,
) -> Result<(String, impl IntoResponseParts + use<>), CallError> {
    started(tenant, &service.public_url, page).await
}

/// Back at the address that all shops share: the cookie says which one it was.
pub async fn finish(
    State(service): State<Service>,
    back: Result<Query<Back>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let open = cookies::all(&headers);
    match open.as_slice() {
        [(tenant, ticket)] => finished(&service, tenant, ticket, back, &headers).await,
        [] => page(StatusCode::BAD_REQUEST, Told::NOT_BEGUN),
        // A guess could bind one shop to the other's company.
        several => {
            let mut response = page(StatusCode::BAD_REQUEST, Told::SEVERAL);
            for (tenant, _) in several {
                cookies::forget(&mut response, tenant);
            }
            response
        }
    }
}

/// Back at a shop's own address.
pub async fn finish_named(
    State(service): State<Service>,
    Path(named): Path<String>,
    back: Result<Query<Back>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let open = cookies::all(&headers);
    match open.iter().find(|(tenant, _)| *tenant == named) {
        Some((tenant, ticket)) => finished(&service, tenant, ticket, back, &headers).await,
        None => page(StatusCode::BAD_REQUEST, Told::NOT_BEGUN),
    }
}

async fn finished(
    service: &Service,
    tenant: &str,
    ticket: &str,
    back: Result<Query<Back>, QueryRejection>,
    headers: &HeaderMap,
) -> Response {
    let Ok(served) = service.find(tenant) else {
        return page(StatusCode::BAD_REQUEST, Told::NOT_BEGUN);
    };
    let Ok(Query(Back { uid, state })) = back else {
        return page(StatusCode::BAD_REQUEST, Told::NO_STATE);
    };
    let arguments = json!({ "ticket": ticket, "uid": uid, "state": state });
    let page = cookies::back(headers, tenant)
        .filter(|page| page.bytes().all(|byte| byte.is_ascii_lowercase()))
        .map(|page| format!("/console/t/{tenant}/{page}"));
    let (mut response, used) = match patiently(&served.tenant, &arguments, PATIENCE).await {
        Ok(status) => (connected(&status, page.as_deref()), true),
        Err((error, used)) => (failed(&error, used, page.as_deref()), used),
    };
    // A ticket that still lives may be tried again by loading the page once more.
    if used {
        cookies::forget(&mut response, tenant);
    }
    response
}

/// Begun in the console, it ends there.
fn connected(status: &Value, back: Option<&str>) -> Response {
    if let Some(back) = back {
        return Redirect::to(&format!("{back}?done=connected")).into_response();
    }
    let until = status
        .pointer("/tokens/refresh-expires-at")
        .and_then(Value::as_str);
    page(
        StatusCode::OK,
        Told {
            text: until.unwrap_or_default(),
            ..Told::CONNECTED
        },
    )
}

/// Ends the login. Waits while another call to Next Engine is under way or Next Engine cannot be reached. Beside an error says
/// whether the ticket is used up.
async fn patiently(
    tenant: &Tenant,
    arguments: &Value,
    patience: Duration,
) -> Result<Value, (CallError, bool)> {
    let begun = Instant::now();
    let mut before: Option<CallError> = None;
    loop {
        let error = match tenant
            .call("connection.finish-login", arguments.clone())
            .await
        {
            Ok(status) => return Ok(status),
            Err(error) => error,
        };
        let kind = kind(&error);
        if !["contended", "unavailable"].contains(&kind) {
            // The ticket went with an earlier attempt, whose trouble is what a person should read.
            let told = before.filter(|_| kind == "not-found").unwrap_or(error);
            return Err((told, true));
        }
        if begun.elapsed() >= patience {
            return Err((error, false));
        }
        before = Some(error);
        tokio::time::sleep(AGAIN).await;
    }
}

fn kind(error: &CallError) -> &str {
    match error {
        CallError::Contract(ContractError { kind, .. }) => kind,
        CallError::Fault(_) => "",
    }
}

/// Unless the ticket is used up, the same page may be loaded again.
fn failed(error: &CallError, used: bool, back: Option<&str>) -> Response {
    let again = if used { "" } else { page::AGAIN };
    match error {
        CallError::Contract(error) => page(
            StatusCode::CONFLICT,
            Told {
                text: &format!("{}\n{}\n{again}", error.message("ja"), error.message("en")),
                back,
                ..Told::NOT_CONNECTED
            },
        ),
        CallError::Fault(fault) => {
            tracing::error!("a login failed: {fault}");
            let told = Told {
                back,
                ..Told::FAILED
            };
            page(StatusCode::INTERNAL_SERVER_ERROR, told)
        }
    }
}
