//! What people do at the till: sales, their cancelling, returns (smaregi.md 3, 4c). It must not know requests.

use std::collections::BTreeMap;

use serde_json::json;

use super::Smaregi;
use super::books::{Amounts, Detail, Disposal, Movement, Transaction};
use crate::service::Refused;

/// The till of every store.
pub const TILL: u32 = 1;

impl Smaregi {
    /// 売上: a sale at the till; answers its id.
    ///
    /// # Errors
    /// When a product or the store does not exist.
    pub fn pos_sale(&mut self, store: u32, lines: &[(u64, i64)]) -> Result<u64, Refused> {
        let details = self.till_lines(store, lines)?;
        Ok(self.ring_up(store, details, "02"))
    }

    /// 返品: goods of a sale come back at the till, as line-level returns (smaregi.md 3, 7); answers its id.
    ///
    /// # Errors
    /// When a product or the store does not exist.
    pub fn pos_return(&mut self, store: u32, lines: &[(u64, i64)]) -> Result<u64, Refused> {
        let details = self.till_lines(store, lines)?;
        let details = details.iter().map(Detail::returned).collect();
        Ok(self.ring_up(store, details, "12"))
    }

    fn till_lines(&self, store: u32, lines: &[(u64, i64)]) -> Result<Vec<Detail>, Refused> {
        let mut details = Vec::new();
        for (number, &(product, quantity)) in (1..).zip(lines) {
            self.shelf(product, store)?;
            let Some(listed) = self.books.products.get(&product) else {
                continue;
            };
            let master = &listed.product;
            details.push(Detail {
                id: number,
                division: 1,
                product: Some(product),
                code: master.code.clone(),
                name: master.name.clone(),
                tax_division: master.tax_division,
                reduce_tax_id: master.reduce_tax_id,
                price: master.price,
                sales_price: master.price,
                quantity,
                ..Detail::default()
            });
        }
        Ok(details)
    }

    /// Goods move first, then the transaction is written and told of.
    fn ring_up(&mut self, store: u32, details: Vec<Detail>, division: &str) -> u64 {
        let movements = details
            .iter()
            .filter_map(|line| {
                let by = -line.quantity;
                Some(Movement::new(line.product?, store, by, division))
            })
            .collect();
        let moved = self
            .move_stock(movements, true)
            .iter()
            .map(|change| (change.product, change.amount))
            .collect();
        let id = self.books.next_transaction();
        let sale = self.till_sale(id, store, details, moved);
        self.books.transactions.insert(id, sale);
        self.notify(
            "pos:transactions",
            "created",
            ("transactionHeadIds", json!([id.to_string()])),
        );
        id
    }

    fn till_sale(
        &self,
        id: u64,
        store: u32,
        details: Vec<Detail>,
        moved: Vec<(u64, i64)>,
    ) -> Transaction {
        let now = self.now();
        let subtotal = details.iter().map(Detail::subtotal).sum();
        let amounts = Amounts {
            subtotal,
            total: subtotal,
            deposit: subtotal,
            deposit_cash: subtotal,
            ..Amounts::default()
        };
        Transaction {
            id,
            division: 1,
            cancelled: false,
            disposal: Disposal::None,
            store,
            terminal: TILL,
            terminal_number: id.to_string(),
            terminal_time: now,
            sum_division: 0,
            sum_date: None,
            uuid: format!("{:09}{TILL:04}-{id}", now.timestamp() % 1_000_000_000),
            amounts,
            memo: String::new(),
            labels: BTreeMap::new(),
            deposit_others: Vec::new(),
            details,
            moved,
            created: now,
            modified: now,
        }
    }

    /// Cancels a sale of the till.
    ///
    /// # Errors
    /// When there is no such sale that stands.
    pub fn pos_sale_cancel(&mut self, id: u64) -> Result<(), Refused> {
        let now = self.now();
        let sale = self
            .books
            .transactions
            .get_mut(&id)
            .filter(|sale| sale.stands());
        let sale = sale.ok_or_else(|| Refused::new(format!("no sale {id} to cancel")))?;
        sale.cancelled = true;
        sale.modified = now;
        let (store, moved) = (sale.store, sale.moved.clone());
        let back = moved
            .into_iter()
            .map(|(product, by)| Movement::new(product, store, -by, "02"));
        self.move_stock(back.collect(), true);
        self.notify(
            "pos:transactions",
            "canceled",
            ("transactionHeadIds", json!([id.to_string()])),
        );
        Ok(())
    }
}
