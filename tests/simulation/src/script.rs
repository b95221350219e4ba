//! What happened, as whoever did it knows it: moves at the shelves, which of them should travel, which orders should be refused.
//! What each service's own books tell is not repeated here.

use std::collections::{BTreeMap, BTreeSet};

/// The script of a run, written by the stage.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Pieces that people moved in Smaregi, by product and store.
    pub moved: BTreeMap<(u64, u32), i64>,
    /// Pieces that should reach Next Engine, by code.
    pub travels: BTreeMap<String, i64>,
    /// Slips that must not be booked as things stand.
    pub refused: BTreeSet<u64>,
    /// Money taken at the tills.
    pub takings: i64,
}

impl Script {
    /// Somebody moved pieces.
    pub fn moves(&mut self, product: u64, store: u32, by: i64) {
        *self.moved.entry((product, store)).or_default() += by;
    }

    /// Pieces should travel.
    pub fn travels(&mut self, code: &str, by: i64) {
        *self.travels.entry(code.to_owned()).or_default() += by;
    }
}
