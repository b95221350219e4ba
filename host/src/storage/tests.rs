//! A store that counts, for tests of how often somebody looks.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::{Check, Direction, Entry, Sqlite, Store, StoreError, Write};

/// Counts how often it is read.
pub struct Counted {
    store: Sqlite,
    reads: AtomicUsize,
}

impl Counted {
    /// Over this one.
    pub fn of(store: Sqlite) -> Self {
        let reads = AtomicUsize::new(0);
        Self { store, reads }
    }

    /// Reads so far.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Store for Counted {
    async fn get(&self, tenant: &str, keys: Vec<String>) -> Result<Vec<Option<Entry>>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.get(tenant, keys).await
    }

    async fn scan(
        &self,
        tenant: &str,
        start: String,
        end: String,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.scan(tenant, start, end, direction, limit).await
    }

    async fn commit(
        &self,
        tenant: &str,
        checks: Vec<Check>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        self.store.commit(tenant, checks, writes).await
    }

    async fn move_to(&self, tenant: &str, to: Option<&str>) -> Result<(), StoreError> {
        self.store.move_to(tenant, to).await
    }
}
