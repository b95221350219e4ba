//! A store with one shop as the demo's day left it, as long a past and as many further shops as are asked for, and their console.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use secrecy::SecretString;
use serde_json::{Value, json};
use tsunagi::{
    clock::SharedClock,
    config::{NoticesConfig, TenantConfig},
    demo::stage::{self, Stage},
    notices::Notices,
    runtime::{AllowList, Runtime, Surroundings},
    server::{self, Service, invitation_link},
    shops::{Make, Shops},
    storage::{Direction, Entry, Sqlite, Store, Write},
    tenant::Tenant,
};

use crate::history::Past;

/// The shop that is looked at.
pub const SHOP: &str = stage::SHOP;
const URL: &str = "http://127.0.0.1:8080";
/// Writes of one commit.
const AT_ONCE: usize = 1_000;
/// What a shop keeps that has no past: its settings, its login and how far it has come.
const STATE: [&str; 6] = [
    "settings",
    "link",
    "next-engine/",
    "orders/cursor/",
    "stock/store/",
    "stock/book",
];

/// How much there is beyond the day.
#[derive(Default, Clone, Copy)]
pub struct Size {
    /// Entries of each history, at least.
    pub rows: usize,
    /// Shops.
    pub more_shops: usize,
}

/// The store and its console.
pub struct World {
    service: Service,
    days: u64,
    slip: String,
    code: String,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn of(stage: &Stage, runtime: &Runtime, size: Size) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.path().join("store.sqlite"))?);
        let rows = rows(stage).await?;
        let write = |row: &Entry| Write {
            key: row.key.clone(),
            value: Some(row.value.clone()),
        };
        put(&store, SHOP, rows.iter().map(write).collect()).await?;
        let days = lengthen(&store, &Past::of(&rows)?, size.rows).await?;
        let state = rows.iter().filter(|row| is_state(&row.key)).map(write);
        let state: Vec<Write> = state.collect();
        let others: Vec<String> = (1..=size.more_shops)
            .map(|at| format!("shop-{at:04}"))
            .collect();
        for shop in &others {
            put(&store, shop, state.clone()).await?;
        }
        let clock: SharedClock = Arc::new(stage.clock.clone());
        let service = service(runtime, &store, &clock, &others).await?;
        let newest = page(&service, "history.received").await?;
        let sent = page(&service, "history.sent").await?;
        Ok(Self {
            service,
            days,
            slip: text(&newest, "/entries/0/slip")?,
            code: text(&sent, "/entries/0/product-id")?,
            _folder: folder,
        })
    }

    /// The server's own router.
    pub fn router(&self) -> Router {
        server::app(self.service.clone())
    }

    /// A link to an account of the shop, or the operator's.
    pub async fn invitation(&self, shop: Option<&str>) -> Result<String> {
        let (store, now) = (self.service.store.clone(), self.service.clock.now());
        let link = invitation_link(store, URL, shop.map(str::to_owned), None, now).await?;
        Ok(link.context("there is no such account")?.0)
    }

    /// A page's address with what it is about.
    pub fn filled(&self, page: &str) -> String {
        let back = chrono::Days::new(self.days / 10);
        let old = (self.service.clock.now() - back).format("%Y-%m-%d");
        page.replace("{old}", &old.to_string())
            .replace("{slip}", &self.slip)
            .replace("{code}", &self.code)
    }

    /// How much there is, as the component itself tells it page by page.
    pub async fn told(&self) -> Result<String> {
        let sent = counted(&self.service, "history.sent").await?;
        let received = counted(&self.service, "history.received").await?;
        let shops = self.service.shops.names().len();
        Ok(format!(
            "{shops} shops, {sent} entries sent, {received} received"
        ))
    }
}

/// The demo's shop as it is stored.
async fn rows(stage: &Stage) -> Result<Vec<Entry>> {
    let (begin, end) = (String::new(), "\u{10ffff}".to_owned());
    let store = stage.store();
    let all = store.scan(SHOP, begin, end, Direction::Forward, u32::MAX);
    Ok(all.await?)
}

/// Its settings alone: a shop that is off.
pub async fn settings(stage: &Stage) -> Result<Vec<Write>> {
    let rows = rows(stage).await?.into_iter();
    let settings = rows.filter(|row| row.key == "settings");
    let write = |row: Entry| Write {
        key: row.key,
        value: Some(row.value),
    };
    Ok(settings.map(write).collect())
}

fn is_state(key: &str) -> bool {
    STATE.iter().any(|state| key.starts_with(state))
}

/// So many days that each history has as many entries; says how many.
async fn lengthen(store: &Arc<dyn Store>, past: &Past, rows: usize) -> Result<u64> {
    type Day = fn(&Past, u64) -> Result<(Vec<Write>, usize)>;
    let mut longest = 0;
    for of in [Past::sent as Day, Past::received as Day] {
        let (mut entries, mut day) = (0, 0);
        while entries < rows {
            day += 1;
            let (writes, more) = of(past, day)?;
            anyhow::ensure!(more > 0, "the day left no history");
            entries += more;
            put(store, SHOP, writes).await?;
        }
        longest = day.max(longest);
    }
    Ok(longest)
}

pub async fn put(store: &Arc<dyn Store>, shop: &str, writes: Vec<Write>) -> Result<()> {
    for writes in writes.chunks(AT_ONCE) {
        store.commit(shop, Vec::new(), writes.to_vec()).await?;
    }
    Ok(())
}

/// The shop and these others, served from a store.
pub async fn service(
    runtime: &Runtime,
    store: &Arc<dyn Store>,
    clock: &SharedClock,
    others: &[String],
) -> Result<Service> {
    let (runtime, of, by) = (runtime.clone(), store.clone(), clock.clone());
    let make: Make = Box::new(move |name, hosts| {
        let surroundings = Surroundings {
            store: of.clone(),
            tenant: name.to_owned(),
            clock: by.clone(),
            allowed: AllowList::default(),
        };
        Tenant::new(runtime.clone(), surroundings, hosts.to_vec())
    });
    let names = others.iter().map(String::as_str).chain([SHOP]);
    let configured = names.map(|name| {
        let config = TenantConfig {
            webhook_secret: SecretString::from("not used"),
            allowed_hosts: Vec::new(),
            settings: None,
        };
        (name.to_owned(), config)
    });
    Ok(Service {
        shops: Shops::open(store.clone(), make, &configured.collect()).await?,
        api_token: None,
        public_url: URL.to_owned(),
        store: store.clone(),
        clock: clock.clone(),
        notices: Notices::new(store.clone(), clock.clone(), URL, &NoticesConfig::default())?,
    })
}

async fn call(service: &Service, function: &str, arguments: Value) -> Result<Value> {
    let served = service.shops.find(SHOP).context("the shop is served")?;
    Ok(served.tenant.call(function, arguments).await?)
}

async fn page(service: &Service, function: &str) -> Result<Value> {
    let arguments = json!({ "filter": {}, "page": { "limit": 500 } });
    call(service, function, arguments).await
}

async fn counted(service: &Service, function: &str) -> Result<usize> {
    let (mut count, mut from) = (0, Value::Null);
    loop {
        let arguments = json!({ "filter": {}, "page": { "limit": 500, "continuation": from } });
        let mut found = call(service, function, arguments).await?;
        let entries = found.get("entries").and_then(Value::as_array);
        count += entries.map_or(0, Vec::len);
        from = found
            .get_mut("continuation")
            .map_or(Value::Null, Value::take);
        if from.is_null() {
            return Ok(count);
        }
    }
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text.with_context(|| pointer.to_owned())?.to_owned())
}
