//! What the checks try: storage, outgoing HTTP, clocks and random, as the platform gives them. Traits only.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

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

/// Why storage did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A check failed on this key.
    Conflict(String),
    /// The store cannot be used.
    Unavailable(String),
}

/// `wit/storage.wit`; conditions are a key and the revision seen (`None`: absent), writes a key and its value (`None`: deleted).
pub trait Storage {
    /// One item for each key, in the order asked.
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Failure>;
    /// From `start` (included) to `end` (excluded).
    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, Failure>;
    /// All or nothing.
    fn commit(&self, checks: &[Condition], writes: &[Write]) -> Result<(), Failure>;
}

/// What must still be true.
pub type Condition = (String, Option<u64>);
/// A key and its new value.
pub type Write = (String, Option<Vec<u8>>);

/// A request to the peer.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Behind the peer's address.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// How long its parts may take.
    pub timeout: Duration,
}

/// An answer that arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Outgoing HTTP to the peer; an error says in words why no whole answer arrived.
pub trait Web {
    /// Sends one request. Several may be under way at once.
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, String>>;
}

/// Clocks and random.
pub trait Surroundings {
    /// The wall clock, in milliseconds since 1970.
    fn wall(&self) -> u64;
    /// The monotonic clock, in milliseconds.
    fn monotonic(&self) -> u64;
    /// Waits.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()>;
    /// A random number.
    fn random(&self) -> u64;
}
