//! The kit on this host, whole and with a store that is not what it should be.

use async_trait::async_trait;

use super::*;
use crate::storage::{Check, Direction, Entry, StoreError, Write};

fn broken(findings: &[Value]) -> Vec<&str> {
    let broken = findings
        .iter()
        .filter(|finding| finding["outcome"].get("broken").is_some());
    broken
        .filter_map(|finding| finding["name"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_host_keeps_every_sentence_and_none_is_skipped() {
    let findings = run().await.unwrap();
    let kept = findings
        .iter()
        .filter(|finding| finding["outcome"] == "kept")
        .count();
    assert_eq!(
        (kept, broken(&findings)),
        (findings.len(), vec![]),
        "{findings:#?}"
    );
    assert!(findings.len() > 30, "{}", findings.len());
}

/// Looks at checks before the commit, and not within it.
struct Hasty(Sqlite);

#[async_trait]
impl Store for Hasty {
    async fn get(&self, tenant: &str, keys: Vec<String>) -> Result<Vec<Option<Entry>>, StoreError> {
        self.0.get(tenant, keys).await
    }

    async fn scan(
        &self,
        tenant: &str,
        start: String,
        end: String,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.0
            .scan(tenant, start, end, direction, limit.min(5_000))
            .await
    }

    async fn commit(
        &self,
        tenant: &str,
        checks: Vec<Check>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        self.0.commit(tenant, checks, Vec::new()).await?;
        tokio::task::yield_now().await;
        self.0.commit(tenant, Vec::new(), writes).await
    }

    async fn move_to(&self, tenant: &str, to: Option<&str>) -> Result<(), StoreError> {
        self.0.move_to(tenant, to).await
    }
}

/// What no check of one instance alone can see, and a page that is taken for the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_checks_before_it_writes_and_one_that_pages_are_caught() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hasty.sqlite");
    let findings = run_on(|| Ok(Arc::new(Hasty(Sqlite::open(&file)?))))
        .await
        .unwrap();
    assert_eq!(broken(&findings), ["exhausted", "contended"]);
}
