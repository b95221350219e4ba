//! A sale as the rules make it: what one order becomes in Smaregi. Holds no rule and no wire format.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{money::Rounding, rules::product::Draw, settings::PaymentKind, time::Moment};

/// Whether prices hold the tax (内税) or it is added (外税).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaxMode {
    /// 内税
    Included,
    /// 外税
    Added,
    /// 非課税
    Exempt,
}

/// One line of the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleLine {
    /// 商品ID
    pub product_id: String,
    /// 商品コード, for people.
    pub product_code: String,
    /// 商品名, for people.
    pub name: String,
    /// Whole pieces, at least one.
    pub quantity: i64,
    /// Whole yen.
    pub unit_price: i64,
    /// 内税, 外税 or 非課税.
    pub tax_mode: TaxMode,
    /// Percent: 10, 8 or 0.
    pub tax_rate: Decimal,
    /// Smaregi keeps this product's stock.
    pub stock_managed: bool,
    /// 在庫引当: what each of its pieces takes from other products.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws_on: Vec<Draw>,
}

impl SaleLine {
    /// Price times pieces; saturates far above what Smaregi stores, where the total check refuses.
    pub fn amount(&self) -> i64 {
        self.unit_price.saturating_mul(self.quantity)
    }
}

/// The transaction's identity, derived from the slip and its revision alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `transactionUuid`
    pub uuid: String,
    /// `terminalTranId`, at most 10 digits.
    pub terminal_tran_id: String,
    /// `terminalTranDateTime`
    pub terminal_tran_at: Moment,
}

/// What one order becomes. All amounts are whole yen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// 店舗
    pub store_id: String,
    /// 在庫移動元店舗
    pub source_store_id: Option<String>,
    /// 端末
    pub terminal_id: String,
    /// 売上日, also 締め日.
    pub sold_on: NaiveDate,
    /// 1 to 999 lines.
    pub lines: Vec<SaleLine>,
    /// Sum of the lines.
    pub subtotal: i64,
    /// 小計値引き: points and negative costs; not negative.
    pub discount: i64,
    /// Tax within the prices.
    pub tax_included: i64,
    /// Tax added to them.
    pub tax_added: i64,
    /// By Smaregi's formula; equals the order's own total.
    pub total: i64,
    /// How tax is rounded.
    pub rounding: Rounding,
    /// How the money is booked.
    pub payment: PaymentKind,
    /// Slip and order number, for people.
    pub memo: String,
    /// Filters in Smaregi, each at most 64 characters, without commas.
    pub tags: Vec<String>,
}
