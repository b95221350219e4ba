//! The ports of an instance that is woken: what it has seen already is told again, what is new is done to the world. Where its calls
//! are used up it is stopped by unwinding. It must not do anything twice.

use std::{
    cell::{Cell, RefCell},
    hash::{DefaultHasher, Hash, Hasher},
    panic::resume_unwind,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, FixedOffset};
use futures_util::future::LocalBoxFuture;
use tsunagi_guest::ports::{
    Check, Clock, Entry, Http, HttpFailure, HttpRequest, HttpResponse, Ports, Random, Storage,
    StorageFailure, Write,
};
use tsunagi_sandbox::{ServiceName, wire::Request};

use super::{
    crowd::Lease,
    partner::{Acted, Grain, Past, Seen, UnderWay},
    polling::once_more,
    touch::{Touch, is_late_for_ever},
};
use crate::{
    fault::Class,
    flight::{self, LATENCY, access_token, class_of, described, service_of, told},
    memory,
    ports::{committed, received, to_wire},
    world::World,
};

/// The payload of a stop. It reaches no panic hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Before a call.
    Here,
    /// What it asks is not what it asked when it was run before.
    Astray,
}

/// An instance's view of the world.
pub(super) struct Waking<'a> {
    world: &'a World,
    past: RefCell<Past>,
    grain: Grain,
    /// How much of the past was told.
    told: Cell<usize>,
    turn: Turn<'a>,
    left: Cell<u32>,
    acted: Cell<Acted>,
    gone: RefCell<Gone>,
    next: RefCell<Option<Touch>>,
    /// The write that is about to leave.
    late: Cell<Option<ServiceName>>,
    lease: Lease,
}

/// How far an instance goes.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// So many calls, and on to where the next would be made.
    pub calls: u32,
    /// All that the other may still do: calls that do not meet it are not counted.
    pub other: Option<&'a Touch>,
}

impl Turn<'_> {
    /// To its end.
    pub const WHOLE: Self = Self {
        calls: u32::MAX,
        other: None,
    };

    /// So many calls of any kind.
    pub fn of(calls: u32) -> Self {
        Self { calls, other: None }
    }
}

/// How far it went.
#[derive(Debug, Clone, Default)]
pub struct Gone {
    /// What its calls touched, counted or not, in their order.
    pub calls: Vec<Touch>,
    /// Where the next call is a write that is about to leave: which service it is for.
    pub late: Option<ServiceName>,
}

impl<'a> Waking<'a> {
    pub(super) fn new(
        world: &'a World,
        past: Past,
        grain: Grain,
        turn: Turn<'a>,
        acted: Acted,
    ) -> Self {
        Self {
            world,
            past: RefCell::new(past),
            grain,
            told: Cell::new(0),
            turn,
            left: Cell::new(turn.calls),
            acted: Cell::new(acted),
            gone: RefCell::default(),
            next: RefCell::default(),
            late: Cell::new(None),
            lease: Lease::default(),
        }
    }

    /// As every flow takes them.
    pub(super) fn ports(&self) -> Ports<'_> {
        Ports {
            http: self,
            storage: self,
            clock: self,
            random: self,
        }
    }

    pub(super) fn stop(self) -> (Past, Acted, Gone, Option<Touch>) {
        (
            self.past.into_inner(),
            self.acted.get(),
            self.gone.into_inner(),
            self.next.into_inner(),
        )
    }

    /// What was seen here, or what is seen now. Something with a `touch` is a call, before which it may be stopped.
    fn see(&self, touch: Option<Touch>, fresh: impl FnOnce() -> Seen) -> Arc<Seen> {
        let told = self.told.get();
        self.told.set(told + 1);
        let known = self.past.borrow().seen.get(told).cloned();
        if let Some(known) = known {
            return known;
        }
        if let Some(touch) = touch {
            self.count(touch);
        }
        let seen = fresh();
        self.past.borrow_mut().push(seen)
    }

    fn count(&self, touch: Touch) {
        let counts = self.turn.other.is_none_or(|other| touch.meets(other));
        if counts {
            let Some(left) = self.left.get().checked_sub(1) else {
                self.next.replace(Some(touch));
                self.gone.borrow_mut().late = self.late.get();
                resume_unwind(Box::new(Stopped::Here));
            };
            self.left.set(left);
        }
        let mut gone = self.gone.borrow_mut();
        gone.calls.push(touch);
        gone.late = None;
    }

    fn act(&self, service: ServiceName, request: &Request, sent: usize) -> Seen {
        let flight = self.past.borrow_mut().flights.remove(&sent);
        let Some(UnderWay { ticket, places }) = flight else {
            return Seen::Acted(Err(HttpFailure::OutcomeUnknown));
        };
        let (outcome, renewed) = {
            let mut state = self.world.state();
            let pair = access_token(&state);
            let outcome = flight::acted(&mut state, ticket, request);
            let renewed = access_token(&state) != pair;
            (outcome, renewed)
        };
        for place in places {
            self.world.leave(place);
        }
        if self.grain == Grain::Answers {
            self.world.pass(LATENCY);
        }
        self.world.note(|| format!("    {}", told(&outcome)));
        if renewed || !only_reads(service, request) {
            self.remember(service, request);
        }
        let answer = flight::received(outcome).map(received);
        Seen::Acted(answer.ok_or(HttpFailure::OutcomeUnknown))
    }

    /// A service's state is a function of what it was asked to change.
    fn remember(&self, service: ServiceName, request: &Request) {
        let mut acted = self.acted.get();
        let digest = match service {
            ServiceName::Smaregi => &mut acted.smaregi,
            ServiceName::NextEngine => &mut acted.next_engine,
        };
        let mut hasher = DefaultHasher::new();
        (*digest, self.world.now(), request.body()).hash(&mut hasher);
        request.uri().to_string().hash(&mut hasher);
        request.method().as_str().hash(&mut hasher);
        *digest = hasher.finish();
        self.acted.set(acted);
    }
}

/// Whether a service's books are the same behind it, as far as its documents say.
fn only_reads(service: ServiceName, request: &Request) -> bool {
    let path = request.uri().path();
    match service {
        ServiceName::Smaregi => request.method() == http::Method::GET,
        ServiceName::NextEngine => ["/search", "/count", "/info"]
            .iter()
            .any(|end| path.ends_with(end)),
    }
}

fn astray() -> ! {
    resume_unwind(Box::new(Stopped::Astray))
}

impl Storage for Waking<'_> {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StorageFailure> {
        let seen = self.see(Some(Touch::get(keys)), || {
            self.world
                .begin(Class::Read, || format!("get {}", keys.join(" ")));
            Seen::Got(Ok(self.world.state().memory.get(keys)))
        });
        match &*seen {
            Seen::Got(got) => got.clone(),
            _ => astray(),
        }
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, StorageFailure> {
        let seen = self.see(Some(Touch::scan(start, end)), || {
            let text = || format!("scan {} at most {limit}", start.escape_debug());
            self.world.begin(Class::Read, text);
            let memory = &self.world.state().memory;
            Seen::Scanned(Ok(memory.scan(start, end, backward, limit)))
        });
        match &*seen {
            Seen::Scanned(scanned) => scanned.clone(),
            _ => astray(),
        }
    }

    fn commit(&self, checks: &[Check], writes: &[Write]) -> Result<(), StorageFailure> {
        let seen = self.see(Some(Touch::commit(checks, writes)), || {
            let checked = !checks.is_empty();
            let text = || committed(checks, writes);
            self.world.begin(Class::Commit { checked }, text);
            let done = {
                let mut state = self.world.state();
                state.breaches.extend(memory::breaches(checks, writes));
                state.memory.commit(checks, writes)
            };
            if let Err(StorageFailure::Conflict(key)) = &done {
                self.world.note(|| format!("    conflict on {key}"));
            }
            Seen::Committed(done)
        });
        let Seen::Committed(done) = &*seen else {
            astray();
        };
        self.lease.committed(writes, done.is_ok());
        if self.grain == Grain::Answers {
            self.see(Some(Touch::nothing()), || Seen::Arrived);
        }
        done.clone()
    }
}

impl Clock for Waking<'_> {
    fn now(&self) -> DateTime<FixedOffset> {
        let seen = self.see(None, || Seen::Now(self.world.machine_now()));
        match &*seen {
            Seen::Now(now) => self.lease.saw(*now),
            _ => astray(),
        }
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        let seen = self.see(Some(Touch::time()), || {
            self.world.pass(duration);
            Seen::Slept
        });
        if !matches!(&*seen, Seen::Slept) {
            astray();
        }
        Box::pin(async {})
    }
}

impl Random for Waking<'_> {
    /// Its own dice, so that nobody's numbers depend on the order.
    fn next(&self) -> u64 {
        let seen = self.see(None, || {
            let mut past = self.past.borrow_mut();
            past.dice = past.dice.wrapping_add(1);
            Seen::Rolled(past.dice.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        });
        match &*seen {
            Seen::Rolled(number) => *number,
            _ => astray(),
        }
    }
}

impl Http for Waking<'_> {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async move {
            let mut wire = to_wire(&request).ok_or(HttpFailure::NotSent)?;
            *wire.body_mut() = request.body;
            let service = service_of(&wire);
            let sent = self.told.get();
            let late = is_late_for_ever(service, &wire).then_some(service);
            self.late.set(late);
            self.see(Some(sending(service)), || self.leave(service, &wire, sent));
            self.late.set(None);
            once_more().await;
            let act = Some(Touch::act(service, &wire));
            let acted = self.see(act, || self.act(service, &wire, sent));
            if self.grain == Grain::Answers {
                self.see(Some(Touch::nothing()), || Seen::Arrived);
            }
            match &*acted {
                Seen::Acted(answer) => answer.clone(),
                _ => astray(),
            }
        })
    }
}

fn sending(service: ServiceName) -> Touch {
    match service {
        ServiceName::NextEngine => Touch::door(),
        ServiceName::Smaregi => Touch::nothing(),
    }
}

impl Waking<'_> {
    fn leave(&self, service: ServiceName, wire: &Request, sent: usize) -> Seen {
        let text = || described(self.world, service, wire);
        self.world.begin(class_of(service), text);
        let places = flight::entered(self.world, service, wire, &self.lease);
        let ticket = flight::departed(&mut self.world.state(), service, wire);
        let flight = UnderWay { ticket, places };
        self.past.borrow_mut().flights.insert(sent, flight);
        Seen::Sent
    }
}
