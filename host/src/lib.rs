//! The reference host of the connector component: gives it HTTP, storage and a clock, and people a way to it. It decides nothing
//! about orders or stock.
//!
//! From the inside out: [`clock`] and [`storage`] are what a call needs, [`runtime`] makes calls, [`json`] is how they look from
//! outside, [`tenant`] is one shop, [`shops`] are those of this process, [`scheduler`] and [`server`] keep it going, [`notices`] tells
//! when a person is needed, [`conformance`] tries a platform, [`recording`] and [`replay`] keep a call and run it again, `console` is the pages that people see, [`config`] and [`cli`] are the
//! operator's.
//!
//! As a library, whole; `cargo test --doc -p tsunagi` runs it:
//!
//! ```
//! use serde_json::json;
//! use std::sync::Arc;
//! use tsunagi::clock::SystemClock;
//! use tsunagi::runtime::{AllowList, Runtime, RuntimeConfig, Surroundings};
//! use tsunagi::storage::Sqlite;
//! use tsunagi::tenant::{CallError, Tenant};
//!
//! #[tokio::main]
//! async fn main() -> anyhow::Result<()> {
//!     let folder = tempfile::tempdir()?; // a place of yours
//!     let surroundings = Surroundings {
//!         store: Arc::new(Sqlite::open(&folder.path().join("shops.sqlite"))?),
//!         tenant: "myshop".to_owned(),
//!         clock: Arc::new(SystemClock::new()),
//!         allowed: AllowList::default(), // filled from the shop's settings
//!     };
//!     let cache = Some(folder.path().join("compiled")); // makes the next start quick
//!     let runtime = Runtime::new(RuntimeConfig { cache, ..Default::default() })?;
//!     let shop = Tenant::new(runtime, surroundings, Vec::new());
//!     let status = shop.call("connection.get-status", json!({})).await?;
//!     assert_eq!(status["switched-on"], false);
//!     // What a person has to do comes as the contract's error, in both languages.
//!     match shop.call("connection.switch-on", json!({ "backlog": "leave" })).await {
//!         Err(CallError::Contract(error)) => assert_eq!(error.kind, "not-connected"),
//!         other => anyhow::bail!("{other:?}"),
//!     }
//!     // Next: `settings.put`, `connection.begin-login` and `finish-login`, `switch-on`; `stock.take-in` for each webhook; and
//!     // `schedule.run` whenever the time has come that it gave.
//!     Ok(())
//! }
//! ```

pub mod cli;
pub mod clock;
pub mod config;
pub mod conformance;
mod console;
pub mod demo;
pub mod json;
pub mod notices;
mod random;
pub mod recording;
mod records;
pub mod replay;
pub mod runtime;
pub mod scheduler;
pub mod server;
pub mod shops;
pub mod storage;
pub mod tenant;
