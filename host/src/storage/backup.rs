//! A store's backup: a consistent copy made while others write, with a manifest that tells its version, size and checksum; and putting one
//! back. A folder of two files, both for their owner alone, since they hold tokens. Knows no key's meaning.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{beside, lock::Held, new_private_file};
use crate::random::hexadecimal;

/// Of the folder's shape.
const VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";
const COPY: &str = "store.sqlite";
/// The store's own version, which this program knows.
const STORE_VERSION: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// Of the folder's shape: 1.
    pub tsunagi_backup: u32,
    /// The program that made it.
    pub program: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// The store's own version.
    pub store_version: u32,
    /// Of the copy.
    pub bytes: u64,
    /// Of the copy, in hexadecimal digits.
    pub sha256: String,
}

/// Copies a store into a new folder, as it is at one moment, while others write.
///
/// # Errors
/// When the folder exists, when there is no store, or when either cannot be used.
pub fn make(store: &Path, folder: &Path, now: DateTime<Utc>) -> anyhow::Result<Manifest> {
    ensure!(
        store.exists(),
        "{} does not exist; look at [store] path in the configuration",
        store.display()
    );
    private_folder(folder).with_context(|| {
        format!(
            "{} cannot be made; choose a folder that is not there yet",
            folder.display()
        )
    })?;
    let copy = folder.join(COPY);
    // SQLite takes an empty file as it is, with its mode.
    new_file(&copy)?;
    let from = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    from.busy_timeout(std::time::Duration::from_secs(10))?;
    // One reading transaction: whoever writes meanwhile does not disturb it, nor wait for it.
    let path = copy.to_string_lossy();
    from.execute("VACUUM INTO ?", [path.as_ref()])?;
    drop(from);
    File::open(&copy)?.sync_all()?;
    let manifest = Manifest {
        tsunagi_backup: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        store_version: sound(&copy)?,
        bytes: copy.metadata()?.len(),
        sha256: digest(&copy)?,
    };
    // Last: a folder without it is no backup.
    let mut file = new_file(&folder.join(MANIFEST))?;
    file.write_all(&serde_json::to_vec_pretty(&manifest)?)?;
    file.sync_all()?;
    Ok(manifest)
}

/// Looks at a backup without using it.
///
/// # Errors
/// When it is none, is damaged, or is of a newer program.
pub fn check(folder: &Path) -> anyhow::Result<Manifest> {
    let text = std::fs::read(folder.join(MANIFEST)).with_context(|| {
        format!(
            "{} is no whole backup: its {MANIFEST} cannot be read; choose another one",
            folder.display()
        )
    })?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .with_context(|| format!("{MANIFEST} is not understood; choose another backup"))?;
    ensure!(
        manifest.tsunagi_backup == VERSION && manifest.store_version <= STORE_VERSION,
        "it was made by a newer program ({}); use that one",
        manifest.program
    );
    let copy = folder.join(COPY);
    let is_same = copy
        .metadata()
        .is_ok_and(|file| file.len() == manifest.bytes)
        && digest(&copy)? == manifest.sha256;
    ensure!(
        is_same,
        "{} is not as it was when the backup was made: it is damaged; choose another one",
        copy.display()
    );
    Ok(manifest)
}

/// Puts a backup in a store's place, while `held` keeps others away. A store that is there is kept beside it: where, is the answer.
///
/// # Errors
/// When the backup is not good or a file cannot be written; the store is as it was then.
pub fn put_back(
    folder: &Path,
    store: &Path,
    now: DateTime<Utc>,
    _held: &Held,
) -> anyhow::Result<Option<PathBuf>> {
    check(folder)?;
    let arriving = beside(store, ".restoring");
    let _ = std::fs::remove_file(&arriving);
    let mut file = new_file(&arriving)?;
    std::io::copy(&mut File::open(folder.join(COPY))?, &mut file)?;
    file.sync_all()?;
    sound(&arriving)?;
    let before = store
        .exists()
        .then(|| beside(store, &format!(".before-{}", now.format("%Y%m%dT%H%M%SZ"))));
    if let Some(before) = &before {
        settle(store)?;
        std::fs::rename(store, before)?;
    }
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(store, end));
    }
    std::fs::rename(&arriving, store)?;
    if let Some(folder) = store
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(before)
}

/// Brings all of a store into its one file. One that is damaged is set aside with its log as it is.
fn settle(store: &Path) -> anyhow::Result<()> {
    let settled = Connection::open(store).and_then(|connection| {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            row.get::<_, i64>(0)
        })
    });
    match settled {
        Ok(0) => Ok(()),
        Ok(_) => bail!(
            "{} is still in use; end whoever uses it and try again",
            store.display()
        ),
        // It cannot be read, which may be why a backup is put back.
        Err(_) => Ok(()),
    }
}

/// The store's own version, when the copy is sound.
fn sound(copy: &Path) -> anyhow::Result<u32> {
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(
        said == "ok",
        "the copy is damaged ({said}); look at the disk"
    );
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn digest(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            count => hash.update(piece.get(..count).unwrap_or_default()),
        }
    }
}

fn new_file(path: &Path) -> anyhow::Result<File> {
    let file = new_private_file(path);
    file.with_context(|| format!("{} cannot be written", path.display()))
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::super::{Direction, Sqlite, Store, Write as Put, lock};
    use super::*;

    fn put(key: &str) -> Put {
        Put {
            key: key.to_owned(),
            value: Some(key.as_bytes().to_vec()),
        }
    }

    async fn keys(store: &Path) -> usize {
        let store = Sqlite::open(store).unwrap();
        let (start, end) = (String::new(), "~".to_owned());
        let found = store
            .scan("a", start, end, Direction::Forward, 100_000)
            .await;
        found.unwrap().len()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_copy_made_while_others_write_is_of_one_moment_and_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (
            folder.path().join("store.sqlite"),
            folder.path().join("copy"),
        );
        let store = Sqlite::open(&path).unwrap();
        let writer = store.clone();
        // Two keys a commit: a copy with an odd number would be of no moment.
        let writing = tokio::spawn(async move {
            for number in 0..400 {
                let both = vec![put(&format!("{number:04}a")), put(&format!("{number:04}b"))];
                writer.commit("a", vec![], both).await.unwrap();
            }
        });
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let (from, to) = (path.clone(), copy.clone());
        let made = tokio::task::spawn_blocking(move || make(&from, &to, Utc::now()).unwrap());
        let made = made.await.unwrap();
        writing.await.unwrap();
        assert_eq!(check(&copy).unwrap(), made);
        assert_eq!(made.store_version, 1);
        assert!(lock::alone(&path).unwrap().is_none(), "it is in use");
        drop(store);
        let held = lock::alone(&path).unwrap().unwrap();
        let before = put_back(&copy, &path, Utc::now(), &held).unwrap().unwrap();
        drop(held);
        let restored = keys(&path).await;
        assert!(restored % 2 == 0 && restored <= 800, "{restored}");
        assert_eq!(keys(&before).await, 800, "the store that was there is kept");
    }

    #[tokio::test]
    async fn a_backup_that_is_damaged_or_not_whole_is_not_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (
            folder.path().join("store.sqlite"),
            folder.path().join("copy"),
        );
        assert!(make(&path, &copy, Utc::now()).is_err(), "there is no store");
        Sqlite::open(&path)
            .unwrap()
            .commit("a", vec![], vec![put("x")])
            .await
            .unwrap();
        make(&path, &copy, Utc::now()).unwrap();
        assert!(
            make(&path, &copy, Utc::now()).is_err(),
            "nothing is written over"
        );
        let held = lock::alone(&path).unwrap().unwrap();
        let mut bytes = std::fs::read(copy.join(COPY)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(copy.join(COPY), bytes).unwrap();
        let told = put_back(&copy, &path, Utc::now(), &held)
            .unwrap_err()
            .to_string();
        assert!(told.contains("damaged"), "{told}");
        std::fs::remove_file(copy.join(MANIFEST)).unwrap();
        let told = put_back(&copy, &path, Utc::now(), &held)
            .unwrap_err()
            .to_string();
        assert!(told.contains("no whole backup"), "{told}");
        drop(held);
        assert_eq!(keys(&path).await, 1);
    }
}
