//! An instance that can be stopped at any of its calls and woken again, also in a copy of its world. Stopped, it is what it has seen;
//! to wake it, it is run from its beginning with that, and goes on where it had come to. It must not choose where to stop.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tsunagi_guest::{
    planted,
    ports::{Entry, HttpFailure, HttpResponse, StorageFailure},
};
use tsunagi_sandbox::world::Ticket;

use super::{
    touch::Touch,
    view::{Gone, Stopped, Turn, Waking},
};
use crate::{
    export::Export,
    instance::{said, to_the_end},
    native,
    world::{Moment, World},
};

/// Something that an instance has seen, in the order of its doing.
pub enum Seen {
    /// It looked at the clock.
    Now(Moment),
    /// It waited.
    Slept,
    /// It rolled the dice.
    Rolled(u64),
    /// What keys held.
    Got(Result<Vec<Option<Entry>>, StorageFailure>),
    /// What a range held.
    Scanned(Result<Vec<Entry>, StorageFailure>),
    /// What became of a commit.
    Committed(Result<(), StorageFailure>),
    /// A request left.
    Sent,
    /// The service acted; this is its answer.
    Acted(Result<HttpResponse, HttpFailure>),
    /// The answer is here.
    Arrived,
}

impl Seen {
    fn hash_into(&self, hasher: &mut DefaultHasher) {
        std::mem::discriminant(self).hash(hasher);
        match self {
            Self::Now(at) => at.hash(hasher),
            Self::Rolled(number) => number.hash(hasher),
            Self::Got(Ok(entries)) => {
                for entry in entries {
                    entry.as_ref().map(parts).hash(hasher);
                }
            }
            Self::Scanned(Ok(entries)) => {
                for entry in entries {
                    parts(entry).hash(hasher);
                }
            }
            Self::Acted(Ok(response)) => {
                (response.status, response.retry_after, &response.body).hash(hasher);
            }
            Self::Got(Err(_)) | Self::Scanned(Err(_)) | Self::Acted(Err(_)) => 1_u8.hash(hasher),
            Self::Committed(done) => done.is_ok().hash(hasher),
            Self::Slept | Self::Sent | Self::Arrived => {}
        }
    }
}

/// What makes one entry differ from another.
pub(super) fn parts(entry: &Entry) -> (&str, u64, &[u8]) {
    (&entry.key, entry.revision, &entry.value)
}

/// A request under way, and its places at Next Engine's door and among the writes on their way.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    pub(super) ticket: Ticket,
    pub(super) places: Vec<u64>,
}

/// What a stopped instance is.
#[derive(Clone, Default)]
pub(super) struct Past {
    pub(super) seen: Vec<Arc<Seen>>,
    /// Of everything seen.
    pub(super) digest: u64,
    /// Requests under way, by where in `seen` they left.
    pub(super) flights: BTreeMap<usize, UnderWay>,
    /// How often it rolled its own dice.
    pub(super) dice: u64,
}

impl Past {
    pub(super) fn push(&mut self, seen: Seen) -> Arc<Seen> {
        let mut hasher = DefaultHasher::new();
        self.digest.hash(&mut hasher);
        seen.hash_into(&mut hasher);
        self.digest = hasher.finish();
        let seen = Arc::new(seen);
        self.seen.push(Arc::clone(&seen));
        seen
    }
}

/// What services were asked to change, in order: their state is a function of it, and of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Acted {
    pub(super) smaregi: u64,
    pub(super) next_engine: u64,
}

/// Where an instance may be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Before each call, and while a request is on its way; an answer arrives at once, and no time passes.
    Calls,
    /// Also between a service's acting and the answer's arrival; time passes as it does otherwise.
    Answers,
}

/// An instance.
#[derive(Clone)]
pub struct Partner {
    /// Its name in traces.
    pub letter: char,
    /// What it does.
    pub job: Export,
    grain: Grain,
    past: Past,
    next: Option<Touch>,
    made: usize,
    ended: Option<Result<(), String>>,
}

impl Partner {
    /// One that has done nothing yet.
    pub fn new(letter: char, job: Export, grain: Grain) -> Self {
        let past = Past {
            dice: u64::from(letter) << 32,
            ..Past::default()
        };
        Self {
            letter,
            job,
            grain,
            past,
            next: Some(Touch::nothing()),
            made: 0,
            ended: None,
        }
    }

    /// How it ended; `None` while it has not.
    pub fn ended(&self) -> Option<&Result<(), String>> {
        self.ended.as_ref()
    }

    /// How many calls it has made.
    pub fn made(&self) -> usize {
        self.made
    }

    /// What its next call touches.
    pub fn next(&self) -> Option<&Touch> {
        self.next.as_ref()
    }

    /// What distinguishes its future from another's.
    pub fn digest(&self) -> u64 {
        match &self.ended {
            Some(done) => u64::from(done.is_ok()),
            None => self.past.digest,
        }
    }

    /// Goes on for a turn.
    pub fn go_on(&mut self, world: &World, turn: Turn<'_>, acted: &mut Acted) -> Gone {
        if self.ended.is_some() {
            return Gone::default();
        }
        let before = world.speak_as(Some(self.letter));
        if self.past.seen.is_empty() {
            world.note(|| format!("---- {}", self.job.name()));
        }
        let past = std::mem::take(&mut self.past);
        let waking = Waking::new(world, past, self.grain, turn, *acted);
        let ports = waking.ports();
        let planted = planted::switch(world.planted);
        let whole = native::done(&ports, &self.job);
        let ended = catch_unwind(AssertUnwindSafe(|| to_the_end(whole, || None)));
        drop(planted);
        let gone;
        (self.past, *acted, gone, self.next) = waking.stop();
        self.made += gone.calls.len();
        let breach = match ended {
            Ok(Some(done)) => {
                let told = |error| native::failure(&error, world.now()).to_string();
                self.end(world, done.map(drop).map_err(told));
                None
            }
            Ok(None) => Some("waits for nothing".to_owned()),
            Err(payload) => match payload.downcast::<Stopped>() {
                Ok(stopped) => (*stopped == Stopped::Astray)
                    .then(|| "does something else when it is run again".to_owned()),
                Err(payload) => Some(format!("trapped: {}", said(payload.as_ref()))),
            },
        };
        if let Some(breach) = breach {
            let breach = format!("{} {breach}", self.job.name());
            world.state().breaches.push(breach.clone());
            self.end(world, Err(breach));
        }
        world.speak_as(before);
        gone
    }

    fn end(&mut self, world: &World, done: Result<(), String>) {
        let told = done.as_ref().err().map_or("done", String::as_str);
        world.note(|| format!("---- {}: {told}", self.job.name()));
        self.next = None;
        self.ended = Some(done);
    }
}
