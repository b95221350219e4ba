//! Which shops were added and which are on their way out, as it is written in the store. Starts and ends nothing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    random,
    records::{Records, Row, gone, written},
    storage::{Check, Direction, StoreError},
};

/// Random bytes of a webhook's secret.
const SECRET: usize = 24;
/// Letters of a name at most.
const LONGEST: usize = 40;
const MOST: u32 = 100_000;

/// A shop that was added.
#[derive(Clone, Serialize, Deserialize)]
pub struct Added {
    /// What its webhooks carry.
    pub webhook_secret: String,
    /// Hosts beyond those its settings need.
    pub allowed_hosts: Vec<String>,
    /// When.
    pub added_at: DateTime<Utc>,
    /// Set once somebody removed it, until it is gone.
    pub leaving: Option<Leaving>,
}

/// A shop on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Since when.
    pub since: DateTime<Utc>,
    /// What becomes of its data.
    pub data: Fate,
}

/// What becomes of a removed shop's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is kept aside: a shop added under the same name may go on with it.
    Kept,
    /// It is deleted.
    Deleted,
}

/// Why a shop cannot be added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The name is no name.
    #[error("is no name: use 1 to 40 lower-case letters, digits and hyphens")]
    Name,
    /// There is one.
    #[error("is a shop already; choose another name")]
    Taken,
    /// It is being removed just now.
    #[error("is being removed; wait until it is gone")]
    Leaving,
    /// It is the configuration's.
    #[error("is in the configuration: remove [tenants.<name>] there and start again")]
    Configured,
    /// There is none.
    #[error("is no shop; `tsunagi tenants` lists them")]
    Unknown,
    /// Nothing was kept of one with this name.
    #[error("has no data that was kept; add it without --with-kept-data")]
    NothingKept,
}

/// Whether a shop may be called this.
pub fn is_name(name: &str) -> bool {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    !name.is_empty() && name.chars().all(plain)
}

fn key(name: &str) -> String {
    format!("shop/{name}")
}

fn kept_key(name: &str) -> String {
    format!("kept/{name}")
}

/// Where the data of a removed shop is kept: no shop can have its name.
pub fn kept_place(name: &str) -> String {
    format!("/kept/{name}")
}

/// All of them by name, those on their way out, too.
pub async fn all(records: &Records) -> Result<Vec<(String, Added)>, StoreError> {
    let (start, end) = ("shop/".to_owned(), "shop0".to_owned());
    let rows: Vec<Row<Added>> = records.range(start, end, Direction::Forward, MOST).await?;
    let named = rows.into_iter().filter_map(|row| {
        let name = row.key.strip_prefix("shop/")?.to_owned();
        Some((name, row.value))
    });
    Ok(named.collect())
}

/// Names whose data is kept aside.
pub async fn kept(records: &Records) -> Result<Vec<String>, StoreError> {
    let (start, end) = ("kept/".to_owned(), "kept0".to_owned());
    let rows = records.raw(start, end, MOST).await?;
    let names = rows
        .into_iter()
        .filter_map(|row| row.key.strip_prefix("kept/").map(str::to_owned));
    Ok(names.collect())
}

/// Writes a new shop down. Says what its webhooks have to carry.
pub async fn add(
    records: &Records,
    name: &str,
    allowed_hosts: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Result<String, Unfit>, StoreError> {
    if !is_name(name) || name.len() > LONGEST {
        return Ok(Err(Unfit::Name));
    }
    let added = Added {
        webhook_secret: random::token(SECRET)?,
        allowed_hosts,
        added_at: now,
        leaving: None,
    };
    let check = Check {
        key: key(name),
        revision: None,
    };
    let written = records
        .commit(vec![check], vec![written(key(name), &added)?])
        .await;
    match written {
        Ok(()) => Ok(Ok(added.webhook_secret)),
        Err(StoreError::Conflict(_)) => Ok(Err(match read(records, name).await? {
            Some(row) if row.value.leaving.is_some() => Unfit::Leaving,
            _ => Unfit::Taken,
        })),
        Err(error) => Err(error),
    }
}

async fn read(records: &Records, name: &str) -> Result<Option<Row<Added>>, StoreError> {
    records.read(key(name)).await
}

/// What is written of a shop.
pub async fn find(records: &Records, name: &str) -> Result<Option<Added>, StoreError> {
    Ok(read(records, name).await?.map(|row| row.value))
}

/// Writes down that a shop is to go; whoever keeps it going ends it. The first word holds.
pub async fn remove(
    records: &Records,
    name: &str,
    data: Fate,
    now: DateTime<Utc>,
) -> Result<Result<(), Unfit>, StoreError> {
    loop {
        let Some(row) = read(records, name).await? else {
            return Ok(Err(Unfit::Unknown));
        };
        if row.value.leaving.is_some() {
            return Ok(Err(Unfit::Leaving));
        }
        let leaving = Added {
            leaving: Some(Leaving { since: now, data }),
            ..row.value
        };
        let check = Check {
            key: key(name),
            revision: Some(row.revision),
        };
        match records
            .commit(vec![check], vec![written(key(name), &leaving)?])
            .await
        {
            Ok(()) => return Ok(Ok(())),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes down that it is gone, and whether its data is kept.
pub async fn forget(records: &Records, name: &str, data: Fate) -> Result<(), StoreError> {
    let mut writes = vec![gone(key(name))];
    if data == Fate::Kept {
        writes.push(written(kept_key(name), &true)?);
    }
    records.commit(Vec::new(), writes).await
}

/// Writes down that nothing is kept of a shop any more.
pub async fn forget_kept(records: &Records, name: &str) -> Result<(), StoreError> {
    records.commit(Vec::new(), vec![gone(kept_key(name))]).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::storage::Sqlite;

    #[tokio::test]
    async fn a_name_is_given_once_and_the_first_word_about_its_data_holds() {
        let records = Records::new(Arc::new(Sqlite::in_memory().unwrap()));
        let now = Utc::now();
        for name in ["", "My-Shop", "a/b", "店", &"a".repeat(41)] {
            assert_eq!(
                add(&records, name, Vec::new(), now).await.unwrap(),
                Err(Unfit::Name),
                "{name}"
            );
        }
        let secret = add(&records, "a", Vec::new(), now).await.unwrap().unwrap();
        assert_eq!(secret.len(), 2 * SECRET);
        assert_eq!(
            add(&records, "a", Vec::new(), now).await.unwrap(),
            Err(Unfit::Taken)
        );
        assert_eq!(
            remove(&records, "b", Fate::Kept, now).await.unwrap(),
            Err(Unfit::Unknown)
        );
        assert_eq!(
            remove(&records, "a", Fate::Kept, now).await.unwrap(),
            Ok(())
        );
        assert_eq!(
            remove(&records, "a", Fate::Deleted, now).await.unwrap(),
            Err(Unfit::Leaving)
        );
        assert_eq!(
            add(&records, "a", Vec::new(), now).await.unwrap(),
            Err(Unfit::Leaving)
        );
        forget(&records, "a", Fate::Kept).await.unwrap();
        assert!(all(&records).await.unwrap().is_empty());
        assert_eq!(kept(&records).await.unwrap(), ["a"]);
    }
}
