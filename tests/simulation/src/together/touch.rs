//! What a call has to do with other calls. A call that has nothing to do with anything the other instance ever does may as well
//! happen at once: no order is lost by that, because whatever the other does before it, it can do behind it.

use std::collections::BTreeSet;

use tsunagi_guest::ports::{Check, Write};
use tsunagi_sandbox::{ServiceName, wire::Request};

/// Something that can be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A key of storage.
    Key(String),
    /// All keys from the first to before the second.
    Range(String, String),
    /// A service: its books, its tokens.
    Service(ServiceName),
    /// Everybody's time.
    Time,
}

impl Place {
    fn meets(&self, other: &Self) -> bool {
        let inside = |key: &String, start: &String, end: &String| start <= key && key < end;
        match (self, other) {
            (Self::Key(key), Self::Range(start, end))
            | (Self::Range(start, end), Self::Key(key)) => inside(key, start, end),
            (Self::Range(start, end), Self::Range(from, to)) => start < to && from < end,
            (one, other) => one == other,
        }
    }
}

/// What a call reads and changes, or many calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touch {
    reads: BTreeSet<Place>,
    writes: BTreeSet<Place>,
}

/// Whether a request is one that nobody can take back or refuse when it is late: it adds to stock, or registers a sale.
pub fn is_late_for_ever(service: ServiceName, request: &Request) -> bool {
    let path = request.uri().path();
    match service {
        ServiceName::Smaregi => request.method() != http::Method::GET && !path.ends_with("/token"),
        ServiceName::NextEngine => path.ends_with("/upload"),
    }
}

impl Touch {
    /// Nothing: a request leaves for Smaregi.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Reading keys.
    pub fn get(keys: &[String]) -> Self {
        Self {
            reads: keys.iter().cloned().map(Place::Key).collect(),
            writes: BTreeSet::new(),
        }
    }

    /// Reading a range.
    pub fn scan(start: &str, end: &str) -> Self {
        Self {
            reads: [Place::Range(start.to_owned(), end.to_owned())].into(),
            writes: BTreeSet::new(),
        }
    }

    /// A commit.
    pub fn commit(checks: &[Check], writes: &[Write]) -> Self {
        let checked = checks.iter().map(|check| Place::Key(check.key.clone()));
        let written = writes.iter().map(|write| Place::Key(write.key.clone()));
        Self {
            reads: checked.collect(),
            writes: written.collect(),
        }
    }

    /// Being at Next Engine, which others must not see.
    pub fn door() -> Self {
        Self::changing(Place::Service(ServiceName::NextEngine))
    }

    /// A service acts.
    pub fn act(service: ServiceName, request: &Request) -> Self {
        let place = Place::Service(service);
        if service == ServiceName::Smaregi && request.method() == http::Method::GET {
            return Self {
                reads: [place].into(),
                writes: BTreeSet::new(),
            };
        }
        Self::changing(place)
    }

    /// Time passes.
    pub fn time() -> Self {
        Self::changing(Place::Time)
    }

    fn changing(place: Place) -> Self {
        Self {
            reads: BTreeSet::new(),
            writes: [place].into(),
        }
    }

    /// Adds another's; says whether that was anything new.
    pub fn add(&mut self, other: &Self) -> bool {
        let before = (self.reads.len(), self.writes.len());
        self.reads.extend(other.reads.iter().cloned());
        self.writes.extend(other.writes.iter().cloned());
        before != (self.reads.len(), self.writes.len())
    }

    /// Whether their order could matter.
    pub fn meets(&self, other: &Self) -> bool {
        let meet = |ours: &BTreeSet<Place>, theirs: &BTreeSet<Place>| {
            ours.iter()
                .any(|one| theirs.iter().any(|other| one.meets(other)))
        };
        // Whoever changes the time changes what all see.
        self.writes.contains(&Place::Time)
            || meet(&self.writes, &other.writes)
            || meet(&self.writes, &other.reads)
            || meet(&self.reads, &other.writes)
    }
}
