//! The guest's ports over the world: requests go to the sandbox in process, commits to memory, and every call meets its fault here.
//! It must not decide what goes wrong.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use futures_util::future::LocalBoxFuture;
use http::header::RETRY_AFTER;
use tsunagi_guest::ports::{
    Check, Clock, Entry, Http, HttpFailure, HttpRequest, HttpResponse, Ports, Random, Storage,
    StorageFailure, Write,
};
use tsunagi_sandbox::wire::{Request, Response};

use crate::{
    fault::{Class, Kind},
    flight::Flight,
    instance::die,
    memory,
    sleeper::others_work,
    together::{Lease, Point},
    waits::Waits,
    world::{State, World},
};

/// One instance's view of the world.
pub struct View<'a> {
    world: &'a World,
    waits: Waits,
    lease: Lease,
}

impl<'a> View<'a> {
    /// Of this world.
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
            waits: Waits::default(),
            lease: Lease::default(),
        }
    }

    /// As every flow takes them.
    pub fn ports(&self) -> Ports<'_> {
        Ports {
            http: self,
            storage: self,
            clock: self,
            random: self,
        }
    }

    /// The instance can do nothing else: what it waits for happens. `None` when nothing ever will.
    pub fn happens(&self) -> Option<()> {
        self.waits.next(self.world)
    }

    fn stored<T>(
        &self,
        class: Class,
        text: impl FnOnce() -> String,
        checked: Option<&Check>,
        effect: impl FnOnce(&mut State) -> Result<T, StorageFailure>,
    ) -> Result<T, StorageFailure> {
        let fault = self.world.begin(class, text).1;
        let unavailable = || Err(StorageFailure::Unavailable("simulated".to_owned()));
        match (fault, checked) {
            (Some(Kind::DiesBefore), _) => die(),
            // A request that was sent would arrive long before it wakes, and here it would not.
            (Some(Kind::Sleeps), _) if self.world.state().in_flight == 0 => {
                others_work(self.world);
            }
            (Some(Kind::Unavailable), _) => return unavailable(),
            (Some(Kind::Conflict), Some(check)) => {
                return Err(StorageFailure::Conflict(check.key.clone()));
            }
            _ => {}
        }
        let done = effect(&mut self.world.state());
        match fault {
            Some(Kind::DiesAfter) => die(),
            Some(Kind::UnavailableAfter) => unavailable(),
            _ => done,
        }
    }
}

impl Storage for View<'_> {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StorageFailure> {
        self.stored(
            Class::Read,
            || format!("get {}", keys.join(" ")),
            None,
            |state| {
                let mut found = state.memory.get(keys);
                state.bend_records(found.iter_mut().flatten());
                Ok(found)
            },
        )
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, StorageFailure> {
        self.stored(
            Class::Read,
            || format!("scan {} at most {limit}", start.escape_debug()),
            None,
            |state| {
                let mut found = state.memory.scan(start, end, backward, limit);
                state.bend_records(found.iter_mut());
                Ok(found)
            },
        )
    }

    fn commit(&self, checks: &[Check], writes: &[Write]) -> Result<(), StorageFailure> {
        let class = Class::Commit {
            checked: !checks.is_empty(),
        };
        let effect = |state: &mut State| {
            state.breaches.extend(memory::breaches(checks, writes));
            state.memory.commit(checks, writes)
        };
        let text = || committed(checks, writes);
        let done = self.stored(class, text, checks.first(), effect);
        self.lease.committed(writes, done.is_ok());
        self.world.meanwhile(Point::Acted);
        if let Err(StorageFailure::Conflict(key)) = &done {
            self.world.note(|| format!("    conflict on {key}"));
        }
        done
    }
}

pub(crate) fn committed(checks: &[Check], writes: &[Write]) -> String {
    let write = |write: &Write| {
        let sign = if write.value.is_some() { "" } else { "-" };
        format!("{sign}{}", write.key)
    };
    let writes: Vec<String> = writes.iter().map(write).collect();
    format!("commit {} [{} checks]", writes.join(" "), checks.len())
}

impl Clock for View<'_> {
    fn now(&self) -> DateTime<FixedOffset> {
        self.lease.saw(self.world.machine_now())
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            let at = self.world.machine_now() + duration;
            self.waits.for_time(at).await;
        })
    }
}

impl Random for View<'_> {
    fn next(&self) -> u64 {
        self.world.roll()
    }
}

impl Http for View<'_> {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async move {
            let wire = to_wire(&request).ok_or(HttpFailure::NotSent)?;
            let Some(mut flight) = Flight::begin(self.world, wire) else {
                // That, too, is told only once the instance waits, and before anything else.
                self.waits.for_time(DateTime::default()).await;
                return Err(HttpFailure::NotSent);
            };
            flight.depart(request.body);
            flight.enter(&self.lease);
            let gives_up = self.world.machine_now() + request.timeout;
            let answer = self.waits.for_answer(flight, gives_up).await;
            answer.map(received).ok_or(HttpFailure::OutcomeUnknown)
        })
    }
}

/// `None` for what HTTP cannot carry.
pub(crate) fn to_wire(request: &HttpRequest) -> Option<Request> {
    let mut builder = http::Request::builder()
        .method(request.method)
        .uri(&request.url);
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    builder.body(Vec::new()).ok()
}

pub(crate) fn received(response: Response) -> HttpResponse {
    let retry_after = response.headers().get(RETRY_AFTER);
    HttpResponse {
        status: response.status().as_u16(),
        retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
        body: response.into_body(),
    }
}
