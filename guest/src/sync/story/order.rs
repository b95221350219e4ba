//! The orders' side of a story: the slip's record and its entries in the history.

use crate::{
    error::Result,
    rules::moment::{self, NotTaken},
    sync::{
        connection,
        orders::records::{
            self, Act, Happened, Received, SlipRecord, number_prefix, received_key, slip_of,
        },
        store::{self, Stored},
        tenant::Tenant,
    },
};

use super::{Ids, Step, Subject, Teller, words};

/// 受注番号 is not unique; more slips than this with the same one are not told.
const MOST_SLIPS: u32 = 20;

/// Tells every slip that the key names, by its own number or by the shop's.
pub fn tell(tenant: &Tenant<'_>, key: &str, teller: &mut Teller) -> Result<()> {
    let plain = key.bytes().all(|byte| byte.is_ascii_digit());
    let by_slip = if plain {
        records::slip(&tenant.ports, key.trim_start_matches('0'))?
    } else {
        None
    };
    let numbers: Vec<Stored<bool>> = store::list(&tenant.ports, &number_prefix(key), MOST_SLIPS)?;
    let mut found: Vec<SlipRecord> = by_slip.into_iter().map(|stored| stored.value).collect();
    for number in numbers {
        let record = records::slip(&tenant.ports, slip_of(&number.key))?;
        // A number longer than the index keeps is told apart here.
        let named = record.filter(|record| {
            let order = record.value.order.as_ref();
            order.is_some_and(|order| order.order_number == key)
        });
        found.extend(named.map(|stored| stored.value));
    }
    for record in found {
        teller.subjects.insert(Subject::Order(record.slip.clone()));
        one(tenant, &record, teller)?;
    }
    Ok(())
}

/// Tells one slip.
pub fn one(tenant: &Tenant<'_>, record: &SlipRecord, teller: &mut Teller) -> Result<()> {
    readings(record, teller);
    entries(tenant, record, teller)?;
    under_way(record, teller);
    waits(tenant, record, teller)
}

fn ids(record: &SlipRecord) -> Ids {
    Ids {
        slip: Some(record.slip.clone()),
        amount: record.order.as_ref().map(|order| order.total),
        ..Ids::default()
    }
}

fn readings(record: &SlipRecord, teller: &mut Teller) {
    let Some(first) = record.first_read else {
        return;
    };
    teller.add(first, Step::CameIn, words::order_read(), None, ids(record));
    if let Some(last) = record.last_read.filter(|last| *last != first) {
        let text = words::order_changed();
        teller.add(
            last,
            Step::CameIn,
            text,
            record.unreadable.clone(),
            ids(record),
        );
    }
}

/// What the history tells, each effect with the moment at which it was recorded.
fn entries(tenant: &Tenant<'_>, record: &SlipRecord, teller: &mut Teller) -> Result<()> {
    let kept = u32::try_from(record.told.len()).unwrap_or(u32::MAX);
    let before = record.events.saturating_sub(kept);
    teller.cut |= before > 0;
    let numbered = (before.saturating_add(1)..).zip(&record.told);
    let keys: Vec<String> = numbered
        .map(|(event, told)| received_key(&record.slip, event, told.at))
        .collect();
    for entry in store::read_all::<Received>(&tenant.ports, &keys)?
        .into_iter()
        .flatten()
    {
        tell_entry(entry.value, teller);
    }
    Ok(())
}

fn tell_entry(entry: Received, teller: &mut Teller) {
    let step = match entry.happened {
        Happened::Registered | Happened::Undone => Step::Settled,
        Happened::Refused => Step::Refused,
        Happened::NeedsPerson => Step::NeedsPerson,
    };
    let ids = Ids {
        slip: Some(entry.slip),
        transaction: entry.transaction_id,
        store: Some(entry.store_id).filter(|store| !store.is_empty()),
        amount: Some(entry.amount),
        ..Ids::default()
    };
    if let Some(begun) = entry.begun_at {
        let mut before = ids.clone();
        if entry.happened == Happened::Registered {
            before.transaction = None;
        }
        let text = words::intent(entry.happened == Happened::Registered);
        teller.add(begun, Step::Intent, text, entry.reason.clone(), before);
    }
    let text = words::happened(entry.happened);
    teller.add(entry.at, step, text, entry.reason, ids);
}

/// Effects whose outcome is not known, and stock moves that were tried.
fn under_way(record: &SlipRecord, teller: &mut Teller) {
    if let Some(intent) = &record.intent {
        let ids = Ids {
            transaction: intent.transaction_id.clone(),
            store: Some(intent.sale.store_id.clone()),
            amount: Some(intent.sale.total.into()),
            ..ids(record)
        };
        let text = words::intent(intent.act == Act::Register);
        teller.add(
            intent.tried_at,
            Step::Intent,
            text,
            intent.why.clone(),
            ids.clone(),
        );
        let text = words::waits_for_outcome();
        teller.add(
            intent.tried_at,
            Step::Waits,
            text,
            intent.refused.clone(),
            ids,
        );
    }
    for made in &record.moves {
        let ids = Ids {
            slip: Some(record.slip.clone()),
            store: Some(made.shift.store_id.clone()),
            product: Some(made.shift.product_id.clone()),
            quantity: Some(made.shift.quantity.into()),
            ..Ids::default()
        };
        if let Some(at) = made.tried_at {
            teller.add(at, Step::Sent, words::stock_move(), None, ids);
        } else if let Some(at) = record.told.last().map(|told| told.at) {
            teller.add(at, Step::Waits, words::stock_move(), None, ids);
        }
    }
}

/// What it waits for now.
fn waits(tenant: &Tenant<'_>, record: &SlipRecord, teller: &mut Teller) -> Result<()> {
    let Some(since) = record.told.last().map(|told| told.at).max(record.last_read) else {
        return Ok(());
    };
    if !record.balances.is_empty() {
        let text = words::waits_for_knowledge();
        teller.add(since, Step::Waits, text, None, ids(record));
    }
    if let Some(trouble) = &record.trouble {
        let text = words::waits_for(!trouble.again);
        let reason = Some(trouble.reason.clone());
        teller.add(since, Step::Waits, text, reason, ids(record));
        return Ok(());
    }
    let order = record
        .order
        .as_ref()
        .filter(|_| record.registered.is_none());
    let not_taken = order.map(|order| moment::taken(order, &tenant.settings.orders));
    match not_taken {
        _ if record.intent.is_some() => {}
        Some(Err(NotTaken::ByOrder(reason))) => {
            let text = words::no_sale();
            teller.add(since, Step::Decided, text, Some(reason), ids(record));
        }
        Some(Err(NotTaken::NotYet(reason) | NotTaken::BySettings(reason))) => {
            let text = words::waits_for_settings();
            teller.add(since, Step::Waits, text, Some(reason), ids(record));
        }
        _ if record.todo => {
            let on = connection::link(&tenant.ports)?.on;
            let text = words::waits_for_work(on);
            teller.add(since, Step::Waits, text, None, ids(record));
        }
        _ => {}
    }
    Ok(())
}
