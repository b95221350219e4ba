//! The place in a recording: what comes next, whether the component asks for it, and what it then gets. Touches no resource of an instance.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, oneshot};

use super::{Departure, same};
use crate::recording::{Content, Step, trace};

/// Shared by everything that belongs to one instance.
#[derive(Clone)]
pub struct Player {
    inner: Arc<Mutex<Inner>>,
    departed: Arc<Notify>,
}

struct Inner {
    steps: Vec<Step>,
    /// The next one.
    at: usize,
    /// What each clock shows, and how often it does yet.
    wall: (DateTime<Utc>, u32),
    monotonic: (u64, u32),
    requests: u32,
    /// Bodies that the component is still writing.
    writing: u32,
    answers: HashMap<u32, oneshot::Sender<Step>>,
    waits: HashMap<u32, u64>,
    over: HashSet<u32>,
    departure: Option<Departure>,
}

/// Held while a request's body is written.
pub struct Writing(Player);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.inner().writing -= 1;
        self.0.departed.notify_one();
    }
}

/// A request that the recording has, too.
pub struct Begun {
    /// Its step.
    at: usize,
    /// What comes of it, when its turn has come.
    pub answer: oneshot::Receiver<Step>,
    /// Held while its body is written.
    pub writing: Writing,
}

impl Player {
    /// At the beginning.
    pub fn new(steps: Vec<Step>) -> Self {
        let inner = Inner {
            steps,
            at: 0,
            wall: (DateTime::UNIX_EPOCH, 0),
            monotonic: (0, 0),
            requests: 0,
            writing: 0,
            answers: HashMap::new(),
            waits: HashMap::new(),
            over: HashSet::new(),
            departure: None,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            departed: Arc::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the component did otherwise.
    pub fn departure(&self) -> Option<Departure> {
        self.inner().departure.clone()
    }

    /// Fails where it did, so that its call ends.
    pub fn goes_on(&self) -> wasmtime::Result<()> {
        match self.departure() {
            Some(departure) => Err(wasmtime::Error::msg(departure.to_string())),
            None => Ok(()),
        }
    }

    /// The next step that nobody asked for, clocks aside.
    pub fn left(&self) -> Option<(usize, String)> {
        let mut inner = self.inner();
        let step = inner.next()?;
        let told = trace::line(step);
        Some((inner.at + 1, told))
    }

    /// The wall clock.
    pub fn now(&self) -> DateTime<Utc> {
        let inner = &mut *self.inner();
        if inner.wall.1 == 0 {
            let read = inner.clock(|step| match step {
                Step::Now { at, times } => Some((*at, *times)),
                _ => None,
            });
            inner.wall = read.unwrap_or((inner.wall.0, 1));
        }
        inner.wall.1 -= 1;
        inner.wall.0
    }

    /// The monotonic clock.
    pub fn monotonic(&self) -> u64 {
        let inner = &mut *self.inner();
        if inner.monotonic.1 == 0 {
            let read = inner.clock(|step| match step {
                Step::Monotonic { nanoseconds, times } => Some((*nanoseconds, *times)),
                _ => None,
            });
            inner.monotonic = read.unwrap_or((inner.monotonic.0, 1));
        }
        inner.monotonic.1 -= 1;
        inner.monotonic.0
    }

    /// What the recording has where the component asks for this; its answer's fields are not looked at.
    pub fn asked(&self, asked: &Step) -> wasmtime::Result<Step> {
        self.goes_on()?;
        let inner = &mut *self.inner();
        match inner.next() {
            Some(step) if same(step, asked) => {
                let step = step.clone();
                inner.at += 1;
                Ok(step)
            }
            _ => Err(inner.depart(trace::whole(asked))),
        }
    }

    /// A request is begun. Its body is compared when it is there.
    pub fn request(&self, method: &str, url: &str) -> wasmtime::Result<Begun> {
        let number = self.inner().requests + 1;
        let text = String::new();
        let step = Step::Request {
            number,
            method: method.to_owned(),
            url: url.to_owned(),
            body: Content::Text(text),
        };
        self.asked(&step)?;
        let (sender, answer) = oneshot::channel();
        let mut inner = self.inner();
        inner.requests = number;
        inner.writing += 1;
        inner.answers.insert(number, sender);
        Ok(Begun {
            at: inner.at - 1,
            answer,
            writing: Writing(self.clone()),
        })
    }

    /// A request's body is whole.
    pub fn body(&self, begun: &Begun, bytes: &[u8]) {
        let inner = &mut *self.inner();
        let Some(Step::Request {
            body, method, url, ..
        }) = inner.steps.get(begun.at)
        else {
            return;
        };
        let sent = Content::of(bytes);
        if *body != sent && inner.departure.is_none() {
            let (recorded, asked) = trace::apart(body.shown(), sent.shown());
            inner.departure = Some(Departure {
                step: begun.at + 1,
                recorded: format!("{method} {url} with {recorded}"),
                asked: format!("the same with {asked}"),
            });
        }
    }

    /// Bodies are on their way.
    pub fn is_writing(&self) -> bool {
        self.inner().writing > 0
    }

    /// One of them is there.
    pub async fn written(&self) {
        self.departed.notified().await;
    }

    /// A wait is begun: its number.
    pub fn wait(&self, nanoseconds: u64) -> u32 {
        let mut inner = self.inner();
        let number = u32::try_from(inner.waits.len() + 1).unwrap_or(u32::MAX);
        inner.waits.insert(number, nanoseconds);
        number
    }

    /// Whether a wait is over.
    pub fn is_over(&self, wait: u32) -> bool {
        self.inner().over.contains(&wait)
    }

    /// The component can do nothing else: what the recording has next happens.
    pub fn happens(&self) -> wasmtime::Result<()> {
        self.goes_on()?;
        let inner = &mut *self.inner();
        let step = inner.next().cloned();
        let happened = match &step {
            Some(Step::Answer { number, .. } | Step::Failed { number, .. }) => {
                let waiting = inner.answers.remove(number);
                waiting
                    .zip(step.clone())
                    .is_some_and(|(waiting, step)| waiting.send(step).is_ok())
            }
            Some(Step::Waited {
                number,
                nanoseconds,
            }) => inner.waits.get(number) == Some(nanoseconds) && inner.over.insert(*number),
            _ => false,
        };
        if !happened {
            return Err(inner.depart("a wait for something else".to_owned()));
        }
        inner.at += 1;
        Ok(())
    }

    /// What happened last is nothing that the component waits for.
    pub fn in_vain(&self) -> wasmtime::Error {
        let mut inner = self.inner();
        inner.at = inner.at.saturating_sub(1);
        inner.depart("a wait for something else".to_owned())
    }
}

impl Inner {
    /// The next step that is no reading of a clock.
    fn next(&mut self) -> Option<&Step> {
        while let Some(Step::Now { .. } | Step::Monotonic { .. }) = self.steps.get(self.at) {
            self.at += 1;
        }
        (self.wall.1, self.monotonic.1) = (0, 0);
        self.steps.get(self.at)
    }

    /// A reading, if one of that clock comes before anything else.
    fn clock<T>(&mut self, read: impl Fn(&Step) -> Option<T>) -> Option<T> {
        let ahead = self.steps.get(self.at..)?.iter();
        let mut clocks = ahead
            .take_while(|step| matches!(step, Step::Now { .. } | Step::Monotonic { .. }))
            .enumerate();
        let (past, found) = clocks.find_map(|(past, step)| Some((past, read(step)?)))?;
        self.at += past + 1;
        Some(found)
    }

    fn depart(&mut self, asked: String) -> wasmtime::Error {
        let (recorded, asked) = match self.steps.get(self.at) {
            Some(step) if trace::line(step).split(' ').next() == asked.split(' ').next() => {
                trace::apart(&trace::whole(step), &asked)
            }
            Some(step) => (trace::line(step), asked),
            None => ("its end".to_owned(), asked),
        };
        let step = self.at + 1;
        let departure = self.departure.get_or_insert(Departure {
            step,
            recorded,
            asked,
        });
        wasmtime::Error::msg(departure.to_string())
    }
}
