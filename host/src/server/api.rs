//! Every function of the contract as JSON: `/api/t/{tenant}/{interface}/{function}`, arguments as one object, for whoever holds the
//! token. `GET` needs no body.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::Service;
use crate::{runtime::Fault, tenant::CallError};

/// Calls one function.
pub async fn call(
    State(service): State<Service>,
    Path((tenant, interface, function)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    if !service.knows(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let served = service.find(&tenant)?;
    let arguments = if body.is_empty() {
        Ok(json!({}))
    } else {
        serde_json::from_slice::<Value>(&body)
    };
    let Ok(arguments) = arguments else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let called = served
        .tenant
        .call(&format!("{interface}.{function}"), arguments)
        .await;
    Ok(match called {
        Ok(value) => Json(value).into_response(),
        Err(error) => refusal(&error),
    })
}

fn refusal(error: &CallError) -> Response {
    let (status, told) = match error {
        CallError::Contract(error) => {
            let mut object = serde_json::Map::new();
            object.insert(error.kind.clone(), error.detail.clone());
            (status(&error.kind), json!({ "error": object }))
        }
        CallError::Fault(Fault::NoSuchFunction(_) | Fault::Removed) => {
            (StatusCode::NOT_FOUND, json!({ "error": error.to_string() }))
        }
        CallError::Fault(Fault::Misfit(_)) => (
            StatusCode::BAD_REQUEST,
            json!({ "error": error.to_string() }),
        ),
        CallError::Fault(Fault::Failed(_)) => {
            tracing::error!("{error}");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                json!({ "error": "the component failed; the operator's log says why" }),
            )
        }
    };
    (status, Json(told)).into_response()
}

/// By the contract's case.
fn status(kind: &str) -> StatusCode {
    match kind {
        "invalid" => StatusCode::UNPROCESSABLE_ENTITY,
        "not-found" => StatusCode::NOT_FOUND,
        "not-connected" | "login-needed" | "contended" => StatusCode::CONFLICT,
        "refused" => StatusCode::BAD_GATEWAY,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
