//! `operator`: one-time invitations to the console. Needs no component, and looks at no shop.

use std::sync::Arc;

use anyhow::Context;
use chrono::Utc;
use serde_json::json;

use super::{Common, Ending, failure::Usage};
use crate::{
    config::Config,
    console,
    records::Records,
    shops::book,
    storage::{Sqlite, Store},
};

/// Prints a link.
pub async fn invite(common: &Common, account: Option<String>) -> anyhow::Result<Ending> {
    let config = Config::load(&common.config)?;
    let store = Sqlite::open(&config.store).with_context(|| config.store.display().to_string())?;
    let store: Arc<dyn Store> = Arc::new(store);
    if let Some(shop) = &common.tenant
        && !config.tenants.contains_key(shop)
        && book::find(&Records::new(store.clone()), shop)
            .await?
            .is_none()
    {
        let what = format!("there is no shop {shop}; `tsunagi tenants` lists them");
        return Err(Usage(what).into());
    }
    let (shop, url) = (common.tenant.clone(), config.public_url.as_str());
    let named = account.clone().unwrap_or_default();
    let link = console::invitation_link(store, url, shop, account, Utc::now()).await?;
    let Some((address, expires_at)) = link else {
        return Err(Usage(format!(
            "the console has no account {named}; without --account a new one is invited"
        ))
        .into());
    };
    if common.json {
        outln!(
            "{:#}",
            json!({ "address": address, "expires-at": expires_at })
        );
        return Ok(Ending::Done);
    }
    let said = common.language().of(
        "一度だけ使えるリンクです。ブラウザで開き、パスワードを決めてください。期限:",
        "A link that works once: open it in a browser and choose a password. Good until:",
    );
    outln!("{address}");
    eprintln!("{said} {}", console::moment(&expires_at.to_rfc3339()));
    Ok(Ending::Done)
}
