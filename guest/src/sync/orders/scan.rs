//! Taking changes in from Next Engine: pages go into the slips' records in the same commit that moves the scan on, so that
//! nothing is passed without being stored. Registers nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::{
    error::Result,
    rules::{
        cancellation::{self, Step},
        cursor::{self, Next},
        moment,
        order::Order,
    },
    settings::OrderSettings,
    sync::{
        next_engine_session::NextEngine,
        orders::{
            journal,
            reading::{self, Page, Reading},
            records::{self, Cursor, SCAN_KEY, Scan, SlipRecord, cursor_key, slip_key},
        },
        report::ImportProgress,
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

/// Slips a commit: each may cost a check and four writes, of which storage takes 2 000.
const SLIPS_A_COMMIT: usize = 250;

/// A scan continued from storage counts as up to date for this long after it began.
const FRESH: TimeDelta = TimeDelta::minutes(5);

const TRIES: u32 = 5;

/// Reads the shops' changes up to now. A scan that an earlier call left open is finished first.
pub async fn scan(
    tenant: &Tenant<'_>,
    shops: &[String],
    progress: &mut ImportProgress,
) -> Result<()> {
    let mut session = NextEngine::open(tenant).await?;
    let result = scans(&mut session, tenant, shops, progress).await;
    let closed = session.close();
    result.and(closed)
}

async fn scans(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    shops: &[String],
    progress: &mut ImportProgress,
) -> Result<()> {
    let mut left = shops.to_vec();
    if let Some(open) = store::read::<Scan>(&tenant.ports, SCAN_KEY)? {
        let (served, started) = (open.value.shops.clone(), open.value.started);
        run(session, tenant, open.value, progress).await?;
        left.retain(|shop| tenant.now() - started > FRESH || !served.contains(shop));
    }
    let mut begins = Vec::new();
    for shop in left {
        begins.extend(begin_of(tenant, &shop)?.map(|from| (shop, from)));
    }
    for group in cursor::groups(begins) {
        let scan = Scan {
            shops: group.shops,
            from: group.from,
            from_slip: None,
            started: tenant.now(),
            newest: None,
        };
        run(session, tenant, scan, progress).await?;
    }
    Ok(())
}

/// Where the next scan of a shop begins; `None` without a receiving store.
pub fn begin_of(tenant: &Tenant<'_>, shop_id: &str) -> Result<Option<crate::time::Moment>> {
    let Some(store) = tenant.settings.orders.receiving_store(shop_id) else {
        return Ok(None);
    };
    let cursor = store::read::<Cursor>(&tenant.ports, &cursor_key(shop_id))?
        .map(|stored| stored.value)
        .unwrap_or_default();
    Ok(Some(cursor::scan_from(
        cursor.changed_through,
        store.start_date,
    )))
}

async fn run(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    mut scan: Scan,
    progress: &mut ImportProgress,
) -> Result<()> {
    loop {
        let Page {
            readings,
            next,
            newest,
        } = reading::page(session, &scan.shops, scan.from, scan.from_slip.as_deref()).await?;
        let count = u32::try_from(readings.len()).unwrap_or(u32::MAX);
        let readings = complete(session, tenant, readings).await?;
        scan.newest = scan.newest.max(newest);
        take_in(session, tenant, &mut scan, readings, &next)?;
        progress.slips_read = progress.slips_read.saturating_add(count);
        if next == Next::Done {
            return Ok(());
        }
    }
}

/// Reads slips whole of which only some lines came. Slips of no interest are left as they are.
pub async fn complete(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    readings: Vec<Reading>,
) -> Result<Vec<Reading>> {
    let partial = partial(tenant, &readings)?;
    if partial.is_empty() {
        return Ok(readings);
    }
    let whole = reading::whole(session, &partial).await?;
    let mut whole: BTreeMap<String, Reading> = whole
        .into_iter()
        .map(|reading| (reading.slip.clone(), reading))
        .collect();
    // What is gone by now is left out: it will show itself, if at all, by another change.
    let completed = |reading: Reading| {
        if partial.contains(&reading.slip) {
            whole.remove(&reading.slip)
        } else {
            Some(reading)
        }
    };
    Ok(readings.into_iter().filter_map(completed).collect())
}

/// Slips of interest of which lines may be missing.
fn partial(tenant: &Tenant<'_>, readings: &[Reading]) -> Result<BTreeSet<String>> {
    let keys: Vec<String> = readings
        .iter()
        .map(|reading| slip_key(&reading.slip))
        .collect();
    let known = store::read_all::<SlipRecord>(&tenant.ports, &keys)?;
    let lacking = readings
        .iter()
        .zip(&known)
        .filter(|(reading, known)| {
            let of_interest = known.is_some() || is_taken(&reading.order, &tenant.settings.orders);
            of_interest && (reading.partial || lacks_lines(reading, known.as_ref()))
        })
        .map(|(reading, _)| reading.slip.clone());
    Ok(lacking.collect())
}

fn lacks_lines(reading: &Reading, known: Option<&Stored<SlipRecord>>) -> bool {
    let old = known.and_then(|known| known.value.order.as_ref());
    let (Some(old), Ok(new)) = (old, &reading.order) else {
        return false;
    };
    let read = |number: &str| new.lines.iter().any(|line| line.number == number);
    old.lines.iter().any(|line| !read(&line.number))
}

fn is_taken(
    order: &std::result::Result<Order, crate::reason::Reason>,
    settings: &OrderSettings,
) -> bool {
    order
        .as_ref()
        .map_or(true, |order| moment::taken(order, settings).is_ok())
}

/// Stores a page, in as many commits as storage needs; each moves the scan as far as it stored.
fn take_in(
    session: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    scan: &mut Scan,
    readings: Vec<Reading>,
    next: &Next,
) -> Result<()> {
    let mut chunks = readings.chunks(SLIPS_A_COMMIT).peekable();
    while let Some(chunk) = chunks.next() {
        let Some(last) = chunk.last().filter(|_| chunks.peek().is_some()) else {
            return end_page(session, tenant, scan, chunk, next);
        };
        scan.from_slip = Some(cursor::successor(&last.slip));
        store_chunk(session, tenant, chunk, |commit| commit.put(SCAN_KEY, scan))?;
    }
    end_page(session, tenant, scan, &[], next)
}

fn end_page(
    session: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    scan: &mut Scan,
    chunk: &[Reading],
    next: &Next,
) -> Result<()> {
    scan.from_slip = match next {
        Next::Done => {
            return store_chunk(session, tenant, chunk, |commit| {
                end_scan(tenant, scan, commit)
            });
        }
        Next::From(slip) => Some(slip.clone()),
        Next::Behind(slip) => Some(cursor::successor(slip)),
    };
    store_chunk(session, tenant, chunk, |commit| commit.put(SCAN_KEY, scan))
}

fn end_scan(tenant: &Tenant<'_>, scan: &Scan, mut commit: Commit) -> Result<Commit> {
    for shop in &scan.shops {
        let key = cursor_key(shop);
        let old = store::read::<Cursor>(&tenant.ports, &key)?
            .and_then(|stored| stored.value.changed_through);
        let changed_through = cursor::through(old, scan.started, scan.newest);
        commit = commit.put(
            &key,
            &Cursor {
                changed_through,
                last_imported_at: Some(tenant.now()),
            },
        )?;
    }
    Ok(commit.delete(SCAN_KEY))
}

fn store_chunk(
    session: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    chunk: &[Reading],
    moving: impl Fn(Commit) -> Result<Commit>,
) -> Result<()> {
    let keys: Vec<String> = chunk
        .iter()
        .map(|reading| slip_key(&reading.slip))
        .collect();
    for _ in 0..TRIES {
        let seen = store::read_all::<SlipRecord>(&tenant.ports, &keys)?;
        let mut commit = moving(Commit::new().fence(session.fence()))?;
        for (reading, seen) in chunk.iter().zip(&seen) {
            if let Some(record) = absorb(reading, seen.as_ref(), &tenant.settings.orders) {
                commit = records::put(commit, seen.as_ref(), &record)?;
            }
        }
        if commit.try_apply(&tenant.ports)? {
            return Ok(());
        }
    }
    Err(journal::busy(SCAN_KEY))
}

/// The record after a reading; `None` when nothing changes: the reading is of no interest, or repeats what is stored.
pub(super) fn absorb(
    reading: &Reading,
    seen: Option<&Stored<SlipRecord>>,
    settings: &OrderSettings,
) -> Option<SlipRecord> {
    if seen.is_none() && !is_taken(&reading.order, settings) {
        return None;
    }
    let before = seen.map(|seen| &seen.value);
    let mut record = before
        .cloned()
        .unwrap_or_else(|| SlipRecord::new(&reading.slip, &reading.shop_id));
    let news = match &reading.order {
        Ok(order) => {
            let order = &records::plain(order);
            let news = record.unreadable.take().is_some()
                || record.order.as_ref().is_none_or(|old| is_news(old, order));
            record.order = Some(order.clone());
            news
        }
        Err(reason) => record.unreadable.replace(reason.clone()).as_ref() != Some(reason),
    };
    if let Some(trouble) = record.trouble.as_mut().filter(|_| news) {
        trouble.again = true;
    }
    record.todo |= news && has_work(&record, settings);
    (before != Some(&record)).then_some(record)
}

/// Whether a reading says anything new beside its time.
fn is_news(old: &Order, new: &Order) -> bool {
    Order {
        changed_at: new.changed_at,
        ..old.clone()
    } != *new
}

fn has_work(record: &SlipRecord, settings: &OrderSettings) -> bool {
    let Some(order) = record
        .order
        .as_ref()
        .filter(|_| record.unreadable.is_none() && record.trouble.is_none())
    else {
        return true;
    };
    let booked = record
        .registered
        .as_ref()
        .map(|registered| &registered.made_from);
    let taken = moment::taken(order, settings);
    cancellation::step(order, &taken, booked, record.told_returned, settings.moment)
        != Step::Nothing
        || record.is_begun()
}
