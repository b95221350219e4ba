//! Keeping one shop going: one round after the other, each when the component says it is due, earlier when a webhook came or
//! somebody changed something, in this process or another. Decides nothing about orders or stock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    clock::wait_until,
    notices::Notices,
    tenant::{CallError, Tenant},
};

/// What one round may spend; `more` brings the next one at once.
const BUDGET: (u32, u32) = (500, 60);
/// Webhooks come in swarms; one round for all of them.
const GATHERING: Duration = Duration::from_secs(2);
/// Between two rounds when nothing more is due, whatever the component says: a host must not spin.
const LEAST_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// After a fault; doubled each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Runs until `stop` turns true. A round under way is finished first. After each it is looked whether a person is needed. `mark` changes
/// when another process changed something at the shop.
pub async fn run(
    tenant: Tenant,
    notices: Notices,
    mut mark: watch::Receiver<u64>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = FIRST_PAUSE;
    while !*stop.borrow() {
        // However many shops are due at once, few are at it: a page, a webhook or a login does not wait for all of them.
        let turn = tenant.turn().await;
        // Before the round: what is changed while it runs may be too late for it.
        mark.mark_unchanged();
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
        notices.look(&tenant).await;
        drop(turn);
        tokio::select! {
            () = wait_until(tenant.clock().as_ref(), next_at) => {}
            () = woken(&tenant) => {}
            () = changed(&mut mark) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn woken(tenant: &Tenant) {
    tenant.woken().await;
    tokio::time::sleep(GATHERING).await;
}

async fn changed(mark: &mut watch::Receiver<u64>) {
    // Nobody looks any more when the shop is being removed; then `stop` ends the wait.
    if mark.changed().await.is_err() {
        std::future::pending().await
    }
}

/// One round; says when the next one is due, which is now if there is more to do.
async fn round(tenant: &Tenant) -> Result<DateTime<Utc>, CallError> {
    let budget = json!({ "budget": { "requests": BUDGET.0, "seconds": BUDGET.1 } });
    let round = match tenant.call("schedule.run", budget).await {
        Err(CallError::Contract(error)) if error.kind == "not-connected" => {
            tracing::debug!(tenant = tenant.name, "{}", error.message("en"));
            return Ok(tenant.clock().now() + LONGEST_PAUSE);
        }
        round => round?,
    };
    tell(tenant, &round);
    Ok(due(&round, tenant.clock().now()))
}

fn due(round: &Value, now: DateTime<Utc>) -> DateTime<Utc> {
    if round.get("more").and_then(Value::as_bool) == Some(true) {
        return now;
    }
    let next_at = round
        .get("next-at")
        .and_then(Value::as_str)
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    next_at.map_or(now + LONGEST_PAUSE, |at| {
        at.with_timezone(&Utc).max(now + LEAST_PAUSE)
    })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::SystemClock,
        runtime::{AllowList, Surroundings, tests::usual},
        storage::Sqlite,
        tenant::Marks,
    };

    #[test]
    fn a_round_that_is_due_at_once_waits_a_moment_unless_there_is_more() {
        let now: DateTime<Utc> = "2026-11-24T00:00:00Z".parse().unwrap();
        let round = |more: bool, next_at: &str| json!({ "more": more, "next-at": next_at });
        for (round, seconds) in [
            (round(false, "2026-11-23T23:00:00+00:00"), 1),
            (round(false, "2026-11-24T09:00:00+09:00"), 1),
            (round(false, "2026-11-24T09:05:00+09:00"), 300),
            (round(true, "2026-11-24T09:05:00+09:00"), 0),
            (round(false, "soon"), 600),
        ] {
            assert_eq!(
                due(&round, now),
                now + TimeDelta::seconds(seconds),
                "{round}"
            );
        }
    }

    #[tokio::test]
    async fn what_another_process_changed_ends_the_wait_at_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = usual();
        let open = || {
            let path = folder.path().join("store.sqlite");
            let store = Arc::new(Sqlite::open(&path).unwrap());
            let surroundings = Surroundings {
                store: store.clone(),
                tenant: "a".to_owned(),
                clock: Arc::new(SystemClock::new()),
                allowed: AllowList::default(),
            };
            let tenant = Tenant::new(runtime.clone(), surroundings, Vec::new());
            (store, tenant)
        };
        let ((here, _), (_, there)) = (open(), open());
        let mut marks = Marks::default();
        let mut mark = marks.follow("a");
        marks.look(here.as_ref()).await.unwrap();
        let none = tokio::time::timeout(Duration::from_millis(20), changed(&mut mark));
        assert!(none.await.is_err(), "nobody changed anything");
        there
            .call("connection.switch-off", json!({}))
            .await
            .unwrap();
        marks.look(here.as_ref()).await.unwrap();
        tokio::time::timeout(Duration::from_secs(10), changed(&mut mark))
            .await
            .unwrap();
    }
}
