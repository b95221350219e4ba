//! Who may sign in: the operator, and merchants who see one shop. Made by invitation only; a link works once and ends by itself.
//! Knows no page and no cookie.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    records::{Records, Row, gone, written},
    secrets,
};
use crate::storage::{Check, Direction, StoreError};

/// Time enough to pass a link on.
const INVITED_FOR: TimeDelta = TimeDelta::days(2);
/// Expired invitations removed when a new one is made.
const SWEPT: u32 = 200;
/// Characters of a password at least; longer beats stranger.
pub const SHORTEST: usize = 12;
/// Bytes of a password at most: hashing is work.
const LONGEST: usize = 1_000;
const LONGEST_NAME: usize = 80;

/// One person's way in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    /// What is typed at sign-in, in lower case.
    pub name: String,
    /// The one shop that is seen; `None`: the operator, who sees all.
    pub shop: Option<String>,
    /// Of the password.
    pub hash: String,
    /// Another one ends the sessions that were begun before.
    pub generation: String,
    /// When the password was set.
    pub set_at: DateTime<Utc>,
}

/// What a link lets somebody do.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// The shop of the account; `None`: the operator's.
    pub shop: Option<String>,
    /// An account that exists and gets a new password; `None`: a new one.
    pub account: Option<String>,
    /// After this the link opens nothing.
    pub expires_at: DateTime<Utc>,
}

/// What is wrong with what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The name is no name.
    Name,
    /// Somebody has it.
    Taken,
    /// The password is too short or too long.
    Password,
    /// Both passwords differ.
    Again,
    /// The link is not good, or not any more.
    Link,
}

fn key(name: &str) -> String {
    format!("account/{name}")
}

fn invitation_key(code: &str) -> String {
    format!("invitation/{}", secrets::digest(code))
}

/// As names are stored and compared.
pub fn spelled(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The account of this name.
pub async fn find(records: &Records, name: &str) -> Result<Option<Account>, StoreError> {
    let found: Option<Row<Account>> = records.read(key(&spelled(name))).await?;
    Ok(found.map(|row| row.value))
}

/// Makes a link's code.
pub async fn invite(
    records: &Records,
    shop: Option<String>,
    account: Option<String>,
    now: DateTime<Utc>,
) -> Result<(String, Invitation), StoreError> {
    let code = secrets::token()?;
    let invitation = Invitation {
        shop,
        account,
        expires_at: now + INVITED_FOR,
    };
    let mut writes = vec![written(invitation_key(&code), &invitation)?];
    let (start, end) = ("invitation/".to_owned(), "invitation0".to_owned());
    let open: Vec<Row<Invitation>> = records.range(start, end, Direction::Forward, SWEPT).await?;
    let ended = open.into_iter().filter(|row| row.value.expires_at <= now);
    writes.extend(ended.map(|row| gone(row.key)));
    records.commit(Vec::new(), writes).await?;
    Ok((code, invitation))
}

/// What a link lets do, while it is good.
pub async fn invited(
    records: &Records,
    code: &str,
    now: DateTime<Utc>,
) -> Result<Option<Invitation>, StoreError> {
    Ok(open(records, code, now).await?.map(|row| row.value))
}

async fn open(
    records: &Records,
    code: &str,
    now: DateTime<Utc>,
) -> Result<Option<Row<Invitation>>, StoreError> {
    let found: Option<Row<Invitation>> = records.read(invitation_key(code)).await?;
    Ok(found.filter(|row| row.value.expires_at > now))
}

/// What somebody typed to take an invitation up.
pub struct Taking {
    /// From the link.
    pub code: String,
    /// Not looked at where the invitation names an account.
    pub name: String,
    /// The password.
    pub password: String,
    /// The same once more.
    pub again: String,
}

/// Makes the account, or gives it its new password, and uses the link up.
pub async fn take_up(
    records: &Records,
    taking: Taking,
    now: DateTime<Utc>,
) -> Result<Result<Account, Unfit>, StoreError> {
    let Some(invitation) = open(records, &taking.code, now).await? else {
        return Ok(Err(Unfit::Link));
    };
    let existing = invitation.value.account.clone();
    let name = existing.clone().unwrap_or_else(|| spelled(&taking.name));
    if let Some(unfit) = unfit(&name, &taking) {
        return Ok(Err(unfit));
    }
    let before: Option<Row<Account>> = records.read(key(&name)).await?;
    if existing.is_some() != before.is_some() {
        let unfit = if existing.is_some() {
            Unfit::Link
        } else {
            Unfit::Taken
        };
        return Ok(Err(unfit));
    }
    let account = Account {
        shop: before
            .as_ref()
            .map_or(invitation.value.shop.clone(), |row| row.value.shop.clone()),
        hash: secrets::hash(taking.password).await?,
        generation: secrets::token()?,
        set_at: now,
        name,
    };
    let checks = vec![
        Check {
            key: invitation.key.clone(),
            revision: Some(invitation.revision),
        },
        Check {
            key: key(&account.name),
            revision: before.map(|row| row.revision),
        },
    ];
    let writes = vec![gone(invitation.key), written(key(&account.name), &account)?];
    match records.commit(checks, writes).await {
        Ok(()) => Ok(Ok(account)),
        Err(StoreError::Conflict(changed)) if changed.starts_with("account/") => {
            Ok(Err(Unfit::Taken))
        }
        Err(StoreError::Conflict(_)) => Ok(Err(Unfit::Link)),
        Err(error) => Err(error),
    }
}

/// Removes all accounts of a shop, whose sessions end with them, and its open invitations.
pub async fn forget(records: &Records, shop: &str) -> Result<(), StoreError> {
    let range = |start: &str, end: &str| (start.to_owned(), end.to_owned());
    let (start, end) = range("account/", "account0");
    let accounts: Vec<Row<Account>> = records
        .range(start, end, Direction::Forward, u32::MAX)
        .await?;
    let (start, end) = range("invitation/", "invitation0");
    let open: Vec<Row<Invitation>> = records
        .range(start, end, Direction::Forward, u32::MAX)
        .await?;
    let accounts = accounts
        .into_iter()
        .filter(|row| row.value.shop.as_deref() == Some(shop));
    let open = open
        .into_iter()
        .filter(|row| row.value.shop.as_deref() == Some(shop));
    let keys = accounts.map(|row| row.key).chain(open.map(|row| row.key));
    records.commit(Vec::new(), keys.map(gone).collect()).await
}

fn unfit(name: &str, taking: &Taking) -> Option<Unfit> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@.+-_".contains(letter);
    let is_name = (3..=LONGEST_NAME).contains(&name.chars().count()) && name.chars().all(plain);
    if !is_name {
        return Some(Unfit::Name);
    }
    let long_enough = taking.password.chars().count() >= SHORTEST;
    if !long_enough || taking.password.len() > LONGEST {
        return Some(Unfit::Password);
    }
    (taking.password != taking.again).then_some(Unfit::Again)
}

/// The account that name and password open.
pub async fn opened_by(
    records: &Records,
    name: &str,
    password: String,
) -> Result<Option<Account>, StoreError> {
    if password.len() > LONGEST {
        return Ok(None);
    }
    let account = find(records, name).await?;
    let known = account.as_ref().map(|account| account.hash.clone());
    let fits = secrets::fits(password, known).await?;
    Ok(account.filter(|_| fits))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::storage::Sqlite;

    fn now() -> DateTime<Utc> {
        "2026-11-24T00:00:00Z".parse().unwrap()
    }

    fn typed(code: &str, name: &str, password: &str) -> Taking {
        Taking {
            code: code.to_owned(),
            name: name.to_owned(),
            password: password.to_owned(),
            again: password.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_link_makes_one_account_of_its_shop_and_ends() {
        let records = Records::new(Arc::new(Sqlite::in_memory().unwrap()));
        let shop = Some("a".to_owned());
        let (code, _) = invite(&records, shop.clone(), None, now()).await.unwrap();
        let take = |typed, at| take_up(&records, typed, at);
        for (typed, at, unfit) in [
            (typed("x", "taro", "a long password"), now(), Unfit::Link),
            (
                typed(&code, "taro", "a long password"),
                now() + INVITED_FOR,
                Unfit::Link,
            ),
            (typed(&code, "t", "a long password"), now(), Unfit::Name),
            (typed(&code, "taro", "short"), now(), Unfit::Password),
        ] {
            assert_eq!(take(typed, at).await.unwrap().err(), Some(unfit));
        }
        let differs = Taking {
            again: "another one".to_owned(),
            ..typed(&code, "taro", "a long password")
        };
        assert_eq!(
            take(differs, now()).await.unwrap().err(),
            Some(Unfit::Again)
        );
        let made = take(typed(&code, " Taro ", "a long password"), now())
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert_eq!((made.name.as_str(), &made.shop), ("taro", &shop));
        let again = take(typed(&code, "jiro", "a long password"), now()).await;
        assert_eq!(again.unwrap().err(), Some(Unfit::Link), "used twice");

        let (code, _) = invite(&records, None, None, now()).await.unwrap();
        let taken = take(typed(&code, "taro", "a long password"), now()).await;
        assert_eq!(taken.unwrap().err(), Some(Unfit::Taken));
    }

    #[tokio::test]
    async fn a_link_for_an_account_sets_its_password_and_nothing_else() {
        let records = Records::new(Arc::new(Sqlite::in_memory().unwrap()));
        let shop = Some("a".to_owned());
        let (code, _) = invite(&records, shop.clone(), None, now()).await.unwrap();
        let made = take_up(&records, typed(&code, "taro", "a long password"), now()).await;
        let made = made.unwrap().ok().unwrap();
        let (code, _) = invite(&records, None, Some("taro".to_owned()), now())
            .await
            .unwrap();
        let typed = typed(&code, "other", "another password");
        let mended = take_up(&records, typed, now()).await.unwrap().ok().unwrap();
        assert_eq!((mended.name.as_str(), mended.shop), ("taro", shop));
        assert_ne!(mended.generation, made.generation);
        let opened = |password: &str| opened_by(&records, "taro", password.to_owned());
        assert!(opened("a long password").await.unwrap().is_none());
        assert!(opened("another password").await.unwrap().is_some());
    }
}
