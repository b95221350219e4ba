//! Checks of how much and how large: the limits that the contract names, and lists that must come whole.

use anyhow::{Result, ensure};

use super::{
    Check,
    bench::{Bench, same},
};
use crate::ports::{Condition, Write};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "any-bytes",
        sentence: "The new value; absent deletes the key.",
        run: any_bytes,
    },
    Check {
        name: "large-value",
        sentence: "Keys are at most 250 bytes, values at most 1 MiB; a commit has at most 2 000 checks and writes together.",
        run: large_value,
    },
    Check {
        name: "large-commit",
        sentence: "Never fails half-way.",
        run: large_commit,
    },
    Check {
        name: "exhausted",
        sentence: "Fewer than `limit` mean the range is exhausted.",
        run: exhausted,
    },
    Check {
        name: "exhausted-large",
        sentence: "Fewer than `limit` mean the range is exhausted.",
        run: exhausted_large,
    },
];

const MEBIBYTE: usize = 1 << 20;
const LONGEST_KEY: usize = 250;
/// Checks and writes of one commit.
const MOST: usize = 2_000;
/// Keys of the long range: more than a page of any store that pages.
const MANY: usize = 12_000;
/// Values of a mebibyte in one scan.
const LARGE: usize = 12;

fn any_bytes(bench: &Bench<'_>) -> Result<()> {
    let every: Vec<u8> = (0..=u8::MAX).chain([0, 0]).collect();
    let values = [("every", every), ("none", Vec::new()), ("zero", vec![0])];
    for (name, value) in &values {
        bench.commit(&[], &[(bench.key(name), Some(value.clone()))])?;
    }
    for (name, value) in &values {
        same(
            &format!("the value {name}"),
            &bench.there(name)?.value,
            value,
        )?;
    }
    Ok(())
}

/// Bytes that do not repeat themselves soon.
fn filled(seed: usize) -> Vec<u8> {
    (0..MEBIBYTE)
        .map(|at| ((at * 31 + at / 251 + seed) % 256) as u8)
        .collect()
}

fn large_value(bench: &Bench<'_>) -> Result<()> {
    let name = "k".repeat(LONGEST_KEY - bench.key("").len());
    let value = filled(7);
    bench.commit(&[], &[(bench.key(&name), Some(value.clone()))])?;
    ensure!(
        bench.there(&name)?.value == value,
        "1 MiB came back otherwise"
    );
    Ok(())
}

fn numbered(number: usize) -> String {
    format!("{number:06}")
}

fn large_commit(bench: &Bench<'_>) -> Result<()> {
    let half = MOST / 2;
    let checks: Vec<Condition> = (0..half)
        .map(|number| (bench.key(&numbered(number)), None))
        .collect();
    let writes: Vec<Write> = (0..half)
        .map(|number| {
            (
                bench.key(&numbered(number)),
                Some(numbered(number).into_bytes()),
            )
        })
        .collect();
    bench.commit(&checks, &writes)?;
    same("keys", &bench.names(false)?.len(), &half)?;
    let last = bench.key(&numbered(half - 1));
    let mut again = checks;
    again.reverse();
    bench.conflict(&again, &writes, &last)
}

fn exhausted(bench: &Bench<'_>) -> Result<()> {
    let names: Vec<String> = (0..MANY).map(numbered).collect();
    for chunk in names.chunks(MOST) {
        let writes: Vec<Write> = chunk
            .iter()
            .map(|name| (bench.key(name), Some(vec![b'x'])))
            .collect();
        bench.commit(&[], &writes)?;
    }
    ensure!(
        bench.names(false)? == names,
        "not all of {MANY} keys, in their order"
    );
    let mut reversed = names;
    reversed.reverse();
    ensure!(
        bench.names(true)? == reversed,
        "not all of {MANY} keys backward"
    );
    Ok(())
}

/// A store may fail that cannot hand over so much at once, but not give less.
fn exhausted_large(bench: &Bench<'_>) -> Result<()> {
    for number in 0..LARGE {
        bench.commit(&[], &[(bench.key(&numbered(number)), Some(filled(number)))])?;
    }
    let limit = u32::try_from(LARGE)? + 1;
    let Some(found) = bench.entries_or_refusal(limit)? else {
        return Ok(());
    };
    same("values of 1 MiB", &found.len(), &LARGE)?;
    let whole = found
        .iter()
        .enumerate()
        .all(|(number, entry)| entry.value == filled(number));
    ensure!(whole, "a value of 1 MiB came back otherwise");
    Ok(())
}
