//! Logging in, tokens, and the switch.

use chrono::TimeDelta;
use tsunagi_guest::sync::{connection, orders, report::Backlog};

use super::{Scenario, lived_in};
use crate::{
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
        about: "the access token ends between two pages of a search",
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

/// Lines of an order that fills most of a page, and is not shipped.
const BULK: usize = 450;
const ALMOST: TimeDelta = TimeDelta::milliseconds(50);

fn before_renewal(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    let tokens = stage.status()?.tokens;
    let ends = tokens.map_or(stage.world.now(), |tokens| tokens.access_expires_at);
    stage.run_for(ends - TimeDelta::minutes(3) - stage.world.now())?;
    stage.ship(&order(OWN, "R-1", &[(TEA, 1)]))?;
    for number in ["R-2", "R-3", "R-4"] {
        let bulk = order(OWN, number, &vec![(CUP, 0); BULK]);
        stage.act(|services| services.next_engine.place(&bulk))?;
    }
    stage.ship(&order(OWN, "R-5", &[(TEA, 2)]))?;
    stage.world.clock.set(ends - ALMOST);
    Ok(stage)
}

fn renewal(stage: &mut Stage) -> Result<(), Broken> {
    stage
        .insist("orders.import-shop", async |tenant| {
            orders::import_shop(tenant, &OWN.to_string()).await
        })
        .map(|_| ())
}

fn switch_off(stage: &mut Stage) -> Result<(), Broken> {
    stage
        .insist("connection.switch-off", async |tenant| {
            connection::switch_off(&tenant.ports)
        })
        .map(|_| ())
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
