//! What the flows' tests stand on: storage in memory, a clock that is moved, and a service that answers by a script.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, FixedOffset};
use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{
    ports::{
        Check, Clock, Entry, Http, HttpFailure, HttpRequest, HttpResponse, Ports, Random, Storage,
        StorageFailure, Write,
    },
    settings::{Secret, Settings},
    sync::{
        next_engine_login::{LOGIN_KEY, Login},
        smaregi_session::TOKEN_KEY,
        store::Commit,
        tenant::{SETTINGS_KEY, Tenant},
    },
    time,
};

/// Storage in memory, as its contract says.
#[derive(Default)]
pub struct Memory {
    pub entries: RefCell<BTreeMap<String, Entry>>,
    pub revision: RefCell<u64>,
    /// Of the next commits: whether storage is away.
    pub away: RefCell<VecDeque<bool>>,
}

impl Storage for Memory {
    fn get(&self, keys: &[String]) -> std::result::Result<Vec<Option<Entry>>, StorageFailure> {
        Ok(keys
            .iter()
            .map(|key| self.entries.borrow().get(key).cloned())
            .collect())
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> std::result::Result<Vec<Entry>, StorageFailure> {
        let entries = self.entries.borrow();
        let mut found: Vec<Entry> = entries
            .values()
            .filter(|entry| entry.key.as_str() >= start && entry.key.as_str() < end)
            .cloned()
            .collect();
        if backward {
            found.reverse();
        }
        found.truncate(limit as usize);
        Ok(found)
    }

    fn commit(
        &self,
        checks: &[Check],
        writes: &[Write],
    ) -> std::result::Result<(), StorageFailure> {
        assert!(
            checks.len() + writes.len() <= 2_000,
            "a commit is too large"
        );
        if self.away.borrow_mut().pop_front() == Some(true) {
            return Err(StorageFailure::Unavailable("for a test".to_owned()));
        }
        let mut entries = self.entries.borrow_mut();
        for check in checks {
            if entries.get(&check.key).map(|entry| entry.revision) != check.revision {
                return Err(StorageFailure::Conflict(check.key.clone()));
            }
        }
        for write in writes {
            assert!(
                write
                    .value
                    .as_ref()
                    .is_none_or(|value| value.len() <= 1 << 20),
                "a value is too large"
            );
            *self.revision.borrow_mut() += 1;
            let revision = *self.revision.borrow();
            match &write.value {
                Some(value) => entries.insert(
                    write.key.clone(),
                    Entry {
                        key: write.key.clone(),
                        revision,
                        value: value.clone(),
                    },
                ),
                None => entries.remove(&write.key),
            };
        }
        Ok(())
    }
}

/// One answer of the script.
pub type Answer = Result<HttpResponse, HttpFailure>;

/// A world without services: every request gets the script's next answer.
pub struct Script {
    pub storage: Memory,
    pub now: Cell<DateTime<FixedOffset>>,
    pub answers: RefCell<VecDeque<Answer>>,
    pub requests: RefCell<Vec<HttpRequest>>,
}

impl Script {
    /// With complete settings, at noon.
    pub fn new() -> Self {
        let script = Self {
            storage: Memory::default(),
            now: Cell::new(time::parse_next_engine("2026-11-24 12:00:00").unwrap()),
            answers: RefCell::default(),
            requests: RefCell::default(),
        };
        let mut settings = Settings::default();
        settings.credentials.next_engine_client_secret = Secret::new("ne-secret".to_owned());
        settings.credentials.smaregi_client_secret = Secret::new("sm-secret".to_owned());
        settings.credentials.smaregi_contract_id = "sb_1".to_owned();
        // Whoever wants comparisons says so.
        settings.pace.compare_days = 0;
        let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
        commit.apply(&script.ports()).unwrap();
        script
    }

    pub fn ports(&self) -> Ports<'_> {
        Ports {
            http: self,
            storage: &self.storage,
            clock: self,
            random: self,
        }
    }

    /// Logged in for a day and three, switched on, with these stores taking part, and with a token of Smaregi's for a year.
    pub fn switch_on(&self, stores: &[&str]) {
        let mut settings = self.tenant().settings;
        settings.stock.stores = stores.iter().map(|id| (*id).to_owned()).collect();
        let now = self.now.get();
        let login = Login {
            uid: "u".to_owned(),
            access: Secret::new("a".to_owned()),
            access_ends: now + chrono::TimeDelta::days(1),
            refresh: Secret::new("r".to_owned()),
            refresh_ends: now + chrono::TimeDelta::days(3),
            dead_since: None,
        };
        let token = serde_json::json!({"access": "t", "expires_at": now + chrono::TimeDelta::days(365), "scopes": []});
        let link = serde_json::json!({"on": true, "baseline": now, "off_since": null});
        Commit::new()
            .put(SETTINGS_KEY, &settings)
            .unwrap()
            .put(LOGIN_KEY, &login)
            .unwrap()
            .put(TOKEN_KEY, &token)
            .unwrap()
            .put("link", &link)
            .unwrap()
            .apply(&self.ports())
            .unwrap();
    }

    pub fn tenant(&self) -> Tenant<'_> {
        Tenant::open(self.ports(), 100, 600).unwrap()
    }

    /// The next answer: a status and a body.
    pub fn will(&self, status: u16, body: &impl std::fmt::Display) {
        let response = HttpResponse {
            status,
            retry_after: None,
            body: body.to_string().into_bytes(),
        };
        self.answers.borrow_mut().push_back(Ok(response));
    }

    /// Bodies of the requests so far.
    pub fn asked(&self) -> Vec<String> {
        let requests = self.requests.borrow();
        requests
            .iter()
            .map(|request| String::from_utf8_lossy(&request.body).into_owned())
            .collect()
    }
}

impl Http for Script {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Answer> {
        self.requests.borrow_mut().push(request);
        let answer = self.answers.borrow_mut().pop_front();
        Box::pin(async move { answer.expect("the script has no answer left") })
    }
}

impl Clock for Script {
    fn now(&self) -> DateTime<FixedOffset> {
        self.now.get()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        self.now.set(self.now.get() + duration);
        Box::pin(async {})
    }
}

impl Random for Script {
    fn next(&self) -> u64 {
        u64::try_from(self.requests.borrow().len()).unwrap()
            + self.storage.revision.borrow().wrapping_mul(1_000)
    }
}

/// Runs what never has to wait.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("the script answers at once")
}
