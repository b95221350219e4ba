//! What a slip needs next, from its record, the settings and the products alone. Makes no call and writes nothing.

use rust_decimal::Decimal;

use crate::{
    reason::Reason,
    rules::{
        cancellation::{self, Step, Undoing},
        codes::SmaregiKey,
        goods::Products,
        mapping,
        moment::{self, NotTaken},
        order::Order,
        sale::Sale,
    },
    settings::{ReceivingStore, Settings},
    sync::{
        orders::records::{Act, SlipRecord},
        own::Kind,
    },
};

/// What is known when a slip is planned.
pub struct Known<'a> {
    /// The tenant's settings.
    pub settings: &'a Settings,
    /// Everything looked up; a key without an entry was not.
    pub products: &'a Products,
    /// 連携オン: nothing new is decided while off.
    pub on: bool,
    /// Kinds whose effect on stock is known.
    pub effects: &'a [Kind],
}

/// The next thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Find out what became of the effect under way, and finish it.
    Resolve,
    /// Register this sale.
    Register(Box<Sale>),
    /// The changed order still makes the registered sale: note that.
    Adopt,
    /// Undo the registered sale, for this reason.
    Undo(Undoing, Reason),
    /// Refuse it.
    Refuse(Reason),
    /// Tell that so many pieces came back.
    TellReturned(Decimal),
    /// Work out the stock moves that are left.
    Balance,
    /// Make or confirm a stock move.
    Move,
    /// Something must become known, or be looked up, first.
    Wait,
    /// Nothing is left.
    Done,
}

/// The next thing to do with a slip.
pub fn next(record: &SlipRecord, known: &Known<'_>) -> Next {
    if record.intent.is_some() {
        return Next::Resolve;
    }
    let decided = if record.is_held() || !known.on {
        None
    } else {
        decide(record, known)
    };
    decided.unwrap_or_else(|| rest(record, known))
}

fn rest(record: &SlipRecord, known: &Known<'_>) -> Next {
    let ready = record
        .balances
        .iter()
        .any(|balance| known.effects.contains(&balance.act.kind()));
    match record {
        _ if ready => Next::Balance,
        // Whatever waits for a person: the goods move, but for what Smaregi refused.
        _ if record.moves.iter().any(|made| !made.refused) => Next::Move,
        _ if !record.balances.is_empty() => Next::Wait,
        // What is to be decided waits for the link to be switched on.
        _ if !known.on && !record.is_held() => Next::Wait,
        _ => Next::Done,
    }
}

fn decide(record: &SlipRecord, known: &Known<'_>) -> Option<Next> {
    if let Some(reason) = &record.unreadable {
        return Some(Next::Refuse(reason.clone()));
    }
    let order = record.order.as_ref()?;
    let settings = &known.settings.orders;
    let taken = moment::taken(order, settings);
    match step(record, order, &taken, known.settings) {
        Step::Nothing => None,
        Step::TellReturned(pieces) => Some(Next::TellReturned(pieces)),
        Step::Undo(undoing) => Some(undo(record, undoing, why(taken.err()))),
        Step::Register | Step::Replace => taken.ok().map(|store| book(record, order, store, known)),
    }
}

fn step(
    record: &SlipRecord,
    order: &Order,
    taken: &Result<&ReceivingStore, NotTaken>,
    settings: &Settings,
) -> Step {
    let booked = record
        .registered
        .as_ref()
        .map(|registered| &registered.made_from);
    cancellation::step(
        order,
        taken,
        booked,
        record.told_returned,
        settings.orders.moment,
    )
}

fn book(record: &SlipRecord, order: &Order, store: &ReceivingStore, known: &Known<'_>) -> Next {
    let codes = &known.settings.stock.codes;
    let settings = &known.settings.orders;
    if !mapping::needed(order, settings, codes)
        .iter()
        .all(|key| known.products.contains_key(key))
    {
        return Next::Wait;
    }
    let sale = match mapping::map(order, store, settings, codes, known.products) {
        Ok(sale) => sale,
        Err(reason) => return Next::Refuse(reason),
    };
    match &record.registered {
        None => Next::Register(Box::new(sale)),
        Some(registered) => {
            let day_counts = cancellation::day_counts(&registered.made_from, settings.moment);
            if cancellation::same_sale(&registered.sale, &sale, day_counts) {
                return Next::Adopt;
            }
            undo(record, Undoing::Cancel, changed())
        }
    }
}

/// The way that was refused is not tried again.
fn undo(record: &SlipRecord, undoing: Undoing, why: Reason) -> Next {
    let refused = record
        .registered
        .as_ref()
        .and_then(|registered| registered.refused);
    let undoing = match refused {
        Some(Act::Cancel) => Undoing::Dispose,
        Some(Act::Dispose) => Undoing::Cancel,
        _ => undoing,
    };
    Next::Undo(undoing, why)
}

/// Why a slip that is done is no sale, or not the sale that it asks for by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedBy {
    /// By the order's own doing, or it is the sale.
    Nothing,
    /// It is not that far for today's import moment.
    Moment,
    /// Today's settings have no place or no day for it.
    Settings,
}

/// Whether a slip, or a change after its import, was passed by for the settings' sake: under others it would be taken, so that it
/// must not be forgotten.
pub fn passed_by(record: &SlipRecord, settings: &Settings) -> PassedBy {
    let says_more = |order: &&Order| {
        record.registered.as_ref().is_none_or(|registered| {
            cancellation::says_more(order, &registered.made_from, settings.orders.moment)
        })
    };
    let order = record
        .order
        .as_ref()
        .filter(|_| record.unreadable.is_none())
        .filter(says_more);
    match order.map(|order| moment::taken(order, &settings.orders)) {
        Some(Err(NotTaken::BySettings(_))) => PassedBy::Settings,
        Some(Err(NotTaken::NotYet(_))) => PassedBy::Moment,
        _ => PassedBy::Nothing,
    }
}

/// What must be looked up before this slip can be planned.
pub fn lookups(record: &SlipRecord, settings: &Settings) -> Vec<SmaregiKey> {
    let Some(order) = record
        .order
        .as_ref()
        .filter(|_| !record.is_held() && record.unreadable.is_none())
    else {
        return Vec::new();
    };
    match step(
        record,
        order,
        &moment::taken(order, &settings.orders),
        settings,
    ) {
        Step::Register | Step::Replace => {
            mapping::needed(order, &settings.orders, &settings.stock.codes)
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The effect on Smaregi that a step begins, if any: used to look at the stock around the first of each kind.
pub fn effect_of(next: &Next) -> Option<Act> {
    match next {
        Next::Register(_) => Some(Act::Register),
        Next::Undo(undoing, _) => Some(Act::of(*undoing)),
        _ => None,
    }
}

fn why(not_taken: Option<NotTaken>) -> Reason {
    not_taken.map_or_else(changed, NotTaken::into_reason)
}

fn changed() -> Reason {
    let ja = "取込後に受注の内容が変わったため、取り消して登録し直します。";
    Reason::new(
        "changed-after-import",
        ja,
        "The order changed after its import: undone and registered anew.",
    )
}
