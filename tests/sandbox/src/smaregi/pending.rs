//! What スマレジ does later: history rows of sales that appear after a while. It must not decide what moves.

use chrono::TimeDelta;

use super::Smaregi;
use super::books::{Moment, Movement};
use crate::switches::{ApiSaleWebhook, SaleStockDelay};

/// A sale's rows that are still to come.
#[derive(Clone)]
pub struct Rows {
    due: Moment,
    sale: u64,
    movements: Vec<Movement>,
}

impl Smaregi {
    /// Moves what a sale registered by API takes, now or after the switch's delay.
    pub(super) fn move_for_sale(&mut self, sale: u64, movements: Vec<Movement>) {
        let delay = match self.switches.sale_stock_delay {
            SaleStockDelay::None => TimeDelta::zero(),
            SaleStockDelay::Seconds7 => TimeDelta::seconds(7),
        };
        let due = self.now() + delay;
        self.rows_to_come.push(Rows {
            due,
            sale,
            movements,
        });
        if delay.is_zero() {
            self.write_rows_of(sale);
        }
    }

    /// Writes a sale's rows that are still to come.
    pub(super) fn write_rows_of(&mut self, sale: u64) {
        let rows: Vec<_> = self
            .rows_to_come
            .extract_if(.., |rows| rows.sale == sale)
            .collect();
        self.write(rows);
    }

    /// Writes the rows whose time has come.
    pub(super) fn write_due_rows(&mut self) {
        let now = self.now();
        let rows: Vec<_> = self
            .rows_to_come
            .extract_if(.., |rows| rows.due <= now)
            .collect();
        self.write(rows);
    }

    fn write(&mut self, due: Vec<Rows>) {
        let notify = self.switches.api_sale_webhook == ApiSaleWebhook::Raised;
        for rows in due {
            let changes = self.move_stock(rows.movements, notify);
            let moved = changes
                .iter()
                .map(|change| (change.product, change.amount))
                .collect();
            if let Some(sale) = self.books.transactions.get_mut(&rows.sale) {
                sale.moved = moved;
            }
        }
    }
}
