//! Typed records over the storage port: reading with revisions, and building one atomic commit. Knows no record's meaning.
//!
//! Every value is JSON `{"v": version, "d": data}`. A version that this code does not know is an error that names the key: an
//! older component must not overwrite what a newer one wrote.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    planted::Planted,
    ports::{Check, Entry, Ports, StorageFailure, Write},
    reason::Text,
};

/// The version of every record that this component writes.
pub const SCHEMA_VERSION: u32 = 1;

/// What every record begins with as this component writes it.
const HEAD: &[u8] = br#"{"v":1,"d":"#;
/// And ends with.
const TAIL: &[u8] = b"}";

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// A record in any other spelling of the same.
#[derive(Deserialize)]
struct Content {
    v: u32,
    d: Value,
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// Its key.
    pub key: String,
    /// Its revision.
    pub revision: u64,
    /// Its content.
    pub value: T,
}

fn unreadable(key: &str, why: &str) -> Error {
    Error::Storage(
        key.to_owned(),
        Text::new(
            format!("保存データ「{key}」を読めません({why})。新しい版で書かれた可能性があります。"),
            format!(
                "The record {key} cannot be read ({why}). A newer version may have written it."
            ),
        ),
    )
}

/// Only the data's own type is read for each type: what is around it, read for each anew, would be a part of the component's size.
fn decode<T: DeserializeOwned>(entry: Entry) -> Result<Stored<T>> {
    let of = |data: &[u8]| serde_json::from_slice::<T>(data).ok();
    let read = as_written(&entry.value).and_then(of);
    match read.or_else(|| of(&respelled(&entry.value)?)) {
        Some(value) => Ok(Stored {
            key: entry.key,
            revision: entry.revision,
            value,
        }),
        None => Err(not_ours(&entry)),
    }
}

/// The data of a record as this component writes it.
fn as_written(record: &[u8]) -> Option<&[u8]> {
    record.strip_prefix(HEAD)?.strip_suffix(TAIL)
}

/// The data of one that says the same in another spelling.
fn respelled(record: &[u8]) -> Option<Vec<u8>> {
    let Content { v, d } = serde_json::from_slice(record).ok()?;
    (v == SCHEMA_VERSION).then(|| serde_json::to_vec(&d).ok())?
}

/// What is wrong with a record. serde's message could quote content, so it is not passed on.
fn not_ours(entry: &Entry) -> Error {
    let version = serde_json::from_slice::<Version>(&entry.value);
    match version {
        Err(_) => unreadable(&entry.key, "no version"),
        Ok(Version { v }) if v != SCHEMA_VERSION => unreadable(&entry.key, &format!("version {v}")),
        Ok(_) => unreadable(&entry.key, "unexpected content"),
    }
}

/// Reads one record; `None` when absent.
pub fn read<T: DeserializeOwned>(ports: &Ports<'_>, key: &str) -> Result<Option<Stored<T>>> {
    Ok(read_all(ports, &[key.to_owned()])?.pop().flatten())
}

/// Reads several records, in the order asked, as many at a time as storage takes.
pub fn read_all<T: DeserializeOwned>(
    ports: &Ports<'_>,
    keys: &[String],
) -> Result<Vec<Option<Stored<T>>>> {
    let mut records = Vec::with_capacity(keys.len());
    for keys in keys.chunks(1_000) {
        for entry in ports.storage.get(keys)? {
            records.push(entry.map(decode).transpose()?);
        }
    }
    Ok(records)
}

/// A record that may be absent.
pub type Found<T> = Option<Stored<T>>;

/// Reads two records of different kinds with one look into storage.
pub fn read_two<A: DeserializeOwned, B: DeserializeOwned>(
    ports: &Ports<'_>,
    first: &str,
    second: &str,
) -> Result<(Found<A>, Found<B>)> {
    let found = ports.storage.get(&[first.to_owned(), second.to_owned()])?;
    let mut found = found.into_iter();
    let first = found.next().flatten().map(decode).transpose()?;
    let second = found.next().flatten().map(decode).transpose()?;
    Ok((first, second))
}

/// The range of all keys that begin with `prefix`, which must end in an ASCII character below `~`.
pub fn range(prefix: &str) -> (String, String) {
    // U+10FFFF is above every character a key of ours can hold.
    (prefix.to_owned(), format!("{prefix}\u{10FFFF}"))
}

/// Reads at most `limit` records under a prefix, in key order.
pub fn list<T: DeserializeOwned>(
    ports: &Ports<'_>,
    prefix: &str,
    limit: u32,
) -> Result<Vec<Stored<T>>> {
    let (start, end) = range(prefix);
    between(ports, &start, &end, false, limit)
}

/// Reads at most `limit` records of a range.
pub fn between<T: DeserializeOwned>(
    ports: &Ports<'_>,
    start: &str,
    end: &str,
    backward: bool,
    limit: u32,
) -> Result<Vec<Stored<T>>> {
    ports
        .storage
        .scan(start, end, backward, limit)?
        .into_iter()
        .map(decode)
        .collect()
}

/// The same; of those whose keys cannot be meant the values are not read. Tells how many there were, and the lowest key among them.
pub fn between_meant<T: DeserializeOwned>(
    ports: &Ports<'_>,
    (start, end): (&str, &str),
    limit: u32,
    is_meant: impl Fn(&str) -> bool,
) -> Result<(Vec<Stored<T>>, usize, Option<String>)> {
    let entries = ports.storage.scan(start, end, true, limit)?;
    let (number, lowest) = (entries.len(), entries.last().map(|entry| entry.key.clone()));
    let meant = entries.into_iter().filter(|entry| is_meant(&entry.key));
    Ok((meant.map(decode).collect::<Result<_>>()?, number, lowest))
}

/// Reads every record under a prefix, page by page.
pub fn list_all<T: DeserializeOwned>(ports: &Ports<'_>, prefix: &str) -> Result<Vec<Stored<T>>> {
    const PAGE: u32 = 1_000;
    let (mut start, end) = range(prefix);
    let mut records: Vec<Stored<T>> = Vec::new();
    loop {
        let page = between::<T>(ports, &start, &end, false, PAGE)?;
        let full = page.len() >= PAGE as usize;
        if let Some(last) = page.last() {
            start = format!("{}\u{1}", last.key);
        }
        records.extend(page);
        if !full {
            return Ok(records);
        }
    }
}

/// One atomic commit being put together.
#[derive(Debug, Default)]
pub struct Commit {
    checks: Vec<Check>,
    writes: Vec<Write>,
}

impl Commit {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The record must still be as it was read; absent if `seen` is `None`.
    pub fn check<T>(self, key: &str, seen: Option<&Stored<T>>) -> Self {
        self.check_revision(key, seen.map(|record| record.revision))
    }

    /// The same, by revision.
    pub fn check_revision(mut self, key: &str, revision: Option<u64>) -> Self {
        self.checks.push(Check {
            key: key.to_owned(),
            revision,
        });
        self
    }

    /// Adds a check made elsewhere, such as a lease's fence.
    pub fn fence(mut self, check: Check) -> Self {
        if Planted::LeaseNotChecked.is_on() {
            return self;
        }
        self.checks.push(check);
        self
    }

    /// Writes a record.
    pub fn put<T: Serialize>(mut self, key: &str, value: &T) -> Result<Self> {
        let mut bytes = HEAD.to_vec();
        serde_json::to_writer(&mut bytes, value)
            .map_err(|_| unreadable(key, "cannot be written"))?;
        bytes.extend_from_slice(TAIL);
        self.writes.retain(|write| write.key != key);
        self.writes.push(Write {
            key: key.to_owned(),
            value: Some(bytes),
        });
        Ok(self)
    }

    /// Deletes a record.
    pub fn delete(mut self, key: &str) -> Self {
        self.writes.retain(|write| write.key != key);
        self.writes.push(Write {
            key: key.to_owned(),
            value: None,
        });
        self
    }

    /// Takes over another commit's checks and writes.
    pub fn join(mut self, other: Self) -> Self {
        self.checks.extend(other.checks);
        for write in other.writes {
            self.writes.retain(|mine| mine.key != write.key);
            self.writes.push(write);
        }
        self
    }

    /// How many checks and writes it holds; storage takes 2 000.
    pub fn len(&self) -> usize {
        self.checks.len().saturating_add(self.writes.len())
    }

    /// Whether it would do nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// All or nothing. A conflict is an [`Error::Contended`] naming the key.
    pub fn apply(self, ports: &Ports<'_>) -> Result<()> {
        Ok(ports.storage.commit(&self.checks, &self.writes)?)
    }

    /// The same; `false` when a check failed, so that the caller reads anew.
    pub fn try_apply(self, ports: &Ports<'_>) -> Result<bool> {
        match ports.storage.commit(&self.checks, &self.writes) {
            Ok(()) => Ok(true),
            Err(StorageFailure::Conflict(_)) => Ok(Planted::ConflictIgnored.is_on()),
            Err(failure) => Err(failure.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::Script;

    #[test]
    fn a_commit_holds_what_is_checked_and_written_and_the_last_word_on_a_key() {
        let script = Script::new();
        let ports = script.ports();
        let one = Commit::new().put("a", &1).unwrap().put("b", &1).unwrap();
        let other = Commit::new().put("b", &2).unwrap().put("c", &2).unwrap();
        let other = other.check_revision("d", None).delete("e");
        assert_eq!((one.len(), other.len()), (2, 4));
        let both = one.join(other);
        assert_eq!(both.len(), 5);
        both.apply(&ports).unwrap();
        let keys = ["a", "b", "c"].map(str::to_owned);
        let stored = read_all::<i64>(&ports, &keys).unwrap();
        let values: Vec<_> = stored
            .into_iter()
            .flatten()
            .map(|stored| stored.value)
            .collect();
        assert_eq!(values, [1, 2, 2]);
        let held = Commit::new().join(Commit::new().check_revision("a", None));
        assert!(held.is_empty());
        assert!(!held.try_apply(&ports).unwrap(), "its check counts");
        assert!(!Commit::new().delete("a").is_empty());
    }

    #[test]
    fn a_record_of_another_version_is_an_error_that_names_it() {
        let script = Script::new();
        let ports = script.ports();
        Commit::new().put("a", &1).unwrap().apply(&ports).unwrap();
        let mut newer = script.storage.entries.borrow()["a"].clone();
        newer.value = br#"{"v":2,"d":1}"#.to_vec();
        script
            .storage
            .entries
            .borrow_mut()
            .insert("a".to_owned(), newer);
        let told = |value: &[u8]| {
            script
                .storage
                .entries
                .borrow_mut()
                .get_mut("a")
                .unwrap()
                .value = value.to_vec();
            match read::<i64>(&ports, "a") {
                Err(Error::Storage(key, text)) if key == "a" => text.en,
                other => panic!("{other:?}"),
            }
        };
        for (value, why) in [
            (&br#"{"v":2,"d":1}"#[..], "(version 2)"),
            (br#"{"v":2,"d":"x"}"#, "(version 2)"),
            (br#"{"v":1,"d":"secret"}"#, "(unexpected content)"),
            (br#"{"d":1}"#, "(no version)"),
            (b"?", "(no version)"),
        ] {
            let text = told(value);
            assert!(text.contains(why) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_record_is_read_in_whatever_spelling_it_is() {
        assert_eq!(HEAD, format!(r#"{{"v":{SCHEMA_VERSION},"d":"#).as_bytes());
        for spelling in [
            &br#"{"v":1,"d":[7]}"#[..],
            br#"{ "d": [7], "v": 1 }"#,
            br#"{"v":1,"d":[7],"by":"another"}"#,
        ] {
            let entry = Entry {
                key: "a".to_owned(),
                revision: 1,
                value: spelling.to_vec(),
            };
            assert_eq!(decode::<Vec<u32>>(entry).unwrap().value, [7]);
        }
    }
}
