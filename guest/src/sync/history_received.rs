//! 受信履歴: what became of orders, newest first. Reads only.

use crate::{
    error::{Error, Result},
    reason::Reason,
    sync::{
        orders::records::{self, Happened, RECEIVED, Received, SlipRecord, received_key, slip_key},
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
    if let Some(keys) = entries_of_slip(tenant, filter)? {
        return page_of(tenant, filter, limit, (&start, &end), &keys);
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

/// The keys of all entries of the slip that is asked for; `None` where its record does not name them all.
fn entries_of_slip(tenant: &Tenant<'_>, filter: &ReceivedFilter) -> Result<Option<Vec<String>>> {
    let Some(slip) = &filter.slip else {
        return Ok(None);
    };
    let Some(record) = records::slip(&tenant.ports, slip)? else {
        return Ok(None);
    };
    let record = record.value;
    if record.slip != *slip || record.told.len() != record.events as usize {
        return Ok(None);
    }
    let numbered = (1..).zip(&record.told);
    let keys = numbered.map(|(number, told)| received_key(slip, number, told.at));
    Ok(Some(keys.collect()))
}

/// A page of these entries.
fn page_of(
    tenant: &Tenant<'_>,
    filter: &ReceivedFilter,
    limit: usize,
    (start, end): (&str, &str),
    keys: &[String],
) -> Result<ReceivedPage> {
    let mut keys: Vec<String> = keys
        .iter()
        .filter(|key| key.as_str() >= start && key.as_str() < end)
        .cloned()
        .collect();
    // The history's own order: entries of one millisecond go by their key.
    keys.sort_unstable_by(|a, b| b.cmp(a));
    let found = store::read_all::<Received>(&tenant.ports, &keys)?;
    let mut found: Vec<Stored<Received>> = found
        .into_iter()
        .flatten()
        .filter(|entry| passes(filter, &entry.value))
        .collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|entry| entry.key.clone());
    Ok(ReceivedPage {
        entries: entries(tenant, found)?,
        continuation: last.filter(|_| more),
    })
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::sync::{
        orders::records::{Trouble, received_key},
        store::Commit,
        testing::Script,
    };

    /// So many entries, one a minute: every second of shop 2, every third refused, and the first undone.
    fn history(count: u32) -> (Script, Moment) {
        let script = Script::new();
        let began = script.now.get();
        let mut commit = Commit::new();
        for number in 0..count {
            let at = began + TimeDelta::minutes(i64::from(number));
            let entry = Received {
                at,
                slip: number.to_string(),
                order_number: String::new(),
                shop_id: (1 + number % 2).to_string(),
                store_id: "10".to_owned(),
                transaction_id: None,
                amount: 1.into(),
                happened: match number {
                    0 => Happened::Undone,
                    _ if number % 3 == 0 => Happened::Refused,
                    _ => Happened::Registered,
                },
                reason: None,
                begun_at: None,
            };
            let key = received_key(&entry.slip, 1, at);
            commit = commit.put(&key, &entry).unwrap();
            if commit.len() == 1_000 {
                commit.apply(&script.ports()).unwrap();
                commit = Commit::new();
            }
        }
        commit.apply(&script.ports()).unwrap();
        (script, began)
    }

    fn page(
        script: &Script,
        filter: &ReceivedFilter,
        limit: u32,
        after: Option<String>,
    ) -> (Vec<String>, Option<String>) {
        let request = PageRequest {
            continuation: after,
            limit,
        };
        let page = received(&script.tenant(), filter, &request).unwrap();
        let slips = page.entries.into_iter().map(|entry| entry.slip);
        (slips.collect(), page.continuation)
    }

    #[test]
    fn pages_go_into_the_past_without_a_gap_or_a_repetition() {
        let (script, _) = history(5);
        let all = ReceivedFilter::default();
        let (first, after) = page(&script, &all, 2, None);
        assert_eq!(first, ["4", "3"]);
        let (second, after) = page(&script, &all, 2, after);
        assert_eq!(second, ["2", "1"]);
        assert_eq!(page(&script, &all, 2, after), (vec!["0".to_owned()], None));
        let foreign = PageRequest {
            continuation: Some("orders/slip/1".to_owned()),
            limit: 2,
        };
        let refused = received(&script.tenant(), &all, &foreign);
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }

    #[test]
    fn every_filter_holds_by_itself_and_with_the_others() {
        let (script, began) = history(7);
        let found = |filter: ReceivedFilter| page(&script, &filter, 500, None).0;
        let all = ReceivedFilter::default;
        let at = |minutes| Some(began + TimeDelta::minutes(minutes));
        let (shop_id, slip) = (Some("1".to_owned()), Some("4".to_owned()));
        let refused = Some(ReceivedResult::Refused);
        assert_eq!(
            found(ReceivedFilter {
                since: at(5),
                ..all()
            }),
            ["6", "5"]
        );
        assert_eq!(
            found(ReceivedFilter {
                before: at(1),
                ..all()
            }),
            ["0"]
        );
        assert_eq!(
            found(ReceivedFilter {
                outcome: refused,
                ..all()
            }),
            ["6", "3"]
        );
        assert_eq!(
            found(ReceivedFilter {
                shop_id: shop_id.clone(),
                ..all()
            }),
            ["6", "4", "2", "0"]
        );
        assert_eq!(
            found(ReceivedFilter {
                slip: slip.clone(),
                ..all()
            }),
            ["4"]
        );
        assert_eq!(
            found(ReceivedFilter {
                outcome: refused,
                shop_id,
                ..all()
            }),
            ["6"]
        );
        assert!(
            found(ReceivedFilter {
                outcome: refused,
                slip,
                ..all()
            })
            .is_empty()
        );
        let nothing = page(
            &script,
            &ReceivedFilter {
                before: at(0),
                ..all()
            },
            500,
            None,
        );
        assert_eq!(nothing, (vec![], None));
    }

    #[test]
    fn a_page_looks_through_so_much_of_the_past_and_says_where_it_goes_on() {
        let (script, _) = history(1_600);
        let undone = ReceivedFilter {
            outcome: Some(ReceivedResult::Undone),
            ..ReceivedFilter::default()
        };
        let (none, after) = page(&script, &undone, 10, None);
        assert!(none.is_empty() && after.is_some());
        assert_eq!(
            page(&script, &undone, 10, after),
            (vec!["0".to_owned()], None)
        );
    }

    #[test]
    fn an_entry_is_open_while_its_slip_waits_for_it() {
        let (script, began) = history(2);
        let trouble = |slip: &str, entry: String| {
            let mut record = SlipRecord::new(slip, "1");
            record.trouble = Some(Trouble {
                reason: Reason::new("code", "訳", "why"),
                entry,
                again: false,
                outdated: false,
            });
            let commit = Commit::new().put(&slip_key(slip), &record).unwrap();
            commit.apply(&script.ports()).unwrap();
        };
        trouble("0", received_key("0", 1, began));
        trouble("1", received_key("1", 2, began));
        let request = PageRequest {
            continuation: None,
            limit: 10,
        };
        let page = received(&script.tenant(), &ReceivedFilter::default(), &request).unwrap();
        let open: Vec<bool> = page.entries.iter().map(|entry| entry.open).collect();
        assert_eq!(open, [false, true]);
        let id = page.entries.last().map(|entry| entry.id.clone());
        assert_eq!(id, Some(format!("{}-0-1", began.timestamp_millis())));
    }

    /// The same slip at so many moments, with its record.
    fn one_slip(script: &Script, slip: &str, told: usize, events: u32) {
        let began = script.now.get();
        let mut record = SlipRecord::new(slip, "1");
        let mut commit = Commit::new();
        for number in 1..=events {
            let at = began + TimeDelta::minutes(i64::from(number));
            let happened = Happened::Registered;
            let entry = Received {
                at,
                slip: slip.to_owned(),
                order_number: String::new(),
                shop_id: "1".to_owned(),
                store_id: "10".to_owned(),
                transaction_id: Some(number.to_string()),
                amount: 1.into(),
                happened,
                reason: None,
                begun_at: None,
            };
            commit = commit.put(&received_key(slip, number, at), &entry).unwrap();
            record.told.push(records::Told { at, happened });
        }
        let excess = record.told.len() - told;
        record.told.drain(..excess);
        record.events = events;
        let commit = commit.put(&slip_key(slip), &record).unwrap();
        commit.apply(&script.ports()).unwrap();
    }

    #[test]
    fn a_slips_entries_are_found_by_its_record_whatever_lies_beside_them() {
        let (script, began) = history(u32::try_from(MOST_SCANNED).unwrap() + 20);
        // Behind more than one page looks through, and once as a slip with more entries than its record names.
        script.now.set(began - TimeDelta::days(1));
        one_slip(&script, "77777", 12, 12);
        one_slip(&script, "88888", 3, 12);
        let transactions = |slip: &str, limit, from: Option<String>| {
            let filter = ReceivedFilter {
                slip: Some(slip.to_owned()),
                ..ReceivedFilter::default()
            };
            let request = PageRequest {
                continuation: from,
                limit,
            };
            let page = received(&script.tenant(), &filter, &request).unwrap();
            let ids = page
                .entries
                .into_iter()
                .filter_map(|entry| entry.transaction_id);
            let ids: Vec<u32> = ids.map(|id| id.parse().unwrap()).collect();
            (ids, page.continuation)
        };
        let (first, next) = transactions("77777", 5, None);
        assert_eq!(first, [12, 11, 10, 9, 8]);
        let (second, next) = transactions("77777", 5, next);
        assert_eq!(second, [7, 6, 5, 4, 3]);
        assert_eq!(transactions("77777", 5, next), (vec![2, 1], None));
        assert_eq!(transactions("77777", 12, None).1, None, "all on one page");
        assert!(transactions("77777", 11, None).1.is_some());
        let (mut all, mut next) = transactions("88888", 500, None);
        while next.is_some() {
            let (more, from) = transactions("88888", 500, next);
            all.extend(more);
            next = from;
        }
        assert_eq!(all, (1..=12).rev().collect::<Vec<_>>());
    }
}
