//! `tsunagi-simulation`: tries every fault at every call, and replays a run with its trace. It must not decide what is right.

mod bends;
mod together_command;

use std::{process::ExitCode, time::Instant};

use clap::{Parser, Subcommand};
use tsunagi_guest::planted::Planted;
use tsunagi_simulation::{
    fault::{Fault, Plan},
    lives::{
        self,
        tour::{self, Tour},
    },
    planted,
    proof::{Check, Proof, Trouble},
    runner::{self, Depth, Failure, Run, Tally},
    scenarios::{self, Scenario},
    world::Setting,
};

/// Failures shown of each scenario.
const SHOWN: usize = 20;

/// Nothing lost, nothing twice: dying at every call, and looking at both services' books.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Writes what was counted into the README's table.
    #[arg(long, global = true)]
    record: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the scenarios.
    List,
    /// Makes the README's table anew from what was counted.
    Table,
    /// Tries every fault at every call.
    Run {
        /// Scenarios; all without any.
        scenarios: Vec<String>,
        /// Also every pair of deaths and lost answers.
        #[arg(long)]
        pairs: bool,
        /// Threads; runs do not share anything.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Bends true answers and stored records: each field in every way, and some by lot.
    Bend(bends::Args),
    /// Lets two instances meet in every order, at random, and with one asleep beyond its lease.
    Together(together_command::Together),
    /// Plays one run of `together` and shows every call of it.
    TogetherReplay(together_command::Replay),
    /// Plays one run and shows every call of it.
    Replay {
        /// The scenario.
        scenario: String,
        /// `N:KIND`, several with commas between them; none plays it undisturbed.
        #[arg(long, value_delimiter = ',')]
        fault: Vec<Fault>,
        /// With this fault planted in the guest; see `planted`.
        #[arg(long, value_parser = planted::named)]
        planted: Option<Planted>,
    },
    /// Looks for each fault planted in the guest, and shows how many runs it took.
    Planted {
        /// Planted faults; all without any.
        #[arg(value_parser = planted::named)]
        faults: Vec<Planted>,
        /// Runs after which a fault counts as not found.
        #[arg(long, default_value_t = 100_000)]
        most: u32,
    },
    /// Lets seeded merchants trade for simulated days in every weather, and judges each day.
    Live {
        /// Days of each merchant.
        #[arg(long, default_value_t = 28)]
        days: u32,
        /// The first merchant's seed; the others count up from it. Taken from the clock without one.
        #[arg(long)]
        seed: Option<u64>,
        /// How many merchants.
        #[arg(long, default_value_t = 1)]
        merchants: u32,
        /// Threads; merchants do not share anything.
        #[arg(long, default_value_t = 2)]
        threads: usize,
        /// Days before this one pass without acts.
        #[arg(long, default_value_t = 0)]
        first_day: u32,
        /// No faults, outages and lost webhooks.
        #[arg(long)]
        calm: bool,
        /// The moment at which orders are taken in stays as it is.
        #[arg(long)]
        same_moment: bool,
        /// Also the calls of the day that went wrong.
        #[arg(long)]
        trace: bool,
    },
}

fn main() -> ExitCode {
    let Cli { record, command } = Cli::parse();
    match command {
        Command::Table => written(Proof::read().and_then(|proof| proof.write_table())),
        Command::List => {
            for scenario in scenarios::every() {
                println!("{:<16} {}", scenario.name, scenario.about);
            }
            ExitCode::SUCCESS
        }
        Command::Run {
            scenarios,
            pairs,
            threads,
        } => {
            let depth = if pairs { Depth::Pairs } else { Depth::Singles };
            run(&scenarios, depth, threads, record)
        }
        Command::Replay {
            scenario,
            fault,
            planted,
        } => replay(&scenario, fault, planted),
        Command::Planted { faults, most } => find_planted(faults, most, record),
        Command::Live {
            days,
            seed,
            merchants,
            threads,
            first_day,
            calm,
            same_moment,
            trace,
        } => {
            let first = lives::Plan {
                first_day,
                calm,
                same_moment,
                traced: trace,
                ..lives::Plan::of(seed.unwrap_or_else(tour::fresh_seed), days)
            };
            let (sum, failed) = tour::print(&Tour {
                first,
                merchants,
                threads,
            });
            let days = sum.days as usize;
            let tried = [("days", days), ("merchants", merchants as usize)];
            ended(record.then_some((Check::Lives, &tried)), failed)
        }
        Command::Bend(args) => bends::run(&args, record),
        Command::Together(command) => command.run(record),
        Command::TogetherReplay(command) => command.run(),
    }
}

fn chosen(names: &[String]) -> Result<Vec<Scenario>, String> {
    if names.is_empty() {
        return Ok(scenarios::all());
    }
    let known = |name: &String| {
        scenarios::named(name).ok_or_else(|| format!("there is no scenario {name}; see `list`"))
    };
    names.iter().map(known).collect()
}

fn run(names: &[String], depth: Depth, threads: usize, record: bool) -> ExitCode {
    let chosen = match chosen(names) {
        Ok(chosen) => chosen,
        Err(why) => return fail(&why),
    };
    println!("scenario         calls  effects  singles    pairs  logins  failures  seconds");
    let mut sum = Tally::default();
    for scenario in &chosen {
        let began = Instant::now();
        let tally = runner::explore(scenario, depth, threads);
        show(scenario, &tally, began.elapsed().as_secs_f64());
        sum.add(tally);
    }
    let singles = [
        ("scenarios", chosen.len()),
        ("calls", sum.calls),
        ("faults", sum.singles),
    ];
    let pairs = [("pairs", sum.pairs)];
    let counted = match depth {
        Depth::Singles => (Check::Singles, singles.as_slice()),
        Depth::Pairs => (Check::Pairs, pairs.as_slice()),
    };
    ended(
        (record && names.is_empty()).then_some(counted),
        sum.failures.len(),
    )
}

/// Writes down what was counted, if it is asked for; a failure fails.
fn ended(counted: Option<(Check, &[(&str, usize)])>, failures: usize) -> ExitCode {
    let kept = counted.map_or(Ok(()), |(check, tried)| {
        Proof::record(check, tried, failures)
    });
    if failures > 0 {
        return ExitCode::FAILURE;
    }
    written(kept)
}

fn written(done: Result<(), Trouble>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why.to_string()),
    }
}

fn show(scenario: &Scenario, tally: &Tally, seconds: f64) {
    println!(
        "{:<16} {:>5} {:>8} {:>8} {:>8} {:>7} {:>9} {:>8.1}",
        scenario.name,
        tally.calls,
        tally.effects,
        tally.singles,
        tally.pairs,
        tally.logins,
        tally.failures.len(),
        seconds
    );
    for failure in tally.failures.iter().take(SHOWN) {
        show_failure(failure);
    }
}

fn show_failure(failure: &Failure) {
    let faults = if failure.plan.0.is_empty() {
        String::new()
    } else {
        format!(" --fault {}", failure.plan)
    };
    println!(
        "  cargo run -p tsunagi-simulation -- replay {}{faults}",
        failure.scenario
    );
    for complaint in &failure.complaints {
        println!("    {complaint}");
    }
}

fn replay(name: &str, faults: Vec<Fault>, planted: Option<Planted>) -> ExitCode {
    let Some(scenario) = scenarios::named(name) else {
        return fail(&format!("there is no scenario {name}; see `list`"));
    };
    let setting = Setting {
        plan: Plan(faults),
        traced: true,
        planted,
        ..Setting::default()
    };
    show_run(&runner::play(&scenario, setting))
}

fn show_run(run: &Run) -> ExitCode {
    for line in &run.trace {
        let number = line.number.map(|number| format!("#{number}"));
        let at = line.at.format("%d %H:%M:%S%.3f");
        println!("{:>6} {at} {}", number.unwrap_or_default(), line.text);
    }
    println!("rounds: {}, logins: {}", run.rounds, run.logins);
    for complaint in &run.complaints {
        println!("WRONG: {complaint}");
    }
    if run.complaints.is_empty() {
        println!("both services' books are as they should be");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn find_planted(chosen: Vec<Planted>, most: u32, record: bool) -> ExitCode {
    let chosen = match chosen.as_slice() {
        [] => Planted::ALL.to_vec(),
        _ => chosen,
    };
    let record = record && chosen.len() == Planted::ALL.len();
    let (mut missed, mut sum) = (0, 0);
    println!("planted fault               runs  found in         seconds");
    for &planted in &chosen {
        let began = Instant::now();
        let found = planted::find(planted, most);
        let runs = found.as_ref().map_or(most, |found| found.runs);
        sum += runs as usize;
        let scenario = found.as_ref().map_or("NOT FOUND", |found| found.scenario);
        let (name, seconds) = (planted.name(), began.elapsed().as_secs_f64());
        println!("{name:<24} {runs:>7}  {scenario:<16} {seconds:>7.1}");
        println!("    {}", planted.sentence());
        match found {
            Some(found) => println!("    {}\n    {}", found.complaint, found.replay(planted)),
            None => missed += 1,
        }
    }
    let tried = [("planted", chosen.len()), ("runs", sum)];
    ended(record.then_some((Check::Planted, &tried)), missed)
}

fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
