//! One number for each shop in the store, by which a process notices what another one did there. It lies in a part of the store
//! that is the host's own: no shop can have its name.

use std::collections::BTreeMap;

use tokio::sync::watch;

use crate::storage::{Direction, Store, StoreError, Write};

/// No tenant's name: those have lower-case letters, digits and hyphens only.
pub const HOST: &str = "/host";

/// Before each shop's name.
const MARKS: &str = "mark/";

fn key(tenant: &str) -> String {
    format!("{MARKS}{tenant}")
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

/// The numbers of all shops by name, with one look into the store. A shop without one is left out; its number is 0.
pub async fn all(store: &dyn Store) -> Result<BTreeMap<String, u64>, StoreError> {
    // No name holds a letter above these.
    let (start, end) = (MARKS.to_owned(), format!("{MARKS}~"));
    let found = store.scan(HOST, start, end, Direction::Forward, u32::MAX);
    let numbers = found.await?.into_iter().filter_map(|entry| {
        let name = entry.key.strip_prefix(MARKS)?.to_owned();
        Some((name, entry.revision))
    });
    Ok(numbers.collect())
}

/// The numbers as last looked at, for whoever waits for one to change.
#[derive(Default)]
pub struct Marks(BTreeMap<String, watch::Sender<u64>>);

impl Marks {
    /// Changes at the first look that finds the shop's number to be another one.
    pub fn follow(&mut self, tenant: &str) -> watch::Receiver<u64> {
        let sender = self.0.entry(tenant.to_owned());
        sender.or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Nobody follows this shop any more.
    pub fn forget(&mut self, tenant: &str) {
        self.0.remove(tenant);
    }

    /// One look for all that are followed.
    ///
    /// # Errors
    /// When the store cannot be used; then nobody is told anything.
    pub async fn look(&self, store: &dyn Store) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let now = all(store).await?;
        for (tenant, sender) in &self.0 {
            let mark = now.get(tenant).copied().unwrap_or(0);
            sender.send_if_modified(|seen| std::mem::replace(seen, mark) != mark);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Sqlite, tests::Watched};

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

    #[tokio::test]
    async fn one_look_is_one_read_however_many_shops_and_tells_only_those_that_changed() {
        let store = Watched::open();
        let mut marks = Marks::default();
        let names: Vec<String> = (0..300).map(|number| format!("shop-{number}")).collect();
        let followed: Vec<_> = names.iter().map(|name| marks.follow(name)).collect();
        for name in ["shop-7", "shop-299", "followed-by-nobody"] {
            change(&store, name).await.unwrap();
        }
        let before = store.reads();
        marks.look(&store).await.unwrap();
        assert_eq!(store.reads() - before, 1);
        let told = names.iter().zip(&followed);
        let told = told.filter(|(_, mark)| mark.has_changed().unwrap());
        let told: Vec<_> = told.map(|(name, _)| name.as_str()).collect();
        assert_eq!(told, ["shop-7", "shop-299"]);
    }

    #[tokio::test]
    async fn a_change_during_a_round_is_told_after_it_and_only_once() {
        let store = Sqlite::in_memory().unwrap();
        let mut marks = Marks::default();
        let mut mark = marks.follow("a");
        change(&store, "a").await.unwrap();
        marks.look(&store).await.unwrap();
        // The round begins here.
        mark.mark_unchanged();
        change(&store, "a").await.unwrap();
        marks.look(&store).await.unwrap();
        assert!(mark.has_changed().unwrap());
        mark.mark_unchanged();
        marks.look(&store).await.unwrap();
        assert!(!mark.has_changed().unwrap());
    }
}
