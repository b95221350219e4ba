//! Operations of storage as a recording's steps, spelled alike by who writes them down and who compares them.

use crate::{
    recording::{Content, Outcome, Put, Row, Seen, Step},
    runtime::bindings::tsunagi::connector::storage as wit,
};

/// A range is read.
pub fn scan(
    range: wit::KeyRange,
    direction: wit::Direction,
    limit: u32,
    found: Outcome<Vec<Row>>,
) -> Step {
    Step::Scan {
        start: range.start,
        end: range.end,
        backward: direction == wit::Direction::Backward,
        limit,
        found,
    }
}

/// Something is written; what becomes of it may still be to come.
pub fn commit(checks: &[wit::Check], writes: &[wit::Write]) -> (Vec<Seen>, Vec<Put>) {
    let seen = checks.iter().map(|check| Seen {
        key: check.key.clone(),
        revision: check.revision,
    });
    let put = writes.iter().map(|write| Put {
        key: write.key.clone(),
        value: write.value.as_deref().map(Content::of),
    });
    (seen.collect(), put.collect())
}
