//! Long work that somebody asked for on a page: goes on in the background, slice by slice, while pages come and go; one at a time for
//! each page of a shop. Lives in this process: what is cut off is simply asked for again. Decides nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::tenant::{CallError, Tenant};

/// Requests and seconds of one slice: small, so that progress is seen and a stop is heard.
const SLICE: (u32, u32) = (100, 5);
/// How long the work waits for somebody else who is at it.
const PATIENCE: u32 = 120;
const AGAIN: Duration = Duration::from_secs(1);
/// What is added up over slices; all else tells the present.
const SUMS: [&str; 4] = ["slips-read", "registered", "undone", "refused"];

/// What is to be done.
pub struct Order {
    /// A word for the page: `import`, `retry`, `compare`.
    pub word: &'static str,
    /// What it is done to, for people.
    pub subject: String,
    /// Functions and arguments, one after the other.
    pub steps: Vec<(&'static str, Value)>,
    /// Whether each is called until it says that there is no more.
    pub sliced: bool,
}

/// How it ended.
#[derive(Clone)]
pub enum End {
    /// All of it.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// It failed.
    Failed(Arc<CallError>),
}

/// How it stands.
#[derive(Clone)]
pub struct State {
    /// The order's word.
    pub word: &'static str,
    /// The order's subject.
    pub subject: String,
    /// When it was begun.
    pub begun_at: DateTime<Utc>,
    /// Slices that were done.
    pub slices: u32,
    /// Sums over all slices, and what else the last one said.
    pub result: Arc<Value>,
    /// Whether somebody asked to stop.
    pub stopping: bool,
    /// `None` while it goes on.
    pub end: Option<End>,
}

/// All of a process.
#[derive(Clone, Default)]
pub struct Jobs {
    jobs: Arc<Mutex<ByPage>>,
}

/// By shop and page.
type ByPage = BTreeMap<(String, &'static str), (Tenant, watch::Sender<State>)>;

impl Jobs {
    /// Begins an order, unless one of this page still goes on: then that one stays, and the answer is `false`.
    pub fn begin(
        &self,
        tenant: &Tenant,
        page: &'static str,
        order: Order,
        now: DateTime<Utc>,
    ) -> bool {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.name.clone(), page);
        let goes_on = |(of, job): &(Tenant, watch::Sender<State>)| {
            !of.is_closed() && job.borrow().end.is_none()
        };
        if jobs.get(&key).is_some_and(goes_on) {
            return false;
        }
        let (state, _) = watch::channel(State {
            word: order.word,
            subject: order.subject.clone(),
            begun_at: now,
            slices: 0,
            result: Arc::new(Value::Null),
            stopping: false,
            end: None,
        });
        jobs.insert(key, (tenant.clone(), state.clone()));
        drop(jobs);
        tokio::spawn(work(tenant.clone(), order, state));
        true
    }

    /// The newest order of a page, as it changes; none of a shop that was removed, whoever has its name now.
    pub fn watch(&self, shop: &str, page: &'static str) -> Option<watch::Receiver<State>> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, job) = jobs.get(&(shop.to_owned(), page))?;
        (!of.is_closed()).then(|| job.subscribe())
    }

    /// As it stands.
    pub fn state(&self, shop: &str, page: &'static str) -> Option<State> {
        Some(self.watch(shop, page)?.borrow().clone())
    }

    /// Asks it to stop after the slice that is under way.
    pub fn stop(&self, shop: &str, page: &'static str) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, job)) = jobs.get(&(shop.to_owned(), page)) {
            job.send_modify(|state| state.stopping = state.end.is_none());
        }
    }
}

async fn work(tenant: Tenant, order: Order, state: watch::Sender<State>) {
    let end = match all(&tenant, &order, &state).await {
        Ok(true) => End::Done,
        Ok(false) => End::Stopped,
        Err(error) => End::Failed(Arc::new(error)),
    };
    state.send_modify(|state| state.end = Some(end));
}

/// Whether it came to its end.
async fn all(
    tenant: &Tenant,
    order: &Order,
    state: &watch::Sender<State>,
) -> Result<bool, CallError> {
    for (function, arguments) in &order.steps {
        loop {
            if state.borrow().stopping {
                return Ok(false);
            }
            let answer = patiently(tenant, function, arguments, order.sliced).await?;
            let more = answer.get("more") == Some(&Value::Bool(true));
            state.send_modify(|state| {
                state.slices += 1;
                state.result = Arc::new(added(&state.result, answer));
            });
            if !order.sliced || !more {
                break;
            }
        }
    }
    Ok(true)
}

async fn patiently(
    tenant: &Tenant,
    function: &str,
    arguments: &Value,
    sliced: bool,
) -> Result<Value, CallError> {
    let mut arguments = arguments.clone();
    if let Some(arguments) = arguments.as_object_mut().filter(|_| sliced) {
        let budget = json!({ "requests": SLICE.0, "seconds": SLICE.1 });
        arguments.insert("budget".to_owned(), budget);
    }
    for _ in 0..PATIENCE {
        match tenant.call(function, arguments.clone()).await {
            Err(CallError::Contract(error)) if error.kind == "contended" => {
                tokio::time::sleep(AGAIN).await;
            }
            called => return called,
        }
    }
    tenant.call(function, arguments).await
}

fn added(total: &Value, mut answer: Value) -> Value {
    for name in SUMS {
        let before = total.get(name).and_then(Value::as_u64);
        let now = answer.get(name).and_then(Value::as_u64);
        if let (Some(before), Some(now), Some(fields)) = (before, now, answer.as_object_mut()) {
            fields.insert(name.to_owned(), json!(before + now));
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_slices_add_up_and_what_waits_is_of_now() {
        let first = json!({ "registered": 2, "refused": 1, "waiting": 5 });
        let total = added(&Value::Null, first);
        let total = added(
            &total,
            json!({ "registered": 3, "refused": 0, "waiting": 1 }),
        );
        assert_eq!(
            total,
            json!({ "registered": 5, "refused": 1, "waiting": 1 })
        );
    }
}
