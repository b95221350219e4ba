//! Why a person is needed at a shop: what the component and its last comparison said, put into causes. Functions from data to data; judges
//! nothing about orders or stock itself.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::console::{count, flag, items, text};

/// How long before the login ends it is told.
const EARLY: TimeDelta = TimeDelta::hours(24);

/// Why a person is needed. Each has a notice of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The login to Next Engine is gone: everything waits.
    LoginNeeded,
    /// It ends within a day: renewing it did not work.
    LoginEnds,
    /// Orders were refused.
    RefusedOrders,
    /// Orders that were taken in, or stock, where only a person can do the rest.
    NeedsPerson,
    /// Stock rows were not applied, and wait for somebody to mend something.
    StockHeld,
    /// An alignment stopped at the guard against mass changes.
    GuardWaits,
    /// A comparison found differences that nothing explains.
    Unexplained,
}

impl Cause {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 7] = [
        Self::LoginNeeded,
        Self::LoginEnds,
        Self::RefusedOrders,
        Self::NeedsPerson,
        Self::StockHeld,
        Self::GuardWaits,
        Self::Unexplained,
    ];

    /// Its word, in settings and in what a webhook carries.
    pub fn word(self) -> &'static str {
        match self {
            Self::LoginNeeded => "login-needed",
            Self::LoginEnds => "login-ends",
            Self::RefusedOrders => "refused-orders",
            Self::NeedsPerson => "needs-person",
            Self::StockHeld => "stock-held",
            Self::GuardWaits => "guard-waits",
            Self::Unexplained => "unexplained",
        }
    }

    /// The cause of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }
}

/// What is known of a shop.
#[derive(Default)]
pub struct Facts {
    /// `connection.get-status`.
    pub status: Value,
    /// `orders.stores`.
    pub stores: Value,
    /// Entries of `history.sent` that wait.
    pub waiting: Vec<Value>,
    /// The sums of the last comparison.
    pub compared: Option<Value>,
    /// The alignment that waits for a word beyond the guard.
    pub guard: Option<Value>,
}

/// What a cause is about now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Why.
    pub cause: Cause,
    /// Orders or products; 1 for a login.
    pub count: u64,
    /// When the login ends.
    pub until: Option<String>,
}

/// Everything that needs a person now.
pub fn found(facts: &Facts, now: DateTime<Utc>) -> Vec<Finding> {
    let counted = |cause, count| {
        (count > 0).then_some(Finding {
            cause,
            count,
            until: None,
        })
    };
    let open = |row: &Option<Value>, field| row.as_ref().map_or(0, |row| count(row, field));
    let found = [
        login(&facts.status, now),
        counted(Cause::RefusedOrders, refused(&facts.stores)),
        counted(Cause::NeedsPerson, to_be_done(facts)),
        counted(Cause::StockHeld, held(&facts.waiting) as u64),
        counted(Cause::GuardWaits, open(&facts.guard, "/products")),
        counted(Cause::Unexplained, open(&facts.compared, "/unexplained")),
    ];
    found.into_iter().flatten().collect()
}

/// A login that nobody has begun is no matter while the link is off.
fn login(status: &Value, now: DateTime<Utc>) -> Option<Finding> {
    let is_on = flag(status, "/switched-on");
    let is_demanded = status
        .get("login-needed")
        .is_some_and(|said| !said.is_null());
    let ends = text(status, "/tokens/refresh-expires-at");
    let of = |cause, until| Finding {
        cause,
        count: 1,
        until,
    };
    if is_demanded || (is_on && ends.is_empty()) {
        return Some(of(Cause::LoginNeeded, None));
    }
    (is_on && ends_soon(ends, now)).then(|| of(Cause::LoginEnds, Some(ends.to_owned())))
}

/// Whether a login ends so soon that a person should log in again.
pub fn ends_soon(moment: &str, now: DateTime<Utc>) -> bool {
    let ends = DateTime::parse_from_rfc3339(moment);
    ends.is_ok_and(|ends| ends.with_timezone(&Utc) - now < EARLY)
}

fn to_be_done(facts: &Facts) -> u64 {
    orders_to_look_at(&facts.stores) + stopped(&facts.waiting) as u64
}

/// Orders that could not be taken in, by `orders.stores`.
pub fn refused(stores: &Value) -> u64 {
    sum(stores, "/refused").saturating_sub(orders_to_look_at(stores))
}

/// Orders that were taken in and need a person for the rest.
pub fn orders_to_look_at(stores: &Value) -> u64 {
    sum(stores, "/needs-person")
}

fn sum(stores: &Value, field: &str) -> u64 {
    let stores = items(stores, "").iter();
    stores.map(|store| count(store, field)).sum()
}

/// Products that wait until something is mended, of those that wait.
pub fn held(waiting: &[Value]) -> usize {
    let is_held = |entry: &&Value| entry.get("reason").is_some_and(|reason| !reason.is_null());
    waiting.iter().filter(is_held).count() - stopped(waiting)
}

/// Products that go no further without a person's word.
pub fn stopped(waiting: &[Value]) -> usize {
    let needs_person = |entry: &&Value| flag(entry, "/needs-person");
    waiting.iter().filter(needs_person).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T00:00:00Z".parse().unwrap()
    }

    fn causes(facts: &Facts) -> Vec<(Cause, u64)> {
        let found = found(facts, now());
        found.iter().map(|one| (one.cause, one.count)).collect()
    }

    #[test]
    fn a_shop_where_all_is_well_has_none_and_one_that_is_off_needs_no_login() {
        assert!(causes(&Facts::default()).is_empty());
        let well = Facts {
            status: json!({ "switched-on": true, "tokens": { "refresh-expires-at": "2026-11-27T00:00:00Z" }, "login-needed": null }),
            stores: json!([{ "refused": 0 }]),
            waiting: vec![json!({ "reason": null }), json!({})],
            compared: Some(json!({ "unexplained": 0 })),
            guard: None,
        };
        assert!(causes(&well).is_empty());
        let off = Facts {
            status: json!({ "switched-on": false, "tokens": null, "login-needed": null }),
            ..Facts::default()
        };
        assert!(causes(&off).is_empty());
    }

    #[test]
    fn each_cause_counts_what_it_is_about() {
        let ill = Facts {
            status: json!({ "switched-on": true, "tokens": { "refresh-expires-at": "2026-11-24T20:00:00Z" } }),
            stores: json!([{ "refused": 2, "needs-person": 0 }, { "refused": 3, "needs-person": 2 }]),
            waiting: vec![
                json!({ "reason": { "code": "no-code" }, "needs-person": false }),
                json!({ "reason": { "code": "outcome-unclear" }, "needs-person": true }),
                json!({}),
            ],
            compared: Some(json!({ "unexplained": 4 })),
            guard: Some(json!({ "products": 31 })),
        };
        let expected = [
            (Cause::LoginEnds, 1),
            (Cause::RefusedOrders, 3),
            (Cause::NeedsPerson, 3),
            (Cause::StockHeld, 1),
            (Cause::GuardWaits, 31),
            (Cause::Unexplained, 4),
        ];
        assert_eq!(causes(&ill), expected);
        for status in [
            json!({ "switched-on": true, "tokens": null }),
            json!({ "switched-on": false, "login-needed": { "ja": "…" } }),
        ] {
            let facts = Facts {
                status,
                ..Facts::default()
            };
            assert_eq!(causes(&facts), [(Cause::LoginNeeded, 1)]);
        }
    }

    #[test]
    fn a_cause_is_known_by_its_word() {
        for cause in Cause::ALL {
            assert_eq!(Cause::named(cause.word()), Some(cause));
        }
        assert_eq!(Cause::named("weather"), None);
    }
}
