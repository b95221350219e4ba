//! The flows that join both services, over the ports. All I/O is described by `smaregi` and `next_engine`; all rules are in `rules`.

pub mod call_error;
pub mod connection;
pub mod daily;
pub mod directory;
pub mod history_received;
pub mod history_sent;
pub mod lookup;
pub mod meter;
pub mod next_engine_lease;
pub mod next_engine_login;
pub mod next_engine_session;
pub mod orders;
pub mod own;
pub mod products;
pub mod report;
pub mod rest;
pub mod schedule;
pub mod settings;
pub mod smaregi_pace;
pub mod smaregi_session;
pub mod stock;
pub mod store;
pub mod story;
pub mod tenant;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;
