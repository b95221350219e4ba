//! Connections that only read, beside the one that writes: what is looked up need not wait until another's commit is on the disk. Each is
//! lent to one reader at a time. Knows no table.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags};

use super::{BUSY, unavailable};
use crate::storage::StoreError;

/// How many are kept for the next look; each may hold two megabytes of pages.
const KEPT: usize = 8;

/// The readers of one file.
pub struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Of a file that is in use already.
    pub fn of(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            idle: Mutex::default(),
        }
    }

    /// Reads with one of them. Everything that was committed before is seen.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let kept = self.idle().pop();
        let connection = kept.map_or_else(|| self.open().map_err(unavailable), Ok)?;
        let done = work(&connection);
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        done
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }
}
