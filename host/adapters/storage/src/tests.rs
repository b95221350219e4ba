//! The store on a real directory: alone, among others, and after deaths.

mod alone;
mod deaths;
mod others;

use std::path::Path;

use crate::{Check, Entry, Store, Write};

/// Above every key of the tests.
const END: &str = "\u{10ffff}";

fn put(key: &str, value: &str) -> Write {
    Write {
        key: key.to_owned(),
        value: Some(value.as_bytes().to_vec()),
    }
}

fn delete(key: &str) -> Write {
    Write {
        key: key.to_owned(),
        value: None,
    }
}

fn check(key: &str, revision: Option<u64>) -> Check {
    Check {
        key: key.to_owned(),
        revision,
    }
}

fn open(folder: &Path) -> Store {
    Store::open(folder).unwrap()
}

fn one(store: &mut Store, key: &str) -> Option<Entry> {
    store.get(&[key.to_owned()]).unwrap().remove(0)
}

fn text(store: &mut Store, key: &str) -> Option<String> {
    one(store, key).map(|entry| String::from_utf8(entry.value).unwrap())
}

fn set(store: &mut Store, key: &str, value: &str) {
    store.commit(&[], vec![put(key, value)]).unwrap();
}

/// So many commits to a key of their own.
fn fill(store: &mut Store, commits: u32) {
    for turn in 0..commits {
        set(store, "filler", &turn.to_string());
    }
}

fn names(folder: &Path, part: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder.join(part)).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
