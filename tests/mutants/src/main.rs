//! `tsunagi-mutants`: tries the tests on every mutant of the guest's rules and flows, all of them in one build, since a build for each
//! takes a day. It must not count as caught what no test objects to.

mod build;
mod left;
mod list;
mod suite;
mod tree;
mod weave;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Result, bail};
use clap::Parser;
use tsunagi_simulation::proof::{Check, Proof};

use crate::{
    left::Left,
    list::Mutant,
    suite::{Answer, Suite},
    tree::Tree,
};

/// Tries the tests on every mutant of the guest's rules and flows.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Only mutants with one of these texts in their file and change; all without any.
    only: Vec<String>,
    /// Writes what was counted into the README's table.
    #[arg(long)]
    record: bool,
    /// Only the guest's own tests, without the simulation.
    #[arg(long)]
    own: bool,
    /// Mutants at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// What came of each mutant; `None` of one that does not compile.
type Answers = BTreeMap<usize, Option<Answer>>;

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).unwrap_or(here);
    let (mutants, texts) = list::all(root)?;
    let left = Left::all(root)?;
    for Left { mutant, code, .. } in left
        .iter()
        .filter(|left| !mutants.iter().any(|mutant| left.fits(mutant)))
    {
        bail!("{}: there is no mutant {mutant} in {code:?}", left::FILE);
    }
    let chosen = |mutant: &Mutant| {
        cli.only.is_empty()
            || cli
                .only
                .iter()
                .any(|only| mutant.to_string().contains(only))
    };
    let chosen: Vec<usize> = (0..)
        .zip(&mutants)
        .filter(|(_, mutant)| chosen(mutant))
        .map(|(number, _)| number)
        .collect();
    println!("{} of {} mutants", chosen.len(), mutants.len());

    let together = build::together(&Tree::copy(root, "mutants")?, &mutants, &texts)?;
    let asked = if cli.own { 1 } else { together.binaries.len() };
    let suites: Vec<Suite> = together
        .binaries
        .into_iter()
        .take(asked)
        .map(Suite::trace)
        .collect::<Result<_>>()?;
    let is_in = |numbers: &BTreeSet<usize>| {
        chosen
            .iter()
            .copied()
            .filter(|number| numbers.contains(number))
            .collect::<Vec<_>>()
    };
    let (strays, unviable) = (is_in(&together.strays), is_in(&together.unviable));
    let woven: Vec<usize> = chosen
        .iter()
        .copied()
        .filter(|number| !strays.contains(number) && !unviable.contains(number))
        .collect();
    let mut answers = try_all(&woven, &mutants, &suites, cli.threads)?;
    answers.extend(unviable.into_iter().map(|number| (number, None)));
    println!("{} with a build of their own", strays.len());
    let tree = Tree::copy(root, "mutants-alone")?;
    for number in strays {
        if let Some(mutant) = mutants.get(number) {
            let text = texts.get(&mutant.file).map_or("", String::as_str);
            answers.insert(number, build::alone(&tree, mutant, text)?);
        }
    }
    tell(&mutants, &answers, &left, cli.record && cli.only.is_empty())
}

/// Asks the guest's own tests first; the simulation takes longer.
fn try_one(number: usize, suites: &[Suite]) -> Result<Answer> {
    let mut last = Answer::Unreached;
    for suite in suites {
        match suite.try_on(number)? {
            Answer::Unreached => {}
            Answer::Missed => last = Answer::Missed,
            caught => return Ok(caught),
        }
    }
    Ok(last)
}

fn try_all(
    numbers: &[usize],
    mutants: &[Mutant],
    suites: &[Suite],
    threads: usize,
) -> Result<Answers> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Answers::new());
    let work = || -> Result<()> {
        while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = try_one(number, suites)?;
            let mut answers = answers
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if let (Answer::Missed | Answer::Unreached, Some(mutant)) =
                (answer, mutants.get(number))
            {
                println!("{answer:?} {mutant}\n    {}", mutant.code);
            }
            answers.insert(number, Some(answer));
            if answers.len().is_multiple_of(100) {
                println!("{} of {}", answers.len(), numbers.len());
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")))
    })?;
    Ok(answers
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn tell(mutants: &[Mutant], answers: &Answers, left: &[Left], record: bool) -> Result<ExitCode> {
    let (mut caught, mut unviable, mut timed_out, mut explained, mut missed) = (0, 0, 0, 0, 0);
    for (number, answer) in answers {
        let Some(mutant) = mutants.get(*number) else {
            continue;
        };
        let why = left.iter().find(|left| left.fits(mutant));
        match (answer, why) {
            (None, _) => unviable += 1,
            (Some(Answer::Caught), None) => caught += 1,
            (Some(Answer::TimedOut), None) => timed_out += 1,
            (Some(Answer::Caught | Answer::TimedOut), Some(_)) => {
                bail!("{} is caught, and still in {}", mutant, left::FILE)
            }
            (Some(Answer::Missed | Answer::Unreached), Some(_)) => explained += 1,
            (Some(answer), None) => {
                missed += 1;
                println!("{answer:?} {mutant}\n    {}", mutant.code);
            }
        }
    }
    let viable = answers.len() - unviable;
    let share = 100.0 * (caught + timed_out) as f64 / viable.max(1) as f64;
    println!(
        "{} mutants, {unviable} do not compile; of {viable}, {caught} caught, {timed_out} without end, {explained} left with a reason, {missed} missed: {share:.1} %",
        answers.len()
    );
    if record {
        let tried = [
            ("mutants", answers.len()),
            ("of them do not compile", unviable),
            ("caught", caught + timed_out),
            ("left, each with its reason", explained),
        ];
        Proof::record(Check::Mutants, &tried, missed)?;
    }
    Ok(if missed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
