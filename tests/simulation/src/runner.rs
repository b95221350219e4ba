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
    fault::{Class, Fault, Kind, Plan},
    judge,
    scenarios::Scenario,
    stage::{Broken, Stage},
    world::{Line, Setting},
};

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The calls, by number less one.
    pub classes: Vec<Class>,
    /// The trace, if it was asked for.
    pub trace: Vec<Line>,
    /// How often a person had to log in again.
    pub logins: u32,
    /// Rounds of the schedule.
    pub rounds: u32,
    /// Everything that is wrong; empty is well.
    pub complaints: Vec<String>,
}

/// Plays a scenario under a plan and judges it.
pub fn play(scenario: &Scenario, setting: Setting) -> Run {
    match (scenario.set_up)(setting) {
        Ok(stage) => play_on(scenario, stage),
        Err(Broken(why)) => Run {
            complaints: vec![format!("set-up: {why}")],
            ..Run::default()
        },
    }
}

fn play_on(scenario: &Scenario, mut stage: Stage) -> Run {
    let before = stage.logins;
    stage.disturb();
    let played = (scenario.act)(&mut stage).and_then(|()| stage.settle());
    let state = stage.world.state();
    let mut complaints = state.breaches.clone();
    complaints.extend(played.err().map(|Broken(why)| why));
    complaints.extend(judge::judge(&state.services, &stage.script));
    if !state.plan_is_done() {
        complaints.push("a fault of the plan never struck".to_owned());
    }
    let logins = stage.logins - before;
    if logins > 0 && !state.pair_was_lost() {
        complaints.push("a login was asked for, and no pair of tokens was lost".to_owned());
    }
    Run {
        classes: state.classes().to_vec(),
        trace: state.trace().to_vec(),
        logins,
        rounds: stage.rounds,
        complaints,
    }
}

/// Plays it under a plan, without a trace.
pub fn play_plan(scenario: &Scenario, plan: Vec<Fault>) -> Run {
    let setting = Setting {
        plan: Plan(plan),
        ..Setting::default()
    };
    play(scenario, setting)
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
    /// Runs in which a person had to log in again.
    pub logins: usize,
    /// Runs that went wrong.
    pub failures: Vec<Failure>,
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every fault at every call.
    Singles,
    /// And every pair of deaths and lost answers.
    Pairs,
}

/// Every fault that fits a call.
pub fn singles(classes: &[Class]) -> Vec<Fault> {
    let faults = (1..).zip(classes).flat_map(|(at, class)| {
        let kinds = Kind::ALL.iter().filter(|kind| kind.fits(*class));
        kinds.map(move |&kind| Fault { at, kind })
    });
    faults.collect()
}

/// Deaths and lost answers at the calls that have effects. Dying before a read, or after it, leaves the same world behind as dying
/// after the effect before it, so once is enough.
pub fn paired(classes: &[Class], after: u32) -> Vec<Fault> {
    let faults = (1..)
        .zip(classes)
        .filter(|(at, class)| *at > after && class.has_effect())
        .flat_map(|(at, class)| {
            let kinds = Kind::ALL
                .iter()
                .filter(|kind| kind.is_paired() && kind.fits(*class));
            kinds.map(move |&kind| Fault { at, kind })
        });
    faults.collect()
}

/// Tries everything, on so many threads.
pub fn explore(scenario: &Scenario, depth: Depth, threads: usize) -> Tally {
    let undisturbed = play_plan(scenario, Vec::new());
    let tally = Mutex::new(Tally {
        calls: undisturbed.classes.len(),
        effects: undisturbed
            .classes
            .iter()
            .filter(|class| class.has_effect())
            .count(),
        ..Tally::default()
    });
    note(&tally, scenario, Vec::new(), &undisturbed, |_| ());
    let faults = singles(&undisturbed.classes);
    share_out(threads, &faults, |first| {
        let run = play_plan(scenario, vec![*first]);
        note(&tally, scenario, vec![*first], &run, |tally| {
            tally.singles += 1;
        });
        if depth == Depth::Pairs && first.kind.is_paired() && first_has_effect(&run, first) {
            for second in paired(&run.classes, first.at) {
                let plan = vec![*first, second];
                let run = play_plan(scenario, plan.clone());
                note(&tally, scenario, plan, &run, |tally| tally.pairs += 1);
            }
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn first_has_effect(run: &Run, fault: &Fault) -> bool {
    let class = run.classes.get(fault.at as usize - 1);
    class.is_some_and(|class| class.has_effect())
}

fn note(
    tally: &Mutex<Tally>,
    scenario: &Scenario,
    plan: Vec<Fault>,
    run: &Run,
    count: impl FnOnce(&mut Tally),
) {
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    count(&mut tally);
    tally.logins += usize::from(run.logins > 0);
    if !run.complaints.is_empty() {
        tally.failures.push(Failure {
            scenario: scenario.name,
            plan: Plan(plan),
            complaints: run.complaints.clone(),
        });
    }
}

/// Every piece of work once, on so many threads.
fn share_out<T: Sync>(threads: usize, work: &[T], each: impl Fn(&T) + Sync) {
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
