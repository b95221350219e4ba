//! Orders in: sales taken in Next Engine become Smaregi transactions, each once. The flow; the rules are in `rules`.
//!
//! [`scan`] stores what changed, [`work`] works it off: [`plan`] says what a slip needs, [`effects`] and [`moves`] do it in Smaregi,
//! [`restored`] looks for what was done already after storage was put back, [`settling`] writes down what came of it, [`words`] says why
//! it did not. [`retry`] lets refused ones go again, and [`retried`] tells what became of them. [`reading`] is the way to Next Engine,
//! [`crate::sync::lookup`] the one to Smaregi's products.

pub mod bench;
pub mod effects;
pub mod journal;
pub mod moves;
pub mod overview;
pub mod plan;
pub mod preview;
pub mod reading;
pub mod records;
pub mod restored;
pub mod retried;
pub mod retry;
pub mod scan;
pub mod settling;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod words;
pub mod work;

use crate::{
    error::{Error, Result, Side},
    reason::Text,
    sync::{
        connection,
        lookup::Catalogue,
        report::{ImportProgress, RetryChoice},
        rest::{self, Part},
        tenant::Tenant,
    },
};

pub use {
    overview::{booked_unshipped, last_imports, refused_shipped, stores, under_way},
    preview::preview,
    trial::try_settings,
    work::has_open_work,
};

/// 手動取込 of one Next Engine shop. See `wit/orders.wit`.
pub async fn import_shop(tenant: &Tenant<'_>, shop_id: &str) -> Result<ImportProgress> {
    if tenant.settings.orders.receiving_store(shop_id).is_none() {
        return Err(Error::NotFound("receiving-store", shop_id.to_owned()));
    }
    let progress = import_due(tenant, &[shop_id.to_owned()]).await?;
    rest::end(tenant, &[Part::Settle, Part::Import])?;
    Ok(progress)
}

/// Imports these shops from their cursors to now, with as few searches as their cursors allow.
pub async fn import_due(tenant: &Tenant<'_>, shops: &[String]) -> Result<ImportProgress> {
    if !connection::link(&tenant.ports)?.on {
        let message = Text::new(
            "連携がオフです。オンにしてから取り込んでください。",
            "The link is off. Switch it on first.",
        );
        return Err(Error::NotConnected(Side::NextEngine, message));
    }
    let mut progress = ImportProgress::default();
    import_into(tenant, shops, &mut progress).await?;
    Ok(progress)
}

/// The same, with what it did told also where it ends in an error. Reading needs Next Engine only, so an outage of Smaregi does not
/// keep it from being done; the error comes after it.
pub async fn import_into(
    tenant: &Tenant<'_>,
    shops: &[String],
    progress: &mut ImportProgress,
) -> Result<()> {
    // What an earlier slice left comes first: searching again before it is done would cost a call that learns nothing.
    let mut catalogue = Catalogue::default();
    let left = work::work_off(tenant, &mut catalogue, progress).await;
    if progress.more {
        return left;
    }
    match scan::scan(tenant, shops, progress).await {
        Ok(()) => {}
        Err(Error::BudgetSpent) => progress.more = true,
        Err(error) => return left.and(Err(error)),
    }
    match left {
        Ok(()) => work::work_off(tenant, &mut catalogue, progress).await,
        // It would fail the same way.
        Err(error) => Err(error),
    }
}

/// Works off what is recorded, without asking Next Engine. While the link is off only what was begun is followed to its end.
pub async fn settle(tenant: &Tenant<'_>) -> Result<ImportProgress> {
    let mut progress = ImportProgress::default();
    settle_into(tenant, &mut progress).await?;
    Ok(progress)
}

/// The same, with what it did told also where it ends in an error.
pub async fn settle_into(tenant: &Tenant<'_>, progress: &mut ImportProgress) -> Result<()> {
    work::work_off(tenant, &mut Catalogue::default(), progress).await
}

/// Maps refused orders again, with today's settings and products. See `wit/orders.wit`.
pub async fn retry(tenant: &Tenant<'_>, choice: &RetryChoice) -> Result<ImportProgress> {
    let unread = retry::release(tenant, choice)?;
    let run = unread.run;
    // Those that need no reading wait for no answer of Next Engine's.
    let read = unread.read(tenant).await;
    let tally = retried::work_off(tenant, run).await?;
    let mut progress = ImportProgress::default();
    let own = work::tell(tenant, tally, &mut progress)?;
    match read {
        Err(Error::BudgetSpent) => progress.more = true,
        read => read?,
    }
    retried::tell(tenant, run, own, &mut progress)?;
    if !progress.more {
        retry::end(tenant)?;
    }
    Ok(progress)
}
