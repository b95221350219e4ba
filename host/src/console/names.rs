//! What stores and shops are called, for pages that have only their ids. Smaregi's list is kept in this process and read anew behind the
//! pages, so that none of them waits for Smaregi for long. Decides nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Console,
    access::AtShop,
    show::{items, text},
};

/// How long a list is believed.
const KEPT: TimeDelta = TimeDelta::minutes(10);
/// When one that could not be read is asked for again.
const AGAIN: TimeDelta = TimeDelta::seconds(15);
/// How long the first page of all waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

type ById = BTreeMap<String, String>;

/// The stores of every shop, as last read.
#[derive(Clone, Default)]
pub struct Stores {
    known: Arc<Mutex<BTreeMap<String, Kept>>>,
}

#[derive(Clone)]
struct Kept {
    names: ById,
    good_until: DateTime<Utc>,
}

impl Stores {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self, shop: &str) -> ById {
        let known = self.lock();
        known
            .get(shop)
            .map(|kept| kept.names.clone())
            .unwrap_or_default()
    }

    /// Whether somebody has to read the list, and whether there is none so far. Who is told so reads it; nobody else does meanwhile.
    fn is_wanted(&self, shop: &str, now: DateTime<Utc>) -> Option<bool> {
        let mut known = self.lock();
        let kept = known.get(shop);
        if kept.is_some_and(|kept| now < kept.good_until) {
            return None;
        }
        let is_first = kept.is_none();
        let names = kept.map(|kept| kept.names.clone()).unwrap_or_default();
        let good_until = now + AGAIN;
        known.insert(shop.to_owned(), Kept { names, good_until });
        Some(is_first)
    }

    async fn read(self, at: AtShop, now: DateTime<Utc>) {
        let Ok(list) = at.try_call("directory.smaregi-stores", json!({})).await else {
            return;
        };
        let names = by_id(items(&list, "/choices"), "/id", "/name");
        let good_until = now + KEPT;
        self.lock()
            .insert(at.shop().to_owned(), Kept { names, good_until });
    }
}

fn by_id(rows: &[Value], id: &str, name: &str) -> ById {
    let pairs = rows
        .iter()
        .map(|row| (text(row, id).to_owned(), text(row, name).to_owned()));
    pairs.filter(|(_, name)| !name.is_empty()).collect()
}

/// The names that a page needs.
#[derive(Default)]
pub struct Names {
    stores: ById,
    shops: ById,
}

impl Names {
    /// Smaregi's stores, and Next Engine's shops as the settings call them.
    pub async fn of(console: &Console, at: &AtShop) -> Self {
        let (stores, now) = (&console.stores, console.now());
        if let Some(is_first) = stores.is_wanted(at.shop(), now) {
            let reading = tokio::spawn(stores.clone().read(at.clone(), now));
            if is_first {
                // Later than that the ids have to do; the next page has the names.
                let _ = tokio::time::timeout(PATIENCE, reading).await;
            }
        }
        let settings = at
            .try_call("settings.get", json!({}))
            .await
            .unwrap_or_default();
        let receiving = items(&settings, "/orders/receiving-stores");
        Self {
            stores: stores.names(at.shop()),
            shops: by_id(receiving, "/shop-id", "/shop-name"),
        }
    }

    /// A store of Smaregi; its id where no name is known.
    pub fn store<'a>(&'a self, id: &'a str) -> &'a str {
        self.stores.get(id).map_or(id, String::as_str)
    }

    /// A shop of Next Engine.
    pub fn shop<'a>(&'a self, id: &'a str) -> &'a str {
        self.shops.get(id).map_or(id, String::as_str)
    }

    /// All shops that are received from, for a field to choose from.
    pub fn shops(&self) -> impl Iterator<Item = (&str, &str)> {
        self.shops
            .iter()
            .map(|(id, name)| (id.as_str(), name.as_str()))
    }

    /// All stores, for a field to choose from.
    pub fn stores(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stores
            .iter()
            .map(|(id, name)| (id.as_str(), name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_once_and_again_when_it_is_old() {
        let stores = Stores::default();
        let now: DateTime<Utc> = "2026-11-24T00:00:00Z".parse().unwrap();
        assert_eq!(stores.is_wanted("a", now), Some(true));
        assert_eq!(stores.is_wanted("a", now), None, "somebody is at it");
        assert_eq!(
            stores.is_wanted("b", now),
            Some(true),
            "each shop has its own"
        );
        assert_eq!(
            stores.is_wanted("a", now + AGAIN),
            Some(false),
            "it was not read"
        );
    }
}
