//! 試す: which of the last orders would come out differently under settings that are not saved. From what was read of them before: asks
//! Next Engine nothing, writes nothing about an order, and nothing at Smaregi.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::{
    error::Result,
    rules::{
        codes::SmaregiKey,
        mapping, moment,
        order::Order,
        trial::{self, Outcome},
    },
    settings::Settings,
    sync::{
        lookup::Catalogue,
        orders::records::{SLIPS, SlipRecord},
        smaregi_session::Smaregi,
        store,
        tenant::Tenant,
    },
};

/// Orders looked at, at most.
pub const MOST: u32 = 500;
/// Records read at a time; one may be large.
const CHUNK: u32 = 50;

/// An order that would come out differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// 伝票番号
    pub slip: String,
    /// 受注番号
    pub order_number: String,
    /// ネクストエンジン店舗ID
    pub shop_id: String,
    /// 総合計 in Next Engine.
    pub order_total: Decimal,
    /// The transaction it already is.
    pub transaction_id: Option<String>,
    /// Under the stored settings.
    pub before: Outcome,
    /// Under the proposed ones.
    pub after: Outcome,
    /// Wherein they differ.
    pub differs_in: Vec<&'static str>,
}

/// What would become of a number of orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Orders that would be booked.
    pub booked: u32,
    /// Refused.
    pub refused: u32,
    /// Not taken.
    pub skipped: u32,
    /// Yen booked.
    pub yen: i64,
}

impl Sums {
    fn add(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Booked(_) => &mut self.booked,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::Skipped(_) => &mut self.skipped,
        };
        *count = count.saturating_add(1);
        self.yen = self.yen.saturating_add(outcome.yen());
    }
}

/// Everything that a trial shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trial {
    /// Orders looked at, all of them.
    pub looked_at: u32,
    /// Of them, those whose last reading cannot be understood under any settings.
    pub unreadable: u32,
    /// The others under the stored settings.
    pub before: Sums,
    /// And under the proposed ones.
    pub after: Sums,
    /// Those that differ, newest slip first.
    pub changes: Vec<Change>,
}

/// Tries settings on the last orders that were read. See `wit/orders.wit`.
pub async fn try_settings(tenant: &Tenant<'_>, proposed: &Settings, last: u32) -> Result<Trial> {
    let records = newest(tenant, last.clamp(1, MOST))?;
    let mut catalogue = Catalogue::default();
    let wanted: BTreeSet<_> = records
        .iter()
        .filter_map(|record| readable(record))
        .flat_map(|order| {
            [&tenant.settings, proposed]
                .into_iter()
                .flat_map(|settings| needed(order, settings))
        })
        .collect();
    if !wanted.is_empty() {
        let session = Smaregi::open(tenant).await?;
        catalogue.fill(&session, tenant, wanted).await?;
    }
    let mut trial = Trial::default();
    for record in &records {
        trial.looked_at = trial.looked_at.saturating_add(1);
        let Some(order) = readable(record) else {
            trial.unreadable = trial.unreadable.saturating_add(1);
            continue;
        };
        let before = trial::outcome(order, &tenant.settings, catalogue.products());
        let after = trial::outcome(order, proposed, catalogue.products());
        trial.before.add(&before);
        trial.after.add(&after);
        trial.changes.extend(change(record, order, before, after));
    }
    Ok(trial)
}

fn change(record: &SlipRecord, order: &Order, before: Outcome, after: Outcome) -> Option<Change> {
    let differs_in = trial::differences(&before, &after);
    if differs_in.is_empty() {
        return None;
    }
    let registered = record.registered.as_ref();
    Some(Change {
        slip: record.slip.clone(),
        order_number: order.order_number.clone(),
        shop_id: order.shop_id.clone(),
        order_total: order.total,
        transaction_id: registered.map(|registered| registered.transaction_id.clone()),
        before,
        after,
        differs_in,
    })
}

/// What the settings would look up; nothing for an order that they do not take.
fn needed(order: &Order, settings: &Settings) -> BTreeSet<SmaregiKey> {
    match moment::taken(order, &settings.orders) {
        Ok(_) => mapping::needed(order, &settings.orders, &settings.stock.codes),
        Err(_) => BTreeSet::new(),
    }
}

fn readable(record: &SlipRecord) -> Option<&Order> {
    record
        .order
        .as_ref()
        .filter(|_| record.unreadable.is_none())
}

/// The records of the highest slip numbers, highest first.
fn newest(tenant: &Tenant<'_>, last: u32) -> Result<Vec<SlipRecord>> {
    let (start, mut end) = store::range(SLIPS);
    let mut records = Vec::new();
    let mut left = last;
    while left > 0 {
        let limit = left.min(CHUNK);
        let page = store::between::<SlipRecord>(&tenant.ports, &start, &end, true, limit)?;
        let Some(lowest) = page.last().filter(|_| page.len() >= limit as usize) else {
            records.extend(page.into_iter().map(|stored| stored.value));
            break;
        };
        end.clone_from(&lowest.key);
        left = left.saturating_sub(limit);
        records.extend(page.into_iter().map(|stored| stored.value));
    }
    Ok(records)
}
