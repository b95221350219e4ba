//! A small realistic shop in a neutral form, which each service loads into its own books.
//! It must not speak either service's wire names.

pub mod demo;
mod products;

pub use demo::demo_shop;

use chrono::{DateTime, FixedOffset};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A shop as both services see it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShopData {
    /// Smaregi's stores, warehouses among them.
    pub stores: Vec<Store>,
    /// Stores whose stock together makes Next Engine's number (the merchant's chosen stores).
    pub linked_stores: Vec<u32>,
    /// Products of both sides.
    pub products: Vec<Product>,
    /// Next Engine's shops: malls and carts.
    pub malls: Vec<Mall>,
    /// Orders in the order they were placed.
    pub orders: Vec<Order>,
}

/// A store or warehouse (店舗, 倉庫).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Store {
    /// Store id.
    pub id: u32,
    /// Store code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Whether it is a warehouse.
    pub warehouse: bool,
}

/// A product (商品).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Smaregi's product id.
    pub id: u64,
    /// Product code, the same on both sides.
    pub code: String,
    /// Name.
    pub name: String,
    /// Selling price in yen, tax included.
    pub price: Decimal,
    /// Cost in yen.
    pub cost: Decimal,
    /// Consumption tax rate in percent: 8 (軽減) or 10.
    pub tax_rate: u8,
    /// Whether stock is managed; fee and shipping products are not.
    pub stock_managed: bool,
    /// Whether Next Engine knows it.
    pub in_next_engine: bool,
    /// Whether Smaregi knows it.
    pub in_smaregi: bool,
    /// Stock by store id.
    pub stock: Vec<(u32, i64)>,
}

/// How a mall's prices and tax sums are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MallTax {
    /// Prices include tax; the slip's tax amount is zero.
    Included,
    /// Prices exclude tax; the slip carries the tax.
    Added,
}

/// One of Next Engine's shops (店舗).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mall {
    /// Shop id.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Short name.
    pub short_name: String,
    /// How prices and tax are made.
    pub tax: MallTax,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Product code as the mall sent it; it may be unknown.
    pub code: String,
    /// Name as the mall sent it.
    pub name: String,
    /// Ordered quantity.
    pub quantity: i64,
    /// Unit price in yen, with or without tax as the mall's prices are.
    pub unit_price: Decimal,
    /// Tax rate in percent.
    pub tax_rate: u8,
    /// Whether the line was cancelled at once.
    #[serde(default)]
    pub cancelled: bool,
}

/// An order as it comes in from a mall (受注).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Next Engine's shop.
    pub mall: u32,
    /// Order number at the mall.
    pub number: String,
    /// Ordered at.
    pub ordered_at: DateTime<FixedOffset>,
    /// Lines.
    pub lines: Vec<OrderLine>,
    /// Handling fee (手数料), yen.
    #[serde(default)]
    pub charge: Decimal,
    /// Shipping (発送代), yen.
    #[serde(default)]
    pub delivery_fee: Decimal,
    /// Other cost (他費用), yen; coupons come as a negative amount.
    #[serde(default)]
    pub other: Decimal,
    /// Points used, yen.
    #[serde(default)]
    pub points: Decimal,
    /// Total as the mall says, when it does not add up; otherwise made from the parts.
    #[serde(default)]
    pub total: Option<Decimal>,
    /// Payment method id of Next Engine's list, e.g. 0 credit card, 1 cash on delivery.
    #[serde(default)]
    pub payment_method: u32,
    /// What happened to it, in order.
    #[serde(default)]
    pub fate: Vec<Fate>,
}

/// What happened to an order after it was placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Shipped at this moment.
    Shipped(DateTime<FixedOffset>),
    /// Cancelled at this moment, with Next Engine's cancel type.
    Cancelled(DateTime<FixedOffset>, u8),
    /// Merged at this moment into the order of this number at the same mall.
    MergedInto(DateTime<FixedOffset>, String),
    /// Split at this moment: the line of this number (1 = first) went to a slip of its own.
    SplitLine(DateTime<FixedOffset>, u32),
}

impl Fate {
    /// When it happened.
    pub fn at(&self) -> DateTime<FixedOffset> {
        match self {
            Self::Shipped(at)
            | Self::Cancelled(at, _)
            | Self::MergedInto(at, _)
            | Self::SplitLine(at, _) => *at,
        }
    }
}
