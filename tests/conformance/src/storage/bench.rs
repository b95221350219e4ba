//! What the storage checks share: keys of one check, plain reads and writes, and errors in words. Decides nothing.

use anyhow::{Result, anyhow, bail};

use crate::ports::{Condition, Entry, Failure, Storage, Write};

/// A storage with the keys of one check.
pub struct Bench<'a> {
    /// The storage.
    pub storage: &'a dyn Storage,
    /// The check's name.
    pub name: &'static str,
}

/// A value in its text.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

fn told(failure: Failure) -> anyhow::Error {
    match failure {
        Failure::Conflict(key) => anyhow!("a conflict on {key:?}"),
        Failure::Unavailable(why) => anyhow!("unavailable: {why}"),
    }
}

impl Bench<'_> {
    /// One of this check's keys.
    pub fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }

    /// Writes values without a condition.
    pub fn put(&self, values: &[(&str, &str)]) -> Result<()> {
        let writes: Vec<Write> = values
            .iter()
            .map(|(name, value)| (self.key(name), bytes(value)))
            .collect();
        self.storage.commit(&[], &writes).map_err(told)
    }

    /// A commit that must succeed.
    pub fn commit(&self, checks: &[Condition], writes: &[Write]) -> Result<()> {
        self.storage.commit(checks, writes).map_err(told)
    }

    /// A commit that must fail on this key.
    pub fn conflict(&self, checks: &[Condition], writes: &[Write], on: &str) -> Result<()> {
        match self.storage.commit(checks, writes) {
            Err(Failure::Conflict(key)) if key == on => Ok(()),
            Err(Failure::Conflict(key)) => bail!("the conflict names {key:?}, not {on:?}"),
            Err(failure) => Err(told(failure)),
            Ok(()) => bail!("the commit succeeded although {on:?} was not as its check said"),
        }
    }

    /// Some keys.
    pub fn get(&self, names: &[&str]) -> Result<Vec<Option<Entry>>> {
        let keys: Vec<String> = names.iter().map(|name| self.key(name)).collect();
        let found = self.storage.get(&keys).map_err(told)?;
        anyhow::ensure!(
            found.len() == keys.len(),
            "{} items for {} keys",
            found.len(),
            keys.len()
        );
        Ok(found)
    }

    /// One key.
    pub fn one(&self, name: &str) -> Result<Option<Entry>> {
        Ok(self.get(&[name])?.pop().flatten())
    }

    /// One key that must be there.
    pub fn there(&self, name: &str) -> Result<Entry> {
        self.one(name)?
            .ok_or_else(|| anyhow!("{:?} is not there", self.key(name)))
    }

    /// The texts of some keys; absent ones are `None`.
    pub fn texts(&self, names: &[&str]) -> Result<Vec<Option<String>>> {
        let found = self.get(names)?.into_iter();
        Ok(found
            .map(|entry| entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()))
            .collect())
    }

    /// A range of this check's keys; the names without the check's.
    pub fn scan(&self, start: &str, end: &str, backward: bool, limit: u32) -> Result<Vec<String>> {
        let (start, end) = (self.key(start), self.key(end));
        let found = self.storage.scan(&start, &end, backward, limit);
        Ok(self.named(found.map_err(told)?))
    }

    /// The entries' keys without the check's name.
    fn named(&self, entries: Vec<Entry>) -> Vec<String> {
        let before = self.key("");
        let name = |entry: Entry| match entry.key.strip_prefix(&before) {
            Some(name) => name.to_owned(),
            None => entry.key,
        };
        entries.into_iter().map(name).collect()
    }

    /// All of this check's keys, whole.
    pub fn entries(&self, backward: bool, limit: u32) -> Result<Vec<Entry>> {
        self.read(backward, limit).map_err(told)
    }

    fn read(&self, backward: bool, limit: u32) -> Result<Vec<Entry>, Failure> {
        // `0` is the character behind `/`.
        let end = format!("{}0", self.name);
        self.storage.scan(&self.key(""), &end, backward, limit)
    }

    /// The same; `None` when the store says that it cannot.
    pub fn entries_or_refusal(&self, limit: u32) -> Result<Option<Vec<Entry>>> {
        match self.read(false, limit) {
            Err(Failure::Unavailable(_)) => Ok(None),
            found => found.map(Some).map_err(told),
        }
    }

    /// Everything there is, whosever it is.
    pub fn whole(&self) -> Result<Vec<Entry>> {
        self.storage
            .scan("", "\u{10ffff}", false, u32::MAX)
            .map_err(told)
    }

    /// The names of all of this check's keys.
    pub fn names(&self, backward: bool) -> Result<Vec<String>> {
        Ok(self.named(self.entries(backward, u32::MAX)?))
    }
}

/// Whether two things are equal; says both if not.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<()> {
    anyhow::ensure!(
        found == expected,
        "{what}: {found:?}, expected {expected:?}"
    );
    Ok(())
}
