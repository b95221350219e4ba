//! One instance of the guest: it begins with nothing but its ports, and ends by returning or by dying at a call. What follows a
//! death is never run: the stack is unwound from the very call, and nothing of the guest acts when it is dropped.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
};

use tsunagi_guest::{
    error::{Error, Result as Done},
    sync::{meter, tenant::Tenant},
};

use crate::{ports::View, world::World};

/// What the scheduler of the reference host gives a round.
pub const BUDGET: (u32, u32) = (500, 60);
/// More than any flow polls.
const MOST_POLLS: u32 = 1_000_000;

/// The payload of a death. It reaches no panic hook.
struct Death;

/// Ends the instance here.
pub fn die() -> ! {
    resume_unwind(Box::new(Death))
}

/// How a call of an export ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// With what the host would see.
    Returned(Done<T>),
    /// In the middle.
    Died,
}

/// Runs one export as the component does.
pub fn run<T>(
    world: &World,
    name: &str,
    budget: (u32, u32),
    work: impl AsyncFnOnce(&Tenant<'_>) -> Done<T>,
) -> Ended<T> {
    world.begin_instance(name);
    let view = View::new(world);
    let whole = async {
        let tenant = Tenant::open(view.ports(), budget.0, budget.1)?;
        let done = work(&tenant).await;
        let _ = meter::flush(&tenant);
        done
    };
    let ended = catch_unwind(AssertUnwindSafe(|| to_the_end(whole)));
    let ended = match ended {
        Ok(Some(done)) => Ended::Returned(done),
        Ok(None) => breach(world, format!("{name} waits for nothing")),
        Err(payload) if payload.is::<Death>() => Ended::Died,
        Err(payload) => breach(world, format!("{name} trapped: {}", said(payload.as_ref()))),
    };
    world.note(|| told(name, &ended));
    ended
}

fn breach<T>(world: &World, what: String) -> Ended<T> {
    world.state().breaches.push(what);
    Ended::Died
}

pub(crate) fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()));
    text.unwrap_or_default()
}

/// Nobody else wakes anything here, so whatever is polled without end would wait for ever.
pub(crate) fn to_the_end<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

fn told<T>(name: &str, ended: &Ended<T>) -> String {
    match ended {
        Ended::Died => format!("---- {name}: died"),
        Ended::Returned(Ok(_)) => format!("---- {name}: done"),
        Ended::Returned(Err(error)) => format!("---- {name}: {}", error_text(error)),
    }
}

/// An error as an operator reads it.
pub fn error_text(error: &Error) -> String {
    let reason = error.reason();
    format!("{}: {}", reason.code, reason.message.en)
}
