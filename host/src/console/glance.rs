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

use crate::{
    server::Service,
    shops::Served,
    tenant::{Tenant, marks},
};

/// A state this old is read again.
const FRESH: TimeDelta = TimeDelta::seconds(30);
/// How long a page waits for states that are not known, or were changed by somebody; reading goes on behind it.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long it waits for those that are only old.
const SHORT_PATIENCE: Duration = Duration::from_millis(100);
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
    changed: Arc<tokio::sync::Mutex<()>>,
    old: Arc<tokio::sync::Mutex<()>>,
}

impl Glance {
    /// The states by shop, read anew where they changed or are old. A shop that could not be read in time is missing, or is as it was.
    pub async fn read(&self, service: &Service) -> BTreeMap<String, State> {
        let (glance, shops) = (self.clone(), service.clone());
        let changed = tokio::spawn(async move { glance.read_changed(&shops).await });
        // Whether reading came to its end in time does not matter: what is known is shown.
        let _ = tokio::time::timeout(PATIENCE, changed).await;
        let (glance, shops) = (self.clone(), service.clone());
        let old = tokio::spawn(async move { glance.read_old(&shops).await });
        let _ = tokio::time::timeout(SHORT_PATIENCE, old).await;
        self.known().clone()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One at a time: whoever comes second finds all of it done. So with those that are old.
    async fn read_changed(&self, service: &Service) {
        let _turn = self.changed.lock().await;
        // One look for all of them. Where it fails the states stay as they are, and grow old.
        let Ok(marks) = marks(service.store.as_ref()).await else {
            return;
        };
        let mark = |name: &str| marks.get(name).copied().unwrap_or(0);
        let changed = service.shops.all().into_iter().filter(|served| {
            let name = &served.tenant.name;
            let same = |state: &State| state.mark == Some(mark(name));
            !self.known().get(name).is_some_and(same)
        });
        self.look_at(changed).await;
    }

    async fn read_old(&self, service: &Service) {
        let _turn = self.old.lock().await;
        let shops = service.shops.all().into_iter().filter(|served| {
            let is_fresh = |state: &State| {
                let age = served.tenant.clock().now() - state.read_at;
                !state.failed && age < FRESH
            };
            !self.known().get(&served.tenant.name).is_some_and(is_fresh)
        });
        self.look_at(shops).await;
    }

    async fn look_at(&self, shops: impl Iterator<Item = Served>) {
        stream::iter(shops)
            .for_each_concurrent(AT_ONCE, async |served| self.look(&served.tenant).await)
            .await;
    }

    async fn look(&self, tenant: &Tenant) {
        let state = State::of(tenant).await;
        self.known().insert(tenant.name.clone(), state);
    }
}

impl State {
    async fn of(tenant: &Tenant) -> Self {
        // Before the state: what changes meanwhile is read again.
        let (read_at, mark) = (tenant.clock().now(), tenant.mark().await.ok());
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
