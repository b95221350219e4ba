//! Keeping the running shops as the store says they are: a new one is begun, one that was removed ends once its call under way has ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{Served, Shops, book, finish};
use crate::{notices::Notices, scheduler, storage::StoreError, tenant::Marks};

/// How often is looked whether another process added or removed a shop, or changed something at one: two reads of the store for all of
/// them.
const LOOK: Duration = Duration::from_secs(2);

/// The schedulers of the running shops.
#[derive(Default)]
pub struct Going {
    schedulers: BTreeMap<String, (watch::Sender<bool>, JoinHandle<()>)>,
    marks: Marks,
    leaving: BTreeSet<String>,
    ends: JoinSet<(String, Result<(), StoreError>)>,
}

impl Shops {
    /// Follows what the store says until `stop` turns true; then lets all rounds finish. With notices, each shop has its scheduler.
    pub async fn follow(self, notices: Option<Notices>, mut stop: watch::Receiver<bool>) {
        let mut going = Going::default();
        while !*stop.borrow() {
            if let Err(error) = self.step(&mut going, notices.as_ref()).await {
                tracing::warn!("the list of shops cannot be read: {error}");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.0.wake.notified() => {}
                Some(ended) = going.ends.join_next() => going.ended(ended.ok()),
                _ = stop.changed() => {}
            }
        }
        going.stop().await;
    }

    /// One look.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn step(
        &self,
        going: &mut Going,
        notices: Option<&Notices>,
    ) -> Result<(), StoreError> {
        let written = book::all(self.records()).await?;
        let names: BTreeSet<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
        for served in self.all() {
            // Another process finished its removal.
            if served.origin == super::Origin::Added && !names.contains(served.tenant.name.as_str())
            {
                self.hide(&served.tenant.name);
                going.end_scheduler(&served.tenant.name);
            }
        }
        for (name, row) in &written {
            let found = self.find(name);
            if found
                .as_ref()
                .is_some_and(|served| served.origin == super::Origin::File)
            {
                continue;
            }
            match &row.leaving {
                Some(leaving) => self.let_go(going, name, leaving.data),
                None if found.is_none() => self.take_up(name, row),
                None => {}
            }
        }
        if let Some(notices) = notices {
            for served in self.all() {
                going.begin(&served, notices);
            }
        }
        going.marks.look(self.0.store.as_ref()).await
    }

    /// Nobody finds it any more; what is under way ends, and then its data goes where it is to.
    fn let_go(&self, going: &mut Going, name: &str, data: book::Fate) {
        if !going.leaving.insert(name.to_owned()) {
            return;
        }
        let served = self.hide(name);
        let scheduler = going.end_scheduler(name);
        let (store, name) = (self.0.store.clone(), name.to_owned());
        going.ends.spawn(async move {
            if let Some(scheduler) = scheduler {
                let _ = scheduler.await;
            }
            if let Some(served) = served {
                served.tenant.close().await;
            }
            let done = finish(&store, &name, data).await;
            (name, done)
        });
    }
}

impl Going {
    fn begin(&mut self, served: &Served, notices: &Notices) {
        let name = &served.tenant.name;
        if self.schedulers.contains_key(name) {
            return;
        }
        let (stop, stopped) = watch::channel(false);
        let mark = self.marks.follow(name);
        let run = scheduler::run(served.tenant.clone(), notices.clone(), mark, stopped);
        self.schedulers
            .insert(name.clone(), (stop, tokio::spawn(run)));
    }

    fn end_scheduler(&mut self, name: &str) -> Option<JoinHandle<()>> {
        self.marks.forget(name);
        let (stop, scheduler) = self.schedulers.remove(name)?;
        let _ = stop.send(true);
        Some(scheduler)
    }

    fn ended(&mut self, end: Option<(String, Result<(), StoreError>)>) {
        let Some((name, done)) = end else { return };
        match done {
            Ok(()) => tracing::info!(tenant = name, "was removed"),
            Err(error) => tracing::warn!(tenant = name, "is not removed yet: {error}"),
        }
        self.leaving.remove(&name);
    }

    /// Waits until all that are to go are gone.
    pub async fn all_gone(&mut self) {
        while let Some(ended) = self.ends.join_next().await {
            self.ended(ended.ok());
        }
    }

    async fn stop(mut self) {
        let schedulers = std::mem::take(&mut self.schedulers);
        for (stop, _) in schedulers.values() {
            let _ = stop.send(true);
        }
        for (_, scheduler) in schedulers.into_values() {
            let _ = scheduler.await;
        }
        self.all_gone().await;
    }
}
