//! Who changed what and when. Rows are only ever added. Holds no secret and no buyer's data.

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Console, access::Signed, layout, records::written};
use crate::{random, storage::StoreError};

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
    let added = add(console, &entry).await;
    added.map_err(|error| layout::store_failed(&signed.visit, &error))
}

/// Adds a row. Keys begin with the shop and the moment.
pub async fn add(console: &Console, entry: &Entry) -> Result<(), StoreError> {
    let shop = entry.shop.as_deref().unwrap_or_default();
    let key = format!(
        "audit/{shop}/{:015}/{}",
        entry.at.timestamp_millis(),
        random::token(4)?
    );
    let write = written(key, entry)?;
    console.records.commit(Vec::new(), vec![write]).await
}
