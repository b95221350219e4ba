//! Working off what is recorded: chunk by chunk, products looked up once a call, several slips in flight, each slip's effects
//! strictly one after the other. Reads nothing from Next Engine.

use futures_util::{StreamExt, stream};

use crate::{
    error::Result,
    rules::{cursor::Reach, order::Order},
    sync::{
        connection::{self, Link},
        lookup::Catalogue,
        orders::{
            bench::{Bench, Flow, Tally},
            effects, journal, moves,
            plan::{self, Next, PassedBy},
            records::{
                self, Act, BEGUN, Cursor, Happened, SlipRecord, TODO, cursor_key, slip_key, slip_of,
            },
            settling,
        },
        own,
        report::{self, ImportProgress},
        smaregi_session::Smaregi,
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

/// Slips that are read, looked up and worked off together.
const CHUNK: u32 = 200;
/// Waiting slips are counted up to this.
const MOST_COUNTED: u32 = 100_000;
/// A slip that is planned this often in one call without coming to an end is left for the next one.
const MOST_STEPS: u32 = 4_000;

/// Effects of a kind that go alone in one call, while it is not known what they do to stock.
const MOST_LOOKS: usize = 4;

/// Works off every slip with work, until done, stopped or out of budget.
pub async fn work_off(
    tenant: &Tenant<'_>,
    catalogue: &mut Catalogue,
    progress: &mut ImportProgress,
) -> Result<()> {
    let tally = Tally::default();
    work(tenant, catalogue, &tally).await?;
    tell(tenant, tally, progress).map(|_| ())
}

/// The same, told to a tally: also what stopped it.
pub async fn work(tenant: &Tenant<'_>, catalogue: &mut Catalogue, tally: &Tally) -> Result<()> {
    let look_due = own::next_look(tenant)?.is_some_and(|due| due <= tenant.now());
    if (has_open_work(&tenant.ports)? || look_due)
        && let Err(error) = rounds(tenant, catalogue, tally).await
    {
        tally.stop(error);
    }
    Ok(())
}

/// What a tally holds, as a call's progress, and what of it became of which slip.
pub fn tell(
    tenant: &Tenant<'_>,
    tally: Tally,
    progress: &mut ImportProgress,
) -> Result<Vec<(String, Happened)>> {
    let result = tally.into_progress(progress);
    progress.waiting = waiting(tenant)?;
    result
}

fn waiting(tenant: &Tenant<'_>) -> Result<u32> {
    let slips = store::list::<bool>(&tenant.ports, TODO, MOST_COUNTED)?;
    Ok(report::count(slips.len()))
}

async fn rounds(tenant: &Tenant<'_>, catalogue: &mut Catalogue, tally: &Tally) -> Result<()> {
    let session = Smaregi::open(tenant).await?;
    own::pending_looks(&session, tenant).await?;
    let Link { on, restored, .. } = connection::link(&tenant.ports)?;
    let mut looked = Vec::new();
    let (mut start, end) = store::range(queue(on));
    loop {
        let todo = store::between::<bool>(&tenant.ports, &start, &end, false, CHUNK)?;
        let Some(last) = todo.last() else {
            return Ok(());
        };
        start = format!("{}\u{1}", last.key);
        let keys: Vec<String> = todo
            .iter()
            .map(|entry| slip_key(slip_of(&entry.key)))
            .collect();
        let records = store::read_all::<SlipRecord>(&tenant.ports, &keys)?
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        if on {
            let wanted = records
                .iter()
                .flat_map(|record| plan::lookups(&record.value, &tenant.settings));
            catalogue.fill(&session, tenant, wanted.collect()).await?;
        }
        let bench = Bench {
            tenant,
            session: &session,
            products: catalogue.products(),
            on,
            restored,
            tally,
        };
        chunk(&bench, &records, &mut looked).await?;
        if tally.is_stopped() || todo.len() < CHUNK as usize {
            return Ok(());
        }
    }
}

/// The first effects of a kind that is not known yet go alone, so that what it does to stock can be seen; the rest together.
async fn chunk(
    bench: &Bench<'_>,
    records: &[Stored<SlipRecord>],
    looked: &mut Vec<Act>,
) -> Result<()> {
    let mut together = Vec::new();
    for record in records {
        let effects = bench.effects()?;
        let act = plan::effect_of(&plan::next(&record.value, &bench.known(&effects)));
        match act.filter(|act| !effects.contains(&act.kind()) && moves_stock(record, *act, bench)) {
            Some(act) if looked.iter().filter(|other| **other == act).count() < MOST_LOOKS => {
                looked.push(act);
                run(bench, &record.value.slip, true).await;
            }
            _ => together.push(record.value.slip.as_str()),
        }
    }
    stream::iter(together)
        .map(|slip| run(bench, slip, false))
        .buffer_unordered(bench.session.parallel())
        .collect::<Vec<()>>()
        .await;
    Ok(())
}

/// Whether the effect concerns a product whose stock Smaregi keeps: only such a one tells anything.
fn moves_stock(record: &Stored<SlipRecord>, act: Act, bench: &Bench<'_>) -> bool {
    if act == Act::Register {
        let keys = plan::lookups(&record.value, &bench.tenant.settings);
        return keys
            .iter()
            .filter_map(|key| bench.products.get(key))
            .flatten()
            .any(|product| product.stock_managed);
    }
    let registered = record.value.registered.as_ref();
    registered.is_some_and(|registered| registered.sale.lines.iter().any(|line| line.stock_managed))
}

/// Works one slip off. What stops it stops everything that has not begun.
async fn run(bench: &Bench<'_>, slip: &str, mut look: bool) {
    for _ in 0..MOST_STEPS {
        if bench.tally.is_stopped() {
            return;
        }
        match step(bench, slip, look).await {
            // What follows a step was not foreseen when the slips were divided: it is looked at if its effect is not known.
            Ok(Flow::Again) => look = true,
            Ok(Flow::Leave) => return,
            Err(error) => return bench.tally.stop(error),
        }
    }
}

async fn step(bench: &Bench<'_>, slip: &str, look: bool) -> Result<Flow> {
    let Some(record) = records::slip(&bench.tenant.ports, slip)?.map(|stored| stored.value) else {
        return Ok(Flow::Leave);
    };
    if !record.todo {
        return Ok(Flow::Leave);
    }
    let effects = bench.effects()?;
    match plan::next(&record, &bench.known(&effects)) {
        Next::Resolve => match record.intent.clone() {
            Some(intent) => effects::resolve(bench, slip, intent).await,
            None => Ok(Flow::Leave),
        },
        Next::Register(sale) => effects::register(bench, &record, *sale, look).await,
        Next::Undo(undoing, why) => effects::undo(bench, &record, undoing, why, look).await,
        Next::Refuse(reason) => settling::refuse(bench, slip, reason),
        Next::Adopt => adopt(bench, &record),
        Next::TellReturned(pieces) => settling::tell_returned(bench, slip, pieces),
        Next::Balance => settling::balance(bench, slip),
        Next::Move => moves::advance(bench, &record).await,
        Next::Wait => Ok(Flow::Leave),
        Next::Done => done(bench, &record),
    }
}

/// The changed order still makes the registered sale, which stays on its day, and how far it was when it was booked stays, too.
fn adopt(bench: &Bench<'_>, seen: &SlipRecord) -> Result<Flow> {
    journal::change(&bench.tenant.ports, &seen.slip, |record, commit| {
        let (Some(order), Some(registered)) = (record.order.clone(), record.registered.as_mut())
        else {
            return Ok(None);
        };
        if Some(&order) != seen.order.as_ref() {
            return Ok(None);
        }
        registered.made_from = Order {
            state: registered.made_from.state,
            ..order
        };
        Ok(Some(commit))
    })?;
    Ok(Flow::Again)
}

/// Nothing is left: the slip leaves the queue, and trouble that a change or a retry has ended leaves it too. What the settings
/// pass by is not forgotten: an order that was refused as it is stays so, and any other is read again once they take it.
fn done(bench: &Bench<'_>, seen: &SlipRecord) -> Result<Flow> {
    journal::change(&bench.tenant.ports, &seen.slip, |record, commit| {
        if record != seen {
            return Ok(None);
        }
        record.todo = false;
        let passed = plan::passed_by(record, &bench.tenant.settings);
        if let Some(trouble) = record.trouble.as_mut()
            && passed == PassedBy::Settings
            && !trouble.outdated
        {
            trouble.again = false;
            return Ok(Some(commit));
        }
        record.trouble = record.trouble.take().filter(|trouble| !trouble.again);
        if passed == PassedBy::Nothing {
            return Ok(Some(commit));
        }
        narrow_cursor(bench.tenant, &record.shop_id, commit).map(Some)
    })?;
    Ok(Flow::Again)
}

/// The shop's cursor no longer stands for more than today's settings take.
fn narrow_cursor(tenant: &Tenant<'_>, shop_id: &str, commit: Commit) -> Result<Commit> {
    let key = cursor_key(shop_id);
    let seen = store::read::<Cursor>(&tenant.ports, &key)?;
    let now = Reach::of(&tenant.settings.orders, shop_id);
    let cursor = match &seen {
        Some(seen) => Cursor {
            reach: seen
                .value
                .reach
                .zip(now)
                .map(|(read, now)| read.narrowed(&now)),
            ..seen.value.clone()
        },
        None => Cursor {
            reach: now,
            ..Cursor::default()
        },
    };
    if seen.as_ref().is_some_and(|seen| seen.value == cursor) {
        return Ok(commit);
    }
    commit.check(&key, seen.as_ref()).put(&key, &cursor)
}

/// Whether anything recorded can go on now. While the link is off only what was begun can.
pub fn has_open_work(ports: &crate::ports::Ports<'_>) -> Result<bool> {
    let queue = queue(connection::link(ports)?.on);
    Ok(!store::list::<bool>(ports, queue, 1)?.is_empty())
}

/// Where the slips are that can go on.
fn queue(on: bool) -> &'static str {
    if on { TODO } else { BEGUN }
}
