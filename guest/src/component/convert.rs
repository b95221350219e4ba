//! Words that all interfaces share, between the contract's types and ours. Text that is no moment or number is a named problem.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::bindings::tsunagi::connector::types as wit;
use crate::{
    error::{Error, Problem, Side},
    money,
    reason::{Reason, Text},
    sync::report,
    text,
    time::{self, Moment},
};

pub fn moment(moment: Moment) -> String {
    time::format_rfc3339(moment)
}

pub fn maybe_moment(at: Option<Moment>) -> Option<String> {
    at.map(moment)
}

pub fn decimal(value: Decimal) -> String {
    money::text(value)
}

pub fn day(day: NaiveDate) -> String {
    day.to_string()
}

/// A moment that a caller gave.
pub fn given_moment(field: &str, text: &str) -> Result<Moment, Error> {
    let reason = || {
        Reason::new(
            "not-a-timestamp",
            "日時は 2026-11-24T14:03:00+09:00 の形で入力してください。",
            "Give RFC 3339 with offset.",
        )
    };
    time::parse_rfc3339(text)
        .ok_or_else(|| Error::invalid(field, reason().value(text::fit(text, 40))))
}

/// One that a caller may give.
pub fn maybe_given_moment(field: &str, text: Option<String>) -> Result<Option<Moment>, Error> {
    text.map(|text| given_moment(field, &text)).transpose()
}

pub fn text(text: Text) -> wit::Text {
    wit::Text {
        ja: text.ja,
        en: text.en,
    }
}

pub fn reason(reason: Reason) -> wit::Reason {
    wit::Reason {
        code: reason.code,
        message: text(reason.message),
        field: reason.field,
        value: reason.value,
    }
}

pub fn side(side: Side) -> wit::Side {
    match side {
        Side::Smaregi => wit::Side::Smaregi,
        Side::NextEngine => wit::Side::NextEngine,
    }
}

pub fn problem(problem: Problem) -> wit::Problem {
    wit::Problem {
        field: problem.field,
        reason: reason(problem.reason),
    }
}

pub fn page(page: wit::PageRequest) -> report::PageRequest {
    report::PageRequest {
        continuation: page.continuation,
        limit: page.limit.clamp(1, 500),
    }
}

/// One to one; a time that lies behind becomes now.
pub fn error(error: Error, now: Moment) -> wit::Error {
    let later = |at: Moment| moment(at.max(now));
    let message = text(error.reason().message);
    match error {
        Error::Invalid(problems) => wit::Error::Invalid(wit::Problems {
            problems: problems.into_iter().map(problem).collect(),
        }),
        Error::NotConnected(of, _) => wit::Error::NotConnected(wit::Gap {
            side: side(of),
            message,
        }),
        Error::LoginNeeded(since, _) => wit::Error::LoginNeeded(wit::LoginDemand {
            since: moment(since),
            message,
        }),
        Error::Refused(of, code, _) => wit::Error::Refused(wit::Refusal {
            side: side(of),
            code,
            message,
        }),
        Error::Unavailable(of, _, at) => wit::Error::Unavailable(wit::Outage {
            side: side(of),
            message,
            retry_at: later(at),
        }),
        Error::Contended(what, at) => wit::Error::Contended(wit::Contention {
            what,
            message,
            retry_at: later(at),
        }),
        Error::NotFound(what, id) => wit::Error::NotFound(wit::Missing {
            what: what.to_owned(),
            id,
            message,
        }),
        Error::Storage(key, _) => wit::Error::Storage(wit::StorageFailure { key, message }),
        // A flow that can be sliced tells a spent budget in its progress; for the others it is time to try again.
        Error::BudgetSpent => wit::Error::Contended(wit::Contention {
            what: "budget".to_owned(),
            message,
            retry_at: moment(now),
        }),
    }
}
