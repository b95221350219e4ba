//! One shop: its surroundings, and calls of the contract's functions on its behalf. Decides nothing; keeps the list of hosts that
//! the shop's settings need and the sums of its last comparison, and tells the scheduler, in whatever process it runs, when a call made an
//! early round worthwhile.

mod links;
mod mark;
mod said;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::sync::{Notify, OwnedSemaphorePermit, RwLock};

use crate::{
    runtime::{Fault, Runtime, Surroundings, is_loopback},
    storage::{Direction, Entry, StoreError},
};
pub use links::Link;
pub(crate) use links::close_all as close_links;
pub(crate) use mark::{Marks, all as marks};

/// An error of the contract, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractError {
    /// Its case, as `wit/types.wit` spells it.
    pub kind: String,
    /// The case's payload.
    pub detail: Value,
}

impl ContractError {
    fn new(error: &Value) -> Self {
        let case = error.as_object().and_then(|cases| cases.iter().next());
        match case {
            Some((kind, detail)) => Self {
                kind: kind.clone(),
                detail: detail.clone(),
            },
            None => Self {
                kind: "unknown".to_owned(),
                detail: error.clone(),
            },
        }
    }

    /// What a person reads; each problem of `invalid` on a line of its own.
    pub fn message(&self, language: &str) -> String {
        let problems = self.problems(language);
        if problems.is_empty() {
            let text = self.detail.pointer(&format!("/message/{language}"));
            return text
                .and_then(Value::as_str)
                .unwrap_or(&self.kind)
                .to_owned();
        }
        let lines = problems
            .iter()
            .map(|(field, what)| format!("{field}: {what}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The problems of `invalid`: each one's field and what is wrong with it.
    pub fn problems(&self, language: &str) -> Vec<(String, String)> {
        let problems = self.detail.get("problems").and_then(Value::as_array);
        let each = problems.into_iter().flatten().map(|problem| {
            let text = |pointer: &str| {
                problem
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let message = text(&format!("/reason/message/{language}"));
            let what = match text("/reason/value") {
                "" => message.to_owned(),
                value => format!("{message} ({value})"),
            };
            (text("/field").to_owned(), what)
        });
        each.collect()
    }
}

/// Why a call gave no value.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The contract's own error.
    #[error("{}", .0.message("en"))]
    Contract(ContractError),
    /// The host's.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Calls after which the schedule has something to do at once, or other hosts to reach.
const CHANGES: [&str; 10] = [
    "settings.put",
    "connection.switch-on",
    "connection.switch-off",
    "connection.disconnect",
    "connection.finish-login",
    "orders.retry",
    "stock.resend",
    "stock.align",
    "stock.take-in",
    "stock.take-in-changes",
];

/// Behind every key.
const LAST_KEY: &str = "\u{10ffff}";

/// One shop. Clones are the same shop.
#[derive(Clone)]
pub struct Tenant {
    /// Its name in the configuration.
    pub name: String,
    shop: Arc<Shop>,
}

struct Shop {
    runtime: Runtime,
    surroundings: Surroundings,
    extra_hosts: BTreeSet<String>,
    wake: Notify,
    /// Held by each call while it is under way.
    under_way: RwLock<()>,
    closed: AtomicBool,
    /// The mark as of which the list of hosts was made; `None` before the first.
    hosts_as_of: Mutex<Option<u64>>,
}

impl Tenant {
    /// A shop. It may reach the hosts that its stored settings need, and these.
    pub fn new(runtime: Runtime, surroundings: Surroundings, extra_hosts: Vec<String>) -> Self {
        Self {
            name: surroundings.tenant.clone(),
            shop: Arc::new(Shop {
                runtime,
                surroundings,
                extra_hosts: extra_hosts.into_iter().collect(),
                wake: Notify::new(),
                under_way: RwLock::new(()),
                closed: AtomicBool::new(false),
                hosts_as_of: Mutex::new(None),
            }),
        }
    }

    /// The clock it lives by.
    pub fn clock(&self) -> &crate::clock::SharedClock {
        &self.shop.surroundings.clock
    }

    /// Calls `interface.function` with arguments by name. Whoever waits may give up: the call and what belongs to it go on.
    ///
    /// # Errors
    /// The contract's error, or the host's.
    pub async fn call(&self, function: &str, arguments: Value) -> Result<Value, CallError> {
        let (shop, function) = (self.shop.clone(), function.to_owned());
        let called = tokio::spawn(async move { shop.call(&function, arguments).await });
        let ended = |_| Fault::Failed(wasmtime::Error::msg("the call's task ended"));
        called.await.map_err(ended)?
    }

    /// Takes no further call, and returns when none is under way any more.
    pub async fn close(&self) {
        self.shop.closed.store(true, Ordering::SeqCst);
        drop(self.shop.under_way.write().await);
    }

    /// Whether it takes no call any more.
    pub fn is_closed(&self) -> bool {
        self.shop.closed.load(Ordering::SeqCst)
    }

    /// One of few turns for a round of the schedule; it ends when what is given is dropped.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.shop.runtime.turn().await
    }

    /// Ends when a call of this process made an early round worthwhile.
    pub async fn woken(&self) {
        self.shop.wake.notified().await;
    }

    /// Changes whenever a call, of this process or another one on the same store, made an early round worthwhile.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn mark(&self) -> Result<u64, StoreError> {
        mark::read(self.shop.surroundings.store.as_ref(), &self.name).await
    }

    /// Its rows from a key on as they are stored, secrets included.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub(crate) async fn rows(&self, start: String, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let (store, end) = (&self.shop.surroundings.store, LAST_KEY.to_owned());
        let forward = Direction::Forward;
        store.scan(&self.name, start, end, forward, limit).await
    }

    /// A new link with which somebody may log this shop in to Next Engine, once.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn new_link(&self) -> Result<Link, StoreError> {
        let store = self.shop.surroundings.store.as_ref();
        links::make(store, &self.name, self.clock().now()).await
    }

    /// Whether a link is good; it is used up then.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn use_link(&self, code: &str) -> Result<bool, StoreError> {
        let store = self.shop.surroundings.store.as_ref();
        links::take(store, &self.name, code, self.clock().now()).await
    }
}

impl Shop {
    async fn call(&self, function: &str, arguments: Value) -> Result<Value, CallError> {
        let _under_way = self.under_way.read().await;
        if self.closed.load(Ordering::SeqCst) {
            return Err(Fault::Removed.into());
        }
        self.know_hosts().await;
        let asked = arguments.clone();
        let result = self.ask(function, arguments).await;
        if let Ok(answer) = &result {
            let (store, tenant) = (&self.surroundings.store, &self.surroundings.tenant);
            if let Err(error) = said::keep(store, tenant, function, &asked, answer).await {
                tracing::warn!(tenant, "what {function} said is not kept: {error}");
            }
        }
        if CHANGES.contains(&function) && result.is_ok() {
            self.wake.notify_one();
            self.tell_others(function).await;
        }
        result
    }

    async fn ask(&self, function: &str, arguments: Value) -> Result<Value, CallError> {
        let called = self
            .runtime
            .call(&self.surroundings, function, &arguments)
            .await?;
        called.map_err(|error| CallError::Contract(ContractError::new(&error)))
    }

    /// A webhook only concerns the process that took it in.
    async fn tell_others(&self, function: &str) {
        if function == "stock.take-in" {
            return;
        }
        let store = self.surroundings.store.as_ref();
        if let Err(error) = mark::change(store, &self.surroundings.tenant).await {
            tracing::warn!(
                tenant = self.surroundings.tenant,
                "a change is noticed late: {error}"
            );
        }
    }

    /// Brings the list of hosts up to date when settings may have changed, here or in another process. A store that fails here is
    /// the component's to tell, in the contract's words; nothing is allowed that was not.
    async fn know_hosts(&self) {
        let store = self.surroundings.store.as_ref();
        let Ok(mark) = mark::read(store, &self.surroundings.tenant).await else {
            return;
        };
        let known = || {
            self.hosts_as_of
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if *known() == Some(mark) {
            return;
        }
        match self.allow_hosts().await {
            Ok(()) => *known() = Some(mark),
            Err(error) => tracing::warn!(tenant = self.surroundings.tenant, "{error}"),
        }
    }

    /// Allows the hosts that the stored settings need, and no others but those configured.
    async fn allow_hosts(&self) -> Result<(), CallError> {
        let settings = self.ask("settings.get", json!({})).await?;
        let needed = self
            .ask("settings.hosts", json!({ "settings": settings }))
            .await?;
        let place = |host: &Value| {
            let text = |field: &str| {
                host.get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            format!("{}://{}", text("scheme"), text("authority"))
        };
        let needed = needed.as_array().into_iter().flatten().map(place);
        // Tokens in the clear stay on this machine, unless the operator listed the place.
        let needed = needed.filter(|place| !place.starts_with("http://") || is_loopback(place));
        self.surroundings
            .allowed
            .set(needed.chain(self.extra_hosts.iter().cloned()));
        Ok(())
    }
}
