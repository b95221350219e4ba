//! Asking a shop what needs a person, and writing down what is new and what is mended. Calls nobody outside; tells nobody.

use serde_json::{Value, json};

use super::{
    Inner,
    causes::{self, Cause, Facts},
    ledger::{self, Next, Standing},
    standing_of,
};
use crate::{
    console::compared_key,
    random,
    records::{Records, Row, gone, written},
    storage::{Check, StoreError, Write},
    tenant::{CallError, Tenant},
};

/// Random bytes of an id.
const ID: usize = 8;
/// Entries that wait, read at once, and how often: a number beyond that is told as that many.
const ENTRIES: u32 = 500;
const PAGES: usize = 4;

/// Why a look gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The component could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The host's own rows could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where an alignment that waits at the guard is written down.
pub fn guard_key(shop: &str) -> String {
    format!("guard/{shop}")
}

impl Inner {
    /// Whether anything is new or mended.
    pub async fn look(&self, tenant: &Tenant) -> Result<bool, LookError> {
        let facts = facts(tenant, &self.records).await?;
        let found = causes::found(&facts, self.clock.now());
        let rows = self.rows(&standing_of(&tenant.name)).await?;
        let (mut checks, mut writes) = (Vec::new(), Vec::new());
        for cause in Cause::ALL {
            let key = format!("{}{}", standing_of(&tenant.name), cause.word());
            let row = rows.iter().find(|row| row.key == key);
            let finding = found.iter().find(|finding| finding.cause == cause);
            let before = row.map(|row| &row.value);
            let next = ledger::seen(before, finding, random::token(ID)?, self.clock.now());
            if let Some(write) = write(next, &key)? {
                checks.push(check(row, key));
                writes.push(write);
            }
        }
        if writes.is_empty() {
            return Ok(false);
        }
        match self.records.commit(checks, writes).await {
            Ok(()) => Ok(true),
            // Somebody was being told just now; the next round looks again.
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn write(next: Next, key: &str) -> Result<Option<Write>, StoreError> {
    Ok(match next {
        Next::Keep => None,
        Next::Put(standing) => Some(written(key.to_owned(), &*standing)?),
        Next::Gone => Some(gone(key.to_owned())),
    })
}

fn check(row: Option<&Row<Standing>>, key: String) -> Check {
    Check {
        key,
        revision: row.map(|row| row.revision),
    }
}

async fn facts(tenant: &Tenant, records: &Records) -> Result<Facts, LookError> {
    // One after the other: after the rounds of many shops a page waits for few calls.
    let status = tenant.call("connection.get-status", json!({})).await?;
    let stores = tenant.call("orders.stores", json!({})).await?;
    let waiting = waiting(tenant).await?;
    let compared: Option<Row<Value>> = records.read(compared_key(&tenant.name)).await?;
    let guard: Option<Row<Value>> = records.read(guard_key(&tenant.name)).await?;
    Ok(Facts {
        status,
        stores,
        waiting,
        compared: compared.map(|row| row.value),
        guard: guard.map(|row| row.value),
    })
}

/// What waits comes before all that was sent.
async fn waiting(tenant: &Tenant) -> Result<Vec<Value>, CallError> {
    let mut found = Vec::new();
    let mut from = Value::Null;
    for _ in 0..PAGES {
        let page = json!({ "limit": ENTRIES, "continuation": from });
        let arguments = json!({ "filter": { "outcome": "waiting" }, "page": page });
        let mut answer = tenant.call("history.sent", arguments).await?;
        if let Some(Value::Array(entries)) = answer.get_mut("entries").map(Value::take) {
            found.extend(entries);
        }
        from = answer
            .get_mut("continuation")
            .map_or(Value::Null, Value::take);
        if from.is_null() {
            break;
        }
    }
    Ok(found)
}
