//! Orders in.

use tsunagi_guest::sync::report::RetryChoice;
use tsunagi_sandbox::{
    next_engine::AmountEdit,
    smaregi::{Product, ProductKind},
};

use super::{Scenario, fresh, lived_in};
use crate::{
    export::Export,
    shop::{CUP, MALL, OWN, POT, TEA, order},
    stage::{Broken, Stage},
    world::Setting,
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
    Scenario {
        name: "retry",
        about: "an order refused for an unknown product, tried again once the product is there",
        set_up: before_retry,
        act: retry,
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

fn before_cancel_change(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    stage.ship(&order(MALL, "M-1", &[(TEA, 3)]))?;
    stage.ship(&order(OWN, "O-1", &[(CUP, 2), (POT, 1)]))?;
    stage.settle()?;
    Ok(stage)
}

fn cancel_change(stage: &mut Stage) -> Result<(), Broken> {
    stage.act(|services| {
        services.next_engine.cancel(FIRST, 1)?;
        let edit = AmountEdit {
            delivery_fee: Some(770.into()),
            ..AmountEdit::default()
        };
        services.next_engine.edit_amounts(FIRST + 1, &edit)
    })
}

/// A product that only the web shop sells, so far.
const UNKNOWN: u64 = 77;

fn before_retry(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = lived_in(setting)?;
    let slip = stage.ship(&order(OWN, "N-1", &[(UNKNOWN, 1), (CUP, 1)]))?;
    stage.script.refused.insert(slip);
    stage.settle()?;
    Ok(stage)
}

/// The unknown product is put into Smaregi.
pub(crate) fn sell_unknown(stage: &mut Stage) -> Result<(), Broken> {
    stage.act(|services| {
        services.smaregi.set_product(Product {
            id: UNKNOWN,
            code: "GONE".to_owned(),
            name: "品 GONE".to_owned(),
            group_code: String::new(),
            category_id: 1,
            price: 1000,
            cost: 0.into(),
            tax_division: 0,
            reduce_tax_id: None,
            stock_managed: false,
            kind: ProductKind::Normal,
            displayed: true,
            supplier_product_no: String::new(),
        });
        Ok(())
    })
}

fn retry(stage: &mut Stage) -> Result<(), Broken> {
    sell_unknown(stage)?;
    stage.insist(&Export::Retry(RetryChoice::AllRefused(true)))?;
    stage.script.refused.clear();
    Ok(())
}
