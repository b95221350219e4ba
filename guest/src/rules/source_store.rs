//! 在庫移動元店舗: which pieces a sale should move, which it moves by itself, and what is left for us to move. Moves nothing.
//!
//! A product with 在庫引当 takes pieces of other products along; they leave the same store as it does, also where a source store is
//! set, and one step deep only (assumed: what those products draw on themselves is not documented to move).
//!
//! A Smaregi transaction can only move the stock of the store that sells (smaregi.md 2). The goods leave the source store where
//! one is set, so the difference between what should move and what the transaction moves is made up by stock moves of ours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::{product::Draw, sale::Sale};

/// Pieces of one product entering (positive) or leaving (negative) one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// 商品ID
    pub product_id: String,
    /// 店舗ID
    pub store_id: String,
    /// Signed pieces, never zero.
    pub quantity: i64,
}

/// What the sale takes from the store that sells it, if Smaregi moves stock for it.
pub fn by_selling_store(sale: &Sale) -> Vec<Shift> {
    leaving(sale, &sale.store_id)
}

/// Of that, what is sold itself, and what it draws on: Smaregi writes them as different rows (smaregi.md 4c, 02 and 16).
pub fn sold_and_drawn(sale: &Sale) -> (Vec<Shift>, Vec<Shift>) {
    let store_id = &sale.store_id;
    (sum_of(sold(sale), store_id), sum_of(drawn(sale), store_id))
}

/// What should leave which store.
pub fn wanted(sale: &Sale) -> Vec<Shift> {
    leaving(
        sale,
        sale.source_store_id.as_deref().unwrap_or(&sale.store_id),
    )
}

/// The way back.
pub fn reversed(shifts: &[Shift]) -> Vec<Shift> {
    let back = |shift: &Shift| Shift {
        quantity: shift.quantity.saturating_neg(),
        ..shift.clone()
    };
    shifts.iter().map(back).collect()
}

/// What is still to be moved when `moved` has been and `wanted` should be; by product and store, nothing of zero.
pub fn remaining(wanted: &[Shift], moved: &[Shift]) -> Vec<Shift> {
    let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for (shift, sign) in wanted
        .iter()
        .map(|shift| (shift, 1))
        .chain(moved.iter().map(|shift| (shift, -1)))
    {
        let sum = sums
            .entry((&shift.product_id, &shift.store_id))
            .or_default();
        *sum = sum.saturating_add(shift.quantity.saturating_mul(sign));
    }
    shifts(sums)
}

fn leaving(sale: &Sale, store_id: &str) -> Vec<Shift> {
    sum_of(sold(sale).chain(drawn(sale)), store_id)
}

fn sold(sale: &Sale) -> impl Iterator<Item = (&str, i64)> {
    let managed = sale.lines.iter().filter(|line| line.stock_managed);
    managed.map(|line| (line.product_id.as_str(), line.quantity))
}

fn drawn(sale: &Sale) -> impl Iterator<Item = (&str, i64)> {
    sale.lines.iter().flat_map(|line| {
        let pieces = |draw: &Draw| draw.pieces.saturating_mul(line.quantity);
        line.draws_on
            .iter()
            .map(move |draw| (draw.product_id.as_str(), pieces(draw)))
    })
}

fn sum_of<'a>(pieces: impl Iterator<Item = (&'a str, i64)>, store_id: &str) -> Vec<Shift> {
    let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for (product_id, quantity) in pieces {
        let sum = sums.entry((product_id, store_id)).or_default();
        *sum = sum.saturating_sub(quantity);
    }
    shifts(sums)
}

fn shifts(sums: BTreeMap<(&str, &str), i64>) -> Vec<Shift> {
    let shift = |((product, store), quantity): ((&str, &str), i64)| Shift {
        product_id: product.to_owned(),
        store_id: store.to_owned(),
        quantity,
    };
    sums.into_iter()
        .filter(|(_, quantity)| *quantity != 0)
        .map(shift)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::samples;

    fn sale(source: Option<&str>) -> Sale {
        let mut store = samples::store();
        store.source_store_id = source.map(str::to_owned);
        samples::sale(&samples::order("1"), &store)
    }

    fn shift(product: &str, store: &str, quantity: i64) -> Shift {
        Shift {
            product_id: product.to_owned(),
            store_id: store.to_owned(),
            quantity,
        }
    }

    #[test]
    fn a_sale_that_moves_its_own_stock_leaves_nothing_to_do() {
        let sale = sale(None);
        assert_eq!(remaining(&wanted(&sale), &by_selling_store(&sale)), []);
        assert_eq!(
            remaining(&wanted(&sale), &[]),
            [shift("A", "10", -2), shift("B", "10", -1)]
        );
    }

    #[test]
    fn a_source_store_gives_what_the_selling_store_gets_back() {
        let sale = sale(Some("20"));
        let moves = remaining(&wanted(&sale), &by_selling_store(&sale));
        assert_eq!(
            moves,
            [
                shift("A", "10", 2),
                shift("A", "20", -2),
                shift("B", "10", 1),
                shift("B", "20", -1)
            ]
        );
        assert_eq!(
            remaining(
                &reversed(&wanted(&sale)),
                &reversed(&by_selling_store(&sale))
            ),
            reversed(&moves)
        );
    }

    #[test]
    fn what_a_product_draws_on_goes_the_same_way() {
        let mut sale = sale(Some("20"));
        sale.lines[0].draws_on = vec![
            Draw {
                product_id: "C".to_owned(),
                pieces: 3,
            },
            Draw {
                product_id: "B".to_owned(),
                pieces: 1,
            },
        ];
        let (sold, drawn) = sold_and_drawn(&sale);
        assert_eq!(sold, [shift("A", "10", -2), shift("B", "10", -1)]);
        assert_eq!(drawn, [shift("B", "10", -2), shift("C", "10", -6)]);
        assert_eq!(
            wanted(&sale),
            [
                shift("A", "20", -2),
                shift("B", "20", -3),
                shift("C", "20", -6)
            ]
        );
        assert_eq!(remaining(&wanted(&sale), &by_selling_store(&sale)).len(), 6);
    }
}
