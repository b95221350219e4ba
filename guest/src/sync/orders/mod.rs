//! Orders in: sales taken in Next Engine become Smaregi transactions, each once. The flow; the rules are in `rules`.
//!
//! [`scan`] stores what changed, [`work`] works it off: [`plan`] says what a slip needs, [`effects`] and [`moves`] do it in Smaregi,
//! [`settling`] writes down what came of it. [`reading`] is the way to Next Engine, [`crate::sync::lookup`] the one to Smaregi's products.

pub mod bench;
pub mod effects;
pub mod journal;
pub mod moves;
pub mod overview;
pub mod plan;
pub mod preview;
pub mod reading;
pub mod records;
pub mod retry;
pub mod scan;
pub mod settling;
#[cfg(test)]
mod tests;
pub mod words;
pub mod work;

use crate::{
    error::{Error, Result, Side},
    reason::Text,
    sync::{
        connection,
        lookup::Catalogue,
        report::{ImportProgress, RetryChoice},
        tenant::Tenant,
    },
};

pub use {
    overview::{booked_unshipped, refused_shipped, stores},
    preview::preview,
    work::has_open_work,
};

/// 手動取込 of one Next Engine shop. See `wit/orders.wit`.
pub async fn import_shop(tenant: &Tenant<'_>, shop_id: &str) -> Result<ImportProgress> {
    if tenant.settings.orders.receiving_store(shop_id).is_none() {
        return Err(Error::NotFound("receiving-store", shop_id.to_owned()));
    }
    import_due(tenant, &[shop_id.to_owned()]).await
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
    // What an earlier slice left comes first: searching again before it is done would cost a call that learns nothing.
    let mut catalogue = Catalogue::default();
    let trouble = outage(work::work_off(tenant, &mut catalogue, &mut progress).await)?;
    if progress.more {
        return Ok(progress);
    }
    match scan::scan(tenant, shops, &mut progress).await {
        Ok(()) => {}
        Err(Error::BudgetSpent) => progress.more = true,
        Err(error) => return Err(error),
    }
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    work::work_off(tenant, &mut catalogue, &mut progress).await?;
    Ok(progress)
}

/// Trouble with Smaregi does not stop the reading of Next Engine: it is told when that is done.
fn outage(result: Result<()>) -> Result<Option<Error>> {
    match result {
        Ok(()) => Ok(None),
        Err(
            error @ (Error::Unavailable(Side::Smaregi, ..)
            | Error::Refused(Side::Smaregi, ..)
            | Error::NotConnected(Side::Smaregi, _)),
        ) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Works off what is recorded, without asking Next Engine. While the link is off only what was begun is followed to its end.
pub async fn settle(tenant: &Tenant<'_>) -> Result<ImportProgress> {
    let mut progress = ImportProgress::default();
    work::work_off(tenant, &mut Catalogue::default(), &mut progress).await?;
    Ok(progress)
}

/// Maps refused orders again, with today's settings and products. See `wit/orders.wit`.
pub async fn retry(tenant: &Tenant<'_>, choice: &RetryChoice) -> Result<ImportProgress> {
    retry::release(tenant, choice)?;
    let progress = settle(tenant).await?;
    if !progress.more {
        retry::end(tenant)?;
    }
    Ok(progress)
}
