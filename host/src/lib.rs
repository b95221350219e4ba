//! The reference host of the connector component: gives it HTTP, storage and a clock, and people a way to it. It decides nothing
//! about orders or stock.
//!
//! From the inside out: [`clock`] and [`storage`] are what a call needs, [`runtime`] makes calls, [`json`] is how they look from
//! outside, [`tenant`] is one shop, [`shops`] are those of this process, [`scheduler`] and [`server`] keep it going, [`notices`] tells
//! when a person is needed, [`conformance`] tries a platform, `console` is the pages that people see, [`config`] and [`cli`] are the
//! operator's.

pub mod cli;
pub mod clock;
pub mod config;
pub mod conformance;
mod console;
pub mod demo;
pub mod json;
pub mod notices;
mod random;
mod records;
pub mod runtime;
pub mod scheduler;
pub mod server;
pub mod shops;
pub mod storage;
pub mod tenant;
