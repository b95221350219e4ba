//! A tenant's settings as the rules read them. Same shape as `wit/settings.wit`, which documents each field; validation is in
//! `rules::settings_check`. Secrets are kept apart from everything printable.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::money::Rounding;

/// Text that must not be shown: no `Debug`, no `Display`; opened by name only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for a request's header or body and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// Base addresses without trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Next Engine's login pages.
    pub next_engine_sign_in: String,
    /// Next Engine's API.
    pub next_engine_api: String,
    /// Smaregi's token host.
    pub smaregi_id: String,
    /// Smaregi's API.
    pub smaregi_api: String,
}

/// What the services know the application by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Public.
    pub next_engine_client_id: String,
    /// Secret.
    pub next_engine_client_secret: Secret,
    /// Registered redirect address; empty sends none.
    pub next_engine_redirect: String,
    /// `sb_…` in Smaregi's sandbox.
    pub smaregi_contract_id: String,
    /// Public.
    pub smaregi_client_id: String,
    /// Secret.
    pub smaregi_client_secret: Secret,
}

/// 在庫送信設定: one of the eight causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// 修正
    Correction,
    /// 売上
    Sale,
    /// 仕入
    Purchase,
    /// 出荷
    Shipment,
    /// 入庫
    Receipt,
    /// 出庫
    Issue,
    /// 棚卸
    Stocktake,
    /// ロス
    Loss,
}

impl Trigger {
    /// All eight, in the help page's order.
    pub const ALL: [Self; 8] = [
        Self::Correction,
        Self::Sale,
        Self::Purchase,
        Self::Shipment,
        Self::Receipt,
        Self::Issue,
        Self::Stocktake,
        Self::Loss,
    ];

    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Correction => "correction",
            Self::Sale => "sale",
            Self::Purchase => "purchase",
            Self::Shipment => "shipment",
            Self::Receipt => "receipt",
            Self::Issue => "issue",
            Self::Stocktake => "stocktake",
            Self::Loss => "loss",
        }
    }
}

/// Which Smaregi value is Next Engine's 商品コード.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeBasis {
    /// 商品コード
    ProductCode,
    /// 商品ID
    ProductId,
}

/// An exception to the code rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePair {
    /// Next Engine's code.
    pub next_engine: String,
    /// Smaregi's value.
    pub smaregi: String,
}

/// How products of both sides are matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRule {
    /// Which value.
    pub basis: CodeBasis,
    /// Put before it on Next Engine's side.
    pub prefix: String,
    /// Exceptions first.
    pub pairs: Vec<CodePair>,
}

/// Limits beyond which an alignment asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Products brought to zero.
    pub products_to_zero: u32,
    /// Percent of products moved.
    pub moved_percent: u32,
}

/// 在庫送信設定 and 店舗設定.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockSettings {
    /// The causes that are sent.
    pub triggers: Vec<Trigger>,
    /// Target stores' ids.
    pub stores: Vec<String>,
    /// Code matching.
    pub codes: CodeRule,
    /// Mass-change guard.
    pub guard: Guard,
}

/// 未設定 or 取引明細.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeeMode {
    /// 未設定: an amount refuses the order.
    Unset,
    /// 取引明細 with this Smaregi 商品コード.
    Line(String),
}

/// ポイント数.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointMode {
    /// 未設定: points refuse the order.
    Unset,
    /// 小計値引き.
    SubtotalDiscount,
}

/// Which state makes an order a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportMoment {
    /// 50
    Shipped,
    /// 20, 30, 40, 50
    ReadyToShip,
    /// 2, 20, 30, 40, 50
    Issued,
}

/// How the money is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentKind {
    /// 現金
    Cash,
    /// クレジット
    Credit,
}

/// A 支払区分 and its booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRule {
    /// `receive_order_payment_method_id`
    pub method_id: String,
    /// Booking.
    pub kind: PaymentKind,
}

/// 受信店舗.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivingStore {
    /// 店舗
    pub store_id: String,
    /// 取込開始日
    pub start_date: NaiveDate,
    /// ネクストエンジン店舗ID
    pub shop_id: String,
    /// ネクストエンジン店舗名
    pub shop_name: String,
    /// 在庫移動元店舗
    pub source_store_id: Option<String>,
    /// 端末; see [`ReceivingStore::terminal`].
    pub terminal_id: Option<String>,
}

impl ReceivingStore {
    /// The terminal number its sales appear under: as set, or 900000 plus the shop id.
    pub fn terminal(&self) -> String {
        let derived = || {
            900_000_u64
                .saturating_add(self.shop_id.parse().unwrap_or(0))
                .to_string()
        };
        self.terminal_id.clone().unwrap_or_else(derived)
    }
}

/// 受注受信設定 and 受注受信詳細設定.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSettings {
    /// The rows.
    pub receiving_stores: Vec<ReceivingStore>,
    /// 手数料
    pub charge: FeeMode,
    /// 発送代
    pub delivery: FeeMode,
    /// 他費用
    pub other: FeeMode,
    /// ポイント数
    pub points: PointMode,
    /// Import moment.
    pub moment: ImportMoment,
    /// Fraction of a yen of tax.
    pub tax_rounding: Rounding,
    /// By method.
    pub payments: Vec<PaymentRule>,
    /// Otherwise.
    pub default_payment: PaymentKind,
}

impl OrderSettings {
    /// The row of a Next Engine shop.
    pub fn receiving_store(&self, shop_id: &str) -> Option<&ReceivingStore> {
        self.receiving_stores
            .iter()
            .find(|store| store.shop_id == shop_id)
    }
}

/// Pace of the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Minutes between imports.
    pub import_minutes: u32,
    /// Minutes between uploads.
    pub send_minutes: u32,
    /// Products that bring an upload forward.
    pub send_early_products: u32,
    /// Calls a month; zero: no limit.
    pub monthly_calls: u32,
    /// Requests to Smaregi in flight.
    pub smaregi_parallel: u32,
    /// Writes a second to Smaregi.
    pub smaregi_writes_per_second: u32,
    /// Minutes between catch-ups.
    pub catch_up_minutes: u32,
    /// Days between comparisons; zero: none. Settings of an earlier version have none stored.
    #[serde(default = "each_day")]
    pub compare_days: u32,
}

fn each_day() -> u32 {
    1
}

/// Everything a tenant sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Addresses.
    pub endpoints: Endpoints,
    /// Identities and secrets.
    pub credentials: Credentials,
    /// 在庫送信設定
    pub stock: StockSettings,
    /// 受注受信設定
    pub orders: OrderSettings,
    /// Pace.
    pub pace: Pace,
}

impl Default for Settings {
    /// Production's addresses, nothing sent, nothing received: a merchant switches on what they mean.
    fn default() -> Self {
        Self {
            endpoints: Endpoints {
                next_engine_sign_in: "https://base.next-engine.org".to_owned(),
                next_engine_api: "https://api.next-engine.org".to_owned(),
                smaregi_id: "https://id.smaregi.jp".to_owned(),
                smaregi_api: "https://api.smaregi.jp".to_owned(),
            },
            credentials: Credentials::default(),
            stock: StockSettings {
                triggers: Vec::new(),
                stores: Vec::new(),
                codes: CodeRule {
                    basis: CodeBasis::ProductCode,
                    prefix: String::new(),
                    pairs: Vec::new(),
                },
                guard: Guard {
                    products_to_zero: 20,
                    moved_percent: 20,
                },
            },
            orders: OrderSettings {
                receiving_stores: Vec::new(),
                charge: FeeMode::Unset,
                delivery: FeeMode::Unset,
                other: FeeMode::Unset,
                points: PointMode::Unset,
                moment: ImportMoment::Shipped,
                tax_rounding: Rounding::Down,
                payments: Vec::new(),
                default_payment: PaymentKind::Credit,
            },
            pace: Pace {
                import_minutes: 15,
                send_minutes: 5,
                send_early_products: 50,
                monthly_calls: 0,
                smaregi_parallel: 8,
                smaregi_writes_per_second: 15,
                catch_up_minutes: 60,
                compare_days: each_day(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_there_or_not_and_never_shown() {
        let secret = Secret::new("s3cret".to_owned());
        assert!(!secret.is_empty() && Secret::default().is_empty());
        assert!(!format!("{secret:?}").contains("s3cret"));
    }

    #[test]
    fn settings_stored_before_there_were_comparisons_compare_each_day() {
        let mut stored = serde_json::to_value(Settings::default()).unwrap();
        stored["pace"]
            .as_object_mut()
            .unwrap()
            .remove("compare_days")
            .unwrap();
        let read: Settings = serde_json::from_value(stored).unwrap();
        assert_eq!(read.pace.compare_days, 1);
    }
}
