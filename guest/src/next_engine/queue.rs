//! アップロードキュー (next-engine.md 4.4): what became of an upload, as far as the queue knows; rows are verified elsewhere.

use super::Call;
use crate::{
    reason::Reason,
    time::{self, Moment},
    wire::{self, Row, Value},
};

const PATH: &str = "/api_v1_system_que/search";
const FIELDS: [&str; 3] = ["que_id", "que_status_id", "que_message"];
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
    /// Another, or unreadable: it may still run.
    Unknown,
}

impl QueueState {
    /// Nothing more will come of it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
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
}

/// One entry.
pub fn one(id: &str) -> Call {
    Call::search(PATH, &FIELDS, 1).with("que_id-eq", id)
}

/// Rows of a full page.
pub const FULL: usize = LIMIT as usize;

/// What was queued since then, by Next Engine's clock, and after this entry: ids grow (next-engine.md 4.4).
pub fn since(moment: Moment, after: Option<&str>) -> Call {
    let call = Call::search(PATH, &FIELDS, LIMIT)
        .with("que_creation_date-gte", time::format_next_engine(moment));
    match after {
        Some(id) => call.with("que_id-gt", id),
        None => call,
    }
}

/// The rows of an answer. One that cannot be read is there all the same, in an unknown state; a list that cannot be read is one such.
pub fn decode(answer: &Value) -> Vec<QueueEntry> {
    wire::rows(answer.get("data").unwrap_or(&Value::Null), "data", |row| {
        Ok(entry(row))
    })
    .into_iter()
    .map(|entry: Result<QueueEntry, Reason>| entry.unwrap_or_else(|_| unreadable()))
    .collect()
}

fn entry(row: Row<'_>) -> QueueEntry {
    QueueEntry {
        id: row.id("que_id").unwrap_or_default(),
        state: row
            .maybe_text("que_status_id")
            .map_or(QueueState::Unknown, |id| state(&id)),
        message: row.maybe_text("que_message"),
    }
}

fn unreadable() -> QueueEntry {
    QueueEntry {
        id: String::new(),
        state: QueueState::Unknown,
        message: None,
    }
}

fn state(id: &str) -> QueueState {
    match id {
        "0" => QueueState::Waiting,
        "1" => QueueState::Running,
        "2" => QueueState::Done,
        "-1" => QueueState::Failed,
        _ => QueueState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn what_cannot_be_read_is_unknown_and_not_absent() {
        let answer = json!({"data": [
            {"que_id": "7", "que_status_id": "2"},
            {"que_id": 8, "que_status_id": "5"},
            {"que_id": "9", "que_status_id": "0"},
            {"que_id": "10", "que_status_id": 1},
            {"que_id": "11", "que_status_id": "-1"},
            {"que_status_id": null},
            null,
        ]});
        let read: Vec<(String, QueueState)> = decode(&answer)
            .into_iter()
            .map(|entry| (entry.id, entry.state))
            .collect();
        let unknown = QueueState::Unknown;
        assert_eq!(
            read,
            [
                ("7".to_owned(), QueueState::Done),
                ("8".to_owned(), unknown),
                ("9".to_owned(), QueueState::Waiting),
                ("10".to_owned(), QueueState::Running),
                ("11".to_owned(), QueueState::Failed),
                (String::new(), unknown),
                (String::new(), unknown)
            ]
        );
        assert_eq!(decode(&json!({})).len(), 1);
    }
}
