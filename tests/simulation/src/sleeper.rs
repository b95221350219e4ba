//! What happens while an instance sleeps in the middle of its work: other instances take over what it holds. When it wakes it does not
//! know. It must not wake it.

use chrono::TimeDelta;
use tsunagi_guest::sync::report::Round;

use crate::{
    export::{Answer, Ended, Engine, Export},
    native::Native,
    world::World,
};

/// Longer than any lease, and than an upload without an answer is waited for.
const SLEEP: TimeDelta = TimeDelta::minutes(20);
/// Between two rounds at least.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Rounds of the schedule by others, for as long as the sleep lasts.
pub fn others_work(world: &World) {
    let wakes = world.now() + SLEEP;
    while world.now() < wakes {
        let round = Native.call(world, &Export::Run);
        let soon = world.now() + PAUSE;
        let next = match round {
            Ended::Returned(Ok(Answer::Round(Round {
                more: false,
                next_at,
                ..
            }))) => next_at.max(soon),
            _ => soon,
        };
        world.clock.set(next.min(wakes).max(world.now()));
    }
}
