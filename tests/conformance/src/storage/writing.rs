//! Checks of `commit`, by one instance.

use anyhow::{Result, ensure};

use super::{
    Check,
    bench::{Bench, bytes, same},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "read-back",
        sentence: "After a commit succeeded, every later `get` and `scan` of any instance sees it.",
        run: read_back,
    },
    Check {
        name: "revisions-grow",
        sentence: "Grows with every write of this key and is never used again for it, not even after a delete.",
        run: revisions_grow,
    },
    Check {
        name: "unconditional",
        sentence: "With no checks it always applies.",
        run: unconditional,
    },
    Check {
        name: "delete-absent",
        sentence: "Deleting an absent key is no error.",
        run: delete_absent,
    },
    Check {
        name: "revision-checked",
        sentence: "The revision seen; absent means that the key must not exist.",
        run: revision_checked,
    },
    Check {
        name: "all-or-nothing",
        sentence: "A check failed: nothing was written.",
        run: all_or_nothing,
    },
    Check {
        name: "first-conflict",
        sentence: "The payload is the first key that no longer was as the check said.",
        run: first_conflict,
    },
    Check {
        name: "checks-before-writes",
        sentence: "What must still be true when the commit takes effect.",
        run: checks_before_writes,
    },
    Check {
        name: "only-checks",
        sentence: "Writes all or nothing, if every check holds.",
        run: only_checks,
    },
];

fn read_back(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "1"), ("b", "1")])?;
    bench.commit(&[], &[(bench.key("a"), bytes("2")), (bench.key("b"), None)])?;
    let text = |text: &str| Some(text.to_owned());
    same(
        "after both changed",
        &bench.texts(&["a", "b"])?,
        &vec![text("2"), None],
    )?;
    same("the range", &bench.names(false)?, &vec!["a".to_owned()])?;
    let (one, scanned) = (bench.there("a")?, bench.entries(false, 10)?);
    same("a by get and by scan", &scanned, &vec![one])
}

fn revisions_grow(bench: &Bench<'_>) -> Result<()> {
    let mut last = 0;
    let mut grown = |what: &str, revision: u64| {
        ensure!(revision > last, "{what}: revision {revision} after {last}");
        last = revision;
        Ok(())
    };
    bench.put(&[("a", "1")])?;
    grown("written", bench.there("a")?.revision)?;
    bench.put(&[("a", "1")])?;
    grown("written again, the same value", bench.there("a")?.revision)?;
    bench.commit(&[], &[(bench.key("a"), None)])?;
    bench.put(&[("a", "1")])?;
    grown("written after a delete", bench.there("a")?.revision)?;
    // Deleted as the newest of all keys, as a counter of the whole store would see it.
    bench.commit(&[], &[(bench.key("a"), None)])?;
    bench.put(&[("b", "1")])?;
    bench.put(&[("a", "1")])?;
    grown(
        "written after a delete and another key",
        bench.there("a")?.revision,
    )
}

fn unconditional(bench: &Bench<'_>) -> Result<()> {
    bench.commit(&[], &[])?;
    bench.put(&[("a", "1")])?;
    bench.put(&[("a", "2")])?;
    same(
        "the value",
        &bench.texts(&["a"])?,
        &vec![Some("2".to_owned())],
    )
}

fn delete_absent(bench: &Bench<'_>) -> Result<()> {
    bench.commit(
        &[],
        &[(bench.key("none"), None), (bench.key("a"), bytes("1"))],
    )?;
    same(
        "beside it",
        &bench.texts(&["none", "a"])?,
        &vec![None, Some("1".to_owned())],
    )
}

fn revision_checked(bench: &Bench<'_>) -> Result<()> {
    let a = bench.key("a");
    let write = |text: &str| [(a.clone(), bytes(text))];
    bench.commit(&[(a.clone(), None)], &write("1"))?;
    bench.conflict(&[(a.clone(), None)], &write("2"), &a)?;
    let first = bench.there("a")?.revision;
    bench.commit(&[(a.clone(), Some(first))], &write("3"))?;
    bench.conflict(&[(a.clone(), Some(first))], &write("4"), &a)?;
    let second = bench.there("a")?.revision;
    bench.conflict(&[(a.clone(), Some(second + 1))], &write("5"), &a)?;
    bench.commit(&[(a.clone(), Some(second))], &[(a.clone(), None)])?;
    bench.conflict(&[(a.clone(), Some(second))], &write("6"), &a)?;
    same("what was written", &bench.texts(&["a"])?, &vec![None])?;
    bench.commit(&[(a.clone(), None)], &write("7"))
}

fn all_or_nothing(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("kept", "1"), ("seen", "1")])?;
    let seen = bench.there("seen")?.revision;
    bench.put(&[("seen", "2")])?;
    let before = bench.entries(false, 10)?;
    let writes = [
        (bench.key("kept"), None),
        (bench.key("new"), bytes("1")),
        (bench.key("seen"), bytes("3")),
    ];
    bench.conflict(
        &[(bench.key("seen"), Some(seen))],
        &writes,
        &bench.key("seen"),
    )?;
    same("after the conflict", &bench.entries(false, 10)?, &before)
}

fn first_conflict(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "1"), ("b", "1"), ("c", "1")])?;
    let right = bench.there("b")?.revision;
    let checks = [
        (bench.key("b"), Some(right)),
        (bench.key("c"), None),
        (bench.key("a"), None),
    ];
    bench.conflict(&checks, &[], &bench.key("c"))
}

/// A commit's own writes are not what it checks, in whichever order they stand.
fn checks_before_writes(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "1")])?;
    let seen = bench.there("a")?.revision;
    let (a, b) = (bench.key("a"), bench.key("b"));
    let checks = [(b.clone(), None), (a.clone(), Some(seen))];
    bench.commit(&checks, &[(b, bytes("1")), (a, bytes("2"))])?;
    let text = |text: &str| Some(text.to_owned());
    same(
        "both written",
        &bench.texts(&["a", "b"])?,
        &vec![text("2"), text("1")],
    )
}

fn only_checks(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "1")])?;
    let (a, seen) = (bench.key("a"), bench.there("a")?.revision);
    bench.commit(&[(a.clone(), Some(seen)), (bench.key("b"), None)], &[])?;
    bench.conflict(&[(a.clone(), None)], &[], &a)?;
    same("the revision", &bench.there("a")?.revision, &seen)
}
