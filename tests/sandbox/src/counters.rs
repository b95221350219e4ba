//! What was asked of each service, how it was answered, and how much at once.
//! It must not hold anything of a request but its endpoint: no bodies, no tokens.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::service::ServiceName;

/// Requests, answers and simultaneity since the start or the last reset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counters {
    requests: BTreeMap<ServiceName, BTreeMap<String, u64>>,
    statuses: BTreeMap<ServiceName, BTreeMap<u16, u64>>,
    most_in_flight: BTreeMap<ServiceName, u64>,
    most_in_flight_by_caller: BTreeMap<ServiceName, BTreeMap<String, u64>>,
    #[serde(skip)]
    in_flight: BTreeMap<ServiceName, u64>,
    #[serde(skip)]
    in_flight_by_caller: BTreeMap<(ServiceName, String), u64>,
}

impl Counters {
    /// Notes that a request has arrived; answers how many of this caller are now in flight (1 = alone, 0 = no caller).
    pub fn begin(&mut self, service: ServiceName, endpoint: &str, caller: Option<&str>) -> u64 {
        *self
            .requests
            .entry(service)
            .or_default()
            .entry(endpoint.to_owned())
            .or_default() += 1;
        let open = self.in_flight.entry(service).or_default();
        *open += 1;
        let most = self.most_in_flight.entry(service).or_default();
        *most = (*most).max(*open);
        let Some(caller) = caller else { return 0 };
        let own = self
            .in_flight_by_caller
            .entry((service, caller.to_owned()))
            .or_default();
        *own += 1;
        let most = self
            .most_in_flight_by_caller
            .entry(service)
            .or_default()
            .entry(caller.to_owned())
            .or_default();
        *most = (*most).max(*own);
        *own
    }

    /// Notes that a request is over; `status` is `None` when no answer left.
    pub fn end(&mut self, service: ServiceName, caller: Option<&str>, status: Option<u16>) {
        let open = self.in_flight.entry(service).or_default();
        *open = open.saturating_sub(1);
        if let Some(caller) = caller {
            let own = self
                .in_flight_by_caller
                .entry((service, caller.to_owned()))
                .or_default();
            *own = own.saturating_sub(1);
        }
        if let Some(status) = status {
            *self
                .statuses
                .entry(service)
                .or_default()
                .entry(status)
                .or_default() += 1;
        }
    }

    /// Requests to the endpoints whose name contains `endpoint` (all of them for an empty text).
    pub fn requests(&self, service: ServiceName, endpoint: &str) -> u64 {
        let counts = self.requests.get(&service).into_iter().flatten();
        counts
            .filter(|(name, _)| name.contains(endpoint))
            .map(|(_, count)| count)
            .sum()
    }

    /// Answers with this HTTP status, e.g. 429.
    pub fn status(&self, service: ServiceName, status: u16) -> u64 {
        self.statuses
            .get(&service)
            .and_then(|counts| counts.get(&status))
            .copied()
            .unwrap_or_default()
    }

    /// The requests a service has open now.
    pub fn open(&self, service: ServiceName) -> u64 {
        self.in_flight.get(&service).copied().unwrap_or_default()
    }

    /// The most requests a service had open at one moment.
    pub fn most_in_flight(&self, service: ServiceName) -> u64 {
        self.most_in_flight
            .get(&service)
            .copied()
            .unwrap_or_default()
    }

    /// The most requests any single caller (Next Engine uid) had open at one moment.
    pub fn most_in_flight_of_one_caller(&self, service: ServiceName) -> u64 {
        self.most_in_flight_by_caller
            .get(&service)
            .into_iter()
            .flat_map(BTreeMap::values)
            .copied()
            .max()
            .unwrap_or_default()
    }

    /// Starts all counts again; requests still open stay counted as open.
    pub fn reset(&mut self) {
        *self = Self {
            in_flight: std::mem::take(&mut self.in_flight),
            in_flight_by_caller: std::mem::take(&mut self.in_flight_by_caller),
            ..Self::default()
        };
    }
}
