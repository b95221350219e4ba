//! Several at once on one directory, the slow ones among them.

use super::*;
use crate::{Failure, files::Folder};

#[test]
fn writers_that_meet_lose_no_count() {
    let folder = tempfile::tempdir().unwrap();
    let turns = 60;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut store = open(folder.path());
                for _ in 0..turns {
                    while !counted(&mut store) {}
                }
            });
        }
    });
    let mut store = open(folder.path());
    assert_eq!(text(&mut store, "count").unwrap(), (4 * turns).to_string());
    assert_eq!(one(&mut store, "count").unwrap().revision, 4 * turns);
}

/// Adds one, unless another was quicker.
fn counted(store: &mut Store) -> bool {
    let seen = one(store, "count");
    let count: u64 = seen.as_ref().map_or(0, |entry| {
        String::from_utf8_lossy(&entry.value).parse().unwrap()
    });
    let checks = [check("count", seen.map(|entry| entry.revision))];
    match store.commit(&checks, vec![put("count", &(count + 1).to_string())]) {
        Ok(()) => true,
        Err(Failure::Conflict(key)) if key == "count" => false,
        Err(failure) => panic!("{failure:?}"),
    }
}

#[test]
fn commits_without_checks_wait_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let folder = folder.path();
            scope.spawn(move || {
                let mut store = open(folder);
                for turn in 0..40 {
                    set(&mut store, &format!("{writer}/{turn:02}"), "");
                }
            });
        }
    });
    assert_eq!(
        open(folder.path()).scan("", END, false, 999).unwrap().len(),
        160
    );
}

#[test]
fn a_reader_goes_on_while_others_make_bases_and_remove_commits() {
    let folder = tempfile::tempdir().unwrap();
    let (mut reader, mut writer) = (open(folder.path()), open(folder.path()));
    set(&mut writer, "kept", "from the start");
    assert_eq!(text(&mut reader, "filler"), None);
    fill(&mut writer, 300);
    assert!(names(folder.path(), "commits")[0].as_str() > "00000000000000000100");
    assert_eq!(text(&mut reader, "filler").unwrap(), "299");
    assert_eq!(text(&mut reader, "kept").unwrap(), "from the start");
}

#[test]
fn a_base_made_under_a_reader_takes_nothing_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut reader, mut writer) = (open(folder.path()), open(folder.path()));
    for turn in 0..50 {
        set(&mut writer, &format!("k{turn:02}"), "");
        if turn % 7 == 0 {
            writer.compact().unwrap();
        }
        if turn % 3 == 0 {
            assert_eq!(reader.scan("", END, true, 99).unwrap().len(), turn + 1);
        }
    }
}

/// The number that a slow writer saw free was taken and removed meanwhile: it must not think it has won it.
#[test]
fn a_writer_slower_than_two_bases_does_not_win_a_number_that_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let (mut slow, mut others) = (open(folder.path()), open(folder.path()));
    let mut reader = open(folder.path());
    set(&mut others, "x", "theirs");
    for store in [&mut slow, &mut reader] {
        store.refresh().unwrap();
    }
    let late = slow
        .prepared(&vec![put("x", "late"), put("late", "")])
        .unwrap();
    fill(&mut others, 200);
    let told = slow.claimed(&late);
    assert!(matches!(told, Err(Failure::Unavailable(_))), "{told:?}");
    // Nobody takes its file for a commit: neither who knew the map before, nor who comes anew.
    for store in [
        &mut reader,
        &mut slow,
        &mut others,
        &mut open(folder.path()),
    ] {
        assert_eq!(text(store, "x").unwrap(), "theirs");
        assert_eq!(text(store, "late"), None);
    }
    set(&mut slow, "x", "now");
    assert_eq!(text(&mut reader, "x").unwrap(), "now");
}

#[test]
fn a_writer_slower_than_one_base_still_wins_only_what_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let (mut slow, mut others) = (open(folder.path()), open(folder.path()));
    let late = slow.prepared(&vec![put("late", "")]).unwrap();
    fill(&mut others, 3);
    others.compact().unwrap();
    // Nothing that a reader at the first base needs was removed.
    assert_eq!(Folder::open(folder.path()).unwrap().floor().unwrap(), 0);
    assert_eq!(slow.claimed(&late), Ok(false));
    slow.refresh().unwrap();
    assert_eq!(slow.claimed(&late), Ok(true));
    assert_eq!(one(&mut others, "late").unwrap().revision, 4);
}

#[test]
fn a_base_made_late_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut slow, mut others) = (open(folder.path()), open(folder.path()));
    set(&mut slow, "x", "old");
    fill(&mut others, 200);
    set(&mut others, "x", "new");
    // The slow one still stands at its first commit, and writes that down.
    slow.compact().unwrap();
    for store in [&mut slow, &mut others, &mut open(folder.path())] {
        assert_eq!(text(store, "x").unwrap(), "new");
    }
}
