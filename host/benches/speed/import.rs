//! Orders in real time, whole host: every request takes 50 ms at the services, once with Smaregi's limit of 20 writes a second and once
//! without. Beside it the same orders by a plain script in Node and in Python that keeps no ledger, and by our component in both.

use std::time::{Duration, Instant};

use anyhow::Result;
use tsunagi_sandbox::{ServiceName, smaregi::Limits};

use crate::{
    Plan,
    field::{Field, Services},
    others,
    table::{Goal, Row},
    threads,
};

/// Milliseconds of a request.
const LATENCY: u64 = 50;
/// Requests in flight, as the settings say.
pub const PARALLEL: u64 = 8;
/// Smaregi's limit, and the setting that keeps to it.
const WRITES: u32 = 20;
/// A setting that does not slow anything down at eight requests of 50 ms.
const FREELY: u32 = 200;

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let orders = plan.size(1_000, 200);
    let mut rows = threads()?.block_on(limited(plan, orders))?;
    rows.extend(threads()?.block_on(free(plan, orders))?);
    rows.extend(others::measure(&services(orders, Limits::None), FREELY)?);
    Ok(rows)
}

fn services(orders: u64, limits: Limits) -> Services {
    Services {
        orders,
        real_time: true,
        latency: LATENCY,
        limits,
    }
}

async fn imported(field: &Field, orders: u64) -> Result<Duration> {
    let begun = Instant::now();
    field.import(orders).await?;
    Ok(begun.elapsed())
}

async fn limited(plan: &Plan, orders: u64) -> Result<Vec<Row>> {
    let field = Field::open(plan, &services(orders, Limits::Production), WRITES).await?;
    let took = imported(&field, orders).await?.as_secs_f64();
    let least = orders as f64 / f64::from(WRITES);
    let all = field.requests(ServiceName::Smaregi, "");
    let refused = field
        .sandbox
        .world(|world| world.counters.status(ServiceName::Smaregi, 429));
    let what =
        format!("import of {orders} orders, {LATENCY} ms a request, {WRITES} writes a second");
    Ok(vec![
        Row::one("import.limited", what.clone(), "s", took).goal(Goal::AtMost(1.05 * least)),
        Row::one(
            "import.refused",
            format!("{what}: answers 429"),
            "%",
            refused as f64 / all * 100.0,
        )
        .goal(Goal::AtMost(1.0)),
    ])
}

async fn free(plan: &Plan, orders: u64) -> Result<Vec<Row>> {
    let field = Field::open(plan, &services(orders, Limits::None), FREELY).await?;
    let took = imported(&field, orders).await?.as_secs_f64();
    let both = [ServiceName::Smaregi, ServiceName::NextEngine];
    let requests: f64 = both
        .iter()
        .map(|service| field.requests(*service, ""))
        .sum();
    let least = requests * LATENCY as f64 / 1e3 / PARALLEL as f64;
    let what = format!("the same without a limit, {PARALLEL} at once, whole host");
    Ok(vec![
        Row::one("import.free", what, "s", took)
            .goal(Goal::AtMost(1.15 * least))
            .note(format!(
                "{:.2} × ({requests} requests × {LATENCY} ms ÷ {PARALLEL})",
                took / least
            )),
    ])
}
