//! Reading the histories for a page: so many entries, however the component cuts its pages. Decides nothing.

use std::time::{Duration, Instant};

use axum::response::Response;
use serde_json::{Value, json};

use super::access::AtShop;

/// Pages of the contract read for one of ours at most: a filter may pass over a long past.
const MOST_READ: usize = 20;
/// How long one of ours goes on looking: behind that a person may go on from there.
const PATIENCE: Duration = Duration::from_millis(50);
/// Entries of a page when only the newest is wanted.
const AT_ONCE: usize = 200;

/// Entries, newest first, and where to go on.
#[derive(Default)]
pub struct Stretch {
    /// The entries.
    pub entries: Vec<Value>,
    /// The contract's continuation; `None` at the end.
    pub continuation: Option<String>,
}

/// One page of the contract's: it may be short although more follows.
pub async fn page(
    at: &AtShop,
    function: &str,
    filter: &Value,
    from: Option<String>,
    limit: usize,
) -> Result<Stretch, Response> {
    let page = json!({ "limit": limit, "continuation": from });
    let arguments = json!({ "filter": filter, "page": page });
    let mut answer = at.call(function, arguments).await?;
    let continuation = answer.get("continuation").and_then(Value::as_str);
    let continuation = continuation.map(str::to_owned);
    let entries = match answer.get_mut("entries").map(Value::take) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    Ok(Stretch {
        entries,
        continuation,
    })
}

/// At most `limit` entries of `history.sent` or `history.received` that pass the filter.
pub async fn read(
    at: &AtShop,
    function: &str,
    filter: &Value,
    from: Option<String>,
    limit: usize,
) -> Result<Stretch, Response> {
    let mut found = Stretch {
        entries: Vec::new(),
        continuation: from,
    };
    let begun = Instant::now();
    for _ in 0..MOST_READ {
        let left = limit - found.entries.len();
        let next = page(at, function, filter, found.continuation.take(), left).await?;
        found.continuation = next.continuation;
        found.entries.extend(next.entries);
        let is_full = found.continuation.is_none() || found.entries.len() >= limit;
        if is_full || begun.elapsed() > PATIENCE {
            break;
        }
    }
    Ok(found)
}

/// The newest entry that passes the filter.
pub async fn newest(
    at: &AtShop,
    function: &str,
    filter: &Value,
) -> Result<Option<Value>, Response> {
    let mut from = None;
    for _ in 0..MOST_READ {
        // Larger pages than one entry: the filter passes over more of the past at once.
        let found = page(at, function, filter, from, AT_ONCE).await?;
        from = found.continuation;
        let newest = found.entries.into_iter().next();
        if newest.is_some() || from.is_none() {
            return Ok(newest);
        }
    }
    Ok(None)
}
