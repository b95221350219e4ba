//! The `history` export.

use super::{
    Connector,
    bindings::{
        exports::tsunagi::connector::history::{self as wit, Guest},
        tsunagi::connector::types::{Error, PageRequest},
    },
    convert, look,
};
use crate::sync::{
    daily, history_received, history_sent,
    report::{self, ReceivedResult, SentResult},
    story::{self, Event, Ids, Step, Subject},
};

impl Guest for Connector {
    fn sent(filter: wit::SentFilter, page: PageRequest) -> Result<wit::SentPage, Error> {
        let page = look(|tenant| {
            let filter = report::SentFilter {
                since: convert::maybe_given_moment("filter.since", filter.since)?,
                before: convert::maybe_given_moment("filter.before", filter.before)?,
                outcome: filter.outcome.map(given_sent),
                trigger: filter.trigger,
                store_id: filter.store_id,
                product: filter.product,
            };
            history_sent::sent(tenant, &filter, &convert::page(page))
        })?;
        Ok(wit::SentPage {
            entries: page.entries.into_iter().map(sent).collect(),
            continuation: page.continuation,
        })
    }

    fn daily(days: u32) -> Result<Vec<wit::Day>, Error> {
        let days = look(|tenant| daily::daily(tenant, days))?;
        Ok(days.into_iter().map(day).collect())
    }

    fn story(key: String) -> Result<wit::WholeStory, Error> {
        let story = look(|tenant| story::story(tenant, &key))?;
        Ok(wit::WholeStory {
            subjects: story.subjects.into_iter().map(subject).collect(),
            events: story.events.into_iter().map(event).collect(),
            cut: story.cut,
        })
    }

    fn received(
        filter: wit::ReceivedFilter,
        page: PageRequest,
    ) -> Result<wit::ReceivedPage, Error> {
        let page = look(|tenant| {
            let filter = report::ReceivedFilter {
                since: convert::maybe_given_moment("filter.since", filter.since)?,
                before: convert::maybe_given_moment("filter.before", filter.before)?,
                outcome: filter.outcome.map(given_received),
                shop_id: filter.shop_id,
                slip: filter.slip,
            };
            history_received::received(tenant, &filter, &convert::page(page))
        })?;
        Ok(wit::ReceivedPage {
            entries: page.entries.into_iter().map(received).collect(),
            continuation: page.continuation,
        })
    }
}

fn subject(subject: Subject) -> wit::StorySubject {
    match subject {
        Subject::Order(slip) => wit::StorySubject::Order(slip),
        Subject::Product(id) => wit::StorySubject::Product(id),
    }
}

fn event(event: Event) -> wit::StoryEvent {
    wit::StoryEvent {
        at: convert::moment(event.at),
        step: step(event.step),
        text: convert::text(event.text),
        reason: event.reason.map(convert::reason),
        ids: ids(event.ids),
    }
}

fn step(step: Step) -> wit::StoryStep {
    match step {
        Step::CameIn => wit::StoryStep::CameIn,
        Step::Decided => wit::StoryStep::Decided,
        Step::Intent => wit::StoryStep::Intent,
        Step::Sent => wit::StoryStep::Sent,
        Step::Settled => wit::StoryStep::Settled,
        Step::Refused => wit::StoryStep::Refused,
        Step::NeedsPerson => wit::StoryStep::NeedsPerson,
        Step::Waits => wit::StoryStep::Waits,
    }
}

fn ids(ids: Ids) -> wit::StoryIds {
    wit::StoryIds {
        slip: ids.slip,
        transaction_id: ids.transaction,
        store_id: ids.store,
        product_id: ids.product,
        product_code: ids.code,
        change_id: ids.change,
        entry_id: ids.entry,
        queue_id: ids.queue,
        quantity: ids.quantity.map(convert::decimal),
        amount: ids.amount.map(convert::decimal),
    }
}

fn day(day: daily::Day) -> wit::Day {
    wit::Day {
        date: convert::day(day.date),
        registered: day.registered,
        undone: day.undone,
        refused: day.refused,
        applied: day.applied,
        returned: day.returned,
        next_engine_calls: day.calls,
    }
}

fn given_sent(outcome: wit::SentResult) -> SentResult {
    match outcome {
        wit::SentResult::Waiting => SentResult::Waiting,
        wit::SentResult::InFlight => SentResult::InFlight,
        wit::SentResult::Applied => SentResult::Applied,
        wit::SentResult::Returned => SentResult::Returned,
        wit::SentResult::NotSent => SentResult::NotSent,
    }
}

fn sent_result(outcome: SentResult) -> wit::SentResult {
    match outcome {
        SentResult::Waiting => wit::SentResult::Waiting,
        SentResult::InFlight => wit::SentResult::InFlight,
        SentResult::Applied => wit::SentResult::Applied,
        SentResult::Returned => wit::SentResult::Returned,
        SentResult::NotSent => wit::SentResult::NotSent,
    }
}

fn given_received(outcome: wit::ReceivedResult) -> ReceivedResult {
    match outcome {
        wit::ReceivedResult::Registered => ReceivedResult::Registered,
        wit::ReceivedResult::Undone => ReceivedResult::Undone,
        wit::ReceivedResult::Refused => ReceivedResult::Refused,
        wit::ReceivedResult::NeedsPerson => ReceivedResult::NeedsPerson,
    }
}

fn received_result(outcome: ReceivedResult) -> wit::ReceivedResult {
    match outcome {
        ReceivedResult::Registered => wit::ReceivedResult::Registered,
        ReceivedResult::Undone => wit::ReceivedResult::Undone,
        ReceivedResult::Refused => wit::ReceivedResult::Refused,
        ReceivedResult::NeedsPerson => wit::ReceivedResult::NeedsPerson,
    }
}

fn sent(entry: report::SentEntry) -> wit::SentEntry {
    wit::SentEntry {
        needs_person: entry.needs_person,
        id: entry.id,
        at: convert::moment(entry.at),
        triggers: entry.triggers,
        stores: entry.stores,
        product_id: entry.product_id,
        product_code: entry.product_code,
        quantity: convert::decimal(entry.quantity),
        before: entry.before.map(convert::decimal),
        after: entry.after.map(convert::decimal),
        outcome: sent_result(entry.outcome),
        reason: entry.reason.map(convert::reason),
        queue_id: entry.queue_id,
    }
}

fn received(entry: report::ReceivedEntry) -> wit::ReceivedEntry {
    wit::ReceivedEntry {
        id: entry.id,
        at: convert::moment(entry.at),
        slip: entry.slip,
        order_number: entry.order_number,
        shop_id: entry.shop_id,
        store_id: entry.store_id,
        transaction_id: entry.transaction_id,
        amount: convert::decimal(entry.amount),
        outcome: received_result(entry.outcome),
        reason: entry.reason.map(convert::reason),
        open: entry.open,
    }
}
