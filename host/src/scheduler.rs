//! Keeping one shop going: one round after the other, each when the component says it is due, earlier when a webhook came. Decides
//! nothing about orders or stock.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    clock::wait_until,
    tenant::{CallError, Tenant},
};

/// What one round may spend; `more` brings the next one at once.
const BUDGET: (u32, u32) = (500, 60);
/// Webhooks come in swarms; one round for all of them.
const GATHERING: Duration = Duration::from_secs(2);
/// After a fault; doubled each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Runs until `stop` turns true. A round under way is finished first.
pub async fn run(tenant: Arc<Tenant>, mut stop: watch::Receiver<bool>) {
    let mut pause = FIRST_PAUSE;
    while !*stop.borrow() {
        let next_at = match round(&tenant).await {
            Ok(next_at) => {
                pause = FIRST_PAUSE;
                next_at
            }
            Err(error) => {
                tracing::warn!(tenant = tenant.name, "{error}");
                let at = tenant.clock().now() + pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                at
            }
        };
        tokio::select! {
            () = wait_until(tenant.clock().as_ref(), next_at) => {}
            () = woken(&tenant) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn woken(tenant: &Tenant) {
    tenant.woken().await;
    tokio::time::sleep(GATHERING).await;
}

/// One round; says when the next one is due, which is now if there is more to do.
async fn round(tenant: &Tenant) -> Result<DateTime<Utc>, CallError> {
    // Settings may have been changed by another process.
    tenant.allow_hosts().await?;
    let budget = json!({ "budget": { "requests": BUDGET.0, "seconds": BUDGET.1 } });
    let round = match tenant.call("schedule.run", budget).await {
        Err(CallError::Contract(error)) if error.kind == "not-connected" => {
            tracing::debug!(tenant = tenant.name, "{}", error.message("en"));
            return Ok(tenant.clock().now() + LONGEST_PAUSE);
        }
        round => round?,
    };
    tell(tenant, &round);
    if round.get("more").and_then(Value::as_bool) == Some(true) {
        return Ok(tenant.clock().now());
    }
    let next_at = round
        .get("next-at")
        .and_then(Value::as_str)
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    Ok(next_at.map_or_else(
        || tenant.clock().now() + LONGEST_PAUSE,
        |at| at.with_timezone(&Utc),
    ))
}

fn tell(tenant: &Tenant, round: &Value) {
    let count = |field: &str| round.get(field).and_then(Value::as_u64).unwrap_or(0);
    let (registered, undone, refused) = (
        count("orders-registered"),
        count("orders-undone"),
        count("orders-refused"),
    );
    let (decided, applied, returned) = (
        count("changes-decided"),
        count("rows-applied"),
        count("rows-returned"),
    );
    if registered + undone + refused + decided + applied + returned > 0 {
        tracing::info!(
            tenant = tenant.name,
            registered,
            undone,
            refused,
            decided,
            applied,
            returned,
            "round"
        );
    }
    if let Some(trouble) = round.pointer("/trouble/message/en").and_then(Value::as_str) {
        tracing::warn!(tenant = tenant.name, "{trouble}");
    }
}
