//! After a restore (復元): what was done in the time that storage does not know is looked for before it is done, so that nothing is
//! done twice. Decides nothing about an order, and makes nothing.

use crate::{
    error::Result,
    planted::Planted,
    rules::order::Order,
    sync::{
        connection::Restored,
        orders::{
            bench::{Bench, Flow},
            effects, journal,
            records::{Intent, Move, SlipRecord},
        },
    },
    time::Moment,
};

/// The lost time, if this slip may have been worked on in it: not one whose order came later.
fn lost_time(bench: &Bench<'_>, record: &SlipRecord) -> Option<Restored> {
    let made_from = record.registered.as_ref().map(|sale| &sale.made_from);
    let order: Option<&Order> = made_from.or(record.order.as_ref());
    let is_older =
        |restored: &Restored| order.is_none_or(|order| order.ordered_at < restored.told_at);
    bench
        .restored
        .filter(is_older)
        .filter(|_| !Planted::RestoreForgotten.is_on())
}

/// Whether an effect is to be looked for before it is tried.
pub fn is_to_be_sought(bench: &Bench<'_>, record: &SlipRecord, intent: &Intent) -> bool {
    let sought = record.sought == Some((intent.act, intent.revision));
    !sought && lost_time(bench, record).is_some()
}

/// Since when a move is to be looked for before it is made; `None` when it need not be.
pub fn move_sought_since(bench: &Bench<'_>, record: &SlipRecord, made: &Move) -> Option<Moment> {
    let lost = lost_time(bench, record).filter(|_| made.tried_at.is_none() && !made.sought);
    lost.map(|lost| lost.as_of)
}

/// Looks for an effect. What is found is written down as done then; what is not is noted as looked for, so that no call has to pay for
/// both the look and the effect.
pub async fn seek(bench: &Bench<'_>, record: &SlipRecord, intent: Intent) -> Result<Flow> {
    let slip = record.slip.as_str();
    let Some(done) = effects::find(bench, &intent, slip).await? else {
        let sought = (intent.act, intent.revision);
        journal::change(&bench.tenant.ports, slip, |record, commit| {
            record.sought = Some(sought);
            Ok(Some(commit))
        })?;
        return Ok(Flow::Again);
    };
    let earlier = Intent {
        earlier: true,
        ..intent
    };
    if effects::begin(bench, slip, &earlier, None)? {
        return effects::settle(bench, slip, &earlier, done);
    }
    Ok(Flow::Again)
}
