//! The export: the store in the directory that the host gives as `/data`. One for each instance, opened at its first call.

mod bindings;

use std::{cell::RefCell, path::Path};

use crate::{Failure, Store};
use bindings::exports::tsunagi::connector::storage as wit;

/// Where the host puts the shop's directory: `wasmtime serve --dir DATA::/data`.
const DATA: &str = "/data";

struct Adapter;

#[expect(
    unsafe_code,
    reason = "the generated export glue declares the component's symbols"
)]
mod export {
    super::bindings::export!(Adapter with_types_in super::bindings);

    use super::Adapter;
}

thread_local! {
    static STORE: RefCell<Option<Store>> = const { RefCell::new(None) };
}

fn with<T>(work: impl FnOnce(&mut Store) -> Result<T, Failure>) -> Result<T, wit::StorageError> {
    let worked = STORE.with_borrow_mut(|store| {
        let mut opened = match store.take() {
            Some(opened) => opened,
            None => Store::open(Path::new(DATA))?,
        };
        let worked = work(&mut opened);
        *store = Some(opened);
        worked
    });
    worked.map_err(|failure| match failure {
        Failure::Conflict(key) => wit::StorageError::Conflict(key),
        Failure::Unavailable(why) => wit::StorageError::Unavailable(why),
    })
}

impl wit::Guest for Adapter {
    fn get(keys: Vec<String>) -> Result<Vec<Option<wit::Entry>>, wit::StorageError> {
        let found = with(|store| store.get(&keys))?;
        Ok(found.into_iter().map(|found| found.map(entry)).collect())
    }

    fn scan(
        range: wit::KeyRange,
        direction: wit::Direction,
        limit: u32,
    ) -> Result<Vec<wit::Entry>, wit::StorageError> {
        let backward = matches!(direction, wit::Direction::Backward);
        let found = with(|store| store.scan(&range.start, &range.end, backward, limit))?;
        Ok(found.into_iter().map(entry).collect())
    }

    fn commit(checks: Vec<wit::Check>, writes: Vec<wit::Write>) -> Result<(), wit::StorageError> {
        let checks: Vec<_> = checks
            .into_iter()
            .map(|wit::Check { key, revision }| crate::Check { key, revision })
            .collect();
        let writes = writes
            .into_iter()
            .map(|wit::Write { key, value }| crate::Write { key, value })
            .collect();
        with(|store| store.commit(&checks, writes))
    }
}

fn entry(entry: crate::Entry) -> wit::Entry {
    wit::Entry {
        key: entry.key,
        revision: entry.revision,
        value: entry.value,
    }
}
