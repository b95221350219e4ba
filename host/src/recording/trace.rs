//! A recording's steps for people: a line each. Shows no more of a body or a value than fits.

use chrono::{DateTime, Utc};

use super::{Content, Ended, Outcome, Recording, Row, Step};

/// Letters of a line's content.
const WIDTH: usize = 160;

/// A step as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub step: usize,
    /// The wall clock as the component last read it; nothing before the first reading.
    pub at: Option<DateTime<Utc>>,
    /// What it is, in a word.
    pub what: &'static str,
    /// The rest.
    pub content: String,
}

/// The first steps, as many as that.
pub fn lines(recording: &Recording, most: usize) -> Vec<Line> {
    let mut last = None;
    let steps = (1..).zip(&recording.steps).take(most);
    steps
        .map(|(step, of)| {
            if let Step::Now { at, .. } = of {
                last = Some(*at);
            }
            let (what, content) = told(of);
            Line {
                step,
                at: last,
                what,
                content: fit(&content, WIDTH),
            }
        })
        .collect()
}

/// A step in one line.
pub fn line(step: &Step) -> String {
    let (what, content) = told(step);
    format!("{what} {}", fit(&content, WIDTH))
}

/// How a call ended, in one line.
pub fn end(ended: &Ended) -> String {
    let content = match ended {
        Ended::Ok(value) => value.to_string(),
        Ended::Error(error) => format!("the error {error}"),
        Ended::Fault(fault) => format!("the fault: {fault}"),
    };
    fit(&content, WIDTH)
}

/// Two texts from shortly before where they differ.
pub fn apart(one: &str, other: &str) -> (String, String) {
    let pairs = one.char_indices().zip(other.chars());
    let same = pairs.take_while(|((_, a), b)| a == b).last();
    let at = same.map_or(0, |((at, letter), _)| at + letter.len_utf8());
    let from = one.floor_char_boundary(at.saturating_sub(40));
    let shown = |text: &str| {
        let dots = if from > 0 { "…" } else { "" };
        format!("{dots}{}", fit(text.get(from..).unwrap_or_default(), 120))
    };
    (shown(one), shown(other))
}

fn fit(text: &str, most: usize) -> String {
    let text = text.replace(['\n', '\r'], " ");
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn told(step: &Step) -> (&'static str, String) {
    match step {
        Step::Now { at, times } => ("clock", format!("{} {times}×", at.to_rfc3339())),
        Step::Monotonic { nanoseconds, times } => ("clock", format!("{nanoseconds} ns {times}×")),
        Step::Random(digits) => ("random", digits.clone()),
        Step::Get { keys, found } => {
            let there = |found: &Vec<Option<Row>>| found.iter().flatten().count();
            (
                "get",
                format!("{}: {}", keys.join(", "), counted(found, there)),
            )
        }
        Step::Scan {
            start,
            end,
            backward,
            limit,
            found,
        } => {
            let way = if *backward { "backward, " } else { "" };
            let content = format!(
                "{start} … {end}, {way}{limit} at most: {}",
                counted(found, Vec::len)
            );
            ("scan", content)
        }
        Step::Commit {
            checks,
            writes,
            done,
        } => {
            let keys = writes.iter().map(|put| match &put.value {
                Some(_) => put.key.clone(),
                None => format!("{} deleted", put.key),
            });
            let keys = keys.collect::<Vec<_>>().join(", ");
            let content = format!(
                "{} checked; {keys}: {}",
                checks.len(),
                counted(done, |()| writes.len())
            );
            ("commit", content)
        }
        Step::Request {
            number,
            method,
            url,
            body,
        } => (
            "request",
            format!("{number} {method} {url} {}", body.shown()),
        ),
        Step::Answer {
            number,
            status,
            body,
            cut,
            ..
        } => {
            let cut = cut
                .as_ref()
                .map_or_else(String::new, |why| format!(" (cut: {why})"));
            ("answer", format!("{number} {status}{cut} {}", body.shown()))
        }
        Step::Failed { number, error } => ("failed", format!("{number} {error}")),
        Step::Waited {
            number,
            nanoseconds,
        } => {
            let time = std::time::Duration::from_nanos(*nanoseconds);
            ("waited", format!("{time:?}, wait {number}"))
        }
    }
}

fn counted<T>(outcome: &Outcome<T>, count: impl Fn(&T) -> usize) -> String {
    match outcome {
        Outcome::Ok(given) => count(given).to_string(),
        Outcome::Conflict(key) => format!("conflict on {key}"),
        Outcome::Unavailable(why) => format!("unavailable: {why}"),
    }
}

/// All of what a step asks, for a comparison that its line is too short for.
pub fn whole(step: &Step) -> String {
    let content = |content: &Content| content.shown().to_owned();
    match step {
        Step::Commit { checks, writes, .. } => {
            let checks = checks
                .iter()
                .map(|check| format!("{}@{:?} ", check.key, check.revision));
            let writes = writes.iter().map(|put| {
                let value = put.value.as_ref().map(content);
                format!(
                    "{}={} ",
                    put.key,
                    value.unwrap_or_else(|| "nothing".to_owned())
                )
            });
            format!("commit {}", checks.chain(writes).collect::<String>())
        }
        Step::Request {
            method, url, body, ..
        } => format!("{method} {url} {}", content(body)),
        Step::Get { keys, .. } => format!("get {}", keys.join(", ")),
        other => line(other),
    }
}
