//! Where the host keeps what is its own: accounts, invitations, sessions, the audit log, notices. A part of its store that no shop can
//! have as its name. Knows no record's meaning, and nothing of a shop's ledger.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use crate::storage::{Check, Direction, Entry, Store, StoreError, Write};

/// No tenant's name: those have lower-case letters, digits and hyphens only.
const CONSOLE: &str = "/console";

/// The host's own rows, each a JSON value under its key.
#[derive(Clone)]
pub struct Records {
    store: Arc<dyn Store>,
}

/// A row as it was read.
pub struct Row<T> {
    /// Where it lies.
    pub key: String,
    /// Of its last write.
    pub revision: u64,
    /// What it says.
    pub value: T,
}

impl Records {
    /// In this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The row under a key; `None` when there is none.
    pub async fn read<T: DeserializeOwned>(
        &self,
        key: String,
    ) -> Result<Option<Row<T>>, StoreError> {
        let found = self.store.get(CONSOLE, vec![key]).await?;
        found.into_iter().next().flatten().map(row).transpose()
    }

    /// At most `limit` rows from a key to another, excluded.
    pub async fn range<T: DeserializeOwned>(
        &self,
        start: String,
        end: String,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<Row<T>>, StoreError> {
        let found = self
            .store
            .scan(CONSOLE, start, end, direction, limit)
            .await?;
        found.into_iter().map(row).collect()
    }

    /// The same as they are stored, lowest key first.
    pub async fn raw(
        &self,
        start: String,
        end: String,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let (store, forward) = (&self.store, Direction::Forward);
        store.scan(CONSOLE, start, end, forward, limit).await
    }

    /// Writes one row, whatever was there.
    pub async fn put(&self, key: String, value: &impl Serialize) -> Result<(), StoreError> {
        self.commit(Vec::new(), vec![written(key, value)?]).await
    }

    /// All writes or none, if every check holds.
    pub async fn commit(&self, checks: Vec<Check>, writes: Vec<Write>) -> Result<(), StoreError> {
        self.store.commit(CONSOLE, checks, writes).await
    }
}

/// The write of a row.
pub fn written(key: String, value: &impl Serialize) -> Result<Write, StoreError> {
    let value = serde_json::to_vec(value)
        .map_err(|error| StoreError::Unavailable(format!("{key} cannot be written: {error}")))?;
    Ok(Write {
        key,
        value: Some(value),
    })
}

/// The removal of a row.
pub fn gone(key: String) -> Write {
    Write { key, value: None }
}

fn row<T: DeserializeOwned>(entry: Entry) -> Result<Row<T>, StoreError> {
    // Serde's message can quote a value, so only the kind of trouble is told.
    let unreadable = |error: serde_json::Error| {
        let kind = error.classify();
        StoreError::Unavailable(format!("{} cannot be read ({kind:?})", entry.key))
    };
    let value = serde_json::from_slice(&entry.value).map_err(unreadable)?;
    Ok(Row {
        key: entry.key,
        revision: entry.revision,
        value,
    })
}
