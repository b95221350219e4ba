//! Reading the histories for a page: so many entries, however the component cuts its pages. Decides nothing.

use axum::response::Response;
use serde_json::{Value, json};

use super::{access::AtShop, show::items};

/// Pages of the contract read for one of ours at most: a filter may pass over a long past.
const MOST_READ: usize = 20;

/// Entries, newest first, and where to go on.
#[derive(Default)]
pub struct Stretch {
    /// The entries.
    pub entries: Vec<Value>,
    /// The contract's continuation; `None` at the end.
    pub continuation: Option<String>,
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
    for _ in 0..MOST_READ {
        let left = limit - found.entries.len();
        let page = json!({ "limit": left, "continuation": found.continuation });
        let arguments = json!({ "filter": filter, "page": page });
        let mut answer = at.call(function, arguments).await?;
        found.continuation = answer
            .get("continuation")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if let Some(Value::Array(entries)) = answer.get_mut("entries").map(Value::take) {
            found.entries.extend(entries);
        }
        if found.continuation.is_none() || found.entries.len() >= limit {
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
    let found = read(at, function, filter, None, 1).await?;
    Ok(items(&json!(found.entries), "").first().cloned())
}
