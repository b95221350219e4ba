//! A recorded call of the component: all that it was given, in the order in which it took it, and what it asked, wrote and answered.
//! Decides nothing; [`mask`] takes secrets and personal data out before anything is written, and [`crate::replay`] runs it again.
//!
//! A recording is one JSON file, one step a line:
//!
//! ```json
//! {"tsunagi-recording": 1, "program": "0.1.0", "component": "SHA-256 of the component, for information",
//! "function": "orders.stores", "arguments": {},
//! "parameters": [], "steps": [
//! {"now": {"at": "2026-11-24T00:00:00Z", "times": 2}},
//! {"get": {"keys": ["settings"], "found": {"ok": [{"key": "settings", "revision": 1, "value": "{…}"}]}}},
//! {"request": {"number": 1, "method": "POST", "url": "https://…", "body": "…"}},
//! {"answer": {"number": 1, "status": 200, "headers": {"content-type": "application/json"}, "body": "…"}}
//! ],
//! "ended": {"ok": []}}
//! ```
//!
//! Steps are what [`Step`] names. An answer stands where the component took it, however early it arrived, and a wait where the component
//! saw that it was over; so the order of the steps is all that there is to know about what was under way at once. Numbers of requests and
//! waits count from 1 in the order in which they were begun. Bytes are text where they are UTF-8, and `{"hex": "…"}` otherwise.
//!
//! Not in it: headers of requests (they hold tokens) and most of those of answers; answers that the component did not wait for; in how many
//! pieces a body came; what the standard library asks (the seed of hash maps is 0 while recording and replaying; there are no arguments,
//! variables and files). Not recorded at all: a commit beyond the contract's limits is refused before it is a step.

mod content;
pub mod mask;
pub mod trace;

use std::{collections::BTreeMap, io::Write as _, path::Path};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::storage;
pub use content::{Content, from_hexadecimal};

/// Of this format. A file of another version is refused.
pub const VERSION: u32 = 1;

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Recording {
    /// [`VERSION`]
    pub tsunagi_recording: u32,
    /// The host's version.
    pub program: String,
    /// SHA-256 of the component, in hexadecimal digits. For information: another component may replay it as well.
    pub component: String,
    /// `interface.function`
    pub function: String,
    /// By name, as `wit/` spells them, a budget that was left out included.
    pub arguments: Value,
    /// The names of the function's parameters, in its own order, for runtimes that know no names.
    pub parameters: Vec<String>,
    /// In the component's own order.
    pub steps: Vec<Step>,
    /// How it ended.
    pub ended: Ended,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// With the contract's value.
    Ok(Value),
    /// With the contract's error.
    Error(Value),
    /// The component failed or hit a limit; the text is for people.
    Fault(String),
}

/// One thing that the component was given or did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The wall clock was read, so many times in a row.
    Now {
        /// What it showed.
        at: DateTime<Utc>,
        /// How often.
        times: u32,
    },
    /// The monotonic clock was read, so many times in a row.
    Monotonic {
        /// What it showed.
        nanoseconds: u64,
        /// How often.
        times: u32,
    },
    /// A random number, or bytes, in hexadecimal digits, the highest first.
    Random(String),
    /// Keys were read.
    Get {
        /// Which.
        keys: Vec<String>,
        /// One for each.
        found: Outcome<Vec<Option<Row>>>,
    },
    /// A range was read.
    Scan {
        /// First key included.
        start: String,
        /// First key excluded.
        end: String,
        /// From its upper end.
        backward: bool,
        /// At most so many.
        limit: u32,
        /// Them.
        found: Outcome<Vec<Row>>,
    },
    /// Something was written.
    Commit {
        /// What had to be so.
        checks: Vec<Seen>,
        /// What was to be.
        writes: Vec<Put>,
        /// What became of it.
        done: Outcome<()>,
    },
    /// A request was begun.
    Request {
        /// From 1.
        number: u32,
        /// `GET`, `POST` …
        method: String,
        /// Whole.
        url: String,
        /// Whole.
        body: Content,
    },
    /// An answer was taken.
    Answer {
        /// Of which request.
        number: u32,
        /// HTTP's.
        status: u16,
        /// Those that are kept.
        headers: BTreeMap<String, String>,
        /// As far as it came.
        body: Content,
        /// Why no more of it came, as `wasi:http` names it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<String>,
    },
    /// It was seen that a request got no answer.
    Failed {
        /// Which.
        number: u32,
        /// As `wasi:http` names it.
        error: String,
    },
    /// It was seen that a wait is over.
    Waited {
        /// The how manieth wait that was begun, from 1; waits for nothing do not count.
        number: u32,
        /// How long it was to be.
        nanoseconds: u64,
    },
}

/// What storage gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome<T> {
    /// What was asked for.
    Ok(T),
    /// Nothing: the key that changed.
    Conflict(String),
    /// Nothing, or perhaps nothing: why.
    Unavailable(String),
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its key.
    pub key: String,
    /// Of its last write.
    pub revision: u64,
    /// Its bytes.
    pub value: Content,
}

/// What a commit asked to be still so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The key.
    pub key: String,
    /// Nothing: the key does not exist.
    pub revision: Option<u64>,
}

/// A write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Put {
    /// The key.
    pub key: String,
    /// Nothing: it is deleted.
    pub value: Option<Content>,
}

impl Recording {
    /// Reads one.
    ///
    /// # Errors
    /// When it is none, or one of another version.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let read = || -> anyhow::Result<Self> {
            let value: Value = serde_json::from_slice(&std::fs::read(path)?)?;
            let version = value.get("tsunagi-recording").and_then(Value::as_u64);
            match version {
                Some(version) if version == u64::from(VERSION) => {
                    Ok(serde_json::from_value(value)?)
                }
                Some(other) => anyhow::bail!(
                    "it is a recording of version {other}, and this program reads version {VERSION}"
                ),
                None => anyhow::bail!("it is no recording of `tsunagi --record`"),
            }
        };
        read().with_context(|| path.display().to_string())
    }

    /// The file's text, one step a line.
    ///
    /// # Errors
    /// When a part cannot be spelled as JSON, which none is known to be.
    pub fn text(&self) -> anyhow::Result<String> {
        let steps = self.steps.iter().map(serde_json::to_string);
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        let said = |text: &str| serde_json::to_string(text);
        Ok(format!(
            "{{\"tsunagi-recording\": {}, \"program\": {}, \"component\": {},\n\"function\": {}, \"arguments\": {},\n\"parameters\": {}, \"steps\": [\n{}\n],\n\"ended\": {}}}\n",
            self.tsunagi_recording,
            said(&self.program)?,
            said(&self.component)?,
            said(&self.function)?,
            self.arguments,
            serde_json::to_string(&self.parameters)?,
            steps.join(",\n"),
            serde_json::to_string(&self.ended)?,
        ))
    }

    /// Writes it to a file that is not there yet, for its owner alone.
    ///
    /// # Errors
    /// When it is there, or cannot be made.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut file = storage::new_private_file(path)?;
        Ok(file.write_all(self.text()?.as_bytes())?)
    }
}
