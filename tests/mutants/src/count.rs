//! What came of all mutants, in numbers. It must not forget one.

use std::{collections::BTreeMap, fmt};

use anyhow::{Result, ensure};
use tsunagi_simulation::proof::{Check, Proof};

use crate::{
    left::{self, Left},
    list::Mutant,
    suite::Answer,
};

/// The numbers.
#[derive(Default)]
pub struct Count<'a> {
    all: usize,
    unviable: usize,
    caught: usize,
    timed_out: usize,
    /// Not tried, each needing a build of its own.
    untried: usize,
    /// Left, with the reason.
    left: Vec<(&'a Mutant, &'a Left)>,
    /// Caught by nothing and explained by nobody.
    pub missed: Vec<&'a Mutant>,
}

impl<'a> Count<'a> {
    /// Counts.
    ///
    /// # Errors
    /// When a mutant is caught that is said to be left.
    pub fn of(
        mutants: &'a [Mutant],
        answers: &BTreeMap<usize, Option<Answer>>,
        left: &'a [Left],
        untried: usize,
    ) -> Result<Self> {
        let mut count = Self {
            all: untried,
            untried,
            ..Self::default()
        };
        for (number, mutant) in mutants.iter().enumerate() {
            let Some(answer) = answers.get(&number) else {
                continue;
            };
            let why = left.iter().find(|left| left.fits(mutant));
            let missed = answer.is_some_and(Answer::is_miss);
            ensure!(
                missed || why.is_none(),
                "{mutant} is no longer missed; take it out of {}",
                left::FILE
            );
            count.all += 1;
            match (answer, why) {
                (None, _) => count.unviable += 1,
                (Some(Answer::Caught), _) => count.caught += 1,
                (Some(Answer::TimedOut), _) => count.timed_out += 1,
                (Some(_), Some(why)) => count.left.push((mutant, why)),
                (Some(_), None) => count.missed.push(mutant),
            }
        }
        Ok(count)
    }

    /// Writes the numbers down for the README's table.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn record(&self) -> Result<()> {
        let tried = [
            ("mutants", self.all),
            ("that do not compile", self.unviable),
            ("caught", self.caught + self.timed_out),
            ("left with a reason", self.left.len()),
            ("not tried", self.untried),
        ];
        Ok(Proof::record(Check::Mutants, &tried, self.missed.len())?)
    }
}

impl fmt::Display for Count<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (mutant, Left { why, .. }) in &self.left {
            writeln!(formatter, "left: {mutant}\n    {why}")?;
        }
        for mutant in &self.missed {
            writeln!(formatter, "missed: {mutant}\n    {}", mutant.code)?;
        }
        let viable = self.all - self.unviable;
        let caught = self.caught + self.timed_out;
        let per_mille = (caught * 1_000).checked_div(viable).unwrap_or_default();
        writeln!(
            formatter,
            "{} mutants, {} do not compile",
            self.all, self.unviable
        )?;
        writeln!(
            formatter,
            "of {viable}: {caught} caught ({} by a time-out), {} left with a reason, {} missed, {} not tried",
            self.timed_out,
            self.left.len(),
            self.missed.len(),
            self.untried
        )?;
        write!(formatter, "caught: {}.{} %", per_mille / 10, per_mille % 10)
    }
}
