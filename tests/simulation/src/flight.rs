//! A request under way: its number and fault when it begins, what the service does when it arrives. Shared by every engine; it must
//! not know how the instance waits for it.

use std::{mem, time::Duration};

use tsunagi_sandbox::{
    FaultKind, FaultRule, Outcome, ServiceName,
    wire::{Request, Response},
    world::Ticket,
};

use crate::{
    fault::{Class, Kind},
    instance::die,
    together::{Lease, Point, touch::is_late_for_ever},
    world::{State, World},
};

/// How long a service takes to answer.
pub(crate) const LATENCY: Duration = Duration::from_millis(120);
const SHORT_WAIT: u32 = 2;
const LONG_WAIT: u32 = 300;

/// One request. Dropped with its instance, it never arrives.
pub struct Flight {
    world: World,
    service: ServiceName,
    request: Request,
    number: u32,
    fault: Option<Kind>,
    ticket: Option<Ticket>,
    /// Among those at Next Engine, and among the writes on their way.
    places: Vec<u64>,
}

impl Flight {
    /// The call begins, and meets its fault. The request's body may follow; `None` when certainly nothing was sent.
    pub fn begin(world: &World, request: Request) -> Option<Self> {
        let service = service_of(&request);
        world.meanwhile(if is_late_for_ever(service, &request) {
            Point::Leaving(service)
        } else {
            Point::Before
        });
        let class = class_of(service);
        let (number, fault) = world.begin(class, || described(world, service, &request));
        match fault {
            Some(Kind::DiesBefore) => die(),
            Some(Kind::NotSent) => return None,
            _ => {}
        }
        Some(Self {
            world: world.share(),
            service,
            request,
            number,
            fault,
            ticket: None,
            places: Vec::new(),
        })
    }

    /// All of the request is there, and on its way.
    pub fn depart(&mut self, body: Vec<u8>) {
        *self.request.body_mut() = body;
        let mut state = self.world.state();
        if let Some(fault) = self.fault.and_then(at_the_service) {
            let rule = FaultRule::once(self.service, "", fault);
            state.services.faults.add(rule);
        }
        self.ticket = Some(departed(&mut state, self.service, &self.request));
        state.services.faults.clear();
    }

    /// It is among those whose meeting is watched, under what its instance knows of the lease.
    pub fn enter(&mut self, lease: &Lease) {
        self.places = entered(&self.world, self.service, &self.request, lease);
    }

    /// It arrives and is acted on: the answer, unless there will never be one.
    pub fn land(mut self) -> Option<Response> {
        let (pair_before, outcome) = self.act();
        self.leave();
        self.world.meanwhile(Point::Acted);
        if let Outcome::Answer(_) | Outcome::CutBody { .. } = outcome {
            self.world.pass(LATENCY);
        }
        self.note_rotation(pair_before);
        let number = self.number;
        let text = || format!("    #{number} {}", told(&outcome));
        self.world.note(text);
        if self.fault == Some(Kind::DiesAfter) {
            die();
        }
        received(outcome)
    }

    /// Next Engine's access token before, and what came of the request.
    fn act(&mut self) -> (Option<String>, Outcome) {
        let request = mem::take(&mut self.request);
        let mut state = self.world.state();
        let before = access_token(&state);
        let Some(ticket) = self.ticket.take() else {
            return (before, Outcome::LostBefore);
        };
        let endpoint = state.services.service(self.service).endpoint(&request);
        let outcome = acted(&mut state, ticket, &request);
        let outcome = state.bend_answer(self.number, &endpoint, outcome);
        (before, outcome)
    }

    fn leave(&mut self) {
        for place in self.places.drain(..) {
            self.world.leave(place);
        }
    }

    fn note_rotation(&self, before: Option<String>) {
        let mut state = self.world.state();
        if self.number > 0 && access_token(&state) != before {
            state.rotations.push(self.number);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.leave();
        if let Some(ticket) = self.ticket.take() {
            over(&mut self.world.state(), ticket, &Outcome::LostBefore);
        }
    }
}

/// A request is on its way.
pub(crate) fn departed(state: &mut State, service: ServiceName, request: &Request) -> Ticket {
    state.in_flight += 1;
    state.services.begin(service, request)
}

/// It arrived: what the service makes of it.
pub(crate) fn acted(state: &mut State, ticket: Ticket, request: &Request) -> Outcome {
    let outcome = state.services.act(&ticket, request);
    over(state, ticket, &outcome);
    outcome
}

fn over(state: &mut State, ticket: Ticket, outcome: &Outcome) {
    state.services.end(ticket, outcome);
    state.in_flight -= 1;
}

/// The places of a request that leaves: at Next Engine's door, and among the writes that nobody can refuse when they are late.
pub(crate) fn entered(
    world: &World,
    service: ServiceName,
    request: &Request,
    lease: &Lease,
) -> Vec<u64> {
    let mut places = Vec::new();
    if service == ServiceName::NextEngine {
        places.push(world.enter(lease.until()));
    }
    if is_late_for_ever(service, request) {
        places.push(world.set_out(service));
    }
    places
}

pub(crate) fn class_of(service: ServiceName) -> Class {
    match service {
        ServiceName::Smaregi => Class::Smaregi,
        ServiceName::NextEngine => Class::NextEngine,
    }
}

pub(crate) fn service_of(request: &Request) -> ServiceName {
    match request.uri().host() {
        Some(host) if host.contains("smaregi") => ServiceName::Smaregi,
        _ => ServiceName::NextEngine,
    }
}

pub(crate) fn access_token(state: &State) -> Option<String> {
    let next_engine = &state.services.next_engine;
    let uid = &next_engine.users().first()?.uid;
    next_engine.pair(uid).map(|pair| pair.access.clone())
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

pub(crate) fn described(world: &World, service: ServiceName, request: &Request) -> String {
    let mut state = world.state();
    let endpoint = state.services.service(service).endpoint(request);
    let query = request.uri().query().unwrap_or_default();
    format!("http {service:?} {endpoint} {query}")
        .trim_end()
        .to_owned()
}

/// For the trace.
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

pub(crate) fn received(outcome: Outcome) -> Option<Response> {
    match outcome {
        Outcome::Answer(response) => Some(response),
        // The head arrived with its status, so some clients hand on what came of the body.
        Outcome::CutBody { mut response, .. } => {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
            Some(response)
        }
        Outcome::LostBefore | Outcome::LostAfter => None,
    }
}
