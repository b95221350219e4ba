//! Which fields each search knows, of which kind, and how a record fills them (next-engine.md 2 to 4).
//! It must not filter or page.

mod goods;
mod line;
mod other;
mod slip;

use rust_decimal::Decimal;

use super::answer::date_text;
use super::books::{Goods, Line, MallShop, Moment, Movement, QueueEntry, Slip};
use crate::switches::Switches;

/// The kind of a column: which operators it takes and how values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A product code: text whose case may or may not count.
    Code,
    /// A number.
    Number,
    /// A moment.
    Date,
}

/// A field that can be asked for and be a condition.
#[derive(Clone, Copy)]
pub struct Column {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its value; `None` is null.
    pub read: fn(&Record<'_>) -> Option<String>,
}

/// What one row of a search can see; joined parts that do not exist are null.
#[derive(Clone, Copy, Default)]
pub struct Record<'a> {
    /// The slip.
    pub slip: Option<&'a Slip>,
    /// The slip's shop.
    pub mall: Option<&'a MallShop>,
    /// The line.
    pub line: Option<&'a Line>,
    /// The product.
    pub goods: Option<&'a Goods>,
    /// The movement.
    pub movement: Option<&'a Movement>,
    /// The queue entry.
    pub entry: Option<&'a QueueEntry>,
    /// Answers to the open questions.
    pub switches: Switches,
}

impl<'a> Record<'a> {
    /// The same with a slip.
    pub fn of_slip(self, slip: &'a Slip) -> Self {
        Self {
            slip: Some(slip),
            ..self
        }
    }

    /// The same with a product.
    pub fn of_goods(self, goods: &'a Goods) -> Self {
        Self {
            goods: Some(goods),
            ..self
        }
    }

    /// The same with a movement.
    pub fn of_movement(self, movement: &'a Movement) -> Self {
        Self {
            movement: Some(movement),
            ..self
        }
    }

    /// The same with a queue entry.
    pub fn of_entry(self, entry: &'a QueueEntry) -> Self {
        Self {
            entry: Some(entry),
            ..self
        }
    }

    /// The same with a shop.
    pub fn of_mall(self, mall: &'a MallShop) -> Self {
        Self {
            mall: Some(mall),
            ..self
        }
    }
}

/// The columns of a search.
pub struct Table {
    parts: &'static [&'static [Column]],
    /// Fields that exist but are empty in this sandbox: always null.
    empty: &'static [&'static [&'static str]],
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<Column> {
        let known = self
            .parts
            .iter()
            .copied()
            .flatten()
            .find(|column| column.name == name)
            .copied();
        known.or_else(|| {
            let name = self
                .empty
                .iter()
                .copied()
                .flatten()
                .find(|empty| **empty == name)?;
            Some(Column {
                name,
                kind: Kind::Text,
                read: |_| None,
            })
        })
    }
}

/// `/api_v1_receiveorder_base`.
pub const SLIPS: Table = Table {
    parts: &[slip::COLUMNS],
    empty: &[slip::EMPTY],
};
/// `/api_v1_receiveorder_row`: slip, line and goods together.
pub const LINES: Table = Table {
    parts: &[line::COLUMNS, slip::COLUMNS, goods::COLUMNS],
    empty: &[line::EMPTY, slip::EMPTY, goods::EMPTY],
};
/// `/api_v1_master_goods`: goods with their stock.
pub const GOODS: Table = Table {
    parts: &[goods::COLUMNS, goods::STOCK_COLUMNS],
    empty: &[goods::EMPTY, goods::STOCK_EMPTY],
};
/// `/api_v1_master_stock`.
pub const STOCK: Table = Table {
    parts: &[goods::STOCK_COLUMNS],
    empty: &[goods::STOCK_EMPTY],
};
/// `/api_v1_master_stockiohistory`.
pub const MOVEMENTS: Table = Table {
    parts: &[other::MOVEMENT_COLUMNS],
    empty: &[other::MOVEMENT_EMPTY],
};
/// `/api_v1_system_que`.
pub const QUEUE: Table = Table {
    parts: &[other::QUEUE_COLUMNS],
    empty: &[other::QUEUE_EMPTY],
};
/// `/api_v1_master_shop`.
pub const SHOPS: Table = Table {
    parts: &[other::SHOP_COLUMNS],
    empty: &[other::SHOP_EMPTY],
};

/// `/api_v1_warehouse_base`.
pub const WAREHOUSES: Table = Table {
    parts: &[other::WAREHOUSE_COLUMNS],
    empty: &[],
};
/// `/api_v1_warehouse_stock`.
pub const WAREHOUSE_STOCK: Table = Table {
    parts: &[goods::WAREHOUSE_STOCK_COLUMNS],
    empty: &[],
};

const fn column(name: &'static str, kind: Kind, read: fn(&Record<'_>) -> Option<String>) -> Column {
    Column { name, kind, read }
}

/// `5650.00`: two decimals (next-engine.md 0).
pub fn money(amount: Decimal) -> Option<String> {
    Some(format!("{amount:.2}"))
}

fn date(moment: Moment) -> Option<String> {
    Some(date_text(moment))
}

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn flag(value: bool) -> Option<String> {
    text(u8::from(value))
}
