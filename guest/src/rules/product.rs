//! A Smaregi product as the rules see it. Holds no rule but the meaning of its fields.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// Which consumption tax a product carries when the order does not say (smaregi.md 5, `taxDivision` and `reduceTaxId`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaxClass {
    /// 標準税率
    Standard,
    /// 軽減税率 (10000001)
    Reduced,
    /// 非課税 (taxDivision 2)
    Exempt,
}

/// A product of Smaregi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// 商品ID
    pub id: String,
    /// 商品コード; may be empty.
    pub code: String,
    /// 商品名
    pub name: String,
    /// Its own tax.
    pub tax: TaxClass,
    /// 在庫管理する (stockControlDivision 0).
    pub stock_managed: bool,
    /// 在庫引当: what each sold piece takes from other products (`inventoryReservations`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws_on: Vec<Draw>,
    /// What of it cannot be read; then the rest is not to be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<Reason>,
}

/// Pieces of another product that one sold piece takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// 商品ID of the other product.
    pub product_id: String,
    /// Its pieces for each piece sold.
    pub pieces: i64,
}
