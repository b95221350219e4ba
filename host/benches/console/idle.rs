//! What shops cost that have nothing to do: the whole server with its schedulers, and how much of a core it uses while nobody asks anything.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tsunagi::{
    clock::{SharedClock, SystemClock},
    demo::stage::Stage,
    runtime::Runtime,
    server,
    storage::{Sqlite, Store},
};

use crate::world;

/// So long it is looked at.
const LOOK: Duration = Duration::from_secs(20);
/// A stretch of which this share of a core is used counts as quiet: the first rounds are over.
const QUIET: f64 = 0.5;
const STRETCH: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(300);

pub async fn measure(stage: &Stage, runtime: &Runtime, shops: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.path().join("store.sqlite"))?);
    let names: Vec<String> = (1..shops).map(|at| format!("shop-{at:04}")).collect();
    let state = world::settings(stage).await?;
    for name in names.iter().map(String::as_str).chain([world::SHOP]) {
        world::put(&store, name, state.clone()).await?;
    }
    let clock: SharedClock = Arc::new(SystemClock::new());
    let service = world::service(runtime, &store, &clock, &names).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let begun = Instant::now();
    let running = server::start(service, listener, true)?;
    while used(STRETCH).await? > QUIET && begun.elapsed() < PATIENCE {}
    let settled = begun.elapsed().saturating_sub(STRETCH);
    let share = used(LOOK).await?;
    println!(
        "\n{shops} shops that are off: their first rounds took {:.0} s, then {:.1} % of a core",
        settled.as_secs_f64(),
        share * 100.0
    );
    running.stop().await;
    Ok(())
}

/// The share of a core that this process uses in so long a time.
async fn used(time: Duration) -> Result<f64> {
    let (begun, before) = (Instant::now(), spent()?);
    tokio::time::sleep(time).await;
    Ok((spent()? - before).as_secs_f64() / begun.elapsed().as_secs_f64())
}

/// Processor time of this process so far.
fn spent() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("only Linux tells this")?;
    let behind = stat.rsplit(')').next().context("the process's name ends")?;
    let ticks = behind.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    // Linux counts in hundredths for everybody who reads this file.
    Ok(Duration::from_millis(ticks * 10))
}
