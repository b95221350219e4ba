//! The `storage` import: one tenant's part of the store, lent to an instance for one call.
//! It decides nothing about tenants: the context says which one, and the guest cannot name another.

use std::sync::Arc;

use wasmtime::component::{HasData, Linker};

use super::bindings::tsunagi::connector::storage as wit;
use super::state::CallState;
use crate::storage::{Check, Direction, Entry, Store, StoreError, Write};

/// Checks and writes of one commit together (wit/storage.wit).
const MAX_COMMIT: usize = 2_000;
/// Bytes of a key (wit/storage.wit).
const MAX_KEY: usize = 250;
/// Bytes of a value (wit/storage.wit).
const MAX_VALUE: usize = 1024 * 1024;

/// What a call's storage needs: the store and whose part of it.
pub struct StorageContext {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Whose keys are seen.
    pub tenant: String,
    /// Bytes that this call may still write.
    pub may_write: usize,
}

/// A context borrowed for one import call.
pub struct StorageView<'a> {
    /// The call's.
    pub context: &'a mut StorageContext,
}

struct HasStorage;

impl HasData for HasStorage {
    type Data<'a> = StorageView<'a>;
}

/// Links `tsunagi:connector/storage`.
pub fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<CallState, HasStorage>(linker, CallState::stored)
}

impl wit::Host for StorageView<'_> {
    async fn get(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<wit::Entry>>, wit::StorageError>> {
        let found = self.context.store.get(&self.context.tenant, keys).await;
        Ok(found
            .map(|entries| entries.into_iter().map(|entry| entry.map(to_wit)).collect())
            .map_err(error_to_wit))
    }

    async fn scan(
        &mut self,
        range: wit::KeyRange,
        direction: wit::Direction,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Entry>, wit::StorageError>> {
        let direction = match direction {
            wit::Direction::Forward => Direction::Forward,
            wit::Direction::Backward => Direction::Backward,
        };
        let tenant = &self.context.tenant;
        let found = self
            .context
            .store
            .scan(tenant, range.start, range.end, direction, limit)
            .await;
        Ok(found
            .map(|entries| entries.into_iter().map(to_wit).collect())
            .map_err(error_to_wit))
    }

    async fn commit(
        &mut self,
        checks: Vec<wit::Check>,
        writes: Vec<wit::Write>,
    ) -> wasmtime::Result<Result<(), wit::StorageError>> {
        if let Err(why) = within_limits(&checks, &writes) {
            return Ok(Err(wit::StorageError::Unavailable(why)));
        }
        let Some(left) = self.context.may_write.checked_sub(bytes(&writes)) else {
            let why = "this call has written as much as one call may".to_owned();
            return Ok(Err(wit::StorageError::Unavailable(why)));
        };
        self.context.may_write = left;
        let checks = checks.into_iter().map(|check| Check {
            key: check.key,
            revision: check.revision,
        });
        let writes = writes.into_iter().map(|write| Write {
            key: write.key,
            value: write.value,
        });
        let done = self
            .context
            .store
            .commit(&self.context.tenant, checks.collect(), writes.collect())
            .await;
        Ok(done.map_err(error_to_wit))
    }
}

/// The contract's limits, kept on this side too: a guest that breaks them is told, and no other tenant pays for it.
fn within_limits(checks: &[wit::Check], writes: &[wit::Write]) -> Result<(), String> {
    if checks.len() + writes.len() > MAX_COMMIT {
        return Err(format!(
            "a commit has at most {MAX_COMMIT} checks and writes"
        ));
    }
    let mut seen = std::collections::HashSet::new();
    for write in writes {
        if write.key.len() > MAX_KEY {
            return Err(format!("a key has at most {MAX_KEY} bytes"));
        }
        if write
            .value
            .as_ref()
            .is_some_and(|value| value.len() > MAX_VALUE)
        {
            return Err(format!("a value has at most {MAX_VALUE} bytes"));
        }
        if !seen.insert(&write.key) {
            return Err(String::from("a key is written twice in one commit"));
        }
    }
    Ok(())
}

fn bytes(writes: &[wit::Write]) -> usize {
    let value = |write: &wit::Write| write.value.as_ref().map_or(0, Vec::len);
    writes
        .iter()
        .map(|write| write.key.len() + value(write))
        .sum()
}

fn to_wit(entry: Entry) -> wit::Entry {
    wit::Entry {
        key: entry.key,
        revision: entry.revision,
        value: entry.value,
    }
}

fn error_to_wit(error: StoreError) -> wit::StorageError {
    match error {
        StoreError::Conflict(key) => wit::StorageError::Conflict(key),
        StoreError::Unavailable(why) => wit::StorageError::Unavailable(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: &str, bytes: usize) -> wit::Write {
        wit::Write {
            key: key.to_owned(),
            value: Some(vec![0; bytes]),
        }
    }

    #[test]
    fn a_commit_beyond_the_contracts_limits_is_refused_and_says_why() {
        let long_key = "k".repeat(MAX_KEY + 1);
        let cases = [
            (vec![write("a", 1), write("a", 1)], "twice"),
            (vec![write(&long_key, 1)], "key"),
            (vec![write("a", MAX_VALUE + 1)], "value"),
            (
                (0..=MAX_COMMIT).map(|n| write(&n.to_string(), 0)).collect(),
                "checks and writes",
            ),
        ];
        for (writes, why) in cases {
            let refused = within_limits(&[], &writes).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        assert!(within_limits(&[], &[write(&"k".repeat(MAX_KEY), MAX_VALUE)]).is_ok());
    }
}
