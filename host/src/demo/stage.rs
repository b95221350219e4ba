//! The demo's stage, which end-to-end tests use as well: the sandbox of both services, one shop connected to it through this host's
//! real server, and a clock that is moved by hand. Decides nothing about orders or stock.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use chrono::{DateTime, FixedOffset, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tsunagi_sandbox::{
    Sandbox, SandboxClock, SandboxConfig, Switches, shop::ShopData, smaregi::Hook,
};

use super::browser::Browser;
use crate::{
    config::NoticesConfig,
    console,
    notices::Notices,
    runtime::{AllowList, Runtime, Surroundings},
    server::{self, Running, Service, login_address},
    shops::{Origin, Served, Shops},
    storage::Sqlite,
    tenant::{CallError, Tenant},
};

/// The shop's name on the stage.
pub const SHOP: &str = "demo";
const API_TOKEN: &str = "stage-api-token";
const WEBHOOK_SECRET: &str = "stage-webhook-secret";

/// How long a webhook is waited for, in real time; on loopback it takes a moment.
const DELIVERY: Duration = Duration::from_secs(5);

/// What is played.
pub struct Play {
    /// Both services' books at the beginning.
    pub shop: ShopData,
    /// Answers to the open questions.
    pub switches: Switches,
    /// The first moment.
    pub begins: DateTime<FixedOffset>,
}

/// The stage.
pub struct Stage {
    /// Both services.
    pub sandbox: Sandbox,
    /// The shop.
    pub tenant: Tenant,
    /// Everybody's clock.
    pub clock: SandboxClock,
    running: Option<Running>,
    base: String,
    store: Arc<Sqlite>,
}

impl Stage {
    /// Starts everything; the shop has no settings yet.
    ///
    /// # Errors
    /// When a port cannot be had or the play's books do not fit together.
    pub async fn start(play: Play, runtime: Runtime) -> anyhow::Result<Self> {
        let clock = SandboxClock::held_at(play.begins);
        let config = SandboxConfig {
            clock: Some(clock.clone()),
            switches: play.switches,
            shop: Some(play.shop),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config)?;
        let store = Arc::new(Sqlite::in_memory()?);
        let surroundings = Surroundings {
            store: store.clone(),
            tenant: SHOP.to_owned(),
            clock: Arc::new(clock.clone()),
            allowed: AllowList::default(),
        };
        let tenant = Tenant::new(runtime, surroundings, Vec::new());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let served = Served {
            tenant: tenant.clone(),
            webhook_secret: SecretString::from(WEBHOOK_SECRET),
            origin: Origin::File,
        };
        let (shop, all) = (tenant.clone(), BTreeMap::from([(SHOP.to_owned(), served)]));
        // One shop is played.
        let make = Box::new(move |_: &str, _: &[String]| shop.clone());
        let service = Service {
            shops: Shops::of(store.clone(), make, all),
            api_token: Some(SecretString::from(API_TOKEN)),
            public_url: base.clone(),
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            notices: Notices::new(
                store.clone(),
                Arc::new(clock.clone()),
                &base,
                &NoticesConfig::default(),
            )?,
        };
        // Rounds are called by hand here, so that the clock moves between them and not within.
        let running = server::start(service, listener, false)?;
        let stage = Self {
            sandbox,
            tenant,
            clock,
            running: Some(running),
            base,
            store,
        };
        stage.register_addresses()?;
        Ok(stage)
    }

    /// What a merchant does in both services' consoles.
    fn register_addresses(&self) -> anyhow::Result<()> {
        let callback = format!("{}/login/callback", self.base);
        self.sandbox
            .next_engine(|services| services.set_redirect_uri(&callback))?;
        let hook = Hook {
            url: format!("{}/t/{SHOP}/webhook/smaregi", self.base),
            header: ("x-tsunagi-secret".to_owned(), WEBHOOK_SECRET.to_owned()),
        };
        self.sandbox.smaregi(|smaregi| smaregi.set_hook(Some(hook)));
        Ok(())
    }

    /// Everything that is kept.
    pub fn store(&self) -> Arc<Sqlite> {
        self.store.clone()
    }

    /// Where the server listens.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What the JSON API asks for.
    pub fn api_token(&self) -> &'static str {
        API_TOKEN
    }

    /// Calls a function of the contract.
    ///
    /// # Errors
    /// The contract's, or the host's.
    pub async fn call(&self, function: &str, arguments: Value) -> Result<Value, CallError> {
        self.tenant.call(function, arguments).await
    }

    /// Complete settings for the sandbox: nothing sent, nothing received; `change` makes them the play's.
    pub fn settings(&self, change: impl FnOnce(&mut Value)) -> Value {
        let (contract, client, secret) = self.sandbox.smaregi(|smaregi| {
            let app = smaregi.app();
            (
                app.contract_id.clone(),
                app.client_id.clone(),
                app.client_secret.clone(),
            )
        });
        let app = self
            .sandbox
            .next_engine(|next_engine| next_engine.app().clone());
        let mut settings = json!({
            "endpoints": {
                "next-engine-sign-in": self.sandbox.ne_sign_in(), "next-engine-api": self.sandbox.ne_api(),
                "smaregi-id": self.sandbox.smaregi_id(), "smaregi-api": self.sandbox.smaregi_api(),
            },
            "credentials": {
                "next-engine-client-id": app.client_id, "next-engine-client-secret": app.client_secret,
                "next-engine-redirect": app.redirect_uri, "smaregi-contract-id": contract, "smaregi-client-id": client,
                "smaregi-client-secret": secret, "has-next-engine-secret": false, "has-smaregi-secret": false,
            },
            "stock": {
                "triggers": { "correction": false, "sale": false, "purchase": false, "shipment": false, "receipt": false,
                    "issue": false, "stocktake": false, "loss": false },
                "stores": [],
                "codes": { "basis": "product-code", "prefix": "", "pairs": [] },
                "guard": { "products-to-zero": 20, "moved-percent": 20 },
            },
            "orders": {
                "receiving-stores": [], "charge": "unset", "delivery": "unset", "other": "unset", "points": "unset",
                "moment": "shipped", "tax-rounding": "down", "payments": [], "default-payment": "credit",
            },
            "pace": { "import-minutes": 15, "send-minutes": 5, "send-early-products": 50, "monthly-calls": 0,
                "smaregi-parallel": 8, "smaregi-writes-per-second": 15, "catch-up-minutes": 60, "compare-days": 0 },
        });
        change(&mut settings);
        settings
    }

    /// A new one-time link to the login.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn login_link(&self) -> anyhow::Result<String> {
        let link = self.tenant.new_link().await?;
        Ok(login_address(&self.base, SHOP, &link))
    }

    /// A new one-time invitation to the console, for the operator.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn console_link(&self) -> anyhow::Result<String> {
        let (store, now) = (self.store.clone(), self.now());
        let link = console::invitation_link(store, &self.base, None, None, now).await?;
        Ok(link.context("there is no such account")?.0)
    }

    /// Logs in to Next Engine as a merchant does: from a link of ours, over its form, back to our callback.
    ///
    /// # Errors
    /// When the round trip does not end in a login.
    pub async fn log_in(&self) -> anyhow::Result<()> {
        let user = self
            .sandbox
            .next_engine(|next_engine| next_engine.users().first().cloned());
        let user = user.context("the sandbox has no user")?;
        let mut browser = Browser::default();
        let form = browser.open(&self.login_link().await?).await?;
        let page = browser.log_in(&form, &user.login, &user.password).await?;
        ensure!(
            page.status.is_success(),
            "the login ended at {} with {}: {}",
            page.place,
            page.status,
            page.text
        );
        Ok(())
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Waits until no webhook is on its way.
    pub async fn webhooks_delivered(&self) {
        let begun = std::time::Instant::now();
        while begun.elapsed() < DELIVERY {
            let on_the_way = self.sandbox.world(|world| world.webhooks_waiting());
            if on_the_way == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Rounds of the schedule, each when it is due, for so long; tells each round.
    ///
    /// # Errors
    /// When a round fails.
    pub async fn run_for(
        &self,
        time: Duration,
        mut told: impl FnMut(&Value),
    ) -> Result<(), CallError> {
        let end = self.clock.now() + time;
        loop {
            self.webhooks_delivered().await;
            let round = self
                .call(
                    "schedule.run",
                    json!({ "budget": { "requests": 2_000, "seconds": 600 } }),
                )
                .await?;
            told(&round);
            if round.get("more").and_then(Value::as_bool) == Some(true) {
                continue;
            }
            let next_at = round
                .get("next-at")
                .and_then(Value::as_str)
                .and_then(|at| DateTime::parse_from_rfc3339(at).ok());
            let next_at = next_at
                .unwrap_or(end)
                .max(self.clock.now() + chrono::TimeDelta::seconds(1));
            if next_at >= end {
                self.clock.set(end);
                return Ok(());
            }
            self.clock.set(next_at);
        }
    }

    /// The present on the stage.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().with_timezone(&Utc)
    }

    /// Ends the server.
    pub async fn close(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}
