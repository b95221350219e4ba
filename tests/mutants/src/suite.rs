//! A binary of tests: which mutants each of them reaches, and whether they catch one. It must not judge by anything but their failing.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::tree::Binary;

/// What a mutant may take, beside five times what is usual: a loop without end counts as caught.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of the simulation only this is asked: the whole of it takes minutes for each mutant.
const SCENARIOS: &str = "every_scenario_ends_well_when_nothing_goes_wrong";

/// Memory for a run, in kilobytes: a mutant may ask for all there is.
const MEMORY: u32 = 4_000_000;

/// The tests of a binary.
pub struct Suite {
    binary: Binary,
    /// The quickest first.
    tests: Vec<Test>,
}

struct Test {
    name: String,
    took: Duration,
    reached: BTreeSet<usize>,
}

/// What tests said to a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// One of them fails.
    Caught,
    /// They do not come to an end.
    TimedOut,
    /// None fails.
    Missed,
    /// None gets there.
    Unreached,
}

impl Answer {
    /// Whether no test objects.
    pub fn is_miss(self) -> bool {
        matches!(self, Self::Missed | Self::Unreached)
    }
}

impl Suite {
    /// Runs every test of this binary by itself, without a mutant.
    ///
    /// # Errors
    /// When one fails.
    pub fn trace(binary: Binary) -> Result<Self> {
        let listed = Command::new(&binary.file)
            .args(["--list", "--format=terse"])
            .output()?;
        let listed = String::from_utf8(listed.stdout)?;
        println!("asking each test of {} alone", binary.folder.display());
        let names = listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"));
        let own = binary.folder.ends_with("guest");
        let names = names.filter(|name| own || *name == SCENARIOS);
        let mut tests: Vec<Test> = names
            .map(|name| trace(&binary, name))
            .collect::<Result<_>>()?;
        tests.sort_by_key(|test| test.took);
        Ok(Self { binary, tests })
    }

    /// Runs the tests that reach this mutant, until one fails.
    ///
    /// # Errors
    /// When they cannot be run.
    pub fn try_on(&self, number: usize) -> Result<Answer> {
        let reach = |test: &&Test| test.reached.contains(&number);
        let tests: Vec<&Test> = self.tests.iter().filter(reach).collect();
        if tests.is_empty() {
            return Ok(Answer::Unreached);
        }
        let (mut rest, mut together) = (tests.as_slice(), 1);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(together.min(rest.len()));
            let answer = self.run(now, number)?;
            if answer != Answer::Missed {
                return Ok(answer);
            }
            (rest, together) = (later, together * 2);
        }
        Ok(Answer::Missed)
    }

    fn run(&self, tests: &[&Test], number: usize) -> Result<Answer> {
        let usual: Duration = tests.iter().map(|test| test.took).sum();
        let mut command = command(&self.binary, tests.iter().map(|test| test.name.as_str()));
        command.env("MUTANT", number.to_string());
        wait(command, PATIENCE + usual * 5)
    }
}

/// Runs all tests of a binary at once, as it is.
///
/// # Errors
/// When they cannot be run.
pub fn run_all(binary: &Binary) -> Result<Answer> {
    wait(command(binary, []), PATIENCE * 6)
}

fn command<'a>(binary: &Binary, tests: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("sh");
    let run = format!("ulimit -v {MEMORY}; exec \"$0\" --exact --test-threads=2 \"$@\"");
    command.arg("-c").arg(run).arg(&binary.file).args(tests);
    command.current_dir(&binary.folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn wait(mut command: Command, patience: Duration) -> Result<Answer> {
    let mut running = command.spawn()?;
    let until = Instant::now() + patience;
    loop {
        if let Some(ended) = running.try_wait()? {
            return Ok(if ended.success() {
                Answer::Missed
            } else {
                Answer::Caught
            });
        }
        if Instant::now() > until {
            running.kill()?;
            running.wait()?;
            return Ok(Answer::TimedOut);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn trace(binary: &Binary, name: &str) -> Result<Test> {
    let file = binary.file.with_extension("reached");
    fs::write(&file, "")?;
    let mut command = command(binary, [name]);
    command.env("MUTANTS_REACHED", &file);
    let began = Instant::now();
    let passed = wait(command, PATIENCE * 6)? == Answer::Missed;
    ensure!(passed, "{name} fails without a mutant");
    let told = fs::read_to_string(&file)?;
    let reached: Result<_, _> = told.lines().map(str::parse).collect();
    Ok(Test {
        name: name.to_owned(),
        took: began.elapsed(),
        reached: reached.context("numbers")?,
    })
}
