//! Next Engine's books as plain values: slips, goods with their stock, movements, the upload queue, shops.
//! It must not know requests; whoever changes it says when.

mod money;
mod stock;

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::shop::MallTax;
pub use money::{Rounding, TaxSequence, Taxing};
pub use stock::{Goods, Movement, MovementKind, StockChange};

/// A moment, `+09:00`.
pub type Moment = DateTime<FixedOffset>;

/// Slip status 受注メール取込済: only the mail is in, lines and amounts may still change.
pub const MAIL_ONLY: u8 = 1;
/// Slip status 起票済(CSV/手入力).
pub const ISSUED: u8 = 2;
/// Slip status 納品書印刷待ち.
pub const WAITING_FOR_PRINT: u8 = 20;
/// Slip status 納品書印刷済.
pub const PRINTED: u8 = 40;
/// Slip status 出荷確定済(完了).
pub const SHIPPED: u8 = 50;
/// Cancel type of a live slip (有効な受注です).
pub const LIVE: u8 = 0;
/// Cancel type of a slip merged into another (同梱).
pub const MERGED: u8 = 3;

/// An order slip (受注伝票).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slip {
    /// 伝票番号.
    pub id: u64,
    /// Shop.
    pub shop_id: u32,
    /// 受注番号, the number at the mall.
    pub shop_cut_form_id: String,
    /// Ordered at the mall.
    pub ordered: Moment,
    /// Imported, which is also when the slip was created.
    pub created: Moment,
    /// Last change; `None` when never changed.
    pub modified: Option<Moment>,
    /// Planned shipping.
    pub send_plan: Option<Moment>,
    /// 出荷確定日.
    pub sent: Option<Moment>,
    /// Status id (next-engine.md 2.2).
    pub status: u8,
    /// Cancel type id (next-engine.md 2.3).
    pub cancel_type: u8,
    /// Cancelled at.
    pub cancelled: Option<Moment>,
    /// How the shop's prices and tax are made.
    pub tax_mode: MallTax,
    /// How the tax is reckoned.
    pub taxing: Taxing,
    /// 手数料.
    pub charge: Decimal,
    /// 発送代.
    pub delivery_fee: Decimal,
    /// 他費用.
    pub other: Decimal,
    /// ポイント数.
    pub points: Decimal,
    /// A total that does not add up, as the mall sent it.
    pub stated_total: Option<Decimal>,
    /// 支払区分.
    pub payment_method: u32,
    /// 入金額; the whole total when `None`.
    pub deposit: Option<Decimal>,
    /// The shop's own coupon, where the mall tells of one.
    pub shop_coupon: Option<Decimal>,
    /// The mall's coupon, where the mall tells of one.
    pub mall_coupon: Option<Decimal>,
    /// Whether somebody deleted the slip; it can still be read.
    pub deleted: bool,
    /// Slip this one was merged into.
    pub include_to: Option<u64>,
    /// Slip this one was split from.
    pub divide_from: Option<u64>,
    /// Lines in line order.
    pub lines: Vec<Line>,
}

/// A line of a slip (受注明細).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// 明細行番号.
    pub no: u32,
    /// Product code as the mall sent it.
    pub code: String,
    /// Product name as the mall sent it.
    pub name: String,
    /// 受注数.
    pub quantity: i64,
    /// 単価.
    pub unit_price: Decimal,
    /// Tax rate in percent.
    pub tax_rate: u8,
    /// Cost when ordered.
    pub first_cost: Decimal,
    /// 掛率: 10 is 100 %.
    pub ratio: Decimal,
    /// Whether the line is cancelled.
    pub cancelled: bool,
    /// Whether somebody deleted the line; it can still be read.
    pub deleted: bool,
    /// 引当数; kept after shipping.
    pub allocated: i64,
    /// 引当日.
    pub allocation_date: Option<Moment>,
    /// 良品返品数.
    pub returned_good: i64,
    /// 不良品返品数.
    pub returned_bad: i64,
    /// Slip and line this one came from by merging.
    pub include_from: Option<(u64, u32)>,
    /// Line this one came from by splitting.
    pub divide_from: Option<u32>,
    /// Created at.
    pub created: Moment,
    /// Last change; `None` when never changed.
    pub modified: Option<Moment>,
}

impl Line {
    /// Quantity that still waits for stock.
    pub fn waiting(&self) -> i64 {
        if self.is_live() {
            self.quantity - self.allocated
        } else {
            0
        }
    }

    /// Whether the line counts: neither cancelled nor deleted.
    pub fn is_live(&self) -> bool {
        !self.cancelled && !self.deleted
    }
}

impl Slip {
    /// Whether the slip counts: neither cancelled, merged away nor deleted.
    pub fn is_live(&self) -> bool {
        self.cancel_type == LIVE && !self.deleted
    }

    /// Whether it has been shipped.
    pub fn is_shipped(&self) -> bool {
        self.status == SHIPPED
    }

    /// The lines that count.
    pub fn live_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.is_live())
    }
}

/// What can go wrong with an upload in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoil {
    /// It ends -1 without being applied.
    FailUnapplied,
    /// It is applied and ends -1 all the same.
    FailApplied,
    /// It stays at 1 for ever, not applied; later uploads pass it (assumed).
    Hang,
}

/// An entry of the upload queue (キュー).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueEntry {
    /// Number, ascending.
    pub id: u64,
    /// Taken in at.
    pub created: Moment,
    /// Will run at.
    pub starts: Moment,
    /// Will be done at.
    pub ends: Moment,
    /// 0 waiting, 1 running, 2 all done, -1 failed (next-engine.md 4.4).
    pub status: i8,
    /// Progress or reason.
    pub message: Option<String>,
    /// Last change.
    pub modified: Option<Moment>,
    /// What somebody ordered to go wrong with it.
    #[serde(skip)]
    pub spoil: Option<Spoil>,
    /// How it will end, known once it has run.
    #[serde(skip)]
    pub outcome: Option<(i8, Option<String>)>,
    /// The file as it came.
    #[serde(skip)]
    pub file: Vec<u8>,
    /// Whether the file is gzip.
    #[serde(skip)]
    pub gzip: bool,
}

/// One of the company's shops (店舗マスタ).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MallShop {
    /// 店舗ID.
    pub id: u32,
    /// 店舗名.
    pub name: String,
    /// 店舗略名.
    pub short_name: String,
    /// How prices and tax are made.
    pub tax: MallTax,
    /// How the tax is reckoned.
    pub taxing: Taxing,
    /// Created at.
    pub created: Moment,
}

/// All books.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Slips by number.
    pub slips: BTreeMap<u64, Slip>,
    /// Goods by code.
    pub goods: BTreeMap<String, Goods>,
    /// Shops by id.
    pub malls: BTreeMap<u32, MallShop>,
    /// Movements, oldest first.
    pub movements: Vec<Movement>,
    /// Queue entries, oldest first.
    pub queue: Vec<QueueEntry>,
}
