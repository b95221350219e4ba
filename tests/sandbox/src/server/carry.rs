//! Carries bytes between sockets and the world: connections in, webhooks out.
//! It must hold no rule of either service.

use std::convert::Infallible;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::oneshot;

use crate::control;
use crate::lock;
use crate::service::ServiceName;
use crate::webhook::{DELIVERY_TIME_OUT, Webhook};
use crate::world::{Outcome, World};

/// How often the sender of webhooks looks for due ones.
const WEBHOOK_PAUSE: Duration = Duration::from_millis(10);
/// How long a cut answer's first part is given to leave.
const FLUSH_PAUSE: Duration = Duration::from_millis(20);

/// The world, shared by all connections.
pub type Shared = Arc<Mutex<World>>;

/// Serves both listeners and sends webhooks until told to stop.
pub async fn run(
    world: Shared,
    next_engine: TcpListener,
    smaregi: TcpListener,
    stopped: oneshot::Receiver<()>,
) {
    tokio::select! {
        _ = stopped => {}
        () = accept(Arc::clone(&world), next_engine, ServiceName::NextEngine) => {}
        () = accept(Arc::clone(&world), smaregi, ServiceName::Smaregi) => {}
        () = send_webhooks(world) => {}
    }
}

async fn accept(world: Shared, listener: TcpListener, service: ServiceName) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(Arc::clone(&world), service, request));
            // Errors here are the faults we were asked for, or a client that hung up.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

/// Why a connection is closed without a (whole) answer.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection closed on purpose")
    }
}

impl std::error::Error for Lost {}

type Body = BoxBody<Bytes, Lost>;

async fn answer(
    world: Shared,
    service: ServiceName,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Body>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes().to_vec();
    let request = http::Request::from_parts(head, body);
    if let Some(response) = control::handle(&mut lock(&world), service, &request) {
        return Ok(response.map(whole));
    }
    // A task of its own: a client that dies meanwhile stops no service from acting.
    let acting = tokio::spawn(act(world, service, request));
    match acting.await.map_err(|_| Lost)? {
        Outcome::Answer(response) => Ok(response.map(whole)),
        Outcome::LostBefore | Outcome::LostAfter => Err(Lost),
        Outcome::CutBody { response, keep } => Ok(cut(response, keep)),
    }
}

async fn act(world: Shared, service: ServiceName, request: http::Request<Vec<u8>>) -> Outcome {
    let ticket = lock(&world).begin(service, &request);
    tokio::time::sleep(ticket.delay).await;
    let mut world = lock(&world);
    let outcome = world.act(&ticket, &request);
    world.end(ticket, &outcome);
    outcome
}

fn whole(body: Vec<u8>) -> Body {
    Full::new(Bytes::from(body))
        .map_err(|never: Infallible| match never {})
        .boxed()
}

/// The answer's head promises the whole length, the connection breaks after `keep` bytes.
fn cut(response: http::Response<Vec<u8>>, keep: usize) -> hyper::Response<Body> {
    let (mut head, mut body) = response.into_parts();
    head.headers.insert(
        http::header::CONTENT_LENGTH,
        http::HeaderValue::from(body.len()),
    );
    body.truncate(keep);
    let kept = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {});
    hyper::Response::from_parts(
        head,
        Cut {
            kept: kept.boxed(),
            pause: Box::pin(tokio::time::sleep(FLUSH_PAUSE)),
        }
        .boxed(),
    )
}

/// A body that ends in a broken connection.
struct Cut {
    kept: Body,
    /// Without a pause hyper would throw away what it has not written yet.
    pause: Pin<Box<tokio::time::Sleep>>,
}

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        match Pin::new(&mut self.kept).poll_frame(context) {
            Poll::Ready(None) => self.pause.as_mut().poll(context).map(|()| Some(Err(Lost))),
            other => other,
        }
    }
}

async fn send_webhooks(world: Shared) {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    loop {
        let due: Vec<_> = {
            let mut world = lock(&world);
            let due = world.take_webhooks();
            // Under the same lock, so that none is neither waiting nor on its way.
            due.into_iter()
                .map(|webhook| (webhook, world.webhooks.posting()))
                .collect()
        };
        for (webhook, posting) in due {
            let client = client.clone();
            tokio::spawn(async move {
                post(client, webhook).await;
                drop(posting);
            });
        }
        tokio::time::sleep(WEBHOOK_PAUSE).await;
    }
}

/// One attempt; what becomes of it interests nobody, as with the real service (smaregi.md 6b).
async fn post(client: Client<HttpConnector, Full<Bytes>>, webhook: Webhook) {
    let mut request = http::Request::post(&webhook.url).header("content-type", "application/json");
    for (name, value) in &webhook.headers {
        request = request.header(name, value);
    }
    if let Ok(request) = request.body(Full::new(Bytes::from(webhook.body.to_string()))) {
        let _ = tokio::time::timeout(DELIVERY_TIME_OUT, client.request(request)).await;
    }
}
