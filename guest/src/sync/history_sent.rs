//! 送信履歴: what was sent to Next Engine, what waits, and what was deliberately not sent, newest first. Reads only.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    error::{Error, Result},
    reason::Reason,
    rules::triggers::{self, Cause},
    sync::{
        report::{PageRequest, SentEntry, SentFilter, SentPage, SentResult},
        stock::{
            batch::{self, Candidate},
            deliver, reasons,
            records::{
                Batch, BatchRow, BatchState, ChangeRecord, Decided, RowResult, SENT_PREFIX,
                SentIndex, TRIED_PREFIX, Tried, batch_key, change_key,
            },
        },
        store::{self, Stored},
        tenant::Tenant,
    },
    time::{Moment, from_unix},
};

/// How much of the past one page looks through, whatever the filter lets pass.
const INDEX_PER_PAGE: u32 = 500;
/// Rows of the history read at a time.
const AT_ONCE: usize = 100;
const MOST_ENTRIES: u32 = 500;

/// One page. The first ones hold what waits now. See `wit/history.wit`.
pub fn sent(tenant: &Tenant<'_>, filter: &SentFilter, page: &PageRequest) -> Result<SentPage> {
    let limit = page.limit.clamp(1, MOST_ENTRIES) as usize;
    let mark = match &page.continuation {
        Some(text) => match WaitingMark::parse(text) {
            Some(mark) => return waiting_page(tenant, filter, limit, Some(&mark)),
            None => Mark::parse(text)?,
        },
        None => return waiting_page(tenant, filter, limit, None),
    };
    walk(tenant, filter, limit, mark, Vec::new())
}

/// What waits, newest first, and after its end the past.
fn waiting_page(
    tenant: &Tenant<'_>,
    filter: &SentFilter,
    limit: usize,
    after: Option<&WaitingMark>,
) -> Result<SentPage> {
    let mut waiting = waiting(tenant)?;
    waiting.retain(|entry| {
        passes(filter, entry) && after.is_none_or(|after| WaitingMark::of(entry).is_after(after))
    });
    let more = waiting.len() > limit;
    waiting.truncate(limit);
    if let (true, Some(last)) = (more, waiting.last()) {
        let continuation = Some(WaitingMark::of(last).text());
        return Ok(SentPage {
            entries: waiting,
            continuation,
        });
    }
    let top = Mark {
        key: store::range(SENT_PREFIX).1,
        row: 0,
    };
    walk(tenant, filter, limit, top, waiting)
}

/// What waits now, newest first.
fn waiting(tenant: &Tenant<'_>) -> Result<Vec<SentEntry>> {
    let apart: BTreeMap<String, i64> = store::list_all::<Tried>(&tenant.ports, TRIED_PREFIX)?
        .into_iter()
        .filter(|tried| tried.value.apart)
        .map(|tried| (tried.value.sent.product_id, tried.value.sent.quantity))
        .collect();
    let candidates = batch::candidates(tenant)?;
    let mut entries: Vec<SentEntry> = candidates
        .iter()
        .map(|candidate| {
            let id = &candidate.out.value.product_id;
            waiting_entry(candidate, apart.get(id).copied().unwrap_or_default())
        })
        .collect();
    entries.sort_by(|a, b| {
        b.at.timestamp_millis()
            .cmp(&a.at.timestamp_millis())
            .then_with(|| a.id.cmp(&b.id))
    });
    Ok(entries)
}

/// Where a page ended among what waits.
struct WaitingMark {
    millis: i64,
    id: String,
}

impl WaitingMark {
    fn of(entry: &SentEntry) -> Self {
        Self {
            millis: entry.at.timestamp_millis(),
            id: entry.id.clone(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (millis, id) = text.strip_prefix("w@")?.split_once('@')?;
        let millis = millis.parse().ok()?;
        let id = id.to_owned();
        Some(Self { millis, id })
    }

    fn text(&self) -> String {
        format!("w@{}@{}", self.millis, self.id)
    }

    fn is_after(&self, other: &Self) -> bool {
        self.millis < other.millis || (self.millis == other.millis && self.id > other.id)
    }
}

/// Where a page ended: index entries above `key` are done, and so many rows of the entry at `key`.
struct Mark {
    key: String,
    row: usize,
}

impl Mark {
    fn parse(text: &str) -> Result<Self> {
        let problem = || {
            Error::invalid(
                "page.continuation",
                Reason::new(
                    "bad-continuation",
                    "続きの位置が読めません。最初からお読みください。",
                    "This is no continuation of ours. Start from the newest.",
                ),
            )
        };
        let (row, key) = text.split_once('@').ok_or_else(problem)?;
        let row = row.parse().map_err(|_| problem())?;
        if key.starts_with(SENT_PREFIX) {
            Ok(Self {
                key: key.to_owned(),
                row,
            })
        } else {
            Err(problem())
        }
    }

    fn text(&self) -> String {
        format!("{}@{}", self.row, self.key)
    }
}

fn walk(
    tenant: &Tenant<'_>,
    filter: &SentFilter,
    limit: usize,
    mark: Mark,
    mut entries: Vec<SentEntry>,
) -> Result<SentPage> {
    // The key itself is read again when only some of its rows were shown.
    let end = if mark.row > 0 {
        format!("{}\u{1}", mark.key)
    } else {
        mark.key.clone()
    };
    let index: Vec<Stored<SentIndex>> = if is_of_the_open_batch(filter) {
        let open = open_index(tenant)?.into_iter();
        open.filter(|item| item.key < end).collect()
    } else {
        store::between(&tenant.ports, SENT_PREFIX, &end, true, INDEX_PER_PAGE)?
    };
    let exhausted = index.len() < INDEX_PER_PAGE as usize;
    let mut next = None;
    let mut changes = BTreeMap::new();
    for (place, item) in index.iter().enumerate() {
        if place % AT_ONCE == 0 {
            changes = changes_of(tenant, filter, index.iter().skip(place).take(AT_ONCE))?;
        }
        let at = moment_of(&item.key).unwrap_or_else(|| tenant.now());
        let skip = if item.key == mark.key { mark.row } else { 0 };
        for (row, entry) in expand(tenant, item, at, &changes)?
            .into_iter()
            .enumerate()
            .skip(skip)
        {
            if entries.len() >= limit {
                let continuation = Mark {
                    key: item.key.clone(),
                    row,
                }
                .text();
                return Ok(SentPage {
                    entries,
                    continuation: Some(if row == 0 {
                        inclusive(&item.key)
                    } else {
                        continuation
                    }),
                });
            }
            if passes(filter, &entry) {
                entries.push(entry);
            }
        }
        next = Some(
            Mark {
                key: item.key.clone(),
                row: 0,
            }
            .text(),
        );
    }
    Ok(SentPage {
        entries,
        continuation: next.filter(|_| !exhausted),
    })
}

/// What waits or is in flight is of the one batch that is not settled, however long the past is.
fn is_of_the_open_batch(filter: &SentFilter) -> bool {
    matches!(
        filter.outcome,
        Some(SentResult::Waiting | SentResult::InFlight)
    )
}

fn open_index(tenant: &Tenant<'_>) -> Result<Option<Stored<SentIndex>>> {
    let open = deliver::open_batch(tenant)?;
    let Some(key) = open.map(|open| batch::index_key(&open.value)) else {
        return Ok(None);
    };
    store::read(&tenant.ports, &key)
}

/// A mark that includes the entry at `key` itself.
fn inclusive(key: &str) -> String {
    Mark {
        key: format!("{key}\u{1}"),
        row: 0,
    }
    .text()
}

fn moment_of(key: &str) -> Option<Moment> {
    let millis: i64 = key.strip_prefix(SENT_PREFIX)?.get(..13)?.parse().ok()?;
    let nanoseconds = millis.rem_euclid(1_000).saturating_mul(1_000_000);
    from_unix(
        millis.div_euclid(1_000),
        u32::try_from(nanoseconds).unwrap_or_default(),
    )
}

/// The rows of the history that some of the index names, without those that the index alone rules out: what became an entry by itself was
/// not sent, at the moment of its key.
fn changes_of<'a>(
    tenant: &Tenant<'_>,
    filter: &SentFilter,
    index: impl Iterator<Item = &'a Stored<SentIndex>>,
) -> Result<BTreeMap<String, ChangeRecord>> {
    if filter
        .outcome
        .is_some_and(|outcome| outcome != SentResult::NotSent)
    {
        return Ok(BTreeMap::new());
    }
    let may_pass = |at: Moment| {
        filter.since.is_none_or(|since| at >= since)
            && filter.before.is_none_or(|before| at < before)
    };
    let keys: Vec<String> = index
        .filter(|item| moment_of(&item.key).is_none_or(may_pass))
        .filter_map(|item| match &item.value {
            SentIndex::Change(id) => Some(change_key(id)),
            _ => None,
        })
        .collect();
    let found = store::read_all::<ChangeRecord>(&tenant.ports, &keys)?;
    let found = found.into_iter().flatten();
    Ok(found.map(|change| (change.key, change.value)).collect())
}

fn expand(
    tenant: &Tenant<'_>,
    item: &Stored<SentIndex>,
    at: Moment,
    changes: &BTreeMap<String, ChangeRecord>,
) -> Result<Vec<SentEntry>> {
    Ok(match &item.value {
        SentIndex::Batch(number) => {
            let batch = store::read::<Batch>(&tenant.ports, &batch_key(*number))?;
            batch
                .map(|batch| batch_entries(&batch.value))
                .unwrap_or_default()
        }
        SentIndex::Change(id) => changes
            .get(&change_key(id))
            .map(|change| vec![change_entry(change, at)])
            .unwrap_or_default(),
        SentIndex::Unreadable {
            product_id,
            store_id,
            reason,
        } => {
            let tail = item.key.strip_prefix(SENT_PREFIX).unwrap_or_default();
            let mut entry = blank(format!("x{tail}"), at, product_id);
            entry.stores = vec![store_id.clone()];
            entry.reason = Some(reason.clone());
            vec![entry]
        }
    })
}

fn blank(id: String, at: Moment, product_id: &str) -> SentEntry {
    SentEntry {
        id,
        at,
        triggers: Vec::new(),
        stores: Vec::new(),
        product_id: product_id.to_owned(),
        product_code: None,
        quantity: Decimal::ZERO,
        before: None,
        after: None,
        outcome: SentResult::NotSent,
        reason: None,
        queue_id: None,
        needs_person: false,
    }
}

/// `apart` is the quantity of an upload whose outcome a person has to settle.
fn waiting_entry(candidate: &Candidate, apart: i64) -> SentEntry {
    let out = &candidate.out.value;
    let at = candidate
        .held
        .as_ref()
        .map_or(out.since, |held| held.value.since.max(out.since));
    let mut entry = blank(format!("w-{}", out.product_id), at, &out.product_id);
    entry.triggers = out
        .origins
        .iter()
        .map(|origin| origin.name().to_owned())
        .collect();
    entry.stores = out.stores.iter().cloned().collect();
    entry.quantity = Decimal::from(out.quantity.saturating_add(apart));
    entry.outcome = SentResult::Waiting;
    entry.product_code = candidate
        .held
        .as_ref()
        .and_then(|held| held.value.code.clone());
    let held = candidate.held.as_ref().map(|held| &held.value);
    entry.reason = held.map(|held| held.reason.clone());
    entry.needs_person = held.is_some_and(|held| held.needs_person);
    entry
}

fn batch_entries(batch: &Batch) -> Vec<SentEntry> {
    batch
        .rows
        .iter()
        .enumerate()
        .map(|(index, row)| batch_entry(batch, index, row))
        .collect()
}

fn batch_entry(batch: &Batch, index: usize, row: &BatchRow) -> SentEntry {
    let mut entry = blank(
        format!("b{}-{index}", batch.number),
        row.changed_at,
        &row.product_id,
    );
    entry.triggers = row
        .origins
        .iter()
        .map(|origin| origin.name().to_owned())
        .collect();
    entry.stores = row.stores.iter().cloned().collect();
    entry.product_code = Some(row.code.clone()).filter(|code| !code.is_empty());
    entry.quantity = Decimal::from(row.quantity);
    entry.queue_id.clone_from(&batch.queue_id);
    match &row.result {
        RowResult::Pending if batch.state == BatchState::Ready => {
            entry.outcome = SentResult::Waiting
        }
        RowResult::Pending => entry.outcome = SentResult::InFlight,
        RowResult::Applied {
            before,
            after,
            doubt,
        } => {
            entry.reason.clone_from(doubt);
            entry.outcome = SentResult::Applied;
            entry.before = *before;
            entry.after = *after;
        }
        RowResult::Returned(reason) => {
            entry.outcome = SentResult::Returned;
            entry.reason = Some(if reason.code == reasons::REFUSED {
                reasons::refused(&row.code, batch.queue_message.as_deref())
            } else {
                reason.clone()
            });
        }
        RowResult::Zero => entry.reason = Some(cancelled_out()),
    }
    entry
}

fn change_entry(change: &ChangeRecord, at: Moment) -> SentEntry {
    let mut entry = blank(format!("c{}", change.id), at, &change.product_id);
    if let Cause::Trigger(trigger) = triggers::cause(&change.division) {
        entry.triggers = vec![trigger.name().to_owned()];
    }
    entry.stores = vec![change.store_id.clone()];
    entry.quantity = change.amount;
    if let Decided::Not(reason) = &change.decided {
        entry.reason = Some(reason.clone());
    }
    entry
}

fn cancelled_out() -> Reason {
    Reason::new(
        "cancelled-out",
        "増減が打ち消し合い、送信する差がありません。",
        "The movements cancelled out; there is no difference to send.",
    )
}

fn passes(filter: &SentFilter, entry: &SentEntry) -> bool {
    let product = |wanted: &String| {
        entry.product_id == *wanted || entry.product_code.as_ref() == Some(wanted)
    };
    filter.since.is_none_or(|since| entry.at >= since)
        && filter.before.is_none_or(|before| entry.at < before)
        && filter
            .outcome
            .is_none_or(|outcome| entry.outcome == outcome)
        && filter
            .trigger
            .as_ref()
            .is_none_or(|trigger| entry.triggers.contains(trigger))
        && filter
            .store_id
            .as_ref()
            .is_none_or(|store| entry.stores.contains(store))
        && filter.product.as_ref().is_none_or(product)
}

#[cfg(test)]
mod tests;
