//! What is stored: entries, and what a commit checks and writes, as `wit/storage.wit` has it.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

use serde::{Deserialize, Serialize};

/// A value with the number of the commit that wrote it. Numbers are never used twice, so neither are revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// At most 250 bytes.
    pub key: String,
    /// Of its last write.
    pub revision: u64,
    /// At most 1 MiB.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
}

/// What must still be so when a commit takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which key.
    pub key: String,
    /// The revision seen; `None`: the key must not exist.
    pub revision: Option<u64>,
}

/// A write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Which key.
    pub key: String,
    /// The new value; `None` deletes.
    #[serde(with = "serde_bytes")]
    pub value: Option<Vec<u8>>,
}

/// What commits after the base did to a key.
#[derive(Debug, Clone)]
pub struct Change {
    /// The commit's number.
    pub revision: u64,
    /// `None`: deleted.
    pub value: Option<Vec<u8>>,
}

/// The changes since the base, by key.
#[derive(Debug, Default)]
pub struct Changes {
    keys: BTreeMap<String, Change>,
    bytes: u64,
}

impl Changes {
    /// Applies one commit.
    pub fn apply(&mut self, revision: u64, writes: Vec<Write>) {
        for Write { key, value } in writes {
            self.bytes += (key.len() + value.as_ref().map_or(0, Vec::len)) as u64;
            self.keys.insert(key, Change { revision, value });
        }
    }

    /// What became of a key, if anything.
    pub fn get(&self, key: &str) -> Option<&Change> {
        self.keys.get(key)
    }

    /// Changed keys from `start` to below `end`, in their order.
    pub fn range(
        &self,
        start: &str,
        end: Option<&str>,
    ) -> impl DoubleEndedIterator<Item = (&String, &Change)> {
        // A range that ends before it starts is empty, and no panic.
        let end = end.map_or(Unbounded, |end| Excluded(end.max(start)));
        self.keys.range::<str, _>((Included(start), end))
    }

    /// What was written, all together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
