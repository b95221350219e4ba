//! What one instance of the component waits for, over the simulation's `Air`: requests that the guest's `wasi:http` began, and
//! times. It decides no order and no fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tokio::sync::oneshot;
use tsunagi_sandbox::wire::Response;
use tsunagi_simulation::{
    air::{Air, Event},
    flight::Flight,
    world::World,
};
use wasmtime_wasi::p2::Pollable;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Shared by everything that belongs to one instance.
#[derive(Clone)]
pub struct Sky {
    /// The simulation's.
    pub world: Arc<World>,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    air: Air,
    /// Their bodies are not yet read: the guest writes them right after it has begun the request, before any other call.
    departing: Vec<(u64, Flight, WasiBody)>,
    answers: BTreeMap<u64, oneshot::Sender<Response>>,
    rung: BTreeSet<u64>,
}

impl Sky {
    /// Nothing under way.
    pub fn new(world: Arc<World>) -> Self {
        let inner = Arc::default();
        Self { world, inner }
    }

    /// A death leaves the lock poisoned; what is behind it is only dropped then.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guest does something else: whatever it had begun to send is whole by now.
    pub fn depart(&self) {
        let mut inner = self.inner();
        for (number, mut flight, body) in std::mem::take(&mut inner.departing) {
            flight.depart(whole(body));
            inner.air.fly(number, flight);
        }
    }

    /// The guest can do nothing else: the next thing happens. `None` when nothing ever will.
    pub fn happens(&self) -> Option<Happened> {
        let inner = &mut *self.inner();
        Some(match inner.air.next(&self.world)? {
            Event::Answered(number, answer) => {
                if let Some(waiting) = inner.answers.remove(&number) {
                    let _ = waiting.send(answer);
                }
                Happened::Answer
            }
            // The guest's own time-out ends it.
            Event::Lost(_) => Happened::Nothing,
            Event::Rang(number) => {
                inner.rung.insert(number);
                Happened::Time
            }
        })
    }

    /// A wait for a time that begins now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let mut inner = self.inner();
        let number = inner.air.number();
        if duration.is_zero() {
            inner.rung.insert(number);
        } else {
            inner.air.ring(number, self.world.now() + duration);
        }
        let sky = self.clone();
        Sleep(Place { sky, number })
    }

    fn forget(&self, number: u64) {
        let mut inner = self.inner();
        let gone = inner.air.forget(number);
        inner.answers.remove(&number);
        inner.rung.remove(&number);
        inner.departing.retain(|(other, ..)| *other != number);
        drop((inner, gone));
    }
}

/// What came of waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// An answer, which passes through the host's tasks before the guest can see it.
    Answer,
    /// A time came.
    Time,
    /// Nothing that the guest can see.
    Nothing,
}

/// A number to wait under, forgotten when nobody waits any more.
struct Place {
    sky: Sky,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sky.forget(self.number);
    }
}

/// A guest's wait for a time.
pub struct Sleep(Place);

#[async_trait::async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        let Place { sky, number } = &self.0;
        // Nobody is woken: whoever lets things happen looks again afterwards.
        poll_fn(|_| {
            if sky.inner().rung.contains(number) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// All of a body that has been written.
fn whole(body: WasiBody) -> Vec<u8> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(body.collect()).poll(&mut context) {
        Poll::Ready(bytes) => bytes.unwrap().to_bytes().to_vec(),
        Poll::Pending => panic!("the guest does something else before its request is whole"),
    }
}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Sky {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        self.depart();
        let (head, body) = request.into_parts();
        let head = http::Request::from_parts(head, Vec::new());
        let Some(flight) = Flight::begin(&self.world, head) else {
            return Box::new(async { Err(Error::ConnectionRefused) });
        };
        let (sender, answer) = oneshot::channel();
        let mut inner = self.inner();
        let number = inner.air.number();
        inner.departing.push((number, flight, body));
        inner.answers.insert(number, sender);
        drop(inner);
        let sky = self.clone();
        let place = Place { sky, number };
        Box::new(async move {
            let answer = answer.await;
            drop(place);
            let answer = answer.map_err(|_| Error::ConnectionTerminated)?;
            let body = |body| Full::new(Bytes::from(body)).map_err(|never| match never {});
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> =
                Box::new(async { Ok(()) });
            Ok((answer.map(|bytes| body(bytes).boxed_unsync()), done))
        })
    }
}
