//! What people do in スマレジ, at the till and in the back office; each writes history rows of its division and raises a webhook
//! (smaregi.md 4c, 6). It must not know requests.

use std::collections::BTreeMap;

use serde_json::json;

use super::Smaregi;
use super::books::{Amounts, Detail, Disposal, Listed, Movement, Product, Transaction};
use crate::service::Refused;

/// The till of every store.
pub const TILL: u32 = 1;

impl Smaregi {
    fn shelf(&self, product: u64, store: u32) -> Result<(), Refused> {
        if !self.books.products.contains_key(&product) {
            return Err(Refused::new(format!("no product {product}")));
        }
        if self.books.stores.contains_key(&store) {
            Ok(())
        } else {
            Err(Refused::new(format!("no store {store}")))
        }
    }

    fn one(&mut self, product: u64, store: u32, by: i64, division: &str) -> Result<(), Refused> {
        self.shelf(product, store)?;
        self.move_stock(vec![Movement::new(product, store, by, division)], true);
        Ok(())
    }

    /// 売上: a sale at the till; answers its id.
    ///
    /// # Errors
    /// When a product or the store does not exist.
    pub fn pos_sale(&mut self, store: u32, lines: &[(u64, i64)]) -> Result<u64, Refused> {
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
        let movements = lines
            .iter()
            .map(|&(product, quantity)| Movement::new(product, store, -quantity, "02"))
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
        Ok(id)
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

    /// 修正: the number on the screen is changed by so much.
    ///
    /// # Errors
    /// When the product or store does not exist; so for all that follow.
    pub fn correct(&mut self, product: u64, store: u32, by: i64) -> Result<(), Refused> {
        self.one(product, store, by, "01")
    }

    /// 仕入: goods come from a supplier.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn purchase(&mut self, product: u64, store: u32, quantity: i64) -> Result<(), Refused> {
        self.one(product, store, quantity, "03")
    }

    /// 出荷: goods are shipped out.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn ship_out(&mut self, product: u64, store: u32, quantity: i64) -> Result<(), Refused> {
        self.one(product, store, -quantity, "10")
    }

    /// 店間移動: 出庫 here and 入庫 there, at once.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn transfer(
        &mut self,
        product: u64,
        from: u32,
        to: u32,
        quantity: i64,
    ) -> Result<(), Refused> {
        self.shelf(product, from)?;
        self.shelf(product, to)?;
        let row = |store, by, division| Movement {
            from_store: Some(from),
            to_store: Some(to),
            ..Movement::new(product, store, by, division)
        };
        self.move_stock(
            vec![row(from, -quantity, "04"), row(to, quantity, "05")],
            true,
        );
        Ok(())
    }

    /// 棚卸: somebody counted.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn stocktake(&mut self, product: u64, store: u32, counted: i64) -> Result<(), Refused> {
        let by = counted - self.books.stock_of(product, store);
        self.one(product, store, by, "08")
    }

    /// ロス: goods are broken or gone.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn loss(&mut self, product: u64, store: u32, quantity: i64) -> Result<(), Refused> {
        self.one(product, store, -quantity, "14")
    }

    /// A row of any division, also of one that no document names.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn odd_row(
        &mut self,
        product: u64,
        store: u32,
        by: i64,
        division: &str,
    ) -> Result<(), Refused> {
        self.one(product, store, by, division)
    }

    /// Adds a product, or replaces the one with its id.
    pub fn set_product(&mut self, product: Product) {
        let (id, now) = (product.id, self.now());
        let created = self.books.products.get(&id).map(|listed| listed.created);
        let action = if created.is_some() {
            "edited"
        } else {
            "created"
        };
        self.books.products.insert(
            id,
            Listed {
                product,
                created: created.unwrap_or(now),
                modified: now,
            },
        );
        self.notify(
            "pos:products",
            action,
            ("productIds", json!([id.to_string()])),
        );
    }

    /// Deletes a product; its history stays.
    ///
    /// # Errors
    /// When there is none.
    pub fn delete_product(&mut self, id: u64) -> Result<(), Refused> {
        self.books
            .products
            .remove(&id)
            .ok_or_else(|| Refused::new(format!("no product {id}")))?;
        self.notify(
            "pos:products",
            "deleted",
            ("productIds", json!([id.to_string()])),
        );
        Ok(())
    }

    /// Suspends a store, or opens it again.
    ///
    /// # Errors
    /// When there is none.
    pub fn pause_store(&mut self, id: u32, paused: bool) -> Result<(), Refused> {
        let store = self
            .books
            .stores
            .get_mut(&id)
            .ok_or_else(|| Refused::new(format!("no store {id}")))?;
        store.paused = paused;
        Ok(())
    }
}
