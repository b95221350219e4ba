//! A store that is watched, for tests of how often it is read and written, and of what happens while a read waits.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Check, Direction, Entry, Sqlite, Store, StoreError, Write};

/// Counts reads, those that wait with them, and commits.
pub struct Watched {
    store: Sqlite,
    opened: watch::Receiver<bool>,
    reads: AtomicUsize,
    commits: AtomicUsize,
}

impl Watched {
    /// In memory; nothing waits.
    pub fn open() -> Self {
        Self::with(watch::channel(true).1)
    }

    /// In memory; reads wait until true is sent.
    pub fn closed() -> (watch::Sender<bool>, Arc<Self>) {
        let (open, opened) = watch::channel(false);
        (open, Arc::new(Self::with(opened)))
    }

    fn with(opened: watch::Receiver<bool>) -> Self {
        Self {
            store: Sqlite::in_memory().unwrap(),
            opened,
            reads: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
        }
    }

    /// Reads so far.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Commits so far.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    async fn read(&self) -> &Sqlite {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.opened.clone().wait_for(|open| *open).await.unwrap();
        &self.store
    }
}

#[async_trait]
impl Store for Watched {
    async fn get(&self, tenant: &str, keys: Vec<String>) -> Result<Vec<Option<Entry>>, StoreError> {
        self.read().await.get(tenant, keys).await
    }

    async fn scan(
        &self,
        tenant: &str,
        start: String,
        end: String,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let store = self.read().await;
        store.scan(tenant, start, end, direction, limit).await
    }

    async fn commit(
        &self,
        tenant: &str,
        checks: Vec<Check>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.store.commit(tenant, checks, writes).await
    }

    async fn move_to(&self, tenant: &str, to: Option<&str>) -> Result<(), StoreError> {
        self.store.move_to(tenant, to).await
    }
}
