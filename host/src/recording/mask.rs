//! Takes secrets and personal data out of a recording, so that what is left replays identically: the same value gets the same placeholder
//! wherever it stands, in what the component was given and in what it made of it. Knows names of fields, and nothing of what they mean.
//!
//! Masked are tokens, client secrets, contract ids, users, and the codes of a login; names, addresses, phones and memos of people, by the
//! fields' names at either service; and every other occurrence of such a value that is long enough to be no coincidence. A memo that
//! begins with our own mark stays: the component acts on it. An answer that is not UTF-8 cannot be looked through, and becomes one byte
//! that is none either. Not found: personal data in a field whose name does not say so. A value of less than four letters is masked in its
//! own field alone; where the component makes something of it, the recording does not replay.

mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Content, Ended, Outcome, Put, Recording, Row, Step};

/// What our own memos begin with.
const OUR_MARK: &str = "tsunagi ";

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place<'a> {
    /// An argument of this name.
    Argument(&'a str),
    /// A part of the result, of this name.
    Ended(&'a str),
    /// What a service answered.
    Answer,
    /// The body of a request.
    Body,
    /// A value in storage.
    Stored,
    /// A key of storage.
    Key,
    /// A random number.
    Random,
    /// Anything else.
    Other,
}

/// The recording without them.
pub fn masked(mut recording: Recording) -> Recording {
    let mut masks = Masks {
        begins_login: recording.function == "connection.begin-login",
        ends_login: recording.function == "connection.finish-login",
        ..Masks::default()
    };
    each_text(&mut recording, &mut |place, text| {
        masks.look(place, text);
    });
    let ordered = masks.everywhere();
    each_text(&mut recording, &mut |place, text| {
        *text = masks.look(place, text);
        for (value, mask) in &ordered {
            if let Some(replaced) = scan::replaced(text, value, mask) {
                *text = replaced;
            }
        }
    });
    recording
}

/// Placeholders by value.
#[derive(Default)]
struct Masks {
    known: BTreeMap<String, String>,
    begins_login: bool,
    ends_login: bool,
}

impl Masks {
    /// The text with the fields masked that have a name for it.
    fn look(&mut self, place: Place<'_>, text: &str) -> String {
        let (begins, ends) = (self.begins_login, self.ends_login);
        match place {
            Place::Argument(name) if is_secret(name) || (ends && name == "state") => {
                self.mask(text)
            }
            Place::Ended(name) if is_secret(name) => self.mask(text),
            Place::Argument(_) | Place::Answer => scan::json(
                text,
                &|name| is_secret(name) || is_personal(name),
                &mut |value| self.mask(value),
            ),
            Place::Body => {
                let text = scan::form(text, &mut |name, value| {
                    (is_secret(name) || name == "state").then(|| self.mask(value))
                });
                scan::json(&text, &is_secret, &mut |value| self.mask(value))
            }
            Place::Stored => scan::json(text, &is_secret, &mut |value| self.mask(value)),
            // The numbers that a login's ticket is made of, and tickets, which are keys.
            Place::Random if begins => self.mask(text),
            Place::Key => {
                for run in text.split(|letter: char| !letter.is_ascii_hexdigit()) {
                    if run.len() == 32 {
                        self.mask(run);
                    }
                }
                text.to_owned()
            }
            Place::Random | Place::Ended(_) | Place::Other => text.to_owned(),
        }
    }

    fn mask(&mut self, value: &str) -> String {
        if value.is_empty() || value.starts_with(OUR_MARK) || self.is_mask(value) {
            return value.to_owned();
        }
        // A ticket of this very call is masked by the numbers that it is made of.
        if let Some((one, other)) = value.split_at_checked(value.len() / 2)
            && let (Some(one), Some(other)) = (self.known.get(one), self.known.get(other))
        {
            return format!("{one}{other}");
        }
        let number = self.known.len() + 1;
        let made = self.known.entry(value.to_owned());
        made.or_insert_with(|| placeholder(value, number)).clone()
    }

    fn is_mask(&self, value: &str) -> bool {
        self.known.values().any(|mask| mask == value)
    }

    /// Values in each spelling, with what stands for them, the longest first.
    fn everywhere(&self) -> Vec<(String, String)> {
        let known = self.known.iter().filter(|(value, _)| is_telling(value));
        let mut all: Vec<(String, String)> = known
            .flat_map(|(value, mask)| {
                let spellings = scan::spellings(value).into_iter();
                spellings.map(move |spelled| (spelled, mask.clone()))
            })
            .collect();
        all.sort_by(|(one, _), (other, _)| (other.len(), other).cmp(&(one.len(), one)));
        all.dedup_by(|(one, _), (other, _)| one == other);
        all
    }
}

/// Letters and digits only, which no spelling changes; hexadecimal digits stay such, and as many.
fn placeholder(value: &str, number: usize) -> String {
    let length = value.len();
    if length >= 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        format!("{:0>length$}", format!("fade{number:x}"))
    } else {
        format!("masked{number}")
    }
}

/// Whether a value is found again by what it is, and not only where it stands.
fn is_telling(value: &str) -> bool {
    value.chars().count() >= if value.is_ascii() { 4 } else { 2 }
}

/// Spelled in one way for both services, the contract and our own records. What is no name of a field is none of them.
fn plain(name: &str) -> String {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    let name = Some(name).filter(|name| name.chars().all(is_name));
    name.unwrap_or_default()
        .to_ascii_lowercase()
        .replace('-', "_")
}

fn is_secret(name: &str) -> bool {
    let name = plain(name);
    let exact = [
        "access",
        "refresh",
        "uid",
        "ticket",
        "contract_id",
        "contractid",
        "smaregi_contract_id",
    ];
    let ends = ["token", "secret", "password", "cookie", "authorization"];
    exact.contains(&name.as_str()) || ends.iter().any(|end| name.ends_with(end))
}

fn is_personal(name: &str) -> bool {
    let name = plain(name);
    let parts = [
        "purchaser",
        "consignee",
        "phone",
        "mail",
        "address",
        "zip",
        "postal",
        "birth",
        "memo",
        "note",
        "worker_text",
        "instruct",
        "remark",
        "comment",
        "gift",
        "staffname",
        "staff_name",
    ];
    let of_a_customer = name.contains("customer")
        && !["price", "type", "group", "rank"]
            .iter()
            .any(|part| name.contains(part));
    of_a_customer
        || parts.iter().any(|part| name.contains(part))
        || name.starts_with("pic_")
        || ["tel", "fax"].iter().any(|end| name.ends_with(end))
}

fn each_text(recording: &mut Recording, each: &mut impl FnMut(Place<'_>, &mut String)) {
    in_value(&mut recording.arguments, "", &mut |name, text| {
        each(Place::Argument(name), text);
    });
    for step in &mut recording.steps {
        in_step(step, each);
    }
    match &mut recording.ended {
        Ended::Ok(value) | Ended::Error(value) => {
            in_value(value, "", &mut |name, text| each(Place::Ended(name), text));
        }
        Ended::Fault(text) => each(Place::Other, text),
    }
}

fn in_value(value: &mut Value, name: &str, each: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => each(name, text),
        Value::Array(items) => items.iter_mut().for_each(|item| in_value(item, name, each)),
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(name, value)| in_value(value, name, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_step(step: &mut Step, each: &mut impl FnMut(Place<'_>, &mut String)) {
    match step {
        Step::Now { .. } | Step::Monotonic { .. } | Step::Waited { .. } | Step::Failed { .. } => {}
        Step::Random(number) => each(Place::Random, number),
        Step::Get { keys, found } => {
            keys.iter_mut().for_each(|key| each(Place::Key, key));
            in_outcome(found, each, |found, each| {
                found.iter_mut().flatten().for_each(|row| in_row(row, each));
            });
        }
        Step::Scan {
            start, end, found, ..
        } => {
            each(Place::Key, start);
            each(Place::Key, end);
            in_outcome(found, each, |found, each| {
                found.iter_mut().for_each(|row| in_row(row, each));
            });
        }
        Step::Commit {
            checks,
            writes,
            done,
        } => {
            checks
                .iter_mut()
                .for_each(|check| each(Place::Key, &mut check.key));
            for Put { key, value } in writes {
                each(Place::Key, key);
                value
                    .iter_mut()
                    .for_each(|value| in_content(value, Place::Stored, each));
            }
            in_outcome(done, each, |(), _| {});
        }
        Step::Request { url, body, .. } => {
            each(Place::Other, url);
            in_content(body, Place::Body, each);
        }
        Step::Answer { headers, body, .. } => {
            headers
                .values_mut()
                .for_each(|value| each(Place::Other, value));
            if let Content::Bytes { hex } = body {
                "ff".clone_into(hex);
            }
            in_content(body, Place::Answer, each);
        }
    }
}

fn in_outcome<T, E: FnMut(Place<'_>, &mut String)>(
    outcome: &mut Outcome<T>,
    each: &mut E,
    of: impl FnOnce(&mut T, &mut E),
) {
    match outcome {
        Outcome::Ok(given) => of(given, each),
        Outcome::Conflict(key) => each(Place::Key, key),
        Outcome::Unavailable(why) => each(Place::Other, why),
    }
}

fn in_row(row: &mut Row, each: &mut impl FnMut(Place<'_>, &mut String)) {
    each(Place::Key, &mut row.key);
    in_content(&mut row.value, Place::Stored, each);
}

fn in_content(
    content: &mut Content,
    place: Place<'_>,
    each: &mut impl FnMut(Place<'_>, &mut String),
) {
    if let Content::Text(text) = content {
        each(place, text);
    }
}
