//! The command `bend`: every bend of the systematic part, then some by lot. Shows, and decides nothing.

use std::{
    collections::BTreeSet,
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use clap::Args as Arguments;
use tsunagi_simulation::{
    bending::{self, Rehearsal, Tally},
    hostile::Bend,
    proof::Check,
    scenarios,
    world::{Setting, World},
};

/// Failures shown.
const SHOWN: usize = 40;

/// What to bend.
#[derive(Arguments)]
pub struct Args {
    /// Scenarios; all without any.
    #[arg(long)]
    scenario: Vec<String>,
    /// Show this one, call by call; names one scenario.
    #[arg(long)]
    bend: Option<Bend>,
    /// Bends by lot, in each scenario.
    #[arg(long, default_value_t = 100)]
    runs: u32,
    /// For the lot; a fresh one otherwise.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this way.
    #[arg(long)]
    way: Option<tsunagi_simulation::bend::Way>,
    /// Only those by lot.
    #[arg(long)]
    by_lot: bool,
    /// Show the runs after which a person had to press something.
    #[arg(long)]
    pressed: bool,
}

/// Does it.
pub fn run(args: &Args, record: bool) -> ExitCode {
    if let (Some(bend), [name]) = (&args.bend, args.scenario.as_slice()) {
        return show(name, bend);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = args
        .seed
        .unwrap_or_else(|| now.map_or(0, |now| now.as_nanos() as u64));
    println!("seed {seed}");
    println!("scenario         answers  records  by lot  pressed  failures  seconds");
    let (mut answers, mut records) = (BTreeSet::new(), BTreeSet::new());
    let (mut failures, mut tried) = (0, 0);
    for scenario in scenarios::all() {
        if !args.scenario.is_empty() && !args.scenario.iter().any(|name| name == scenario.name) {
            continue;
        }
        let began = Instant::now();
        let rehearsal = match Rehearsal::of(&scenario, Setting::default()) {
            Ok(rehearsal) => rehearsal,
            Err(why) => return super::fail(&format!("{}: {why}", scenario.name)),
        };
        let mut tally = Tally::default();
        let (mut of_answers, mut of_records) = (Vec::new(), Vec::new());
        if !args.by_lot {
            of_answers = rehearsal.answer_bends(&mut answers);
            of_records = rehearsal.record_bends(&mut records);
        }
        of_answers.retain(|bend| args.way.is_none_or(|way| way == bend.way));
        of_records.retain(|bend| args.way.is_none_or(|way| way == bend.way));
        tally.add(&rehearsal, &of_answers);
        tally.add(&rehearsal, &of_records);
        let dice = World::new(
            tsunagi_simulation::shop::morning(),
            Setting {
                seed,
                ..Setting::default()
            },
        );
        let drawn: Vec<Bend> = (0..args.runs)
            .filter_map(|_| rehearsal.drawn(|| dice.roll()))
            .collect();
        tally.add(&rehearsal, &drawn);
        println!(
            "{:<16} {:>7} {:>8} {:>7} {:>8} {:>9} {:>8.1}",
            scenario.name,
            of_answers.len(),
            of_records.len(),
            drawn.len(),
            tally.pressed.len(),
            tally.failures.len(),
            began.elapsed().as_secs_f64()
        );
        for failure in tally.failures.iter().take(SHOWN) {
            println!("  {}", failure.replay);
            for complaint in &failure.complaints {
                println!("    {complaint}");
            }
        }
        for replay in tally.pressed.iter().filter(|_| args.pressed) {
            println!("  pressed: {replay}");
        }
        failures += tally.failures.len();
        tried += of_answers.len() + of_records.len() + drawn.len();
    }
    let whole = args.scenario.is_empty() && args.way.is_none() && !args.by_lot;
    let tried = [("bends", tried)];
    super::ended(
        (record && whole).then_some((Check::Bends, &tried)),
        failures,
    )
}

fn show(name: &str, bend: &Bend) -> ExitCode {
    let Some(scenario) = scenarios::named(name) else {
        return super::fail(&format!("there is no scenario {name}; see `list`"));
    };
    match bending::shown(&scenario, bend) {
        Ok(outcome) => {
            for line in &outcome.trace {
                let number = line.number.map(|number| format!("#{number}"));
                println!(
                    "{:>6} {} {}",
                    number.unwrap_or_default(),
                    line.at.format("%d %H:%M:%S%.3f"),
                    line.text
                );
            }
            for complaint in &outcome.complaints {
                println!("WRONG: {complaint}");
            }
            println!("pressed: {}", outcome.pressed);
            ExitCode::from(u8::from(!outcome.complaints.is_empty()))
        }
        Err(why) => super::fail(&why.to_string()),
    }
}
