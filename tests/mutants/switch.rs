//! Which mutant is on: `MUTANT` names it, and `MUTANTS_REACHED` a file for the numbers of those that were asked for.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

const MUTANTS: usize = 0;

static ON: LazyLock<Option<usize>> = LazyLock::new(|| env::var("MUTANT").ok()?.parse().ok());

static TOLD: LazyLock<Option<File>> = LazyLock::new(|| {
    let file = env::var_os("MUTANTS_REACHED")?;
    OpenOptions::new().append(true).open(file).ok()
});

static REACHED: [AtomicBool; MUTANTS] = [const { AtomicBool::new(false) }; MUTANTS];

/// Whether this mutant is on.
pub fn on(number: usize) -> bool {
    if let Some(mut file) = TOLD.as_ref()
        && !REACHED[number].swap(true, Ordering::Relaxed)
    {
        file.write_all(format!("{number}\n").as_bytes()).unwrap();
    }
    *ON == Some(number)
}
