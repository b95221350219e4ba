//! How long the console's pages take at the server: `cargo bench -p tsunagi --bench console`. A small shop as one day of the demo leaves it,
//! and the same shop with 100 000 rows in each history on a store of 1 000 shops, in one run. Prints the median of each page for the
//! operator and for the merchant; then what 1 000 shops cost that have nothing to do.

mod browser;
mod history;
mod idle;
mod world;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tsunagi::runtime::{Runtime, RuntimeConfig};

use browser::Browser;
use world::{Size, World};

/// What a page may take at the server.
const MOST: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Parser)]
struct Asked {
    /// Rows of each history.
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Shops of the store.
    #[arg(long, default_value_t = 1_000)]
    shops: usize,
    /// Looks at each page.
    #[arg(long, default_value_t = 15)]
    times: usize,
    /// Only the pages whose address holds this.
    #[arg(long, default_value = "")]
    only: String,
    /// Given by `cargo bench`; without it, as under `cargo test --benches`, nothing is measured.
    #[arg(long)]
    bench: bool,
}

/// The pages of a shop. `{old}` is a day in the middle of the long history, `{slip}` an order.
const PAGES: [&str; 31] = [
    "overview",
    "overview/days",
    "connection",
    "stock",
    "orders",
    "details",
    "notices",
    "changes",
    "compare",
    "align",
    "story?key={slip}",
    "story?key={code}",
    "received/order?slip={slip}",
    "sent",
    "sent?outcome=waiting",
    "sent?outcome=in-flight",
    "sent?outcome=returned",
    "sent?outcome=applied",
    "sent?outcome=not-sent&product=no-such",
    "sent?product=no-such",
    "sent?trigger=loss",
    "sent?store=2",
    "sent?first={old}&last={old}",
    "received",
    "received?outcome=registered",
    "received?outcome=refused",
    "received?outcome=needs-person",
    "received?slip=1",
    "received?slip={slip}",
    "received?shop=9",
    "received?first={old}&last={old}",
];
/// The operator's own.
const LISTS: [&str; 2] = ["/console", "/console/changes"];

type Row = (String, [Option<Duration>; 2]);

fn main() -> Result<()> {
    let asked = Asked::parse();
    if !asked.bench {
        println!("nothing is measured without --bench: cargo bench -p tsunagi --bench console");
        return Ok(());
    }
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    tokio.block_on(measure(&asked))
}

async fn measure(asked: &Asked) -> Result<()> {
    let cache = tempfile::tempdir()?;
    let config = RuntimeConfig {
        cache: Some(cache.path().join("compiled")),
        ..RuntimeConfig::default()
    };
    let runtime = tokio::task::spawn_blocking(move || Runtime::new(config)).await??;
    let stage = tsunagi::demo::played(runtime.clone()).await?;
    let small = World::of(&stage, &runtime, Size::default()).await?;
    println!("small: {}", small.told().await?);
    let few = looked(&small, asked).await?;
    let size = Size {
        rows: asked.rows,
        more_shops: asked.shops.saturating_sub(1),
    };
    let large = World::of(&stage, &runtime, size).await?;
    println!("large: {}", large.told().await?);
    let many = looked(&large, asked).await?;
    drop((small, large));
    print(&few, &many);
    idle::measure(&stage, &runtime, asked.shops).await?;
    stage.close().await;
    Ok(())
}

/// The median of each page, for the operator and for the merchant.
async fn looked(world: &World, asked: &Asked) -> Result<Vec<Row>> {
    let link = world.invitation(None).await?;
    let mut operator = Browser::signed_in(world.router(), &link, "oya").await?;
    let link = world.invitation(Some(world::SHOP)).await?;
    let mut merchant = Browser::signed_in(world.router(), &link, "ueno").await?;
    let mut rows = Vec::new();
    for page in PAGES.iter().filter(|page| page.contains(&asked.only)) {
        let path = format!("/console/t/{}/{}", world::SHOP, world.filled(page));
        let by_operator = median(operator.looks(&path, asked.times).await?);
        let by_merchant = median(merchant.looks(&path, asked.times).await?);
        rows.push(((*page).to_owned(), [by_operator, by_merchant]));
    }
    for page in LISTS.iter().filter(|page| page.contains(&asked.only)) {
        let took = median(operator.looks(page, asked.times).await?);
        rows.push(((*page).to_owned(), [took, None]));
    }
    Ok(rows)
}

fn median(mut took: Vec<Duration>) -> Option<Duration> {
    took.sort();
    took.get(took.len() / 2).copied()
}

fn print(few: &[Row], many: &[Row]) {
    let shown = |took: Option<Duration>| {
        took.map_or_else(String::new, |took| {
            format!("{:.1}", took.as_secs_f64() * 1e3)
        })
    };
    let ratio = |few: Option<Duration>, many: Option<Duration>| {
        let both = few.zip(many);
        both.map_or_else(String::new, |(few, many)| {
            format!("{:.1}", many.as_secs_f64() / few.as_secs_f64())
        })
    };
    println!(
        "\n{:40} {:>26} {:>26}\n{:40} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "median of a page, in ms",
        "operator",
        "merchant",
        "",
        "small",
        "large",
        "ratio",
        "small",
        "large",
        "ratio"
    );
    for ((page, few), (_, many)) in few.iter().zip(many) {
        let cells = few
            .iter()
            .zip(many)
            .flat_map(|(few, many)| [shown(*few), shown(*many), ratio(*few, *many)]);
        let cells: Vec<_> = cells.map(|cell| format!("{cell:>8}")).collect();
        println!("{page:40} {}", cells.join(" "));
    }
    let slow = many
        .iter()
        .filter(|(_, took)| took.iter().flatten().any(|took| *took > MOST));
    let slow: Vec<_> = slow.map(|(page, _)| page.as_str()).collect();
    let slow = if slow.is_empty() {
        "none".to_owned()
    } else {
        slow.join(", ")
    };
    println!("over {} ms: {slow}", MOST.as_millis());
}
