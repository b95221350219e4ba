//! Many shops served by this host's own server from a SQLite file: what rows about webhooks and idle shops stand on. Measures nothing.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use secrecy::SecretString;
use serde_json::{Value, json};
use tsunagi::{
    clock::{SharedClock, SystemClock},
    config::{NoticesConfig, TenantConfig},
    notices::Notices,
    runtime::Runtime,
    server::Service,
    shops::{Make, Shops},
    storage::{Direction, Sqlite, Store, Write},
};

use crate::field;

/// What each shop's webhooks carry.
pub const SECRET: &str = "speed-webhook-secret";

/// A shop's name.
pub fn name(at: usize) -> String {
    format!("shop-{at:05}")
}

/// So many shops with these settings, switched off, in a new store.
pub async fn serve(
    runtime: &Runtime,
    file: &Path,
    shops: usize,
    settings: &Value,
) -> Result<Service> {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(file)?);
    let clock: SharedClock = Arc::new(SystemClock::new());
    let first = field::tenant(runtime, store.clone(), &name(0), clock.clone());
    first
        .call("settings.put", json!({ "settings": settings }))
        .await?;
    let (begin, end) = ("settings".to_owned(), "settings\u{1}".to_owned());
    let rows = store
        .scan(&name(0), begin, end, Direction::Forward, 1)
        .await?;
    let row = rows.into_iter().next().context("the settings are stored")?;
    for at in 1..shops {
        let write = Write {
            key: row.key.clone(),
            value: Some(row.value.clone()),
        };
        store.commit(&name(at), Vec::new(), vec![write]).await?;
    }
    let (by, of, made) = (clock.clone(), store.clone(), runtime.clone());
    let make: Make = Box::new(move |name, _| field::tenant(&made, of.clone(), name, by.clone()));
    let configured = (0..shops).map(|at| {
        let config = TenantConfig {
            webhook_secret: SecretString::from(SECRET),
            allowed_hosts: Vec::new(),
            settings: None,
        };
        (name(at), config)
    });
    let url = "http://127.0.0.1:8080";
    Ok(Service {
        shops: Shops::open(store.clone(), make, &configured.collect()).await?,
        api_token: None,
        public_url: url.to_owned(),
        notices: Notices::new(store.clone(), clock.clone(), url, &NoticesConfig::default())?,
        store,
        clock,
    })
}
