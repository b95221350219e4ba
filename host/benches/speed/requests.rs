//! Requests, counted by the services' doubles: for orders that are taken in, and for stock that moves. Time stands still in them, so that
//! nothing but the count is told.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tsunagi_sandbox::{ServiceName, World, smaregi::Hook, webhook::Webhook};

use crate::{
    Plan,
    field::{Field, Services, number},
    shop::{PRODUCTS, STORE},
    table::{Goal, Row},
    threads,
};

/// Webhooks that come together.
const SWARM: u64 = 100;
/// More looks than an upload takes by far.
const MOST_LOOKS: u32 = 50;

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    threads()?.block_on(async {
        let mut rows = orders(plan).await?;
        rows.extend(stock(plan).await?);
        Ok(rows)
    })
}

async fn orders(plan: &Plan) -> Result<Vec<Row>> {
    let orders = plan.size(1_000, 200);
    let field = Field::open(plan, &Services::instant(orders), 20).await?;
    field.import(orders).await?;
    let of = |service| field.requests(service, "");
    // So much beside one write for each order, and every thousand takes a page more.
    let most = Goal::AtMost(orders as f64 + 30.0);
    Ok(vec![
        Row::one(
            "requests.smaregi",
            format!("requests to Smaregi for {orders} orders"),
            "",
            of(ServiceName::Smaregi),
        )
        .goal(most),
        Row::one(
            "requests.next-engine",
            format!("requests to Next Engine for {orders} orders"),
            "",
            of(ServiceName::NextEngine),
        )
        .goal(Goal::AtMost(3.0)),
    ])
}

async fn stock(plan: &Plan) -> Result<Vec<Row>> {
    let movements = plan.size(10_000, 2_000);
    let field = Field::open(plan, &Services::instant(0), 20).await?;
    let hook = Hook {
        url: "http://127.0.0.1:9/".to_owned(),
        header: ("x-tsunagi-secret".to_owned(), "not used".to_owned()),
    };
    field
        .sandbox
        .smaregi(|smaregi| smaregi.set_hook(Some(hook)));
    // What moved in the moment of switching on is not sent.
    field.sandbox.clock().advance(Duration::from_secs(60));
    // The first upload of a shop's life goes alone, to see what uploads do there.
    let first = field.sandbox.world(|world| moved(world, 0, 1))?;
    try_join_all(first.iter().map(|webhook| take_in(&field, webhook))).await?;
    send(&field).await?;
    field.sandbox.world(|world| world.counters.reset());
    for first in (0..movements).step_by(usize::try_from(SWARM)?) {
        let swarm = field.sandbox.world(|world| moved(world, first, SWARM))?;
        let taken = swarm.iter().map(|webhook| take_in(&field, webhook));
        try_join_all(taken).await?;
    }
    let applied = send(&field).await?;
    ensure!(
        applied == PRODUCTS,
        "{applied} of {PRODUCTS} products were applied"
    );
    let what = format!("{movements} movements of {PRODUCTS} products, webhooks {SWARM} at a time");
    let of = |endpoint| field.requests(ServiceName::NextEngine, endpoint);
    Ok(vec![
        Row::one(
            "requests.uploads",
            format!("{what}: uploads"),
            "",
            of("/upload"),
        )
        .goal(Goal::AtMost(1.0)),
        Row::one(
            "requests.movements",
            format!("{what}: requests to Next Engine"),
            "",
            of(""),
        )
        .goal(Goal::AtMost(10.0)),
        Row::one(
            "requests.changes",
            format!("{what}: requests to Smaregi"),
            "",
            field.requests(ServiceName::Smaregi, ""),
        ),
    ])
}

/// So many movements, of every kind in turn, each of the next product; their webhooks. Every product ends elsewhere than it began.
pub fn moved(world: &mut World, first: u64, count: u64) -> Result<Vec<Webhook>> {
    for at in first..first + count {
        let (smaregi, product) = (&mut world.smaregi, 1 + at % PRODUCTS);
        let done = match at % 3 {
            0 => smaregi.loss(product, STORE, 2),
            1 => smaregi.purchase(product, STORE, 5),
            _ => smaregi.correct(product, STORE, 7),
        };
        done.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    }
    let webhooks = world.take_webhooks();
    ensure!(
        webhooks.len() as u64 == count,
        "{} webhooks",
        webhooks.len()
    );
    Ok(webhooks)
}

async fn take_in(field: &Field, webhook: &Webhook) -> Result<()> {
    let given = json!({ "webhook": given(webhook) });
    field.tenant.call("stock.take-in", given).await?;
    Ok(())
}

/// A webhook as the host hands it on.
fn given(webhook: &Webhook) -> Value {
    let header = |name: &str| {
        let mut headers = webhook.headers.iter();
        headers.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    json!({
        "contract-id": header("smaregi-contract-id"), "event": header("smaregi-event"),
        "event-id": header("smaregi-event-id"), "body": webhook.body.to_string(),
    })
}

/// Sends until everything is seen in Next Engine's history; how many rows were. Time passes between two looks as they ask for it.
async fn send(field: &Field) -> Result<u64> {
    let given = json!({ "budget": { "requests": 100_000, "seconds": 600 } });
    let mut applied = 0;
    for _ in 0..MOST_LOOKS {
        let done = field.tenant.call("stock.send", given.clone()).await?;
        applied += number(&done, "rows-applied");
        let flag = |name: &str| done.get(name).and_then(Value::as_bool) == Some(true);
        if flag("more") {
            continue;
        }
        if !flag("in-flight") && number(&done, "products-waiting") == 0 {
            return Ok(applied);
        }
        wait(field, &done)?;
    }
    anyhow::bail!("the upload does not come to its end")
}

fn wait(field: &Field, done: &Value) -> Result<()> {
    let next = done.get("next-at").and_then(Value::as_str);
    let next = next.context("it waits for nothing")?;
    let clock = field.sandbox.clock();
    let next = chrono::DateTime::parse_from_rfc3339(next)?.max(clock.now());
    clock.set(next);
    clock.advance(Duration::from_secs(1));
    Ok(())
}
