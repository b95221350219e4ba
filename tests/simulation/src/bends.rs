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
    scenarios::{self, Scenario},
    stage::Broken,
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
    let mut search = Search::default();
    for scenario in scenarios::all() {
        let is_meant =
            args.scenario.is_empty() || args.scenario.iter().any(|name| name == scenario.name);
        if is_meant && let Err(why) = search.bend(args, seed, &scenario) {
            return super::fail(&format!("{}: {why}", scenario.name));
        }
    }
    let whole = args.scenario.is_empty() && args.way.is_none() && !args.by_lot;
    let tried = [("bends", search.tried)];
    super::ended(
        (record && whole).then_some((Check::Bends, &tried)),
        search.failures,
    )
}

/// What was bent so far: a field of an endpoint is bent where it comes first.
#[derive(Default)]
struct Search {
    answers: BTreeSet<(String, String)>,
    records: BTreeSet<(String, String)>,
    tried: usize,
    failures: usize,
}

impl Search {
    /// One scenario, and what came of it.
    fn bend(&mut self, args: &Args, seed: u64, scenario: &Scenario) -> Result<(), Broken> {
        let began = Instant::now();
        let rehearsal = Rehearsal::of(scenario, Setting::default())?;
        let (mut of_answers, mut of_records) = (Vec::new(), Vec::new());
        if !args.by_lot {
            of_answers = rehearsal.answer_bends(&mut self.answers);
            of_records = rehearsal.record_bends(&mut self.records);
        }
        of_answers.retain(|bend| args.way.is_none_or(|way| way == bend.way));
        of_records.retain(|bend| args.way.is_none_or(|way| way == bend.way));
        let drawn = drawn(&rehearsal, args.runs, seed);
        let mut tally = Tally::default();
        for bends in [&of_answers, &of_records, &drawn] {
            tally.add(&rehearsal, bends);
        }
        self.tried += tally.runs;
        self.failures += tally.failures.len();
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
        told(&tally, args.pressed);
        Ok(())
    }
}

/// Bends by lot.
fn drawn(rehearsal: &Rehearsal, runs: u32, seed: u64) -> Vec<Bend> {
    let setting = Setting {
        seed,
        ..Setting::default()
    };
    let dice = World::new(tsunagi_simulation::shop::morning(), setting);
    let draws = (0..runs).filter_map(|_| rehearsal.drawn(|| dice.roll()));
    draws.collect()
}

fn told(tally: &Tally, pressed: bool) {
    for failure in tally.failures.iter().take(SHOWN) {
        println!("  {}", failure.replay);
        for complaint in &failure.complaints {
            println!("    {complaint}");
        }
    }
    for replay in tally.pressed.iter().filter(|_| pressed) {
        println!("  pressed: {replay}");
    }
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
