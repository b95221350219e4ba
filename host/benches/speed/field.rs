//! Where rows over sockets are played: both services' doubles on loopback, and one shop of this host on a SQLite file, connected and
//! switched on. Measures nothing.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};
use tsunagi::{
    clock::{SharedClock, SystemClock},
    runtime::{AllowList, Runtime, Surroundings},
    storage::{Sqlite, Store},
    tenant::Tenant,
};
use tsunagi_sandbox::{
    FaultKind, FaultRule, Sandbox, SandboxClock, SandboxConfig, ServiceName, smaregi::Limits,
};

use crate::{Plan, shop};

/// The shop's name.
pub const SHOP: &str = "speed";

/// How the services answer.
pub struct Services {
    /// Orders that are to be taken in.
    pub orders: u64,
    /// Whether time is the machine's; otherwise it stands still and waiting costs none.
    pub real_time: bool,
    /// Milliseconds that each request takes.
    pub latency: u64,
    /// Smaregi's limits of requests a second.
    pub limits: Limits,
}

impl Services {
    /// At once, without limits.
    pub fn instant(orders: u64) -> Self {
        Self {
            orders,
            real_time: false,
            latency: 0,
            limits: Limits::None,
        }
    }

    /// The doubles, as quick as they are until [`Services::slow`].
    pub fn start(&self) -> Result<Sandbox> {
        let now = now();
        let clock = if self.real_time {
            SandboxClock::system()
        } else {
            SandboxClock::held_at(now)
        };
        let config = SandboxConfig {
            clock: Some(clock),
            shop: Some(shop::shop(now, self.orders)),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config)?;
        sandbox.smaregi(|smaregi| smaregi.set_pace(Limits::None, false));
        Ok(sandbox)
    }

    /// From here on requests take their time and meet their limits, and are counted.
    pub fn slow(&self, sandbox: &Sandbox) {
        sandbox.smaregi(|smaregi| smaregi.set_pace(self.limits, false));
        let delay = FaultKind::Delay {
            millis: self.latency,
        };
        for service in [ServiceName::Smaregi, ServiceName::NextEngine] {
            sandbox.add_fault(FaultRule::always(service, "", delay.clone()));
        }
        sandbox.world(|world| world.counters.reset());
    }
}

/// This moment in Japan.
pub fn now() -> DateTime<FixedOffset> {
    Utc::now().with_timezone(&tsunagi_sandbox::clock::jst())
}

/// Everything.
pub struct Field {
    /// Both services.
    pub sandbox: Sandbox,
    /// The shop.
    pub tenant: Tenant,
    /// Where it is kept.
    pub store: Arc<Sqlite>,
    folder: tempfile::TempDir,
}

impl Field {
    /// The shop connected to these services and switched on.
    pub async fn open(plan: &Plan, services: &Services, writes_per_second: u32) -> Result<Self> {
        let sandbox = services.start()?;
        let folder = tempfile::tempdir()?;
        let store = Arc::new(Sqlite::open(&folder.path().join("store.sqlite"))?);
        let clock: SharedClock = if services.real_time {
            Arc::new(SystemClock::new())
        } else {
            Arc::new(sandbox.clock().clone())
        };
        let tenant = tenant(&plan.runtime, store.clone(), SHOP, clock);
        let settings = shop::settings(&sandbox.describe(), writes_per_second);
        let call = |function: &'static str, given: Value| tenant.call(function, given);
        call("settings.put", json!({ "settings": settings })).await?;
        let begun = call("connection.begin-login", json!({})).await?;
        let (uid, state) = signed_in(&sandbox)?;
        let back = json!({ "ticket": begun.get("ticket"), "uid": uid, "state": state });
        call("connection.finish-login", back).await?;
        call("connection.switch-on", json!({ "backlog": "leave" })).await?;
        services.slow(&sandbox);
        Ok(Self {
            sandbox,
            tenant,
            store,
            folder,
        })
    }

    /// Imports until nothing more is to be done; fails where that is not every order.
    pub async fn import(&self, orders: u64) -> Result<()> {
        let given = json!({ "shop-id": shop::MALL.to_string(), "budget": { "requests": 100_000, "seconds": 600 } });
        let mut registered = 0;
        loop {
            let done = self
                .tenant
                .call("orders.import-shop", given.clone())
                .await?;
            registered += number(&done, "registered");
            if done.get("more").and_then(Value::as_bool) != Some(true) {
                ensure!(
                    registered == orders,
                    "{registered} of {orders} orders: {done}"
                );
                return Ok(());
            }
        }
    }

    /// Requests that this service saw since they are counted.
    pub fn requests(&self, service: ServiceName, endpoint: &str) -> f64 {
        let counted =
            |world: &mut tsunagi_sandbox::World| world.counters.requests(service, endpoint);
        self.sandbox.world(counted) as f64
    }

    /// The store's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A shop of this host.
pub fn tenant(runtime: &Runtime, store: Arc<dyn Store>, name: &str, clock: SharedClock) -> Tenant {
    let surroundings = Surroundings {
        store,
        tenant: name.to_owned(),
        clock,
        allowed: AllowList::default(),
    };
    Tenant::new(runtime.clone(), surroundings, Vec::new())
}

/// A person signs in on Next Engine's page: user and state, as they come back.
pub fn signed_in(sandbox: &Sandbox) -> Result<(String, String)> {
    let back = sandbox.next_engine(|next_engine| {
        let user = next_engine.users().first().map(|user| user.uid.clone());
        user.map(|uid| next_engine.launch(&uid))
    });
    let back = back.context("the sandbox has no user")?;
    state_of(&back)
}

/// User and state from the address that a browser is sent back to.
pub fn state_of(back: &str) -> Result<(String, String)> {
    let query = back.split_once('?').map_or("", |(_, query)| query);
    let given = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.into_owned())
            .context("uid and state")
    };
    Ok((given("uid")?, given("state")?))
}

/// A count of an answer.
pub fn number(answer: &Value, field: &str) -> u64 {
    answer
        .get(field)
        .and_then(Value::as_u64)
        .unwrap_or_default()
}
