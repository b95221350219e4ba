//! Runs a recorded call again, offline: a fresh instance gets what the recorded one was given, in the same order, and each request, commit
//! and wait is compared, and the result. Waiting takes no time. Decides nothing; knows no function's meaning.
//!
//! Clock readings are not compared: one more shows the last reading again, one fewer is passed over. Everything else that the component
//! asks is, to the letter. A second run of the same component on the same recording goes the same way, since nothing else reaches it.

mod imports;
mod outside;
mod player;
mod stored;

use std::fmt;

use serde_json::Value;
use wasmtime::{
    Store,
    component::{InstancePre, Linker},
};

use crate::{
    recording::{Ended, Recording, Step, trace},
    runtime::{Fault, Runtime, call},
};
use imports::PlayState;
use player::Player;

/// A call that computes for longer than so many tenths of a second is ended.
const LONGEST: u64 = 6_000;

/// Where a component does otherwise than recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The recording's step, from 1; one more than it has where the call goes on behind its last.
    pub step: usize,
    /// What is recorded there.
    pub recorded: String,
    /// What the component did.
    pub asked: String,
}

impl fmt::Display for Departure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "at step {} the recording has {}; the component asked for {}",
            self.step, self.recorded, self.asked
        )
    }
}

/// A component that replays.
pub struct Replay(InstancePre<PlayState>);

impl Replay {
    /// The runtime's component, with nothing of the outside linked to it.
    ///
    /// # Errors
    /// When it imports what no recording has.
    pub fn new(runtime: &Runtime) -> wasmtime::Result<Self> {
        let component = runtime.component();
        let mut linker = Linker::new(component.engine());
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        imports::add_to_linker(&mut linker)?;
        Ok(Self(linker.instantiate_pre(component)?))
    }

    /// Runs one again; `None` when everything went as recorded.
    pub async fn play(&self, recording: &Recording) -> Option<Departure> {
        let player = Player::new(recording.steps.clone());
        let mut store = Store::new(self.0.engine(), PlayState::new(player.clone()));
        store.set_epoch_deadline(LONGEST);
        let called = call::call(
            &self.0,
            &mut store,
            &recording.function,
            &recording.arguments,
        );
        let called = called.await;
        drop(store);
        // What failed or was ended may have been about to do more.
        let was_ended = matches!(recording.ended, Ended::Fault(_));
        let departure = player.departure();
        if was_ended
            && departure
                .as_ref()
                .is_some_and(|at| at.step > recording.steps.len())
        {
            return None;
        }
        departure.or_else(|| over(recording, &player, &called))
    }
}

/// What differs at the end.
fn over(
    recording: &Recording,
    player: &Player,
    called: &Result<Result<Value, Value>, Fault>,
) -> Option<Departure> {
    let ended = match called {
        Ok(Ok(value)) => Ended::Ok(value.clone()),
        Ok(Err(error)) => Ended::Error(error.clone()),
        Err(fault) => Ended::Fault(format!("{fault:#}")),
    };
    if let Some((step, left)) = player.left() {
        return Some(Departure {
            step,
            recorded: left,
            asked: format!("nothing more, and ended with {}", trace::end(&ended)),
        });
    }
    // How a failure is worded is the runtime's.
    let both_failed = matches!(
        (&recording.ended, &ended),
        (Ended::Fault(_), Ended::Fault(_))
    );
    if ended == recording.ended || both_failed {
        return None;
    }
    let whole = |ended: &Ended| match ended {
        Ended::Ok(value) => format!("ok {value}"),
        Ended::Error(error) => format!("error {error}"),
        Ended::Fault(fault) => format!("fault {fault}"),
    };
    let (recorded, asked) = trace::apart(&whole(&recording.ended), &whole(&ended));
    Some(Departure {
        step: recording.steps.len() + 1,
        recorded: format!("the end with {recorded}"),
        asked: format!("the end with {asked}"),
    })
}

/// Whether both ask for the same; what is answered is not looked at, nor a request's body, which comes later.
fn same(recorded: &Step, asked: &Step) -> bool {
    match (recorded, asked) {
        (Step::Random(one), Step::Random(other)) => one.len() == other.len(),
        (Step::Get { keys, .. }, Step::Get { keys: others, .. }) => keys == others,
        (
            Step::Scan {
                start,
                end,
                backward,
                limit,
                ..
            },
            Step::Scan {
                start: s,
                end: e,
                backward: b,
                limit: l,
                ..
            },
        ) => (start, end, backward, limit) == (s, e, b, l),
        (
            Step::Commit { checks, writes, .. },
            Step::Commit {
                checks: c,
                writes: w,
                ..
            },
        ) => (checks, writes) == (c, w),
        (
            Step::Request {
                number,
                method,
                url,
                ..
            },
            Step::Request {
                number: n,
                method: m,
                url: u,
                ..
            },
        ) => (number, method, url) == (n, m, u),
        _ => false,
    }
}
