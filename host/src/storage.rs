//! What the component's `storage` import needs: an ordered map for each tenant with atomic conditional commits, as
//! `wit/storage.wit` specifies it. Knows no key's meaning.

pub mod backup;
pub mod lock;
mod sqlite;
#[cfg(test)]
pub mod tests;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use async_trait::async_trait;

pub use sqlite::Sqlite;

/// The path beside a store whose name is the store's with this end.
pub fn beside(store: &Path, end: &str) -> PathBuf {
    let mut name = store.to_owned().into_os_string();
    name.push(end);
    name.into()
}

/// Makes a file that is not there yet, for its owner alone: it is to hold tokens or buyers' data.
///
/// # Errors
/// When it is there, or cannot be made.
pub fn new_private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A value with the revision of its last write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Grows with every write, never used twice for a key.
    pub revision: u64,
    /// Its bytes.
    pub value: Vec<u8>,
}

impl Entry {
    /// Of key and value.
    pub fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

/// Which end of a range comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Lowest key first.
    Forward,
    /// Highest key first.
    Backward,
}

/// What must still hold when a commit takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The key.
    pub key: String,
    /// The revision seen; `None` means that the key must not exist.
    pub revision: Option<u64>,
}

/// A write; `None` deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: String,
    /// The new value.
    pub value: Option<Vec<u8>>,
}

/// Why nothing, or perhaps nothing, was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A check failed on this key; nothing was written.
    #[error("the key {0} changed meanwhile")]
    Conflict(String),
    /// The store cannot be used; for an operator, without values.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
}

/// A store for many tenants.
#[async_trait]
pub trait Store: Send + Sync {
    /// One item for each key, in the order asked.
    async fn get(&self, tenant: &str, keys: Vec<String>) -> Result<Vec<Option<Entry>>, StoreError>;

    /// Keys from `start` (included) to `end` (excluded), from the end that `direction` names: `limit`, or all there are. A store
    /// that cannot hand over so much fails: a shorter answer would say that the range ends there.
    async fn scan(
        &self,
        tenant: &str,
        start: String,
        end: String,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// All or nothing, durable when it returns.
    async fn commit(
        &self,
        tenant: &str,
        checks: Vec<Check>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError>;

    /// Moves everything of a tenant to another name, in place of what was there; without one it is deleted. A tenant without anything moves
    /// and replaces nothing. All or nothing, durable when it returns.
    async fn move_to(&self, tenant: &str, to: Option<&str>) -> Result<(), StoreError>;
}
