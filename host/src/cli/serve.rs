//! Long-running commands, and opening a shop as they and all others do. Decides nothing about orders or stock.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tsunagi_sandbox::{Sandbox, SandboxConfig, shop::demo_shop};

use super::{Common, Ending, failure::Usage, interrupt::Interrupt};
use crate::{
    clock::{SharedClock, SystemClock},
    config::{Config, TenantConfig},
    json,
    notices::Notices,
    runtime::{AllowList, Fault, Limits, Runtime, RuntimeConfig, Surroundings},
    server::{self, Served, Service},
    storage::{Sqlite, Store},
    tenant::{CallError, Tenant},
};

/// How long what is under way may take after the first signal: a round may spend a minute, and a last answer.
const FINISHING: Duration = Duration::from_secs(80);

/// Everything the configuration names, opened.
pub struct Opened {
    /// The configuration.
    pub config: Config,
    /// Shops by name.
    pub tenants: BTreeMap<String, Tenant>,
    /// Everything that is kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: SharedClock,
    runtime: Runtime,
}

/// Reads the configuration and opens the store and the component.
pub async fn open(common: &Common) -> anyhow::Result<Opened> {
    let config = Config::load(&common.config)?;
    // The store first: what is wrong with it is told before anything is compiled.
    let store: Arc<dyn Store> =
        Arc::new(Sqlite::open(&config.store).with_context(|| config.store.display().to_string())?);
    let runtime = runtime_config(&config, common.component.as_deref());
    let runtime = tokio::task::spawn_blocking(move || Runtime::new(runtime))
        .await?
        .map_err(anyhow::Error::from)?;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let tenants = config.tenants.iter().map(|(name, tenant)| {
        let surroundings = Surroundings {
            store: store.clone(),
            tenant: name.clone(),
            clock: clock.clone(),
            allowed: AllowList::default(),
        };
        (
            name.clone(),
            Tenant::new(runtime.clone(), surroundings, tenant.allowed_hosts.clone()),
        )
    });
    Ok(Opened {
        tenants: tenants.collect(),
        config,
        store,
        clock,
        runtime,
    })
}

fn runtime_config(config: &Config, component: Option<&Path>) -> RuntimeConfig {
    let (keys, usual) = (&config.runtime, Limits::default());
    let mut beside = config.store.clone().into_os_string();
    beside.push(".compiled");
    RuntimeConfig {
        component: component
            .map(Path::to_owned)
            .or_else(|| keys.component.clone()),
        cache: Some(keys.cache.clone().unwrap_or_else(|| beside.into())),
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
    /// The shop a command means.
    pub fn one(&self, named: Option<&str>) -> Result<Tenant, Usage> {
        match (named, self.tenants.len()) {
            (Some(name), _) => self
                .tenants
                .get(name)
                .cloned()
                .ok_or_else(|| Usage(format!("the configuration has no tenant {name}"))),
            (None, 0 | 1) => self.tenants.values().next().cloned().ok_or_else(|| {
                Usage("the configuration has no tenant; add [tenants.<name>]".to_owned())
            }),
            (None, _) => Err(Usage(
                "the configuration has several tenants; name one with --tenant".to_owned(),
            )),
        }
    }

    /// Stores the settings that the configuration gives. All problems of all shops, each with its key and line.
    async fn put_configured(&self) -> anyhow::Result<()> {
        let mut found = Vec::new();
        for (name, config) in &self.config.tenants {
            let (Some(settings), Some(tenant)) = (&config.settings, self.tenants.get(name)) else {
                continue;
            };
            match put_settings(tenant, settings).await {
                Ok(()) => {}
                Err(error) => found.extend(problems(name, error)?),
            }
        }
        if found.is_empty() {
            Ok(())
        } else {
            Err(self.config.problems(found).into())
        }
    }
}

/// Keys and what is wrong with them; any other error as it is.
fn problems(tenant: &str, error: CallError) -> anyhow::Result<Vec<(String, String)>> {
    match error {
        CallError::Fault(Fault::Misfit(misfit)) => Ok(vec![(
            format!("tenants.{tenant}.{}", misfit.place),
            misfit.problem,
        )]),
        CallError::Contract(error) if error.kind == "invalid" => {
            let each = error.problems("en").into_iter();
            let each =
                each.map(|(field, what)| (format!("tenants.{tenant}.settings.{field}"), what));
            Ok(each.collect())
        }
        other => Err(anyhow::Error::from(other).context(format!("tenants.{tenant}.settings"))),
    }
}

/// `serve`
pub async fn serve(common: &Common, mut interrupt: Interrupt) -> anyhow::Result<Ending> {
    let opened = open(common).await?;
    opened.put_configured().await?;
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
        public_url: opened.config.public_url.clone(),
        store: opened.store.clone(),
        clock: opened.clock.clone(),
        notices: Notices::new(
            opened.store.clone(),
            opened.clock.clone(),
            &opened.config.public_url,
            &opened.config.notices,
        )
        .context("notices.smtp.host")?,
    };
    let listener = TcpListener::bind(opened.config.listen)
        .await
        .with_context(|| opened.config.listen.to_string())?;
    let running = server::start(service, listener, true)?;
    let public_url = &opened.config.public_url;
    tracing::info!("listening on {}; reached at {public_url}", running.address);
    if common.json {
        println!(
            "{:#}",
            json!({ "listening": running.address.to_string(), "public-url": public_url })
        );
    }
    interrupt.asked().await;
    let finished = async {
        running.stop().await;
        // A client may have gone while its call goes on.
        opened.runtime.idle().await;
    };
    if tokio::time::timeout(FINISHING, finished).await.is_err() {
        tracing::warn!("what is under way took too long; it goes on at the next start");
    }
    Ok(Ending::Done)
}

/// Lays settings over the stored ones and stores the whole.
pub async fn put_settings(tenant: &Tenant, given: &Value) -> Result<(), CallError> {
    let settings = laid_over(tenant, given).await?;
    tenant
        .call("settings.put", json!({ "settings": settings }))
        .await?;
    Ok(())
}

/// Settings as they would be stored.
pub async fn laid_over(tenant: &Tenant, given: &Value) -> Result<Value, CallError> {
    let mut settings = tenant.call("settings.get", json!({})).await?;
    json::lay(&mut settings, given);
    Ok(settings)
}

/// `sandbox`
pub async fn sandbox(
    common: &Common,
    empty: bool,
    config: SandboxConfig,
    mut interrupt: Interrupt,
) -> anyhow::Result<Ending> {
    let now = tsunagi_sandbox::SandboxClock::system().now();
    let shop = (!empty).then(|| demo_shop(now));
    let sandbox = Sandbox::start(SandboxConfig { shop, ..config })?;
    println!("{}", serde_json::to_string_pretty(&sandbox.describe())?);
    if !common.json {
        eprintln!(
            "{}",
            common
                .language()
                .of("Ctrl-C で終わります。", "Ctrl-C ends it.")
        );
    }
    interrupt.asked().await;
    Ok(Ending::Done)
}
