//! What a shop's past costs: bytes of the SQLite file for each thousand orders, and how much longer one more order takes after a million of
//! them than after a thousand. The million are copies of what the component itself wrote for the thousand, by the guest's own types and under
//! numbers of their own (`benches/console/history.rs`); the import of the one order is real.

use std::{sync::Arc, time::Instant};

use anyhow::{Result, anyhow};
use rusqlite::Connection;
use tsunagi::storage::{Direction, Store, Write};

use crate::{
    Plan,
    field::{Field, SHOP, Services},
    figures::Figures,
    history::Past,
    shop,
    table::{Goal, Row},
    threads,
};

/// Orders that the component takes in itself.
const THOUSAND: u64 = 1_000;
/// Writes of one commit.
const AT_ONCE: usize = 1_500;

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    threads()?.block_on(grown(plan))
}

async fn grown(plan: &Plan) -> Result<Vec<Row>> {
    let field = Field::open(plan, &Services::instant(THOUSAND), 20).await?;
    let before = bytes(&field)?;
    field.import(THOUSAND).await?;
    let grew = (bytes(&field)? - before) / 1024.0;
    let times = plan.size(41, 11);
    let mut number = THOUSAND;
    let few = one_more(&field, &mut number, times).await?;
    let copies = plan.size(999, 19);
    lengthen(&field, copies).await?;
    let many = one_more(&field, &mut number, times).await?;
    let orders = THOUSAND * (copies + 1);
    let ms = |figures: &Figures| figures.median() * 1e3;
    Ok(vec![
        Row::one(
            "storage.growth",
            format!("storage for {THOUSAND} orders"),
            "KiB",
            grew,
        ),
        Row::one(
            "storage.long-past",
            format!("import of one order after {orders} orders ÷ after {THOUSAND}"),
            "",
            many.median() / few.median(),
        )
        .goal(Goal::AtMost(1.2))
        .note(format!("{:.1} ms ÷ {:.1} ms", ms(&many), ms(&few))),
    ])
}

/// Of the file, with everything in it that was written.
fn bytes(field: &Field) -> Result<f64> {
    let file = field.folder().join("store.sqlite");
    let connection = Connection::open(&file)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(std::fs::metadata(file)?.len() as f64)
}

/// Orders that come and are taken in one by one: what each import takes.
async fn one_more(field: &Field, number: &mut u64, times: u64) -> Result<Figures> {
    let mut took = Vec::new();
    for _ in 0..=times {
        *number += 1;
        let clock = field.sandbox.clock();
        clock.advance(std::time::Duration::from_secs(900));
        let order = shop::order(clock.now(), *number);
        let shipped = field.sandbox.next_engine(|next_engine| {
            let slip = next_engine.place(&order)?;
            next_engine.ship(slip)
        });
        shipped.map_err(|refused| anyhow!("{refused}"))?;
        let begun = Instant::now();
        field.import(1).await?;
        took.push(begun.elapsed());
    }
    // The first one after a break also finds cold pages.
    Ok(Figures::seconds(took.into_iter().skip(1)))
}

/// Copies of everything that was received, each under numbers of its own.
async fn lengthen(field: &Field, copies: u64) -> Result<()> {
    let store: Arc<dyn Store> = field.store.clone();
    let (begin, end) = (String::new(), "\u{10ffff}".to_owned());
    let rows = store
        .scan(SHOP, begin, end, Direction::Forward, u32::MAX)
        .await?;
    let past = Past::of(&rows)?;
    for copy in 1..=copies {
        let (writes, _): (Vec<Write>, usize) = past.received(copy)?;
        for writes in writes.chunks(AT_ONCE) {
            store.commit(SHOP, Vec::new(), writes.to_vec()).await?;
        }
    }
    Ok(())
}
