//! Findings: a check's name, the sentence of the contract that it tries, and what was seen. Tries nothing itself.

/// As the contract's `outcome`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As the contract has it.
    Kept,
    /// Not so, and what was seen instead.
    Broken(String),
    /// Not tried, and what it would need.
    Skipped(String),
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name.
    pub name: &'static str,
    /// The sentence that it tries.
    pub sentence: &'static str,
    /// What was seen.
    pub outcome: Outcome,
}

impl Finding {
    /// Of a check that was made.
    pub fn of(name: &'static str, sentence: &'static str, seen: anyhow::Result<()>) -> Self {
        let outcome = match seen {
            Ok(()) => Outcome::Kept,
            Err(why) => Outcome::Broken(format!("{why:#}")),
        };
        Self {
            name,
            sentence,
            outcome,
        }
    }

    /// Of one that was not.
    pub fn skipped(name: &'static str, sentence: &'static str, needs: &str) -> Self {
        Self {
            name,
            sentence,
            outcome: Outcome::Skipped(needs.to_owned()),
        }
    }
}
