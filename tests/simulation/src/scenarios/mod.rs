//! What is played, each from a shop that is set up undisturbed. They must not judge.

mod connection;
mod mistakes;
pub(crate) mod orders;
mod restore;
pub(crate) mod stock;

pub(crate) use stock::{ALIGN, press_align};

use crate::{
    stage::{Broken, Stage},
    world::Setting,
};

/// A scenario.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// As the command line spells it.
    pub name: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// The shop before anything is disturbed.
    pub set_up: fn(Setting) -> Result<Stage, Broken>,
    /// What happens; the runner lets it settle afterwards.
    pub act: fn(&mut Stage) -> Result<(), Broken>,
}

/// All that are tried fault by fault.
pub fn all() -> Vec<Scenario> {
    [
        orders::SCENARIOS,
        stock::SCENARIOS,
        connection::SCENARIOS,
        mistakes::SCENARIOS,
        restore::SCENARIOS,
    ]
    .concat()
}

/// Those of which a run takes so long that they are tried fault by fault only when they are named.
pub fn large() -> Vec<Scenario> {
    mistakes::LARGE.to_vec()
}

/// Every one.
pub fn every() -> Vec<Scenario> {
    [all(), large()].concat()
}

/// The one of this name.
pub fn named(name: &str) -> Option<Scenario> {
    every().into_iter().find(|scenario| scenario.name == name)
}

/// Logged in and switched on a moment ago: nothing is learnt yet.
fn fresh(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = Stage::begin(setting, |_| ())?;
    stage.log_in()?;
    stage.switch_on(tsunagi_guest::sync::report::Backlog::Leave)?;
    Ok(stage)
}

/// In use for hours.
fn lived_in(setting: Setting) -> Result<Stage, Broken> {
    Stage::lived_in(setting, |_| ())
}
