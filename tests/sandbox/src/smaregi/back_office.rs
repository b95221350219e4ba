//! What people do in スマレジ's back office; each writes history rows of its division and raises a webhook
//! (smaregi.md 4c, 6). It must not know requests.

use serde_json::json;

use super::Smaregi;
use super::books::{Listed, Moment, Movement, Product};
use crate::service::Refused;

impl Smaregi {
    pub(super) fn shelf(&self, product: u64, store: u32) -> Result<(), Refused> {
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
        self.stocktake_of(product, store, counted, None)
    }

    /// 棚卸 of an earlier moment, entered now (smaregi.md 4c: `targetDateTime` may differ); the count is taken for the present
    /// stock (assumed).
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn stocktake_of(
        &mut self,
        product: u64,
        store: u32,
        counted: i64,
        target: Option<Moment>,
    ) -> Result<(), Refused> {
        let by = counted - self.books.stock_of(product, store);
        self.late(Movement::new(product, store, by, "08"), target)
    }

    fn late(&mut self, movement: Movement, target: Option<Moment>) -> Result<(), Refused> {
        self.shelf(movement.product, movement.store)?;
        self.move_stock(vec![Movement { target, ..movement }], true);
        Ok(())
    }

    /// ロス: goods are broken or gone.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn loss(&mut self, product: u64, store: u32, quantity: i64) -> Result<(), Refused> {
        self.loss_of(product, store, quantity, None)
    }

    /// ロス of an earlier moment, entered now.
    ///
    /// # Errors
    /// See [`Smaregi::correct`].
    pub fn loss_of(
        &mut self,
        product: u64,
        store: u32,
        quantity: i64,
        target: Option<Moment>,
    ) -> Result<(), Refused> {
        self.late(Movement::new(product, store, -quantity, "14"), target)
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

    /// Sets how a store closes its days and whether it sells without tax; what is `None` stays.
    ///
    /// # Errors
    /// When there is none.
    pub fn set_store(
        &mut self,
        id: u32,
        closes_itself: Option<bool>,
        tax_added: Option<bool>,
    ) -> Result<(), Refused> {
        let now = self.now();
        let store = self.books.stores.get_mut(&id);
        let store = store.ok_or_else(|| Refused::new(format!("no store {id}")))?;
        store.closes_itself = closes_itself.unwrap_or(store.closes_itself);
        store.tax_added = tax_added.unwrap_or(store.tax_added);
        store.modified = now;
        Ok(())
    }

    /// Adds a customer, or gives the one with this id another code.
    pub fn set_customer(&mut self, id: u64, code: &str) {
        self.books.customers.insert(id, code.to_owned());
    }

    /// Adds a person of the staff.
    pub fn add_staff(&mut self, id: u64) {
        self.books.staff.insert(id);
    }
}
