//! Long-running commands, and opening a shop as they and all others do. Decides nothing about orders or stock.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tsunagi_sandbox::{Sandbox, SandboxConfig, shop::demo_shop};

use super::{Common, Ending};
use crate::{
    clock::SystemClock,
    config::{Config, RuntimeKeys, TenantConfig},
    json,
    runtime::{AllowList, Limits, Runtime, RuntimeConfig, Surroundings},
    server::{self, Served, Service},
    storage::{Sqlite, Store},
    tenant::Tenant,
};

/// Everything the configuration names, opened.
pub struct Opened {
    /// The configuration.
    pub config: Config,
    /// Shops by name.
    pub tenants: BTreeMap<String, Arc<Tenant>>,
}

/// Reads the configuration and opens the store and the component.
pub async fn open(common: &Common) -> anyhow::Result<Opened> {
    let config = Config::load(&common.config)?;
    let runtime = runtime_config(&config.runtime, common.component.as_deref());
    let runtime = tokio::task::spawn_blocking(move || Runtime::new(runtime))
        .await?
        .map_err(anyhow::Error::from)?;
    let runtime = Arc::new(runtime);
    let store: Arc<dyn Store> =
        Arc::new(Sqlite::open(&config.store).with_context(|| config.store.display().to_string())?);
    let clock = Arc::new(SystemClock::new());
    let tenants = config.tenants.iter().map(|(name, tenant)| {
        let surroundings = Surroundings {
            store: store.clone(),
            tenant: name.clone(),
            clock: clock.clone(),
            allowed: AllowList::default(),
        };
        (
            name.clone(),
            Arc::new(Tenant::new(
                runtime.clone(),
                surroundings,
                tenant.allowed_hosts.clone(),
            )),
        )
    });
    Ok(Opened {
        tenants: tenants.collect(),
        config,
    })
}

fn runtime_config(keys: &RuntimeKeys, component: Option<&Path>) -> RuntimeConfig {
    let usual = Limits::default();
    RuntimeConfig {
        component: component
            .map(Path::to_owned)
            .or_else(|| keys.component.clone()),
        cache: keys.cache.clone(),
        limits: Limits {
            memory_bytes: keys
                .memory_megabytes
                .map_or(usual.memory_bytes, |megabytes| megabytes << 20),
            call: keys.call_seconds.map_or(usual.call, Duration::from_secs),
            calls: keys.calls.unwrap_or(usual.calls),
            ..usual
        },
    }
}

impl Opened {
    /// The shop a command means, ready to call.
    pub async fn one(&self, named: Option<&str>) -> anyhow::Result<Arc<Tenant>> {
        let tenant = match (named, self.tenants.len()) {
            (Some(name), _) => self
                .tenants
                .get(name)
                .with_context(|| format!("the configuration has no tenant {name}"))?,
            (None, 1) => self.tenants.values().next().context("no tenant")?,
            (None, 0) => bail!("the configuration has no tenant; add [tenants.<name>]"),
            (None, _) => bail!("the configuration has several tenants; name one with --tenant"),
        };
        tenant.allow_hosts().await?;
        Ok(tenant.clone())
    }
}

/// `serve`
pub async fn serve(common: &Common) -> anyhow::Result<Ending> {
    let opened = open(common).await?;
    for (name, config) in &opened.config.tenants {
        if let (Some(settings), Some(tenant)) = (&config.settings, opened.tenants.get(name)) {
            put_settings(tenant, settings)
                .await
                .with_context(|| format!("tenants.{name}.settings"))?;
        }
    }
    let served = |(name, config): (&String, &TenantConfig)| {
        let tenant = opened.tenants.get(name)?.clone();
        Some((
            name.clone(),
            Served {
                tenant,
                webhook_secret: config.webhook_secret.clone(),
            },
        ))
    };
    let service = Service {
        tenants: Arc::new(opened.config.tenants.iter().filter_map(served).collect()),
        api_token: opened.config.api_token.clone(),
        secure: opened.config.public_url.starts_with("https://"),
    };
    let listener = TcpListener::bind(opened.config.listen)
        .await
        .with_context(|| opened.config.listen.to_string())?;
    let running = server::start(service, listener, true)?;
    tracing::info!(
        "listening on {}; reached at {}",
        running.address,
        opened.config.public_url
    );
    tokio::signal::ctrl_c().await?;
    tracing::info!("finishing what is under way");
    running.stop().await;
    Ok(Ending::Done)
}

/// Lays settings over the stored ones and stores the whole.
pub async fn put_settings(tenant: &Tenant, given: &Value) -> anyhow::Result<()> {
    let settings = laid_over(tenant, given).await?;
    tenant
        .call("settings.put", json!({ "settings": settings }))
        .await?;
    Ok(())
}

/// Settings as they would be stored.
pub async fn laid_over(tenant: &Tenant, given: &Value) -> anyhow::Result<Value> {
    let mut settings = tenant.call("settings.get", json!({})).await?;
    json::lay(&mut settings, given);
    Ok(settings)
}

/// `sandbox`
pub async fn sandbox(common: &Common, empty: bool) -> anyhow::Result<Ending> {
    let now = tsunagi_sandbox::SandboxClock::system().now();
    let shop = (!empty).then(|| demo_shop(now));
    let sandbox = Sandbox::start(SandboxConfig {
        shop,
        ..SandboxConfig::default()
    })?;
    println!("{}", serde_json::to_string_pretty(&sandbox.describe())?);
    if !common.json {
        eprintln!(
            "{}",
            common
                .language()
                .of("Ctrl-C で終わります。", "Ctrl-C ends it.")
        );
    }
    tokio::signal::ctrl_c().await?;
    Ok(Ending::Done)
}
