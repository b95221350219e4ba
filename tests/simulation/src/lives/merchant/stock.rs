//! What people do at the tills and in Smaregi's back office, and by hand in Next Engine. It must not know what travels.

use super::{super::Life, STORES};
use crate::shop::{self, GOODS};

impl Life {
    fn shelf(&mut self) -> (u64, u32) {
        let product = self.dice.pick(&GOODS).map_or(1, |row| row.0);
        (product, self.dice.pick(&STORES).unwrap_or(shop::SHOP))
    }

    pub(super) fn till(&mut self) {
        let (product, store) = self.shelf();
        let pieces = self.dice.from_to(1, 3);
        match self.dice.below(10) {
            0..7 => {
                let other = self.shelf().0;
                let mut lines = vec![(product, pieces)];
                if self.dice.percent(25) {
                    lines.push((other, 1));
                }
                let sold = self.people(
                    || format!("the till of store {store} sells {lines:?}"),
                    |services| services.smaregi.pos_sale(store, &lines),
                );
                self.tills.extend(sold);
                self.takes(sold, 1);
            }
            7 => {
                let back = self.people(
                    || format!("the till of store {store} takes {pieces} of {product} back"),
                    |services| services.smaregi.pos_return(store, &[(product, pieces)]),
                );
                self.takes(back, 1);
            }
            _ => {
                let Some(sale) = self.tills.pop() else { return };
                let done = self.people(
                    || format!("the sale {sale} of a till is cancelled"),
                    |services| services.smaregi.pos_sale_cancel(sale),
                );
                self.takes(done.map(|()| sale), -1);
            }
        }
    }

    fn takes(&mut self, sale: Option<u64>, sign: i64) {
        let state = self.stage.world.state();
        let books = state.services.smaregi.books();
        let total = sale.and_then(|sale| books.transactions.get(&sale));
        self.takings += sign * total.map_or(0, |sale| sale.amounts.total);
    }

    pub(super) fn back_office(&mut self) {
        let (product, store) = self.shelf();
        let to = self.dice.pick(&STORES).filter(|to| *to != store);
        let pieces = self.dice.from_to(1, 6);
        let which = self.dice.below(8);
        let what = [
            "correction",
            "purchase",
            "purchase",
            "shipping",
            "transfer",
            "stocktake",
            "loss",
            "giving away",
        ];
        let what = usize::try_from(which).ok().and_then(|at| what.get(at));
        let text = format!("{what:?}: {pieces} of {product} in store {store}, to {to:?}");
        self.people(
            || text,
            |services| {
                let smaregi = &mut services.smaregi;
                match which {
                    0 => smaregi.correct(product, store, pieces - 3),
                    1 | 2 => smaregi.purchase(product, store, 4 * pieces),
                    3 => smaregi.ship_out(product, store, pieces),
                    4 => to.map_or(Ok(()), |to| smaregi.transfer(product, store, to, pieces)),
                    5 => {
                        let is = smaregi.books().stock_of(product, store);
                        smaregi.stocktake(product, store, is + pieces - 4)
                    }
                    6 => smaregi.loss(product, store, pieces),
                    _ => smaregi.odd_row(product, store, -1, "13"),
                }
            },
        );
    }

    /// Somebody counts in Next Engine: much, so that orders find stock; or little, so that uploads do not.
    pub(super) fn stock_is_counted(&mut self) {
        let Some((product, code, ..)) = self.dice.pick(&GOODS) else {
            return;
        };
        let enough = self.dice.percent(85);
        if !enough {
            // What is held for want of it has its turn once a day, however soon there is more again.
            let now = self.stage.world.now();
            self.ledger.hinder(product, now);
        }
        let free = if enough {
            self.dice.from_to(40, 120)
        } else {
            self.dice.from_to(0, 2)
        };
        self.people(
            || format!("Next Engine's free stock of {code} is set to {free}"),
            |services| {
                let goods = services.next_engine.books().goods.get(code);
                let allocated = goods.map_or(0, |goods| goods.allocated);
                services
                    .next_engine
                    .set_stock(code, allocated + free, "数え直し")
            },
        );
    }
}
