//! A long past for a shop: copies of what the component itself wrote in one day, each a day earlier under ids of its own. Reads and writes
//! records by the guest's own types and keys, so it cannot drift from them.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, FixedOffset, TimeDelta};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tsunagi::storage::{Entry, Write};
use tsunagi_guest::{
    ports::{self, Ports},
    sync::{
        orders::records::{self as orders, Received, SlipRecord},
        stock::records::{
            Batch, ChangeRecord, SENT_PREFIX, SentIndex, batch_key, batch_tail, change_key,
            sent_key,
        },
        store::Commit,
    },
};

/// Between the ids of two copies.
const IDS: u64 = 10_000_000;
/// Uploads of a copy for each one of the day: a shop sends all day long.
const UPLOADS: u64 = 20;

type Moment = DateTime<FixedOffset>;

/// The day as it was written.
pub struct Past {
    rows: BTreeMap<String, Vec<u8>>,
    /// Of each slip its entries in the history, with their numbers.
    received: BTreeMap<String, Vec<(String, u32, Received)>>,
}

impl Past {
    pub fn of(rows: &[Entry]) -> Result<Self> {
        let rows = rows.iter();
        let rows = rows.map(|row| (row.key.clone(), row.value.clone()));
        let mut past = Self {
            rows: rows.collect(),
            received: BTreeMap::new(),
        };
        let mut received: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for key in past.keys(orders::RECEIVED) {
            let entry: Received = past.read(key)?;
            let number = key.rsplit('-').next().context("a number")?.parse()?;
            let of_slip = received.entry(entry.slip.clone()).or_default();
            of_slip.push((key.to_owned(), number, entry));
        }
        past.received = received;
        Ok(past)
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        let bytes = self.rows.get(key).with_context(|| key.to_owned())?;
        let mut whole: Value = serde_json::from_slice(bytes)?;
        let content = whole.get_mut("d").context("no content")?;
        Ok(serde_json::from_value(content.take())?)
    }

    fn keys(&self, prefix: &str) -> Vec<&str> {
        let keys = self.rows.keys().map(String::as_str);
        keys.filter(|key| key.starts_with(prefix)).collect()
    }

    /// The rows of the send history of a day so far back, and how many entries they show.
    pub fn sent(&self, number: u64) -> Result<(Vec<Write>, usize)> {
        let (mut writes, mut entries) = (Vec::new(), 0);
        for key in self.keys(SENT_PREFIX) {
            match self.read(key)? {
                SentIndex::Change(id) => {
                    writes.extend(written(self.change(key, &id, number)?)?);
                    entries += 1;
                }
                SentIndex::Batch(old) => {
                    let batch: Batch = self.read(&batch_key(old))?;
                    for upload in 0..UPLOADS {
                        writes.extend(written(put_batch(&batch, number, upload)?)?);
                        entries += batch.rows.len();
                    }
                }
                SentIndex::Unreadable { .. } => {}
            }
        }
        Ok((writes, entries))
    }

    /// The same of the reception history.
    pub fn received(&self, number: u64) -> Result<(Vec<Write>, usize)> {
        let (mut writes, mut entries) = (Vec::new(), 0);
        for key in self.keys(orders::SLIPS) {
            let mut record: SlipRecord = self.read(key)?;
            let new = renamed(orders::slip_of(key), number)?;
            let old = std::mem::replace(&mut record.slip, new);
            for told in &mut record.told {
                told.at -= days(number);
            }
            if let Some(order) = record.order.as_mut() {
                order.order_number = format!("{}-{number}", order.order_number);
            }
            let mut commit = Commit::new();
            for (event, times, entry) in self.received.get(&old).into_iter().flatten() {
                let entry = Received {
                    slip: record.slip.clone(),
                    at: entry.at - days(number),
                    ..entry.clone()
                };
                let key = orders::received_key(&entry.slip, *times, entry.at);
                let trouble = record.trouble.as_mut();
                if let Some(trouble) = trouble.filter(|trouble| trouble.entry == *event) {
                    trouble.entry.clone_from(&key);
                }
                commit = commit.put(&key, &entry).map_err(said)?;
                entries += 1;
            }
            let commit = orders::put(commit, None, &record).map_err(said)?;
            writes.extend(written(commit)?);
        }
        Ok((writes, entries))
    }

    fn change(&self, index: &str, id: &str, number: u64) -> Result<Commit> {
        let mut change: ChangeRecord = self.read(&change_key(id))?;
        let millis = index
            .get(SENT_PREFIX.len()..SENT_PREFIX.len() + 13)
            .and_then(|millis| millis.parse().ok())
            .and_then(DateTime::from_timestamp_millis)
            .with_context(|| index.to_owned())?;
        let day = days(number);
        change.id = renamed(id, number)?;
        change.at -= day;
        let at = millis.fixed_offset() - day;
        let index = SentIndex::Change(change.id.clone());
        let commit = Commit::new().put(&sent_key(at, &format!("c{:0>20}", change.id)), &index);
        let commit = commit.and_then(|commit| commit.put(&change_key(&change.id), &change));
        commit.map_err(said)
    }
}

/// One of a copy's uploads, spread over its day.
fn put_batch(batch: &Batch, number: u64, upload: u64) -> Result<Commit> {
    let mut batch = batch.clone();
    let hour = TimeDelta::minutes((24 * 60 / UPLOADS * upload) as i64);
    let by = days(number) + hour;
    batch.number += IDS * number + upload * 1_000;
    batch.changed_at -= by;
    batch.made_at -= by;
    for row in &mut batch.rows {
        row.changed_at -= by;
        row.since -= by;
    }
    let index = sent_key(batch.changed_at, &batch_tail(batch.number));
    let commit = Commit::new().put(&index, &SentIndex::Batch(batch.number));
    let commit = commit.and_then(|commit| commit.put(&batch_key(batch.number), &batch));
    commit.map_err(said)
}

fn days(number: u64) -> TimeDelta {
    TimeDelta::days(number as i64)
}

fn renamed(id: &str, number: u64) -> Result<String> {
    Ok((id.parse::<u64>()? + IDS * number).to_string())
}

fn said(error: tsunagi_guest::error::Error) -> anyhow::Error {
    anyhow!("{}", error.reason().message.en)
}

/// What a commit would write.
fn written(commit: Commit) -> Result<Vec<Write>> {
    let paper = Paper::default();
    let ports = Ports {
        http: &paper,
        storage: &paper,
        clock: &paper,
        random: &paper,
    };
    commit.apply(&ports).map_err(said)?;
    let writes = paper.0.into_inner().into_iter();
    let writes = writes.map(|ports::Write { key, value }| Write { key, value });
    Ok(writes.collect())
}

/// Takes down what is written; there is nothing else in its world.
#[derive(Default)]
struct Paper(RefCell<Vec<ports::Write>>);

impl ports::Storage for Paper {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<ports::Entry>>, ports::StorageFailure> {
        Ok(keys.iter().map(|_| None).collect())
    }

    fn scan(
        &self,
        _start: &str,
        _end: &str,
        _backward: bool,
        _limit: u32,
    ) -> Result<Vec<ports::Entry>, ports::StorageFailure> {
        Ok(Vec::new())
    }

    fn commit(
        &self,
        _checks: &[ports::Check],
        writes: &[ports::Write],
    ) -> Result<(), ports::StorageFailure> {
        self.0.borrow_mut().extend_from_slice(writes);
        Ok(())
    }
}

impl ports::Http for Paper {
    fn send(
        &self,
        _request: ports::HttpRequest,
    ) -> futures_util::future::LocalBoxFuture<'_, Result<ports::HttpResponse, ports::HttpFailure>>
    {
        Box::pin(std::future::ready(Err(ports::HttpFailure::NotSent)))
    }
}

impl ports::Clock for Paper {
    fn now(&self) -> Moment {
        DateTime::UNIX_EPOCH.fixed_offset()
    }

    fn sleep(&self, _duration: Duration) -> futures_util::future::LocalBoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl ports::Random for Paper {
    fn next(&self) -> u64 {
        0
    }
}
