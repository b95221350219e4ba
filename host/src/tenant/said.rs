//! What a comparison and an alignment said, kept in the host's own rows: whoever asked may be gone, and notices and the overview tell it
//! all the same. Only sums; decides nothing.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    console::{compared_key, count, flag, items, text},
    notices::guard_key,
    records::{Records, gone},
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
