//! The other side of the kit's HTTP checks; what each path does is said beside the check (`tests/conformance/src/web.rs`). Serves
//! whoever asks on this machine, and reaches nobody.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How long nothing is answered where nothing is to be answered.
const SILENCE: Duration = Duration::from_secs(10);
/// How long requests wait for one another.
const TOGETHER: Duration = Duration::from_secs(5);
/// How often it is looked whether all are there.
const LOOK: Duration = Duration::from_millis(10);
/// Announced, and sent before the end.
const CUT: (usize, usize) = (100, 50);

/// A server on a free port; it ends when this is dropped.
pub struct Peer {
    address: String,
    serving: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Peer {
    /// Begins to serve, on loopback.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start() -> io::Result<Self> {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// The same on an address of the caller's.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn listen(on: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(on).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let serving = tokio::spawn(serve(listener, Arc::default()));
        Ok(Self { address, serving })
    }

    /// Without a slash at its end.
    pub fn address(&self) -> &str {
        &self.address
    }
}

#[derive(Default)]
struct Seen {
    under_way: AtomicUsize,
    dropped: Mutex<BTreeMap<String, u32>>,
}

async fn serve(listener: TcpListener, seen: Arc<Seen>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, seen.clone()));
        }
    }
}

/// An error of the service closes the connection without an answer, which is what some paths are for.
async fn connection(stream: TcpStream, seen: Arc<Seen>) {
    let service = service_fn(move |request| answer(request, seen.clone()));
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

type Body = UnsyncBoxBody<Bytes, io::Error>;
type Answer = io::Result<Response<Body>>;

fn whole(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    with(
        status,
        None,
        Full::new(body.into()).map_err(never).boxed_unsync(),
    )
}

fn never(never: Infallible) -> io::Error {
    match never {}
}

fn with(status: StatusCode, head: Option<(HeaderName, &str)>, body: Body) -> Answer {
    let mut answer = Response::builder().status(status);
    if let Some((name, value)) = head {
        answer = answer.header(name, value);
    }
    answer.body(body).map_err(io::Error::other)
}

/// Half a body, and then its end by an error, or nothing more.
fn half(head: Option<(HeaderName, &str)>, goes_on: bool) -> Answer {
    let sent = Frame::data(Bytes::from(vec![b'x'; CUT.1]));
    let parts = stream::unfold(Some(sent), move |left| async move {
        match left {
            Some(frame) => Some((Ok(frame), None)),
            None if goes_on => {
                tokio::time::sleep(SILENCE).await;
                None
            }
            None => {
                // So that the first half has left before the connection breaks.
                tokio::time::sleep(LOOK).await;
                Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
            }
        }
    });
    with(StatusCode::OK, head, StreamBody::new(parts).boxed_unsync())
}

async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Answer {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let number = query
        .split_once('=')
        .map_or("", |(_, number)| number)
        .to_owned();
    let announced = CUT.0.to_string();
    match path.as_str() {
        "/echo" => echo(request).await,
        "/time" => whole(StatusCode::OK, now().to_string()),
        "/busy" => with(
            StatusCode::SERVICE_UNAVAILABLE,
            Some((header::RETRY_AFTER, "7")),
            Full::new(Bytes::from_static(b"busy"))
                .map_err(never)
                .boxed_unsync(),
        ),
        "/large" => whole(StatusCode::OK, filled(number.parse().unwrap_or_default())),
        "/length" => {
            let body = request
                .into_body()
                .collect()
                .await
                .map_err(io::Error::other)?;
            whole(StatusCode::OK, body.to_bytes().len().to_string())
        }
        "/redirect" => with(
            StatusCode::FOUND,
            Some((header::LOCATION, "/busy")),
            Full::default().map_err(never).boxed_unsync(),
        ),
        "/together" => together(&seen.under_way, number.parse().unwrap_or_default()).await,
        "/dropped" => {
            *times(&seen).entry(number).or_default() += 1;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        "/times" => {
            let arrived = times(&seen).get(&number).copied().unwrap_or_default();
            whole(StatusCode::OK, arrived.to_string())
        }
        "/cut" => half(Some((header::CONTENT_LENGTH, &announced)), false),
        "/cut-chunks" => half(None, false),
        "/stalled" => half(Some((header::CONTENT_LENGTH, &announced)), true),
        "/silent" => {
            tokio::time::sleep(SILENCE).await;
            whole(StatusCode::OK, "")
        }
        _ => whole(StatusCode::NOT_FOUND, "see tests/conformance/src/web.rs"),
    }
}

fn times(seen: &Seen) -> std::sync::MutexGuard<'_, BTreeMap<String, u32>> {
    seen.dropped.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn echo(request: Request<Incoming>) -> Answer {
    let kit = request
        .headers()
        .get("x-kit")
        .map_or(&b""[..], |value| value.as_bytes());
    let mut told = format!("{}\n{}\n", request.method(), request.uri()).into_bytes();
    told.extend(kit);
    told.push(b'\n');
    let body = request
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?;
    told.extend(body.to_bytes());
    whole(StatusCode::OK, told)
}

fn now() -> u128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_millis()
}

/// More than any check asks for; somebody else could ask for anything.
const MOST: usize = 64 << 20;

fn filled(bytes: usize) -> Vec<u8> {
    let count = 0..=250_u8;
    count.cycle().take(bytes.min(MOST)).collect()
}

/// Answers once so many are under way; what it saw at most.
async fn together(under_way: &AtomicUsize, of: usize) -> Answer {
    under_way.fetch_add(1, Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    let mut most = 0;
    while most < of && began.elapsed() < TOGETHER {
        most = most.max(under_way.load(Ordering::SeqCst));
        tokio::time::sleep(LOOK).await;
    }
    // The others are to see it, too.
    tokio::time::sleep(LOOK * 5).await;
    under_way.fetch_sub(1, Ordering::SeqCst);
    whole(StatusCode::OK, most.to_string())
}
