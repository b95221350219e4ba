//! `tsunagi-mutants`: tries the tests on every mutant of the guest's rules and flows, all of them in one build, since a build for each
//! takes a day. It must not count as caught what no test objects to.

mod build;
mod count;
mod ledger;
mod left;
mod list;
mod suite;
mod tree;
mod weave;

use std::{
    collections::BTreeMap,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Result, bail};
use clap::Parser;

use crate::{
    count::Count,
    ledger::Ledger,
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
    /// Only those that the last run, perhaps cut off, did not catch; what it caught counts, where the code is as it was.
    #[arg(long)]
    go_on: bool,
    /// Only the guest's own tests, without the simulation.
    #[arg(long)]
    own: bool,
    /// Not those that need a build of their own, a minute or two each; none of them counts as caught.
    #[arg(long)]
    together: bool,
    /// Mutants at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// What came of each mutant, by its number; `None` of one that does not compile.
type Answers = BTreeMap<usize, Option<Answer>>;

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).unwrap_or(here);
    let (mutants, texts) = list::all(root)?;
    let left = Left::all(root, &mutants)?;
    let is_chosen = |mutant: &Mutant| {
        let name = mutant.to_string();
        cli.only.is_empty() || cli.only.iter().any(|only| name.contains(only))
    };

    let tree = Tree::copy(root, "mutants")?;
    let together = build::together(&tree, &mutants, &texts, cli.own)?;
    let binaries = together.binaries.into_iter();
    let suites: Vec<Suite> = binaries.map(Suite::trace).collect::<Result<_>>()?;
    let path = tree.target.join("mutants.answers");
    let ledger = Ledger::open(&path, cli.go_on, &mutants, &texts)?;
    let (mut answers, mut alone, mut switched) = (Answers::new(), Vec::new(), Vec::new());
    for (number, mutant) in mutants.iter().enumerate() {
        if !is_chosen(mutant) {
        } else if together.unviable.contains(&number) {
            answers.insert(number, None);
        } else if let Some(answer) = ledger.of(number) {
            answers.insert(number, answer);
        } else if together.strays.contains(&number) {
            alone.push((number, mutant));
        } else {
            switched.push((number, mutant));
        }
    }
    println!("{} are known", answers.len());
    println!(
        "{} with a switch, {} in a build of their own",
        switched.len(),
        alone.len()
    );
    answers.extend(try_all(&switched, &suites, &ledger, cli.threads)?);
    let tree = Tree::copy(root, "mutants-alone")?;
    let untried = if cli.together { alone.len() } else { 0 };
    for (number, mutant) in alone.into_iter().skip(untried) {
        let text = texts.get(&mutant.file).map_or("", String::as_str);
        let answer = build::alone(&tree, mutant, text)?;
        ledger.note(number, answer)?;
        answers.insert(number, answer);
    }

    let count = Count::of(&mutants, &answers, &left, untried)?;
    println!("{count}");
    if cli.record && cli.only.is_empty() && !cli.own {
        count.record()?;
    }
    Ok(if count.missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn try_all(
    chosen: &[(usize, &Mutant)],
    suites: &[Suite],
    ledger: &Ledger,
    threads: usize,
) -> Result<Answers> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Answers::new());
    let work = || -> Result<()> {
        while let Some(&(number, mutant)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = try_one(number, suites)?;
            if answer.is_miss() {
                println!("{answer:?} {mutant}\n    {}", mutant.code);
            }
            ledger.note(number, Some(answer))?;
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.insert(number, Some(answer));
            if answers.len().is_multiple_of(100) {
                println!("{} of {}", answers.len(), chosen.len());
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut ends = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ends.try_for_each(|end| end.unwrap_or_else(|_| bail!("a worker panicked")))
    })?;
    Ok(answers.into_inner().unwrap_or_else(PoisonError::into_inner))
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
