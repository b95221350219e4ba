//! What stands at a shop and who was told of it, so that a restart neither repeats a notice nor loses one. Functions from data to data;
//! sends nothing and reads no clock.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::causes::{Cause, Finding};

/// A cause that still stands is told again after this long.
const REPEAT: TimeDelta = TimeDelta::days(3);
/// The least time between two notices of one cause, however often it is mended and comes back.
const GAP: TimeDelta = TimeDelta::hours(1);
/// How long an attempt is left alone, whose outcome was not written down: it may be under way in another process, or have died.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(3);
/// After the first failure; doubled each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// A cause at a shop, from when it was first seen until it is mended and forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Of this time that the cause stands; another one when it comes back.
    pub id: String,
    /// What it is about now.
    pub finding: Finding,
    /// When it was first seen.
    pub since: DateTime<Utc>,
    /// When it was seen mended; kept a while so that one that comes and goes is not told each time.
    pub ended_at: Option<DateTime<Utc>>,
    /// By place of delivery.
    pub told: BTreeMap<String, Told>,
}

/// What one place of delivery knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Notices delivered since the cause stands.
    pub times: u32,
    /// When the last one was delivered, of this or an earlier time.
    pub at: Option<DateTime<Utc>>,
    /// Attempts at the next one.
    pub tries: u32,
    /// No attempt before this.
    pub not_before: Option<DateTime<Utc>>,
    /// Why the last attempt failed; empty when it did not.
    pub failure: String,
}

/// What becomes of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// It stays as it is.
    Keep,
    /// It is written.
    Put(Box<Standing>),
    /// It is removed.
    Gone,
}

/// A row after a look at the shop. `id` is for a cause that is new.
pub fn seen(
    before: Option<&Standing>,
    finding: Option<&Finding>,
    id: String,
    now: DateTime<Utc>,
) -> Next {
    let put = |standing| Next::Put(Box::new(standing));
    match (before, finding) {
        (None, None) => Next::Keep,
        (None, Some(finding)) => put(Standing {
            id,
            finding: finding.clone(),
            since: now,
            ended_at: None,
            told: BTreeMap::new(),
        }),
        (Some(before), Some(finding)) if before.ended_at.is_some() => {
            put(come_back(before, finding.clone(), id, now))
        }
        (Some(before), Some(finding)) if before.finding == *finding => Next::Keep,
        (Some(before), Some(finding)) => put(Standing {
            finding: finding.clone(),
            ..before.clone()
        }),
        (Some(before), None) => mended(before, now),
    }
}

fn come_back(before: &Standing, finding: Finding, id: String, now: DateTime<Utc>) -> Standing {
    let told = before.told.iter().map(|(place, told)| {
        let told = Told {
            at: told.at,
            ..Told::default()
        };
        (place.clone(), told)
    });
    Standing {
        id,
        finding,
        since: now,
        ended_at: None,
        told: told.collect(),
    }
}

fn mended(before: &Standing, now: DateTime<Utc>) -> Next {
    let last = before.told.values().filter_map(|told| told.at).max();
    match last {
        Some(last) if now - last < GAP => match before.ended_at {
            Some(_) => Next::Keep,
            None => Next::Put(Box::new(Standing {
                ended_at: Some(now),
                ..before.clone()
            })),
        },
        _ => Next::Gone,
    }
}

impl Standing {
    /// When the next notice to a place is due; `None` when the cause is mended.
    pub fn due(&self, place: &str) -> Option<DateTime<Utc>> {
        if self.ended_at.is_some() {
            return None;
        }
        let told = self.told.get(place);
        let due = match told.map_or((0, None), |told| (told.times, told.at)) {
            (_, None) => self.since,
            (0, Some(at)) => at + GAP,
            (_, Some(at)) => at + REPEAT,
        };
        let not_before = told.and_then(|told| told.not_before);
        Some(not_before.map_or(due, |at| at.max(due)))
    }

    /// Before an attempt: whatever becomes of it, the next one is not at once.
    pub fn trying(mut self, place: &str, now: DateTime<Utc>) -> Self {
        let told = self.told.entry(place.to_owned()).or_default();
        told.tries = told.tries.saturating_add(1);
        told.not_before = Some(now + UNDER_WAY);
        self
    }

    /// After it.
    pub fn tried(mut self, place: &str, outcome: Result<(), String>, now: DateTime<Utc>) -> Self {
        let told = self.told.entry(place.to_owned()).or_default();
        match outcome {
            Ok(()) => {
                *told = Told {
                    times: told.times.saturating_add(1),
                    at: Some(now),
                    ..Told::default()
                }
            }
            Err(failure) => {
                told.not_before = Some(now + pause(told.tries));
                told.failure = failure;
            }
        }
        self
    }

    /// The same for each attempt at one notice, so that a receiver can know one that comes twice.
    pub fn notice_id(&self, place: &str) -> String {
        let times = self.told.get(place).map_or(0, |told| told.times);
        format!("{}.{}", self.id, times + 1)
    }

    /// Whether this place was told of it before.
    pub fn is_repeated(&self, place: &str) -> bool {
        self.told.get(place).is_some_and(|told| told.times > 0)
    }

    /// Its cause.
    pub fn cause(&self) -> Cause {
        self.finding.cause
    }
}

fn pause(tries: u32) -> TimeDelta {
    let doubled = 2_i32.saturating_pow(tries.saturating_sub(1).min(16));
    FIRST_PAUSE
        .checked_mul(doubled)
        .map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "mail:a@example.jp";

    fn at(minutes: i64) -> DateTime<Utc> {
        let begins: DateTime<Utc> = "2026-11-24T00:00:00Z".parse().unwrap();
        begins + TimeDelta::minutes(minutes)
    }

    fn refused(count: u64) -> Finding {
        Finding {
            cause: Cause::RefusedOrders,
            count,
            until: None,
        }
    }

    fn row(before: Option<&Standing>, finding: Option<&Finding>, minutes: i64) -> Standing {
        match seen(before, finding, format!("id{minutes}"), at(minutes)) {
            Next::Put(row) => *row,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_cause_is_told_once_and_again_after_days() {
        let first = row(None, Some(&refused(1)), 0);
        assert_eq!(first.due(PLACE), Some(at(0)));
        let told = first.trying(PLACE, at(0)).tried(PLACE, Ok(()), at(1));
        assert_eq!(told.due(PLACE), Some(at(1) + REPEAT));
        let more = row(Some(&told), Some(&refused(2)), 5);
        assert_eq!((more.finding.count, &more.id), (2, &told.id));
        assert_eq!(more.due(PLACE), Some(at(1) + REPEAT), "no flood");
        assert_eq!(
            seen(Some(&more), Some(&refused(2)), String::new(), at(6)),
            Next::Keep
        );
        assert_eq!(
            more.due("webhook:x"),
            Some(at(0)),
            "another place is not told yet"
        );
    }

    #[test]
    fn an_attempt_without_an_outcome_is_repeated_under_the_same_id() {
        let first = row(None, Some(&refused(1)), 0);
        let id = first.notice_id(PLACE);
        let died = first.trying(PLACE, at(0));
        assert_eq!(died.due(PLACE), Some(at(0) + UNDER_WAY));
        assert_eq!(died.notice_id(PLACE), id);
        let told = died.tried(PLACE, Ok(()), at(4));
        assert_ne!(told.notice_id(PLACE), id);
        assert!(told.is_repeated(PLACE));
    }

    #[test]
    fn a_failure_is_tried_again_later_and_later() {
        let mut standing = row(None, Some(&refused(1)), 0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            standing = standing.trying(PLACE, at(0));
            standing = standing.tried(PLACE, Err("closed".to_owned()), at(0));
            pauses.push((standing.due(PLACE).unwrap() - at(0)).num_minutes());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(standing.told[PLACE].failure, "closed");
        let told = standing.tried(PLACE, Ok(()), at(1));
        assert_eq!(
            (told.told[PLACE].tries, told.told[PLACE].failure.as_str()),
            (0, "")
        );
    }

    #[test]
    fn mended_is_quiet_and_what_comes_back_at_once_waits() {
        let told = row(None, Some(&refused(1)), 0).tried(PLACE, Ok(()), at(0));
        let ended = row(Some(&told), None, 10);
        assert_eq!(ended.due(PLACE), None);
        assert_eq!(seen(Some(&ended), None, String::new(), at(20)), Next::Keep);
        let back = row(Some(&ended), Some(&refused(3)), 30);
        assert_ne!(back.id, told.id);
        assert_eq!(back.due(PLACE), Some(at(0) + GAP));
        assert_eq!(seen(Some(&ended), None, String::new(), at(61)), Next::Gone);
        let untold = row(None, Some(&refused(1)), 0);
        assert_eq!(
            seen(Some(&untold), None, String::new(), at(1)),
            Next::Gone,
            "nothing to take back"
        );
    }
}
