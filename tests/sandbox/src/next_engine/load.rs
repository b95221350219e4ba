//! Filling the books from a neutral shop: goods with their stock, shops, and the past of every order, played in time order.
//! It must go through the same actions as a person, so that stock and movements agree with the orders.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::NextEngine;
use super::books::{Goods, MallShop, Moment, Taxing};
use crate::service::Refused;
use crate::shop::{Fate, Order, Product, ShopData};

/// One moment in an order's past.
enum Event<'a> {
    Placed,
    Fate(&'a Fate),
}

impl NextEngine {
    /// Fills the books: a product's stock is the sum over the linked stores, then the orders are played.
    ///
    /// # Errors
    /// The first event that the books refuse, e.g. shipping what is not in stock.
    pub fn load(&mut self, shop: &ShopData) -> Result<(), Refused> {
        let opened = shop
            .orders
            .iter()
            .map(|order| order.ordered_at)
            .min()
            .unwrap_or_else(|| self.clock.now());
        for mall in &shop.malls {
            let (name, short_name) = (mall.name.clone(), mall.short_name.clone());
            let mall = MallShop {
                id: mall.id,
                name,
                short_name,
                tax: mall.tax,
                taxing: Taxing::default(),
                created: opened,
            };
            self.books.malls.insert(mall.id, mall);
        }
        for product in shop
            .products
            .iter()
            .filter(|product| product.in_next_engine)
        {
            let goods = new_goods(product, &shop.linked_stores, opened);
            self.books.goods.insert(goods.code.clone(), goods);
        }
        let played = self.play(&shop.orders);
        self.replaying = None;
        played
    }

    fn play(&mut self, orders: &[Order]) -> Result<(), Refused> {
        let mut events: Vec<(Moment, &Order, Event<'_>)> = Vec::new();
        for order in orders {
            events.push((order.ordered_at, order, Event::Placed));
            events.extend(
                order
                    .fate
                    .iter()
                    .map(|fate| (fate.at(), order, Event::Fate(fate))),
            );
        }
        // Stable: an order's own events keep their order within one moment.
        events.sort_by_key(|(at, ..)| *at);
        let mut slips = BTreeMap::new();
        for (at, order, event) in events {
            self.replaying = Some(at);
            match event {
                Event::Placed => {
                    slips.insert((order.mall, order.number.as_str()), self.place(order)?);
                }
                Event::Fate(fate) => {
                    let find = |number: &str| slips.get(&(order.mall, number)).copied();
                    let slip = find(&order.number).ok_or_else(|| {
                        Refused::new("an order met its fate before it was placed")
                    })?;
                    match fate {
                        Fate::Shipped(_) => self.ship(slip)?,
                        Fate::Cancelled(_, cancel_type) => self.cancel(slip, *cancel_type)?,
                        Fate::SplitLine(_, line) => self.split(slip, &[*line]).map(|_| ())?,
                        Fate::MergedInto(_, number) => {
                            let into = find(number)
                                .ok_or_else(|| Refused::new(format!("no order {number}")))?;
                            self.merge(slip, into)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// A product of the neutral shop; its stock is the sum over the linked stores.
pub(super) fn new_goods(product: &Product, linked: &[u32], created: Moment) -> Goods {
    let stock = product
        .stock
        .iter()
        .filter(|(store, _)| linked.contains(store))
        .map(|(_, stock)| stock)
        .sum();
    Goods {
        code: product.code.clone(),
        name: product.name.clone(),
        price: product.price,
        cost: product.cost.max(Decimal::ZERO),
        tax_rate: product.tax_rate,
        supplier: String::from("0001"),
        stock,
        allocated: 0,
        defective: 0,
        created,
        modified: None,
        stock_modified: None,
    }
}
