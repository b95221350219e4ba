//! The shops that this process keeps going: those of the configuration, and those that were added while it runs. Which there are is written
//! in the store, so that the console, the command line and another process agree; this file holds the running ones. Decides nothing about
//! orders or stock.
//!
//! A name of the configuration always means the configuration's shop: it cannot be added, nor removed while it stands there.

pub mod book;
mod follow;
mod leave;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use secrecy::SecretString;
use tokio::sync::Notify;

use crate::{
    config::TenantConfig, records::Records, storage::Store, storage::StoreError, tenant::Tenant,
};
use book::Added;
pub use follow::Going;
pub use leave::{bring_back, finish};

/// A shop and the secret its webhooks carry.
#[derive(Clone)]
pub struct Served {
    /// The shop.
    pub tenant: Tenant,
    /// What the header `X-Tsunagi-Secret` must hold.
    pub webhook_secret: SecretString,
    /// Who says that there is this shop.
    pub origin: Origin,
}

/// Who says that there is a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file.
    File,
    /// Somebody added it; the store says so.
    Added,
}

impl Origin {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Added => "added",
        }
    }
}

/// Makes a shop of its name and the hosts it may reach beyond those its settings need.
pub type Make = Box<dyn Fn(&str, &[String]) -> Tenant + Send + Sync>;

/// The shops of a process. Clones are the same.
#[derive(Clone)]
pub struct Shops(Arc<Inner>);

struct Inner {
    running: RwLock<BTreeMap<String, Served>>,
    records: Records,
    store: Arc<dyn Store>,
    make: Make,
    wake: Notify,
}

impl Shops {
    /// Those of the configuration and those that were added. A shop on its way out is not among them.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn open(
        store: Arc<dyn Store>,
        make: Make,
        configured: &BTreeMap<String, TenantConfig>,
    ) -> Result<Self, StoreError> {
        let shops = Self::of(store, make, BTreeMap::new());
        for (name, config) in configured {
            let served = Served {
                tenant: (shops.0.make)(name, &config.allowed_hosts),
                webhook_secret: config.webhook_secret.clone(),
                origin: Origin::File,
            };
            shops.put(name, served);
        }
        for (name, added) in book::all(&shops.0.records).await? {
            if configured.contains_key(&name) {
                tracing::warn!(
                    tenant = name,
                    "was added and is in the configuration, too: the configuration's holds"
                );
            } else if added.leaving.is_none() {
                shops.take_up(&name, &added);
            }
        }
        Ok(shops)
    }

    /// These shops.
    pub fn of(store: Arc<dyn Store>, make: Make, served: BTreeMap<String, Served>) -> Self {
        Self(Arc::new(Inner {
            running: RwLock::new(served),
            records: Records::new(store.clone()),
            store,
            make,
            wake: Notify::new(),
        }))
    }

    fn running(&self) -> RwLockReadGuard<'_, BTreeMap<String, Served>> {
        self.0
            .running
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn running_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Served>> {
        self.0
            .running
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, name: &str, served: Served) {
        self.running_mut().insert(name.to_owned(), served);
    }

    /// From here on nobody finds it.
    fn hide(&self, name: &str) -> Option<Served> {
        self.running_mut().remove(name)
    }

    fn take_up(&self, name: &str, added: &Added) {
        let served = Served {
            tenant: (self.0.make)(name, &added.allowed_hosts),
            webhook_secret: SecretString::from(added.webhook_secret.clone()),
            origin: Origin::Added,
        };
        self.put(name, served);
    }

    /// The shop of this name.
    pub fn find(&self, name: &str) -> Option<Served> {
        self.running().get(name).cloned()
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Served> {
        self.running().values().cloned().collect()
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.running().keys().cloned().collect()
    }

    /// Where it is written which there are.
    pub(crate) fn records(&self) -> &Records {
        &self.0.records
    }

    /// What is written is looked at again at once.
    pub fn look_again(&self) {
        self.0.wake.notify_one();
    }
}
