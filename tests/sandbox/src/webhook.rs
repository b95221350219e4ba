//! Webhooks on their way out, with the faults of their kind: lost, doubled, late, out of order (smaregi.md 6).
//! It must not deliver anything itself: in process somebody takes them, the server posts them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::SandboxClock;
use crate::lock;

/// How long a webhook put out of order waits for another one to pass it.
const REORDER_WAIT: TimeDelta = TimeDelta::seconds(5);

/// One webhook to be posted once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// Header names and values, besides `content-type: application/json`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

/// What goes wrong with a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WebhookFault {
    /// It never leaves.
    Drop,
    /// It leaves twice, with the same event id.
    Duplicate,
    /// It leaves late by the sandbox's clock.
    Delay {
        /// How late.
        seconds: u32,
    },
    /// The next one overtakes it.
    Reorder,
}

#[derive(Debug, Clone, Default)]
struct State {
    waiting: Vec<Waiting>,
    faults: Vec<(WebhookFault, u32)>,
    sent: u64,
    posting: u64,
}

#[derive(Debug, Clone)]
struct Waiting {
    due: DateTime<FixedOffset>,
    let_pass: bool,
    webhook: Webhook,
}

/// The queue of webhooks. Clones share it.
#[derive(Debug, Clone)]
pub struct Webhooks {
    clock: SandboxClock,
    state: Arc<Mutex<State>>,
}

impl Webhooks {
    /// An empty queue.
    pub fn new(clock: SandboxClock) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// The same queue again, apart from this one and on another clock; nothing is being posted from it.
    pub fn fork(&self, clock: SandboxClock) -> Self {
        let state = State {
            posting: 0,
            ..lock(&self.state).clone()
        };
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Orders a fault for the next `times` webhooks.
    pub fn add_fault(&self, fault: WebhookFault, times: u32) {
        lock(&self.state).faults.push((fault, times));
    }

    /// Lifts the faults that were not met yet.
    pub fn clear_faults(&self) {
        lock(&self.state).faults.clear();
    }

    /// Lets a webhook leave, subject to the faults in force.
    pub fn push(&self, webhook: Webhook) {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        let fault = state.next_fault();
        let (due, let_pass) = match fault {
            Some(WebhookFault::Drop) => return,
            Some(WebhookFault::Delay { seconds }) => {
                (now + TimeDelta::seconds(seconds.into()), false)
            }
            Some(WebhookFault::Reorder) => (now + REORDER_WAIT, true),
            Some(WebhookFault::Duplicate) | None => (now, false),
        };
        if fault == Some(WebhookFault::Duplicate) {
            state.waiting.push(Waiting {
                due,
                let_pass,
                webhook: webhook.clone(),
            });
        }
        let overtaken: Vec<_> = state
            .waiting
            .extract_if(.., |waiting| waiting.let_pass && !let_pass)
            .collect();
        state.waiting.push(Waiting {
            due,
            let_pass,
            webhook,
        });
        state
            .waiting
            .extend(overtaken.into_iter().map(|waiting| Waiting {
                due: now,
                let_pass: false,
                ..waiting
            }));
    }

    /// Takes those that are due, in the order they shall arrive.
    pub fn take(&self) -> Vec<Webhook> {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        let due: Vec<_> = state
            .waiting
            .extract_if(.., |waiting| waiting.due <= now)
            .collect();
        state.sent += due.len() as u64;
        due.into_iter().map(|waiting| waiting.webhook).collect()
    }

    /// A webhook begins to be posted; ends when the answer is dropped.
    pub fn posting(&self) -> Posting {
        lock(&self.state).posting += 1;
        Posting(Arc::clone(&self.state))
    }

    /// Webhooks that are due or just being posted.
    pub fn on_the_way(&self) -> u64 {
        let now = self.clock.now();
        let state = lock(&self.state);
        let due = state
            .waiting
            .iter()
            .filter(|waiting| waiting.due <= now)
            .count();
        state.posting + due as u64
    }

    /// Webhooks taken so far, and those still waiting.
    pub fn counts(&self) -> (u64, usize) {
        let state = lock(&self.state);
        (state.sent, state.waiting.len())
    }
}

/// A webhook that is being posted.
#[derive(Debug)]
pub struct Posting(Arc<Mutex<State>>);

impl Drop for Posting {
    fn drop(&mut self) {
        lock(&self.0).posting -= 1;
    }
}

impl State {
    fn next_fault(&mut self) -> Option<WebhookFault> {
        let (fault, left) = self.faults.iter_mut().find(|(_, left)| *left > 0)?;
        *left -= 1;
        Some(*fault)
    }
}

/// A delay as the server waits it: how long one attempt to deliver may take (smaregi.md 6b).
pub const DELIVERY_TIME_OUT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(webhooks: &[Webhook]) -> Vec<i64> {
        webhooks
            .iter()
            .filter_map(|webhook| webhook.body.as_i64())
            .collect()
    }

    #[test]
    fn faults_lose_double_delay_and_reorder() {
        let clock = SandboxClock::held_at(DateTime::UNIX_EPOCH.fixed_offset());
        let table = [
            (WebhookFault::Drop, vec![2], vec![]),
            (WebhookFault::Duplicate, vec![1, 1, 2], vec![]),
            (WebhookFault::Delay { seconds: 9 }, vec![2], vec![1]),
            (WebhookFault::Reorder, vec![2, 1], vec![]),
        ];
        for (fault, at_once, later) in table {
            let queue = Webhooks::new(clock.clone());
            queue.add_fault(fault, 1);
            for id in [1, 2] {
                queue.push(Webhook {
                    url: String::new(),
                    headers: vec![],
                    body: id.into(),
                });
            }
            assert_eq!(ids(&queue.take()), at_once, "{fault:?}");
            clock.advance(Duration::from_secs(10));
            assert_eq!(ids(&queue.take()), later, "{fault:?}");
        }
    }
}
