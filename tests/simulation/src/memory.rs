//! Storage in memory, to the letter of `wit/storage.wit`: what a caller does against it is told, not mended. Knows no fault.

use std::collections::{BTreeMap, BTreeSet};

use tsunagi_guest::ports::{Check, Entry, StorageFailure, Write};

const LONGEST_KEY: usize = 250;
const LONGEST_VALUE: usize = 1 << 20;
const LARGEST_COMMIT: usize = 2_000;

/// One tenant's ordered map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    entries: BTreeMap<String, Entry>,
    /// The last revision of each deleted key, so that none comes back. Each key counts for itself: what is written in another
    /// order is the same in the end.
    gone: BTreeMap<String, u64>,
    /// Checks of these keys are not made.
    unchecked: Option<Box<str>>,
}

impl Memory {
    /// One item for each key, in the order asked.
    pub fn get(&self, keys: &[String]) -> Vec<Option<Entry>> {
        keys.iter()
            .map(|key| self.entries.get(key).cloned())
            .collect()
    }

    /// A range; empty when `end` is not above `start`.
    pub fn scan(&self, start: &str, end: &str, backward: bool, limit: u32) -> Vec<Entry> {
        if end <= start {
            return Vec::new();
        }
        let range = self
            .entries
            .range::<str, _>((
                std::ops::Bound::Included(start),
                std::ops::Bound::Excluded(end),
            ))
            .map(|(_, entry)| entry);
        let limit = limit as usize;
        if backward {
            range.rev().take(limit).cloned().collect()
        } else {
            range.take(limit).cloned().collect()
        }
    }

    /// Lets every check of keys with this beginning hold, to see who notices: a storage that breaks its contract.
    pub fn leave_unchecked(&mut self, beginning: &str) {
        self.unchecked = Some(beginning.into());
    }

    /// All or nothing.
    ///
    /// # Errors
    /// The first key that is not as its check says.
    pub fn commit(&mut self, checks: &[Check], writes: &[Write]) -> Result<(), StorageFailure> {
        let unchecked = self.unchecked.as_deref();
        let fails = |check: &&Check| {
            !unchecked.is_some_and(|beginning| check.key.starts_with(beginning))
                && self.entries.get(&check.key).map(|entry| entry.revision) != check.revision
        };
        if let Some(failed) = checks.iter().find(fails) {
            return Err(StorageFailure::Conflict(failed.key.clone()));
        }
        for write in writes {
            self.write(write);
        }
        Ok(())
    }

    fn write(&mut self, write: &Write) {
        let Some(value) = &write.value else {
            if let Some(entry) = self.entries.remove(&write.key) {
                self.gone.insert(entry.key, entry.revision);
            }
            return;
        };
        let standing = self.entries.get(&write.key).map(|entry| entry.revision);
        let last = standing.or_else(|| self.gone.remove(&write.key));
        let entry = Entry {
            key: write.key.clone(),
            revision: last.unwrap_or_default() + 1,
            value: value.clone(),
        };
        self.entries.insert(write.key.clone(), entry);
    }

    /// Every entry in order, for comparing two runs.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

/// What a commit asks beyond the contract.
pub fn breaches(checks: &[Check], writes: &[Write]) -> Vec<String> {
    let mut found = Vec::new();
    if checks.len() + writes.len() > LARGEST_COMMIT {
        found.push(format!(
            "a commit of {} checks and {} writes",
            checks.len(),
            writes.len()
        ));
    }
    let mut seen = BTreeSet::new();
    for write in writes {
        let size = write.value.as_ref().map_or(0, Vec::len);
        if size > LONGEST_VALUE {
            found.push(format!("{} bytes under {}", size, write.key));
        }
        if !seen.insert(&write.key) {
            found.push(format!("{} written twice in one commit", write.key));
        }
    }
    let keys = checks
        .iter()
        .map(|check| &check.key)
        .chain(writes.iter().map(|write| &write.key));
    found.extend(
        keys.filter(|key| key.is_empty() || key.len() > LONGEST_KEY)
            .map(|key| format!("a key of {} bytes", key.len())),
    );
    found
}
