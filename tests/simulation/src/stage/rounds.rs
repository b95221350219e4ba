//! The host: webhooks, rounds of the schedule, and the time between them. Decides nothing but when to look again.

use chrono::TimeDelta;
use tsunagi_guest::sync::report::{Round, Webhook};

use super::{Broken, Stage};
use crate::{
    export::{Answer, Ended, Export},
    world::Moment,
};

/// How long nothing may go wrong until everything has settled: longer than the longest grace, retry and catch-up of the guest.
const CALM: TimeDelta = TimeDelta::minutes(125);
/// More rounds than a run needs by far.
const MOST_ROUNDS: u32 = 400;
/// A host starts a new instance so long after one died or failed.
const RESTART: TimeDelta = TimeDelta::seconds(5);

/// A webhook as the host hands it on.
pub(crate) fn delivery(webhook: &tsunagi_sandbox::webhook::Webhook) -> Webhook {
    let header = |name: &str| {
        let found = webhook.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    Webhook {
        contract_id: header("smaregi-contract-id"),
        event: header("smaregi-event"),
        event_id: header("smaregi-event-id"),
        body: webhook.body.to_string().into_bytes(),
    }
}

impl Stage {
    /// One round of the schedule, after the webhooks that came; says when the next one is due.
    ///
    /// # Errors
    /// As [`Stage::log_in`].
    pub fn round(&mut self) -> Result<Moment, Broken> {
        self.rounds += 1;
        self.deliver_webhooks();
        let round = self.call(&Export::Run);
        if let Ended::Returned(Ok(Answer::Round(Round {
            trouble: Some(reason),
            ..
        }))) = &round
        {
            let text = reason.message.en.clone();
            self.world.state().hostile.told.push(text);
        }
        self.log_in_if_asked()?;
        let now = self.world.now();
        let skew = self.world.state().skew;
        let woken = self.world.state().services.webhooks_waiting() > 0;
        Ok(match round {
            Ended::Returned(Ok(Answer::Round(Round {
                more: false,
                next_at,
                ..
            }))) if !woken => (next_at - skew).max(now + TimeDelta::seconds(1)),
            Ended::Returned(Ok(_)) => now + TimeDelta::seconds(2),
            Ended::Returned(Err(_)) | Ended::Died => now + RESTART,
        })
    }

    /// Smaregi posts each once and never again.
    fn deliver_webhooks(&mut self) {
        let due = self.world.state().services.take_webhooks();
        for webhook in due {
            let taken = self.call(&Export::TakeIn(delivery(&webhook)));
            self.unacknowledged += u32::from(!matches!(taken, Ended::Returned(Ok(_))));
        }
    }

    /// Rounds, each when it is due, until nothing has happened and nothing has gone wrong for long enough.
    ///
    /// # Errors
    /// When it does not come to rest.
    pub fn settle(&mut self) -> Result<(), Broken> {
        self.settle_watched(|_| ())
    }

    /// The same, shown to somebody before each round.
    ///
    /// # Errors
    /// As [`Stage::settle`].
    pub fn settle_watched(&mut self, mut watch: impl FnMut(&Self)) -> Result<(), Broken> {
        let mut left = MOST_ROUNDS;
        loop {
            watch(self);
            let next = self.round()?;
            let struck_at = self.world.state().struck_at;
            let end = struck_at.map_or(self.acted_at, |at| at.max(self.acted_at)) + CALM;
            if next >= end {
                self.world.clock.set(end);
                return Ok(());
            }
            self.world.clock.set(next);
            left -= 1;
            if left == 0 {
                return Err(Broken("it never comes to rest".to_owned()));
            }
        }
    }

    /// Rounds for so long, whatever happens.
    ///
    /// # Errors
    /// As [`Stage::round`].
    pub fn run_for(&mut self, time: TimeDelta) -> Result<(), Broken> {
        let end = self.world.now() + time;
        loop {
            let next = self.round()?;
            if next >= end {
                self.world.clock.set(end.max(self.world.now()));
                return Ok(());
            }
            self.world.clock.set(next);
        }
    }
}
