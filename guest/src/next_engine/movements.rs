//! 入出庫履歴 (next-engine.md 4.1): what really moved, with the mark that an upload carried.

use rust_decimal::Decimal;

use super::Call;
use crate::{
    reason::Reason,
    wire::{self, Row, Value},
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
    /// `stock_io_history_id`; `None` where it cannot be read: it serves paging only.
    pub id: Option<String>,
    /// 商品コード
    pub code: String,
    /// 在庫数 before, where shown.
    pub before: Option<Decimal>,
    /// 在庫数 after, where shown.
    pub after: Option<Decimal>,
    /// How many pieces; whether it is signed is not documented.
    pub quantity: Option<Decimal>,
}

impl Movement {
    /// One of which nothing is known but whose it is.
    fn bare(code: &str) -> Self {
        Self {
            id: None,
            code: code.to_owned(),
            before: None,
            after: None,
            quantity: None,
        }
    }
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

/// The movements of one product with this mark.
pub fn of_product(mark: &str, code: &str, limit: u32) -> Call {
    by_reason(mark, None, limit).with("stock_io_history_goods_id-eq", code)
}

/// The rows of an answer.
pub fn decode(answer: &Value) -> Vec<Result<Movement, Reason>> {
    wire::rows(answer.get("data").unwrap_or(&Value::Null), "data", movement)
}

/// The rows of an answer to [`of_product`]. One that does not say of which product it is can only be of the one that was asked for;
/// one that names another is nobody's. `None` when there is no list.
pub fn decode_of(answer: &Value, code: &str) -> Option<Vec<Movement>> {
    let rows = answer.get("data")?.as_list()?.iter();
    let own = rows.map(|row| match Row::of(row, "data") {
        Ok(row) => movement(row).unwrap_or_else(|_| of_code(row, code.to_owned())),
        Err(_) => Movement::bare(code),
    });
    Some(own.filter(|movement| movement.code == code).collect())
}

fn movement(row: Row<'_>) -> Result<Movement, Reason> {
    let code = row.text("stock_io_history_goods_id")?;
    Ok(of_code(row, code))
}

fn of_code(row: Row<'_>, code: String) -> Movement {
    Movement {
        id: row.id("stock_io_history_id").ok(),
        code,
        before: shown(row, "stock_io_history_before_stock_quantity"),
        after: shown(row, "stock_io_history_after_stock_quantity"),
        quantity: shown(row, "stock_io_history_quantity"),
    }
}

/// That the movement is there matters more than its numbers.
fn shown(row: Row<'_>, field: &str) -> Option<Decimal> {
    row.maybe_decimal(field).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

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

    #[test]
    fn whoever_asks_for_one_product_knows_whose_a_nameless_row_is() {
        let answer = json!({"data": [
            {"stock_io_history_id": "x", "stock_io_history_goods_id": null, "stock_io_history_after_stock_quantity": "4"},
            {"stock_io_history_goods_id": "sakura-2"},
            null,
        ]});
        let afters: Option<Vec<_>> =
            decode_of(&answer, "ume-1").map(|read| read.into_iter().map(|row| row.after).collect());
        assert_eq!(afters, Some(vec![Some(Decimal::from(4)), None]));
        assert_eq!(decode_of(&json!({"data": "none"}), "ume-1"), None);
    }
}
