//! 受信履歴: what became of orders, newest first. Reads only.

use crate::{
    error::{Error, Result},
    reason::Reason,
    sync::{
        orders::records::{Happened, RECEIVED, Received, SlipRecord, slip_key},
        report::{PageRequest, ReceivedEntry, ReceivedFilter, ReceivedPage, ReceivedResult},
        store::{self, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// How much of the past one page looks through, whatever the filter lets pass.
const MOST_SCANNED: usize = 1_000;
/// Read at a time.
const CHUNK: u32 = 500;
const MOST_ENTRIES: u32 = 500;

/// One page. See `wit/history.wit`.
pub fn received(
    tenant: &Tenant<'_>,
    filter: &ReceivedFilter,
    page: &PageRequest,
) -> Result<ReceivedPage> {
    let limit = page.limit.clamp(1, MOST_ENTRIES) as usize;
    let start = filter.since.map_or_else(|| RECEIVED.to_owned(), key_at);
    let mut end = filter
        .before
        .map_or_else(|| store::range(RECEIVED).1, key_at);
    if let Some(key) = &page.continuation {
        end = end.min(continuation(key)?);
    }
    // Without a filter on entries each is one that is wanted.
    let at_once = if filter.outcome.is_some() || filter.shop_id.is_some() || filter.slip.is_some() {
        CHUNK
    } else {
        page.limit.clamp(1, CHUNK)
    };
    let mut found = Vec::new();
    let mut scanned = 0_usize;
    loop {
        let (chunk, number, lowest) =
            store::between_meant::<Received>(&tenant.ports, (&start, &end), at_once, |key| {
                may_be_of(filter, key)
            })?;
        let more = number >= at_once as usize;
        scanned = scanned.saturating_add(number);
        for entry in chunk {
            end.clone_from(&entry.key);
            if passes(filter, &entry.value) {
                found.push(entry);
            }
            if found.len() >= limit {
                return Ok(ReceivedPage {
                    entries: entries(tenant, found)?,
                    continuation: Some(end),
                });
            }
        }
        end = lowest.unwrap_or(end);
        if !more || scanned >= MOST_SCANNED {
            return Ok(ReceivedPage {
                entries: entries(tenant, found)?,
                continuation: more.then_some(end),
            });
        }
    }
}

fn key_at(moment: Moment) -> String {
    format!("{RECEIVED}{:0>13}", moment.timestamp_millis().max(0))
}

/// A page ends with the key of its last entry; the next one begins below it.
fn continuation(text: &str) -> Result<String> {
    if text.starts_with(RECEIVED) {
        return Ok(text.to_owned());
    }
    let ja = "続きの位置が読めません。最初からお読みください。";
    let reason = Reason::new(
        "bad-continuation",
        ja,
        "This is no continuation of ours. Start from the newest.",
    );
    Err(Error::invalid("page.continuation", reason))
}

/// Whether an entry with this key can be one of the slip that is asked for: the key has it in its middle.
fn may_be_of(filter: &ReceivedFilter, key: &str) -> bool {
    filter
        .slip
        .as_ref()
        .is_none_or(|slip| key.contains(slip.as_str()))
}

fn passes(filter: &ReceivedFilter, entry: &Received) -> bool {
    filter
        .outcome
        .is_none_or(|outcome| outcome == result(entry.happened))
        && filter
            .shop_id
            .as_ref()
            .is_none_or(|shop| *shop == entry.shop_id)
        && filter.slip.as_ref().is_none_or(|slip| *slip == entry.slip)
}

fn entries(tenant: &Tenant<'_>, found: Vec<Stored<Received>>) -> Result<Vec<ReceivedEntry>> {
    let keys: Vec<String> = found
        .iter()
        .map(|entry| slip_key(&entry.value.slip))
        .collect();
    let records = store::read_all::<SlipRecord>(&tenant.ports, &keys)?;
    let open = |key: &str, record: Option<Stored<SlipRecord>>| {
        record
            .and_then(|record| record.value.trouble)
            .is_some_and(|trouble| trouble.entry == key)
    };
    Ok(found
        .into_iter()
        .zip(records)
        .map(|(entry, record)| shown(open(&entry.key, record), entry))
        .collect())
}

fn shown(open: bool, entry: Stored<Received>) -> ReceivedEntry {
    let Received {
        at,
        slip,
        order_number,
        shop_id,
        store_id,
        transaction_id,
        amount,
        happened,
        reason,
        begun_at: _,
    } = entry.value;
    ReceivedEntry {
        id: entry
            .key
            .strip_prefix(RECEIVED)
            .unwrap_or_default()
            .to_owned(),
        at,
        slip,
        order_number,
        shop_id,
        store_id,
        transaction_id,
        amount,
        outcome: result(happened),
        reason,
        open,
    }
}

fn result(happened: Happened) -> ReceivedResult {
    match happened {
        Happened::Registered => ReceivedResult::Registered,
        Happened::Undone => ReceivedResult::Undone,
        Happened::Refused => ReceivedResult::Refused,
        Happened::NeedsPerson => ReceivedResult::NeedsPerson,
    }
}
