//! Taking changes in from Next Engine: pages go into the slips' records in the same commit that moves the scan on, so that
//! nothing is passed without being stored. Registers nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::{
    error::Result,
    planted::Planted,
    reason::Reason,
    rules::{
        cancellation::{self, Step},
        cursor::{self, Next, Reach},
        moment,
        order::{Life, Order},
    },
    settings::{ImportMoment, OrderSettings},
    sync::{
        next_engine_session::NextEngine,
        orders::{
            journal, overview,
            reading::{self, Reading},
            records::{
                self, Cursor, EARLY, SCAN_KEY, Scan, ScanShop, SlipRecord, cursor_key, slip_key,
            },
        },
        report::{self, ImportProgress},
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

/// Slips a commit: each may cost a check and ten writes (its record, and its indexes, three of which may move), of which storage
/// takes 2 000.
const SLIPS_A_COMMIT: usize = 160;

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
        let scan = as_set_now(open.value, &tenant.settings.orders);
        let served = served(&scan, tenant);
        if scan.shops.is_empty() {
            let commit = Commit::new().fence(session.fence()).delete(SCAN_KEY);
            commit.apply(&tenant.ports)?;
        } else {
            run(session, tenant, scan, progress).await?;
        }
        left.retain(|shop| !served.contains(shop));
    }
    let mut begins = BTreeMap::new();
    for shop in left {
        if let Some(begin) = begin_of(tenant, &shop)? {
            begins.insert(shop, begin);
        }
    }
    let starts = begins
        .iter()
        .map(|(shop, begin)| (shop.clone(), begin.from));
    for group in cursor::groups(starts) {
        let shops = group.shops.iter();
        let scan = Scan {
            lacking: early(tenant, &group.shops)?,
            shops: shops
                .filter_map(|shop| begins.get(shop).map(|begin| begin.shop.clone()))
                .collect(),
            from: group.from,
            from_slip: None,
            last_page: false,
            started: tenant.now(),
            newest: None,
        };
        run(session, tenant, scan, progress).await?;
    }
    Ok(())
}

/// Slips whose goods may have been allocated, which no search for changes shows.
fn early(tenant: &Tenant<'_>, shops: &[String]) -> Result<BTreeSet<String>> {
    let mut slips = BTreeSet::new();
    if tenant.settings.orders.moment != ImportMoment::ReadyToShip {
        return Ok(slips);
    }
    for shop in shops {
        slips.extend(overview::slips_under(tenant, &format!("{EARLY}{shop}/"))?);
    }
    Ok(slips)
}

/// An open scan under today's settings: it serves no shop that is gone, and has taken only what it took all along.
fn as_set_now(mut scan: Scan, settings: &OrderSettings) -> Scan {
    scan.shops.retain_mut(|shop| {
        let now = Reach::of(settings, &shop.shop_id);
        shop.reach = now.map_or(shop.reach, |now| shop.reach.narrowed(&now));
        now.is_some()
    });
    scan
}

/// Shops that need no scan of their own after this one.
fn served(scan: &Scan, tenant: &Tenant<'_>) -> BTreeSet<String> {
    if tenant.now() - scan.started > FRESH {
        return BTreeSet::new();
    }
    let whole = scan.shops.iter().filter(|shop| {
        Reach::of(&tenant.settings.orders, &shop.shop_id).is_some_and(|now| shop.reach.covers(&now))
    });
    whole.map(|shop| shop.shop_id.clone()).collect()
}

/// Where a shop's next scan begins, and what it serves.
pub struct Begin {
    /// Changes since then.
    pub from: crate::time::Moment,
    shop: ScanShop,
}

/// Where the next scan of a shop begins; `None` without a receiving store.
pub fn begin_of(tenant: &Tenant<'_>, shop_id: &str) -> Result<Option<Begin>> {
    let Some(reach) = Reach::of(&tenant.settings.orders, shop_id) else {
        return Ok(None);
    };
    let seen = store::read::<Cursor>(&tenant.ports, &cursor_key(shop_id))?;
    let shop = ScanShop {
        shop_id: shop_id.to_owned(),
        reach,
        cursor: seen.as_ref().map(|seen| seen.revision),
    };
    let cursor = seen.map(|seen| seen.value).unwrap_or_default();
    let from = cursor::scan_from(cursor.changed_through, cursor.reach, &reach);
    Ok(Some(Begin { from, shop }))
}

/// Page after page, and after each the slips of which only some lines came; every search is stored before the next, so that the
/// smallest budget gets ahead.
async fn run(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    mut scan: Scan,
    progress: &mut ImportProgress,
) -> Result<()> {
    loop {
        let readings = if scan.lacking.is_empty() {
            next_page(session, tenant, &mut scan, progress).await?
        } else {
            let (found, left) = reading::some_whole(session, tenant, &scan.lacking).await?;
            // What is gone by now is left out: it will show itself, if at all, by another change.
            scan.lacking = left;
            found
        };
        take_in(session, tenant, &scan, readings)?;
        if scan.is_read() {
            return Ok(());
        }
    }
}

/// The whole slips of the next page; the others are noted as lacking.
async fn next_page(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    scan: &mut Scan,
    progress: &mut ImportProgress,
) -> Result<Vec<Reading>> {
    let shops: Vec<String> = scan.shops.iter().map(|shop| shop.shop_id.clone()).collect();
    let from_slip = scan.from_slip.as_deref();
    let page = reading::page(session, tenant, &shops, scan.from, from_slip).await?;
    let count = report::count(page.readings.len());
    progress.slips_read = progress.slips_read.saturating_add(count);
    scan.newest = scan.newest.max(page.newest);
    scan.lacking = partial(tenant, &page.readings)?;
    match page.next {
        Next::Done => scan.last_page = true,
        Next::From(_) if Planted::OffsetPaging.is_on() => {
            scan.from_slip = Some(reading::rows_behind(from_slip, &page.readings));
        }
        Next::From(slip) => scan.from_slip = Some(slip),
        Next::Behind(slip) => scan.from_slip = Some(cursor::successor(&slip)),
    }
    let whole = page.readings.into_iter();
    Ok(whole
        .filter(|reading| !scan.lacking.contains(&reading.slip))
        .collect())
}

/// Reads slips whole of which only some lines came, for a look at them. Slips of no interest are left as they are.
pub async fn complete(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    readings: Vec<Reading>,
) -> Result<Vec<Reading>> {
    let partial = partial(tenant, &readings)?;
    let mut whole = BTreeMap::new();
    if !partial.is_empty() {
        for reading in reading::whole(session, tenant, &partial).await? {
            whole.insert(reading.slip.clone(), reading);
        }
    }
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
            let of_interest = known.is_some() || is_kept(reading, &tenant.settings.orders);
            of_interest && reading.partial
        })
        .map(|(reading, _)| reading.slip.clone());
    Ok(lacking.collect())
}

/// Whether a slip that was never seen gets a record: it is taken, or would be without ever showing again.
fn is_kept(reading: &Reading, settings: &OrderSettings) -> bool {
    let (shop, head) = (&reading.shop_id, reading.head.as_ref());
    match &reading.order {
        Ok(order) => {
            moment::taken(order, settings).is_ok() || moment::only_waits_for_goods(order, settings)
        }
        Err(_) => {
            moment::may_be_taken(shop, head, settings)
                || head.is_some_and(|head| moment::may_only_wait_for_goods(shop, head, settings))
        }
    }
}

/// Stores readings, in as many commits as storage needs. Only the last moves the scan on; what comes twice is recognised.
fn take_in(
    session: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    scan: &Scan,
    readings: Vec<Reading>,
) -> Result<()> {
    if Planted::CursorBeforeCommit.is_on() && scan.is_read() {
        end_scan(tenant, scan, Commit::new())?.apply(&tenant.ports)?;
    }
    let mut chunks = readings.chunks(SLIPS_A_COMMIT).peekable();
    loop {
        let chunk = chunks.next().unwrap_or_default();
        if chunks.peek().is_some() {
            store_chunk(session, tenant, chunk, Ok)?;
            continue;
        }
        return store_chunk(session, tenant, chunk, |commit| {
            if scan.is_read() {
                end_scan(tenant, scan, commit)
            } else {
                commit.put(SCAN_KEY, scan)
            }
        });
    }
}

/// Stores readings that no scan asked for, and moves none on.
pub fn store(session: &NextEngine<'_>, tenant: &Tenant<'_>, readings: &[Reading]) -> Result<()> {
    for chunk in readings.chunks(SLIPS_A_COMMIT) {
        store_chunk(session, tenant, chunk, Ok)?;
    }
    Ok(())
}

/// Moves the cursors of the shops that are still set.
fn end_scan(tenant: &Tenant<'_>, scan: &Scan, mut commit: Commit) -> Result<Commit> {
    for shop in &scan.shops {
        let key = cursor_key(&shop.shop_id);
        let seen = store::read::<Cursor>(&tenant.ports, &key)?;
        let same = seen.as_ref().map(|seen| seen.revision) == shop.cursor;
        let old = seen
            .as_ref()
            .map(|seen| seen.value.clone())
            .unwrap_or_default();
        let reach = if same {
            Some(shop.reach)
        } else {
            old.reach.map(|reach| reach.narrowed(&shop.reach))
        };
        let cursor = Cursor {
            changed_through: cursor::through(old.changed_through, scan.started, scan.newest),
            reach,
            last_imported_at: Some(tenant.now()),
        };
        commit = commit.check(&key, seen.as_ref()).put(&key, &cursor)?;
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
            if let Some(mut record) = absorb(reading, seen.as_ref(), &tenant.settings.orders) {
                record.last_read = Some(tenant.now());
                record.first_read = record.first_read.or(record.last_read);
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
    if seen.is_none() && !is_kept(reading, settings) {
        return None;
    }
    if Planted::StaleCopyRetried.is_on() && seen.is_some_and(|seen| seen.value.is_held()) {
        return None;
    }
    let before = seen.map(|seen| &seen.value);
    let mut record = before
        .cloned()
        .unwrap_or_else(|| SlipRecord::new(&reading.slip, &reading.shop_id));
    if !reading.shop_id.is_empty() {
        record.shop_id.clone_from(&reading.shop_id);
    }
    let news = match &reading.order {
        Ok(order) => understood(&mut record, order),
        Err(reason) => not_understood(&mut record, reading, reason, settings),
    };
    if news {
        record.release();
        record.outdate();
    }
    record.todo |= !record.is_held() && has_work(&record, settings);
    (before != Some(&record)).then_some(record)
}

/// Whether a reading says anything new.
fn understood(record: &mut SlipRecord, order: &Order) -> bool {
    let order = records::plain(order);
    let same = record
        .order
        .as_ref()
        .is_some_and(|old| old.says_same(&order));
    record.order = Some(order);
    record.unreadable.take().is_some() || !same
}

/// The same for a slip of which something cannot be read: what counts for nothing needs no numbers, and what is booked follows
/// its order into a cancellation without them.
fn not_understood(
    record: &mut SlipRecord,
    reading: &Reading,
    reason: &Reason,
    settings: &OrderSettings,
) -> bool {
    let before = (record.order.clone(), record.unreadable.clone());
    let head = reading.head.as_ref();
    if let (Some(order), Some(head)) = (record.order.as_mut(), head) {
        order.follow(head);
    }
    let dead = head.is_some_and(|head| head.life != Life::Live);
    let begun = record.registered.is_some() || record.intent.is_some();
    let matters = !dead && (begun || moment::may_be_taken(&record.shop_id, head, settings));
    record.unreadable = matters.then(|| reason.clone());
    let same = match (&before.0, &record.order) {
        (Some(old), Some(new)) => old.says_same(new),
        _ => true,
    };
    !same || before.1 != record.unreadable
}

fn has_work(record: &SlipRecord, settings: &OrderSettings) -> bool {
    if record.unreadable.is_some() || record.trouble.is_some() || record.is_begun() {
        return true;
    }
    let Some(order) = &record.order else {
        return false;
    };
    let booked = record
        .registered
        .as_ref()
        .map(|registered| &registered.made_from);
    let taken = moment::taken(order, settings);
    cancellation::step(order, &taken, booked, record.told_returned, settings.moment)
        != Step::Nothing
}
