//! One process: order, ranges, revisions, sizes, and the same after any number of new bases.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Failure;

#[test]
fn a_commit_is_all_or_nothing_and_names_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store
        .commit(&[check("x", None)], vec![put("x", "1")])
        .unwrap();
    let seen = one(&mut store, "x").unwrap().revision;
    let stale = [check("x", Some(seen)), check("y", Some(9))];
    let both = vec![put("x", "2"), put("y", "2")];
    let refused = store.commit(&stale, both.clone());
    assert_eq!(refused, Err(Failure::Conflict("y".to_owned())));
    assert_eq!(
        (text(&mut store, "x"), text(&mut store, "y")),
        (Some("1".to_owned()), None)
    );
    store
        .commit(&[check("x", Some(seen)), check("y", None)], both)
        .unwrap();
    let gone = store.commit(&[check("x", None)], vec![]);
    assert_eq!(gone, Err(Failure::Conflict("x".to_owned())));
}

#[test]
fn a_revision_grows_and_never_comes_again_not_after_a_delete_and_a_new_base() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut seen = Vec::new();
    for turn in 0..6 {
        set(&mut store, "x", "same");
        seen.push(one(&mut store, "x").unwrap().revision);
        store.commit(&[], vec![delete("x")]).unwrap();
        assert_eq!(one(&mut store, "x"), None);
        if turn % 2 == 1 {
            store.compact().unwrap();
            store = open(folder.path());
        }
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
}

#[test]
fn ten_thousand_keys_are_scanned_from_both_ends_to_any_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let keys: Vec<String> = (0..10_000).map(|at| format!("k/{at:05}")).collect();
    for some in keys.chunks(2_000) {
        store
            .commit(&[], some.iter().map(|key| put(key, key)).collect())
            .unwrap();
    }
    for _ in 0..2 {
        let mut scan = |start: &str, end: &str, backward, limit| -> Vec<String> {
            let found = store.scan(start, end, backward, limit).unwrap();
            found.into_iter().map(|entry| entry.key).collect()
        };
        assert_eq!(scan("", END, false, u32::MAX), keys);
        assert_eq!(scan("k/00500", "k/00900", false, 7), keys[500..507]);
        let mut last = scan("k/00500", "k/00900", true, 7);
        last.reverse();
        assert_eq!(last, keys[893..900]);
        assert_eq!(scan("k/00500", "k/00900", true, 1_000).len(), 400);
        let nothing: [String; 0] = [];
        assert_eq!(scan("k/00900", "k/00500", false, 9), nothing);
        assert_eq!(scan("k/00500", "k/00500", true, 9), nothing);
        assert_eq!(scan("", END, false, 0), nothing);
        let found = store.get(&keys).unwrap().into_iter();
        let found: Vec<String> = found.map(|entry| entry.unwrap().key).collect();
        assert_eq!(found, keys);
        store.compact().unwrap();
    }
}

#[test]
fn a_mebibyte_is_kept_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let large: Vec<u8> = (0..1 << 20)
        .map(|at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    let writes = ["a", "b", "c"].map(|key| Write {
        key: key.to_owned(),
        value: Some(large.clone()),
    });
    store.commit(&[], writes.to_vec()).unwrap();
    assert!(one(&mut store, "b").unwrap().value == large);
    store.compact().unwrap();
    let mut again = open(folder.path());
    assert!(
        again
            .scan("", END, true, 9)
            .unwrap()
            .iter()
            .all(|entry| entry.value == large)
    );
}

#[test]
fn what_a_new_instance_has_to_read_does_not_grow_with_the_commits() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    fill(&mut store, 500);
    assert!(names(folder.path(), "commits").len() <= 128);
    assert_eq!(names(folder.path(), "bases").len(), 2);
    assert_eq!(names(folder.path(), "aside"), [""; 0]);
    assert_eq!(text(&mut open(folder.path()), "filler").unwrap(), "499");
}

#[test]
fn damage_is_told_and_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    set(&mut store, "secret", "value");
    damage(&folder.path().join("commits"), 1);
    told(folder.path(), "commit 1");
    store.compact().unwrap();
    damage(&folder.path().join("bases"), 20);
    told(folder.path(), "base 1");
}

/// Changes a byte of the newest file, so far from its end.
fn damage(part: &Path, from_end: usize) {
    let file = part.join(names(part, "").last().unwrap());
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.len() - from_end;
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
}

fn told(folder: &Path, what: &str) {
    let read = Store::open(folder).and_then(|mut store| store.get(&["secret".to_owned()]));
    let Err(Failure::Unavailable(told)) = read else {
        panic!("damage was read");
    };
    assert!(told.contains(what) && !told.contains("value"), "{told}");
}

/// What one step does: which of two instances, keys to write or delete, and whether a new base is made.
fn step() -> impl Strategy<Value = (bool, Vec<(u8, Option<u16>)>, bool)> {
    let write = (0..40_u8, proptest::option::of(0..2_000_u16));
    let writes = proptest::collection::vec(write, 0..6);
    (any::<bool>(), writes, proptest::bool::weighted(0.2))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_instances_are_one_map(steps in proptest::collection::vec(step(), 1..30), from in 0..40_u8, to in 0..40_u8, limit in 0..20_u32) {
        let folder = tempfile::tempdir().unwrap();
        let mut stores = [open(folder.path()), open(folder.path())];
        let mut model = BTreeMap::new();
        for (which, writes, base) in steps {
            let store = &mut stores[usize::from(which)];
            let writes: BTreeMap<u8, Option<u16>> = writes.into_iter().collect();
            let name = |key: &u8| format!("k{key:02}");
            store.commit(&[], writes.iter().map(|(key, value)| Write {
                key: name(key),
                // Some as large as a block.
                value: value.map(|value| vec![*key; usize::from(value) * 10]),
            }).collect()).unwrap();
            for (key, value) in writes {
                match value {
                    Some(value) => model.insert(name(&key), vec![key; usize::from(value) * 10]),
                    None => model.remove(&name(&key)),
                };
            }
            if base {
                store.compact().unwrap();
            }
        }
        let (start, end) = (format!("k{from:02}"), format!("k{:02}", to.max(from)));
        for store in &mut stores {
            for backward in [false, true] {
                let found = store.scan(&start, &end, backward, limit).unwrap();
                let found: Vec<_> = found.into_iter().map(|entry| (entry.key, entry.value)).collect();
                let mut meant: Vec<_> = model.range(start.clone()..end.clone()).map(|(key, value)| (key.clone(), value.clone())).collect();
                if backward {
                    meant.reverse();
                }
                meant.truncate(limit as usize);
                prop_assert_eq!(found, meant);
            }
        }
    }
}
