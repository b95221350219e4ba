//! Who changed what and when. Rows are only ever added. Holds no secret and no buyer's data.

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Console,
    access::Signed,
    layout,
    records::{Records, Row, written},
};
use crate::{
    random,
    storage::{Direction, StoreError},
};

/// The same entries of all shops in time order.
const ALL: &str = "trail/";

/// One thing that somebody did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub account: String,
    /// At which shop; `None`: at none.
    pub shop: Option<String>,
    /// What: a word such as `settings`, `switched-on`, `import`.
    pub action: String,
    /// The fields that changed.
    pub changes: Vec<Change>,
}

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its path, or what was acted on.
    pub field: String,
    /// Before; empty when there was nothing.
    pub before: String,
    /// After.
    pub after: String,
}

impl Change {
    /// What was acted on.
    pub fn of(field: &str, what: &str) -> Self {
        Self {
            field: field.to_owned(),
            before: String::new(),
            after: what.to_owned(),
        }
    }
}

/// Writes down what a person who is signed in did. The error is the page that tells of it.
pub async fn note(
    console: &Console,
    signed: &Signed,
    shop: Option<&str>,
    action: &str,
    changes: Vec<Change>,
) -> Result<(), Response> {
    let entry = Entry {
        at: console.now(),
        account: signed.account.name.clone(),
        shop: shop.map(str::to_owned),
        action: action.to_owned(),
        changes,
    };
    let added = add(&console.records, &entry).await;
    added.map_err(|error| layout::store_failed(&signed.visit, &error))
}

/// Writes down what somebody did by the command line: who that was, the machine's own log knows.
pub async fn note_by_command(
    records: &Records,
    shop: &str,
    action: &str,
    what: &[(&str, &str)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let changes = what.iter().map(|(field, what)| Change::of(field, what));
    let entry = Entry {
        at: now,
        account: "tsunagi".to_owned(),
        shop: Some(shop.to_owned()),
        action: action.to_owned(),
        changes: changes.collect(),
    };
    add(records, &entry).await
}

/// Adds an entry, once for its shop and once among all. Keys end with the moment.
pub async fn add(records: &Records, entry: &Entry) -> Result<(), StoreError> {
    let shop = entry.shop.as_deref().unwrap_or_default();
    let place = format!("{:015}/{}", entry.at.timestamp_millis(), random::token(4)?);
    let writes = vec![
        written(format!("{}{place}", of(shop)), entry)?,
        written(format!("{ALL}{place}"), entry)?,
    ];
    records.commit(Vec::new(), writes).await
}

/// Where the entries of a shop begin.
pub fn of(shop: &str) -> String {
    format!("audit/{shop}/")
}

/// Entries, newest first, and where to go on.
pub struct Stretch {
    /// The entries.
    pub entries: Vec<Entry>,
    /// A place for [`read`]; `None` at the end.
    pub next: Option<String>,
}

/// At most `limit` entries of a shop, or of all, older than a place that an earlier stretch gave; an empty one begins with the newest.
/// Whatever else is given as a place leads to no other shop's entries: all keys between a beginning and its continuations have it.
pub async fn read(
    records: &Records,
    shop: Option<&str>,
    from: &str,
    limit: u32,
) -> Result<Stretch, StoreError> {
    let begin = shop.map_or_else(|| ALL.to_owned(), of);
    let end = if from.is_empty() {
        format!("{begin}~")
    } else {
        format!("{begin}{from}")
    };
    let one_more = limit.saturating_add(1);
    let mut rows: Vec<Row<Entry>> = records
        .range(begin.clone(), end, Direction::Backward, one_more)
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next = last.and_then(|row| row.key.strip_prefix(&begin).map(str::to_owned));
    Ok(Stretch {
        entries: rows.into_iter().map(|row| row.value).collect(),
        next,
    })
}
