//! What goes right in every other scenario even if one mistake or another is made: long pauses, full pages, odd amounts, second tries.

use chrono::{DurationRound, TimeDelta};
use tsunagi_guest::sync::report::ResendChoice;
use tsunagi_sandbox::webhook::WebhookFault;

use super::{Scenario, lived_in};
use crate::{
    export::Export,
    shop::{CUP, LID, OWN, POT, SHOP, TEA, WAREHOUSE, order},
    stage::{Broken, Stage},
    world::{Moment, Setting},
};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "night",
        about: "the host was down for a night: two orders of odd amounts far apart, and a refused one mended",
        set_up: before_night,
        act: |_| Ok(()),
    },
    Scenario {
        name: "freed",
        about: "of two rows refused for want of free stock one may go, and a person sends the unclear one again",
        set_up: before_freed,
        act: freed,
    },
    Scenario {
        name: "webhook",
        about: "nothing is looked for by itself: webhooks tell, and a person catches up on what they do not",
        set_up: before_webhook,
        act: webhook,
    },
];

/// A page holds a thousand rows, so that each run takes many times as long as the others'.
pub(super) const LARGE: &[Scenario] = &[Scenario {
    name: "pages",
    about: "orders on two pages; a slip is split and the till sells while they are imported",
    set_up: before_pages,
    act: pages,
}];

/// Slip numbers are given in order of placing; the shop lived in has placed two.
const FIRST: u64 = 10_003;

/// 8 % of it are 80.72 yen: two lines bring 162 rounded each, and 161 together.
const ODD_PRICE: i64 = 1_009;

/// A product that Smaregi does not know.
const UNKNOWN: u64 = 77;

fn before_night(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    let refused = stage.ship(&order(OWN, "N-1", &[(UNKNOWN, 1), (CUP, 1)]))?;
    stage.script.refused.insert(refused);
    stage.settle()?;
    let mut odd = order(OWN, "O-1", &[(TEA, 1), (TEA, 1)]);
    for line in &mut odd.lines {
        line.unit_price = ODD_PRICE.into();
    }
    stage.ship(&odd)?;
    pass(&stage, TimeDelta::minutes(40));
    stage.ship(&order(OWN, "O-2", &[(CUP, 1)]))?;
    stage.act(|services| {
        services.next_engine.unship(refused)?;
        services.next_engine.cancel_line(refused, 1)?;
        services.next_engine.ship(refused)
    })?;
    stage.script.refused.clear();
    pass(&stage, TimeDelta::hours(8));
    Ok(stage)
}

/// Nobody works meanwhile.
fn pass(stage: &Stage, time: TimeDelta) {
    stage.world.clock.set(stage.world.now() + time);
}

/// With the lines of the others, one line more than a page takes: the last slip is cut.
const MANY: usize = 991;
const SPLIT: u64 = FIRST;

fn before_pages(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    let slips = stage.act(|services| {
        let next_engine = &mut services.next_engine;
        next_engine.place(&order(OWN, "P-1", &[(POT, 1); 6]))?;
        next_engine.place_mail(&order(OWN, "P-2", &[(LID, 1); MANY]))?;
        let third = next_engine.place(&order(OWN, "P-3", &[(CUP, 1)]))?;
        let last = next_engine.place(&order(OWN, "P-4", &[(CUP, 1), (TEA, 1), (LID, 1)]))?;
        Ok([third, last])
    })?;
    // By the time of the next search the long one is not read again.
    pass(&stage, TimeDelta::minutes(40));
    stage.act(|services| {
        for slip in slips {
            services.next_engine.ship(slip)?;
        }
        Ok(())
    })?;
    // Nor are these, once something newer was seen.
    pass(&stage, TimeDelta::minutes(40));
    Ok(stage)
}

fn pages(stage: &mut Stage) -> Result<(), Broken> {
    stage.call(&Export::ImportSlice(OWN.to_string(), 1));
    stage.act(|services| services.next_engine.split(SPLIT, &[2, 3, 4, 5, 6]))?;
    stage.call(&Export::ImportShop(OWN.to_string()));
    stage.till(CUP, 2)?;
    stage
        .insist(&Export::ImportShop(OWN.to_string()))
        .map(|_| ())
}

/// More than is free once an order has taken most of it.
const TOO_MUCH: i64 = 30;
const MOST_OF_IT: i64 = 80;

fn before_freed(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    stage.loss(TEA, WAREHOUSE, TOO_MUCH)?;
    stage.loss(POT, WAREHOUSE, TOO_MUCH)?;
    stage.loss(CUP, WAREHOUSE, 1)?;
    stage.round()?;
    let order_of = |number, product| order(OWN, number, &[(product, MOST_OF_IT)]);
    stage.act(|services| services.next_engine.place(&order_of("B-1", TEA)))?;
    // Its stock moves before the queue runs, so that unmoved stock does not tell what became of the row.
    stage.ship(&order_of("B-2", POT))?;
    stage.settle()?;
    stage.purchase(POT, WAREHOUSE, TOO_MUCH)?;
    stage.purchase(POT, WAREHOUSE, TOO_MUCH)?;
    stage.settle()?;
    Ok(stage)
}

fn freed(stage: &mut Stage) -> Result<(), Broken> {
    stage.act(|services| services.next_engine.cancel(FIRST, 1))?;
    let unclear = ResendChoice::Entry(format!("w-{POT}"));
    stage.insist(&Export::Resend(unclear)).map(|_| ())
}

/// As rarely as the settings allow: longer than a run.
const CATCH_UP_MINUTES: u32 = 1_440;

fn before_webhook(setting: Setting) -> Result<Stage, Broken> {
    Stage::lived_in(setting, |settings| {
        settings.pace.catch_up_minutes = CATCH_UP_MINUTES;
    })
}

fn webhook(stage: &mut Stage) -> Result<(), Broken> {
    in_the_second_of_a_catch_up(stage)?;
    let since = stage.world.now();
    stage.unacknowledged = 0;
    stage.loss(CUP, SHOP, 1)?;
    stage.run_for(TimeDelta::minutes(2))?;
    if stage.unacknowledged > 0 {
        catch_up(stage, since)?;
    }
    Ok(())
}

/// Goods move in that very second, and no webhook tells.
fn in_the_second_of_a_catch_up(stage: &mut Stage) -> Result<(), Broken> {
    let minute = TimeDelta::minutes(1);
    let soon = stage.world.now() + minute;
    let full = soon.duration_trunc(minute).unwrap_or(soon);
    stage.world.clock.set(full);
    stage.call(&Export::CatchUp(Some(full)));
    stage.act(|services| {
        services.webhooks.add_fault(WebhookFault::Drop, 1);
        Ok(())
    })?;
    stage.loss(LID, WAREHOUSE, 1)?;
    stage.run_for(minute)?;
    let later = stage.world.now();
    catch_up(stage, later)
}

fn catch_up(stage: &mut Stage, since: Moment) -> Result<(), Broken> {
    stage.insist(&Export::CatchUp(Some(since))).map(|_| ())
}
