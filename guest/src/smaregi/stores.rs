//! 店舗: the list of stores (smaregi.md 5), which also serves as the call of the connection check.

use super::{PAGE_ROWS, Request};
use crate::{
    reason::Reason,
    wire::{self, Row, Value},
};

/// A store or warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// 店舗ID
    pub id: String,
    /// 店舗名
    pub name: String,
    /// Suspended: registering sales there is refused.
    pub paused: bool,
}

/// All stores; one page holds more than any contract has.
pub fn list() -> Request {
    Request::get("/stores", "/stores").page(1, PAGE_ROWS)
}

/// The rows of the list.
pub fn decode(answer: &Value) -> Vec<Result<Store, Reason>> {
    wire::rows(answer, "stores", store)
}

fn store(row: Row<'_>) -> Result<Store, Reason> {
    Ok(Store {
        id: row.id("storeId")?,
        name: row.maybe_text("storeName").unwrap_or_default(),
        paused: row.flag("pauseFlag")?,
    })
}
