//! The stock side of a story: one product's movements, decisions, uploads and what it waits for; and the orders it is in.
//!
//! Looks back over a bounded stretch of the send history, as rows are kept by batch and not by product.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    error::Result,
    rules::codes::{self, SmaregiKey},
    sync::{
        orders::records::{SLIPS, SlipRecord},
        products,
        stock::records::{
            Batch, BatchRow, ChangeRecord, Decided, HINTS, Held, Hint, Out, RowResult, SENT_PREFIX,
            SentIndex, Tried, WAITING, batch_key, change_key, held_key, out_key, tried_key,
        },
        store::{self, Stored},
        tenant::Tenant,
    },
    time::{Moment, from_unix},
};

use super::{Ids, Step, Subject, Teller, order, words};

/// Entries of the send history looked through, newest first.
const MOST_ENTRIES: u32 = 2_000;
/// Uploads among them; each is a record of its own, with up to 600 rows.
const MOST_BATCHES: u32 = 300;
const BATCHES_AT_ONCE: usize = 25;
/// The newest slips looked through for orders with the product, and how many of those are told.
const MOST_SLIPS: u32 = 200;
const MOST_ORDERS: usize = 20;
/// Places and undecided rows looked through.
const MOST_PLACES: u32 = 1_000;

/// Tells the product that the key names, if any.
pub fn tell(tenant: &Tenant<'_>, key: &str, teller: &mut Teller) -> Result<()> {
    let mut product = Product::named(tenant, key)?;
    past(tenant, &mut product, teller)?;
    let orders = orders(tenant, &product, teller)?;
    unread(tenant, &mut product, teller)?;
    now(tenant, &product, teller)?;
    if product.ids.is_empty() && orders {
        teller.subjects.insert(Subject::Product(product.key));
        return Ok(());
    }
    let named = product.ids.into_iter().map(Subject::Product);
    teller.subjects.extend(named);
    Ok(())
}

/// What the key may stand for.
struct Product {
    key: String,
    ids: BTreeSet<String>,
}

impl Product {
    /// By what is remembered of Smaregi's products, however old: the code rule, their own code, or their id.
    fn named(tenant: &Tenant<'_>, key: &str) -> Result<Self> {
        let ruled = codes::to_smaregi(&tenant.settings.stock.codes, key);
        let own = [
            SmaregiKey::Code(key.to_owned()),
            SmaregiKey::Id(key.to_owned()),
        ];
        let mut ids = BTreeSet::new();
        for key in ruled.into_iter().chain(own) {
            ids.extend(products::ever_known(tenant, &key)?);
        }
        if store::read::<Out>(&tenant.ports, &out_key(key))?.is_some() {
            ids.insert(key.to_owned());
        }
        let key = key.to_owned();
        Ok(Self { key, ids })
    }

    /// Whether a record is of it; then its id is known from now on.
    fn takes(&mut self, id: &str, code: &str) -> bool {
        let takes = self.ids.contains(id) || id == self.key || code == self.key;
        if takes {
            self.ids.insert(id.to_owned());
        }
        takes
    }
}

fn ids(product_id: &str) -> Ids {
    Ids {
        product: Some(product_id.to_owned()),
        ..Ids::default()
    }
}

/// Walks back through the send history.
fn past(tenant: &Tenant<'_>, product: &mut Product, teller: &mut Teller) -> Result<()> {
    let (start, end) = store::range(SENT_PREFIX);
    let index = store::between::<SentIndex>(&tenant.ports, &start, &end, true, MOST_ENTRIES)?;
    teller.cut |= index.len() >= MOST_ENTRIES as usize;
    let mut changes = changes_of(tenant, &index)?;
    let mut uploads = batches_of(tenant, &index)?;
    let mut batches = 0_u32;
    for item in index {
        batches = batches.saturating_add(u32::from(matches!(item.value, SentIndex::Batch(_))));
        if batches > MOST_BATCHES {
            teller.cut = true;
            break;
        }
        match &item.value {
            SentIndex::Batch(number) => {
                if let Some(upload) = uploads.remove(&batch_key(*number)) {
                    batch(tenant, product, &upload, teller)?;
                }
            }
            SentIndex::Change(id) => {
                let change = changes.remove(&change_key(id));
                if let Some(ours) = change.filter(|change| product.takes(&change.product_id, "")) {
                    tell_change(&ours, at(&item), teller);
                }
            }
            SentIndex::Unreadable {
                product_id,
                store_id,
                reason,
            } if product.takes(product_id, "") => {
                let ids = Ids {
                    store: Some(store_id.clone()),
                    ..ids(product_id)
                };
                let at = at(&item).unwrap_or_else(|| tenant.now());
                let reason = Some(reason.clone());
                teller.add(at, Step::Refused, words::not_counted(), reason, ids);
            }
            SentIndex::Unreadable { .. } => {}
        }
    }
    Ok(())
}

/// The rows of the history that the index names, read at once.
fn changes_of(
    tenant: &Tenant<'_>,
    index: &[Stored<SentIndex>],
) -> Result<BTreeMap<String, ChangeRecord>> {
    let keys = index.iter().filter_map(|item| match &item.value {
        SentIndex::Change(id) => Some(change_key(id)),
        _ => None,
    });
    let keys: Vec<String> = keys.collect();
    let found = store::read_all::<ChangeRecord>(&tenant.ports, &keys)?;
    let found = found.into_iter().flatten();
    Ok(found.map(|change| (change.key, change.value)).collect())
}

/// The uploads that are looked through, read at once.
fn batches_of(tenant: &Tenant<'_>, index: &[Stored<SentIndex>]) -> Result<BTreeMap<String, Batch>> {
    let keys = index.iter().filter_map(|item| match &item.value {
        SentIndex::Batch(number) => Some(batch_key(*number)),
        _ => None,
    });
    let keys: Vec<String> = keys.take(MOST_BATCHES as usize).collect();
    let mut found = BTreeMap::new();
    // Some at a time: one may be nearly a megabyte.
    for keys in keys.chunks(BATCHES_AT_ONCE) {
        let read = store::read_all::<Batch>(&tenant.ports, keys)?;
        let read = read.into_iter().flatten();
        found.extend(read.map(|batch| (batch.key, batch.value)));
    }
    Ok(found)
}

/// The time in a key of the history's index.
fn at(item: &Stored<SentIndex>) -> Option<Moment> {
    let millis: i64 = item
        .key
        .strip_prefix(SENT_PREFIX)?
        .get(..13)?
        .parse()
        .ok()?;
    from_unix(millis.div_euclid(1_000), 0)
}

fn batch(
    tenant: &Tenant<'_>,
    product: &mut Product,
    batch: &Batch,
    teller: &mut Teller,
) -> Result<()> {
    for (index, row) in batch.rows.iter().enumerate() {
        if product.takes(&row.product_id, &row.code) {
            tell_changes(tenant, &row.changes, teller)?;
            tell_row(batch, index, row, teller);
        }
    }
    Ok(())
}

fn tell_row(batch: &Batch, index: usize, row: &BatchRow, teller: &mut Teller) {
    let ids = Ids {
        code: Some(row.code.clone()).filter(|code| !code.is_empty()),
        entry: Some(format!("b{}-{index}", batch.number)),
        queue: batch.queue_id.clone(),
        quantity: Some(row.quantity.into()),
        ..ids(&row.product_id)
    };
    if row.result == RowResult::Zero {
        let text = words::cancelled_out();
        return teller.add(row.changed_at, Step::Settled, text, None, ids);
    }
    teller.add(
        batch.made_at,
        Step::Intent,
        words::batched(),
        None,
        ids.clone(),
    );
    if let Some(sent_at) = batch.sent_at {
        teller.add(sent_at, Step::Sent, words::uploaded(), None, ids.clone());
    }
    let since = batch.sent_at.unwrap_or(batch.made_at);
    let (at, step, text, reason) = match &row.result {
        RowResult::Pending => (since, Step::Waits, words::waits_for_next_engine(), None),
        RowResult::Applied { doubt, .. } => {
            let step = match doubt {
                Some(_) => Step::NeedsPerson,
                None => Step::Settled,
            };
            (row.changed_at, step, words::applied(), doubt.clone())
        }
        RowResult::Returned(reason) => {
            let reason = Some(reason.clone());
            (row.changed_at, Step::Refused, words::returned(), reason)
        }
        RowResult::Zero => return,
    };
    teller.add(at, step, text, reason, ids);
}

fn tell_changes(tenant: &Tenant<'_>, changes: &[String], teller: &mut Teller) -> Result<()> {
    let keys: Vec<String> = changes.iter().map(|id| change_key(id)).collect();
    for change in store::read_all::<ChangeRecord>(&tenant.ports, &keys)?
        .into_iter()
        .flatten()
    {
        tell_change(&change.value, None, teller);
    }
    Ok(())
}

/// A row of Smaregi's history, and what was decided of it where it was not to be sent.
fn tell_change(change: &ChangeRecord, decided_at: Option<Moment>, teller: &mut Teller) {
    let ids = Ids {
        store: Some(change.store_id.clone()),
        change: Some(change.id.clone()),
        quantity: Some(change.amount),
        ..ids(&change.product_id)
    };
    let text = words::moved(&change.division);
    teller.add(change.at, Step::CameIn, text, None, ids.clone());
    let at = decided_at.unwrap_or(change.at);
    match &change.decided {
        Decided::Not(reason) => {
            let reason = Some(reason.clone());
            teller.add(at, Step::Decided, words::not_sent(), reason, ids);
        }
        Decided::Waiting => teller.add(at, Step::Waits, words::could_be_ours(), None, ids),
        Decided::Queued(_) => {}
    }
}

/// The newest orders with the product, each with its own story.
fn orders(tenant: &Tenant<'_>, product: &Product, teller: &mut Teller) -> Result<bool> {
    let (start, end) = store::range(SLIPS);
    let slips = store::between::<Ordered>(&tenant.ports, &start, &end, true, MOST_SLIPS)?;
    teller.cut |= slips.len() >= MOST_SLIPS as usize;
    let ours = slips
        .into_iter()
        .filter(|slip| slip.value.has(&product.key));
    let mut keys: Vec<String> = ours.map(|slip| slip.key).collect();
    teller.cut |= keys.len() > MOST_ORDERS;
    keys.truncate(MOST_ORDERS);
    let records = store::read_all::<SlipRecord>(&tenant.ports, &keys)?;
    for record in records.into_iter().flatten() {
        order::one(tenant, &record.value, teller)?;
    }
    Ok(!keys.is_empty())
}

/// Of a slip's record only what was ordered, since many are looked through for few.
#[derive(Deserialize)]
struct Ordered {
    order: Option<Lines>,
}

#[derive(Deserialize)]
struct Lines {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    code: String,
}

impl Ordered {
    fn has(&self, code: &str) -> bool {
        let mut lines = self.order.iter().flat_map(|order| &order.lines);
        lines.any(|line| line.code == code)
    }
}

/// What the product waits for now.
fn now(tenant: &Tenant<'_>, product: &Product, teller: &mut Teller) -> Result<()> {
    for id in &product.ids {
        let out = store::read::<Out>(&tenant.ports, &out_key(id))?.map(|out| out.value);
        let held = store::read::<Held>(&tenant.ports, &held_key(id))?.map(|held| held.value);
        let tried = store::read::<Tried>(&tenant.ports, &tried_key(id))?;
        if let Some(out) = out {
            tell_changes(tenant, &out.changes, teller)?;
            let at = held.as_ref().map_or(out.since, |held| held.since);
            let apart = tried.filter(|tried| tried.value.apart);
            let apart = apart.map_or(0, |tried| tried.value.sent.quantity);
            let ids = Ids {
                code: held.as_ref().and_then(|held| held.code.clone()),
                entry: Some(format!("w-{id}")),
                quantity: Some(out.quantity.saturating_add(apart).into()),
                ..ids(id)
            };
            let text = words::waits_for_upload(held.is_some());
            teller.add(at, Step::Waits, text, held.map(|held| held.reason), ids);
        }
    }
    Ok(())
}

/// Movements that are known of and not decided.
fn unread(tenant: &Tenant<'_>, product: &mut Product, teller: &mut Teller) -> Result<()> {
    for hint in store::list::<Hint>(&tenant.ports, HINTS, MOST_PLACES)? {
        let hint = hint.value;
        if product.takes(&hint.product_id, "") {
            let ids = Ids {
                store: Some(hint.store_id),
                ..ids(&hint.product_id)
            };
            teller.add(hint.at, Step::Waits, words::to_be_read(), None, ids);
        }
    }
    let waiting = store::list::<(String, String, String)>(&tenant.ports, WAITING, MOST_PLACES)?;
    let ours = waiting
        .into_iter()
        .filter(|waiting| product.takes(&waiting.value.1, ""));
    let changes: Vec<String> = ours.map(|waiting| waiting.value.2).collect();
    tell_changes(tenant, &changes, teller)
}
