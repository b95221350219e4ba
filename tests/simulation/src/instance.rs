//! One instance of the guest: it begins with nothing but its ports, and ends by returning or by dying at a call. What follows a
//! death is never run: the stack is unwound from the very call, and nothing of the guest acts when it is dropped.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use tsunagi_guest::{planted, ports::Ports};

use crate::{
    export::{Answer, Ended, Failure},
    ports::View,
    world::World,
};

/// More than any flow polls.
const MOST_POLLS: u32 = 1_000_000;

/// The payload of a death. It reaches no panic hook.
struct Death;

/// Ends the instance here.
pub fn die() -> ! {
    resume_unwind(Box::new(Death))
}

/// Runs one call natively.
pub fn run(
    world: &World,
    name: &str,
    work: impl AsyncFnOnce(Ports<'_>) -> Result<Answer, Failure>,
) -> Ended {
    let _planted = planted::switch(world.planted);
    let view = View::new(world);
    watched(world, name, || {
        to_the_end(work(view.ports()), || view.happens())
    })
}

/// Whatever runs an instance, with its death caught and its end noted; `None` is an instance that waits for what never comes.
pub fn watched(
    world: &World,
    name: &str,
    work: impl FnOnce() -> Option<Result<Answer, Failure>>,
) -> Ended {
    world.begin_instance(name);
    let ended = catch_unwind(AssertUnwindSafe(work));
    let ended = match ended {
        Ok(Some(done)) => Ended::Returned(done),
        Ok(None) => breach(world, format!("{name} waits for nothing")),
        Err(payload) if payload.is::<Death>() => Ended::Died,
        Err(payload) => breach(world, format!("{name} trapped: {}", said(payload.as_ref()))),
    };
    if let Ended::Returned(Err(failure)) = &ended {
        world.state().hostile.told.push(failure.to_string());
    }
    world.note(|| format!("---- {name}: {ended}"));
    ended
}

fn breach(world: &World, what: String) -> Ended {
    world.state().breaches.push(what);
    Ended::Died
}

pub(crate) fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()));
    text.unwrap_or_default()
}

/// Polls whenever somebody inside was woken, and lets the next thing happen when nobody was. `None` when nothing ever will, or it is
/// polled without end.
pub(crate) fn to_the_end<T>(
    work: impl Future<Output = T>,
    mut happens: impl FnMut() -> Option<()>,
) -> Option<T> {
    let mut work = pin!(work);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return Some(done);
        }
        while !woken.0.swap(false, Ordering::Relaxed) {
            happens()?;
        }
    }
    None
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
