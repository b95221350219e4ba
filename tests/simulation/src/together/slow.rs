//! A slow instance: it stops at a call, longer than its lease, others do whole rounds, then it wakes and finishes late; at every call
//! of it. It must not forgive what it does then.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use super::{
    Failure,
    beside::{self, Beside, Companion, Counter, Dice, Point},
    pair::{Pair, Who},
    partner::Grain,
    setting,
    small::Small,
    verdict,
    view::Turn,
};
use crate::{
    fault::Plan,
    runner::{self, Run, share_out},
    scenarios::Scenario,
    stage::{Broken, Stage},
    world::World,
};

/// Figures.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Calls, and answers on their way, at which it slept.
    pub points: usize,
    /// Of these, how often the others could not but ask for a login meanwhile: nobody can tell a late answer from a lost one.
    pub asked: usize,
    /// What went wrong.
    pub failures: Vec<Failure>,
}

/// How one sleeps in a small scenario.
#[derive(Debug, Clone, Copy)]
pub struct Nap {
    /// Who.
    pub who: Who,
    /// Before its call of this number, from 1; an answer's arrival counts as one.
    pub at: u32,
    /// Whether somebody logs in if that is asked for meanwhile.
    pub login: bool,
}

/// Plays a nap; `None` when there is no such call. Says whether a login was asked for meanwhile.
pub fn nap(mut pair: Pair, nap: Nap) -> Option<(bool, Run)> {
    let late = pair.go_on(nap.who, Turn::of(nap.at.saturating_sub(1))).late;
    if !pair.is_awake(nap.who) {
        return None;
    }
    let world = &pair.stage.world;
    world.note(|| "---- falls asleep".to_owned());
    pair.go_on(nap.who.other(), Turn::WHOLE);
    beside::nap(&pair.stage.world, late);
    let asked = is_asked(&pair.stage);
    let logged_in = if nap.login && asked {
        pair.stage.log_in()
    } else {
        Ok(())
    };
    pair.stage.world.note(|| "---- wakes".to_owned());
    pair.go_on(nap.who, Turn::WHOLE);
    let mut run = pair.judge();
    run.complaints
        .extend(logged_in.err().map(|Broken(why)| why));
    Some((asked, run))
}

fn is_asked(stage: &Stage) -> bool {
    stage
        .status()
        .is_ok_and(|status| status.login_needed.is_some())
}

/// Every nap of both instances of a small scenario.
pub fn explore(small: &Small) -> Tally {
    let mut tally = Tally::default();
    let beginning = match Pair::begin(small, setting(false), Grain::Answers) {
        Ok(pair) => pair,
        Err(Broken(why)) => {
            tally.note(format!("together-replay {}", small.name), vec![why]);
            return tally;
        }
    };
    for who in Who::BOTH {
        for at in 1.. {
            let Some((asked, run)) = nap(
                beginning.fork(),
                Nap {
                    who,
                    at,
                    login: false,
                },
            ) else {
                break;
            };
            tally.points += 1;
            let replay = format!("together-replay {} --nap {who:?}{at}", small.name);
            tally.note(replay.clone(), run.complaints);
            if asked {
                tally.asked += 1;
                let again = nap(
                    beginning.fork(),
                    Nap {
                        who,
                        at,
                        login: true,
                    },
                );
                let complaints = again.map(|(_, run)| run.complaints);
                tally.note(format!("{replay} --login"), complaints.unwrap_or_default());
            }
        }
    }
    tally
}

impl Tally {
    fn note(&mut self, replay: String, complaints: Vec<String>) {
        if !complaints.is_empty() {
            self.failures.push(Failure { replay, complaints });
        }
    }
}

/// Whatever instance comes to this point falls asleep there.
struct Sleeper {
    left: u32,
}

impl Beside for Sleeper {
    fn meanwhile(&mut self, world: &World, point: Point) {
        let Some(left) = self.left.checked_sub(1) else {
            return;
        };
        self.left = left;
        if left == 0 {
            world.note(|| format!("---- falls asleep: {point:?}"));
            let before = world.speak_as(Some('B'));
            let late = match point {
                Point::Leaving(service) => Some(service),
                Point::Before | Point::Acted => None,
            };
            beside::nap(world, late);
            world.speak_as(before);
            world.note(|| "---- wakes".to_owned());
        }
    }
}

/// Plays a scenario with a sleep at this point, from 1.
pub fn sleep_at(scenario: &Scenario, at: u32, traced: bool) -> Run {
    let mut stage = match runner::begin(scenario, setting(traced)) {
        Ok(stage) => stage,
        Err(run) => return *run,
    };
    stage.world.set_beside(Some(Box::new(Sleeper { left: at })));
    let played = (scenario.act)(&mut stage).and_then(|()| stage.settle());
    verdict(&stage, played)
}

/// A sleep at every `every`th point of a scenario, on so many threads.
pub fn explore_scenario(scenario: &Scenario, every: u32, threads: usize) -> Tally {
    let tally = Mutex::new(Tally::default());
    let note = |at: u32, run: Run| {
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.points += 1;
        let replay = format!("together-replay {} --nap {at}", scenario.name);
        tally.note(replay, run.complaints);
    };
    match rehearse(scenario) {
        Err(run) => note(0, *run),
        Ok((points, stages)) => {
            let at: Vec<u32> = (1..=points).step_by(every.max(1) as usize).collect();
            share_out(threads, &at, |at| {
                let before = stages.iter().rev().find(|(seen, _)| seen < at);
                let run = match before {
                    Some((seen, stage)) => from_round(stage, at - seen),
                    None => sleep_at(scenario, *at, false),
                };
                note(*at, run);
            });
        }
    }
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn from_round(stage: &Stage, left: u32) -> Run {
    let mut stage = stage.fork(Plan::default());
    stage.world.set_beside(Some(Box::new(Sleeper { left })));
    let played = stage.settle();
    verdict(&stage, played)
}

/// How many points a run has, and the run before each round in which it settles, with the points so far.
type Rehearsal = (u32, Vec<(u32, Stage)>);

/// How many points the run has, and the run before each of the rounds in which it settles.
fn rehearse(scenario: &Scenario) -> Result<Rehearsal, Box<Run>> {
    let mut stage = runner::begin(scenario, setting(false))?;
    let points = Arc::new(AtomicU32::new(0));
    let counter = Counter(Arc::clone(&points));
    stage.world.set_beside(Some(Box::new(counter)));
    let mut stages = Vec::new();
    let played = (scenario.act)(&mut stage).and_then(|()| {
        stage.settle_watched(|stage| {
            let seen = points.load(Ordering::Relaxed);
            stages.push((seen, stage.fork(Plan::default())));
        })
    });
    let run = verdict(&stage, played);
    if run.complaints.is_empty() {
        Ok((points.load(Ordering::Relaxed), stages))
    } else {
        Err(Box::new(run))
    }
}

/// Plays a scenario beside a second machine that does rounds and takes in webhooks, in an order drawn from the seed.
pub fn random(scenario: &Scenario, seed: u64, traced: bool) -> Run {
    let mut stage = match runner::begin(scenario, setting(traced)) {
        Ok(stage) => stage,
        Err(run) => return *run,
    };
    let companion = Arc::new(Mutex::new(Companion::new(Dice::new(seed))));
    let shared = Shared(Arc::clone(&companion));
    stage.world.set_beside(Some(Box::new(shared)));
    let mut played = (scenario.act)(&mut stage).and_then(|()| stage.settle());
    stage.world.set_beside(None);
    let mut companion = companion.lock().unwrap_or_else(PoisonError::into_inner);
    companion.finish(&stage.world);
    stage.world.state().struck_at = Some(stage.world.now());
    played = played.and_then(|()| stage.settle());
    verdict(&stage, played)
}

struct Shared(Arc<Mutex<Companion>>);

impl Beside for Shared {
    fn meanwhile(&mut self, world: &World, point: Point) {
        let mut companion = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        companion.meanwhile(world, point);
    }
}

/// So many random orders of a scenario, with seeds from `seed` on, on so many threads.
pub fn explore_random(scenario: &Scenario, seed: u64, times: u32, threads: usize) -> Vec<Failure> {
    let seeds: Vec<u64> = (0..u64::from(times))
        .map(|at| seed.wrapping_add(at))
        .collect();
    let tally = Mutex::new(Tally::default());
    share_out(threads, &seeds, |seed| {
        let run = random(scenario, *seed, false);
        let replay = format!("together-replay {} --seed {seed}", scenario.name);
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.note(replay, run.complaints);
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.failures
}
