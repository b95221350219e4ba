//! The command `bend`: every bend of the systematic part, then some by lot. Shows, and decides nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use clap::Args as Arguments;
use tsunagi_simulation::{
    bend::Way,
    bending::{self, Rehearsal, SORTS, Tally},
    fault::{Fault, Kind, Plan},
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
    /// With `--bend`: what goes wrong besides, as in `replay`.
    #[arg(long, value_delimiter = ',')]
    fault: Vec<Fault>,
    /// Threads; runs do not share anything.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Bends by lot, in each scenario.
    #[arg(long, default_value_t = 100)]
    runs: u32,
    /// For the lot; a fresh one otherwise.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this way.
    #[arg(long)]
    way: Option<Way>,
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
        return show(name, Plan(args.fault.clone()), bend);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = args
        .seed
        .unwrap_or_else(|| now.map_or(0, |now| now.as_nanos() as u64));
    println!("seed {seed}");
    println!("scenario         answers  records  by lot  after-lost  pressed  failures  seconds");
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

/// What was bent so far. Answers are bent in every scenario; a field of a record where it is first read, and an answer after a lost
/// write where it first follows a write of that kind.
#[derive(Default)]
struct Search {
    records: BTreeSet<(String, String)>,
    after_lost: BTreeMap<String, BTreeSet<(String, String)>>,
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
            of_answers = rehearsal.answer_bends(&mut BTreeSet::new(), Way::ALL);
            of_records = rehearsal.record_bends(&mut self.records);
        }
        let wanted = |bend: &Bend| args.way.is_none_or(|way| way == bend.way);
        of_answers.retain(wanted);
        of_records.retain(wanted);
        let drawn = drawn(&rehearsal, args.runs, seed);
        let mut tally = Tally::default();
        for bends in [&of_answers, &of_records, &drawn] {
            tally.add(&rehearsal, bends, args.threads);
        }
        let before = tally.runs;
        if !args.by_lot {
            for (lost, plan) in lost_writes(&rehearsal) {
                let seen = self.after_lost.entry(lost).or_default();
                let after = Rehearsal::of(
                    scenario,
                    Setting {
                        plan,
                        ..Setting::default()
                    },
                )?;
                let mut bends = after.answer_bends(seen, SORTS);
                bends.retain(wanted);
                tally.add(&after, &bends, args.threads);
            }
        }
        self.tried += tally.runs;
        self.failures += tally.failures.len();
        println!(
            "{:<16} {:>7} {:>8} {:>7} {:>10} {:>8} {:>9} {:>8.1}",
            scenario.name,
            of_answers.len(),
            of_records.len(),
            drawn.len(),
            tally.runs - before,
            tally.pressed.len(),
            tally.failures.len(),
            began.elapsed().as_secs_f64()
        );
        told(&tally, args.pressed);
        Ok(())
    }
}

/// For each kind of write its first request: the answer lost, and the request itself lost, which nobody can tell apart.
fn lost_writes(rehearsal: &Rehearsal) -> Vec<(String, Plan)> {
    let mut first = BTreeMap::new();
    for answer in &rehearsal.answers {
        let is_write = LOOKED_UP.iter().any(|name| answer.endpoint.ends_with(name));
        if is_write && answer.endpoint.starts_with("POST") {
            first.entry(&answer.endpoint).or_insert(answer.number);
        }
    }
    let plans = first.into_iter().flat_map(|(endpoint, at)| {
        [Kind::AnswerLost, Kind::RequestLost].map(|kind| {
            let name = format!("{endpoint} {}", kind.name());
            (name, Plan(vec![Fault { at, kind }]))
        })
    });
    plans.collect()
}

/// Writes without an answer, of which the outcome is looked up.
const LOOKED_UP: &[&str] = &[
    "/transactions",
    "/cancel",
    "/dispose",
    "/add",
    "/upload",
    "/api_neauth",
];

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

fn show(name: &str, plan: Plan, bend: &Bend) -> ExitCode {
    let Some(scenario) = scenarios::named(name) else {
        return super::fail(&format!("there is no scenario {name}; see `list`"));
    };
    match bending::shown(&scenario, plan, bend) {
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
