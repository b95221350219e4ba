//! Trying every fault at every call of a scenario, and pairs of them. Each run is deterministic; only which run comes first depends
//! on threads. It must not explain a failure away.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    fault::{Call, Fault, Kind, Plan},
    judge,
    memory::Memory,
    scenarios::Scenario,
    stage::{Broken, Stage},
    world::{Line, Setting},
};

/// A complaint about the plan, not about what was played.
pub const NEVER_STRUCK: &str = "a fault of the plan never struck";

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The calls, by number less one.
    pub calls: Vec<Call>,
    /// What storage held at the end.
    pub storage: Memory,
    /// The trace, if it was asked for.
    pub trace: Vec<Line>,
    /// How often a person had to log in again.
    pub logins: u32,
    /// Rounds of the schedule.
    pub rounds: u32,
    /// Everything that is wrong; empty is well.
    pub complaints: Vec<String>,
}

/// Plays a scenario from its beginning and judges it.
pub fn play(scenario: &Scenario, setting: Setting) -> Run {
    let mut stage = match begin(scenario, setting) {
        Ok(stage) => stage,
        Err(run) => return *run,
    };
    let played = (scenario.act)(&mut stage).and_then(|()| stage.settle());
    verdict(&stage, played)
}

pub(crate) fn begin(scenario: &Scenario, setting: Setting) -> Result<Stage, Box<Run>> {
    let begun = (scenario.set_up)(setting);
    let mut stage = begun.map_err(|Broken(why)| {
        Box::new(Run {
            complaints: vec![format!("set-up: {why}")],
            ..Run::default()
        })
    })?;
    stage.disturb();
    Ok(stage)
}

/// A run and the points from which it can be played again otherwise: its beginning, and before each round.
pub(crate) struct Rehearsal {
    /// What came of it.
    pub(crate) run: Run,
    beginning: Stage,
    rounds: Vec<(u32, Stage)>,
}

impl Rehearsal {
    /// The scenario from its beginning.
    pub(crate) fn of(scenario: &Scenario, beginning: Stage) -> Self {
        let mut stage = beginning.fork(beginning.world.plan());
        let mut rounds = Vec::new();
        let played = (scenario.act)(&mut stage).and_then(|()| watched(&mut stage, &mut rounds));
        Self {
            run: verdict(&stage, played),
            beginning,
            rounds,
        }
    }

    /// The rehearsal of the same run with another fault in it, which strikes later than all others.
    pub(crate) fn with(&self, scenario: &Scenario, plan: Plan) -> Self {
        let (stage, acted) = self.before(&plan);
        let beginning = self.beginning.fork(plan.clone());
        if !acted {
            return Self::of(scenario, beginning);
        }
        let mut rounds = Vec::new();
        let mut stage = stage.fork(plan);
        let played = watched(&mut stage, &mut rounds);
        Self {
            run: verdict(&stage, played),
            beginning,
            rounds,
        }
    }

    /// Plays the same run with another fault in it, and keeps nothing but what came of it.
    pub(crate) fn run_with(&self, scenario: &Scenario, plan: Plan) -> Run {
        let (stage, acted) = self.before(&plan);
        let mut stage = stage.fork(plan);
        let played = if acted {
            stage.settle()
        } else {
            (scenario.act)(&mut stage).and_then(|()| stage.settle())
        };
        verdict(&stage, played)
    }

    /// The last point before the plan's last fault, and whether the acts are over by then.
    fn before(&self, plan: &Plan) -> (&Stage, bool) {
        let last = plan
            .0
            .iter()
            .map(|fault| fault.at)
            .max()
            .unwrap_or_default();
        let points = self.rounds.iter().rev();
        let found = points.into_iter().find(|(calls, _)| *calls < last);
        found.map_or((&self.beginning, false), |(_, stage)| (stage, true))
    }
}

fn watched(stage: &mut Stage, rounds: &mut Vec<(u32, Stage)>) -> Result<(), Broken> {
    stage.settle_watched(|stage| {
        let calls = stage.world.state().calls().len();
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        rounds.push((calls, stage.fork(stage.world.plan())));
    })
}

/// What came of a run that was played, judged.
pub fn verdict(stage: &Stage, played: Result<(), Broken>) -> Run {
    let state = stage.world.state();
    let mut complaints = state.breaches.clone();
    complaints.extend(played.err().map(|Broken(why)| why));
    complaints.extend(judge::judge(&state.services, &stage.script));
    if !state.plan_is_done() {
        complaints.push(NEVER_STRUCK.to_owned());
    }
    if stage.logins > 0 && !state.pair_was_lost() {
        complaints.push("a login was asked for, and no pair of tokens was lost".to_owned());
    }
    Run {
        calls: state.calls().to_vec(),
        storage: state.memory.clone(),
        trace: state.trace().to_vec(),
        logins: stage.logins,
        rounds: stage.rounds,
        complaints,
    }
}

/// Plays it as [`explore`] does: from the last round before the plan's last fault.
pub fn play_forked(scenario: &Scenario, plan: &Plan) -> Run {
    match begin(scenario, Setting::default()) {
        Ok(stage) => Rehearsal::of(scenario, stage).run_with(scenario, plan.clone()),
        Err(run) => *run,
    }
}

/// A run that went wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Its scenario.
    pub scenario: &'static str,
    /// Its plan.
    pub plan: Plan,
    /// What is wrong.
    pub complaints: Vec<String>,
}

/// Figures of a scenario.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Calls of the undisturbed run.
    pub calls: usize,
    /// Those of them that have effects.
    pub effects: usize,
    /// Runs with one fault.
    pub singles: usize,
    /// Runs with two.
    pub pairs: usize,
    /// Runs with two that [`Depth::Pairs`] makes.
    pub possible_pairs: usize,
    /// Runs in which a person had to log in again.
    pub logins: usize,
    /// Runs that went wrong.
    pub failures: Vec<Failure>,
}

impl Tally {
    /// Another scenario's figures beside.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.effects += other.effects;
        self.singles += other.singles;
        self.pairs += other.pairs;
        self.possible_pairs += other.possible_pairs;
        self.logins += other.logins;
        self.failures.extend(other.failures);
    }
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every fault at every call.
    Singles,
    /// And every pair of deaths and lost answers.
    Pairs,
}

/// Every fault that fits a call, but for sleeping: that is two instances, and tried elsewhere.
pub fn singles(calls: &[Call]) -> Vec<Fault> {
    let faults = (1..).zip(calls).flat_map(|(at, call)| {
        let kinds = Kind::ALL.iter().filter(|kind| kind.fits(call.class));
        let kinds = kinds.filter(|kind| **kind != Kind::Sleeps);
        kinds.map(move |&kind| Fault { at, kind })
    });
    faults.collect()
}

/// Deaths and lost answers at the calls that have effects. To die before a call, or at a read, leaves the same world behind as to
/// die after the effect before it; so a death is tried after each effect, and before the first one of each instance.
pub fn paired(calls: &[Call], after: u32) -> Vec<Fault> {
    let faults = singles(calls);
    let of_pairs = |fault: &Fault| {
        let call = (fault.at as usize)
            .checked_sub(1)
            .and_then(|at| calls.get(at));
        fault.at > after && call.is_some_and(|call| fault.kind.is_paired(*call))
    };
    faults.into_iter().filter(of_pairs).collect()
}

/// Tries everything, on so many threads.
pub fn explore(scenario: &Scenario, depth: Depth, threads: usize) -> Tally {
    let tally = Mutex::new(Tally::default());
    let beginning = match begin(scenario, Setting::default()) {
        Ok(stage) => stage,
        Err(run) => {
            note(&tally, scenario, Plan::default(), &run);
            return tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        }
    };
    let whole = Rehearsal::of(scenario, beginning);
    note(&tally, scenario, Plan::default(), &whole.run);
    let faults = singles(&whole.run.calls);
    share_out(threads, &faults, |first| {
        let plan = Plan(vec![*first]);
        if depth == Depth::Pairs && paired(&whole.run.calls, 0).contains(first) {
            let broken = whole.with(scenario, plan.clone());
            note(&tally, scenario, plan, &broken.run);
            for second in paired(&broken.run.calls, first.at) {
                let plan = Plan(vec![*first, second]);
                let run = broken.run_with(scenario, plan.clone());
                note(&tally, scenario, plan, &run);
            }
        } else {
            let run = whole.run_with(scenario, plan.clone());
            if paired(&whole.run.calls, 0).contains(first) {
                let pairs = paired(&run.calls, first.at).len();
                tally
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .possible_pairs += pairs;
            }
            note(&tally, scenario, plan, &run);
        }
    });
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let calls = &whole.run.calls;
    tally.calls = calls.len();
    tally.effects = calls.iter().filter(|call| call.class.has_effect()).count();
    tally
        .failures
        .sort_by(|one, other| one.plan.0.cmp(&other.plan.0));
    tally
}

fn note(tally: &Mutex<Tally>, scenario: &Scenario, plan: Plan, run: &Run) {
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    match plan.0.len() {
        0 => {}
        1 => tally.singles += 1,
        _ => tally.pairs += 1,
    }
    tally.logins += usize::from(run.logins > 0);
    if !run.complaints.is_empty() {
        tally.failures.push(Failure {
            scenario: scenario.name,
            plan,
            complaints: run.complaints.clone(),
        });
    }
}

/// Every piece of work once, on so many threads.
pub fn share_out<T: Sync>(threads: usize, work: &[T], each: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(piece) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    each(piece);
                }
            });
        }
    });
}
