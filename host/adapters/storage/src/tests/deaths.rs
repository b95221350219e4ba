//! What a death may leave behind, and real deaths of real processes.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use super::*;

#[test]
fn a_torn_file_aside_is_no_commit_and_is_cleared_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    set(&mut store, "x", "1");
    for (name, age) in [("torn", 7_200), ("of-somebody-at-work", 60)] {
        let file = File::create(folder.path().join("aside").join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age))
            .unwrap();
    }
    assert_eq!(
        open(folder.path()).scan("", END, false, 9).unwrap().len(),
        1
    );
    store.compact().unwrap();
    assert_eq!(names(folder.path(), "aside"), ["of-somebody-at-work"]);
}

#[test]
fn a_commit_whose_writer_died_at_once_is_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let aside = store.prepared(&vec![put("x", "1")]).unwrap();
    assert_eq!(store.claimed(&aside), Ok(true));
    std::mem::forget(aside);
    drop(store);
    assert_eq!(text(&mut open(folder.path()), "x").unwrap(), "1");
}

#[test]
fn a_death_while_old_files_are_removed_leaves_the_map_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for turn in 0..30 {
        set(&mut store, &format!("k{turn:02}"), "");
    }
    store.compact().unwrap();
    fill(&mut store, 10);
    // A second base, and of what it makes needless only a part is gone.
    let kept = tempfile::tempdir().unwrap();
    let before = names(folder.path(), "commits");
    for name in &before {
        fs::hard_link(
            folder.path().join("commits").join(name),
            kept.path().join(name),
        )
        .unwrap();
    }
    store.compact().unwrap();
    for name in before.iter().skip(20) {
        let place = folder.path().join("commits").join(name);
        if !place.exists() {
            fs::hard_link(kept.path().join(name), place).unwrap();
        }
    }
    for store in [&mut store, &mut open(folder.path())] {
        assert_eq!(store.scan("", END, false, 99).unwrap().len(), 31);
    }
}

/// Not a test of its own: what the children of the next one do, each number printed once it is committed.
#[test]
#[ignore = "started by the next test"]
fn child() {
    let mut store =
        Store::open(Path::new(&std::env::var_os("TSUNAGI_TEST_DATA").unwrap())).unwrap();
    let me = std::process::id();
    for turn in 0..u32::MAX {
        let key = format!("{me}/{turn:06}");
        set(&mut store, &key, "");
        println!("\ncommitted {key}");
    }
}

#[test]
fn processes_killed_at_any_point_lose_nothing_that_they_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    for round in 0..6_u64 {
        let mut children = [(); 2].map(|()| {
            Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "tests::deaths::child",
                    "--ignored",
                    "--nocapture",
                ])
                .env("TSUNAGI_TEST_DATA", folder.path())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        });
        std::thread::sleep(Duration::from_millis(300 + 37 * round));
        for child in &mut children {
            child.kill().unwrap();
        }
        for child in children {
            let said = BufReader::new(child.stdout.unwrap())
                .lines()
                .map_while(Result::ok);
            told.extend(said.filter_map(|line| Some(line.strip_prefix("committed ")?.to_owned())));
        }
    }
    let found = open(folder.path()).scan("", END, false, u32::MAX).unwrap();
    let found: std::collections::BTreeSet<_> = found.into_iter().map(|entry| entry.key).collect();
    let lost: Vec<_> = told.iter().filter(|key| !found.contains(*key)).collect();
    assert!(told.len() > 100, "only {} commits to look at", told.len());
    assert!(lost.is_empty(), "{lost:?}");
    // Each child may have died between a commit and its word.
    assert!(
        found.len() <= told.len() + 12,
        "{} and {}",
        found.len(),
        told.len()
    );
}
