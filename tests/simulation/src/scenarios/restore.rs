//! A backup put back: the services went on meanwhile, and storage does not know it.

use std::time::Duration;

use chrono::TimeDelta;
use tsunagi_guest::sync::report::Backlog;

use super::Scenario;
use crate::{
    export::{Ended, Export},
    shop::{CUP, LID, MALL, OWN, POT, SHOP, TEA, WAREHOUSE, morning, order},
    stage::{Broken, Stage},
    world::{Moment, Setting},
};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "restore",
    about: "an old backup is put back; orders, a cancellation and movements since then are not done again",
    set_up: before_restore,
    act: restore,
}];

/// When the backup was made.
fn backup_at() -> Moment {
    morning() + TimeDelta::hours(5)
}

/// An order from the backup's time is cancelled, and two others come, one of them with a source store, before the store is lost.
fn before_restore(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = Stage::lived_in(setting, |_| ())?;
    let cancelled = stage.ship(&order(MALL, "B-1", &[(TEA, 2)]))?;
    stage.settle()?;
    stage.world.clock.set(backup_at());
    let backup = stage.world.state().memory.clone();
    stage.ship(&order(MALL, "B-2", &[(TEA, 1), (CUP, 2)]))?;
    stage.ship(&order(OWN, "B-3", &[(LID, 1)]))?;
    stage.act(|services| services.next_engine.cancel(cancelled, 1))?;
    stage.loss(POT, SHOP, 1)?;
    stage.settle()?;
    stage.world.state().memory = backup;
    Ok(stage)
}

/// Whoever puts a store back tells it before anything else is called, by anybody.
fn put_back(stage: &mut Stage) -> Result<(), Broken> {
    let others = stage.world.set_beside(None);
    let told = tell(stage);
    stage.world.set_beside(others);
    told
}

fn tell(stage: &mut Stage) -> Result<(), Broken> {
    for _ in 0..stage.patience {
        if let Ended::Returned(Ok(_)) = stage.call(&Export::Restored(backup_at())) {
            return Ok(());
        }
        stage.world.pass(Duration::from_secs(1));
    }
    let why = "nobody can tell that a backup was put back";
    Err(Broken(why.to_owned()))
}

fn restore(stage: &mut Stage) -> Result<(), Broken> {
    put_back(stage)?;
    stage.log_in()?;
    stage.switch_on(Backlog::Leave)?;
    stage.run_for(TimeDelta::seconds(5))?;
    stage.ship(&order(MALL, "B-4", &[(CUP, 1)]))?;
    stage.loss(POT, WAREHOUSE, 2)?;
    // What was found is no sale of today: none of its pieces may hold these back.
    stage.till(LID, 1)?;
    stage.till(TEA, 1)
}
