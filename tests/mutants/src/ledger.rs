//! What became of mutants in earlier runs, so that one that was cut off, or missed a few, can go on. It must not know a mutant again
//! whose file says something else by now, outside its tests.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;

use crate::{list::Mutant, suite::Answer};

/// The answers so far, one a line.
pub struct Ledger {
    keys: Vec<String>,
    known: BTreeMap<String, Option<Answer>>,
    file: Mutex<File>,
}

/// How an answer is written.
const WORDS: [(&str, Option<Answer>); 3] = [
    ("unviable", None),
    ("caught", Some(Answer::Caught)),
    ("timed-out", Some(Answer::TimedOut)),
];

impl Ledger {
    /// With what is in the file, or with nothing.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(
        path: &Path,
        goes_on: bool,
        mutants: &[Mutant],
        texts: &BTreeMap<String, String>,
    ) -> Result<Self> {
        if !goes_on {
            fs::write(path, "")?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let told = fs::read_to_string(path)?;
        let lines = told.lines().filter_map(|line| line.split_once(' '));
        let answer = |word| WORDS.iter().find(|(known, _)| *known == word);
        let known = lines.filter_map(|(word, key)| Some((key.to_owned(), answer(word)?.1)));
        Ok(Self {
            keys: keys(mutants, texts),
            known: known.collect(),
            file: Mutex::new(file),
        })
    }

    /// What is known of a mutant; those that were missed are tried again.
    pub fn of(&self, number: usize) -> Option<Option<Answer>> {
        self.known.get(self.keys.get(number)?).copied()
    }

    /// Writes an answer down.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&self, number: usize, answer: Option<Answer>) -> Result<()> {
        let word = WORDS.iter().find(|(_, known)| *known == answer);
        if let (Some((word, _)), Some(key)) = (word, self.keys.get(number)) {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(file, "{word} {key}")?;
        }
        Ok(())
    }
}

/// A name for each that stays the same while its file's code does.
fn keys(mutants: &[Mutant], texts: &BTreeMap<String, String>) -> Vec<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let hash = |text: &String| {
        let code = text.rsplit_once("#[cfg(test)]\nmod tests {");
        let mut hasher = DefaultHasher::new();
        code.map_or(text.as_str(), |(code, _)| code)
            .trim_end()
            .hash(&mut hasher);
        hasher.finish()
    };
    let hashes: BTreeMap<&String, u64> = texts
        .iter()
        .map(|(file, text)| (file, hash(text)))
        .collect();
    let key = |mutant: &Mutant| {
        let hash = hashes.get(&mutant.file).copied().unwrap_or_default();
        let name = format!("{hash:016x} {mutant}");
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        format!("{name} {times}")
    };
    mutants.iter().map(key).collect()
}
