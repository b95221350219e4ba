//! What one call is given and does, written down while it runs (`crate::recording`). It lies over the imports as they are linked anyway,
//! where a runtime records, and decides nothing; where it does not, none of this is there.

mod errors;
mod hooks;
mod imports;
pub mod steps;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;
use wasmtime_wasi::HostWallClock;

use super::{Fault, clocks::Wall};
use crate::recording::{Content, Ended, Recording, Step, VERSION, mask};
pub use errors::error;
pub use hooks::{Taped, given};
pub use imports::add_to_linker;

/// The seed of a guest's hash maps while it is recorded and replayed.
pub const SEED: u128 = 0;

/// Where recordings go.
pub struct Recorder {
    folder: PathBuf,
    /// Of the component.
    digest: String,
}

impl Recorder {
    /// Into this folder, calls of this component.
    pub fn new(folder: PathBuf, digest: String) -> Self {
        Self { folder, digest }
    }

    /// A call that ended: masked, and in a file of its own below the shop's name. A file that cannot be written is told and harms nothing.
    pub async fn keep(
        &self,
        tape: &Tape,
        (shop, begun): (&str, DateTime<Utc>),
        (function, (parameters, arguments)): (&str, (Vec<String>, Value)),
        done: &Result<Result<Value, Value>, Fault>,
    ) {
        let recording = Recording {
            tsunagi_recording: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            component: self.digest.clone(),
            function: function.to_owned(),
            arguments,
            parameters,
            steps: std::mem::take(&mut tape.inner().steps),
            ended: ended(done),
        };
        let folder = self.folder.join(shop);
        let name = format!("{}-{function}", begun.format("%Y%m%dT%H%M%S%.3fZ"));
        let written =
            tokio::task::spawn_blocking(move || write(&mask::masked(recording), &folder, &name));
        let written = written.await.map_err(anyhow::Error::from);
        if let Err(error) = written.and_then(|written| written) {
            tracing::warn!("a call of {function} is not recorded: {error:#}");
        }
    }
}

fn ended(done: &Result<Result<Value, Value>, Fault>) -> Ended {
    match done {
        Ok(Ok(value)) => Ended::Ok(value.clone()),
        Ok(Err(error)) => Ended::Error(error.clone()),
        Err(fault) => Ended::Fault(fault.to_string()),
    }
}

/// Calls that began at the same moment get numbers; by name they are in order.
fn write(recording: &Recording, folder: &Path, name: &str) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    for number in 1_u32.. {
        let number = Some(number).filter(|number| *number > 1);
        let number = number.map_or_else(String::new, |number| format!("_{number:02}"));
        let path = folder.join(format!("{name}{number}.json"));
        match recording.write(&path) {
            Err(error) if path.exists() && is_there(&error) => {}
            written => return written,
        }
    }
    Ok(())
}

fn is_there(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::AlreadyExists)
}

/// One call's steps so far. Clones share them: requests are under way beside the guest.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    steps: Vec<Step>,
    /// Of each request, in order: its step.
    requests: Vec<usize>,
    /// Answers that the guest has not taken.
    answers: HashMap<u32, Step>,
    /// Handles of answers to come, with the requests' numbers.
    futures: HashMap<u32, u32>,
    waits: u32,
    /// Handles of waits, with their numbers and lengths.
    pollables: HashMap<u32, (u32, u64)>,
}

/// The wall clock, with each reading written down.
pub struct Clock(pub Wall, pub Tape);

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        self.0.resolution()
    }

    fn now(&self) -> Duration {
        let now = self.0.now();
        let since = chrono::TimeDelta::from_std(now).ok();
        let at = since.and_then(|since| DateTime::UNIX_EPOCH.checked_add_signed(since));
        self.1.now(at.unwrap_or_default());
        now
    }
}

impl Tape {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, step: Step) {
        self.inner().steps.push(step);
    }

    /// Readings of the same moment in a row are one step.
    fn now(&self, read: DateTime<Utc>) {
        let mut inner = self.inner();
        match inner.steps.last_mut() {
            Some(Step::Now { at, times }) if *at == read => *times += 1,
            _ => inner.steps.push(Step::Now { at: read, times: 1 }),
        }
    }

    fn monotonic(&self, read: u64) {
        let mut inner = self.inner();
        match inner.steps.last_mut() {
            Some(Step::Monotonic { nanoseconds, times }) if *nanoseconds == read => *times += 1,
            _ => inner.steps.push(Step::Monotonic {
                nanoseconds: read,
                times: 1,
            }),
        }
    }

    /// A request is begun: its number. Its body follows.
    fn request(&self, method: &http::Method, url: &http::Uri) -> u32 {
        let mut inner = self.inner();
        let at = inner.steps.len();
        inner.requests.push(at);
        let number = u32::try_from(inner.requests.len()).unwrap_or(u32::MAX);
        inner.steps.push(Step::Request {
            number,
            method: method.to_string(),
            url: url.to_string(),
            body: Content::Text(String::new()),
        });
        number
    }

    fn body(&self, number: u32, bytes: &[u8]) {
        let mut inner = self.inner();
        let at = inner.requests.get(number as usize - 1).copied();
        if let Some(Step::Request { body, .. }) = at.and_then(|at| inner.steps.get_mut(at)) {
            *body = Content::of(bytes);
        }
    }

    fn answered(&self, number: u32, answer: Step) {
        self.inner().answers.insert(number, answer);
    }

    /// The guest holds this handle for the answer to the latest request.
    fn awaited(&self, future: u32) {
        let mut inner = self.inner();
        let number = u32::try_from(inner.requests.len()).unwrap_or(u32::MAX);
        inner.futures.insert(future, number);
    }

    /// The guest took an answer, or this failure.
    fn taken(&self, future: u32, failure: Option<String>) {
        let mut inner = self.inner();
        let Some(number) = inner.futures.get(&future).copied() else {
            return;
        };
        let answer = inner.answers.remove(&number);
        let failed = failure.map(|error| Step::Failed { number, error });
        inner.steps.extend(failed.or(answer));
    }

    /// A wait is begun under this handle. One for nothing is over at once and no step.
    fn wait(&self, pollable: u32, nanoseconds: u64) {
        let mut inner = self.inner();
        inner.pollables.remove(&pollable);
        if nanoseconds > 0 {
            inner.waits += 1;
            let number = inner.waits;
            inner.pollables.insert(pollable, (number, nanoseconds));
        }
    }

    /// The guest saw that what is under this handle is ready.
    fn ready(&self, pollable: u32) {
        let mut inner = self.inner();
        if let Some((number, nanoseconds)) = inner.pollables.remove(&pollable) {
            inner.steps.push(Step::Waited {
                number,
                nanoseconds,
            });
        }
    }

    /// A handle is given back.
    fn dropped(&self, pollable: u32) {
        self.inner().pollables.remove(&pollable);
    }
}
