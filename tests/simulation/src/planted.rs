//! Proof that the checks can fail: each fault planted in the guest is looked for in runs of a fixed order, until the judge
//! complains. First every scenario undisturbed; then what most often goes wrong at the first call of each scenario that has an
//! effect, at the second of each, and so on; then all other single faults, strewn over each scenario's calls; then pairs. It must
//! not know where a fault can be found.

use tsunagi_guest::planted::Planted;

use crate::{
    fault::{Call, Fault, Kind, Plan},
    runner::{self, Rehearsal, Run},
    scenarios::{self, Scenario},
    world::Setting,
};

/// How a planted fault was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Runs it took, that one with them.
    pub runs: u32,
    /// Its scenario.
    pub scenario: &'static str,
    /// Its plan.
    pub plan: Plan,
    /// What the judge said first.
    pub complaint: String,
}

impl Found {
    /// The command that shows the run.
    pub fn replay(&self, planted: Planted) -> String {
        let scenario = self.scenario;
        let faults = match self.plan.0.as_slice() {
            [] => String::new(),
            _ => format!(" --fault {}", self.plan),
        };
        let planted = planted.name();
        format!("cargo run -p tsunagi-simulation -- replay {scenario}{faults} --planted {planted}")
    }
}

/// The planted fault of this name.
///
/// # Errors
/// When there is none.
pub fn named(name: &str) -> Result<Planted, String> {
    let mut all = Planted::ALL.iter();
    let found = all.find(|planted| planted.name() == name);
    found
        .copied()
        .ok_or_else(|| format!("there is no planted fault {name}; see `planted`"))
}

/// Looks for a planted fault in at most so many runs.
pub fn find(planted: Planted, most: u32) -> Option<Found> {
    let mut search = Search { runs: 0, most };
    let mut plays = Vec::new();
    for scenario in scenarios::every() {
        let setting = Setting {
            planted: Some(planted),
            ..Setting::default()
        };
        match runner::begin(&scenario, setting) {
            Ok(stage) => plays.push((scenario, Rehearsal::of(&scenario, stage))),
            Err(run) => return search.judge(&scenario, Plan::default(), &run),
        }
        let (scenario, whole) = plays.last()?;
        if let Some(found) = search.judge(scenario, Plan::default(), &whole.run) {
            return Some(found);
        }
    }
    let plain = search.singles(&plays, plain);
    let single = plain.or_else(|| search.singles(&plays, |calls| strewn(&the_others(calls))));
    single.or_else(|| search.pairs(&plays))
}

/// How far a search has come.
struct Search {
    runs: u32,
    most: u32,
}

type Play = (Scenario, Rehearsal);

/// Whether the same faults do no harm when nothing is planted: otherwise they show nothing.
fn is_well_without(scenario: &Scenario, plan: &Plan) -> bool {
    let setting = Setting {
        plan: plan.clone(),
        ..Setting::default()
    };
    let run = runner::play(scenario, setting);
    let mut complaints = run.complaints.iter();
    complaints.all(|complaint| complaint == runner::NEVER_STRUCK)
}

impl Search {
    fn is_over(&self) -> bool {
        self.runs >= self.most
    }

    fn judge(&mut self, scenario: &Scenario, plan: Plan, run: &Run) -> Option<Found> {
        self.runs += 1;
        let complaint = run.complaints.first()?.clone();
        let found_by_plan = plan.0.is_empty() || is_well_without(scenario, &plan);
        found_by_plan.then_some(Found {
            runs: self.runs,
            scenario: scenario.name,
            plan,
            complaint,
        })
    }

    fn singles(&mut self, plays: &[Play], which: fn(&[Call]) -> Vec<Fault>) -> Option<Found> {
        let chosen = plays.iter().map(|play| which(&play.1.run.calls));
        let faults: Vec<Vec<Fault>> = chosen.collect();
        self.in_turns(plays, &faults, |search, (scenario, whole), first| {
            let plan = Plan(vec![first]);
            let run = whole.run_with(scenario, plan.clone());
            search.judge(scenario, plan, &run)
        })
    }

    /// After each first fault one second fault, strewn over what came of the first.
    fn pairs(&mut self, plays: &[Play]) -> Option<Found> {
        let strewn_pairs = |play: &Play| strewn(&runner::paired(&play.1.run.calls, 0));
        let faults: Vec<Vec<Fault>> = plays.iter().map(strewn_pairs).collect();
        self.in_turns(plays, &faults, |search, (scenario, whole), first| {
            let broken = whole.with(scenario, Plan(vec![first]));
            for second in strewn(&runner::paired(&broken.run.calls, first.at)) {
                let plan = Plan(vec![first, second]);
                let run = broken.run_with(scenario, plan.clone());
                let found = search.judge(scenario, plan, &run);
                if found.is_some() || search.is_over() {
                    return found;
                }
            }
            None
        })
    }

    /// One fault of each scenario, then the next of each.
    fn in_turns(
        &mut self,
        plays: &[Play],
        faults: &[Vec<Fault>],
        mut each: impl FnMut(&mut Self, &Play, Fault) -> Option<Found>,
    ) -> Option<Found> {
        let rounds = faults.iter().map(Vec::len).max().unwrap_or_default();
        for round in 0..rounds {
            for (play, faults) in plays.iter().zip(faults) {
                if self.is_over() {
                    return None;
                }
                let Some(fault) = faults.get(round) else {
                    continue;
                };
                let found = each(self, play, *fault);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

/// What most often goes wrong, at calls that have an effect and in their order.
fn plain(calls: &[Call]) -> Vec<Fault> {
    const PLAIN: [Kind; 5] = [
        Kind::DiesAfter,
        Kind::AnswerLost,
        Kind::Unavailable,
        Kind::Conflict,
        Kind::Sleeps,
    ];
    let effects = (1..).zip(calls).filter(|(_, call)| call.class.has_effect());
    let faults = effects.flat_map(|(at, call)| {
        let kinds = PLAIN.iter().filter(|kind| kind.fits(call.class));
        kinds.map(move |&kind| Fault { at, kind })
    });
    faults.collect()
}

/// All other single faults.
fn the_others(calls: &[Call]) -> Vec<Fault> {
    let plain = plain(calls);
    let mut faults = runner::singles(calls);
    faults.retain(|fault| !plain.contains(fault));
    faults
}

/// All of them, neighbours far apart: in steps of about the golden section.
fn strewn(faults: &[Fault]) -> Vec<Fault> {
    let count = faults.len();
    let mut step = (count * 618 / 1_000).max(1);
    while common_divisor(step, count) != 1 {
        step += 1;
    }
    let places = (0..count).map(|index| index * step % count);
    places.filter_map(|at| faults.get(at).copied()).collect()
}

fn common_divisor(one: usize, other: usize) -> usize {
    if other == 0 {
        one.max(1)
    } else {
        common_divisor(other, one % other)
    }
}
