//! What became of the orders that a retry let go, whoever worked them off: the schedule may be quicker with them than the retry itself,
//! and who asked for it is to read the same. Lets nothing go and decides nothing.

use std::time::Duration;

use crate::{
    error::Result,
    sync::{
        lookup::Catalogue,
        orders::{
            bench::{self, Tally},
            records::{
                BEGUN, Happened, RETRIED, Retried, SlipRecord, retried_key, slip_key, slip_of,
            },
            work,
        },
        report::ImportProgress,
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

/// How often, and with which pause, an effect that was begun and not answered is looked at again before a retry tells that it waits.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
/// Slips of one commit.
const SLIPS_A_COMMIT: usize = 500;

/// Works off what is recorded. For what another call has under way, or was not answered, it waits a moment.
pub async fn work_off(tenant: &Tenant<'_>, run: u64) -> Result<Tally> {
    let (tally, mut catalogue) = (Tally::default(), Catalogue::default());
    work::work(tenant, &mut catalogue, &tally).await?;
    for _ in 0..LOOKS {
        if tally.is_stopped() || !is_under_way(tenant, run)? {
            break;
        }
        tenant.ports.clock.sleep(PAUSE).await;
        work::work(tenant, &mut catalogue, &tally).await?;
    }
    Ok(tally)
}

/// Whether the outcome of an effect is open at a slip that this run let go.
fn is_under_way(tenant: &Tenant<'_>, run: u64) -> Result<bool> {
    let begun = store::list_all::<bool>(&tenant.ports, BEGUN)?;
    let of_run = |record: &Stored<SlipRecord>| {
        record.value.retried_in == run && record.value.intent.is_some()
    };
    Ok(records(tenant, &begun)?.iter().flatten().any(of_run))
}

fn records<T>(tenant: &Tenant<'_>, index: &[Stored<T>]) -> Result<Vec<Option<Stored<SlipRecord>>>> {
    let keys = index.iter().map(|entry| slip_key(slip_of(&entry.key)));
    store::read_all(&tenant.ports, &keys.collect::<Vec<_>>())
}

/// Adds what became of the run's slips by others' hands since this was last told. `own` is what this call did, and has counted.
pub fn tell(
    tenant: &Tenant<'_>,
    run: u64,
    mut own: Vec<(String, Happened)>,
    progress: &mut ImportProgress,
) -> Result<()> {
    let marks = store::list_all::<Retried>(&tenant.ports, RETRIED)?;
    for marks in marks.chunks(SLIPS_A_COMMIT) {
        let mut commit = Commit::new();
        for (mark, record) in marks.iter().zip(records(tenant, marks)?) {
            // What an earlier run has not told nobody asks for any more.
            let record = record.filter(|_| mark.value.run == run);
            let Some(record) = record.map(|record| record.value) else {
                commit = commit.delete(&mark.key);
                continue;
            };
            for happened in since(&record, mark.value.events) {
                if !taken(&mut own, &record.slip, happened) {
                    bench::count(progress, happened);
                }
            }
            commit = go_on(commit, mark, &record)?;
        }
        if !commit.is_empty() {
            commit.apply(&tenant.ports)?;
        }
    }
    Ok(())
}

/// What was told of a slip after so many entries.
fn since(record: &SlipRecord, events: u32) -> impl Iterator<Item = Happened> {
    let new = record.events.saturating_sub(events) as usize;
    let told = record.told.iter().rev().take(new);
    told.map(|told| told.happened)
}

fn taken(own: &mut Vec<(String, Happened)>, slip: &str, happened: Happened) -> bool {
    let found = own
        .iter()
        .position(|done| done.0 == slip && done.1 == happened);
    found.map(|index| own.swap_remove(index)).is_some()
}

fn go_on(commit: Commit, mark: &Stored<Retried>, record: &SlipRecord) -> Result<Commit> {
    if !record.todo {
        return Ok(commit.delete(&mark.key));
    }
    let told = Retried {
        events: record.events,
        ..mark.value.clone()
    };
    if told == mark.value {
        return Ok(commit);
    }
    commit.put(&retried_key(&record.slip), &told)
}
