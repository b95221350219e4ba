//! A store in memory with one flaw, each of a kind that people really make.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use crate::ports::{Condition, Entry, Failure, Storage, Write};

/// Declares the flaws, each with the check that is meant to catch it.
macro_rules! flaws {
    ($($(#[$note:meta])* $flaw:ident => $check:literal,)+) => {
        /// What is wrong with a store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Flaw { $($(#[$note])* $flaw,)+ }

        impl Flaw {
            pub const ALL: &'static [Self] = &[$(Self::$flaw),+];

            /// The check that is meant for it.
            pub fn meant(self) -> &'static str {
                match self { $(Self::$flaw => $check,)+ }
            }
        }
    };
}

flaws! {
    /// All tenants in one map.
    Shared => "empty",
    /// `WHERE key IN (…)`, in the order of the store.
    GetSorted => "get-order",
    /// Absent keys are left out.
    GetShort => "get-order",
    /// A collation that ignores case.
    CaseIgnored => "order",
    /// The order of JavaScript's strings.
    Utf16 => "order",
    /// The first of the range, then reversed.
    BackwardFromStart => "limit",
    /// Direction is not looked at.
    AlwaysForward => "backward",
    /// `BETWEEN`.
    EndIncluded => "range",
    /// A range that cannot be is refused.
    EmptyRangeFails => "empty-range",
    /// No limit is all there is.
    ZeroIsAll => "limit-zero",
    /// Keys go through `LIKE`.
    Patterns => "plain-keys",
    /// The first write of a key stays.
    KeepsFirst => "read-back",
    /// Counted for each key, and forgotten with it.
    RevisionPerKey => "revisions-grow",
    /// A write of what is there already is none.
    SameValueSkipped => "revisions-grow",
    /// The greatest revision plus one, which a delete gives back.
    RevisionOfNewest => "revisions-grow",
    /// A key that is there may only be written with a check.
    InsertOnly => "unconditional",
    /// Deleting what is not there is an error.
    DeleteAbsentFails => "delete-absent",
    /// Checks are not looked at.
    ChecksIgnored => "revision-checked",
    /// A check of absence holds always.
    AbsenceHolds => "revision-checked",
    /// Any newer revision will do.
    AtLeast => "revision-checked",
    /// Writes before the check that fails stay.
    HalfWritten => "all-or-nothing",
    /// The last key of the checks is named.
    NamesLast => "first-conflict",
    /// Checks see the commit's own writes.
    WritesFirst => "checks-before-writes",
    /// A commit without writes is not looked at.
    NoWritesNoChecks => "only-checks",
    /// Values are text.
    Text => "any-bytes",
    /// An empty value is none.
    EmptyIsAbsent => "any-bytes",
    /// Values above 64 KiB are cut.
    ShortValues => "large-value",
    /// A commit is split after 500 operations.
    Batched => "large-commit",
    /// A scan gives a page of 10 000 at most.
    Paged => "exhausted",
    /// A scan gives 8 MiB at most.
    PagedByBytes => "exhausted-large",
}

type Map = BTreeMap<String, (u64, Vec<u8>)>;

/// The store.
pub struct Store {
    flaw: Option<Flaw>,
    map: RefCell<Map>,
    revision: Cell<u64>,
}

impl Store {
    pub fn new(flaw: Option<Flaw>) -> Self {
        let store = Self {
            flaw,
            map: RefCell::default(),
            revision: Cell::new(0),
        };
        if store.has(Flaw::Shared) {
            let other = ("other-shop/settings".to_owned(), (1, vec![b'x']));
            store.map.borrow_mut().extend([other]);
        }
        store
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn entry(&self, key: &str) -> Option<Entry> {
        let map = self.map.borrow();
        let (revision, value) = map.get(key)?;
        Some(Entry {
            key: key.to_owned(),
            revision: *revision,
            value: value.clone(),
        })
    }

    /// Whether a check fails.
    fn fails(&self, (key, revision): &Condition) -> bool {
        let seen = self.entry(key).map(|entry| entry.revision);
        match (seen, revision) {
            _ if self.has(Flaw::ChecksIgnored) => false,
            (_, None) if self.has(Flaw::AbsenceHolds) => false,
            (Some(seen), Some(revision)) if self.has(Flaw::AtLeast) => seen < *revision,
            _ => seen != *revision,
        }
    }

    fn next_revision(&self, key: &str) -> u64 {
        let map = self.map.borrow();
        if self.has(Flaw::RevisionPerKey) {
            return map.get(key).map_or(1, |(revision, _)| revision + 1);
        }
        if self.has(Flaw::RevisionOfNewest) {
            return map
                .values()
                .map(|(revision, _)| revision + 1)
                .max()
                .unwrap_or(1);
        }
        self.revision.set(self.revision.get() + 1);
        self.revision.get()
    }

    fn write(&self, (key, value): &Write) -> Result<(), Failure> {
        let old = self.entry(key);
        let unavailable = || Err(Failure::Unavailable("no".to_owned()));
        let Some(value) = value
            .clone()
            .filter(|value| !(self.has(Flaw::EmptyIsAbsent) && value.is_empty()))
        else {
            if old.is_none() && self.has(Flaw::DeleteAbsentFails) {
                return unavailable();
            }
            self.map.borrow_mut().remove(key);
            return Ok(());
        };
        if let Some(old) = &old {
            if self.has(Flaw::InsertOnly) {
                return unavailable();
            }
            if self.has(Flaw::KeepsFirst) || self.has(Flaw::SameValueSkipped) && old.value == value
            {
                return Ok(());
            }
        }
        let mut value = value;
        if self.has(Flaw::Text) {
            value = String::from_utf8_lossy(&value).into_owned().into_bytes();
        }
        if self.has(Flaw::ShortValues) {
            value.truncate(64 << 10);
        }
        let revision = self.next_revision(key);
        self.map.borrow_mut().insert(key.clone(), (revision, value));
        Ok(())
    }
}

impl Storage for Store {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Failure> {
        let mut keys = keys.to_vec();
        if self.has(Flaw::GetSorted) {
            keys.sort();
        }
        let mut found: Vec<_> = keys.iter().map(|key| self.entry(key)).collect();
        if self.has(Flaw::GetShort) {
            found.retain(Option::is_some);
        }
        if self.has(Flaw::Patterns) && keys.iter().any(|key| key.ends_with('%')) {
            found.iter_mut().for_each(|entry| *entry = None);
        }
        Ok(found)
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, Failure> {
        if start >= end && self.has(Flaw::EmptyRangeFails) {
            return Err(Failure::Unavailable("an empty range".to_owned()));
        }
        let included =
            |key: &str| key >= start && (key < end || key == end && self.has(Flaw::EndIncluded));
        let keys: Vec<String> = self
            .map
            .borrow()
            .keys()
            .filter(|key| included(key))
            .cloned()
            .collect();
        let mut found: Vec<Entry> = keys.iter().filter_map(|key| self.entry(key)).collect();
        if self.has(Flaw::CaseIgnored) {
            found.sort_by_key(|entry| entry.key.to_lowercase());
        }
        if self.has(Flaw::Utf16) {
            found.sort_by_key(|entry| entry.key.encode_utf16().collect::<Vec<_>>());
        }
        let mut limit = limit as usize;
        if limit == 0 && self.has(Flaw::ZeroIsAll) {
            limit = usize::MAX;
        }
        if self.has(Flaw::Paged) {
            limit = limit.min(10_000);
        }
        if self.has(Flaw::PagedByBytes) {
            limit = limit.min(if found.iter().any(|entry| entry.value.len() >= 1 << 20) {
                8
            } else {
                limit
            });
        }
        if self.has(Flaw::BackwardFromStart) {
            found.truncate(limit);
        }
        if backward && !self.has(Flaw::AlwaysForward) {
            found.reverse();
        }
        found.truncate(limit);
        Ok(found)
    }

    fn commit(&self, checks: &[Condition], writes: &[Write]) -> Result<(), Failure> {
        if self.has(Flaw::WritesFirst) || self.has(Flaw::HalfWritten) {
            writes.iter().try_for_each(|write| self.write(write))?;
        }
        if writes.is_empty() && self.has(Flaw::NoWritesNoChecks) {
            return Ok(());
        }
        if self.has(Flaw::Batched) && writes.len() > 500 {
            let (first, rest) = writes.split_at(500);
            first.iter().try_for_each(|write| self.write(write))?;
            return self.commit(checks, rest);
        }
        let mut failed = checks.iter().filter(|check| self.fails(check));
        let named = if self.has(Flaw::NamesLast) {
            failed.next_back()
        } else {
            failed.next()
        };
        match named {
            Some((key, _)) => Err(Failure::Conflict(key.clone())),
            None if self.has(Flaw::WritesFirst) || self.has(Flaw::HalfWritten) => Ok(()),
            None => writes.iter().try_for_each(|write| self.write(write)),
        }
    }
}

/// A store beside which somebody takes a turn between a read and the first commit after it.
pub struct Between<'a> {
    store: &'a Store,
    due: Cell<bool>,
    taken: Cell<u32>,
}

impl<'a> Between<'a> {
    pub fn new(store: &'a Store) -> Self {
        Self {
            store,
            due: Cell::new(false),
            taken: Cell::new(0),
        }
    }

    /// The turns of the other.
    pub fn taken(&self) -> u32 {
        self.taken.get()
    }
}

impl Storage for Between<'_> {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Failure> {
        // Every other read, so that the one beside gets ahead, too.
        self.due.set(!self.due.get());
        self.store.get(keys)
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, Failure> {
        self.store.scan(start, end, backward, limit)
    }

    fn commit(&self, checks: &[Condition], writes: &[Write]) -> Result<(), Failure> {
        if self.due.get() {
            crate::contention::contend(self.store, 1)
                .map_err(|why| Failure::Unavailable(why.to_string()))?;
            self.taken.set(self.taken.get() + 1);
        }
        self.store.commit(checks, writes)
    }
}
