//! What stock movements should have travelled by the words of the settings' and stock's documents: each row that people made is sent
//! or kept back as the settings say when it is decided, which may be at any time until the evening. It must not call the guest's rules.

use std::collections::{BTreeMap, BTreeSet};

use tsunagi_guest::settings::{StockSettings, Trigger};
use tsunagi_sandbox::smaregi::Change;

use crate::world::Moment;

/// What decides about rows at one moment.
#[derive(Debug, Clone)]
pub struct Terms {
    /// As set then.
    pub settings: StockSettings,
    /// 連携オン.
    pub on: bool,
    /// Rows before it are never sent.
    pub baseline: Option<Moment>,
    /// Stores chosen later, with when.
    pub chosen: BTreeMap<u32, Moment>,
}

/// A row that people made.
#[derive(Debug, Clone)]
struct Row {
    change: Change,
    /// Outcomes that are possible so far.
    sent: bool,
    kept: bool,
}

/// One product's books.
#[derive(Debug, Clone, Default)]
pub struct Product {
    /// Sent, when all was last well.
    pub base: i64,
    /// Pieces that should have travelled since, row by row.
    exact: Vec<i64>,
    /// Pieces of which the settings changed while they were on their way.
    either: Vec<i64>,
    /// The newest of them: it may be sent later than others, if at all.
    pub either_at: Option<Moment>,
    /// When something was last in the way: no such code, a shared one, too little free stock, a lost upload.
    pub hindered: Option<Moment>,
}

/// All rows.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    undecided: Vec<Row>,
    /// By Smaregi's id.
    pub products: BTreeMap<u64, Product>,
    /// Rows decided, and those of them that were exactly determined.
    pub decided: u64,
    /// See `decided`.
    pub exactly: u64,
}

impl Ledger {
    /// People made these rows.
    pub fn made(&mut self, changes: &[Change]) {
        let row = |change: &Change| Row {
            change: change.clone(),
            sent: false,
            kept: false,
        };
        self.undecided.extend(changes.iter().map(row));
    }

    /// The connector may decide under these terms.
    pub fn may_decide(&mut self, terms: &Terms) {
        for row in self.undecided.iter_mut().filter(|_| terms.on) {
            match travels(&row.change, terms) {
                true => row.sent = true,
                false => row.kept = true,
            }
        }
    }

    /// All is quiet: everything is decided.
    pub fn has_decided(&mut self, terms: &Terms) {
        if !terms.on {
            return;
        }
        self.may_decide(terms);
        for row in std::mem::take(&mut self.undecided) {
            self.decided += 1;
            self.exactly += u64::from(row.sent != row.kept);
            let product = self.products.entry(row.change.product).or_default();
            match (row.sent, row.kept) {
                (true, false) => product.exact.push(row.change.amount),
                (true, true) => {
                    product.either.push(row.change.amount);
                    product.either_at = product.either_at.max(Some(row.change.at));
                }
                _ => {}
            }
        }
    }

    /// What may have been sent of a product if everything that should travel has.
    pub fn complete(&self, id: u64) -> BTreeSet<i64> {
        let Some(product) = self.products.get(&id) else {
            return BTreeSet::from([0]);
        };
        let sum = product.base + product.exact.iter().sum::<i64>();
        with_any(BTreeSet::from([sum]), &in_pieces(&product.either))
    }

    /// What may have been sent of it if anything may wait.
    pub fn reachable(&self, id: u64) -> BTreeSet<i64> {
        let mut product = self.products.get(&id).cloned().unwrap_or_default();
        let rows = self.undecided.iter();
        product.either.extend(
            rows.filter(|row| row.change.product == id)
                .map(|row| row.change.amount),
        );
        let some = with_any(BTreeSet::from([product.base]), &product.exact);
        with_any(some, &in_pieces(&product.either))
    }

    /// Something is in a product's way.
    pub fn hinder(&mut self, id: u64, at: Moment) {
        self.products.entry(id).or_default().hindered = Some(at);
    }

    /// So much was sent, and nothing is open.
    pub fn well(&mut self, id: u64, sent: i64) {
        let product = self.products.entry(id).or_default();
        *product = Product {
            base: sent,
            hindered: product.hindered,
            ..Product::default()
        };
    }
}

/// What was under way when the settings changed may have been met by a row of our own on the other side of the change, of which any
/// number of pieces stands for the same number of it.
fn in_pieces(parts: &[i64]) -> Vec<i64> {
    let pieces = parts
        .iter()
        .flat_map(|part| (0..part.abs()).map(|_| part.signum()));
    pieces.collect()
}

fn with_any(mut sums: BTreeSet<i64>, parts: &[i64]) -> BTreeSet<i64> {
    for part in parts {
        let more: Vec<i64> = sums.iter().map(|sum| sum + part).collect();
        sums.extend(more);
    }
    sums
}

/// Whether a row travels (help page, step 6; `wit/settings.wit`).
fn travels(row: &Change, terms: &Terms) -> bool {
    let since = terms.baseline.max(terms.chosen.get(&row.store).copied());
    let store = row.store.to_string();
    let counts = since.is_none_or(|since| row.at >= since);
    counts
        && terms.settings.stores.contains(&store)
        && trigger(&row.division).is_some_and(|cause| terms.settings.triggers.contains(&cause))
}

/// The cause of a division that people make (smaregi.md 4c).
fn trigger(division: &str) -> Option<Trigger> {
    Some(match division {
        "01" => Trigger::Correction,
        "02" | "12" => Trigger::Sale,
        "03" => Trigger::Purchase,
        "04" => Trigger::Issue,
        "05" => Trigger::Receipt,
        "08" => Trigger::Stocktake,
        "10" => Trigger::Shipment,
        "13" | "14" => Trigger::Loss,
        _ => return None,
    })
}
