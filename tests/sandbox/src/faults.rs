//! Faults that tests order: which request they hit, and what goes wrong.
//! It must not act on a request; it only says what shall happen to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::service::ServiceName;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers this status and body without acting.
    Refuse {
        /// HTTP status.
        status: u16,
        /// Body, sent as JSON.
        body: String,
    },
    /// Answers with the service's own error code without acting (Next Engine: `003001`, `003002`, `002007`, ...).
    RefuseCode {
        /// The code.
        code: String,
    },
    /// Closes the connection without acting.
    RefuseConnection,
    /// Waits before acting; combines with another fault of the same request.
    Delay {
        /// How long, in milliseconds of real time (in process: reported, not waited).
        millis: u64,
    },
    /// Acts, then closes the connection without an answer.
    DropAnswer,
    /// Acts, then answers this 5xx status.
    FailAfterActing {
        /// HTTP status.
        status: u16,
    },
    /// Acts, then closes the connection after this many bytes of the body.
    CutBody {
        /// Bytes that still arrive.
        keep: usize,
    },
    /// Answers 429 with `Retry-After` without acting.
    RateLimit {
        /// Seconds to say in `Retry-After`.
        retry_after_seconds: u32,
    },
}

/// A fault and the requests it hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// The service, or `None` for both.
    #[serde(default)]
    pub service: Option<ServiceName>,
    /// A part of the endpoint's name as the counters spell it; empty hits every endpoint.
    #[serde(default)]
    pub endpoint: String,
    /// Matching requests that pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Matching requests that are hit after that; `None` for all.
    #[serde(default)]
    pub times: Option<u32>,
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: FaultKind,
}

impl FaultRule {
    /// A fault on the next request of this service whose endpoint contains `endpoint`.
    pub fn once(service: ServiceName, endpoint: &str, fault: FaultKind) -> Self {
        Self {
            service: Some(service),
            endpoint: endpoint.to_owned(),
            skip: 0,
            times: Some(1),
            fault,
        }
    }

    /// A fault on every such request.
    pub fn always(service: ServiceName, endpoint: &str, fault: FaultKind) -> Self {
        Self {
            times: None,
            ..Self::once(service, endpoint, fault)
        }
    }

    /// The same fault after `skip` unharmed requests.
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    fn matches(&self, service: ServiceName, endpoint: &str) -> bool {
        self.service.is_none_or(|own| own == service) && endpoint.contains(&self.endpoint)
    }

    /// Counts one matching request and says whether it is hit.
    fn strike(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// The rules in force, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Faults(Vec<FaultRule>);

impl Faults {
    /// Puts a rule in force.
    pub fn add(&mut self, rule: FaultRule) {
        self.0.push(rule);
    }

    /// Lifts all rules.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Hits left to come, the endless ones counted as one.
    pub fn left(&self) -> u32 {
        self.0.iter().map(|rule| rule.times.unwrap_or(1)).sum()
    }

    /// What befalls this request: the sum of the delays that hit it and the first other fault.
    pub fn strike(
        &mut self,
        service: ServiceName,
        endpoint: &str,
    ) -> (Duration, Option<FaultKind>) {
        let mut delay = Duration::ZERO;
        let mut fault = None;
        for rule in self
            .0
            .iter_mut()
            .filter(|rule| rule.matches(service, endpoint))
        {
            match &rule.fault {
                FaultKind::Delay { millis } => {
                    let millis = *millis;
                    if rule.strike() {
                        delay += Duration::from_millis(millis);
                    }
                }
                // Hit already: the request counts for a later rule, but does not use it up.
                _ if fault.is_some() => rule.skip = rule.skip.saturating_sub(1),
                _ => {
                    if rule.strike() {
                        fault = Some(rule.fault.clone());
                    }
                }
            }
        }
        (delay, fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_skips_then_hits_then_ends() {
        let mut faults = Faults::default();
        faults.add(FaultRule::once(ServiceName::Smaregi, "/stock", FaultKind::DropAnswer).after(1));
        faults.add(FaultRule::always(
            ServiceName::Smaregi,
            "",
            FaultKind::Delay { millis: 5 },
        ));
        let hit = |faults: &mut Faults, endpoint: &str| {
            faults.strike(ServiceName::Smaregi, endpoint).1.is_some()
        };
        assert!(!hit(&mut faults, "GET /products"));
        assert!(!hit(&mut faults, "GET /stock"));
        assert!(hit(&mut faults, "GET /stock"));
        assert!(!hit(&mut faults, "GET /stock"));
        assert_eq!(
            faults.strike(ServiceName::Smaregi, "GET /stock").0,
            Duration::from_millis(5)
        );
    }
}
