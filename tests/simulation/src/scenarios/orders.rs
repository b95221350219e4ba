//! Orders in.

use super::{Scenario, fresh, lived_in};
use crate::{
    shop::{CUP, MALL, OWN, POT, TEA, order},
    stage::{Broken, Stage},
};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "import",
        about: "three orders with points and fees, the first ever",
        set_up: fresh,
        act: import,
    },
    Scenario {
        name: "source-store",
        about: "an order whose goods leave another store than the one that sells",
        set_up: fresh,
        act: source_store,
    },
    Scenario {
        name: "cancel-change",
        about: "one order cancelled and one changed after their import",
        set_up: before_cancel_change,
        act: cancel_change,
    },
];

fn import(stage: &mut Stage) -> Result<(), Broken> {
    let mut first = order(OWN, "O-1", &[(TEA, 2), (CUP, 1)]);
    first.points = 257.into();
    first.delivery_fee = 550.into();
    let mut second = order(OWN, "O-2", &[(POT, 1)]);
    second.charge = 330.into();
    second.other = (-100).into();
    let mut third = order(OWN, "O-3", &[(TEA, 1), (POT, 2)]);
    third.points = 100.into();
    for order in [first, second, third] {
        stage.ship(&order)?;
    }
    Ok(())
}

fn source_store(stage: &mut Stage) -> Result<(), Broken> {
    stage.ship(&order(MALL, "M-1", &[(TEA, 3)])).map(|_| ())
}

/// Slip numbers are given in order of placing; the shop lived in has placed two.
const FIRST: u64 = 10_003;

fn before_cancel_change(setting: crate::world::Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    stage.ship(&order(MALL, "M-1", &[(TEA, 3)]))?;
    stage.ship(&order(OWN, "O-1", &[(CUP, 2), (POT, 1)]))?;
    stage.settle()?;
    Ok(stage)
}

fn cancel_change(stage: &mut Stage) -> Result<(), Broken> {
    use tsunagi_sandbox::next_engine::AmountEdit;
    stage.act(|services| {
        services.next_engine.cancel(FIRST, 1)?;
        let edit = AmountEdit {
            delivery_fee: Some(770.into()),
            ..AmountEdit::default()
        };
        services.next_engine.edit_amounts(FIRST + 1, &edit)
    })
}
