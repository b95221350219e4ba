//! A replayed component's storage: what was read is read again, what was committed is compared.

use super::imports::{View, broken};
use crate::{
    recording::{Outcome, Row, Step},
    runtime::{bindings::tsunagi::connector::storage as wit, tape::steps},
};

fn entry(row: Row) -> wasmtime::Result<wit::Entry> {
    Ok(wit::Entry {
        key: row.key,
        revision: row.revision,
        value: row.value.bytes().map_err(wasmtime::Error::from_anyhow)?,
    })
}

fn outcome<T, U>(
    outcome: Outcome<T>,
    given: impl FnOnce(T) -> wasmtime::Result<U>,
) -> wasmtime::Result<Result<U, wit::StorageError>> {
    Ok(match outcome {
        Outcome::Ok(found) => Ok(given(found)?),
        Outcome::Conflict(key) => Err(wit::StorageError::Conflict(key)),
        Outcome::Unavailable(why) => Err(wit::StorageError::Unavailable(why)),
    })
}

impl wit::Host for View<'_> {
    async fn get(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<wit::Entry>>, wit::StorageError>> {
        let found = Outcome::Ok(Vec::new());
        match self.player.asked(&Step::Get { keys, found })? {
            Step::Get { found, .. } => outcome(found, |found| {
                let found = found.into_iter();
                found.map(|row| row.map(entry).transpose()).collect()
            }),
            _ => broken(),
        }
    }

    async fn scan(
        &mut self,
        range: wit::KeyRange,
        direction: wit::Direction,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Entry>, wit::StorageError>> {
        let asked = steps::scan(range, direction, limit, Outcome::Ok(Vec::new()));
        match self.player.asked(&asked)? {
            Step::Scan { found, .. } => {
                outcome(found, |found| found.into_iter().map(entry).collect())
            }
            _ => broken(),
        }
    }

    async fn commit(
        &mut self,
        checks: Vec<wit::Check>,
        writes: Vec<wit::Write>,
    ) -> wasmtime::Result<Result<(), wit::StorageError>> {
        let (checks, writes) = steps::commit(&checks, &writes);
        let done = Outcome::Ok(());
        let asked = Step::Commit {
            checks,
            writes,
            done,
        };
        match self.player.asked(&asked)? {
            Step::Commit { done, .. } => outcome(done, Ok),
            _ => broken(),
        }
    }
}
