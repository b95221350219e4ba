//! The whole story of one order or one product, from both ledgers, in the order of time. See `wit/history.wit`. Reads storage only
//! and decides nothing: every sentence tells what a record holds.

mod order;
mod product;
mod words;

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::{
    error::{Error, ORDER_OR_PRODUCT, Result},
    reason::{Reason, Text},
    sync::tenant::Tenant,
    time::Moment,
};

/// Longer than any number or code of either service (characters).
const LONGEST_KEY: usize = 100;
/// What follows from the rest is left off; the newest stays.
const MOST_EVENTS: usize = 500;

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Read from the service it happened in.
    CameIn,
    /// What is to become of it.
    Decided,
    /// Recorded before its first attempt.
    Intent,
    /// Given to the other side.
    Sent,
    /// Its outcome is known.
    Settled,
    /// Not done, and why.
    Refused,
    /// A person has to look.
    NeedsPerson,
    /// What it waits for now.
    Waits,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What kind.
    pub step: Step,
    /// What happened.
    pub text: Text,
    /// Why.
    pub reason: Option<Reason>,
    /// Whom it concerns.
    pub ids: Ids,
}

/// The names in both services of what an event concerns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ids {
    /// 伝票番号
    pub slip: Option<String>,
    /// Smaregi's 取引ID.
    pub transaction: Option<String>,
    /// Smaregi's 店舗ID.
    pub store: Option<String>,
    /// Smaregi's 商品ID.
    pub product: Option<String>,
    /// 商品コード at Next Engine.
    pub code: Option<String>,
    /// A row of Smaregi's stock history.
    pub change: Option<String>,
    /// An entry of the send history.
    pub entry: Option<String>,
    /// Next Engine's queue id.
    pub queue: Option<String>,
    /// Pieces, signed.
    pub quantity: Option<Decimal>,
    /// Yen.
    pub amount: Option<Decimal>,
}

/// What the key turned out to name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// 伝票番号
    Order(String),
    /// Smaregi's 商品ID.
    Product(String),
}

/// A story.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Everything that the key names.
    pub subjects: Vec<Subject>,
    /// Oldest first.
    pub events: Vec<Event>,
    /// Older ones were not looked for, or are left off.
    pub cut: bool,
}

/// Tells the story of what the key names: 伝票番号, 受注番号, 商品コード or 商品ID.
pub fn story(tenant: &Tenant<'_>, key: &str) -> Result<Story> {
    let key = key.trim();
    let missing = || Error::NotFound(ORDER_OR_PRODUCT, key.chars().take(40).collect());
    if key.is_empty() || key.chars().count() > LONGEST_KEY {
        return Err(missing());
    }
    let mut teller = Teller::default();
    order::tell(tenant, key, &mut teller)?;
    product::tell(tenant, key, &mut teller)?;
    if teller.subjects.is_empty() {
        return Err(missing());
    }
    Ok(teller.end())
}

/// A story being put together.
#[derive(Default)]
struct Teller {
    subjects: BTreeSet<Subject>,
    events: Vec<Event>,
    cut: bool,
}

impl Teller {
    fn add(&mut self, at: Moment, step: Step, text: Text, reason: Option<Reason>, ids: Ids) {
        let event = Event {
            at,
            step,
            text,
            reason,
            ids,
        };
        // A slip can be met by its number and by a product in it.
        if !self.events.contains(&event) {
            self.events.push(event);
        }
    }

    fn end(mut self) -> Story {
        self.events.sort_by_key(|event| (event.at, event.step));
        let excess = self.events.len().saturating_sub(MOST_EVENTS);
        self.events.drain(..excess);
        Story {
            subjects: self.subjects.into_iter().collect(),
            events: self.events,
            cut: self.cut || excess > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_events_are_told_and_that_older_ones_are_left_off() {
        for (events, earlier, cut) in [
            (MOST_EVENTS, false, false),
            (MOST_EVENTS, true, true),
            (MOST_EVENTS + 1, false, true),
        ] {
            let mut teller = Teller {
                cut: earlier,
                ..Teller::default()
            };
            let begin = Moment::default();
            for number in 0..events {
                let at = begin + chrono::TimeDelta::minutes(i64::try_from(number).unwrap());
                let text = Text::new(number.to_string(), "");
                teller.add(at, Step::Settled, text.clone(), None, Ids::default());
                teller.add(at, Step::Settled, text, None, Ids::default());
            }
            let story = teller.end();
            assert_eq!((story.events.len(), story.cut), (MOST_EVENTS, cut));
            let last = story.events.last().map(|event| event.text.ja.clone());
            assert_eq!(last, Some((events - 1).to_string()));
        }
    }
}
