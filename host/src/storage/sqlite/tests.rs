//! The SQLite store: order, atomicity, revisions, and whose files they are.

use super::*;

fn put(key: &str, value: &str) -> Write {
    Write {
        key: key.to_owned(),
        value: Some(value.as_bytes().to_vec()),
    }
}

fn check(key: &str, revision: Option<u64>) -> Check {
    Check {
        key: key.to_owned(),
        revision,
    }
}

async fn keys(
    store: &Sqlite,
    start: &str,
    end: &str,
    direction: Direction,
    limit: u32,
) -> Vec<String> {
    let found = store
        .scan("a", start.to_owned(), end.to_owned(), direction, limit)
        .await
        .unwrap();
    found.into_iter().map(|entry| entry.key).collect()
}

async fn entry(store: &Sqlite, key: &str) -> Entry {
    let found = store.get("a", vec![key.to_owned()]).await.unwrap();
    found.into_iter().next().flatten().unwrap()
}

#[tokio::test]
async fn a_commit_is_all_or_nothing_and_names_what_changed() {
    let store = Sqlite::in_memory().unwrap();
    store
        .commit("a", vec![check("x", None)], vec![put("x", "1")])
        .await
        .unwrap();
    let seen = entry(&store, "x").await;
    let both = vec![put("x", "2"), put("y", "2")];
    let stale = vec![check("x", Some(seen.revision)), check("y", Some(9))];
    assert_eq!(
        store.commit("a", stale, both.clone()).await,
        Err(StoreError::Conflict("y".to_owned()))
    );
    assert_eq!(
        store
            .get("a", vec!["y".to_owned(), "x".to_owned()])
            .await
            .unwrap(),
        [None, Some(seen.clone())]
    );
    store
        .commit(
            "a",
            vec![check("x", Some(seen.revision)), check("y", None)],
            both,
        )
        .await
        .unwrap();
    assert_eq!(
        store.commit("a", vec![check("x", None)], vec![]).await,
        Err(StoreError::Conflict("x".to_owned()))
    );
}

#[tokio::test]
async fn a_revision_is_never_used_again() {
    let store = Sqlite::in_memory().unwrap();
    store
        .commit("a", vec![], vec![put("x", "1")])
        .await
        .unwrap();
    let first = entry(&store, "x").await.revision;
    store
        .commit(
            "a",
            vec![],
            vec![Write {
                key: "x".to_owned(),
                value: None,
            }],
        )
        .await
        .unwrap();
    store
        .commit("a", vec![], vec![put("x", "1")])
        .await
        .unwrap();
    let again = entry(&store, "x").await.revision;
    assert!(again > first);
}

#[tokio::test]
async fn a_scan_is_in_byte_order_half_open_and_of_one_tenant() {
    let store = Sqlite::in_memory().unwrap();
    let all = ["a", "B", "b/1", "b/2", "é", "c"]
        .map(|key| put(key, ""))
        .to_vec();
    store.commit("a", vec![], all).await.unwrap();
    store
        .commit("other", vec![], vec![put("b/15", "")])
        .await
        .unwrap();
    assert_eq!(
        keys(&store, "", "\u{10FFFF}", Direction::Forward, 9).await,
        ["B", "a", "b/1", "b/2", "c", "é"]
    );
    assert_eq!(
        keys(&store, "b/1", "c", Direction::Backward, 9).await,
        ["b/2", "b/1"]
    );
    assert_eq!(
        keys(&store, "a", "c", Direction::Forward, 2).await,
        ["a", "b/1"]
    );
    assert!(
        keys(&store, "c", "a", Direction::Forward, 9)
            .await
            .is_empty()
    );
    assert!(
        keys(&store, "a", "c", Direction::Forward, 0)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_scan_shorter_than_its_limit_means_the_end_however_long_it_is() {
    let store = Sqlite::in_memory().unwrap();
    let all = (0..12_345).map(|n| put(&format!("k/{n:06}"), "")).collect();
    store.commit("a", vec![], all).await.unwrap();
    let found = keys(&store, "k/", "k0", Direction::Forward, 100_000).await;
    assert_eq!(found.len(), 12_345);
}

#[test]
fn a_scan_beyond_its_bytes_fails_and_is_not_cut_short() {
    let entries = || {
        (0..10).map(|n| {
            Ok(Entry {
                key: format!("{n}"),
                revision: 1,
                value: vec![0; 9],
            })
        })
    };
    assert_eq!(within(entries(), 100).unwrap().len(), 10);
    assert!(matches!(
        within(entries(), 99),
        Err(StoreError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_tenant_moves_as_a_whole_and_one_without_anything_replaces_nothing() {
    let store = Sqlite::in_memory().unwrap();
    store
        .commit("a", vec![], vec![put("x", "1")])
        .await
        .unwrap();
    store
        .commit("/kept", vec![], vec![put("old", "1")])
        .await
        .unwrap();
    store.move_to("a", Some("/kept")).await.unwrap();
    store.move_to("a", Some("/kept")).await.unwrap();
    let kept = async |tenant: &str| {
        let (start, end) = (String::new(), "~".to_owned());
        let found = store.scan(tenant, start, end, Direction::Forward, 9).await;
        let keys = found.unwrap().into_iter().map(|entry| entry.key);
        keys.collect::<Vec<_>>()
    };
    assert_eq!(kept("/kept").await, ["x"]);
    assert!(kept("a").await.is_empty());
    store.move_to("/kept", None).await.unwrap();
    assert!(kept("/kept").await.is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_its_files() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("store.sqlite")).unwrap();
    store
        .commit("a", vec![], vec![put("x", "1")])
        .await
        .unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().mode() & 0o777,
            0o600,
            "{:?}",
            file.path()
        );
        files += 1;
    }
    assert_eq!(files, 4, "the store, its log, its index and its lock");
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    Sqlite::open(&path)
        .unwrap()
        .commit("a", vec![], vec![put("x", "1")])
        .await
        .unwrap();
    let found = Sqlite::open(&path)
        .unwrap()
        .get("a", vec!["x".to_owned()])
        .await
        .unwrap();
    assert_eq!(found.first().cloned().flatten().unwrap().value, b"1");
}

#[expect(
    clippy::await_holding_lock,
    reason = "a commit that is under way is what the looks must not wait for"
)]
#[tokio::test]
async fn a_look_waits_for_no_commit_and_sees_all_that_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("store.sqlite")).unwrap();
    let first = store.commit("a", vec![], vec![put("x", "1")]);
    first.await.unwrap();
    {
        let mut writing = store.connection.lock().unwrap();
        let commit = writing
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        write(&commit, "a", vec![put("x", "2"), put("y", "2")]).unwrap();
        assert_eq!(entry(&store, "x").await.value, b"1");
        for limit in [100, 1_000] {
            assert_eq!(
                keys(&store, "", "z", Direction::Forward, limit).await,
                ["x"]
            );
        }
        commit.commit().unwrap();
    }
    assert_eq!(entry(&store, "x").await.value, b"2");
    assert_eq!(
        keys(&store, "", "z", Direction::Forward, 1_000).await,
        ["x", "y"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_looked_up_together_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("store.sqlite")).unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 0..300 {
                let both = ["x", "y"].map(|key| put(key, &number.to_string()));
                store.commit("a", vec![], both.to_vec()).await.unwrap();
            }
        }
    });
    let mut looks = 0;
    while !writing.is_finished() {
        let both = vec!["x".to_owned(), "y".to_owned()];
        let found = store.get("a", both).await.unwrap();
        let values: Vec<_> = found
            .into_iter()
            .map(|found| found.map(|entry| entry.value))
            .collect();
        assert_eq!(values.first(), values.last());
        looks += 1;
    }
    assert!(looks > 300, "{looks} looks beside 300 commits");
}

#[tokio::test]
async fn a_file_whose_values_stand_within_the_keys_tree_is_used_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let within = SCHEMA.replace(
        "PRIMARY KEY (tenant, key)\n    )",
        "PRIMARY KEY (tenant, key)\n    ) WITHOUT ROWID",
    );
    assert_ne!(within, SCHEMA);
    Connection::open(&path)
        .unwrap()
        .execute_batch(&within)
        .unwrap();
    let store = Sqlite::open(&path).unwrap();
    for value in ["1", "2"] {
        let both = vec![put("x", value), put("y", &value.repeat(5_000))];
        store.commit("a", vec![], both).await.unwrap();
    }
    let seen = entry(&store, "x").await;
    assert_eq!(seen.value, b"2");
    let delete = Write {
        key: "x".to_owned(),
        value: None,
    };
    let checks = vec![check("x", Some(seen.revision))];
    store.commit("a", checks, vec![delete]).await.unwrap();
    assert_eq!(keys(&store, "", "z", Direction::Forward, 9).await, ["y"]);
}
