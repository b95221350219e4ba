//! Goods with their stock, how it moves, and the history of it (next-engine.md 4.1).
//! It must not know why somebody wants stock to move.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{Books, Moment};
use crate::switches::CodeCase;

/// A product with its stock (商品マスタ, 在庫マスタ).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goods {
    /// 商品コード.
    pub code: String,
    /// 商品名.
    pub name: String,
    /// 売価.
    pub price: Decimal,
    /// 原価.
    pub cost: Decimal,
    /// Tax rate in percent.
    pub tax_rate: u8,
    /// 仕入先コード.
    pub supplier: String,
    /// 在庫数.
    pub stock: i64,
    /// 引当数.
    pub allocated: i64,
    /// 不良在庫数.
    pub defective: i64,
    /// Created at.
    pub created: Moment,
    /// Last change of the product.
    pub modified: Option<Moment>,
    /// Last change of its stock or allocation.
    pub stock_modified: Option<Moment>,
}

impl Goods {
    /// フリー在庫数 = stock - allocated (next-engine.md 4.1).
    pub fn free(&self) -> i64 {
        self.stock - self.allocated
    }
}

/// Why stock moved. Ids and names of 入出庫区分 are assumed; no list was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// A slip was shipped.
    Shipment,
    /// A shipped slip was set back.
    ShipmentUndone,
    /// Goods came back.
    Return,
    /// A goods CSV.
    Upload,
    /// Somebody counted or corrected by hand.
    Manual,
}

impl MovementKind {
    /// Id and name of the kind (assumed).
    pub fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Shipment => ("2", "出荷"),
            Self::ShipmentUndone => ("3", "出荷取消"),
            Self::Return => ("4", "返品"),
            Self::Upload => ("5", "一括登録"),
            Self::Manual => ("9", "在庫調整"),
        }
    }
}

/// One row of 在庫入出庫履歴.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Movement {
    /// Number, ascending.
    pub id: u64,
    /// Product code.
    pub code: String,
    /// Moved at.
    pub at: Moment,
    /// Readable from.
    pub visible_from: Moment,
    /// 在庫数 before.
    pub before: i64,
    /// 在庫数 after.
    pub after: i64,
    /// The slip and its shop, for shipments and returns.
    pub slip: Option<(u64, u32)>,
    /// Why.
    pub kind: MovementKind,
    /// 事由.
    pub reason: String,
}

/// A stock change about to be booked.
pub struct StockChange<'a> {
    /// Product code.
    pub code: &'a str,
    /// Difference.
    pub by: i64,
    /// When.
    pub at: Moment,
    /// Why.
    pub kind: MovementKind,
    /// 事由.
    pub reason: &'a str,
    /// The slip and its shop.
    pub slip: Option<(u64, u32)>,
    /// From when the movement can be read.
    pub visible_from: Moment,
}

impl Books {
    /// The product of a code as a join finds it (next-engine.md 3, the case of codes).
    pub fn goods_like(&self, code: &str, case: CodeCase) -> Option<&Goods> {
        let alike = |goods: &&Goods| goods.code.to_lowercase() == code.to_lowercase();
        self.goods.get(code).or_else(|| match case {
            CodeCase::Exact => None,
            CodeCase::Ignored => self.goods.values().find(alike),
        })
    }

    /// Books a stock change with its movement; an unknown product or a difference of zero moves nothing.
    pub fn move_stock(&mut self, change: &StockChange<'_>) {
        let Some(goods) = self.goods.get_mut(change.code).filter(|_| change.by != 0) else {
            return;
        };
        let before = goods.stock;
        goods.stock += change.by;
        goods.stock_modified = Some(change.at);
        let id = self.movements.last().map_or(1, |last| last.id + 1);
        self.movements.push(Movement {
            id,
            code: change.code.to_owned(),
            at: change.at,
            visible_from: change.visible_from,
            before,
            after: before + change.by,
            slip: change.slip,
            kind: change.kind,
            reason: change.reason.to_owned(),
        });
    }

    /// Changes what is allocated of a product; an unknown product has no allocation.
    pub fn allocate(&mut self, code: &str, by: i64, at: Moment) {
        if let Some(goods) = self.goods.get_mut(code).filter(|_| by != 0) {
            goods.allocated += by;
            goods.stock_modified = Some(at);
        }
    }
}
