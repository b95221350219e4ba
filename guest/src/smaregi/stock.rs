//! 在庫: reading it, and moving it by a difference (smaregi.md 4a). A product whose stock never changed has no row.

use rust_decimal::Decimal;
use serde_json::json;

use super::{PAGE_ROWS, Request, segment};
use crate::{
    reason::Reason,
    text,
    time::{self, Moment},
    wire::{self, Row, Unread, Value},
};

/// The endpoint of the lists.
pub const PATH: &str = "/stock";
/// Longest memo (smaregi.md 4a).
const LONGEST_MEMO: usize = 100;

/// A product's stock in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// 商品ID
    pub product_id: String,
    /// 店舗ID
    pub store_id: String,
    /// 在庫数
    pub amount: Decimal,
    /// Last change; absent when it cannot be read.
    pub updated_at: Option<Moment>,
}

/// What a move was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Id of the row in the change history, as the webhook and the history name it.
    pub history_id: String,
    /// Stock after it; absent when it cannot be read.
    pub stock_amount: Option<Decimal>,
}

/// A page of a store's stock, from 1; of what changed in a range of at most 31 days, both ends included, if one is given.
pub fn list(store_id: &str, range: Option<(Moment, Moment)>, page: u32) -> Request {
    let mut request = Request::get(PATH, PATH).with("store_id", store_id);
    if let Some((from, to)) = range {
        request = request
            .with("upd_date_time-from", time::format_rfc3339(from))
            .with("upd_date_time-to", time::format_rfc3339(to));
    }
    request.page(page, PAGE_ROWS)
}

/// The rows of a store's list that is added up; a row of another store than was asked for is unreadable.
pub fn decode_all(answer: &Value, store_id: &str) -> Result<Vec<Result<StockRow, Unread>>, Reason> {
    wire::named_rows(answer, "stock", "productId", |row| {
        let read = stock_row(row)?;
        if read.store_id == store_id {
            Ok(read)
        } else {
            Err(wire::unreadable("storeId", row.value("storeId")))
        }
    })
}

fn stock_row(row: Row<'_>) -> Result<StockRow, Reason> {
    Ok(StockRow {
        product_id: row.id("productId")?,
        store_id: row.id("storeId")?,
        amount: row.decimal("stockAmount")?,
        updated_at: row
            .maybe_text("updDateTime")
            .as_deref()
            .and_then(time::parse_rfc3339),
    })
}

/// Moves stock by a difference; zero is refused there.
pub fn add(product_id: &str, store_id: &str, quantity: i64, memo: &str) -> Request {
    let body = json!({
        "storeId": store_id,
        "stockAmount": quantity.to_string(),
        "stockHistory": { "memo": text::fit(memo, LONGEST_MEMO) },
    });
    Request::post(
        "/stock/{product}/add",
        format!("/stock/{}/add", segment(product_id)),
        body,
    )
}

/// What [`add`] was answered with.
pub fn decode_added(answer: &Value) -> Result<Added, Reason> {
    let row = Row::of(answer, "stock")?;
    let history = Row::of(row.value("stockHistory"), "stockHistory")?;
    Ok(Added {
        history_id: history.id("id")?,
        stock_amount: row.maybe_decimal("stockAmount").ok().flatten(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent;

    #[test]
    fn a_move_names_store_difference_and_memo_as_text() {
        let request = add("8000001", "10", -3, "tsunagi NE1-0-0");
        assert_eq!(request.path, "/stock/8000001/add");
        let body = json!({"storeId": "10", "stockAmount": "-3", "stockHistory": {"memo": "tsunagi NE1-0-0"}});
        assert_eq!(request.body, Some(body));
        assert!(request.writes());
    }

    #[test]
    fn a_range_is_given_in_japans_time() {
        let at = |text| time::parse_rfc3339(text).unwrap();
        let request = list(
            "1",
            Some((at("2026-11-23T15:00:00Z"), at("2026-11-24T15:00:00Z"))),
            2,
        );
        let query: Vec<String> = request
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            query.join("&"),
            "store_id=1&upd_date_time-from=2026-11-24T00:00:00+09:00&upd_date_time-to=2026-11-25T00:00:00+09:00&limit=1000&page=2"
        );
    }

    #[test]
    fn an_answer_without_history_id_is_said_so() {
        assert!(decode_added(&sent!({"stockAmount": "3"})).is_err());
        let added =
            decode_added(&sent!({"stockAmount": null, "stockHistory": {"id": 17}})).unwrap();
        assert_eq!(
            (added.history_id.as_str(), added.stock_amount),
            ("17", None)
        );
    }
}
