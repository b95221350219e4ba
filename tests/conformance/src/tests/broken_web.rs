//! The peer in memory behind an HTTP client with one flaw, each of a kind that runtimes really have.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use futures_util::future::LocalBoxFuture;

use super::{Clocks, caught};
use crate::{
    ports::{Request, Response, Web},
    web::{self, Around},
};

/// What is wrong with a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Paths are decoded.
    Decodes,
    /// A status that is no success is an error.
    Throws,
    /// Bodies end after 1 MiB.
    Short,
    /// Redirects are followed.
    Follows,
    /// One request after the other.
    OneByOne,
    /// A lost connection is tried again.
    Repeats,
    /// A body that was cut is taken for whole.
    TakesHalf,
    /// Nobody is given up.
    WaitsOn,
}

impl Flaw {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Decodes, "http-request"),
        (Self::Throws, "http-status"),
        (Self::Short, "http-large"),
        (Self::Follows, "http-redirect"),
        (Self::OneByOne, "http-at-once"),
        (Self::Repeats, "http-once"),
        (Self::TakesHalf, "http-cut"),
        (Self::WaitsOn, "http-given-up"),
    ];
}

struct Client<'a> {
    flaw: Option<Flaw>,
    clocks: &'a Clocks,
    dropped: RefCell<BTreeMap<String, u32>>,
    under_way: Cell<usize>,
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Result<Response, String> {
    Ok(Response {
        status,
        headers: vec![("retry-after".to_owned(), "7".to_owned())],
        body: body.into(),
    })
}

impl Client<'_> {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn answer(&self, request: &Request) -> Result<Response, String> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let number = query.split_once('=').map_or("", |(_, number)| number);
        match path {
            "/echo" => {
                let path = match self.has(Flaw::Decodes) {
                    true => request.path.replace("%2B", "+"),
                    false => request.path.clone(),
                };
                let kit = &request.headers[0].1;
                let mut body = format!("{}\n{path}\n{kit}\n", request.method).into_bytes();
                body.extend(&request.body);
                answer(200, body)
            }
            "/busy" if self.has(Flaw::Throws) => Err("503".to_owned()),
            "/busy" => answer(503, "busy"),
            "/large" => {
                let bytes: usize = number.parse().unwrap();
                let most = if self.has(Flaw::Short) {
                    bytes.min(1 << 20)
                } else {
                    bytes
                };
                answer(
                    200,
                    (0..most).map(|at| (at % 251) as u8).collect::<Vec<_>>(),
                )
            }
            "/length" => answer(200, request.body.len().to_string()),
            "/redirect" if self.has(Flaw::Follows) => answer(503, "busy"),
            "/redirect" => answer(302, ""),
            "/dropped" => {
                let times = if self.has(Flaw::Repeats) { 2 } else { 1 };
                *self
                    .dropped
                    .borrow_mut()
                    .entry(number.to_owned())
                    .or_default() += times;
                Err("the connection was closed".to_owned())
            }
            "/times" => answer(200, self.dropped.borrow()[number].to_string()),
            "/cut" | "/cut-chunks" if self.has(Flaw::TakesHalf) => answer(200, vec![b'x'; 50]),
            "/silent" | "/stalled" => {
                let waited = if self.has(Flaw::WaitsOn) {
                    10_000
                } else {
                    request.timeout.as_millis()
                };
                self.clocks
                    .monotonic
                    .set(self.clocks.monotonic.get() + u64::try_from(waited).unwrap());
                Err("no answer".to_owned())
            }
            _ => Err("cut".to_owned()),
        }
    }
}

impl Web for Client<'_> {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, String>> {
        Box::pin(async move {
            if !request.path.starts_with("/together") {
                return self.answer(&request);
            }
            self.under_way.set(self.under_way.get() + 1);
            if self.has(Flaw::OneByOne) {
                self.under_way.set(1);
            }
            // Until the others had their turn.
            let mut waited = false;
            std::future::poll_fn(|context| {
                if std::mem::replace(&mut waited, true) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            answer(200, self.under_way.get().to_string())
        })
    }
}

fn tried(flaw: Option<Flaw>) -> BTreeSet<&'static str> {
    let clocks = Clocks::sound();
    let client = Client {
        flaw,
        clocks: &clocks,
        dropped: RefCell::default(),
        under_way: Cell::new(0),
    };
    let around = Around {
        web: &client,
        surroundings: &clocks,
    };
    caught(&turn_by_turn(web::run(Some(around))))
}

/// Nobody waits for anything but another turn.
fn turn_by_turn<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

#[test]
fn a_client_that_does_as_it_is_told_passes_and_each_flaw_is_caught_by_its_check_alone() {
    assert_eq!(tried(None), BTreeSet::new());
    for (flaw, meant) in Flaw::ALL {
        assert_eq!(tried(Some(flaw)), BTreeSet::from([meant]), "{flaw:?}");
    }
}
