//! Webhooks over HTTP to this host's own server until each is on disk and answered: how many a second, and how long one takes. The sender
//! runs on the same cores and keeps some under way at all times.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;
use tsunagi::server;
use tsunagi_sandbox::{smaregi::Hook, webhook::Webhook};

use crate::{
    Plan,
    field::Services,
    figures::Figures,
    requests::moved,
    serving, shop,
    table::{Goal, Row},
    threads,
};

/// Under way at all times.
const AT_ONCE: usize = 12;

type Sender = Client<HttpConnector, Full<Bytes>>;

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for shops in [1, 100] {
        let (rate, times) = threads()?.block_on(taken(plan, shops))?;
        let tenants = if shops == 1 { "tenant" } else { "tenants" };
        let what = format!("webhooks taken in durably, {shops} {tenants}");
        rows.push(
            Row::one(
                &format!("webhooks.rate-{shops}"),
                format!("{what}: a second"),
                "",
                rate.round(),
            )
            .goal(Goal::AtLeast(1_000.0)),
        );
        let p99 = times.share(0.99) * 1e3;
        rows.push(
            Row::one(
                &format!("webhooks.p99-{shops}"),
                format!("{what}: 99 of 100 within"),
                "ms",
                p99,
            )
            .goal(Goal::AtMost(20.0))
            .note(format!(
                "median {:.1} ms, {AT_ONCE} at a time",
                times.median() * 1e3
            )),
        );
    }
    Ok(rows)
}

async fn taken(plan: &Plan, shops: usize) -> Result<(f64, Figures)> {
    let sandbox = Services::instant(0).start()?;
    let hook = Hook {
        url: "http://127.0.0.1:9/".to_owned(),
        header: ("x-tsunagi-secret".to_owned(), serving::SECRET.to_owned()),
    };
    sandbox.smaregi(|smaregi| smaregi.set_hook(Some(hook)));
    let count = plan.size(8_000, 1_000);
    let webhooks = sandbox.world(|world| moved(world, 0, count))?;
    let folder = tempfile::tempdir()?;
    let settings = shop::settings(&sandbox.describe(), 20);
    let file = folder.path().join("store.sqlite");
    let service = serving::serve(&plan.runtime, &file, shops, &settings).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let running = server::start(service, listener, false)?;
    let place = format!("http://{}", running.address);
    let sender: Sender = Client::builder(TokioExecutor::new()).build_http();
    let (warm, measured) = webhooks.split_at(webhooks.len() / 10);
    posted(&sender, &place, shops, warm).await?;
    let begun = Instant::now();
    let times = posted(&sender, &place, shops, measured).await?;
    let rate = measured.len() as f64 / begun.elapsed().as_secs_f64();
    running.stop().await;
    Ok((rate, times))
}

/// Posts them, each to the next shop.
async fn posted(sender: &Sender, place: &str, shops: usize, all: &[Webhook]) -> Result<Figures> {
    let share = all.len().div_ceil(AT_ONCE);
    let senders = all.chunks(share).enumerate().map(|(at, share)| {
        let (sender, place, share) = (sender.clone(), place.to_owned(), share.to_vec());
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(share.len());
            for (number, webhook) in share.into_iter().enumerate() {
                let shop = serving::name((number + at) % shops);
                times.push(
                    post(
                        &sender,
                        &format!("{place}/t/{shop}/webhook/smaregi"),
                        webhook,
                    )
                    .await?,
                );
            }
            anyhow::Ok(times)
        })
    });
    let times = try_join_all(senders).await?;
    let times: Vec<Vec<Duration>> = times.into_iter().collect::<Result<_>>()?;
    Ok(Figures::seconds(times.into_iter().flatten()))
}

async fn post(sender: &Sender, address: &str, webhook: Webhook) -> Result<Duration> {
    let mut request = http::Request::post(address).header("content-type", "application/json");
    for (name, value) in &webhook.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(webhook.body.to_string())))?;
    let begun = Instant::now();
    let answer = sender.request(request).await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    Ok(begun.elapsed())
}
