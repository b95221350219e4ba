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
pub mod work;

use crate::{
    error::{Error, Result, Side},
    reason::Text,
    sync::{
        connection,
        report::{ImportProgress, RetryChoice},
        tenant::Tenant,
    },
};

pub use {
    overview::{booked_unshipped, refused_shipped, stores, under_way},
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
    work::work_off(tenant, &mut progress).await?;
    if progress.more {
        return Ok(progress);
    }
    match scan::scan(tenant, shops, &mut progress).await {
        Ok(()) => {}
        Err(Error::BudgetSpent) => progress.more = true,
        Err(error) => return Err(error),
    }
    work::work_off(tenant, &mut progress).await?;
    Ok(progress)
}

/// Works off what is recorded, without asking Next Engine. While the link is off only what was begun is followed to its end.
pub async fn settle(tenant: &Tenant<'_>) -> Result<ImportProgress> {
    let mut progress = ImportProgress::default();
    work::work_off(tenant, &mut progress).await?;
    Ok(progress)
}

/// Maps refused orders again, with today's settings and products. See `wit/orders.wit`.
pub async fn retry(tenant: &Tenant<'_>, choice: &RetryChoice) -> Result<ImportProgress> {
    retry::release(tenant, choice)?;
    settle(tenant).await
}
