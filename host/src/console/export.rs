//! A shop's data as a file, one JSON value a line, written while it is read: its rows in the store, and the console's about it. What is
//! secret stays here; what that is, is said in this file alone.

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    audit,
    pages::{checked_key, compared_key},
    records::Records,
};
use crate::{
    notices,
    storage::{Entry, StoreError},
    tenant::Tenant,
};

/// Of the file's shape.
const VERSION: u32 = 1;
/// Rows read at once.
const AT_ONCE: u32 = 200;

/// Rows that are secrets as a whole, by the beginning of their keys: tokens, and open logins, whose keys are the tickets.
const SECRET_ROWS: [&str; 3] = ["next-engine/login", "smaregi/token", "login-ticket/"];
/// Fields whose names have one of these in them are left out wherever they stand.
const SECRET_WORDS: [&str; 5] = ["secret", "token", "password", "hash", "ticket"];
/// So are fields of these names.
const SECRET_NAMES: [&str; 3] = ["access", "refresh", "generation"];

/// Whether a row may leave at all.
fn may_leave(key: &str) -> bool {
    !SECRET_ROWS.iter().any(|begin| key.starts_with(begin))
}

/// A value without its secrets.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(name, _)| !is_secret(name));
            Value::Object(
                fields
                    .map(|(name, value)| (name, without_secrets(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        plain => plain,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word)) || SECRET_NAMES.contains(&name.as_str())
}

/// A row's line. Of a value that is not understood nothing is told: it could hold anything.
fn line(part: &str, key: &str, value: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(value).unwrap_or_default();
    may_leave(key).then(|| {
        let row = json!({ "part": part, "key": key, "value": without_secrets(value) });
        format!("{row}\n")
    })
}

/// How far the file is.
enum Place {
    Head,
    /// From this key on, of the shop's rows.
    Rows(String),
    /// From this key on, of what the console wrote down about it.
    Audit(String),
    /// What else the console has of it.
    Rest,
    End,
    Over,
}

/// A file that is being written.
struct File {
    records: Records,
    tenant: Tenant,
    place: Place,
    rows: u64,
}

/// The file, piece by piece; its last line says how many rows it has. Breaks off before that when the store cannot be read on.
pub fn stream(
    records: Records,
    tenant: Tenant,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let file = File {
        records,
        tenant,
        place: Place::Head,
        rows: 0,
    };
    stream::unfold(file, |mut file| async move {
        if matches!(file.place, Place::Over) {
            return None;
        }
        let piece = file.piece().await.map_err(|error| {
            tracing::error!("an export broke off: {error}");
            file.place = Place::Over;
            std::io::Error::other("the store cannot be read on")
        });
        Some((piece.map(Bytes::from), file))
    })
}

impl File {
    async fn piece(&mut self) -> Result<String, StoreError> {
        let shop = self.tenant.name.clone();
        let records = self.records.clone();
        match std::mem::replace(&mut self.place, Place::Over) {
            Place::Head => {
                self.place = Place::Rows(String::new());
                Ok(head(&shop, self.tenant.clock().now()))
            }
            Place::Rows(start) => {
                let found = self.tenant.rows(start, AT_ONCE).await?;
                let next = go_on(&found).map(Place::Rows);
                self.place = next.unwrap_or_else(|| Place::Audit(audit::of(&shop)));
                Ok(self.lines("shop", &found))
            }
            Place::Audit(start) => {
                let end = format!("{}~", audit::of(&shop));
                let found = records.raw(start, end, AT_ONCE).await?;
                self.place = go_on(&found).map_or(Place::Rest, Place::Audit);
                Ok(self.lines("console", &found))
            }
            Place::Rest => {
                let found = rest(&records, &shop).await?;
                self.place = Place::End;
                Ok(self.lines("console", &found))
            }
            Place::End => Ok(format!("{}\n", json!({ "rows": self.rows }))),
            Place::Over => Ok(String::new()),
        }
    }

    fn lines(&mut self, part: &str, found: &[Entry]) -> String {
        let lines = found
            .iter()
            .filter_map(|entry| line(part, &entry.key, &entry.value));
        let lines: Vec<String> = lines.collect();
        self.rows += u64::try_from(lines.len()).unwrap_or_default();
        lines.concat()
    }
}

fn head(shop: &str, now: DateTime<Utc>) -> String {
    let head = json!({ "tsunagi-export": VERSION, "shop": shop, "exported-at": now });
    format!("{head}\n")
}

/// The key to go on from; `None` when that was all.
fn go_on(found: &[Entry]) -> Option<String> {
    let is_full = u32::try_from(found.len()).is_ok_and(|length| length >= AT_ONCE);
    found
        .last()
        .filter(|_| is_full)
        .map(|last| after(&last.key))
}

/// The least key behind a key.
fn after(key: &str) -> String {
    format!("{key}\0")
}

/// The last check, the last comparison, who gets notices, and the accounts that see the shop.
async fn rest(records: &Records, shop: &str) -> Result<Vec<Entry>, StoreError> {
    let mut found = Vec::new();
    let own = [
        checked_key(shop),
        compared_key(shop),
        notices::settings_key(shop),
    ];
    for key in own {
        let end = after(&key);
        found.extend(records.raw(key, end, 1).await?);
    }
    let (start, end) = ("account/".to_owned(), "account0".to_owned());
    let accounts = records.raw(start, end, u32::MAX).await?;
    found.extend(accounts.into_iter().filter(|entry| sees(entry, shop)));
    Ok(found)
}

/// An account as far as this file needs it.
#[derive(Deserialize)]
struct Seen {
    shop: Option<String>,
}

fn sees(account: &Entry, shop: &str) -> bool {
    let seen = serde_json::from_slice::<Seen>(&account.value);
    seen.is_ok_and(|seen| seen.shop.as_deref() == Some(shop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_wherever_they_stand_and_all_else_stays() {
        let value = json!({ "v": 1, "d": {
            "credentials": { "next_engine_client_id": "id", "next_engine_client_secret": "s", "smaregiClientSecret": "s" },
            "list": [{ "access": "s", "refresh": "s", "access_ends": "2026" }, { "password_hash": "s" }],
            "accessed": true, "apiToken": "s", "total": "1200",
        } });
        let expected = json!({ "v": 1, "d": {
            "credentials": { "next_engine_client_id": "id" },
            "list": [{ "access_ends": "2026" }, {}],
            "accessed": true, "total": "1200",
        } });
        assert_eq!(without_secrets(value), expected);
    }

    #[test]
    fn rows_of_tokens_and_open_logins_never_leave_and_no_value_that_is_not_understood() {
        for key in ["next-engine/login", "smaregi/token", "login-ticket/0123"] {
            assert_eq!(line("shop", key, b"{}"), None, "{key}");
        }
        assert_eq!(
            line("shop", "odd", b"not JSON: token=abc").as_deref(),
            Some("{\"key\":\"odd\",\"part\":\"shop\",\"value\":null}\n")
        );
    }
}
