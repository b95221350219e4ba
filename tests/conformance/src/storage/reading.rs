//! Checks of `get` and `scan`.

use anyhow::{Result, ensure};

use super::{
    Check,
    bench::{Bench, bytes, same},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "empty",
        sentence: "An instance sees the keys of its tenant alone.",
        run: empty,
    },
    Check {
        name: "get-order",
        sentence: "The result has one item for each key, in the order asked; an absent key gives none.",
        run: get_order,
    },
    Check {
        name: "order",
        sentence: "Keys are compared byte by byte in UTF-8.",
        run: order,
    },
    Check {
        name: "backward",
        sentence: "A scan returns them in that order, or exactly reversed.",
        run: backward,
    },
    Check {
        name: "range",
        sentence: "Half-open range of keys.",
        run: range,
    },
    Check {
        name: "empty-range",
        sentence: "When not above `start`, the range is empty, which is no error.",
        run: empty_range,
    },
    Check {
        name: "limit",
        sentence: "Reads a range, at most `limit` entries, from its lower or its upper end.",
        run: limit,
    },
    Check {
        name: "limit-zero",
        sentence: "A limit of zero gives an empty list.",
        run: limit_zero,
    },
    Check {
        name: "plain-keys",
        sentence: "What the host keeps for one tenant: an ordered map from string keys to bytes, with atomic conditional commits.",
        run: plain_keys,
    },
];

/// Whatever the platform keeps there for others, or of itself, is not ours to see.
fn empty(bench: &Bench<'_>) -> Result<()> {
    let found = bench.whole()?;
    let keys: Vec<&str> = found.iter().map(|entry| entry.key.as_str()).collect();
    ensure!(
        keys.is_empty(),
        "a new tenant's storage holds {keys:?}; run the kit on an empty one"
    );
    Ok(())
}

fn get_order(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "1"), ("b", "2")])?;
    let found = bench.texts(&["b", "none", "a", "b"])?;
    let text = |text: &str| Some(text.to_owned());
    same(
        "asked for b, an absent key, a and b again",
        &found,
        &vec![text("2"), None, text("1"), text("2")],
    )?;
    same("asked for nothing", &bench.texts(&[])?, &Vec::new())
}

/// Told apart from collations that ignore case, from orders of words and numbers, and from UTF-16, in which 😀 comes before the
/// character U+FF21.
const SORTED: [&str; 12] = [
    "", " ", "-", "10", "2", "A", "B", "a", "a!", "é", "\u{ff21}", "😀",
];

fn order(bench: &Bench<'_>) -> Result<()> {
    let mixed: Vec<(&str, &str)> = SORTED.iter().rev().map(|name| (*name, "x")).collect();
    bench.put(&mixed)?;
    let sorted = SORTED.map(str::to_owned).to_vec();
    same("the order", &bench.names(false)?, &sorted)
}

fn backward(bench: &Bench<'_>) -> Result<()> {
    bench.put(&SORTED.map(|name| (name, "x")))?;
    let mut reversed = SORTED.map(str::to_owned).to_vec();
    reversed.reverse();
    same("the order backward", &bench.names(true)?, &reversed)
}

fn range(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "x"), ("b", "x"), ("b0", "x"), ("c", "x")])?;
    for backward in [false, true] {
        let mut found = bench.scan("b", "c", backward, 10)?;
        found.sort();
        same(
            "from b, included, to c, excluded",
            &found,
            &vec!["b".to_owned(), "b0".to_owned()],
        )?;
    }
    Ok(())
}

fn empty_range(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "x"), ("b", "x")])?;
    for (start, end) in [("a", "a"), ("b", "a"), ("c", "d")] {
        let found = bench.scan(start, end, false, 10)?;
        same(&format!("from {start} to {end}"), &found, &Vec::new())?;
    }
    Ok(())
}

fn limit(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "x"), ("b", "x"), ("c", "x"), ("d", "x")])?;
    let text = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    same(
        "two from the lower end",
        &bench.scan("a", "e", false, 2)?,
        &text(["a", "b"]),
    )?;
    same(
        "two from the upper end",
        &bench.scan("a", "e", true, 2)?,
        &text(["d", "c"]),
    )?;
    same(
        "two of the two below c, from the upper end",
        &bench.scan("a", "c", true, 2)?,
        &text(["b", "a"]),
    )
}

fn limit_zero(bench: &Bench<'_>) -> Result<()> {
    bench.put(&[("a", "x")])?;
    same("limit 0", &bench.scan("a", "b", false, 0)?, &Vec::new())
}

/// What a pattern, a quote or a path would make something else of.
const ODD: [&str; 10] = [
    "%", "_", "*", "'", "\"", "\\", "a/../b", "a b", "\u{1}", "%2f",
];

fn plain_keys(bench: &Bench<'_>) -> Result<()> {
    bench.put(&ODD.map(|name| (name, name)))?;
    for name in ODD {
        same(
            &format!("the value of {name:?}"),
            &bench.there(name)?.value,
            &bytes(name).unwrap_or_default(),
        )?;
    }
    same("keys", &bench.names(false)?.len(), &ODD.len())
}
