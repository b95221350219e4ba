//! Several instances on one storage at once: commits that must not overtake one another, and what must be there after a death.

use anyhow::{Result, anyhow, ensure};

use crate::{
    ports::{Condition, Failure, Storage, Write},
    report::Finding,
};

/// Both are written in one commit, so that they are equal at every moment.
const KEYS: [&str; 2] = ["contended/a", "contended/b"];
/// Written by every run, looked for after a death.
const LASTING: &str = "survived/value";
const LASTING_VALUE: &[u8] = b"written before the end";

const CONTENDED: &str =
    "A commit happens wholly or not at all, also across a crash, also under concurrent commits.";
const SURVIVED: &str =
    "When `commit` has returned success, the writes survive the loss of the process and of power.";

/// Tries for one turn: more than any number of others can take away by chance.
const TRIES: u32 = 10_000;

/// Adds one to both keys, so many times; gives how often another was quicker.
///
/// # Errors
/// What the storage did that it must not do.
pub fn contend(storage: &dyn Storage, turns: u32) -> Result<u32> {
    let mut met = 0;
    for _ in 0..turns {
        met += turn(storage)?;
    }
    Ok(met)
}

/// One turn; how often another was quicker.
fn turn(storage: &dyn Storage) -> Result<u32> {
    for tries in 0..TRIES {
        let (numbers, checks) = read(storage)?;
        let [Some(a), Some(b)] = numbers else {
            return Err(anyhow!("one of two keys of one commit is not there"));
        };
        // Each read stands alone, but both keys come by one.
        ensure!(a == b, "two keys of one commit hold {a} and {b}");
        let value = |number: u32| Some((number + 1).to_string().into_bytes());
        let writes: Vec<Write> = KEYS
            .iter()
            .map(|key| ((*key).to_owned(), value(a)))
            .collect();
        match storage.commit(&checks, &writes) {
            Ok(()) => return Ok(tries),
            Err(Failure::Conflict(_)) => {}
            Err(Failure::Unavailable(why)) => return Err(anyhow!("unavailable: {why}")),
        }
    }
    Err(anyhow!(
        "{TRIES} commits met a conflict, one after the other"
    ))
}

type Numbers = [Option<u32>; 2];

fn read(storage: &dyn Storage) -> Result<(Numbers, Vec<Condition>)> {
    let keys = KEYS.map(str::to_owned);
    let found = storage
        .get(&keys)
        .map_err(|failure| anyhow!("{failure:?}"))?;
    ensure!(
        found.len() == keys.len(),
        "{} items for two keys",
        found.len()
    );
    let mut numbers = [None, None];
    let mut checks = Vec::new();
    for ((number, key), entry) in numbers.iter_mut().zip(keys).zip(found) {
        *number = match &entry {
            Some(entry) => String::from_utf8_lossy(&entry.value).parse().ok(),
            None => Some(0),
        };
        checks.push((key, entry.map(|entry| entry.revision)));
    }
    Ok((numbers, checks))
}

/// Whether both keys hold the sum of all turns.
pub fn contended(storage: &dyn Storage, turns: u32) -> Finding {
    let seen = read(storage).and_then(|(numbers, _)| {
        ensure!(
            numbers == [Some(turns); 2],
            "after {turns} turns the keys hold {numbers:?}"
        );
        Ok(())
    });
    Finding::of("contended", CONTENDED, seen)
}

/// Leaves behind what [`survived`] looks for.
pub fn leave(storage: &dyn Storage) -> Finding {
    let writes = [(LASTING.to_owned(), Some(LASTING_VALUE.to_vec()))];
    let left = storage
        .commit(&[], &writes)
        .map_err(|failure| anyhow!("{failure:?}"));
    Finding::of("leave", SURVIVED, left)
}

/// Whether it is there still.
pub fn survived(storage: &dyn Storage) -> Finding {
    let look = || -> Result<()> {
        let found = storage
            .get(&[LASTING.to_owned()])
            .map_err(|failure| anyhow!("{failure:?}"))?;
        let value = found.into_iter().flatten().map(|entry| entry.value).next();
        ensure!(
            value.as_deref() == Some(LASTING_VALUE),
            "what `run` wrote is not there"
        );
        Ok(())
    };
    Finding::of("survived", SURVIVED, look())
}
