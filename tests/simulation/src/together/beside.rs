//! Acting beside an instance that runs on its own: others get their turn at its calls, and everything they do is over, or stopped in
//! the middle, when it goes on. Used for scenarios too large for every order. It must not judge.

use chrono::TimeDelta;
use tsunagi_guest::sync::report::Round;
use tsunagi_sandbox::ServiceName;

use super::{
    partner::{Acted, Grain, Partner},
    view::Turn,
};
use crate::{
    export::{Answer, Ended, Engine, Export},
    native::Native,
    stage::rounds::delivery,
    world::{Moment, World},
};

/// Where an instance may be overtaken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Before a call.
    Before,
    /// Before a write leaves that nobody can refuse when it is late.
    Leaving(ServiceName),
    /// A commit or a service has acted; the answer is on its way.
    Acted,
}

/// Somebody beside whatever runs.
pub trait Beside: Send {
    /// Gets the turn.
    fn meanwhile(&mut self, world: &World, point: Point);
}

/// Numbers from a seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31))
            .checked_rem(most)
            .unwrap_or_default()
    }
}

/// One visit in so many points.
const SELDOM: u64 = 4;
/// Most calls at a visit.
const CALLS: u64 = 16;
/// One sleep in so many visits, longer than the lease.
const SLEEPS: u64 = 60;
const SLEEP: TimeDelta = TimeDelta::seconds(150);

/// A second machine that does rounds and takes in webhooks, a few calls at a time.
pub struct Companion {
    dice: Dice,
    partner: Option<Partner>,
    acted: Acted,
    leaving: bool,
    begun: u8,
}

impl Companion {
    /// With these dice.
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            partner: None,
            acted: Acted::default(),
            leaving: false,
            begun: 0,
        }
    }

    /// Whether a write is about to leave, or on its way, on either side.
    fn is_late(&self, world: &World, point: Point) -> bool {
        let on_its_way = world.state().crowd.late().is_some();
        self.leaving || on_its_way || matches!(point, Point::Leaving(_))
    }

    fn next_job(&mut self, world: &World) -> Export {
        let due = world.state().services.take_webhooks();
        // The other machine may get them all the same.
        let mut due = due.into_iter();
        let first = due.next();
        let services = &world.state().services;
        for webhook in due {
            services.webhooks.push(webhook);
        }
        match first {
            Some(webhook) => Export::TakeIn(delivery(&webhook)),
            None => Export::Run,
        }
    }

    /// Ends what it has begun.
    pub fn finish(&mut self, world: &World) {
        if let Some(mut partner) = self.partner.take() {
            partner.go_on(world, Turn::WHOLE, &mut self.acted);
        }
    }
}

impl Beside for Companion {
    fn meanwhile(&mut self, world: &World, point: Point) {
        if self.dice.below(SELDOM) > 0 {
            return;
        }
        if self.dice.below(SLEEPS) == 0 && !self.is_late(world, point) {
            world.pass(SLEEP.to_std().unwrap_or_default());
        }
        let mut partner = match self.partner.take() {
            Some(partner) => partner,
            None => {
                let job = self.next_job(world);
                let letter = char::from(b'B' + self.begun % 25);
                self.begun = self.begun.wrapping_add(1);
                Partner::new(letter, job, Grain::Answers)
            }
        };
        let calls = u32::try_from(self.dice.below(CALLS)).unwrap_or_default();
        let gone = partner.go_on(world, Turn::of(calls), &mut self.acted);
        self.leaving = gone.late.is_some();
        self.partner = Some(partner).filter(|partner| partner.ended().is_none());
    }
}

/// Counts the points of a run.
#[derive(Default)]
pub struct Counter(pub std::sync::Arc<std::sync::atomic::AtomicU32>);

impl Beside for Counter {
    fn meanwhile(&mut self, _: &World, _: Point) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Somebody sleeps, and other instances work, one behind the other: what webhooks came, then a round, each when it is due. Nobody logs in.
///
/// The sleep is longer than a lease. Before or behind a write that has to be looked up it is no longer than what the guest waits
/// before it believes that such a write never arrives: no service would refuse one that comes later still.
pub fn nap(world: &World, leaving: Option<ServiceName>) {
    let under_way = world.state().crowd.late();
    let late = match leaving {
        Some(ServiceName::Smaregi) => leaving,
        _ => under_way.or(leaving),
    };
    let (sleep, all) = match late {
        None => (TimeDelta::minutes(5), TimeDelta::hours(1)),
        Some(ServiceName::NextEngine) => (TimeDelta::minutes(5), TimeDelta::minutes(9)),
        Some(ServiceName::Smaregi) => (TimeDelta::seconds(60), TimeDelta::seconds(110)),
    };
    let end = world.now() + all;
    world.clock.set(world.now() + sleep);
    for _ in 0..ROUNDS {
        let due = world.state().services.take_webhooks();
        for webhook in due {
            Native.call(world, &Export::TakeIn(delivery(&webhook)));
        }
        let round = Native.call(world, &Export::Run);
        let next = next(world, &round);
        world.clock.set(next.min(end));
        if next >= end {
            break;
        }
    }
    // From now on it has to settle.
    world.state().struck_at = Some(world.now());
}

/// Rounds in a nap.
const ROUNDS: u32 = 4;
/// Longer than what a batch's queue takes.
const LONGEST: TimeDelta = TimeDelta::minutes(10);

fn next(world: &World, round: &Ended) -> Moment {
    let now = world.now();
    match round {
        Ended::Returned(Ok(Answer::Round(Round { next_at, .. }))) => {
            (*next_at).clamp(now + TimeDelta::seconds(1), now + LONGEST)
        }
        _ => now + TimeDelta::seconds(5),
    }
}
