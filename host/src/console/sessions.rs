//! Who is signed in: a random token in the browser's cookie, its digest in the store. A session ends some time after its last use,
//! at the latest after a week, and with its account's password. Knows no page.

use axum::http::{HeaderMap, header};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    accounts::{self, Account},
    records::{Records, Row, gone, written},
    secrets,
};
use crate::storage::{Direction, StoreError};

/// After the last use.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// After the sign-in.
const LONGEST: TimeDelta = TimeDelta::days(7);
/// A use is written down only this long after the last one that was.
const NOTED: TimeDelta = TimeDelta::hours(1);
/// Sessions looked at for expired ones at each sign-in.
const SWEPT: u32 = 500;

#[derive(Serialize, Deserialize)]
struct Session {
    account: String,
    generation: String,
    expires_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
}

fn key(token: &str) -> String {
    format!("session/{}", secrets::digest(token))
}

/// Begins one; gives the cookie's token.
pub async fn begin(
    records: &Records,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let token = secrets::token()?;
    let session = Session {
        account: account.name.clone(),
        generation: account.generation.clone(),
        expires_at: now + IDLE,
        ends_at: now + LONGEST,
    };
    let key = key(&token);
    // Digests lie evenly, so sweeping from the new one on comes round to all.
    let others: Vec<Row<Session>> = records
        .range(
            key.clone(),
            "session0".to_owned(),
            Direction::Forward,
            SWEPT,
        )
        .await?;
    let ended = others.into_iter().filter(|row| has_ended(&row.value, now));
    let mut writes: Vec<_> = ended.map(|row| gone(row.key)).collect();
    writes.push(written(key, &session)?);
    records.commit(Vec::new(), writes).await?;
    Ok(token)
}

/// The account that a token stands for.
pub async fn account(
    records: &Records,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<Account>, StoreError> {
    let found: Option<Row<Session>> = records.read(key(token)).await?;
    let Some(row) = found.filter(|row| !has_ended(&row.value, now)) else {
        return Ok(None);
    };
    let account = accounts::find(records, &row.value.account).await?;
    let Some(account) = account.filter(|account| account.generation == row.value.generation) else {
        return Ok(None);
    };
    if row.value.expires_at < now + IDLE - NOTED {
        let used = Session {
            expires_at: now + IDLE,
            ..row.value
        };
        records.put(row.key, &used).await?;
    }
    Ok(Some(account))
}

/// Ends one.
pub async fn end(records: &Records, token: &str) -> Result<(), StoreError> {
    records.commit(Vec::new(), vec![gone(key(token))]).await
}

fn has_ended(session: &Session, now: DateTime<Utc>) -> bool {
    session.expires_at <= now || session.ends_at <= now
}

/// The two cookies: of somebody who is signed in, and of a visitor who is about to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Opens the console.
    Session,
    /// Ties the sign-in form to its browser; opens nothing.
    Visitor,
}

impl Cookie {
    /// Behind https no other host and no plain page can set it.
    fn name(self, public_url: &str) -> &'static str {
        match (self, public_url.starts_with("https://")) {
            (Self::Session, true) => "__Host-tsunagi-session",
            (Self::Session, false) => "tsunagi-session",
            (Self::Visitor, true) => "__Host-tsunagi-visitor",
            (Self::Visitor, false) => "tsunagi-visitor",
        }
    }

    fn line(self, public_url: &str, token: &str, seconds: i64) -> String {
        let secure = if public_url.starts_with("https://") {
            "; Secure"
        } else {
            ""
        };
        let name = self.name(public_url);
        format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }

    /// A header's value that sets it.
    pub fn set(self, public_url: &str, token: &str) -> String {
        self.line(public_url, token, LONGEST.num_seconds())
    }

    /// A header's value that removes it.
    pub fn forget(self, public_url: &str) -> String {
        self.line(public_url, "", 0)
    }

    /// Its token in a request.
    pub fn read(self, public_url: &str, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.name(public_url))
    }
}

/// A cookie of this name.
pub fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, value)| *name == wanted && !value.is_empty());
    found.map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::storage::Sqlite;

    fn now() -> DateTime<Utc> {
        "2026-11-24T00:00:00Z".parse().unwrap()
    }

    async fn with_account() -> (Records, Account) {
        let records = Records::new(Arc::new(Sqlite::in_memory().unwrap()));
        let account = Account {
            name: "taro".to_owned(),
            shop: None,
            hash: String::new(),
            generation: "1".to_owned(),
            set_at: now(),
        };
        let key = "account/taro".to_owned();
        records.put(key, &account).await.unwrap();
        (records, account)
    }

    #[tokio::test]
    async fn a_session_ends_unused_after_hours_and_used_after_days() {
        let (records, taro) = with_account().await;
        let token = begin(&records, &taro, now()).await.unwrap();
        let is_in = |token: String, at| {
            let records = records.clone();
            async move { account(&records, &token, at).await.unwrap().is_some() }
        };
        assert!(!is_in(token.clone(), now() + IDLE).await);
        let mut at = now();
        while at + TimeDelta::hours(2) < now() + LONGEST {
            at += TimeDelta::hours(2);
            assert!(is_in(token.clone(), at).await, "{at}");
        }
        assert!(!is_in(token.clone(), now() + LONGEST).await);
        assert!(!is_in("guessed".to_owned(), now()).await);
        let other = begin(&records, &taro, now()).await.unwrap();
        end(&records, &other).await.unwrap();
        assert!(!is_in(other, now()).await);
    }

    #[tokio::test]
    async fn a_new_password_ends_sessions_and_expired_ones_are_removed() {
        let (records, mut taro) = with_account().await;
        let mut last = String::new();
        for _ in 0..40 {
            last = begin(&records, &taro, now()).await.unwrap();
        }
        taro.generation = "2".to_owned();
        records.put("account/taro".to_owned(), &taro).await.unwrap();
        assert!(account(&records, &last, now()).await.unwrap().is_none());
        for _ in 0..40 {
            begin(&records, &taro, now() + LONGEST).await.unwrap();
        }
        let left: Vec<Row<Session>> = records
            .range(
                "session/".to_owned(),
                "session0".to_owned(),
                Direction::Forward,
                500,
            )
            .await
            .unwrap();
        assert!((40..60).contains(&left.len()), "{}", left.len());
    }
}
