//! What an instance waits for, and in which order it comes: one thing at a time, and only when the instance can do nothing else, as
//! for a component that waits in `wasi:io/poll`. Every engine uses it, so that all see the same order. Wakes nobody itself.

use std::collections::{BTreeMap, BTreeSet};

use tsunagi_sandbox::wire::Response;

use crate::{
    flight::Flight,
    world::{Moment, World},
};

/// What happened to whoever waits under this number.
#[derive(Debug)]
pub enum Event {
    /// The answer to a request came.
    Answered(u64, Response),
    /// A request went, and no answer will ever come.
    Lost(u64),
    /// The time it waited for has come.
    Rang(u64),
}

/// Requests under way and times waited for.
#[derive(Default)]
pub struct Air {
    given: u64,
    flights: BTreeMap<u64, Flight>,
    bells: BTreeSet<(Moment, u64)>,
}

impl Air {
    /// A number to wait under; numbers grow.
    pub fn number(&mut self) -> u64 {
        self.given += 1;
        self.given
    }

    /// A request is under way.
    pub fn fly(&mut self, number: u64, flight: Flight) {
        self.flights.insert(number, flight);
    }

    /// Something waits for a time.
    pub fn ring(&mut self, number: u64, at: Moment) {
        self.bells.insert((at, number));
    }

    /// Nobody waits under this number any more. A request that has not arrived yet never will.
    pub fn forget(&mut self, number: u64) -> Option<Flight> {
        self.bells.retain(|(_, other)| *other != number);
        self.flights.remove(&number)
    }

    /// Whoever waits can do nothing else: the next thing happens. First times that have come, then answers in the order of their
    /// requests; with nothing under way, time passes. `None` when nothing ever will.
    pub fn next(&mut self, world: &World) -> Option<Event> {
        let bell = self.bells.first().copied();
        let due = bell.is_some_and(|(at, _)| at <= world.now());
        if !due && let Some((number, flight)) = self.flights.pop_first() {
            let landed = flight.land();
            return Some(landed.map_or(Event::Lost(number), |answer| {
                Event::Answered(number, answer)
            }));
        }
        let (at, number) = self.bells.pop_first()?;
        if let Ok(left) = (at - world.now()).to_std() {
            world.pass(left);
        }
        Some(Event::Rang(number))
    }
}
