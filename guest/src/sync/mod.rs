//! The flows that join both services, over the ports. All I/O is described by `smaregi` and `next_engine`; all rules are in `rules`.

pub mod own;
pub mod store;
pub mod tenant;
pub mod stock;
pub mod history_sent;
pub mod schedule;
