//! Speed, measured: `cargo bench -p tsunagi --bench speed`. Prints one table, medians with their spread beside the goals, and writes the
//! same as JSON. Ratios are of one run on one machine. A missed goal is a line of the table and no failure: a benchmark asserts no times.
//!
//! Names after `--` choose rows; `--quick` takes fewer orders; `--record` writes the table into the README, with the rows that were measured.

mod field;
mod figures;
#[path = "../console/history.rs"]
#[expect(dead_code, reason = "the other benchmark copies what was sent, too")]
mod history;
mod idle;
mod import;
mod instance;
mod others;
mod replay;
mod requests;
mod rules;
mod serving;
mod shop;
mod start;
mod storage;
mod table;
mod webhooks;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tsunagi::runtime::{Runtime, RuntimeConfig};

use table::{Row, Table};

/// What is asked for.
#[derive(Parser)]
struct Asked {
    /// Rows to measure, by the beginnings of their names; all of them when there are none.
    names: Vec<String>,
    /// Fewer orders and shorter looks, to see that it works.
    #[arg(long)]
    quick: bool,
    /// Another component than the embedded one.
    #[arg(long)]
    component: Option<std::path::PathBuf>,
    /// Write the table of what is measured into README.md.
    #[arg(long)]
    record: bool,
    /// Given by `cargo bench`; without it, as under `cargo test --benches`, nothing is measured.
    #[arg(long)]
    bench: bool,
    /// Only so many idle shops, for the process of their own.
    #[arg(long, hide = true, requires = "cache")]
    idle: Option<usize>,
    /// Where that process finds compiled code.
    #[arg(long, hide = true)]
    cache: Option<std::path::PathBuf>,
}

/// What every row is measured with.
pub struct Plan {
    /// The component, compiled once and kept.
    pub runtime: Runtime,
    /// Where its compiled code is kept.
    pub cache: std::path::PathBuf,
    /// Fewer of everything.
    pub quick: bool,
}

impl Plan {
    /// One of two sizes.
    pub fn size<T>(&self, whole: T, quick: T) -> T {
        if self.quick { quick } else { whole }
    }
}

/// A family's measuring.
type Measure = fn(&Plan) -> Result<Vec<Row>>;

/// Families of rows, in the table's order. Each name is the beginning of its rows' names.
const FAMILIES: [(&str, Measure); 8] = [
    ("rules", rules::measure),
    ("instance", instance::measure),
    ("requests", requests::measure),
    ("import", import::measure),
    ("webhooks", webhooks::measure),
    ("idle", idle::measure),
    ("start", start::measure),
    ("storage", storage::measure),
];

fn main() -> Result<()> {
    let asked = Asked::parse();
    if !asked.bench {
        println!("nothing is measured without --bench: cargo bench -p tsunagi --bench speed");
        return Ok(());
    }
    if let (Some(shops), Some(cache)) = (asked.idle, &asked.cache) {
        return idle::child(shops, cache);
    }
    let chosen = chosen(&asked.names)?;
    let whole = !asked.quick && asked.component.is_none();
    ensure!(
        !asked.record || whole,
        "only full sizes of the embedded component are recorded"
    );
    let folder = tempfile::tempdir()?;
    let plan = plan(folder.path(), &asked)?;
    let mut table = Table::new(asked.quick);
    for (name, measure) in chosen {
        eprintln!("{name} …");
        table.add(measure(&plan).with_context(|| name.to_owned())?);
    }
    println!("\n{table}");
    println!("{}", table.keep()?.display());
    if asked.record {
        table.record()?;
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<(&'static str, Measure)>> {
    let known = |name: &&String| FAMILIES.iter().any(|(family, _)| family == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = FAMILIES.iter().map(|(family, _)| *family).collect();
        anyhow::bail!("there is no {name}; there are {}", all.join(", "));
    }
    let asked = |family: &str| names.is_empty() || names.iter().any(|name| name == family);
    let chosen = FAMILIES.into_iter().filter(|(family, _)| asked(family));
    Ok(chosen.collect())
}

fn plan(folder: &std::path::Path, asked: &Asked) -> Result<Plan> {
    let cache = folder.join("compiled");
    let config = RuntimeConfig {
        component: asked.component.clone(),
        cache: Some(cache.clone()),
        ..RuntimeConfig::default()
    };
    Ok(Plan {
        runtime: Runtime::new(config)?,
        cache,
        quick: asked.quick,
    })
}

/// A runtime of this machine's threads, as the program has it.
pub fn threads() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.enable_all().build()?)
}
