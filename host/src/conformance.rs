//! The conformance kit (`tests/conformance`) on this host, and the other side of its HTTP checks for whoever runs it elsewhere. The
//! checks are the kit's own; nothing here decides what a platform must keep.

mod peer;

use std::{path::Path, sync::Arc};

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

pub use peer::Peer;

use crate::{
    clock::SystemClock,
    runtime::{AllowList, Limits, Runtime, RuntimeConfig, Surroundings},
    storage::{Sqlite, Store},
};

/// The kit as a component.
pub static KIT: &[u8] = include_bytes!(env!("TSUNAGI_KIT_FILE"));

/// Instances on one storage at once, and the turns that each takes.
const INSTANCES: u32 = 4;
const TURNS: u32 = 50;

/// Runs the whole kit on this host: a fresh SQLite file, which is opened again before the last check. Its findings, as the contract
/// spells them.
///
/// # Errors
/// When the kit does not come to its end.
pub async fn run() -> anyhow::Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("conformance.sqlite");
    run_on(|| Ok(Arc::new(Sqlite::open(&file)?))).await
}

/// The same on any store; `open` gives it anew, as after a death.
///
/// # Errors
/// As [`run`].
pub async fn run_on(
    open: impl Fn() -> anyhow::Result<Arc<dyn Store>>,
) -> anyhow::Result<Vec<Value>> {
    let peer = Peer::start().await?;
    let runtime = tokio::task::spawn_blocking(runtime).await??;
    let store = open()?;
    let world = surroundings(store.clone(), &peer);
    let found = ask(
        &runtime,
        &world,
        "checks.run",
        &json!({ "peer": peer.address() }),
    )
    .await?;
    let mut findings = found.as_array().cloned().context("no list of findings")?;
    contend(&runtime, &world).await?;
    let turns = json!({ "turns": INSTANCES * TURNS });
    findings.push(ask(&runtime, &world, "checks.contended", &turns).await?);
    drop((world, store));
    let again = surroundings(open()?, &peer);
    findings.push(ask(&runtime, &again, "checks.survived", &Value::Null).await?);
    Ok(findings)
}

fn runtime() -> anyhow::Result<Runtime> {
    let config = RuntimeConfig {
        limits: Limits {
            calls: INSTANCES,
            ..Limits::default()
        },
        ..RuntimeConfig::default()
    };
    Ok(Runtime::of(KIT, config)?)
}

fn surroundings(store: Arc<dyn Store>, peer: &Peer) -> Surroundings {
    let allowed = AllowList::default();
    allowed.set([peer.address().to_owned()]);
    Surroundings {
        store,
        tenant: "kit".to_owned(),
        clock: Arc::new(SystemClock::new()),
        allowed,
    }
}

async fn ask(
    runtime: &Runtime,
    world: &Surroundings,
    function: &str,
    arguments: &Value,
) -> anyhow::Result<Value> {
    let answer = runtime.call(world, function, arguments).await?;
    answer.map_err(|error| anyhow!("{function}: {error}"))
}

async fn contend(runtime: &Runtime, world: &Surroundings) -> anyhow::Result<()> {
    let turns = json!({ "turns": TURNS });
    let one = || ask(runtime, world, "checks.contend", &turns);
    let all = futures_util::future::join_all((0..INSTANCES).map(|_| one())).await;
    for ended in all {
        ended?;
    }
    Ok(())
}

/// Writes the kit.
///
/// # Errors
/// When the file cannot be written.
pub fn write(to: &Path) -> anyhow::Result<()> {
    std::fs::write(to, KIT).with_context(|| to.display().to_string())
}

#[cfg(test)]
mod tests;
