//! The sandbox over real HTTP on loopback: one listener for Next Engine, one for Smaregi, and webhook delivery.
//! It must hold no rule of either service: it waits, locks the world, and carries bytes.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::oneshot;

use crate::clock::SandboxClock;
use crate::control;
use crate::faults::FaultRule;
use crate::lock;
use crate::next_engine::NextEngine;
use crate::service::ServiceName;
use crate::shop::ShopData;
use crate::smaregi::Smaregi;
use crate::switches::Switches;
use crate::webhook::{DELIVERY_TIME_OUT, Webhook};
use crate::world::{Outcome, World};

/// How often the sender of webhooks looks for due ones.
const WEBHOOK_PAUSE: Duration = Duration::from_millis(10);

/// What to start the sandbox with.
#[derive(Default)]
pub struct SandboxConfig {
    /// Time; the system's when `None`.
    pub clock: Option<SandboxClock>,
    /// Answers to the open questions.
    pub switches: Switches,
    /// Port of the Next Engine listener; 0 for any free one.
    pub next_engine_port: u16,
    /// Port of the Smaregi listener; 0 for any free one.
    pub smaregi_port: u16,
    /// What fills both services' books; empty books when `None`.
    pub shop: Option<ShopData>,
}

/// A running sandbox; dropping it closes the listeners.
pub struct Sandbox {
    world: Arc<Mutex<World>>,
    clock: SandboxClock,
    next_engine: String,
    smaregi: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts both listeners on a thread of their own, so it works from plain tests and from any async runtime.
    ///
    /// # Errors
    /// When a port cannot be had, the thread or its runtime cannot be made, or the shop does not fit together.
    pub fn start(config: SandboxConfig) -> io::Result<Self> {
        let clock = config.clock.unwrap_or_else(SandboxClock::system);
        let mut world = World::new(clock.clone(), config.switches);
        if let Some(shop) = &config.shop {
            world.load(shop).map_err(io::Error::other)?;
        }
        let (ne_listener, next_engine) = listen(config.next_engine_port)?;
        let (smaregi_listener, smaregi) = listen(config.smaregi_port)?;
        let world = Arc::new(Mutex::new(world));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::clone(&world);
        let thread = std::thread::Builder::new()
            .name(String::from("sandbox"))
            .spawn(move || {
                runtime.block_on(run(shared, ne_listener, smaregi_listener, stopped));
                runtime.shutdown_background();
            })?;
        Ok(Self {
            world,
            clock,
            next_engine,
            smaregi,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Base address of Next Engine's sign-in host (in production `https://base.next-engine.org`), without a trailing slash.
    pub fn ne_sign_in(&self) -> String {
        self.next_engine.clone()
    }

    /// Base address of Next Engine's API host (`https://api.next-engine.org`), without a trailing slash.
    pub fn ne_api(&self) -> String {
        self.next_engine.clone()
    }

    /// Base address of Smaregi's identity host (`https://id.smaregi.jp`), without a trailing slash.
    pub fn smaregi_id(&self) -> String {
        self.smaregi.clone()
    }

    /// Base address of Smaregi's API host (`https://api.smaregi.jp`), without a trailing slash.
    pub fn smaregi_api(&self) -> String {
        self.smaregi.clone()
    }

    /// The clock both services live by.
    pub fn clock(&self) -> &SandboxClock {
        &self.clock
    }

    /// Locks everything; whatever the clock has made due runs first. Don't send a request from inside.
    pub fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut world = lock(&self.world);
        world.tick();
        look(&mut world)
    }

    /// Locks Next Engine's books.
    pub fn next_engine<R>(&self, look: impl FnOnce(&mut NextEngine) -> R) -> R {
        self.world(|world| look(&mut world.next_engine))
    }

    /// Locks Smaregi's books.
    pub fn smaregi<R>(&self, look: impl FnOnce(&mut Smaregi) -> R) -> R {
        self.world(|world| look(&mut world.smaregi))
    }

    /// Puts a fault in force.
    pub fn add_fault(&self, rule: FaultRule) {
        self.world(|world| world.faults.add(rule));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means the thread is gone already, which is what we want.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = format!("http://{}", listener.local_addr()?);
    Ok((listener, address))
}

type Shared = Arc<Mutex<World>>;

async fn run(
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
    let ticket = lock(&world).begin(service, &request);
    tokio::time::sleep(ticket.delay).await;
    let outcome = {
        let mut world = lock(&world);
        let outcome = world.act(&ticket, &request);
        world.end(ticket, &outcome);
        outcome
    };
    match outcome {
        Outcome::Answer(response) => Ok(response.map(whole)),
        Outcome::LostBefore | Outcome::LostAfter => Err(Lost),
        Outcome::CutBody { response, keep } => Ok(cut(response, keep)),
    }
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
    hyper::Response::from_parts(head, Cut(kept.boxed()).boxed())
}

/// A body that ends in a broken connection.
struct Cut(Body);

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        match Pin::new(&mut self.0).poll_frame(context) {
            Poll::Ready(None) => Poll::Ready(Some(Err(Lost))),
            other => other,
        }
    }
}

async fn send_webhooks(world: Shared) {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    loop {
        let due = lock(&world).take_webhooks();
        for webhook in due {
            let client = client.clone();
            tokio::spawn(async move { post(client, webhook).await });
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
