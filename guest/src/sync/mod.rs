//! The flows that join both services, over the ports. All I/O is described by `smaregi` and `next_engine`; all rules are in `rules`.

pub mod history_received;
pub mod history_sent;
pub mod orders;
pub mod own;
pub mod schedule;
pub mod stock;
pub mod store;
pub mod tenant;
