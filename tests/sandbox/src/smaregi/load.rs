//! Filling スマレジ's books with a shop: stores, products, opening stock as purchases of long ago. It must not raise webhooks.

use chrono::TimeDelta;

use super::Smaregi;
use super::books::{Listed, Movement, Product, Store};
use super::till::TILL;
use crate::shop::{self, ShopData};

/// How long before now everything was set up.
const LONG_AGO: TimeDelta = TimeDelta::days(60);
/// 軽減税率 (smaregi.md 5).
const REDUCED: u32 = 10_000_001;

impl Smaregi {
    /// Fills the books.
    pub fn load(&mut self, shop: &ShopData) {
        let at = self.now() - LONG_AGO;
        for store in &shop.stores {
            let row = Store {
                id: store.id,
                code: store.code.clone(),
                name: store.name.clone(),
                warehouse: store.warehouse,
                paused: false,
                closes_itself: false,
                tax_added: false,
                terminals: [TILL].into(),
                created: at,
                modified: at,
            };
            self.books.stores.insert(store.id, row);
        }
        for product in shop.products.iter().filter(|product| product.in_smaregi) {
            self.books.products.insert(
                product.id,
                Listed {
                    product: listed(product),
                    created: at,
                    modified: at,
                },
            );
            for &(store, amount) in product.stock.iter().filter(|(_, amount)| *amount != 0) {
                self.books
                    .apply(Movement::new(product.id, store, amount, "03"), at);
            }
        }
    }
}

fn listed(product: &shop::Product) -> Product {
    Product {
        id: product.id,
        code: product.code.clone(),
        name: product.name.clone(),
        group_code: String::new(),
        category_id: 1,
        price: product.price.try_into().unwrap_or(0),
        cost: product.cost,
        tax_division: 0,
        reduce_tax_id: (product.tax_rate == 8).then_some(REDUCED),
        stock_managed: product.stock_managed,
        kind: super::ProductKind::Normal,
        displayed: true,
        supplier_product_no: String::new(),
    }
}
