//! A shop for the flow's tests: a tenant with its storage, in a small world.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use chrono::{DateTime, FixedOffset, TimeDelta};
use futures_util::{FutureExt, future::LocalBoxFuture};

use super::world::World;
use crate::{
    error,
    ports::{
        Check, Clock, Entry, Http, HttpFailure, HttpRequest, HttpResponse, Ports, Random, Storage,
        StorageFailure, Write,
    },
    rules::{order::OrderState, samples},
    settings::{Credentials, ImportMoment, OrderSettings, PointMode, Secret, Settings},
    sync::{
        connection,
        daily::{self, Day},
        history_received,
        orders::{self, overview::Pieces, records::SLIPS, trial::Trial},
        report::{
            Backlog, ImportProgress, PageRequest, Preview, PreviewChoice, ReceivedEntry,
            ReceivedFilter, RetryChoice, StoreState,
        },
        store::Commit,
        story::{self, Story},
        tenant::{SETTINGS_KEY, Tenant},
        testing::Memory,
    },
    time::Moment,
};

impl Clock for World {
    fn now(&self) -> DateTime<FixedOffset> {
        self.now.get()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        self.now.set(self.now.get() + duration);
        Box::pin(async {})
    }
}

impl Random for World {
    fn next(&self) -> u64 {
        7
    }
}

/// What happens while a request is under way, in another call.
type Meanwhile = (&'static str, fn(&Shop));

/// The shop.
pub struct Shop {
    pub world: World,
    pub storage: Memory,
    /// Each commit of a slip's record takes so long.
    pub storage_takes: Cell<TimeDelta>,
    meanwhile: Cell<Option<Meanwhile>>,
}

impl Http for Shop {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        match self.meanwhile.take() {
            Some((part, act)) if request.url.contains(part) => act(self),
            other => self.meanwhile.set(other),
        }
        self.world.send(request)
    }
}

impl Storage for Shop {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StorageFailure> {
        self.storage.get(keys)
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, StorageFailure> {
        self.storage.scan(start, end, backward, limit)
    }

    fn commit(&self, checks: &[Check], writes: &[Write]) -> Result<(), StorageFailure> {
        let done = self.storage.commit(checks, writes);
        if writes.iter().any(|write| write.key.starts_with(SLIPS)) {
            let now = self.world.now.get() + self.storage_takes.get();
            self.world.now.set(now);
        }
        done
    }
}

impl Shop {
    /// Connected, switched on, shop 1 into store 10.
    pub fn open() -> Self {
        let shop = Self {
            world: World::new(),
            storage: Memory::default(),
            storage_takes: Cell::new(TimeDelta::zero()),
            meanwhile: Cell::new(None),
        };
        shop.save(&settings());
        super::connected::connect(&shop.ports());
        shop
    }

    pub fn ports(&self) -> Ports<'_> {
        Ports {
            http: self,
            storage: self,
            clock: &self.world,
            random: &self.world,
        }
    }

    fn save(&self, settings: &Settings) {
        Commit::new()
            .put(SETTINGS_KEY, settings)
            .unwrap()
            .apply(&self.ports())
            .unwrap();
    }

    /// Lets another call do this while the next request whose address contains the part is under way.
    pub fn meanwhile(&self, part: &'static str, act: fn(&Self)) {
        self.meanwhile.set(Some((part, act)));
    }

    /// Another call reads Next Engine and does not reach Smaregi.
    pub fn only_read(&self) {
        self.world.smaregi_down.set(true);
        self.try_import().unwrap_err();
        self.world.smaregi_down.set(false);
    }

    /// Searches for orders so far.
    pub fn searches(&self) -> usize {
        self.world.asked("POST /api_v1_receiveorder_row/search")
    }

    /// Changes the order settings, from what they were at the opening.
    pub fn set(&self, change: impl FnOnce(&mut OrderSettings)) {
        let mut settings = settings();
        change(&mut settings.orders);
        self.save(&settings);
    }

    /// Sets 在庫移動元店舗.
    pub fn source_store(&self, store: &str) {
        self.set(|orders| orders.receiving_stores[0].source_store_id = Some(store.to_owned()));
    }

    pub fn tenant(&self, requests: u32) -> Tenant<'_> {
        Tenant::open(self.ports(), requests, 86_400).unwrap()
    }

    pub fn import_within(&self, requests: u32) -> ImportProgress {
        at_once(orders::import_shop(&self.tenant(requests), "1"))
    }

    pub fn try_import(&self) -> error::Result<ImportProgress> {
        orders::import_shop(&self.tenant(100_000), "1")
            .now_or_never()
            .unwrap()
    }

    pub fn import_of(&self, shop: &str) -> ImportProgress {
        at_once(orders::import_shop(&self.tenant(100_000), shop))
    }

    /// An hour later a slip of no interest has moved the cursor on, so that nothing that is there comes again for its age.
    pub fn move_on(&self) {
        self.world.pass(60);
        let mut provisional = samples::order("9999");
        provisional.state = OrderState::Provisional;
        self.world.put(provisional);
        self.import();
        self.world.pass(60);
    }

    pub fn switch_off(&self) {
        connection::switch_off(&self.ports()).unwrap();
    }

    /// What storage holds now.
    pub fn back_up(&self) -> (BTreeMap<String, Entry>, Moment) {
        (self.storage.entries.borrow().clone(), self.world.now.get())
    }

    /// Puts that back, and goes on.
    pub fn restore(&self, (entries, as_of): (BTreeMap<String, Entry>, Moment)) {
        *self.storage.entries.borrow_mut() = entries;
        let status = connection::restored(&self.ports(), as_of).unwrap();
        assert!(!status.switched_on);
        let status = connection::switch_on(&self.tenant(0), Backlog::Send).unwrap();
        assert_eq!(status.baseline, Some(self.world.now.get()), "left");
    }

    pub fn has_open_work(&self) -> bool {
        orders::has_open_work(&self.ports()).unwrap()
    }

    pub fn import(&self) -> ImportProgress {
        self.import_within(100_000)
    }

    pub fn settle(&self) -> ImportProgress {
        at_once(orders::settle(&self.tenant(100_000)))
    }

    pub fn retry(&self, choice: RetryChoice) -> ImportProgress {
        self.retry_within(choice, 100_000)
    }

    pub fn retry_within(&self, choice: RetryChoice, requests: u32) -> ImportProgress {
        at_once(orders::retry(&self.tenant(requests), &choice))
    }

    pub fn try_retry(&self, choice: &RetryChoice) -> error::Result<ImportProgress> {
        orders::retry(&self.tenant(100_000), choice)
            .now_or_never()
            .unwrap()
    }

    pub fn preview_slip(&self, slip: &str) -> Preview {
        let choice = PreviewChoice::Slip(slip.to_owned());
        at_once(orders::preview(&self.tenant(100_000), &choice)).remove(0)
    }

    pub fn preview(&self, shop: &str) -> Vec<Preview> {
        at_once(orders::preview(
            &self.tenant(100_000),
            &PreviewChoice::Shop(shop.to_owned()),
        ))
    }

    /// Tries settings that differ so from those of the opening.
    pub fn try_settings(&self, last: u32, change: impl FnOnce(&mut OrderSettings)) -> Trial {
        let mut proposed = settings();
        change(&mut proposed.orders);
        at_once(orders::try_settings(&self.tenant(1_000), &proposed, last))
    }

    pub fn story(&self, key: &str) -> error::Result<Story> {
        story::story(&self.tenant(0), key)
    }

    pub fn stores(&self) -> Vec<StoreState> {
        orders::stores(&self.tenant(0)).unwrap()
    }

    pub fn refused_shipped(&self) -> Vec<Pieces> {
        orders::refused_shipped(&self.tenant(0)).unwrap()
    }

    pub fn booked_unshipped(&self) -> Vec<Pieces> {
        orders::booked_unshipped(&self.tenant(0)).unwrap()
    }

    /// What is counted of today.
    pub fn today(&self) -> Day {
        daily::daily(&self.tenant(0), 1).unwrap().remove(0)
    }

    /// The newest entries of the reception history.
    pub fn received(&self) -> Vec<ReceivedEntry> {
        let page = PageRequest {
            continuation: None,
            limit: 500,
        };
        history_received::received(&self.tenant(0), &ReceivedFilter::default(), &page)
            .unwrap()
            .entries
    }

    /// Keys of everything refused.
    pub fn refused(&self) -> usize {
        self.storage_of("orders/refused/").len()
    }

    /// Everything stored under a prefix.
    pub fn storage_of(&self, prefix: &str) -> Vec<Entry> {
        self.storage
            .entries
            .borrow()
            .values()
            .filter(|entry| entry.key.starts_with(prefix))
            .cloned()
            .collect()
    }
}

/// A shop whose Next Engine holds a shipped order for each slip number.
pub fn shop_with(slips: &[&str]) -> Shop {
    let shop = Shop::open();
    for slip in slips {
        shop.world.put(samples::order(slip));
    }
    shop
}

/// A shop that takes orders when their slips are issued, and has taken order 1001 so, before it is shipped.
pub fn shop_taking_early() -> Shop {
    let shop = Shop::open();
    shop.set(|orders| orders.moment = ImportMoment::Issued);
    let mut order = samples::order("1001");
    (order.state, order.shipped_on) = (OrderState::Issued, None);
    shop.world.put(order);
    assert_eq!(shop.import().registered, 1);
    shop
}

/// A shop that has refused order 1001: 80 points were used on it, and the settings say nothing of points.
pub fn shop_refusing_points() -> Shop {
    let shop = Shop::open();
    let mut order = samples::order("1001");
    (order.points, order.total) = (80.into(), 3_000.into());
    shop.world.put(order);
    shop.set(|orders| orders.points = PointMode::Unset);
    assert_eq!(shop.import().refused, 1);
    shop
}

fn settings() -> Settings {
    let secret = || Secret::new("secret".to_owned());
    Settings {
        credentials: Credentials {
            next_engine_client_id: "ne".to_owned(),
            next_engine_client_secret: secret(),
            next_engine_redirect: String::new(),
            smaregi_contract_id: "sb_test".to_owned(),
            smaregi_client_id: "sm".to_owned(),
            smaregi_client_secret: secret(),
        },
        orders: samples::settings(),
        ..Settings::default()
    }
}

/// Nothing in this world makes anybody wait.
fn at_once<T>(work: impl Future<Output = error::Result<T>>) -> T {
    work.now_or_never()
        .expect("the world answers at once")
        .unwrap()
}
