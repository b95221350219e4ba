//! Shops with nothing to do, in a process of their own: one round of the schedule for each, as many at a time as the scheduler lets, and the
//! memory of the whole server once its schedulers rest.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tsunagi::{
    runtime::{Runtime, RuntimeConfig},
    server::{self, Service},
};

use crate::{
    Plan,
    field::{Services, number},
    serving, shop,
    table::{Goal, Row},
    threads,
};

/// A stretch in which less than this share of a core is used counts as rest.
const REST: f64 = 0.3;
const STRETCH: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(180);

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let shops = plan.size(10_000, 1_000);
    let output = Command::new(std::env::current_exe()?)
        .args(["--bench", "--idle", &shops.to_string(), "--cache"])
        .arg(&plan.cache)
        .output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{}", said());
    let told: Value = serde_json::from_str(told.trim()).with_context(said)?;
    let of = |name: &str| told.get(name).and_then(Value::as_f64).context("a figure");
    let what = format!("{shops} idle tenants");
    let first = format!(
        "the first, which also learns their hosts: {:.1} s",
        of("first")?
    );
    Ok(vec![
        Row::one(
            "idle.round",
            format!("{what}: one round of the schedule"),
            "s",
            of("second")?,
        )
        .goal(Goal::AtMost(5.0))
        .note(first),
        Row::one(
            "idle.memory",
            format!("{what}: memory of the host"),
            "MiB",
            of("memory")?,
        )
        .goal(Goal::AtMost(300.0))
        .note(format!("{:.0} MiB at most on the way", of("most")?)),
    ])
}

/// What the process of its own does: prints its figures as one JSON object.
pub fn child(shops: usize, cache: &Path) -> Result<()> {
    let config = RuntimeConfig {
        cache: Some(cache.to_owned()),
        ..RuntimeConfig::default()
    };
    let runtime = Runtime::new(config)?;
    let figures = threads()?.block_on(figures(&runtime, shops))?;
    println!("{figures}");
    Ok(())
}

async fn figures(runtime: &Runtime, shops: usize) -> Result<Value> {
    let settings = {
        let sandbox = Services::instant(0).start()?;
        shop::settings(&sandbox.describe(), 20)
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("store.sqlite");
    let service = serving::serve(runtime, &file, shops, &settings).await?;
    let first = round(&service).await?;
    let second = round(&service).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let running = server::start(service, listener, true)?;
    let begun = Instant::now();
    while used().await? > REST && begun.elapsed() < PATIENCE {}
    let figures = json!({
        "first": first.as_secs_f64(), "second": second.as_secs_f64(), "memory": mebibytes("VmRSS")?, "most": mebibytes("VmHWM")?,
    });
    running.stop().await;
    Ok(figures)
}

/// One round of every shop.
async fn round(service: &Service) -> Result<Duration> {
    let begun = Instant::now();
    let rounds = service.shops.all().into_iter().map(|served| {
        tokio::spawn(async move {
            let _turn = served.tenant.turn().await;
            let budget = json!({ "budget": { "requests": 500, "seconds": 60 } });
            served.tenant.call("schedule.run", budget).await
        })
    });
    for done in try_join_all(rounds).await? {
        ensure!(
            number(&done?, "orders-registered") == 0,
            "an idle shop has nothing to do"
        );
    }
    Ok(begun.elapsed())
}

/// The share of a core that this process uses over a stretch.
async fn used() -> Result<f64> {
    let before = spent()?;
    tokio::time::sleep(STRETCH).await;
    Ok((spent()? - before) / STRETCH.as_secs_f64())
}

/// Seconds of processor time so far; Linux counts in hundredths.
fn spent() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("only Linux tells this")?;
    let behind = stat.rsplit(')').next().context("the process's name ends")?;
    let ticks = behind.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

fn mebibytes(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.context("only Linux tells this")?.parse::<f64>()? / 1024.0)
}
