//! Transactions (取引) as plain values, and what can be counted over them.
//! It must not know how a transaction came in.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::{Books, Moment, moment_text};

/// Money of a transaction, whole yen (smaregi.md 2 part A).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Amounts {
    /// 小計.
    pub subtotal: i64,
    /// 小計値引き.
    pub subtotal_discount: i64,
    /// ポイント値引き.
    pub point_discount: i64,
    /// 合計.
    pub total: i64,
    /// 内税額.
    pub tax_include: i64,
    /// 外税額.
    pub tax_exclude: i64,
    /// 送料.
    pub carriage: i64,
    /// 手数料.
    pub commission: i64,
    /// お預かり金額.
    pub deposit: i64,
    /// Its part in cash.
    pub deposit_cash: i64,
    /// Its part by credit.
    pub deposit_credit: i64,
    /// Its other parts together.
    pub deposit_others: i64,
    /// お釣り.
    pub change: i64,
    /// 端数調整.
    pub rounding: i64,
}

impl Amounts {
    /// What the documents say `total` must be (smaregi.md 2 part A); no coupon or tax-free part here.
    pub fn expected_total(&self) -> i64 {
        self.subtotal - self.subtotal_discount - self.point_discount
            + self.rounding
            + self.tax_exclude
            + self.commission
            + self.carriage
    }

    /// The same money going back.
    pub fn negated(&self) -> Self {
        Self {
            subtotal: -self.subtotal,
            subtotal_discount: -self.subtotal_discount,
            point_discount: -self.point_discount,
            total: -self.total,
            tax_include: -self.tax_include,
            tax_exclude: -self.tax_exclude,
            carriage: -self.carriage,
            commission: -self.commission,
            deposit: -self.deposit,
            deposit_cash: -self.deposit_cash,
            deposit_credit: -self.deposit_credit,
            deposit_others: -self.deposit_others,
            change: -self.change,
            rounding: -self.rounding,
        }
    }
}

/// A payment that is neither cash nor credit (smaregi.md 2, `depositOthers`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherDeposit {
    /// Number, 1-3.
    pub no: u8,
    /// 支払方法ID; it need not be known here.
    pub method: u64,
    /// Amount in yen.
    pub amount: i64,
}

/// A line of a transaction (取引明細).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Detail {
    /// 取引明細ID, 1-999.
    pub id: u32,
    /// Its parent line, for options and bundles.
    pub parent: Option<u32>,
    /// 1 normal, 2 return, 3 department sale.
    pub division: u8,
    /// Product; `None` when an unknown id was sent.
    pub product: Option<u64>,
    /// 商品コード.
    pub code: String,
    /// 商品名.
    pub name: String,
    /// 税区分: 0 included, 1 excluded, 2 exempt.
    pub tax_division: u8,
    /// 軽減税率ID; `None` is the standard rate.
    pub reduce_tax_id: Option<u32>,
    /// Rate in percent that follows from it.
    pub tax_rate: u8,
    /// List price.
    pub price: i64,
    /// Price it was sold at.
    pub sales_price: i64,
    /// Discount on each piece.
    pub unit_discount: i64,
    /// 数量.
    pub quantity: i64,
    /// Fields that are only kept and shown again, by wire name.
    pub labels: BTreeMap<String, String>,
}

impl Detail {
    /// What the line adds to the subtotal: unit price after its discount, times the quantity.
    pub fn subtotal(&self) -> i64 {
        (self.sales_price - self.unit_discount).saturating_mul(self.quantity)
    }
}

impl Detail {
    /// The line as it goes back: quantity negative, price positive, division 2 (smaregi.md 7, assumed there).
    pub fn returned(&self) -> Self {
        Self {
            division: 2,
            quantity: -self.quantity,
            ..self.clone()
        }
    }
}

/// A transaction's part in a 返品取消 (smaregi.md 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposal {
    /// 0: none.
    #[default]
    None,
    /// 1: it was cancelled out.
    CancelledOut,
    /// 2: it cancels the transaction of this id out.
    Negative(u64),
}

/// The four values that name a slip (smaregi.md 2): store, terminal, terminal time, terminal number.
pub type SlipKey = (u32, u32, String, String);

/// A transaction (取引).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transaction {
    /// 取引ID.
    pub id: u64,
    /// 取引区分, 1 for a sale.
    pub division: u8,
    /// Whether it was 取消.
    pub cancelled: bool,
    /// Its part in a 返品取消.
    pub disposal: Disposal,
    /// Store.
    pub store: u32,
    /// Terminal; it need not exist.
    pub terminal: u32,
    /// 端末取引ID.
    pub terminal_number: String,
    /// 端末取引日時.
    pub terminal_time: Moment,
    /// 0 open, 1 settled, 2 closed.
    pub sum_division: u8,
    /// 締め日.
    pub sum_date: Option<NaiveDate>,
    /// Receipt number.
    pub uuid: String,
    /// Money.
    pub amounts: Amounts,
    /// メモ.
    pub memo: String,
    /// Fields that are only kept and shown again, by wire name.
    pub labels: BTreeMap<String, String>,
    /// Other payments than cash and credit.
    pub deposit_others: Vec<OtherDeposit>,
    /// Lines.
    pub details: Vec<Detail>,
    /// Stock it moved, by product; cancelling brings back no more.
    pub moved: Vec<(u64, i64)>,
    /// Registered at.
    pub created: Moment,
    /// Last change.
    pub modified: Moment,
}

impl Transaction {
    /// The four values that name its slip.
    pub fn slip_key(&self) -> SlipKey {
        let time = moment_text(self.terminal_time);
        (
            self.store,
            self.terminal,
            time,
            self.terminal_number.clone(),
        )
    }

    /// Whether it stands: a sale neither cancelled, nor cancelled out, nor a negative.
    pub fn stands(&self) -> bool {
        self.division == 1 && !self.cancelled && self.disposal == Disposal::None
    }

    /// The day it counts for in sales.
    pub fn day(&self) -> NaiveDate {
        self.sum_date
            .unwrap_or_else(|| self.terminal_time.date_naive())
    }
}

impl Books {
    /// Sales by store and day in yen, negatives included, cancelled ones not.
    pub fn sales_by_day(&self) -> BTreeMap<(u32, NaiveDate), i64> {
        let mut sums = BTreeMap::new();
        let counted = self.transactions.values();
        for sale in counted.filter(|sale| sale.division == 1 && !sale.cancelled) {
            *sums.entry((sale.store, sale.day())).or_default() += sale.amounts.total;
        }
        sums
    }

    /// Receipt numbers that more than one standing sale carries, with the sales' ids.
    pub fn duplicates_by_uuid(&self) -> Vec<(String, Vec<u64>)> {
        self.duplicates(|sale| sale.uuid.clone())
    }

    /// Slips that were booked more than once: standing sales with the same store, terminal and terminal number.
    pub fn duplicates_by_slip(&self) -> Vec<((u32, u32, String), Vec<u64>)> {
        self.duplicates(|sale| (sale.store, sale.terminal, sale.terminal_number.clone()))
    }

    fn duplicates<K: Ord>(&self, key: impl Fn(&Transaction) -> K) -> Vec<(K, Vec<u64>)> {
        let mut groups: BTreeMap<K, Vec<u64>> = BTreeMap::new();
        for sale in self.transactions.values().filter(|sale| sale.stands()) {
            groups.entry(key(sale)).or_default().push(sale.id);
        }
        groups
            .into_iter()
            .filter(|(_, ids)| ids.len() > 1)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_follows_the_documented_formula_and_turns_around() {
        let amounts = Amounts {
            subtotal: 3000,
            subtotal_discount: 300,
            point_discount: 100,
            tax_exclude: 260,
            commission: 330,
            carriage: 550,
            ..Amounts::default()
        };
        assert_eq!(amounts.expected_total(), 3740);
        assert_eq!(amounts.negated().expected_total(), -3740);
    }

    #[test]
    fn a_line_counts_its_discount_on_each_piece() {
        let line = Detail {
            sales_price: 500,
            unit_discount: 50,
            quantity: 3,
            ..Detail::default()
        };
        assert_eq!(line.subtotal(), 1350);
    }
}
