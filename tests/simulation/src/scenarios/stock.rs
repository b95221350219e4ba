//! Stock out.

use tsunagi_guest::sync::report::ResendChoice;
use tsunagi_sandbox::webhook::WebhookFault;

use super::{Scenario, lived_in};
use crate::{
    export::{Answer, Export},
    shop::{CUP, LID, OWN, POT, SHOP, TEA, WAREHOUSE, order},
    stage::{Broken, Stage},
    world::Setting,
};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "batch",
        about: "a batch of three products; the free stock of one is gone before the queue runs",
        set_up: lived_in,
        act: batch,
    },
    Scenario {
        name: "resend",
        about: "a product held for want of free stock is sent again once there is enough",
        set_up: before_resend,
        act: resend,
    },
    Scenario {
        name: ALIGN,
        about: "somebody changed Next Engine's number; compared and aligned",
        set_up: before_align,
        act: align,
    },
    Scenario {
        name: "catch-up",
        about: "every webhook is lost",
        set_up: lived_in,
        act: catch_up,
    },
    Scenario {
        name: "till-and-order",
        about: "the till sells what an order takes from the same store, in the same quantity",
        set_up: lived_in,
        act: till_and_order,
    },
];

/// More than the shop's free stock, once an order has taken most of it.
const TOO_MUCH: i64 = 30;
const MOST_OF_IT: i64 = 80;

fn batch(stage: &mut Stage) -> Result<(), Broken> {
    stage.loss(CUP, SHOP, 1)?;
    stage.purchase(POT, WAREHOUSE, 5)?;
    stage.loss(TEA, WAREHOUSE, TOO_MUCH)?;
    stage.round()?;
    let order = order(OWN, "B-1", &[(TEA, MOST_OF_IT)]);
    stage.act(|services| services.next_engine.place(&order))?;
    Ok(())
}

/// The order that holds the free stock; the shop lived in has placed two.
pub(crate) const HOLDING: u64 = 10_003;

fn before_resend(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    let order = order(OWN, "B-1", &[(TEA, MOST_OF_IT)]);
    stage.act(|services| services.next_engine.place(&order))?;
    stage.loss(TEA, WAREHOUSE, TOO_MUCH)?;
    stage.settle()?;
    Ok(stage)
}

fn resend(stage: &mut Stage) -> Result<(), Broken> {
    stage.act(|services| services.next_engine.cancel(HOLDING, 1))?;
    stage
        .insist(&Export::Resend(ResendChoice::AllFailed))
        .map(|_| ())
}

/// By how much the number is off.
pub(crate) const TOO_MANY: i64 = 3;

fn before_align(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    stage.act(|services| {
        let goods = services.next_engine.books().goods.get("TEA");
        let stock = goods.map_or(0, |goods| goods.stock);
        services
            .next_engine
            .set_stock("TEA", stock + TOO_MANY, "数え間違い")
    })?;
    Ok(stage)
}

/// Its name.
pub(crate) const ALIGN: &str = "align";

/// A person has it aligned.
pub(crate) fn press_align(stage: &mut Stage) -> Result<(), Broken> {
    let pressed = stage.insist(&Export::Align {
        codes: vec!["TEA".to_owned()],
        confirmed: true,
        over_guard: true,
    });
    if let Answer::Aligned(done) = pressed? {
        let lines = done.lines.iter().map(|line| line.code.clone());
        let left_out = done.left_out.iter();
        let left_out = left_out.map(|left| format!("{}: {}", left.code, left.reason.message.en));
        let shown: Vec<String> = lines.chain(left_out).collect();
        stage.world.state().hostile.told.extend(shown);
    }
    Ok(())
}

fn align(stage: &mut Stage) -> Result<(), Broken> {
    press_align(stage)?;
    stage.script.travels("TEA", -TOO_MANY);
    Ok(())
}

fn catch_up(stage: &mut Stage) -> Result<(), Broken> {
    stage.act(|services| {
        services.webhooks.add_fault(WebhookFault::Drop, u32::MAX);
        Ok(())
    })?;
    stage.loss(TEA, SHOP, 2)?;
    stage.purchase(CUP, WAREHOUSE, 3)?;
    stage.till(LID, 1)?;
    stage.ship(&order(OWN, "C-1", &[(POT, 1)])).map(|_| ())
}

fn till_and_order(stage: &mut Stage) -> Result<(), Broken> {
    stage.ship(&order(OWN, "T-1", &[(CUP, 2)]))?;
    stage.till(CUP, 2)?;
    stage.round()?;
    stage.till(CUP, 2)
}
