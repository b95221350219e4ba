//! Logging in, tokens, and the switch.

use chrono::TimeDelta;
use tsunagi_guest::sync::report::Backlog;

use super::{Scenario, lived_in};
use crate::{
    export::Export,
    shop::{CUP, MALL, OWN, SHOP, TEA, WAREHOUSE, order},
    stage::{Broken, Stage},
    world::Setting,
};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "login",
        about: "the first login, switching on, and the first order and movement",
        set_up: |setting| Stage::begin(setting, |_| ()),
        act: login,
    },
    Scenario {
        name: "token-renewal",
        about: "the access token ends in the middle of an import, between its two searches",
        set_up: before_renewal,
        act: renewal,
    },
    Scenario {
        name: "off-on-send",
        about: "switched off and on; what moved meanwhile is sent",
        set_up: lived_in,
        act: off_on_send,
    },
    Scenario {
        name: "off-on-leave",
        about: "switched off and on; what moved meanwhile is left",
        set_up: lived_in,
        act: off_on_leave,
    },
];

fn login(stage: &mut Stage) -> Result<(), Broken> {
    stage.log_in()?;
    stage.switch_on(Backlog::Leave)?;
    // Smaregi dates its history by the second.
    stage.run_for(TimeDelta::seconds(5))?;
    stage.ship(&order(OWN, "O-1", &[(TEA, 1)]))?;
    stage.loss(CUP, WAREHOUSE, 2)
}

/// Before the access token's end: four requests to Smaregi and the first search are over by then, the second search is not.
const ALMOST: TimeDelta = TimeDelta::milliseconds(530);

/// The host was down for a day. The web shops' first days are so far apart that one import makes two searches.
fn before_renewal(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = Stage::begin(setting, |settings| {
        for store in &mut settings.orders.receiving_stores {
            if store.shop_id == OWN.to_string() {
                store.start_date += TimeDelta::days(20);
            }
        }
    })?;
    stage.log_in()?;
    stage.switch_on(Backlog::Leave)?;
    let tokens = stage.status()?.tokens;
    let ends = tokens.map_or(stage.world.now(), |tokens| tokens.access_expires_at);
    stage.world.clock.set(ends - ALMOST - TimeDelta::hours(1));
    stage.ship(&order(MALL, "R-1", &[(TEA, 1)]))?;
    stage.ship(&order(OWN, "R-2", &[(TEA, 2)]))?;
    stage.loss(CUP, SHOP, 1)?;
    stage.world.clock.set(ends - ALMOST);
    Ok(stage)
}

fn renewal(stage: &mut Stage) -> Result<(), Broken> {
    stage.insist(&Export::Run).map(|_| ())
}

fn switch_off(stage: &mut Stage) -> Result<(), Broken> {
    stage.insist(&Export::SwitchOff).map(|_| ())
}

fn off_on_send(stage: &mut Stage) -> Result<(), Broken> {
    stage.ship(&order(MALL, "S-1", &[(TEA, 1)]))?;
    stage.loss(CUP, SHOP, 1)?;
    stage.round()?;
    switch_off(stage)?;
    stage.run_for(TimeDelta::seconds(5))?;
    stage.ship(&order(OWN, "S-2", &[(TEA, 2)]))?;
    stage.loss(CUP, WAREHOUSE, 4)?;
    stage.run_for(TimeDelta::minutes(20))?;
    stage.switch_on(Backlog::Send)
}

fn off_on_leave(stage: &mut Stage) -> Result<(), Broken> {
    switch_off(stage)?;
    stage.run_for(TimeDelta::seconds(5))?;
    stage.ship(&order(OWN, "S-2", &[(TEA, 2)]))?;
    stage.act(|services| services.smaregi.loss(CUP, WAREHOUSE, 4))?;
    stage.script.moves(CUP, WAREHOUSE, -4);
    stage.run_for(TimeDelta::minutes(20))?;
    stage.switch_on(Backlog::Leave)?;
    stage.run_for(TimeDelta::seconds(5))?;
    stage.loss(CUP, WAREHOUSE, 1)
}
