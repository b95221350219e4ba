//! スマレジ's books as plain values: products, stores, stock, its history, transactions.
//! It must not know requests or webhooks; whoever changes it says when.

mod report;
mod sales;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use report::DailyReport;
pub use sales::{Amounts, Detail, Disposal, OtherDeposit, Transaction};

/// A moment, `+09:00`.
pub type Moment = DateTime<FixedOffset>;

/// A product of a store, the key of a stock row.
pub type Shelf = (u64, u32);

/// The most a stock row can hold, either way (smaregi.md 4a).
pub const STOCK_LIMIT: i64 = 999_999_999;

/// What kind of product (smaregi.md 5, `division`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    /// 0, goods.
    #[default]
    Normal,
    /// 1, ticket (回数券): cannot be sold by API.
    Ticket,
    /// 2, option.
    Option,
}

/// A product (商品, smaregi.md 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// 商品ID.
    pub id: u64,
    /// 商品コード.
    pub code: String,
    /// 商品名.
    pub name: String,
    /// グループコード.
    #[serde(default)]
    pub group_code: String,
    /// 部門ID.
    #[serde(default)]
    pub category_id: u32,
    /// Price in yen, with tax where `tax_division` is 0.
    pub price: i64,
    /// Cost in yen.
    #[serde(default)]
    pub cost: Decimal,
    /// 税区分: 0 included, 1 excluded, 2 exempt.
    #[serde(default)]
    pub tax_division: u8,
    /// 軽減税率ID; `None` is the standard rate.
    #[serde(default)]
    pub reduce_tax_id: Option<u32>,
    /// Whether stock is managed (`stockControlDivision` 0).
    pub stock_managed: bool,
    /// Kind.
    #[serde(default)]
    pub kind: ProductKind,
    /// Whether the till shows it.
    #[serde(default = "yes")]
    pub displayed: bool,
    /// 品番.
    #[serde(default)]
    pub supplier_product_no: String,
}

fn yes() -> bool {
    true
}

/// A product in the books.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// The product.
    #[serde(flatten)]
    pub product: Product,
    /// Created at.
    pub created: Moment,
    /// Last change.
    pub modified: Moment,
}

/// A store or warehouse (店舗, smaregi.md 5).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Store {
    /// 店舗ID.
    pub id: u32,
    /// 店舗コード.
    pub code: String,
    /// 店舗名.
    pub name: String,
    /// Whether it is a warehouse (`division` 2).
    pub warehouse: bool,
    /// Whether it is suspended (`pauseFlag` 1).
    pub paused: bool,
    /// Whether it closes its days by itself (`sumProcDivision` 1).
    pub closes_itself: bool,
    /// Whether it sells at prices without tax (`sellDivision` 1).
    pub tax_added: bool,
    /// Terminals that exist; sales of others must come closed.
    pub terminals: BTreeSet<u32>,
    /// Created at.
    pub created: Moment,
    /// Last change.
    pub modified: Moment,
}

/// A stock row: it exists once the quantity has changed (smaregi.md 4a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stock {
    /// 在庫数.
    pub amount: i64,
    /// Last change.
    pub modified: Moment,
}

/// A row of the stock change history (在庫変動履歴, smaregi.md 4c).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Id, also in the webhook.
    pub id: u64,
    /// When it was written.
    pub at: Moment,
    /// The moment it is about; earlier than `at` for a stock-taking or a loss entered later.
    pub target: Moment,
    /// Product.
    pub product: u64,
    /// Store.
    pub store: u32,
    /// By how much.
    pub amount: i64,
    /// Stock after it.
    pub stock: i64,
    /// `stockDivision`, two digits.
    pub division: String,
    /// Where the goods came from, for moves between stores.
    pub from_store: Option<u32>,
    /// Where the goods went, for moves between stores.
    pub to_store: Option<u32>,
    /// メモ.
    pub memo: String,
}

/// A change about to be written.
#[derive(Debug, Clone)]
pub struct Movement {
    /// Product.
    pub product: u64,
    /// Store.
    pub store: u32,
    /// By how much.
    pub amount: i64,
    /// `stockDivision`, two digits.
    pub division: String,
    /// The moment it is about; the present when `None`.
    pub target: Option<Moment>,
    /// Where the goods came from.
    pub from_store: Option<u32>,
    /// Where the goods went.
    pub to_store: Option<u32>,
    /// メモ.
    pub memo: String,
}

impl Movement {
    /// A movement without ornaments.
    pub fn new(product: u64, store: u32, amount: i64, division: &str) -> Self {
        Self {
            product,
            store,
            amount,
            division: division.to_owned(),
            target: None,
            from_store: None,
            to_store: None,
            memo: String::new(),
        }
    }
}

/// All books.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Products by id.
    pub products: BTreeMap<u64, Listed>,
    /// Stores by id.
    pub stores: BTreeMap<u32, Store>,
    /// Stock by product and store.
    pub stock: BTreeMap<Shelf, Stock>,
    /// History, oldest first.
    pub changes: Vec<Change>,
    /// Transactions by id.
    pub transactions: BTreeMap<u64, Transaction>,
    /// Customers' codes by id.
    pub customers: BTreeMap<u64, String>,
    /// Staff ids.
    pub staff: BTreeSet<u64>,
}

impl Books {
    /// Stock of a product at a store; 0 when there is no row.
    pub fn stock_of(&self, product: u64, store: u32) -> i64 {
        let row = self.stock.get(&(product, store));
        row.map_or(0, |row| row.amount)
    }

    /// Sum of a product's stock over these stores.
    pub fn stock_over(&self, product: u64, stores: &[u32]) -> i64 {
        let amounts = stores.iter().map(|&store| self.stock_of(product, store));
        amounts.sum()
    }

    /// Whether a product exists and its stock is managed.
    pub fn manages_stock(&self, product: u64) -> bool {
        let listed = self.products.get(&product);
        listed.is_some_and(|listed| listed.product.stock_managed)
    }

    /// The history of one product at one store, oldest first.
    pub fn history(&self, product: u64, store: u32) -> impl Iterator<Item = &Change> {
        let rows = self.changes.iter();
        rows.filter(move |row| row.product == product && row.store == store)
    }

    /// Moves stock and writes the history; answers the row. Whether it may be done is the caller's question.
    pub fn apply(&mut self, movement: Movement, at: Moment) -> Change {
        let shelf = (movement.product, movement.store);
        let amount = self.stock_of(movement.product, movement.store) + movement.amount;
        let modified = at;
        self.stock.insert(shelf, Stock { amount, modified });
        let change = Change {
            id: self.changes.len() as u64 + 1,
            at,
            target: movement.target.unwrap_or(at),
            product: movement.product,
            store: movement.store,
            amount: movement.amount,
            stock: amount,
            division: movement.division,
            from_store: movement.from_store,
            to_store: movement.to_store,
            memo: movement.memo,
        };
        self.changes.push(change.clone());
        change
    }

    /// The next transaction id.
    pub fn next_transaction(&self) -> u64 {
        self.transactions
            .last_key_value()
            .map_or(1, |(id, _)| id + 1)
    }
}

/// A moment as the wire spells it.
pub fn moment_text(moment: Moment) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_leaves_a_row_with_the_stock_after_it() {
        let mut books = Books::default();
        let at = DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
        assert_eq!(books.stock_of(7, 1), 0);
        let first = books.apply(Movement::new(7, 1, 10, "03"), at);
        let second = books.apply(Movement::new(7, 1, -3, "02"), at);
        books.apply(Movement::new(7, 2, 1, "03"), at);
        assert_eq!((first.id, first.stock), (1, 10));
        assert_eq!((second.id, second.stock), (2, 7));
        assert_eq!(books.stock_over(7, &[1, 2]), 8);
        assert_eq!(books.history(7, 1).count(), 2);
        assert_eq!(moment_text(at), "2026-11-24T09:00:00+09:00");
    }
}
