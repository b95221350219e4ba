//! The checks of `storage`, each in keys of its own: the list of them. Nothing about several instances at once; see
//! [`crate::contention`].

mod bench;
mod reading;
mod size;
mod writing;

use crate::{ports::Storage, report::Finding};
use bench::Bench;

/// A check of storage.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, which is also the beginning of its keys.
    pub name: &'static str,
    /// The sentence of `wit/storage.wit`.
    pub sentence: &'static str,
    run: fn(&Bench<'_>) -> anyhow::Result<()>,
}

/// All of them. `empty` comes first: what the others leave behind is not cleared away.
pub fn all() -> Vec<Check> {
    [reading::CHECKS, writing::CHECKS, size::CHECKS].concat()
}

/// Tries one.
pub fn run(check: &Check, storage: &dyn Storage) -> Finding {
    let bench = Bench {
        storage,
        name: check.name,
    };
    Finding::of(check.name, check.sentence, (check.run)(&bench))
}
