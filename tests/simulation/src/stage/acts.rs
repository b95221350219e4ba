//! What people do in both services, each written into the script. Presses nothing here.

use tsunagi_sandbox::{Refused, shop::Order};

use super::{Broken, Stage};
use crate::shop::{self, LINKED};

impl Stage {
    /// Something that people do in the services.
    ///
    /// # Errors
    /// When the services do not let them.
    pub fn act<T>(
        &mut self,
        work: impl FnOnce(&mut tsunagi_sandbox::World) -> Result<T, Refused>,
    ) -> Result<T, Broken> {
        self.acted_at = self.world.now();
        Ok(work(&mut self.world.state().services)?)
    }

    /// An order comes in and leaves the warehouse.
    ///
    /// # Errors
    /// As [`Stage::act`].
    pub fn ship(&mut self, order: &Order) -> Result<u64, Broken> {
        self.act(|services| {
            let slip = services.next_engine.place(order)?;
            services.next_engine.ship(slip)?;
            Ok(slip)
        })
    }

    /// Goods are lost, which travels from linked stores.
    ///
    /// # Errors
    /// As [`Stage::act`].
    pub fn loss(&mut self, product: u64, store: u32, quantity: i64) -> Result<(), Broken> {
        self.act(|services| services.smaregi.loss(product, store, quantity))?;
        self.moved(product, store, -quantity);
        Ok(())
    }

    /// Goods come from a supplier.
    ///
    /// # Errors
    /// As [`Stage::act`].
    pub fn purchase(&mut self, product: u64, store: u32, quantity: i64) -> Result<(), Broken> {
        self.act(|services| services.smaregi.purchase(product, store, quantity))?;
        self.moved(product, store, quantity);
        Ok(())
    }

    /// A sale at the till.
    ///
    /// # Errors
    /// As [`Stage::act`].
    pub fn till(&mut self, product: u64, quantity: i64) -> Result<(), Broken> {
        let id = self.act(|services| {
            services
                .smaregi
                .pos_sale(shop::SHOP, &[(product, quantity)])
        })?;
        let taken = {
            let services = &self.world.state().services;
            let sale = services.smaregi.books().transactions.get(&id);
            sale.map_or(0, |sale| sale.amounts.total)
        };
        self.script.takings += taken;
        self.moved(product, shop::SHOP, -quantity);
        Ok(())
    }

    fn moved(&mut self, product: u64, store: u32, by: i64) {
        self.script.moves(product, store, by);
        if LINKED.contains(&store) {
            self.script.travels(shop::code_of(product), by);
        }
    }
}
