//! Waiting natively: whoever waits is woken when its event comes, and nobody else. Decides no order.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::poll_fn,
    task::{Poll, Waker},
};

use tsunagi_sandbox::wire::Response;

use crate::{
    air::{Air, Event},
    flight::Flight,
    world::{Moment, World},
};

/// Who waits, and for what.
#[derive(Default)]
pub struct Waits {
    air: RefCell<Air>,
    wakers: RefCell<BTreeMap<u64, Waker>>,
    happened: RefCell<BTreeMap<u64, Option<Response>>>,
    /// When a request without an answer is given up.
    ends: RefCell<BTreeMap<u64, Moment>>,
}

impl Waits {
    /// Until then.
    pub async fn for_time(&self, at: Moment) {
        let wait = Wait::begin(self);
        self.air.borrow_mut().ring(wait.number, at);
        wait.end().await;
    }

    /// For the answer, until then: `None` when none came.
    pub async fn for_answer(&self, flight: Flight, until: Moment) -> Option<Response> {
        let wait = Wait::begin(self);
        self.ends.borrow_mut().insert(wait.number, until);
        self.air.borrow_mut().fly(wait.number, flight);
        wait.end().await
    }

    /// Lets the next thing happen and wakes who waits for it; `None` when nothing ever will.
    pub fn next(&self, world: &World) -> Option<()> {
        let event = self.air.borrow_mut().next(world)?;
        let (number, answer) = match event {
            Event::Answered(number, answer) => (number, Some(answer)),
            Event::Rang(number) => (number, None),
            Event::Lost(number) => {
                let end = self.ends.borrow().get(&number).copied()?;
                self.air.borrow_mut().ring(number, end);
                return Some(());
            }
        };
        self.happened.borrow_mut().insert(number, answer);
        let waker = self.wakers.borrow_mut().remove(&number);
        if let Some(waker) = waker {
            waker.wake();
        }
        Some(())
    }
}

/// Somebody who waits. Dropped, it waits for nothing.
struct Wait<'a> {
    waits: &'a Waits,
    number: u64,
}

impl<'a> Wait<'a> {
    fn begin(waits: &'a Waits) -> Self {
        let number = waits.air.borrow_mut().number();
        Self { waits, number }
    }

    async fn end(&self) -> Option<Response> {
        poll_fn(|context| {
            if let Some(answer) = self.waits.happened.borrow_mut().remove(&self.number) {
                return Poll::Ready(answer);
            }
            let waker = context.waker().clone();
            self.waits.wakers.borrow_mut().insert(self.number, waker);
            Poll::Pending
        })
        .await
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let forgotten = self.waits.air.borrow_mut().forget(self.number);
        // Dropped outside: it looks at the world.
        drop(forgotten);
        self.waits.wakers.borrow_mut().remove(&self.number);
        self.waits.happened.borrow_mut().remove(&self.number);
        self.waits.ends.borrow_mut().remove(&self.number);
    }
}
