//! Two at once: two instances of one tenant meet in every order that their calls allow, at random in what is too large for that, and
//! with one of them asleep beyond its lease. It must not judge anything but what only it can see: who was at Next Engine together.
//!
//! From the inside out: [`crowd`] watches Next Engine's door; [`partner`] is an instance that can be stopped at any of its calls;
//! [`touch`] is what its calls have to do with each other's; [`small`] are the scenarios of [`every`], which
//! tries all orders; [`beside`] lets others act while a scenario of `scenarios` plays; [`slow`] puts an instance to sleep.

pub mod beside;
pub mod crowd;
pub mod every;
pub mod pair;
pub mod partner;
mod polling;
pub mod slow;
pub mod small;
pub mod touch;
pub mod view;

pub use beside::{Beside, Point};
pub use crowd::{Crowd, Lease};

use crate::{
    judge::TWO_AT_ONCE,
    runner::{self, Run},
    stage::{Broken, Stage},
    world::Setting,
};

/// A run that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What plays it again, as arguments of the command line.
    pub replay: String,
    /// What is wrong.
    pub complaints: Vec<String>,
}

/// Judges a run. Two at Next Engine are allowed once a lease had run out: whoever slept cannot know.
pub(crate) fn verdict(stage: &Stage, played: Result<(), Broken>) -> Run {
    let mut run = runner::verdict(stage, played);
    if stage.world.state().crowd.is_excused() {
        run.complaints.retain(|complaint| complaint != TWO_AT_ONCE);
    }
    run
}

pub(crate) fn setting(traced: bool) -> Setting {
    Setting {
        traced,
        ..Setting::default()
    }
}
