//! Reading and committing, by the rule of the floor (see the crate's own words). Keeps between two calls what it has read, and looks
//! for what came since at each.

use std::{io, path::Path};

use crate::{
    base::Base,
    files::{Aside, Folder},
    frame,
    map::{Change, Changes, Check, Entry, Write},
};

/// A base is made once so many commits came after the last one: opening reads each of them.
const FEWEST: u64 = 64;
/// … or one more for each so many bytes of the base, since writing a large one takes its time …
const BASE_BYTES: u64 = 256 << 10;
/// … but never more.
const MOST: u64 = 512;
/// Or so many bytes, since all of them are kept in memory.
const MOST_BYTES: u64 = 8 << 20;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// This key was no longer as a check said; nothing was written.
    Conflict(String),
    /// The directory cannot be used now; whether a commit took effect is not known. For an operator, without keys and values.
    Unavailable(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(format!("the store's directory: {error}"))
    }
}

/// One shop's map.
pub struct Store {
    folder: Folder,
    base: Base,
    changes: Changes,
    /// The newest commit that is in `changes`, or the base's.
    last: u64,
}

impl Store {
    /// Opens the directory, which must be there; what it needs in it is made.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        Ok(Self::load(Folder::open(root)?)?)
    }

    /// Reads several keys, in their order.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn get(&mut self, keys: &[String]) -> Result<Vec<Option<Entry>>, Failure> {
        self.refresh()?;
        let found = keys.iter().map(|key| self.entry(key));
        Ok(found.collect::<io::Result<_>>()?)
    }

    /// Reads from `start` to below `end`, at most `limit` entries from the lower or the upper end.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn scan(
        &mut self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, Failure> {
        self.refresh()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let found = self.range(start, Some(end), backward).take(limit);
        Ok(found.collect::<io::Result<_>>()?)
    }

    /// Writes all or nothing, if every check holds.
    ///
    /// # Errors
    /// When a check does not hold, or the directory cannot be used.
    pub fn commit(&mut self, checks: &[Check], writes: Vec<Write>) -> Result<(), Failure> {
        self.refresh()?;
        self.hold(checks)?;
        if writes.is_empty() {
            return Ok(());
        }
        let aside = self.prepared(&writes)?;
        while !self.claimed(&aside)? {
            self.refresh()?;
            self.hold(checks)?;
        }
        self.changes.apply(self.last, writes);
        if self.is_due()
            && let Err(error) = self.compact()
        {
            // The commit is made; the next one that is due tries again.
            eprintln!("tsunagi-storage: no new base could be written: {error}");
        }
        Ok(())
    }

    /// The writes in a file aside, which is on the disk.
    pub(crate) fn prepared(&self, writes: &Vec<Write>) -> io::Result<Aside> {
        let mut aside = self.folder.aside()?;
        io::Write::write_all(&mut aside, &frame::seal(writes)?)?;
        aside.sync()?;
        Ok(aside)
    }

    /// Makes the file the next commit, if that number is still free; durable then.
    pub(crate) fn claimed(&mut self, aside: &Aside) -> Result<bool, Failure> {
        let number = self.last + 1;
        if !self.folder.claim(aside, number)? {
            return Ok(false);
        }
        self.folder.sync_commits()?;
        if number <= self.folder.floor()? {
            let slow = "so slow that others made two new bases meanwhile; whether it took effect is not known";
            return Err(Failure::Unavailable(format!("a commit was {slow}")));
        }
        self.last = number;
        Ok(true)
    }

    fn load(folder: Folder) -> io::Result<Self> {
        loop {
            let Some(newest) = folder.bases()?.into_iter().next() else {
                let mut aside = folder.aside()?;
                Base::write(&mut aside, std::iter::empty())?;
                folder.publish(&aside, 0)?;
                continue;
            };
            match Base::open(&folder, &newest) {
                // Removed since it was listed: there are newer ones.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                base => {
                    let base = base?;
                    return Ok(Self {
                        last: base.number,
                        changes: Changes::default(),
                        folder,
                        base,
                    });
                }
            }
        }
    }

    /// Reads what was committed since.
    pub(crate) fn refresh(&mut self) -> io::Result<()> {
        loop {
            let known = self.last;
            while let Some(bytes) = self.folder.commit(self.last + 1)? {
                let number = self.last + 1;
                let damaged = |error| io::Error::other(format!("commit {number}: {error}"));
                let writes = frame::open(&bytes).map_err(damaged)?;
                self.changes.apply(number, writes);
                self.last = number;
            }
            // Whoever wrote them may not have come so far, and what was seen must not be lost.
            if self.last > known {
                self.folder.sync_commits()?;
            }
            if self.folder.floor()? <= self.base.number {
                return Ok(());
            }
            *self = Self::load(self.folder.clone())?;
        }
    }

    fn hold(&self, checks: &[Check]) -> Result<(), Failure> {
        for check in checks {
            if self.entry(&check.key)?.map(|entry| entry.revision) != check.revision {
                return Err(Failure::Conflict(check.key.clone()));
            }
        }
        Ok(())
    }

    fn entry(&self, key: &str) -> io::Result<Option<Entry>> {
        match self.changes.get(key) {
            Some(change) => Ok(entry(key, change)),
            None => self.base.get(key),
        }
    }

    fn range<'a>(
        &'a self,
        start: &'a str,
        end: Option<&'a str>,
        backward: bool,
    ) -> impl Iterator<Item = io::Result<Entry>> + 'a {
        let base = self.base.range(start, end, backward);
        let changes = self.changes.range(start, end);
        let changes: Box<dyn Iterator<Item = _>> = if backward {
            Box::new(changes.rev())
        } else {
            Box::new(changes)
        };
        merged(base, changes, backward)
    }

    fn is_due(&self) -> bool {
        let since = self.last - self.base.number;
        let many = (self.base.bytes / BASE_BYTES).clamp(FEWEST, MOST);
        // Of several at once only one is at such a number; should it die, the next such number has another try.
        since.is_multiple_of(many) || self.changes.bytes() >= MOST_BYTES
    }

    /// Writes down the whole map as it is after the newest commit, and removes what is not needed any more.
    pub(crate) fn compact(&mut self) -> io::Result<()> {
        let mut aside = self.folder.aside()?;
        Base::write(&mut aside, self.range("", None, false))?;
        self.folder.publish(&aside, self.last)?;
        self.folder.clear()?;
        *self = Self::load(self.folder.clone())?;
        Ok(())
    }
}

fn entry(key: &str, change: &Change) -> Option<Entry> {
    let value = change.value.clone()?;
    Some(Entry {
        key: key.to_owned(),
        revision: change.revision,
        value,
    })
}

/// Both in one order; where a key is in both, the change is what counts.
fn merged<'a>(
    base: impl Iterator<Item = io::Result<Entry>> + 'a,
    changes: impl Iterator<Item = (&'a String, &'a Change)> + 'a,
    backward: bool,
) -> impl Iterator<Item = io::Result<Entry>> + 'a {
    let (mut base, mut changes) = (base.peekable(), changes.peekable());
    let before = move |one: &str, other: &str| {
        if backward { one > other } else { one < other }
    };
    std::iter::from_fn(move || {
        loop {
            let Some((key, change)) = changes.peek() else {
                return base.next();
            };
            match base.peek() {
                Some(Err(_)) => return base.next(),
                Some(Ok(found)) if before(&found.key, key) => return base.next(),
                Some(Ok(found)) if found.key == **key => drop(base.next()),
                _ => {}
            }
            let now = entry(key, change);
            changes.next();
            if let Some(now) = now {
                return Some(Ok(now));
            }
        }
    })
}
