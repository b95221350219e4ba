//! Trying every bend: each field of each endpoint's true answers in every way, once and lasting; each stored record; and bends by lot.
//! It must not explain a failure away: what a bend may do is written beside the ways in [`lies`].

use std::collections::BTreeSet;

use serde_json::Value;
use tsunagi_guest::sync::report::{ResendChoice, RetryChoice};

use crate::{
    bend::{Path, Way},
    export::Export,
    fault::Plan,
    hostile::{Answer, Bend, LASTING, Spot, name_of},
    judge,
    scenarios::Scenario,
    stage::{Broken, Stage},
    world::{Line, Setting},
};

/// A scenario played undisturbed, with everything that can be bent in it.
pub struct Rehearsal {
    scenario: Scenario,
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
    /// Plays it.
    ///
    /// # Errors
    /// When the scenario itself does not come to its end.
    pub fn of(scenario: &Scenario, setting: Setting) -> Result<Self, Broken> {
        let mut beginning = (scenario.set_up)(setting)?;
        beginning.disturb();
        let mut stage = beginning.fork(Plan::default());
        stage.world.state().hostile.answers = Some(Vec::new());
        let mut rounds = Vec::new();
        (scenario.act)(&mut stage)?;
        stage.settle_watched(|stage| {
            let calls = u32::try_from(stage.world.state().calls().len()).unwrap_or(u32::MAX);
            let point = stage.fork(Plan::default());
            point.world.state().hostile = Default::default();
            rounds.push((calls, point));
        })?;
        let hostile = stage.world.state().hostile.clone();
        Ok(Self {
            scenario: *scenario,
            beginning,
            rounds,
            answers: hostile.answers.unwrap_or_default(),
            records: hostile.records.into_iter().collect(),
        })
    }

    /// Each field of each endpoint in every way, once and, where it is a row's, lasting; each once for all scenarios together.
    pub fn answer_bends(&self, seen: &mut BTreeSet<(String, String)>) -> Vec<Bend> {
        let mut found = Vec::new();
        for answer in &self.answers {
            let Ok(value) = serde_json::from_slice::<Value>(&answer.body) else {
                continue;
            };
            for path in Path::all(&value) {
                if !seen.insert((answer.endpoint.clone(), path.field())) {
                    continue;
                }
                // The last row, so that one that is wrongly read has neighbours before it.
                let path = last_like(&value, &path);
                let row = path.row().and_then(|row| row.of(&value).map(name_of));
                let lasts = row.is_some_and(|name| !name.is_empty());
                for &way in Way::ALL
                    .iter()
                    .filter(|way| path.0.is_empty() || !way.is_of_the_body())
                {
                    let times: &[u32] = if lasts && LAST.contains(&way) {
                        &[1, LASTING]
                    } else {
                        &[1]
                    };
                    found.extend(times.iter().map(|&times| Bend {
                        spot: Spot::Answer(answer.number),
                        path: path.clone(),
                        way,
                        times,
                    }));
                }
            }
        }
        found.retain(|bend| self.fits(bend));
        found
    }

    /// Each record as a whole and each of its fields, for the first few readings.
    pub fn record_bends(&self, seen: &mut BTreeSet<(String, String)>) -> Vec<Bend> {
        let mut found = Vec::new();
        for (key, content) in &self.records {
            let Ok(value) = serde_json::from_slice::<Value>(content) else {
                continue;
            };
            let kind: String = key
                .chars()
                .filter(|letter| !letter.is_ascii_digit())
                .collect();
            for path in Path::all(&value) {
                if !seen.insert((kind.clone(), path.field())) {
                    continue;
                }
                for &way in RECORD_WAYS
                    .iter()
                    .filter(|way| path.0.is_empty() || !way.is_of_the_body())
                {
                    found.push(Bend {
                        spot: Spot::Record(key.clone()),
                        path: path.clone(),
                        way,
                        times: READINGS,
                    });
                }
            }
        }
        found.retain(|bend| self.fits(bend));
        found
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

    /// A bend by lot.
    pub fn drawn(&self, mut roll: impl FnMut() -> u64) -> Option<Bend> {
        let mut below = |count: usize| usize::try_from(roll() % (count.max(1) as u64)).unwrap_or(0);
        let answer = self.answers.get(below(self.answers.len()))?;
        let value: Value = serde_json::from_slice(&answer.body).ok()?;
        let places = Path::all(&value);
        let path = places.get(below(places.len()))?.clone();
        let way = *Way::ALL.get(below(Way::ALL.len()))?;
        let lasts = path
            .row()
            .and_then(|row| row.of(&value).map(name_of))
            .is_some_and(|name| !name.is_empty());
        let lasts = lasts && LAST.contains(&way);
        let bend = Bend {
            spot: Spot::Answer(answer.number),
            path,
            way,
            times: if lasts && below(2) == 0 { LASTING } else { 1 },
        };
        self.fits(&bend).then_some(bend)
    }

    fn stage(&self, bend: &Bend) -> (Stage, bool) {
        let before = |number: u32| self.rounds.iter().rev().find(|(calls, _)| *calls < number);
        let point = match bend.spot {
            Spot::Answer(number) => before(number),
            Spot::Record(_) => None,
        };
        let stage = point
            .map_or(&self.beginning, |(_, stage)| stage)
            .fork(Plan::default());
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
                wrong = match pressed_by_a_person(stage) {
                    Ok(()) => judged(stage),
                    Err(Broken(why)) => vec![why],
                };
            }
            complaints.extend(wrong);
        }
        let state = stage.world.state();
        complaints.extend(state.breaches.clone());
        if state.hostile.struck == 0 {
            complaints.push("the bend never struck".to_owned());
        }
        if stage.logins > 0 && !lie {
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

    /// What is wrong while a row is bad at every reading, and is not about that row; and whether it was told.
    fn neighbours(&self, stage: &Stage, bend: &Bend, wrong: &[String]) -> Vec<String> {
        let state = stage.world.state();
        let row = state.hostile.row().unwrap_or_default().to_owned();
        let spoilt = self.spoilt(bend, &row);
        let about = |complaint: &&String| {
            complaint.starts_with("the turnover is")
                || spoilt.iter().any(|name| {
                    complaint
                        .split(|letter: char| !letter.is_alphanumeric())
                        .any(|word| word == name)
                })
        };
        let mut found: Vec<String> = wrong
            .iter()
            .filter(|complaint| !about(complaint))
            .map(|complaint| format!("beside {row}: {complaint}"))
            .collect();
        let told = |text: &str| {
            text.contains(bend.path.key()) || spoilt.iter().any(|name| text.contains(name.as_str()))
        };
        let said = state.hostile.told.iter().any(|text| told(text))
            || state.memory.entries().any(|entry| {
                let text = String::from_utf8_lossy(&entry.value);
                text.contains("\"message\"") && told(&text)
            });
        if !wrong.is_empty() && !said {
            found.push(format!("nothing tells of {} of {row}", bend.path.key()));
        }
        found
    }

    /// Slips, codes and products that stand or fall with a row.
    fn spoilt(&self, bend: &Bend, row: &str) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = row.split('/').map(str::to_owned).collect();
        if let Some(value) = self
            .body(bend)
            .and_then(|body| serde_json::from_slice::<Value>(body).ok())
            && let Some(row) = bend.path.row().and_then(|row| row.of(&value).cloned())
        {
            // A slip stands or falls with all its lines.
            let slip = row.get(SLIP).cloned();
            let rows = value.pointer("/data").and_then(Value::as_array);
            let same = rows
                .into_iter()
                .flatten()
                .filter(|other| slip.is_some() && other.get(SLIP) == slip.as_ref());
            for row in same.chain([&row]) {
                let codes = CODES.iter().filter_map(|key| row.get(key)?.as_str());
                names.extend(codes.map(str::to_owned));
            }
        }
        for (id, code, ..) in crate::shop::GOODS {
            if names.contains(&id.to_string()) {
                names.insert(code.to_owned());
            }
        }
        names.retain(|name| !name.is_empty());
        names
    }

    /// The command that shows a run call by call.
    pub fn replay(&self, bend: &Bend) -> String {
        format!(
            "cargo run -p tsunagi-simulation -- bend --scenario {} --bend '{bend}'",
            self.scenario.name
        )
    }
}

const SLIP: &str = "receive_order_row_receive_order_id";
/// What names a product.
const CODES: &[&str] = &[
    "productCode",
    "receive_order_row_goods_id",
    "productId",
    "goods_id",
    "stock_io_history_goods_id",
];
/// Ways tried lasting, too: of each sort one.
const LAST: &[Way] = &[
    Way::Missing,
    Way::Null,
    Way::Words,
    Way::Infinite,
    Way::Surrogate,
];
/// Readings for which a record is damaged.
const READINGS: u32 = 3;
/// What befalls records: damage, and what another version may have written.
const RECORD_WAYS: &[Way] = &[
    Way::Missing,
    Way::Null,
    Way::Words,
    Way::List,
    Way::Largest,
    Way::Huge,
    Way::FarDate,
    Way::Extra,
    Way::NoBody,
    Way::Cut,
    Way::Utf16,
];

/// What no version can have written.
const UNREADABLE: &[Way] = &[Way::NoBody, Way::Cut, Way::Utf16, Way::Null, Way::Words];

/// The last row's field of this kind.
fn last_like(value: &Value, path: &Path) -> Path {
    let Some(row) = path.row() else {
        return path.clone();
    };
    let mut above = row.0;
    above.pop();
    let rows = Path(above)
        .of(value)
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let last = path.in_row(rows.saturating_sub(1));
    if last.of(value).is_some() {
        last
    } else {
        path.clone()
    }
}

/// Bends that nobody can tell from a truth: only that nothing breaks is asked of them.
fn lies(bend: &Bend) -> bool {
    // A number or a name within a record may be anything; a token looks like nothing.
    let of_record = matches!(&bend.spot, Spot::Record(_)) && !bend.path.0.is_empty();
    // Another number in the place of an id is another thing's id.
    let other = matches!(bend.way, Way::Largest) && bend.path.key().to_lowercase().ends_with("id");
    of_record || other || matches!(bend.path.key(), "access_token" | "refresh_token")
}

fn judged(stage: &Stage) -> Vec<String> {
    judge::judge(&stage.world.state().services, &stage.script)
}

/// Somebody reads what was refused, and has it tried again.
fn pressed_by_a_person(stage: &mut Stage) -> Result<(), Broken> {
    stage.insist(&Export::Retry(RetryChoice::AllRefused(true)))?;
    stage.insist(&Export::Resend(ResendChoice::AllFailed))?;
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
    /// Plays these.
    pub fn add(&mut self, rehearsal: &Rehearsal, bends: &[Bend]) {
        for bend in bends {
            let outcome = rehearsal.play(bend);
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
}

/// One bend, with its trace.
///
/// # Errors
/// When the scenario does not come to its end even undisturbed.
pub fn shown(scenario: &Scenario, bend: &Bend) -> Result<Outcome, Broken> {
    let setting = Setting {
        traced: true,
        ..Setting::default()
    };
    Ok(Rehearsal::of(scenario, setting)?.play(bend))
}
