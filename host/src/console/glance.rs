//! The state of every shop for the operator's list, as the component tells it. Kept for a short while, since a list of many shops would
//! else ask the component so many times for each look at it. Decides nothing about a shop's work.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::{server::Service, tenant::Tenant};

/// A state this old is read again, earlier when somebody changed something.
const FRESH: TimeDelta = TimeDelta::seconds(30);
/// How long a page waits; reading goes on behind it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Shops asked at once.
const AT_ONCE: usize = 4;

/// A shop's state.
#[derive(Clone)]
pub struct State {
    /// When it was read.
    pub read_at: DateTime<Utc>,
    /// `connection.get-status`.
    pub status: Value,
    /// `orders.stores`.
    pub stores: Value,
    /// Whether it could not be read.
    pub failed: bool,
    mark: Option<u64>,
}

/// What is known of all shops. Clones are the same.
#[derive(Clone, Default)]
pub struct Glance {
    known: Arc<Mutex<BTreeMap<String, State>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Glance {
    /// The states by shop, read anew where they are old. A shop that could not be read in time is missing, or is as it was.
    pub async fn read(&self, service: &Service) -> BTreeMap<String, State> {
        let (glance, service) = (self.clone(), service.clone());
        let reading = tokio::spawn(async move { glance.refresh(&service).await });
        // Whether it came to its end in time does not matter: what is known is shown.
        let _ = tokio::time::timeout(PATIENCE, reading).await;
        self.known().clone()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One at a time: whoever comes second finds all of it fresh.
    async fn refresh(&self, service: &Service) {
        let _turn = self.turn.lock().await;
        let shops = stream::iter(service.tenants.values());
        shops
            .for_each_concurrent(AT_ONCE, |served| self.look(&served.tenant))
            .await;
    }

    async fn look(&self, tenant: &Tenant) {
        let now = tenant.clock().now();
        let mark = tenant.mark().await.ok();
        let is_fresh =
            |state: &State| !state.failed && state.mark == mark && now - state.read_at < FRESH;
        if self.known().get(&tenant.name).is_some_and(is_fresh) {
            return;
        }
        let state = State::of(tenant, now, mark).await;
        self.known().insert(tenant.name.clone(), state);
    }
}

impl State {
    async fn of(tenant: &Tenant, read_at: DateTime<Utc>, mark: Option<u64>) -> Self {
        let read = tokio::try_join!(
            tenant.call("connection.get-status", json!({})),
            tenant.call("orders.stores", json!({})),
        );
        if let Err(error) = &read {
            tracing::warn!(tenant = tenant.name, "its state cannot be read: {error}");
        }
        let failed = read.is_err();
        let (status, stores) = read.unwrap_or_default();
        Self {
            read_at,
            status,
            stores,
            failed,
            mark,
        }
    }
}
