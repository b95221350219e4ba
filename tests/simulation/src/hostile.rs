//! Hostile answers and damaged records within a run: where the true ones are bent, and what was told about it. Decides nothing about
//! right and wrong.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde_json::Value;
use tsunagi_guest::ports::Entry;
use tsunagi_sandbox::Outcome;

use crate::{
    bend::{self, Path, Way},
    world::State,
};

/// Where it strikes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The answer of the request with this number.
    Answer(u32),
    /// The record under this key, whenever it is read.
    Record(String),
}

/// One thing that is bent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bend {
    /// Where.
    pub spot: Spot,
    /// The place in it.
    pub path: Path,
    /// How.
    pub way: Way,
    /// How often: the same row of later answers, or the same record, is bent again.
    pub times: u32,
}

/// Until somebody lifts it.
pub const LASTING: u32 = u32::MAX;

impl fmt::Display for Bend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.spot {
            Spot::Answer(number) => write!(formatter, "answer~{number}")?,
            Spot::Record(key) => write!(formatter, "record~{key}")?,
        }
        write!(formatter, "~{}~{}~{}", self.path, self.way, self.times)
    }
}

impl FromStr for Bend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('~').collect();
        let [kind, spot, path, way, times] = parts.as_slice() else {
            return Err(format!(
                "`{text}` is not answer~NUMBER~PATH~WAY~TIMES or record~KEY~PATH~WAY~TIMES"
            ));
        };
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
        Ok(Self {
            spot: match *kind {
                "answer" => Spot::Answer(number(spot)?),
                _ => Spot::Record((*spot).to_owned()),
            },
            path: Path::from(*path),
            way: way.parse()?,
            times: number(times)?,
        })
    }
}

/// A true answer, as it was given.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The request's number.
    pub number: u32,
    /// Method and path.
    pub endpoint: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What of a run is bent, and what is kept of it.
#[derive(Debug, Clone, Default)]
pub struct Hostile {
    /// What is bent.
    pub bend: Option<Bend>,
    /// How often it was.
    pub struck: u32,
    /// Every true answer and every record read, where they are to be kept.
    pub answers: Option<Vec<Answer>>,
    /// Records by key, as they were first read.
    pub records: BTreeMap<String, Vec<u8>>,
    /// Errors that exports ended with.
    pub told: Vec<String>,
    /// The endpoint and the row that was bent.
    struck_row: Option<(String, Option<String>)>,
}

/// What a row is known by.
const NAMES: &[&str] = &[
    "receive_order_row_receive_order_id",
    "receive_order_row_no",
    "stock_io_history_id",
    "que_id",
    "goods_id",
    "transactionHeadId",
    "productId",
    "storeId",
    "id",
];

/// A row's own name: its ids together.
pub fn name_of(row: &Value) -> String {
    let ids = NAMES.iter().filter_map(|name| row.get(name));
    let ids: Vec<String> = ids.map(|id| id.to_string().replace('"', "")).collect();
    ids.join("/")
}

impl Hostile {
    /// The row that was bent, by its ids.
    pub fn row(&self) -> Option<&str> {
        self.struck_row.as_ref()?.1.as_deref()
    }
}

impl State {
    /// An answer on its way back.
    pub fn bend_answer(&mut self, number: u32, endpoint: &str, outcome: Outcome) -> Outcome {
        let Outcome::Answer(mut response) = outcome else {
            return outcome;
        };
        if number > 0 {
            if let Some(answers) = &mut self.hostile.answers {
                answers.push(Answer {
                    number,
                    endpoint: endpoint.to_owned(),
                    body: response.body().clone(),
                });
            }
            if let Some(bent) = self.bent(number, endpoint, response.body()) {
                *response.body_mut() = bent;
            }
        }
        Outcome::Answer(response)
    }

    fn bent(&mut self, number: u32, endpoint: &str, body: &[u8]) -> Option<Vec<u8>> {
        let bend = self.hostile.bend.clone()?;
        let Spot::Answer(at) = bend.spot else {
            return None;
        };
        let value = || serde_json::from_slice::<Value>(body).ok();
        let path = if number == at {
            let row = bend.path.row();
            let row = row.and_then(|row| Some(name_of(row.of(&value()?)?)));
            self.hostile.struck_row = Some((endpoint.to_owned(), row));
            bend.path.clone()
        } else {
            let (struck, row) = self.hostile.struck_row.clone()?;
            if bend.times == 1 || struck != endpoint || self.hostile.struck >= bend.times {
                return None;
            }
            match bend.path.row() {
                Some(_) => same_row(&value()?, &bend.path, &row?)?,
                // A list as a whole.
                None => bend.path.clone(),
            }
        };
        let bent = bend::bend(body, &path, bend.way)?;
        self.strike();
        Some(bent)
    }

    fn strike(&mut self) {
        self.hostile.struck = self.hostile.struck.saturating_add(1);
        // What lasts is no news: the run must settle beside it.
        if self.hostile.struck == 1
            || self
                .hostile
                .bend
                .as_ref()
                .is_some_and(|bend| bend.times != LASTING)
        {
            self.struck_at = Some(self.services.clock.now());
        }
    }

    /// Records that are read.
    pub fn bend_records<'a>(&mut self, entries: impl Iterator<Item = &'a mut Entry>) {
        if !self.is_disturbed() {
            return;
        }
        for entry in entries {
            if self.hostile.answers.is_some() {
                let records = &mut self.hostile.records;
                records
                    .entry(entry.key.clone())
                    .or_insert_with(|| entry.value.clone());
            }
            let Some(bend) = &self.hostile.bend else {
                continue;
            };
            let hit = matches!(&bend.spot, Spot::Record(key) if *key == entry.key);
            if hit
                && self.hostile.struck < bend.times
                && let Some(bent) = bend::bend(&entry.value, &bend.path, bend.way)
            {
                entry.value = bent;
                self.strike();
            }
        }
    }
}

/// The place in the row of this name, wherever it stands now.
fn same_row(value: &Value, path: &Path, name: &str) -> Option<Path> {
    let row = path.row()?;
    let mut above = row.0;
    above.pop();
    let rows = Path(above).of(value)?.as_array()?;
    let at = rows.iter().position(|row| name_of(row) == name)?;
    Some(path.in_row(at))
}
