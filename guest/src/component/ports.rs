//! The ports over the component's imports: storage, clocks, random; HTTP is next door. Decides nothing.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use futures_util::future::LocalBoxFuture;
use wasip2::clocks::wall_clock;

use super::bindings::tsunagi::connector::storage as wit;
use crate::{
    ports::{Check, Clock, Entry, Ports, Random, Storage, StorageFailure, Write},
    time,
};

/// Everything outside, as the flows take it.
pub struct World;

impl World {
    /// The four ports.
    pub fn ports(&self) -> Ports<'_> {
        Ports {
            http: self,
            storage: self,
            clock: self,
            random: self,
        }
    }
}

impl Clock for World {
    fn now(&self) -> DateTime<FixedOffset> {
        let now = wall_clock::now();
        let seconds = i64::try_from(now.seconds).unwrap_or(i64::MAX);
        time::from_unix(seconds, now.nanoseconds).unwrap_or_default()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            wstd::task::sleep(duration.into()).await;
        })
    }
}

impl Random for World {
    fn next(&self) -> u64 {
        wasip2::random::random::get_random_u64()
    }
}

impl Storage for World {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StorageFailure> {
        let found = wit::get(keys).map_err(failure)?;
        Ok(found.into_iter().map(|found| found.map(entry)).collect())
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, StorageFailure> {
        let range = wit::KeyRange {
            start: start.to_owned(),
            end: end.to_owned(),
        };
        let direction = if backward {
            wit::Direction::Backward
        } else {
            wit::Direction::Forward
        };
        let found = wit::scan(&range, direction, limit).map_err(failure)?;
        Ok(found.into_iter().map(entry).collect())
    }

    fn commit(&self, checks: &[Check], writes: &[Write]) -> Result<(), StorageFailure> {
        let checks = checks.iter().map(|check| wit::Check {
            key: check.key.clone(),
            revision: check.revision,
        });
        let writes = writes.iter().map(|write| wit::Write {
            key: write.key.clone(),
            value: write.value.clone(),
        });
        wit::commit(&checks.collect::<Vec<_>>(), &writes.collect::<Vec<_>>()).map_err(failure)
    }
}

fn entry(entry: wit::Entry) -> Entry {
    Entry {
        key: entry.key,
        revision: entry.revision,
        value: entry.value,
    }
}

fn failure(error: wit::StorageError) -> StorageFailure {
    match error {
        wit::StorageError::Conflict(key) => StorageFailure::Conflict(key),
        wit::StorageError::Unavailable(why) => StorageFailure::Unavailable(why),
    }
}
