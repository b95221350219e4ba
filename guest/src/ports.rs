//! What the outside gives the flows: HTTP, storage, a clock, randomness. Traits only; nothing here decides anything.
//!
//! In the component they are WASI's and our `storage` import; in a simulation they are a world of its own.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use futures_util::future::LocalBoxFuture;

/// An outgoing request. Never printed: headers and body may carry tokens.
#[derive(Clone)]
pub struct HttpRequest {
    /// `GET`, `POST`, `PATCH`.
    pub method: &'static str,
    /// Absolute address with its query.
    pub url: String,
    /// Header names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// How long the answer may take as a whole.
    pub timeout: Duration,
}

/// An answer that arrived whole. Never printed, for the same reason.
#[derive(Clone)]
pub struct HttpResponse {
    /// HTTP status code.
    pub status: u16,
    /// `Retry-After` in seconds, when the answer carried one, as a number or as a date.
    pub retry_after: Option<u64>,
    /// The body, not longer than the host allows.
    pub body: Vec<u8>,
}

/// Why no answer arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFailure {
    /// The request certainly did not reach the other side (no connection, host not allowed).
    NotSent,
    /// It may have been acted on: time-out, connection lost, body cut.
    OutcomeUnknown,
}

/// Outgoing HTTP. Several sends may be in flight at once.
pub trait Http {
    /// Sends one request and waits for the whole answer.
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>>;
}

/// A stored value with the revision of its last write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Grows with every write of this key.
    pub revision: u64,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// What must still hold when a commit takes effect: the revision seen, or absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The key.
    pub key: String,
    /// The revision seen; `None` means the key must not exist.
    pub revision: Option<u64>,
}

/// A write; `None` deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key; once per commit.
    pub key: String,
    /// The new value.
    pub value: Option<Vec<u8>>,
}

/// Why storage did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageFailure {
    /// A check failed on this key; nothing was written.
    Conflict(String),
    /// The store cannot be used; whether a commit took effect is unknown.
    Unavailable(String),
}

/// The tenant's ordered map. See `wit/storage.wit`, which is the specification.
pub trait Storage {
    /// One item for each key, in the order asked.
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StorageFailure>;
    /// Keys from `start` (included) to `end` (excluded), in order or, if `backward`, reversed.
    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, StorageFailure>;
    /// All or nothing.
    fn commit(&self, checks: &[Check], writes: &[Write]) -> Result<(), StorageFailure>;
}

/// Time, and waiting for it.
pub trait Clock {
    /// Now, in Japan's zone.
    fn now(&self) -> DateTime<FixedOffset>;
    /// Waits. Used only to keep a pace, never to decide an outcome.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()>;
}

/// Unpredictable numbers, for tickets and names that must not collide.
pub trait Random {
    /// Fresh and unguessable.
    fn next(&self) -> u64;
}

/// The four together, as every flow takes them.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Outgoing HTTP.
    pub http: &'a dyn Http,
    /// The tenant's storage.
    pub storage: &'a dyn Storage,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub random: &'a dyn Random,
}
