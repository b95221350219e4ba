//! Trying a bend: a scenario is played with it, until everything has settled, and judged; `places` says which there are to try. It must
//! not explain a failure away: what a bend may do is written beside the ways in [`lies`].

mod neighbours;
mod places;

pub use places::SORTS;

use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use tsunagi_guest::sync::report::{Explanation, ResendChoice, RetryChoice};

use crate::{
    bend::Way,
    export::{Answer as Said, Export},
    fault::Plan,
    hostile::{Answer, Bend, LASTING, Spot},
    judge, runner,
    scenarios::{self, Scenario},
    stage::{Broken, Stage},
    world::{Line, Setting},
};

/// A scenario played undisturbed, with everything that can be bent in it.
pub struct Rehearsal {
    scenario: Scenario,
    plan: Plan,
    beginning: Stage,
    rounds: Vec<(u32, Stage)>,
    /// Its true answers.
    pub answers: Vec<Answer>,
    /// The records that were read, with their first content.
    pub records: Vec<(String, Vec<u8>)>,
}

/// What came of a bend.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Everything that is wrong.
    pub complaints: Vec<String>,
    /// Whether a person had to press something before all was well.
    pub pressed: bool,
    /// The trace, if it was asked for.
    pub trace: Vec<Line>,
}

impl Rehearsal {
    /// Plays it, with the faults of the setting's plan.
    ///
    /// # Errors
    /// When the scenario itself does not come to its end.
    pub fn of(scenario: &Scenario, setting: Setting) -> Result<Self, Broken> {
        let plan = setting.plan.clone();
        let mut beginning = (scenario.set_up)(setting)?;
        beginning.disturb();
        let mut stage = beginning.fork(plan.clone());
        stage.world.state().hostile.answers = Some(Vec::new());
        let mut rounds = Vec::new();
        (scenario.act)(&mut stage)?;
        stage.settle_watched(|stage| {
            let calls = u32::try_from(stage.world.state().calls().len()).unwrap_or(u32::MAX);
            let point = stage.fork(plan.clone());
            point.world.state().hostile = Default::default();
            rounds.push((calls, point));
        })?;
        let hostile = stage.world.state().hostile.clone();
        let struck = plan.0.iter().map(|fault| fault.at).max();
        let mut answers = hostile.answers.unwrap_or_default();
        // What came before the fault is another rehearsal's.
        answers.retain(|answer| struck.is_none_or(|at| answer.number > at));
        Ok(Self {
            scenario: *scenario,
            plan,
            beginning,
            rounds,
            answers,
            records: hostile.records.into_iter().collect(),
        })
    }

    fn body(&self, bend: &Bend) -> Option<&[u8]> {
        match &bend.spot {
            Spot::Answer(number) => {
                let mut answers = self.answers.iter();
                let answer = answers.find(|answer| answer.number == *number)?;
                Some(&answer.body)
            }
            Spot::Record(key) => {
                let mut records = self.records.iter();
                Some(&records.find(|record| record.0 == *key)?.1)
            }
        }
    }

    fn fits(&self, bend: &Bend) -> bool {
        let Some(body) = self.body(bend) else {
            return false;
        };
        // The large ones fit wherever there is a value.
        matches!(bend.way, Way::Long | Way::Deep)
            || crate::bend::bend(body, &bend.path, bend.way).is_some()
    }

    fn stage(&self, bend: &Bend) -> (Stage, bool) {
        let before = |number: u32| self.rounds.iter().rev().find(|(calls, _)| *calls < number);
        let point = match bend.spot {
            Spot::Answer(number) => before(number),
            Spot::Record(_) => None,
        };
        let stage = point
            .map_or(&self.beginning, |(_, stage)| stage)
            .fork(self.plan.clone());
        stage.world.state().hostile.bend = Some(bend.clone());
        (stage, point.is_some())
    }

    /// Plays it with this bend.
    pub fn play(&self, bend: &Bend) -> Outcome {
        let (mut stage, acted) = self.stage(bend);
        self.play_on(&mut stage, acted, bend)
    }

    fn play_on(&self, stage: &mut Stage, acted: bool, bend: &Bend) -> Outcome {
        let scenario = self.scenario;
        let acts = |stage: &mut Stage| if acted { Ok(()) } else { (scenario.act)(stage) };
        let played = acts(stage).and_then(|()| stage.settle());
        let mut complaints: Vec<String> = played.err().map(|Broken(why)| why).into_iter().collect();
        let lie = lies(bend);
        let mut pressed = false;
        if complaints.is_empty() && !lie {
            let mut wrong = judged(stage);
            if bend.times == LASTING {
                complaints.extend(self.neighbours(stage, bend, &wrong));
                stage.world.state().hostile.bend = None;
            }
            if !wrong.is_empty() {
                pressed = true;
                wrong = after(stage, |stage| self.pressed_by_a_person(stage));
            }
            if !wrong.is_empty() {
                wrong = after(stage, a_day_passes);
            }
            complaints.extend(wrong);
        }
        let state = stage.world.state();
        complaints.extend(state.breaches.clone());
        if state.hostile.struck == 0 {
            complaints.push("the bend never struck".to_owned());
        }
        if stage.logins > 0 && !lie && !state.pair_was_lost() {
            complaints.push("a person had to log in again".to_owned());
        }
        if let Spot::Record(key) = &bend.spot
            && UNREADABLE.contains(&bend.way)
            && bend.path.0.is_empty()
            && state.hostile.struck > 0
            && !state
                .hostile
                .told
                .iter()
                .any(|text| text.contains(key.as_str()))
        {
            complaints.push(format!("no error names {key}"));
        }
        complaints.extend(leaks(&state));
        Outcome {
            complaints,
            pressed,
            trace: state.trace().to_vec(),
        }
    }

    /// Somebody reads what was refused or left out, and has it tried again.
    fn pressed_by_a_person(&self, stage: &mut Stage) -> Result<(), Broken> {
        stage.insist(&Export::Retry(RetryChoice::AllRefused(true)))?;
        stage.insist(&Export::Resend(ResendChoice::AllFailed))?;
        align_what_is_held(stage)?;
        if self.scenario.name == scenarios::ALIGN {
            scenarios::press_align(stage)?;
        }
        stage.settle()
    }

    /// The command that shows a run call by call.
    pub fn replay(&self, bend: &Bend) -> String {
        let faults = self.plan.0.iter().map(|fault| format!(" --fault {fault}"));
        format!(
            "cargo run -p tsunagi-simulation -- bend --scenario {}{} --bend '{bend}'",
            self.scenario.name,
            faults.collect::<String>()
        )
    }
}

/// What no version can have written.
const UNREADABLE: &[Way] = &[Way::NoBody, Way::Cut, Way::Utf16, Way::Null, Way::Words];

/// Bends that nobody can tell from a truth: only that nothing breaks is asked of them.
fn lies(bend: &Bend) -> bool {
    let key = bend.path.key();
    // A number or a name within a record may be anything: whatever we wrote, we believe.
    let of_record = matches!(&bend.spot, Spot::Record(_)) && !bend.path.0.is_empty();
    // Another number in the place of an id is another thing's id.
    let other = matches!(bend.way, Way::Largest) && key.to_lowercase().ends_with("id");
    // A list without a row is a list.
    let absent = matches!(bend.way, Way::Missing) && bend.path.is_a_row();
    // Half a piece may have moved: it is told, and not sent.
    let half = matches!(bend.way, Way::Fraction) && key == "amount";
    // The README's "not promised": a mark that somebody takes away, or writes over, leaves a text of somebody's.
    let unmarked = key == "memo" && !NO_TEXT.contains(&bend.way);
    // Any text may be a token.
    let token = matches!(key, "access_token" | "refresh_token");
    of_record || other || absent || half || unmarked || token
}

/// What no text can be read from. A number may be a text of digits; one that no machine holds becomes such a text, too.
const NO_TEXT: &[Way] = &[Way::List, Way::Object, Way::True, Way::Long, Way::Deep];

/// What may have been applied already is not sent again by itself, nor with everything: whoever reads so of a product aligns that one.
/// Others are left alone, so that nothing lost is made good by it.
fn align_what_is_held(stage: &mut Stage) -> Result<(), Broken> {
    let Said::Compared(compared) = stage.insist(&Export::Compare)? else {
        return Ok(());
    };
    let asks = |part: &Explanation| matches!(&*part.reason.code, "held" | "outcome-unclear");
    let held = compared.lines.into_iter();
    let held = held.filter(|line| line.explanations.iter().any(asks));
    let codes: Vec<String> = held.map(|line| line.code).collect();
    if codes.is_empty() {
        return Ok(());
    }
    stage
        .insist(&Export::Align {
            codes,
            confirmed: true,
            over_guard: true,
        })
        .map(|_| ())
}

fn judged(stage: &Stage) -> Vec<String> {
    judge::judge(&stage.world.state().services, &stage.script)
}

/// What is still wrong after it.
fn after(
    stage: &mut Stage,
    something: impl FnOnce(&mut Stage) -> Result<(), Broken>,
) -> Vec<String> {
    match something(stage) {
        Ok(()) => judged(stage),
        Err(Broken(why)) => vec![why],
    }
}

/// What cannot be read is looked at again every day.
fn a_day_passes(stage: &mut Stage) -> Result<(), Broken> {
    stage
        .world
        .clock
        .set(stage.world.now() + TimeDelta::days(1));
    stage.act(|_| Ok(()))?;
    stage.settle()
}

/// Tokens and secrets in what a person reads.
fn leaks(state: &crate::world::State) -> Vec<String> {
    let next_engine = &state.services.next_engine;
    let mut secrets = vec![
        next_engine.app().client_secret.clone(),
        state.services.smaregi.app().client_secret.clone(),
    ];
    for user in next_engine.users() {
        if let Some(pair) = next_engine.pair(&user.uid) {
            secrets.extend([pair.access.clone(), pair.refresh.clone()]);
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    let leak = |text: &str| secrets.iter().any(|secret| text.contains(secret.as_str()));
    let told = state.hostile.told.iter().filter(|text| leak(text));
    let mut found: Vec<String> = told.map(|_| "an error shows a secret".to_owned()).collect();
    let holds = |key: &str| matches!(key, "settings" | "next-engine/login" | "smaregi/token");
    let records = state.memory.entries().filter(|entry| !holds(&entry.key));
    found.extend(
        records
            .filter(|entry| leak(&String::from_utf8_lossy(&entry.value)))
            .map(|entry| format!("{} holds a secret", entry.key)),
    );
    found
}

/// A run that went wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The command that shows it.
    pub replay: String,
    /// What is wrong.
    pub complaints: Vec<String>,
}

/// Figures.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Runs with one bend.
    pub runs: usize,
    /// Runs after which a person had to press something.
    pub pressed: Vec<String>,
    /// Runs that went wrong.
    pub failures: Vec<Failure>,
}

impl Tally {
    /// Plays these, on so many threads.
    pub fn add(&mut self, rehearsal: &Rehearsal, bends: &[Bend], threads: usize) {
        let played = Mutex::new(Vec::new());
        let numbered: Vec<(usize, &Bend)> = bends.iter().enumerate().collect();
        runner::share_out(threads, &numbered, |(at, bend)| {
            let outcome = rehearsal.play(bend);
            let mut played = played.lock().unwrap_or_else(PoisonError::into_inner);
            played.push((*at, *bend, outcome));
        });
        let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
        played.sort_by_key(|(at, ..)| *at);
        for (_, bend, outcome) in played {
            self.note(rehearsal, bend, outcome);
        }
    }

    fn note(&mut self, rehearsal: &Rehearsal, bend: &Bend, outcome: Outcome) {
        self.runs += 1;
        if outcome.pressed && bend.times == 1 {
            self.pressed.push(rehearsal.replay(bend));
        }
        if !outcome.complaints.is_empty() {
            self.failures.push(Failure {
                replay: rehearsal.replay(bend),
                complaints: outcome.complaints,
            });
        }
    }
}

/// One bend, with its trace, after the faults of this plan.
///
/// # Errors
/// When the scenario does not come to its end even without it.
pub fn shown(scenario: &Scenario, plan: Plan, bend: &Bend) -> Result<Outcome, Broken> {
    let setting = Setting {
        plan,
        traced: true,
        ..Setting::default()
    };
    Ok(Rehearsal::of(scenario, setting)?.play(bend))
}
