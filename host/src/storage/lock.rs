//! Who uses a store. Every process shares a lock on a file beside it, so that what needs the store alone (a restore, the end of a removed
//! shop) knows whether it is. SQLite's own locks are about single commits and say nothing of that.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use super::{StoreError, beside};

/// Held while the store is used.
pub type Held = File;

fn place(store: &Path) -> PathBuf {
    beside(store, ".lock")
}

#[cfg(unix)]
fn open(store: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.create(true).append(true).mode(0o600);
    options.open(place(store))
}

#[cfg(not(unix))]
fn open(store: &Path) -> std::io::Result<File> {
    File::options().create(true).append(true).open(place(store))
}

/// Beside others.
///
/// # Errors
/// When somebody needs the store alone just now. A lock that cannot be had at all, on a disk that has none, is gone without.
pub fn shared(store: &Path) -> Result<Option<Held>, StoreError> {
    let Ok(file) = open(store) else {
        return Ok(None);
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unavailable(
            "いま復元か店舗の削除をしています。終わってからもう一度試してください / it is being restored, or a shop is being removed; try again when that has ended".to_owned(),
        )),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Alone; `None` when somebody else uses it.
///
/// # Errors
/// When there can be no lock: then nobody can say whether it is used.
pub fn alone(store: &Path) -> Result<Option<Held>, StoreError> {
    let cannot = |error: std::io::Error| {
        StoreError::Unavailable(format!(
            "{} cannot be locked ({error}); look at the rights of its folder",
            place(store).display()
        ))
    };
    let file = open(store).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_may_share_and_one_may_be_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.sqlite");
        let (one, other) = (shared(&store).unwrap(), shared(&store).unwrap());
        assert!(one.is_some() && other.is_some());
        assert!(alone(&store).unwrap().is_none());
        drop((one, other));
        let held = alone(&store).unwrap();
        assert!(held.is_some() && shared(&store).is_err() && alone(&store).unwrap().is_none());
    }
}
