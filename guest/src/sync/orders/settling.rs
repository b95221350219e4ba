//! What is written when an effect's outcome is known: registered, undone, refused. Makes no call.

use rust_decimal::Decimal;

use crate::{
    error::Result,
    planted::Planted,
    reason::Reason,
    rules::{
        cancellation,
        source_store::{self, Shift},
    },
    sync::{
        orders::{
            bench::{Bench, Flow},
            effects::{by_itself, drop_pieces},
            journal::{self, Event},
            records::{
                Act, Balance, Happened, Intent, Move, Registered, SlipRecord, pieces, work_name,
            },
            words,
        },
        own::{self, Effect, Kind},
        store::Commit,
    },
};

/// Code of the reason that a stock move was refused for.
pub const MOVE_REFUSED: &str = "stock-move-refused";

/// The sale exists in Smaregi under this id. A notice is told in the same commit, and keeps the slip waiting for a person.
pub fn registered(
    bench: &Bench<'_>,
    slip: &str,
    intent: &Intent,
    transaction_id: &str,
    notice: Option<Reason>,
) -> Result<Flow> {
    let done = settle(bench, slip, intent, notice, |record| {
        let Some(made_from) = intent.made_from.clone().or_else(|| record.order.clone()) else {
            return (Happened::Registered, Some(transaction_id.to_owned()));
        };
        record.registered = Some(Registered {
            revision: intent.revision,
            transaction_id: transaction_id.to_owned(),
            sale: intent.sale.clone(),
            made_from,
            refused: None,
        });
        (Happened::Registered, Some(transaction_id.to_owned()))
    })?;
    if done {
        bench.tally.done(slip, Happened::Registered);
    }
    Ok(Flow::Again)
}

/// The transaction is cancelled or returned in Smaregi.
pub fn undone(bench: &Bench<'_>, slip: &str, intent: &Intent) -> Result<Flow> {
    let done = settle(bench, slip, intent, None, |record| {
        record.registered = None;
        record.told_returned = Decimal::ZERO;
        (Happened::Undone, intent.transaction_id.clone())
    })?;
    if done {
        bench.tally.done(slip, Happened::Undone);
    }
    Ok(Flow::Again)
}

/// Settles an intent, if it is still the one under way: tells it, opens the stock it moves, and notes what is left to move.
fn settle(
    bench: &Bench<'_>,
    slip: &str,
    intent: &Intent,
    notice: Option<Reason>,
    mut apply: impl FnMut(&mut SlipRecord) -> (Happened, Option<String>),
) -> Result<bool> {
    let at = bench.tenant.now();
    let kind = intent.act.kind();
    let effect = own::effect(bench.tenant, kind)?;
    // Rows of that time are left like everybody's: no entry may wait for them, and swallow another's.
    let to_come = if intent.earlier {
        Some(Effect::Nothing)
    } else {
        effect.clone()
    };
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        let same = |open: &Intent| open.act == intent.act && open.revision == intent.revision;
        if !record.intent.as_ref().is_some_and(same) {
            return Ok(None);
        }
        let (happened, transaction_id) = apply(record);
        record.intent = None;
        // Whatever waited goes again: with its trouble gone nobody would see it.
        record.release();
        record.trouble = None;
        owe(record, intent, effect.as_ref());
        let event = Event {
            at,
            happened,
            transaction_id,
            reason: intent.why.clone(),
            begun_at: Some(intent.tried_at),
        };
        let settings = &bench.tenant.settings.orders;
        let (mut commit, _) = journal::tell(commit, record, settings, event)?;
        if let Some(notice) = notice.clone() {
            commit = journal::hold(commit, record, settings, at, Happened::NeedsPerson, notice)?;
        }
        record.todo = has_more(record);
        own::settle(
            commit,
            &work_name(slip, intent.revision),
            kind,
            &pieces(intent.act, &intent.sale),
            (intent.tried_at, at),
            to_come.as_ref(),
        )
        .map(Some)
    })
}

/// Notes what the effect should have moved; with its own effect known, the moves that are left.
fn owe(record: &mut SlipRecord, intent: &Intent, effect: Option<&Effect>) {
    let leaving = source_store::wanted(&intent.sale);
    let wanted = if intent.act == Act::Register {
        leaving
    } else {
        source_store::reversed(&leaving)
    };
    if wanted.is_empty() || Planted::UndoneMovesStay.is_on() && intent.act != Act::Register {
        return;
    }
    let by_itself = by_itself(intent.act, &intent.sale);
    let mut balance = Balance {
        act: intent.act,
        revision: intent.revision,
        wanted,
        by_itself,
    };
    let Some(effect) = effect else {
        // Elsewhere nothing moves by itself, whatever is found out: the source store's goods need not wait for the answer.
        let open = |shift: &Shift| {
            let own = balance.by_itself.iter();
            own.into_iter().any(|own| own.store_id == shift.store_id)
        };
        let (open, certain) = balance.wanted.into_iter().partition(open);
        balance.wanted = open;
        certain
            .into_iter()
            .for_each(|shift| add_move(record, balance.revision, shift));
        return record.balances.push(balance);
    };
    add_moves(record, &balance, effect);
}

fn add_moves(record: &mut SlipRecord, balance: &Balance, effect: &Effect) {
    let moved = match effect {
        Effect::Moves { .. } => balance.by_itself.as_slice(),
        Effect::Nothing => &[],
    };
    for shift in source_store::remaining(&balance.wanted, moved) {
        add_move(record, balance.revision, shift);
    }
}

/// Adds a move, and takes back what was to be moved the other way and certainly was not yet.
fn add_move(record: &mut SlipRecord, revision: u32, mut shift: Shift) {
    record.moves.retain(|made| {
        let place =
            made.shift.product_id == shift.product_id && made.shift.store_id == shift.store_id;
        let untried = made.tried_at.is_none() && place;
        if untried {
            shift.quantity = shift.quantity.saturating_add(made.shift.quantity);
        }
        !untried
    });
    if shift.quantity == 0 {
        return;
    }
    record.moves_made = record.moves_made.saturating_add(1);
    record.moves.push(Move {
        number: record.moves_made,
        revision,
        shift,
        tried_at: None,
        refused: false,
        sought: false,
    });
}

/// Turns balances whose effect is known by now into moves.
pub fn balance(bench: &Bench<'_>, slip: &str) -> Result<Flow> {
    let mut effects = Vec::new();
    for kind in [Kind::Sale, Kind::Cancel, Kind::Dispose] {
        effects.extend(own::effect(bench.tenant, kind)?.map(|effect| (kind, effect)));
    }
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        for balance in std::mem::take(&mut record.balances) {
            match effects.iter().find(|(kind, _)| *kind == balance.act.kind()) {
                Some((_, effect)) => add_moves(record, &balance, effect),
                None => record.balances.push(balance),
            }
        }
        let stuck = record.moves.iter().any(|made| made.refused);
        let told = record.trouble.as_mut();
        if let Some(trouble) = told.filter(|told| told.reason.code == MOVE_REFUSED && !stuck) {
            trouble.again = true;
        }
        record.todo = has_more(record);
        Ok(Some(commit))
    })?;
    Ok(Flow::Again)
}

/// Whether anything is left that is not seen from the settlement itself.
pub fn has_more(record: &SlipRecord) -> bool {
    let order = record.order.as_ref();
    let made_from = record
        .registered
        .as_ref()
        .map(|registered| &registered.made_from);
    record.is_begun()
        || record.unreadable.is_some()
        || order != made_from
        || order.is_some_and(|order| cancellation::returned(order) > record.told_returned)
}

/// Smaregi refused it. An undoing is planned again the other way; when that is refused, too, or for a registration, it is for good.
pub fn refused(bench: &Bench<'_>, slip: &str, intent: &Intent, reason: Reason) -> Result<Flow> {
    let at = bench.tenant.now();
    let happened = if intent.act == Act::Register {
        Happened::Refused
    } else {
        Happened::NeedsPerson
    };
    let done = journal::change(&bench.tenant.ports, slip, |record, commit| {
        let same = |open: &Intent| open.act == intent.act && open.revision == intent.revision;
        if !record.intent.as_ref().is_some_and(same) {
            return Ok(None);
        }
        let commit = forget(record, commit, intent)?;
        let first_way = intent.act != Act::Register && !intent.second_way;
        if let Some(registered) = record.registered.as_mut() {
            registered.refused = first_way.then_some(intent.act);
        }
        if first_way {
            return Ok(Some(commit));
        }
        journal::hold(
            commit,
            record,
            &bench.tenant.settings.orders,
            at,
            happened,
            reason.clone(),
        )
        .map(Some)
    })?;
    if done && happened == Happened::Refused {
        bench.tally.done(slip, happened);
    }
    Ok(Flow::Again)
}

/// Takes an intent that certainly had no effect out of the record. Its revision is used again: should the certainty be wrong,
/// the same identity finds it.
pub fn forget(record: &mut SlipRecord, commit: Commit, intent: &Intent) -> Result<Commit> {
    record.intent = None;
    if intent.act == Act::Register {
        record.revision = intent.revision.saturating_sub(1);
    }
    Ok(drop_pieces(commit, &record.slip, intent))
}

/// Smaregi refused one of the slip's stock moves: it waits for a person, the slip's others go on.
pub fn move_refused(bench: &Bench<'_>, slip: &str, number: u32, reason: Reason) -> Result<Flow> {
    let at = bench.tenant.now();
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        let moves = record.moves.iter_mut();
        let Some(made) = moves.into_iter().find(|made| made.number == number) else {
            return Ok(None);
        };
        made.refused = true;
        let settings = &bench.tenant.settings.orders;
        let happened = Happened::NeedsPerson;
        journal::hold(commit, record, settings, at, happened, reason.clone()).map(Some)
    })?;
    Ok(Flow::Again)
}

/// Refuses an order before any effect. One that is a sale already stays one: then it is only what came since that cannot be
/// brought over.
pub fn refuse(bench: &Bench<'_>, slip: &str, reason: Reason) -> Result<Flow> {
    let at = bench.tenant.now();
    let mut happened = Happened::Refused;
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        if record.registered.is_some() {
            happened = Happened::NeedsPerson;
        }
        let settings = &bench.tenant.settings.orders;
        journal::hold(commit, record, settings, at, happened, reason.clone()).map(Some)
    })?;
    if happened == Happened::Refused {
        bench.tally.done(slip, happened);
    }
    Ok(Flow::Again)
}

/// Tells once that pieces came back while the order stands: the sale is kept, as no part of a transaction can be cancelled
/// (smaregi.md 3), and it waits for the person who books the return, or says that none is due.
pub fn tell_returned(bench: &Bench<'_>, slip: &str, returned: Decimal) -> Result<Flow> {
    let at = bench.tenant.now();
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        if record.told_returned >= returned {
            return Ok(None);
        }
        record.told_returned = returned;
        record.todo = has_more(record);
        let (settings, happened) = (&bench.tenant.settings.orders, Happened::NeedsPerson);
        journal::hold(
            commit,
            record,
            settings,
            at,
            happened,
            words::returned(returned),
        )
        .map(Some)
    })?;
    Ok(Flow::Again)
}
