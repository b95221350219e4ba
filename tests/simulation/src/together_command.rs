//! The commands of `together`: a table of what was tried, and a replay. It must not decide what is right.

use std::{
    process::ExitCode,
    sync::Mutex,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use tsunagi_simulation::{
    proof::Check,
    runner::{Run, share_out},
    scenarios,
    stage::Broken,
    together::{
        Failure,
        beside::Dice,
        every,
        pair::{Pair, Schedule, Who},
        partner::Grain,
        slow, small,
    },
    world::Setting,
};

use crate::{fail, show_run};

/// Failures shown of each scenario.
const SHOWN: usize = 10;

/// What the README's row is counted with.
const RANDOM: u32 = 100;
const MOST: usize = 20_000;

/// `together`.
#[derive(Args)]
pub struct Together {
    /// Scenarios, small ones and those of `list`; all without any.
    scenarios: Vec<String>,
    /// Random orders of each large scenario.
    #[arg(long, default_value_t = RANDOM)]
    random: u32,
    /// Where the random orders begin; a fresh one without it.
    #[arg(long)]
    seed: Option<u64>,
    /// Threads; runs do not share anything.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// A small scenario with more states is tried with fewer interruptions.
    #[arg(long, default_value_t = MOST)]
    most: usize,
    /// In large scenarios one sleeps at every so many calls.
    #[arg(long, default_value_t = 1)]
    every: u32,
}

/// A line of the table.
struct Line {
    name: &'static str,
    text: String,
    tried: Tried,
    failures: Vec<Failure>,
}

/// Figures of the README's row.
#[derive(Debug, Clone, Copy, Default)]
struct Tried {
    /// Small scenarios of which every order was tried.
    whole: usize,
    /// Small ones of which only the orders with few interruptions were.
    bound: usize,
    states: usize,
    naps: usize,
    random: usize,
    failures: usize,
}

impl Tried {
    fn add(&mut self, line: &Line) {
        let Tried {
            whole,
            bound,
            states,
            naps,
            random,
            ..
        } = line.tried;
        self.whole += whole;
        self.bound += bound;
        self.states += states;
        self.naps += naps;
        self.random += random;
        self.failures += line.failures.len();
    }

    fn row(self) -> [(&'static str, usize); 5] {
        [
            ("small scenarios in every order", self.whole),
            ("with few interruptions", self.bound),
            ("states", self.states),
            ("naps", self.naps),
            ("orders by lot", self.random),
        ]
    }
}

impl Together {
    /// Tries it all, and prints the table; `record` writes the README's row, if nothing was left out.
    pub fn run(self, record: bool) -> ExitCode {
        let seed = self.seed.unwrap_or_else(fresh_seed);
        let is_chosen = |name: &str| {
            self.scenarios.is_empty() || self.scenarios.iter().any(|chosen| chosen == name)
        };
        let known =
            |name: &String| small::named(name).is_some() || scenarios::named(name).is_some();
        if let Some(unknown) = self.scenarios.iter().find(|name| !known(name)) {
            return fail(&format!("there is no scenario {unknown}"));
        }
        println!(
            "{:<16} {:>9} {:>13} {:>8} {:>6} {:>7} {:>6} {:>6} {:>9} {:>8}",
            "two at once",
            "calls",
            "orders",
            "states",
            "ends",
            "bound",
            "slow",
            "asked",
            "failures",
            "seconds"
        );
        let chosen: Vec<_> = small::all()
            .iter()
            .filter(|small| is_chosen(small.name))
            .collect();
        let mut tried = self.in_turn(&chosen, |small| self.small(small));
        println!("\nseed {seed}");
        println!(
            "{:<16} {:>6} {:>6} {:>9} {:>8}",
            "beside another", "slow", "random", "failures", "seconds"
        );
        for scenario in scenarios::all()
            .iter()
            .filter(|large| is_chosen(large.name))
        {
            let line = self.large(scenario, seed);
            show(&line);
            tried.add(&line);
        }
        let whole =
            self.scenarios.is_empty() && (self.random, self.most, self.every) == (RANDOM, MOST, 1);
        super::ended(
            (record && whole).then_some((Check::Together, &tried.row())),
            tried.failures,
        )
    }

    fn in_turn<T: Sync>(&self, work: &[T], line: impl Fn(&T) -> Line + Sync) -> Tried {
        let tried = Mutex::new(Tried::default());
        share_out(self.threads, work, |piece| {
            let line = line(piece);
            if let Ok(mut tried) = tried.lock() {
                show(&line);
                tried.add(&line);
            }
        });
        tried.into_inner().unwrap_or_default()
    }

    fn small(&self, small: &small::Small) -> Line {
        let began = Instant::now();
        let every = every::explore(small, self.most);
        let slow = slow::explore(small);
        let mut failures = every.failures;
        failures.extend(slow.failures);
        let bound = every
            .bound
            .map_or("none".to_owned(), |bound| bound.to_string());
        let text = format!(
            "{:>9} {:>13.4e} {:>8} {:>6} {:>7} {:>6} {:>6} {:>9} {:>8.1}",
            format!("{}+{}", every.calls.0, every.calls.1),
            every.orders,
            every.states,
            every.ends,
            bound,
            slow.points,
            slow.asked,
            failures.len(),
            began.elapsed().as_secs_f64()
        );
        let whole = usize::from(every.bound.is_none());
        let tried = Tried {
            whole,
            bound: 1 - whole,
            states: every.states,
            naps: slow.points,
            ..Tried::default()
        };
        Line {
            name: small.name,
            text,
            tried,
            failures,
        }
    }

    fn large(&self, scenario: &scenarios::Scenario, seed: u64) -> Line {
        let began = Instant::now();
        let slow = slow::explore_scenario(scenario, self.every, self.threads);
        let mut failures = slow.failures;
        failures.extend(slow::explore_random(
            scenario,
            seed,
            self.random,
            self.threads,
        ));
        let text = format!(
            "{:>6} {:>6} {:>9} {:>8.1}",
            slow.points,
            self.random,
            failures.len(),
            began.elapsed().as_secs_f64()
        );
        let tried = Tried {
            naps: slow.points,
            random: self.random as usize,
            ..Tried::default()
        };
        Line {
            name: scenario.name,
            text,
            tried,
            failures,
        }
    }
}

fn show(line: &Line) {
    println!("{:<16} {}", line.name, line.text);
    for failure in line.failures.iter().take(SHOWN) {
        println!("  cargo run -p tsunagi-simulation -- {}", failure.replay);
        for complaint in &failure.complaints {
            println!("    {complaint}");
        }
    }
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |now| now.as_nanos());
    Dice::new(u64::try_from(nanoseconds).unwrap_or_default()).below(1 << 32)
}

/// `together-replay`.
#[derive(Args)]
pub struct Replay {
    /// The scenario.
    scenario: String,
    /// Who makes how many calls, like A12B3A; the rest is A's, then B's.
    #[arg(long)]
    schedule: Option<Schedule>,
    /// Who falls asleep before which of its calls, like A17; in a large scenario only the number.
    #[arg(long)]
    nap: Option<String>,
    /// Somebody logs in during the nap, if that is asked for.
    #[arg(long)]
    login: bool,
    /// The random order of this seed.
    #[arg(long)]
    seed: Option<u64>,
}

impl Replay {
    /// Plays it.
    pub fn run(self) -> ExitCode {
        match self.played() {
            Ok(run) => show_run(&run),
            Err(why) => fail(&why),
        }
    }

    fn played(self) -> Result<Run, String> {
        let nap = self.nap.as_deref().unwrap_or("A1");
        if let Some(small) = small::named(&self.scenario) {
            return self.small(&small, nap);
        }
        let large = scenarios::named(&self.scenario);
        let large = large.ok_or_else(|| format!("there is no scenario {}", self.scenario))?;
        match (self.seed, nap.parse()) {
            (Some(seed), _) => Ok(slow::random(&large, seed, true)),
            (None, Ok(at)) => Ok(slow::sleep_at(&large, at, true)),
            (None, Err(_)) => Err("a large scenario needs --seed or --nap NUMBER".to_owned()),
        }
    }

    fn small(&self, small: &small::Small, nap: &str) -> Result<Run, String> {
        let grain = if self.nap.is_some() {
            Grain::Answers
        } else {
            Grain::Calls
        };
        let setting = Setting {
            traced: true,
            ..Setting::default()
        };
        let begun = Pair::begin(small, setting, grain);
        let mut pair = begun.map_err(|Broken(why)| why)?;
        if self.nap.is_none() {
            pair.follow(&self.schedule.clone().unwrap_or_default());
            return Ok(pair.judge());
        }
        let (letter, at) = nap.split_at_checked(1).unwrap_or_default();
        let who = if letter == "A" { Who::A } else { Who::B };
        let at = at.parse().map_err(|_| format!("`{nap}` is not like A17"))?;
        let nap = slow::Nap {
            who,
            at,
            login: self.login,
        };
        let played = slow::nap(pair, nap);
        Ok(played.ok_or("there is no such call")?.1)
    }
}
