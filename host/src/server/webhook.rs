//! Webhooks from Smaregi (`POST /t/{tenant}/webhook/smaregi`): stored before the empty 200 that Smaregi wants within three seconds.
//! Only a sender with the shop's secret is heard, because Smaregi signs nothing (smaregi.md 6b).

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use serde_json::json;

use super::{Service, same};
use crate::tenant::CallError;

/// Carries the secret; set as a custom header in Smaregi's developer console.
pub const SECRET_HEADER: &str = "x-tsunagi-secret";
/// Bytes of a delivery (wit/stock.wit).
const LARGEST: usize = 1 << 20;

/// Takes one delivery in.
pub async fn take_in(
    State(service): State<Service>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), StatusCode> {
    let served = service.find(&tenant)?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if !header(SECRET_HEADER).is_some_and(|given| same(given, &served.webhook_secret)) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    if body.len() > LARGEST {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = String::from_utf8(body.to_vec()).map_err(|_| StatusCode::BAD_REQUEST)?;
    let delivery = json!({ "webhook": {
        "contract-id": header("smaregi-contract-id"),
        "event": header("smaregi-event"),
        "event-id": header("smaregi-event-id"),
        "body": body,
    }});
    match served.tenant.call("stock.take-in", delivery).await {
        Ok(_) => Ok(()),
        Err(CallError::Contract(error)) if error.kind == "invalid" => Err(StatusCode::BAD_REQUEST),
        Err(error) => {
            tracing::warn!(tenant, "a webhook could not be stored: {error}");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
