//! Finding what webhooks missed: Smaregi's stock by update time, then the history of the places that moved. Decides nothing.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result},
    smaregi::stock,
    sync::{
        connection,
        report::SendProgress,
        smaregi_session::Smaregi,
        stock::{
            finish, intake,
            records::{CATCH_UP_KEY, CatchUp, Pair, pair_key},
        },
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

/// Both clocks may differ a little, and a row may be written while its list is read.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// Smaregi takes at most 31 days (smaregi.md 4a).
const LONGEST_RANGE: TimeDelta = TimeDelta::days(30);
const PAGE_ROWS: usize = 1_000;

/// Looks since the last look, or since then. See `wit/stock.wit`.
pub async fn catch_up(tenant: &Tenant<'_>, since: Option<Moment>) -> Result<SendProgress> {
    let mut progress = SendProgress::default();
    let result = look(tenant, since).await;
    finish(tenant, &mut progress, result)
}

/// When the next look is due; `None` while nothing was ever switched on.
pub fn due_at(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let pause = TimeDelta::minutes(i64::from(tenant.settings.pace.catch_up_minutes));
    let link = connection::link(&tenant.ports)?;
    let last = store::read::<CatchUp>(&tenant.ports, CATCH_UP_KEY)?.map(|last| last.value.through);
    Ok(link
        .baseline
        .map(|baseline| last.map_or(baseline + pause, |last| last + pause)))
}

/// Notes the places that moved. The mark moves only when every page was read.
pub async fn look(tenant: &Tenant<'_>, since: Option<Moment>) -> Result<()> {
    let link = connection::link(&tenant.ports)?;
    let (true, Some(baseline)) = (link.on, link.baseline) else {
        return Ok(());
    };
    let seen = store::read::<CatchUp>(&tenant.ports, CATCH_UP_KEY)?;
    let last = seen.as_ref().map_or(baseline, |seen| seen.value.through);
    let from = since
        .map_or(last - OVERLAP, |since| since.min(last - OVERLAP))
        .max(baseline);
    let now = tenant.now();
    let session = Smaregi::open(tenant).await?;
    let mut start = from;
    while start < now {
        let end = (start + LONGEST_RANGE).min(now);
        for store_id in stores(tenant) {
            read_range(&session, tenant, &store_id, (start, end)).await?;
        }
        start = end;
    }
    let through = CatchUp { through: now };
    let applied = Commit::new()
        .check(CATCH_UP_KEY, seen.as_ref())
        .put(CATCH_UP_KEY, &through)?
        .try_apply(&tenant.ports)?;
    // Somebody asked for an earlier start meanwhile: that look is still due.
    if applied {
        Ok(())
    } else {
        Err(Error::Contended(CATCH_UP_KEY.to_owned(), now))
    }
}

/// The stores that take part, and those we register sales in: rows of ours there use up their entries.
fn stores(tenant: &Tenant<'_>) -> BTreeSet<String> {
    let receiving = tenant
        .settings
        .orders
        .receiving_stores
        .iter()
        .map(|store| store.store_id.clone());
    tenant
        .settings
        .stock
        .stores
        .iter()
        .cloned()
        .chain(receiving)
        .collect()
}

async fn read_range(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    store_id: &str,
    range: (Moment, Moment),
) -> Result<()> {
    for page in 1u32.. {
        let answer = session
            .send(&stock::list(store_id, Some(range), page))
            .await?;
        let rows = stock::decode(&answer);
        let full = rows.len() >= PAGE_ROWS;
        let rows: Vec<stock::StockRow> = rows.into_iter().flatten().collect();
        let keys: Vec<String> = rows
            .iter()
            .map(|row| pair_key(&row.store_id, &row.product_id))
            .collect();
        let known = store::read_all::<Pair>(&tenant.ports, &keys)?;
        // A place decided up to its last change has nothing new; equal seconds are read again.
        let moved = rows
            .iter()
            .zip(known)
            .filter(|(row, known)| match (row.updated_at, known) {
                (Some(at), Some(pair)) => pair.value.at <= at,
                _ => true,
            });
        let hints: Vec<(&str, &str)> = moved
            .map(|(row, _)| (row.store_id.as_str(), row.product_id.as_str()))
            .collect();
        if !hints.is_empty() {
            intake::note(tenant, &hints, None)?;
        }
        if !full {
            break;
        }
    }
    Ok(())
}
