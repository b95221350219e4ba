//! The guest's ports over the world: requests go to the sandbox in process, commits to memory, and every call meets its fault here.
//! It must not decide what goes wrong.

use std::{cell::Cell, future::poll_fn, task::Poll, time::Duration};

use chrono::{DateTime, FixedOffset};
use futures_util::future::LocalBoxFuture;
use http::header::RETRY_AFTER;
use tsunagi_guest::ports::{
    Check, Clock, Entry, Http, HttpFailure, HttpRequest, HttpResponse, Ports, Random, Storage,
    StorageFailure, Write,
};
use tsunagi_sandbox::{
    FaultKind, FaultRule, Outcome, ServiceName,
    wire::{Request, Response},
    world::Ticket,
};

use crate::{
    fault::{Class, Kind},
    instance::die,
    memory,
    together::{Lease, Point, touch::is_late_for_ever},
    world::{State, World},
};

/// How long a service takes to answer.
const LATENCY: Duration = Duration::from_millis(120);
const SHORT_WAIT: u32 = 2;
const LONG_WAIT: u32 = 300;

/// One instance's view of the world.
pub struct View<'a> {
    world: &'a World,
    lease: Lease,
}

impl<'a> View<'a> {
    /// Of this world.
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
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
            |state| Ok(state.memory.get(keys)),
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
            |state| Ok(state.memory.scan(start, end, backward, limit)),
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
        self.lease.saw(self.world.now())
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        self.world.pass(duration);
        Box::pin(async {})
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
            let (service, wire) = to_wire(&request).ok_or(HttpFailure::NotSent)?;
            let class = match service {
                ServiceName::Smaregi => Class::Smaregi,
                ServiceName::NextEngine => Class::NextEngine,
            };
            let late = is_late_for_ever(service, &wire);
            self.world.meanwhile(if late {
                Point::Leaving(service)
            } else {
                Point::Before
            });
            let (number, fault) = self
                .world
                .begin(class, || described(self.world, service, &wire));
            match fault {
                Some(Kind::DiesBefore) => die(),
                Some(Kind::NotSent) => return Err(HttpFailure::NotSent),
                _ => {}
            }
            let mut flight = Flight::begin(self.world, service, wire, fault);
            flight.enter(&self.lease);
            // The request is on its way: what else is in flight comes to its turn.
            once_more().await;
            let (pair_before, outcome) = flight.act();
            self.world.meanwhile(Point::Acted);
            self.world.pass(match outcome {
                Outcome::LostAfter | Outcome::LostBefore => request.timeout,
                _ => LATENCY,
            });
            self.note_rotation(number, pair_before);
            self.world
                .note(|| format!("    #{number} {}", told(&outcome)));
            if fault == Some(Kind::DiesAfter) {
                die();
            }
            received(outcome)
        })
    }
}

impl View<'_> {
    fn note_rotation(&self, number: u32, before: Option<String>) {
        let mut state = self.world.state();
        if number > 0 && access_token(&state) != before {
            state.rotations.push(number);
        }
    }
}

pub(crate) fn access_token(state: &State) -> Option<String> {
    let next_engine = &state.services.next_engine;
    let uid = &next_engine.users().first()?.uid;
    next_engine.pair(uid).map(|pair| pair.access.clone())
}

/// A request under way. Dropped with its instance, it never arrives.
struct Flight<'a> {
    world: &'a World,
    request: Request,
    ticket: Option<Ticket>,
    /// Among those at Next Engine, and among the writes on their way.
    places: Vec<u64>,
}

impl<'a> Flight<'a> {
    fn begin(
        world: &'a World,
        service: ServiceName,
        request: Request,
        fault: Option<Kind>,
    ) -> Self {
        let mut state = world.state();
        if let Some(fault) = fault.and_then(at_the_service) {
            state
                .services
                .faults
                .add(FaultRule::once(service, "", fault));
        }
        let ticket = Some(state.services.begin(service, &request));
        state.services.faults.clear();
        drop(state);
        Self {
            world,
            request,
            ticket,
            places: Vec::new(),
        }
    }

    fn enter(&mut self, lease: &Lease) {
        if self.is_at(ServiceName::NextEngine) {
            self.places.push(self.world.enter(lease.until()));
        }
        let Some(ticket) = &self.ticket else { return };
        if is_late_for_ever(ticket.service(), &self.request) {
            self.places.push(self.world.set_out(ticket.service()));
        }
    }

    fn is_at(&self, service: ServiceName) -> bool {
        let ticket = self.ticket.as_ref();
        ticket.is_some_and(|ticket| ticket.service() == service)
    }

    /// Next Engine's access token before, and what came of the request.
    fn act(mut self) -> (Option<String>, Outcome) {
        let mut state = self.world.state();
        let before = access_token(&state);
        let Some(ticket) = self.ticket.take() else {
            return (before, Outcome::LostBefore);
        };
        let outcome = state.services.act(&ticket, &self.request);
        state.services.end(ticket, &outcome);
        drop(state);
        (before, outcome)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        for place in &self.places {
            self.world.leave(*place);
        }
        if let Some(ticket) = self.ticket.take() {
            let services = &mut self.world.state().services;
            services.end(ticket, &Outcome::LostBefore);
        }
    }
}

/// The sandbox's own fault for it, if it happens there.
fn at_the_service(kind: Kind) -> Option<FaultKind> {
    let limit = |retry_after_seconds| {
        Some(FaultKind::RateLimit {
            retry_after_seconds,
        })
    };
    match kind {
        Kind::AnswerLost => Some(FaultKind::DropAnswer),
        Kind::RequestLost => Some(FaultKind::RefuseConnection),
        Kind::TooMany => limit(SHORT_WAIT),
        Kind::TooManyLong => limit(LONG_WAIT),
        Kind::RefusedBefore => Some(FaultKind::Refuse {
            status: 503,
            body: "{}".to_owned(),
        }),
        Kind::FailedAfter => Some(FaultKind::FailAfterActing { status: 502 }),
        Kind::BodyCut => Some(FaultKind::CutBody { keep: 0 }),
        other => other.code().map(|code| FaultKind::RefuseCode {
            code: code.to_owned(),
        }),
    }
}

pub(crate) async fn once_more() {
    let waited = Cell::new(false);
    poll_fn(|context| {
        if waited.replace(true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// `None` for what HTTP cannot carry.
pub(crate) fn to_wire(request: &HttpRequest) -> Option<(ServiceName, Request)> {
    let mut builder = http::Request::builder()
        .method(request.method)
        .uri(&request.url);
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    let wire = builder.body(request.body.clone()).ok()?;
    let service = if wire.uri().host()?.contains("smaregi") {
        ServiceName::Smaregi
    } else {
        ServiceName::NextEngine
    };
    Some((service, wire))
}

pub(crate) fn described(world: &World, service: ServiceName, request: &Request) -> String {
    let mut state = world.state();
    let endpoint = state.services.service(service).endpoint(request);
    let query = request.uri().query().unwrap_or_default();
    format!("http {service:?} {endpoint} {query}")
        .trim_end()
        .to_owned()
}

pub(crate) fn told(outcome: &Outcome) -> String {
    const SHOWN: usize = 300;
    match outcome {
        Outcome::LostBefore => "was lost".to_owned(),
        Outcome::LostAfter => "was done, no answer".to_owned(),
        Outcome::Answer(response) | Outcome::CutBody { response, .. } => {
            let body = String::from_utf8_lossy(response.body());
            let body: String = body.chars().take(SHOWN).collect();
            format!("{} {body}", response.status().as_u16())
        }
    }
}

pub(crate) fn received(outcome: Outcome) -> Result<HttpResponse, HttpFailure> {
    match outcome {
        Outcome::Answer(response) => Ok(answer(response)),
        // The head arrived with its status, so some clients hand on what came of the body.
        Outcome::CutBody { mut response, .. } => {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
            Ok(answer(response))
        }
        Outcome::LostBefore | Outcome::LostAfter => Err(HttpFailure::OutcomeUnknown),
    }
}

fn answer(response: Response) -> HttpResponse {
    let retry_after = response.headers().get(RETRY_AFTER);
    HttpResponse {
        status: response.status().as_u16(),
        retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
        body: response.into_body(),
    }
}
