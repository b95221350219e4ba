//! アップロードキュー (next-engine.md 4.4): what became of an upload, as far as the queue knows; rows are verified elsewhere.

use serde_json::Value;

use super::Call;
use crate::{
    reason::Reason,
    time::{self, Moment},
    wire::{self, Row},
};

const PATH: &str = "/api_v1_system_que/search";
const FIELDS: [&str; 4] = [
    "que_id",
    "que_status_id",
    "que_message",
    "que_creation_date",
];
const LIMIT: u32 = 1_000;

/// `que_status_id`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueState {
    /// 0
    Waiting,
    /// 1
    Running,
    /// 2
    Done,
    /// -1
    Failed,
}

/// An upload in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// `que_id`
    pub id: String,
    /// How far it came.
    pub state: QueueState,
    /// Progress, or the reason of a failure.
    pub message: Option<String>,
    /// When it was queued; absent when it cannot be read.
    pub created_at: Option<Moment>,
}

/// One entry.
pub fn one(id: &str) -> Call {
    Call::search(PATH, &FIELDS, 1).with("que_id-eq", id)
}

/// What was queued since then.
pub fn since(moment: Moment) -> Call {
    Call::search(PATH, &FIELDS, LIMIT)
        .with("que_creation_date-gte", time::format_next_engine(moment))
}

/// The rows of an answer.
pub fn decode(answer: &Value) -> Vec<Result<QueueEntry, Reason>> {
    wire::rows(answer.get("data").unwrap_or(&Value::Null), "data", entry)
}

fn entry(row: Row<'_>) -> Result<QueueEntry, Reason> {
    Ok(QueueEntry {
        id: row.text("que_id")?,
        state: row.read("que_status_id", state)?,
        message: row.maybe_text("que_message"),
        created_at: row
            .maybe_text("que_creation_date")
            .as_deref()
            .and_then(time::parse_next_engine),
    })
}

fn state(id: &str) -> Option<QueueState> {
    match id {
        "0" => Some(QueueState::Waiting),
        "1" => Some(QueueState::Running),
        "2" => Some(QueueState::Done),
        "-1" => Some(QueueState::Failed),
        _ => None,
    }
}
