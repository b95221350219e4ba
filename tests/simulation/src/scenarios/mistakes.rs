//! What goes right in every other scenario even if one mistake or another is made: long pauses, full pages, odd amounts, second tries.

use chrono::{DurationRound, TimeDelta};
use tsunagi_guest::sync::{orders, report::ResendChoice, stock};
use tsunagi_sandbox::webhook::WebhookFault;

use super::{Scenario, lived_in};
use crate::{
    shop::{CUP, LID, OWN, POT, SHOP, TEA, WAREHOUSE, order},
    stage::{Broken, Stage},
    world::Setting,
};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "night",
        about: "the host was down for a night: two orders, of odd amounts, far apart",
        set_up: before_night,
        act: |_| Ok(()),
    },
    Scenario {
        name: "pages",
        about: "orders on two pages; a slip is split after the first one was read",
        set_up: before_pages,
        act: pages,
    },
    Scenario {
        name: "mended",
        about: "an order refused for an unknown product is mended in Next Engine",
        set_up: before_mended,
        act: mended,
    },
    Scenario {
        name: "freed",
        about: "a row of a batch was refused for want of free stock, which is there now",
        set_up: before_freed,
        act: freed,
    },
    Scenario {
        name: "unclear",
        about: "a row was refused while its stock moved otherwise; a person sends it again",
        set_up: before_unclear,
        act: unclear,
    },
    Scenario {
        name: "till-meanwhile",
        about: "the till sells what an order takes, right after its import",
        set_up: lived_in,
        act: till_meanwhile,
    },
    Scenario {
        name: "webhook",
        about: "nothing is looked for by itself: what a webhook told is all that is known",
        set_up: before_webhook,
        act: webhook,
    },
    Scenario {
        name: "same-second",
        about: "goods move in the very second of a catch-up, and no webhook tells",
        set_up: before_same_second,
        act: same_second,
    },
];

/// Slip numbers are given in order of placing; the shop lived in has placed two.
const FIRST: u64 = 10_003;

/// 8 % of it are 80.72 yen: two lines bring 162 rounded each, and 161 together.
const ODD_PRICE: i64 = 1_009;

fn before_night(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    let mut odd = order(OWN, "O-1", &[(TEA, 1), (TEA, 1)]);
    for line in &mut odd.lines {
        line.unit_price = ODD_PRICE.into();
    }
    stage.ship(&odd)?;
    pass(&stage, TimeDelta::minutes(40));
    stage.ship(&order(OWN, "O-2", &[(CUP, 1)]))?;
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
    stage.slice("orders.import", 1, async |tenant| {
        orders::import_due(tenant, &[OWN.to_string()]).await
    });
    stage.act(|services| services.next_engine.split(SPLIT, &[2, 3, 4, 5, 6]))?;
    stage
        .insist("orders.import", async |tenant| {
            orders::import_due(tenant, &[OWN.to_string()]).await
        })
        .map(|_| ())
}

/// A product that Smaregi does not know.
const UNKNOWN: u64 = 77;

fn before_mended(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    let slip = stage.ship(&order(OWN, "N-1", &[(UNKNOWN, 1), (CUP, 1)]))?;
    stage.script.refused.insert(slip);
    stage.settle()?;
    Ok(stage)
}

fn mended(stage: &mut Stage) -> Result<(), Broken> {
    stage.act(|services| {
        services.next_engine.unship(FIRST)?;
        services.next_engine.cancel_line(FIRST, 1)?;
        services.next_engine.ship(FIRST)
    })?;
    stage.script.refused.clear();
    Ok(())
}

/// More than is free once an order has taken most of it.
const TOO_MUCH: i64 = 30;
const MOST_OF_IT: i64 = 80;

fn before_freed(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    stage.loss(TEA, WAREHOUSE, TOO_MUCH)?;
    stage.loss(CUP, WAREHOUSE, 1)?;
    stage.round()?;
    let order = order(OWN, "B-1", &[(TEA, MOST_OF_IT)]);
    stage.act(|services| services.next_engine.place(&order))?;
    stage.settle()?;
    Ok(stage)
}

fn freed(stage: &mut Stage) -> Result<(), Broken> {
    stage.act(|services| services.next_engine.cancel(FIRST, 1))?;
    stage.loss(POT, WAREHOUSE, 1)
}

fn before_unclear(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    stage.loss(TEA, WAREHOUSE, TOO_MUCH)?;
    stage.round()?;
    // Its stock moves before the queue runs, so that unmoved stock does not tell what became of the row.
    stage.ship(&order(OWN, "B-1", &[(TEA, MOST_OF_IT)]))?;
    stage.settle()?;
    stage.purchase(TEA, WAREHOUSE, TOO_MUCH)?;
    stage.purchase(TEA, WAREHOUSE, TOO_MUCH)?;
    stage.settle()?;
    Ok(stage)
}

fn unclear(stage: &mut Stage) -> Result<(), Broken> {
    let waiting = ResendChoice::Entry(format!("w-{TEA}"));
    stage
        .insist("stock.resend", async |tenant| {
            stock::resend(tenant, &waiting)
        })
        .map(|_| ())
}

fn till_meanwhile(stage: &mut Stage) -> Result<(), Broken> {
    stage.ship(&order(OWN, "T-1", &[(CUP, 2)]))?;
    stage.call("orders.import", async |tenant| {
        orders::import_due(tenant, &[OWN.to_string()]).await
    });
    stage.till(CUP, 2)
}

/// As rarely as the settings allow: longer than a run.
const CATCH_UP_MINUTES: u32 = 1_440;

fn before_webhook(setting: Setting) -> Result<Stage, Broken> {
    Stage::lived_in(setting, |settings| {
        settings.pace.catch_up_minutes = CATCH_UP_MINUTES;
    })
}

fn webhook(stage: &mut Stage) -> Result<(), Broken> {
    let since = stage.world.now();
    stage.loss(CUP, SHOP, 1)?;
    stage.run_for(TimeDelta::minutes(2))?;
    if stage.unacknowledged == 0 {
        return Ok(());
    }
    stage
        .insist("stock.catch-up", async |tenant| {
            stock::catch_up(tenant, Some(since)).await
        })
        .map(|_| ())
}

fn before_same_second(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    stage.act(|services| {
        services.webhooks.add_fault(WebhookFault::Drop, u32::MAX);
        Ok(())
    })?;
    let minute = TimeDelta::minutes(1);
    let full = stage.world.now() + minute;
    let full = full.duration_trunc(minute).unwrap_or(full);
    stage.world.clock.set(full);
    Ok(stage)
}

fn same_second(stage: &mut Stage) -> Result<(), Broken> {
    let now = stage.world.now();
    stage.call("stock.catch-up", async |tenant| {
        stock::catch_up(tenant, Some(now)).await
    });
    stage.loss(CUP, SHOP, 1)
}
