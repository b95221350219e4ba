//! 在庫変動履歴: the change history of one product in one store (smaregi.md 4c). Rows name no transaction.

use rust_decimal::Decimal;

use super::{Request, segment};
use crate::{
    reason::Reason,
    time::{self, Moment},
    wire::{self, Row, Value},
};

/// One movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// History id; grows.
    pub id: String,
    /// 商品ID
    pub product_id: String,
    /// 店舗ID
    pub store_id: String,
    /// Signed difference.
    pub amount: Decimal,
    /// Stock after it, where shown.
    pub stock_amount: Option<Decimal>,
    /// `stockDivision`, two digits.
    pub division: String,
    /// メモ
    pub memo: Option<String>,
    /// When it was written.
    pub updated_at: Moment,
}

/// A row that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// History id, where that can be read.
    pub id: Option<String>,
    /// Its memo, where that can be read; empty when it has none.
    pub memo: Option<String>,
    /// When it was written, where that can be read.
    pub updated_at: Option<Moment>,
    /// Field and value.
    pub reason: Box<Reason>,
}

/// A page of the history, newest first, from 1.
pub fn newest(product_id: &str, store_id: &str, page: u32, limit: u32) -> Request {
    let path = format!(
        "/stock/changes/{}/{}",
        segment(product_id),
        segment(store_id)
    );
    Request::get("/stock/changes/{product}/{store}", path)
        .with("sort", "id:desc")
        .page(page, limit)
}

/// The rows of a page.
pub fn decode(answer: &Value) -> Vec<Result<Change, Unreadable>> {
    let values = answer.as_list().into_iter().flatten();
    let mut rows = values.map(|row| Row::of(row, "changes").ok());
    let named = |read: Result<Change, Reason>| {
        let row = rows.next().flatten();
        read.map_err(|reason| Unreadable {
            id: row.and_then(|row| row.id("id").ok()),
            updated_at: row.and_then(|row| row.read("updDateTime", time::parse_rfc3339).ok()),
            memo: row.and_then(|row| Some(row.text_if_any("memo").ok()?.unwrap_or_default())),
            reason: Box::new(reason),
        })
    };
    let read = wire::rows(answer, "changes", change).into_iter();
    read.map(named).collect()
}

/// The same; a row of another product or store than was asked for cannot be one of theirs.
pub fn decode_of(
    answer: &Value,
    product_id: &str,
    store_id: &str,
) -> Vec<Result<Change, Unreadable>> {
    let asked_for = |change: Change| {
        let (field, value) = if change.product_id != product_id {
            ("productId", &change.product_id)
        } else if change.store_id != store_id {
            ("storeId", &change.store_id)
        } else {
            return Ok(change);
        };
        let reason = wire::unreadable(field, &Value::Text(value.clone()));
        Err(Unreadable {
            id: Some(change.id),
            updated_at: Some(change.updated_at),
            memo: Some(change.memo.unwrap_or_default()),
            reason: Box::new(reason),
        })
    };
    let rows = decode(answer).into_iter();
    rows.map(|row| row.and_then(asked_for)).collect()
}

fn change(row: Row<'_>) -> Result<Change, Reason> {
    Ok(Change {
        id: row.id("id")?,
        product_id: row.id("productId")?,
        store_id: row.id("storeId")?,
        amount: row.decimal("amount")?,
        stock_amount: row.maybe_decimal("stockAmount")?,
        division: row.division("stockDivision")?,
        memo: row.text_if_any("memo")?,
        updated_at: row.read("updDateTime", time::parse_rfc3339)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::wire::sent as json;

    use super::*;

    #[test]
    fn a_row_of_another_place_than_was_asked_for_is_unreadable() {
        let row = |product: &str, store: &str| {
            json!({"id": "5", "productId": product, "storeId": store, "amount": "-2", "stockDivision": "02",
                "updDateTime": "2026-11-24T12:00:00+09:00"})
        };
        let answer = json!([row("8", "1"), row("9", "1"), row("8", "2")]);
        let fields: Vec<_> = decode_of(&answer, "8", "1")
            .into_iter()
            .map(|row| row.map_err(|unread| (unread.id, unread.reason.field)).err())
            .collect();
        let wrong = |field: &str| Some((Some("5".to_owned()), Some(field.to_owned())));
        assert_eq!(fields, [None, wrong("productId"), wrong("storeId")]);
    }
}
