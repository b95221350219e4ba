//! What a comparison and an alignment said, kept in the host's own rows: whoever asked may be gone, and notices and the overview tell it
//! all the same. Only sums; decides nothing.

use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Value, json};

use crate::{
    console::{compared_key, count, flag, items, text},
    notices::guard_key,
    records::{Records, Row, gone},
    storage::{Store, StoreError},
};

/// Keeps what is to be kept of an answer.
pub async fn keep(
    store: &Arc<dyn Store>,
    tenant: &str,
    function: &str,
    arguments: &Value,
    answer: &Value,
) -> Result<(), StoreError> {
    let records = || Records::new(store.clone());
    match function {
        "stock.compare" => records().put(compared_key(tenant), &sums(answer)).await,
        "schedule.run" => match answer.get("compared").filter(|told| !told.is_null()) {
            Some(told) => keep_newer(&records(), tenant, told).await,
            None => Ok(()),
        },
        "stock.align" => match guarded(arguments, answer) {
            Guard::Waits(row) => records().put(guard_key(tenant), &row).await,
            Guard::Over => {
                records()
                    .commit(Vec::new(), vec![gone(guard_key(tenant))])
                    .await
            }
            Guard::AsBefore => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Each round tells the schedule's last comparison; somebody may have compared since.
async fn keep_newer(records: &Records, tenant: &str, told: &Value) -> Result<(), StoreError> {
    let key = compared_key(tenant);
    let before: Option<Row<Value>> = records.read(key.clone()).await?;
    let at = |sums: &Value| DateTime::parse_from_rfc3339(text(sums, "/compared-at")).ok();
    if before.is_some_and(|before| at(&before.value) >= at(told)) {
        return Ok(());
    }
    records.put(key, told).await
}

fn sums(comparison: &Value) -> Value {
    let lines = items(comparison, "/lines");
    let has = |line: &Value, side: &str| line.get(side).is_some_and(|value| !value.is_null());
    let both = lines
        .iter()
        .filter(|line| has(line, "smaregi") && has(line, "next-engine"));
    let both = both.count();
    json!({
        "both": both, "one-side": lines.len() - both, "unexplained": count(comparison, "/unexplained-products"),
        "compared-at": text(comparison, "/compared-at"),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Guard {
    /// Somebody wanted to send it and the guard asked for a second word.
    Waits(Value),
    /// It was sent, or there is no mass change any more.
    Over,
    /// A look at what would be sent says nothing about a wish.
    AsBefore,
}

fn guarded(arguments: &Value, answer: &Value) -> Guard {
    let is_guarded = answer.get("guard").is_some_and(|guard| !guard.is_null());
    if !is_guarded {
        return Guard::Over;
    }
    if flag(arguments, "/confirmed") {
        return Guard::Waits(json!({ "products": items(answer, "/lines").len() }));
    }
    Guard::AsBefore
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Sqlite;

    #[tokio::test]
    async fn the_later_of_two_comparisons_is_kept_whoever_made_it() {
        let store: Arc<dyn Store> = Arc::new(Sqlite::in_memory().unwrap());
        let records = Records::new(store.clone());
        let by_hand =
            |at: &str| json!({ "lines": [], "unexplained-products": 4, "compared-at": at });
        let at_night = |at: &str| json!({ "compared": { "both": 9, "one-side": 1, "unexplained": 2, "compared-at": at } });
        for (function, answer, unexplained) in [
            ("schedule.run", json!({ "compared": null }), None),
            (
                "schedule.run",
                at_night("2026-11-25T03:10:00+09:00"),
                Some(2),
            ),
            ("stock.compare", by_hand("2026-11-25T02:00:00Z"), Some(4)),
            (
                "schedule.run",
                at_night("2026-11-25T03:10:00+09:00"),
                Some(4),
            ),
            (
                "schedule.run",
                at_night("2026-11-26T03:10:00+09:00"),
                Some(2),
            ),
        ] {
            keep(&store, "a", function, &json!({}), &answer)
                .await
                .unwrap();
            let kept: Option<Row<Value>> = records.read(compared_key("a")).await.unwrap();
            let kept = kept.map(|row| count(&row.value, "/unexplained"));
            assert_eq!(kept, unexplained, "{function} {answer}");
        }
    }

    #[test]
    fn only_a_wish_that_the_guard_stopped_waits() {
        let stopped = json!({ "guard": { "code": "x" }, "queued": false, "lines": [{}, {}] });
        let queued = json!({ "guard": null, "queued": true, "lines": [{}] });
        let (wish, look) = (json!({ "confirmed": true }), json!({ "confirmed": false }));
        assert_eq!(
            guarded(&wish, &stopped),
            Guard::Waits(json!({ "products": 2 }))
        );
        assert_eq!(guarded(&look, &stopped), Guard::AsBefore);
        assert_eq!(guarded(&wish, &queued), Guard::Over);
    }
}
