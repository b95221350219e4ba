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

/// Movements whose reason holds this mark, in the order of their ids. Not compared as a whole: whether 入出庫理由 comes back to the
/// letter is not documented, and a label or a cut behind the mark must not hide it.
pub fn by_reason(mark: &str, after_id: Option<&str>, limit: u32) -> Call {
    let call = Call::search("/api_v1_master_stockiohistory/search", &FIELDS, limit)
        .with("stock_io_history_reason-like", format!("%{mark}%"));
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
        id: row.id("stock_io_history_id")?,
        code: row.text("stock_io_history_goods_id")?,
        before: shown(row, "stock_io_history_before_stock_quantity"),
        after: shown(row, "stock_io_history_after_stock_quantity"),
        quantity: shown(row, "stock_io_history_quantity"),
    })
}

/// That the movement is there matters more than its numbers.
fn shown(row: Row<'_>, field: &str) -> Option<Decimal> {
    row.maybe_decimal(field).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_movement_counts_whatever_its_numbers_are() {
        let answer = json!({"data": [
            {"stock_io_history_id": "7", "stock_io_history_goods_id": "ume-1", "stock_io_history_quantity": "many",
             "stock_io_history_before_stock_quantity": null},
            {"stock_io_history_id": "8"},
        ]});
        let read = decode(&answer);
        assert_eq!(
            read[0]
                .as_ref()
                .map(|row| (row.code.as_str(), row.quantity)),
            Ok(("ume-1", None))
        );
        assert!(read[1].is_err());
    }
}
