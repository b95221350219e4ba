//! The login to Next Engine in the merchant's own browser and window: begun with a one-time link, out by a redirect, back with a
//! cookie that ties both ends together, because Next Engine makes its own `state` (next-engine.md 1.1).
//!
//! Without the link anybody could bind a new shop to a company of their own. Whoever holds the API's token, or may use the command
//! line, makes links.

mod cookies;
mod page;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
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
    let begun = served
        .tenant
        .call("connection.begin-login", json!({}))
        .await;
    let start = match begun {
        Ok(start) => start,
        Err(error) => return Ok(failed(&error, true)),
    };
    let text = |field: &str| start.get(field).and_then(Value::as_str).unwrap_or_default();
    let cookie = cookies::set(&tenant, text("ticket"), &service.public_url);
    Ok((
        [(header::SET_COOKIE, cookie)],
        Redirect::to(text("address")),
    )
        .into_response())
}

/// Back at the address that all shops share: the cookie says which one it was.
pub async fn finish(
    State(service): State<Service>,
    back: Result<Query<Back>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let open = cookies::all(&headers);
    match open.as_slice() {
        [(tenant, ticket)] => finished(&service, tenant, ticket, back).await,
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
        Some((tenant, ticket)) => finished(&service, tenant, ticket, back).await,
        None => page(StatusCode::BAD_REQUEST, Told::NOT_BEGUN),
    }
}

async fn finished(
    service: &Service,
    tenant: &str,
    ticket: &str,
    back: Result<Query<Back>, QueryRejection>,
) -> Response {
    let Ok(served) = service.find(tenant) else {
        return page(StatusCode::BAD_REQUEST, Told::NOT_BEGUN);
    };
    let Ok(Query(Back { uid, state })) = back else {
        return page(StatusCode::BAD_REQUEST, Told::NO_STATE);
    };
    let arguments = json!({ "ticket": ticket, "uid": uid, "state": state });
    let (mut response, used) = match patiently(&served.tenant, &arguments, PATIENCE).await {
        Ok(status) => (connected(&status), true),
        Err((error, used)) => (failed(&error, used), used),
    };
    // A ticket that still lives may be tried again by loading the page once more.
    if used {
        cookies::forget(&mut response, tenant);
    }
    response
}

fn connected(status: &Value) -> Response {
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
fn failed(error: &CallError, used: bool) -> Response {
    let again = if used { "" } else { page::AGAIN };
    match error {
        CallError::Contract(error) => page(
            StatusCode::CONFLICT,
            Told {
                text: &format!("{}\n{}\n{again}", error.message("ja"), error.message("en")),
                ..Told::NOT_CONNECTED
            },
        ),
        CallError::Fault(fault) => {
            tracing::error!("a login failed: {fault}");
            page(StatusCode::INTERNAL_SERVER_ERROR, Told::FAILED)
        }
    }
}
