//! Which bends there are to try: every place of every answer in every way, every stored record, and bends by lot. Plays none.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Rehearsal;
use crate::{
    bend::{Path, Way},
    hostile::{Bend, LASTING, Spot, name_of},
};

/// Ways in which a row is bad at every reading, too: of each sort one.
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
/// How often in a row a whole list is bad: more often than anything is looked up before it is believed.
const OFTEN: u32 = 8;
/// Ways in which it is.
const OFTEN_WAYS: &[Way] = &[Way::Missing, Way::Null, Way::Words, Way::Object];

/// Of each sort of way one or two.
pub const SORTS: &[Way] = &[
    Way::Missing,
    Way::Null,
    Way::Words,
    Way::List,
    Way::Object,
    Way::Infinite,
    Way::Surrogate,
    Way::Cut,
];

impl Rehearsal {
    /// Each field of each endpoint in these ways, in the first row that has it and in the last, once and, where it can be known again,
    /// lasting; those of `seen` are left out.
    pub fn answer_bends(&self, seen: &mut BTreeSet<(String, String)>, ways: &[Way]) -> Vec<Bend> {
        let mut found = Vec::new();
        for answer in &self.answers {
            let Ok(value) = serde_json::from_slice::<Value>(&answer.body) else {
                continue;
            };
            for path in Path::all(&value) {
                if !seen.insert((answer.endpoint.clone(), path.field())) {
                    continue;
                }
                let last = last_like(&value, &path);
                for path in BTreeSet::from([path, last]) {
                    found.extend(in_these_ways(answer.number, &value, &path, ways));
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

    /// A bend by lot.
    pub fn drawn(&self, mut roll: impl FnMut() -> u64) -> Option<Bend> {
        let mut below = |count: usize| usize::try_from(roll() % (count.max(1) as u64)).unwrap_or(0);
        let answer = self.answers.get(below(self.answers.len()))?;
        let value: Value = serde_json::from_slice(&answer.body).ok()?;
        let places = Path::all(&value);
        let path = places.get(below(places.len()))?.clone();
        let way = *Way::ALL.get(below(Way::ALL.len()))?;
        let again = again(&value, &path, way).filter(|_| below(2) == 0);
        let bend = Bend {
            spot: Spot::Answer(answer.number),
            path,
            way,
            times: again.unwrap_or(1),
        };
        self.fits(&bend).then_some(bend)
    }
}

fn in_these_ways(number: u32, value: &Value, path: &Path, ways: &[Way]) -> Vec<Bend> {
    let ways = ways
        .iter()
        .filter(|way| path.0.is_empty() || !way.is_of_the_body());
    let bends = ways.flat_map(|&way| {
        let times = [1].into_iter().chain(again(value, path, way));
        times.map(move |times| Bend {
            spot: Spot::Answer(number),
            path: path.clone(),
            way,
            times,
        })
    });
    bends.collect()
}

/// How often it is bad, where it is more than once: a row is known again by its ids, a list by its place.
fn again(value: &Value, path: &Path, way: Way) -> Option<u32> {
    match path.row() {
        Some(row) => {
            let name = row.of(value).map(name_of).unwrap_or_default();
            // Without the row there is nothing to know again, and a number of rows that never fits.
            let is_gone = way == Way::Missing && path.is_a_row();
            (!name.is_empty() && !is_gone && LAST.contains(&way)).then_some(LASTING)
        }
        None => {
            let list = path.of(value).is_some_and(Value::is_array);
            (list && OFTEN_WAYS.contains(&way)).then_some(OFTEN)
        }
    }
}

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
