//! One number for each shop in the store, by which a process notices what another one did there. It lies in a part of the store
//! that is the host's own: no shop can have its name.

use crate::storage::{Store, StoreError, Write};

/// No tenant's name: those have lower-case letters, digits and hyphens only.
pub const HOST: &str = "/host";

fn key(tenant: &str) -> String {
    format!("mark/{tenant}")
}

/// The number; it only grows.
pub async fn read(store: &dyn Store, tenant: &str) -> Result<u64, StoreError> {
    let found = store.get(HOST, vec![key(tenant)]).await?;
    let found = found.into_iter().next().flatten();
    Ok(found.map_or(0, |entry| entry.revision))
}

/// Makes it another one: the store gives each write its own revision.
pub async fn change(store: &dyn Store, tenant: &str) -> Result<(), StoreError> {
    let write = Write {
        key: key(tenant),
        value: Some(Vec::new()),
    };
    store.commit(HOST, Vec::new(), vec![write]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Sqlite;

    #[tokio::test]
    async fn another_process_sees_the_change_and_other_shops_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let (here, there) = (Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap());
        let (before, other) = (
            read(&here, "a").await.unwrap(),
            read(&here, "b").await.unwrap(),
        );
        change(&there, "a").await.unwrap();
        assert!(read(&here, "a").await.unwrap() > before);
        assert_eq!(read(&here, "b").await.unwrap(), other);
    }
}
