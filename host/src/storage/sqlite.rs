//! The embedded default: one SQLite file for all tenants, WAL, every commit on disk before it returns. Knows no key's meaning.

mod readers;
#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{
    Check, Direction, Entry, Store, StoreError, Write,
    lock::{self, Held},
};
use readers::Readers;

/// How long another process may hold the file.
const BUSY: Duration = Duration::from_secs(10);

/// Bytes that one scan may read, so that a runaway one is noticed before it fills the machine.
const MOST_READ: usize = 256 * 1024 * 1024;

/// A look at so many entries is soon over: waking another thread for it would take longer.
const SOON: usize = 100;

/// Revisions come from one counter, so that none is used twice for a key, not even after a delete.
/// Whoever is killed in the middle leaves nothing, and two who make it at once make it once. Values stand apart from the keys' tree, which
/// would otherwise be read with the long values in it, at each step of a search; a file whose values stand within is used all the same.
const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS entry (
        tenant TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (tenant, key)
    );
    CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 0), revision INTEGER NOT NULL);
    INSERT OR IGNORE INTO counter VALUES (0, 0);
    PRAGMA user_version = 1;
    COMMIT;
";

const FULL: &str = "ディスクに空きがありません。空ければ続きから進み、保存済みのものは失われません / the disk is full; once there is room work goes on, and nothing that was stored is lost";
const FAILING: &str = "ディスクに読み書きできません。空き容量・容量制限・ディスクの故障を確かめてください / the disk cannot be read or written; look for a full disk, a quota or a fault";
const READ_ONLY: &str = "ファイルに書き込めません。ファイルとフォルダーの権限、読み取り専用でないかを確かめてください / the file cannot be written; look at the rights of file and folder, and whether the disk is read-only";
const NO_FOLDER: &str = "フォルダーがありません / there is no such folder";
const BUSY_TOO_LONG: &str = "ほかのプロセスが長く使っています。終わればそのまま進みます / another process holds the file for long; work goes on when it ends";
const DAMAGED: &str = "ファイルが壊れているか、tsunagiのものではありません。バックアップから戻してください / the file is damaged or is no store; restore it from a backup";

/// A store in a file.
#[derive(Clone)]
pub struct Sqlite {
    // They end before the one that writes, which then leaves one whole file. A store in memory has none.
    readers: Option<Arc<Readers>>,
    // One that writes: SQLite writes one at a time anyway.
    connection: Arc<Mutex<Connection>>,
    _held: Arc<Option<Held>>,
}

impl Sqlite {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// When the file cannot be used, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        private(path).map_err(|error| said(of_the_system(&error), &error))?;
        let held = lock::shared(path)?;
        Self::in_file(path, held)
    }

    /// The same while nobody else uses it; `None` when somebody does.
    ///
    /// # Errors
    /// When the file cannot be used, or a newer version wrote it.
    pub fn open_alone(path: &Path) -> Result<Option<Self>, StoreError> {
        let held = lock::alone(path)?;
        held.map(|held| Self::open_held(path, held)).transpose()
    }

    /// The same under a lock that is held already.
    ///
    /// # Errors
    /// When the file cannot be used, or a newer version wrote it.
    pub fn open_held(path: &Path, held: Held) -> Result<Self, StoreError> {
        private(path).map_err(|error| said(of_the_system(&error), &error))?;
        Self::in_file(path, Some(held))
    }

    fn in_file(path: &Path, held: Option<Held>) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(unavailable)?;
        Self::with(connection, Some(Readers::of(path)), held)
    }

    /// A store that ends with the process.
    ///
    /// # Errors
    /// When SQLite cannot be used at all.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory().map_err(unavailable)?;
        Self::with(connection, None, None)
    }

    fn with(
        connection: Connection,
        readers: Option<Readers>,
        held: Option<Held>,
    ) -> Result<Self, StoreError> {
        let prepare = || -> rusqlite::Result<u32> {
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            // Only a new file is written when it is opened: looking at a store needs no room on a full disk.
            if version == 0 {
                connection.execute_batch(SCHEMA)?;
            }
            Ok(version)
        };
        match prepare().map_err(unavailable)? {
            0 | 1 => Ok(Self {
                readers: readers.map(Arc::new),
                connection: Arc::new(Mutex::new(connection)),
                _held: Arc::new(held),
            }),
            newer => Err(StoreError::Unavailable(format!(
                "the file has version {newer}; this program knows 1"
            ))),
        }
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.connection);
        elsewhere(move || {
            // A panic elsewhere leaves no transaction open: dropping one rolls it back.
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
    }

    /// A look at so many entries at most.
    async fn look<T: Send + 'static>(
        &self,
        entries: usize,
        look: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.readers {
            Some(readers) if entries <= SOON => readers.read(look),
            Some(readers) => {
                let readers = Arc::clone(readers);
                elsewhere(move || readers.read(look)).await
            }
            None => self.work(|connection| look(connection)).await,
        }
    }
}

/// What may take a while, on a thread where nobody else waits for it.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let ended = |_| StoreError::Unavailable("the store's thread ended".to_owned());
    let done = tokio::task::spawn_blocking(work);
    done.await.map_err(ended)?
}

/// The file holds tokens and client secrets: when it is made, only its owner may read it. SQLite gives `-wal` and `-shm` the same
/// mode.
#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    if opened.metadata()?.mode() & 0o007 != 0 {
        tracing::warn!(
            "{} holds tokens and can be used by every user of this machine; chmod 600 it",
            path.display()
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[async_trait]
impl Store for Sqlite {
    async fn get(&self, tenant: &str, keys: Vec<String>) -> Result<Vec<Option<Entry>>, StoreError> {
        let tenant = tenant.to_owned();
        self.look(keys.len(), move |connection| {
            // Several as they are at one moment. It ends with its scope, having written nothing.
            let several = keys.len() > 1;
            let moment = several.then(|| connection.unchecked_transaction());
            let _moment = moment.transpose().map_err(unavailable)?;
            let sql = "SELECT key, revision, value FROM entry WHERE tenant = ? AND key = ?";
            let mut statement = connection.prepare_cached(sql).map_err(unavailable)?;
            let found = keys
                .iter()
                .map(|key| statement.query_row(params![tenant, key], entry).optional());
            found.collect::<rusqlite::Result<_>>().map_err(unavailable)
        })
        .await
    }

    async fn scan(
        &self,
        tenant: &str,
        start: String,
        end: String,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let tenant = tenant.to_owned();
        let order = match direction {
            Direction::Forward => "ASC",
            Direction::Backward => "DESC",
        };
        self.look(limit as usize, move |connection| {
            let sql = format!(
                "SELECT key, revision, value FROM entry WHERE tenant = ? AND key >= ? AND key < ? ORDER BY key {order} LIMIT ?"
            );
            let mut statement = connection.prepare_cached(&sql).map_err(unavailable)?;
            let found = statement.query_map(params![tenant, start, end, limit], entry).map_err(unavailable)?;
            within(found.map(|entry| entry.map_err(unavailable)), MOST_READ)
        })
        .await
    }

    async fn commit(
        &self,
        tenant: &str,
        checks: Vec<Check>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        let tenant = tenant.to_owned();
        self.work(move |connection| {
            // Immediate: what is checked must not change before it is written, by another process either.
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(unavailable)?;
            if let Some(key) = changed(&transaction, &tenant, checks)? {
                return Err(StoreError::Conflict(key));
            }
            write(&transaction, &tenant, writes).map_err(unavailable)?;
            transaction.commit().map_err(unavailable)
        })
        .await
    }

    async fn move_to(&self, tenant: &str, to: Option<&str>) -> Result<(), StoreError> {
        let (tenant, to) = (tenant.to_owned(), to.map(str::to_owned));
        self.work(move |connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(unavailable)?;
            move_all(&transaction, &tenant, to.as_deref()).map_err(unavailable)?;
            transaction.commit().map_err(unavailable)
        })
        .await
    }
}

fn move_all(connection: &Connection, tenant: &str, to: Option<&str>) -> rusqlite::Result<()> {
    let any = "SELECT EXISTS (SELECT 1 FROM entry WHERE tenant = ?)";
    if !connection.query_row(any, [tenant], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    let delete = "DELETE FROM entry WHERE tenant = ?";
    connection.execute(delete, [to.unwrap_or(tenant)])?;
    if let Some(to) = to {
        let rename = "UPDATE entry SET tenant = ? WHERE tenant = ?";
        connection.execute(rename, [to, tenant])?;
    }
    Ok(())
}

/// All of them, or an error when they are more than `most` bytes.
fn within(
    found: impl Iterator<Item = Result<Entry, StoreError>>,
    most: usize,
) -> Result<Vec<Entry>, StoreError> {
    let mut left = most;
    let checked = found.map(|entry| {
        let entry = entry?;
        let more = || StoreError::Unavailable(format!("one scan reads at most {most} bytes"));
        left = left.checked_sub(entry.bytes()).ok_or_else(more)?;
        Ok(entry)
    });
    checked.collect()
}

/// The first key that no longer is as its check says.
fn changed(
    connection: &Connection,
    tenant: &str,
    checks: Vec<Check>,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT revision FROM entry WHERE tenant = ? AND key = ?";
    let mut statement = connection.prepare_cached(sql).map_err(unavailable)?;
    for check in checks {
        let found = statement
            .query_row(params![tenant, check.key], |row| row.get::<_, i64>(0))
            .optional();
        let revision = found.map_err(unavailable)?.map(i64::cast_unsigned);
        if revision != check.revision {
            return Ok(Some(check.key));
        }
    }
    Ok(None)
}

fn write(connection: &Connection, tenant: &str, writes: Vec<Write>) -> rusqlite::Result<()> {
    let puts = writes.iter().filter(|write| write.value.is_some()).count();
    let mut revision = revisions(connection, puts)?;
    let mut put = connection.prepare_cached(
        "INSERT INTO entry (tenant, key, revision, value) VALUES (?, ?, ?, ?)
         ON CONFLICT (tenant, key) DO UPDATE SET revision = excluded.revision, value = excluded.value",
    )?;
    let mut delete = connection.prepare_cached("DELETE FROM entry WHERE tenant = ? AND key = ?")?;
    for Write { key, value } in writes {
        match value {
            Some(value) => {
                put.execute(params![tenant, key, revision, value])?;
                revision += 1;
            }
            None => {
                delete.execute(params![tenant, key])?;
            }
        }
    }
    Ok(())
}

/// The first of so many revisions that nobody else gets. Without any nothing is written.
fn revisions(connection: &Connection, number: usize) -> rusqlite::Result<i64> {
    if number == 0 {
        return Ok(0);
    }
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let next = "UPDATE counter SET revision = revision + ? RETURNING revision";
    let mut next = connection.prepare_cached(next)?;
    let last: i64 = next.query_row([number], |row| row.get(0))?;
    Ok(last - number + 1)
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: row.get(0)?,
        revision: row.get::<_, i64>(1)?.cast_unsigned(),
        value: row.get(2)?,
    })
}

/// What an operator can do about it, with SQLite's own message, which names tables and files, never values.
fn unavailable(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase, PermissionDenied,
        ReadOnly, SystemIoFailure,
    };
    let advice = match error.sqlite_error_code() {
        Some(DiskFull) => FULL,
        Some(SystemIoFailure) => FAILING,
        Some(ReadOnly | PermissionDenied | CannotOpen) => READ_ONLY,
        Some(DatabaseBusy) => BUSY_TOO_LONG,
        Some(DatabaseCorrupt | NotADatabase) => DAMAGED,
        _ => "",
    };
    said(advice, &error)
}

/// The same for what the system says of the file.
fn of_the_system(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{
        FileTooLarge, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => FULL,
        PermissionDenied | ReadOnlyFilesystem => READ_ONLY,
        NotFound => NO_FOLDER,
        _ => "",
    }
}

/// One text in both languages: it goes through the contract, whose error has room for one.
fn said(advice: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(match advice {
        "" => error.to_string(),
        advice => format!("{advice} ({error})"),
    })
}
