//! Long-running commands, and opening a shop as they and all others do. Decides nothing about orders or stock.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tsunagi_sandbox::{Sandbox, SandboxConfig, shop::demo_shop};

use super::{Common, Ending, failure::Usage, interrupt::Interrupt};
use crate::{
    clock::{SharedClock, SystemClock},
    config::Config,
    json,
    notices::Notices,
    runtime::{AllowList, Fault, Limits, Runtime, RuntimeConfig, Surroundings},
    server::{self, Service},
    shops::{Make, Shops},
    storage::{Sqlite, Store, beside, lock::Held},
    tenant::{CallError, Tenant},
};

/// How long what is under way may take after the first signal: a round may spend a minute, and a last answer.
const FINISHING: Duration = Duration::from_secs(80);

/// Everything the configuration names, opened.
pub struct Opened {
    /// The configuration.
    pub config: Config,
    /// The shops.
    pub shops: Shops,
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
    let store = Sqlite::open(&config.store).with_context(|| config.store.display().to_string())?;
    open_with(common, config, store).await
}

/// The same with nobody else beside it.
pub async fn open_held(common: &Common, held: Held) -> anyhow::Result<Opened> {
    let config = Config::load(&common.config)?;
    let store = Sqlite::open_held(&config.store, held)?;
    open_with(common, config, store).await
}

async fn open_with(common: &Common, config: Config, store: Sqlite) -> anyhow::Result<Opened> {
    let store: Arc<dyn Store> = Arc::new(store);
    let runtime = RuntimeConfig {
        record: common.record.clone(),
        ..runtime_config(&config, common.component.as_deref())
    };
    let runtime = tokio::task::spawn_blocking(move || Runtime::new(runtime))
        .await?
        .map_err(anyhow::Error::from)?;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let make = makes(runtime.clone(), store.clone(), clock.clone());
    let shops = Shops::open(store.clone(), make, &config.tenants).await?;
    Ok(Opened {
        shops,
        config,
        store,
        clock,
        runtime,
    })
}

fn makes(runtime: Runtime, store: Arc<dyn Store>, clock: SharedClock) -> Make {
    Box::new(move |name, hosts| {
        let surroundings = Surroundings {
            store: store.clone(),
            tenant: name.to_owned(),
            clock: clock.clone(),
            allowed: AllowList::default(),
        };
        Tenant::new(runtime.clone(), surroundings, hosts.to_vec())
    })
}

fn runtime_config(config: &Config, component: Option<&Path>) -> RuntimeConfig {
    let (keys, usual) = (&config.runtime, Limits::default());
    RuntimeConfig {
        component: component
            .map(Path::to_owned)
            .or_else(|| keys.component.clone()),
        cache: Some(
            keys.cache
                .clone()
                .unwrap_or_else(|| beside(&config.store, ".compiled")),
        ),
        limits: Limits {
            memory_bytes: keys
                .memory_megabytes
                .map_or(usual.memory_bytes, |megabytes| megabytes << 20),
            call: keys.call_seconds.map_or(usual.call, Duration::from_secs),
            calls: keys.calls.unwrap_or(usual.calls),
            ..usual
        },
        record: None,
    }
}

impl Opened {
    /// The shop a command means.
    pub fn one(&self, named: Option<&str>) -> Result<Tenant, Usage> {
        let none = |name: &str| {
            Usage(format!(
                "there is no shop {name}; `tsunagi tenants` lists them, `tsunagi tenants add {name}` adds it"
            ))
        };
        if let Some(name) = named {
            let found = self.shops.find(name);
            return found.map(|served| served.tenant).ok_or_else(|| none(name));
        }
        let mut all = self.shops.all().into_iter();
        match (all.next(), all.next()) {
            (Some(one), None) => Ok(one.tenant),
            (None, _) => Err(Usage(
                "there is no shop yet; `tsunagi tenants add <name>` adds one, or [tenants.<name>] in the configuration".to_owned(),
            )),
            (Some(_), Some(_)) => Err(Usage(
                "there are several shops; name one with --tenant (`tsunagi tenants` lists them)".to_owned(),
            )),
        }
    }

    /// Stores the settings that the configuration gives. All problems of all shops, each with its key and line.
    async fn put_configured(&self) -> anyhow::Result<()> {
        let mut found = Vec::new();
        for (name, config) in &self.config.tenants {
            let (Some(settings), Some(served)) = (&config.settings, self.shops.find(name)) else {
                continue;
            };
            match put_settings(&served.tenant, settings).await {
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
    let service = Service {
        shops: opened.shops.clone(),
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
        outln!(
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
    outln!("{}", serde_json::to_string_pretty(&sandbox.describe())?);
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
