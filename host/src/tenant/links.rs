//! One-time links to the login: only who was given one may bind a shop to a Next Engine company. They lie in the host's own part of
//! the store, so that the command line makes one and the server takes it. A link is short-lived, good once, and few are open.

use chrono::{DateTime, TimeDelta, Utc};
use subtle::ConstantTimeEq;

use super::mark::HOST;
use crate::{
    random,
    storage::{Check, Direction, Entry, Store, StoreError, Write},
};

/// Time enough to pass it on to the person who logs in.
const LIVES: TimeDelta = TimeDelta::minutes(30);
/// Open ones of a shop; a further one closes the oldest.
const MOST: u32 = 20;
/// Random bytes of a code.
const BYTES: usize = 24;

/// A new link.
pub struct Link {
    /// What the address carries. As good as a password until it was used.
    pub code: String,
    /// After this it opens nothing.
    pub expires_at: DateTime<Utc>,
}

/// Makes one.
pub async fn make(store: &dyn Store, tenant: &str, now: DateTime<Utc>) -> Result<Link, StoreError> {
    let link = Link {
        code: random::token(BYTES)?,
        expires_at: now + LIVES,
    };
    let open = open(store, tenant).await?;
    let spare = u32::try_from(open.len()).unwrap_or(u32::MAX);
    let over = usize::try_from((spare + 1).saturating_sub(MOST)).unwrap_or(usize::MAX);
    // Keys begin with the moment, so the oldest come first.
    let closed = open.into_iter().enumerate();
    let closed = closed.filter(|(at, entry)| *at < over || has_expired(&entry.key, now));
    let mut writes: Vec<Write> = closed
        .map(|(_, entry)| Write {
            key: entry.key,
            value: None,
        })
        .collect();
    writes.push(Write {
        key: format!(
            "{}{:011}/{}",
            prefix(tenant),
            link.expires_at.timestamp(),
            link.code
        ),
        value: Some(Vec::new()),
    });
    store.commit(HOST, Vec::new(), writes).await?;
    Ok(link)
}

/// Closes all of a shop that is removed.
pub async fn close_all(store: &dyn Store, tenant: &str) -> Result<(), StoreError> {
    let open = open(store, tenant).await?.into_iter();
    let closed = open.map(|entry| Write {
        key: entry.key,
        value: None,
    });
    store.commit(HOST, Vec::new(), closed.collect()).await
}

/// Whether the code is good. It is used up then, also when two come at once with the same one.
pub async fn take(
    store: &dyn Store,
    tenant: &str,
    code: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let open = open(store, tenant).await?;
    let same = |entry: &&Entry| {
        let known = entry.key.rsplit('/').next().unwrap_or_default();
        bool::from(known.as_bytes().ct_eq(code.as_bytes())) && !has_expired(&entry.key, now)
    };
    let Some(entry) = open.iter().find(same) else {
        return Ok(false);
    };
    let check = Check {
        key: entry.key.clone(),
        revision: Some(entry.revision),
    };
    let gone = Write {
        key: entry.key.clone(),
        value: None,
    };
    match store.commit(HOST, vec![check], vec![gone]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn open(store: &dyn Store, tenant: &str) -> Result<Vec<Entry>, StoreError> {
    let (start, end) = (prefix(tenant), format!("login/{tenant}0"));
    store
        .scan(HOST, start, end, Direction::Forward, MOST * 2)
        .await
}

fn prefix(tenant: &str) -> String {
    format!("login/{tenant}/")
}

/// `login/<tenant>/<seconds>/<code>`
fn has_expired(key: &str, now: DateTime<Utc>) -> bool {
    let seconds = key.split('/').nth(2).and_then(|text| text.parse().ok());
    seconds.is_none_or(|until: i64| until <= now.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Sqlite;

    fn now() -> DateTime<Utc> {
        "2026-11-24T00:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_link_is_good_once_for_its_shop_and_for_a_while() {
        let store = Sqlite::in_memory().unwrap();
        let link = make(&store, "a", now()).await.unwrap();
        assert!(!take(&store, "b", &link.code, now()).await.unwrap());
        assert!(!take(&store, "a", "", now()).await.unwrap());
        assert!(take(&store, "a", &link.code, now()).await.unwrap());
        assert!(
            !take(&store, "a", &link.code, now()).await.unwrap(),
            "used twice"
        );
        let late = make(&store, "a", now()).await.unwrap();
        assert!(!take(&store, "a", &late.code, now() + LIVES).await.unwrap());
    }

    #[tokio::test]
    async fn few_links_are_open_and_the_newest_are_good() {
        let store = Sqlite::in_memory().unwrap();
        let first = make(&store, "a", now()).await.unwrap();
        let mut last = first.code.clone();
        for minute in 1..60 {
            let at = now() + TimeDelta::seconds(minute);
            last = make(&store, "a", at).await.unwrap().code;
        }
        assert_eq!(open(&store, "a").await.unwrap().len(), MOST as usize);
        let at = now() + TimeDelta::seconds(60);
        assert!(!take(&store, "a", &first.code, at).await.unwrap());
        assert!(take(&store, "a", &last, at).await.unwrap());
        assert_ne!(first.code, last);
    }
}
