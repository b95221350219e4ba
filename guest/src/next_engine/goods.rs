//! 商品マスタ with 在庫 in one search (next-engine.md 4.1). Company-wide numbers.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Call;
use crate::{
    reason::Reason,
    wire::{self, Row, Unread, Value},
};

/// The endpoint.
pub const PATH: &str = "/api_v1_master_goods/search";
const FIELDS: [&str; 5] = [
    "goods_id",
    "goods_name",
    "stock_quantity",
    "stock_allocation_quantity",
    "stock_free_quantity",
];

/// A product with its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// 商品コード
    pub code: String,
    /// 商品名
    pub name: String,
    /// 在庫数
    pub stock: Decimal,
    /// 引当数
    pub allocated: Decimal,
    /// フリー在庫数
    pub free: Decimal,
}

/// The products with these codes; at most 1 000 of them, none with a comma (next-engine.md 0). Letter case may not matter to the search.
pub fn search(codes: &[String]) -> Call {
    let limit = u32::try_from(codes.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(2)
        .clamp(1, 1_000);
    Call::search(PATH, &FIELDS, limit).with("goods_id-in", codes.join(","))
}

/// The product with this code; for codes that a list cannot hold.
pub fn one(code: &str) -> Call {
    Call::search(PATH, &FIELDS, 10).with("goods_id-eq", code)
}

/// A page of all products in the fixed order of their codes. By offset: `-gt` compares numbers and times only (next-engine.md 0).
pub fn page(offset: usize, limit: u32) -> Call {
    let call = Call::search(PATH, &FIELDS, limit);
    if offset == 0 {
        call
    } else {
        call.with("offset", offset.to_string())
    }
}

/// The rows of an answer. Stock that a product never had counts as zero.
pub fn decode(answer: &Value) -> Vec<Result<Goods, Reason>> {
    wire::rows(answer.get("data").unwrap_or(&Value::Null), "data", goods)
}

/// The rows of a page of all products.
pub fn decode_all(answer: &Value) -> Result<Vec<Result<Goods, Unread>>, Reason> {
    let data = answer.get("data").unwrap_or(&Value::Null);
    wire::named_rows(data, "data", "goods_id", goods)
}

fn goods(row: Row<'_>) -> Result<Goods, Reason> {
    let stock = row.maybe_decimal("stock_quantity")?.unwrap_or_default();
    let allocated = row
        .maybe_decimal("stock_allocation_quantity")?
        .unwrap_or_default();
    let free = row
        .maybe_decimal("stock_free_quantity")?
        .unwrap_or_else(|| stock.saturating_sub(allocated));
    Ok(Goods {
        code: row.text("goods_id")?,
        name: row.maybe_text("goods_name").unwrap_or_default(),
        stock,
        allocated,
        free,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn reads_text_numbers_and_missing_stock() {
        let answer = json!({"data": [
            {"goods_id": "ume-1", "stock_quantity": "10", "stock_allocation_quantity": "4", "stock_free_quantity": "6"},
            {"goods_id": "new", "stock_quantity": null},
            {"goods_id": null, "stock_quantity": "1"},
            {"goods_id": "bad", "stock_quantity": "many"},
        ]});
        let read = decode(&answer);
        assert_eq!(
            read[0].as_ref().map(|goods| goods.free),
            Ok(Decimal::from(6))
        );
        assert_eq!(read[1].as_ref().map(|goods| goods.stock), Ok(Decimal::ZERO));
        assert_eq!(
            read[2].as_ref().unwrap_err().field.as_deref(),
            Some("goods_id")
        );
        assert_eq!(
            read[3].as_ref().unwrap_err().field.as_deref(),
            Some("stock_quantity")
        );
    }
}
