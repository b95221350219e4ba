//! The daily report (日次集計) as a check reads it: sales and how they were paid, by store and day (smaregi.md 2, deposits).
//! It must only count.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::Books;

/// A store's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DailyReport {
    /// Totals of the sales, negatives included, cancelled ones not.
    pub total: i64,
    /// Paid in cash: deposits in cash less change.
    pub cash: i64,
    /// Paid by credit.
    pub credit: i64,
    /// Paid otherwise.
    pub others: i64,
    /// Sales whose deposit is not the sum of its parts, or whose parts less change are not the total.
    pub wrong: u64,
}

impl DailyReport {
    /// Whether every sale's payment is right.
    pub fn agrees(&self) -> bool {
        self.wrong == 0 && self.cash + self.credit + self.others == self.total
    }
}

impl Books {
    /// Every store's days on which something counts.
    pub fn daily_report(&self) -> BTreeMap<(u32, NaiveDate), DailyReport> {
        let mut days: BTreeMap<_, DailyReport> = BTreeMap::new();
        let counted = self.transactions.values();
        for sale in counted.filter(|sale| sale.division == 1 && !sale.cancelled) {
            let day = days.entry((sale.store, sale.day())).or_default();
            let money = &sale.amounts;
            let parts = money.deposit_cash + money.deposit_credit + money.deposit_others;
            day.total += money.total;
            day.cash += money.deposit_cash - money.change;
            day.credit += money.deposit_credit;
            day.others += money.deposit_others;
            day.wrong += u64::from(money.deposit != parts || parts - money.change != money.total);
        }
        days
    }
}
