//! How often somebody tried to sign in: by account and address together, by account, by address. Lives in this process. Knows no
//! password.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

/// Failures are forgotten after this.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Of one account from one address: a person who mistypes.
const MOST_HERE: u32 = 5;
/// Of one account from anywhere.
const MOST_OF_ACCOUNT: u32 = 50;
/// From one address, which an office or a proxy may share.
const MOST_FROM_ADDRESS: u32 = 30;
/// Counters kept before old ones are thrown away.
const KEPT: usize = 10_000;

/// Counters of failures.
#[derive(Default)]
pub struct Attempts {
    counters: HashMap<String, Counter>,
}

struct Counter {
    since: DateTime<Utc>,
    failures: u32,
}

impl Attempts {
    /// Counts a try before it is made, so that many at once count, too. `Err` says when the next one may be made.
    pub fn begin(
        &mut self,
        account: &str,
        address: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DateTime<Utc>> {
        if self.counters.len() > KEPT {
            self.counters
                .retain(|_, counter| counter.since + WINDOW > now);
        }
        let limits = limits(account, address);
        let free_at = limits.iter().filter_map(|(key, most)| {
            let counter = self.counters.get(key)?;
            let ends = counter.since + WINDOW;
            (counter.failures >= *most && ends > now).then_some(ends)
        });
        if let Some(free_at) = free_at.max() {
            return Err(free_at);
        }
        for (key, _) in limits {
            let counter = self.counters.entry(key).or_insert(Counter {
                since: now,
                failures: 0,
            });
            if counter.since + WINDOW <= now {
                *counter = Counter {
                    since: now,
                    failures: 0,
                };
            }
            counter.failures += 1;
        }
        Ok(())
    }

    /// The try was right: it was no failure, and those before it of this account from here are forgotten.
    pub fn succeeded(&mut self, account: &str, address: &str) {
        for (index, (key, _)) in limits(account, address).into_iter().enumerate() {
            if index == 0 {
                self.counters.remove(&key);
            } else if let Some(counter) = self.counters.get_mut(&key) {
                counter.failures = counter.failures.saturating_sub(1);
            }
        }
    }
}

fn limits(account: &str, address: &str) -> [(String, u32); 3] {
    [
        (format!("here {account} {address}"), MOST_HERE),
        (format!("account {account}"), MOST_OF_ACCOUNT),
        (format!("address {address}"), MOST_FROM_ADDRESS),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn five_failures_close_an_account_for_an_address_and_for_a_while() {
        let mut attempts = Attempts::default();
        for _ in 0..MOST_HERE {
            attempts.begin("a", "1", now()).unwrap();
        }
        assert_eq!(attempts.begin("a", "1", now()), Err(now() + WINDOW));
        assert_eq!(attempts.begin("a", "2", now()), Ok(()));
        assert_eq!(attempts.begin("b", "1", now()), Ok(()));
        assert_eq!(attempts.begin("a", "1", now() + WINDOW), Ok(()));
    }

    #[test]
    fn an_address_and_an_account_have_their_own_limits() {
        let mut attempts = Attempts::default();
        for account in 0..MOST_FROM_ADDRESS {
            attempts.begin(&account.to_string(), "1", now()).unwrap();
        }
        assert!(attempts.begin("new", "1", now()).is_err());
        for address in 0..MOST_OF_ACCOUNT {
            attempts.begin("a", &format!("x{address}"), now()).unwrap();
        }
        assert!(attempts.begin("a", "new", now()).is_err());
    }

    #[test]
    fn a_right_password_is_no_failure() {
        let mut attempts = Attempts::default();
        for _ in 0..200 {
            attempts.begin("a", "1", now()).unwrap();
            attempts.succeeded("a", "1");
        }
    }
}
