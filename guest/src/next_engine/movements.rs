//! 入出庫履歴 (next-engine.md 4.1): what really moved, with the mark that an upload carried.

use rust_decimal::Decimal;
use serde_json::Value;

use super::Call;
use crate::{
    reason::Reason,
    wire::{self, Row},
};

const FIELDS: [&str; 6] = [
    "stock_io_history_id",
    "stock_io_history_goods_id",
    "stock_io_history_before_stock_quantity",
    "stock_io_history_after_stock_quantity",
    "stock_io_history_quantity",
    "stock_io_history_reason",
];

/// One movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// `stock_io_history_id`
    pub id: String,
    /// 商品コード
    pub code: String,
    /// 在庫数 before, where shown.
    pub before: Option<Decimal>,
    /// 在庫数 after, where shown.
    pub after: Option<Decimal>,
    /// How many pieces; whether it is signed is not documented.
    pub quantity: Option<Decimal>,
}

/// Movements with exactly this reason, in the order of their ids.
pub fn by_reason(mark: &str, after_id: Option<&str>, limit: u32) -> Call {
    let call = Call::search("/api_v1_master_stockiohistory/search", &FIELDS, limit)
        .with("stock_io_history_reason-eq", mark);
    match after_id {
        Some(id) => call.with("stock_io_history_id-gt", id),
        None => call,
    }
}

/// The rows of an answer.
pub fn decode(answer: &Value) -> Vec<Result<Movement, Reason>> {
    wire::rows(answer.get("data").unwrap_or(&Value::Null), "data", movement)
}

fn movement(row: Row<'_>) -> Result<Movement, Reason> {
    Ok(Movement {
        id: row.text("stock_io_history_id")?,
        code: row.text("stock_io_history_goods_id")?,
        before: row.maybe_decimal("stock_io_history_before_stock_quantity")?,
        after: row.maybe_decimal("stock_io_history_after_stock_quantity")?,
        quantity: row.maybe_decimal("stock_io_history_quantity")?,
    })
}
