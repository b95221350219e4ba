//! Our own doing in Smaregi's stock, so that it does not travel back to Next Engine. Sends nothing and registers nothing.
//!
//! A history row names no transaction, and needs not: rows of one product, store and kind are interchangeable. Each sale we
//! register (or undo) opens an entry of product, store and quantity; rows of that kind consume it, in whole or in part, before
//! anything is sent (`sync::stock`). What kind of row that is, and whether there is one at all, is not documented: the first
//! registrations are looked at, and the answer is recorded. Until then, and while an outcome is unknown, rows that could be
//! ours wait.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    smaregi::changes::{self, Change},
    sync::{
        smaregi_session::Smaregi,
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

/// What we do to transactions that may move the selling store's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 取引登録
    Sale,
    /// 取消
    Cancel,
    /// 返品取消
    Dispose,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Sale, Self::Cancel, Self::Dispose];

    fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Cancel => "cancel",
            Self::Dispose => "dispose",
        }
    }
}

/// What a [`Kind`] does to the selling store's stock, as seen in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It moves the pieces and writes rows of this division.
    Moves {
        /// `stockDivision`
        division: String,
    },
    /// It leaves stock alone.
    Nothing,
}

/// Pieces of one product in one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// 商品ID
    pub product_id: String,
    /// 店舗ID
    pub store_id: String,
    /// Signed: negative for a sale, positive for undoing one.
    pub quantity: i64,
}

/// An entry of ours, waiting for its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was done.
    pub kind: Kind,
    /// Signed pieces that no row has consumed yet.
    pub remaining: i64,
    /// False while the outcome is unknown.
    pub due: bool,
}

/// A look at the history around one effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    kind: Kind,
    piece: Piece,
    /// Newest row before the effect; absent when the pair had no history.
    before: Option<String>,
    /// When the first look found nothing.
    looked_at: Option<Moment>,
}

impl Look {
    /// When it is to be finished; `None` means now.
    fn due_at(&self) -> Option<Moment> {
        self.looked_at
            .map(|at| at + chrono::TimeDelta::seconds(SECOND_LOOK_SECONDS))
    }
}

/// After this a row that has not appeared is taken not to come (assumed: the history is written with the transaction).
const SECOND_LOOK_SECONDS: i64 = 60;
const LOOK_ROWS: u32 = 100;

fn effect_key(kind: Kind) -> String {
    format!("own-effect/{}", kind.name())
}

fn look_key(kind: Kind) -> String {
    format!("own-look/{}", kind.name())
}

/// Prefix of a store's entries.
pub fn store_prefix(store_id: &str) -> String {
    format!("own/{store_id}/")
}

/// Prefix of the entries of a store's product.
pub fn prefix(store_id: &str, product_id: &str) -> String {
    format!("{}{product_id}/", store_prefix(store_id))
}

fn entry_key(work: &str, kind: Kind, store_id: &str, product_id: &str) -> String {
    format!("{}{work}/{}", prefix(store_id, product_id), kind.name())
}

fn totals(pieces: &[Piece]) -> BTreeMap<(&str, &str), i64> {
    let mut totals = BTreeMap::new();
    for piece in pieces {
        let sum: &mut i64 = totals
            .entry((piece.store_id.as_str(), piece.product_id.as_str()))
            .or_default();
        *sum = sum.saturating_add(piece.quantity);
    }
    totals
}

fn write(
    mut commit: Commit,
    work: &str,
    kind: Kind,
    pieces: &[Piece],
    due: bool,
) -> Result<Commit> {
    for ((store_id, product_id), remaining) in totals(pieces) {
        commit = commit.put(
            &entry_key(work, kind, store_id, product_id),
            &Entry {
                kind,
                remaining,
                due,
            },
        )?;
    }
    Ok(commit)
}

/// In the intent's commit: rows that could be these pieces wait from now on.
pub fn open(commit: Commit, work: &str, kind: Kind, pieces: &[Piece]) -> Result<Commit> {
    write(commit, work, kind, pieces, false)
}

/// In the settling commit: it happened, its rows are due.
pub fn settle(commit: Commit, work: &str, kind: Kind, pieces: &[Piece]) -> Result<Commit> {
    write(commit, work, kind, pieces, true)
}

/// It certainly did not happen.
pub fn drop(mut commit: Commit, work: &str, kind: Kind, pieces: &[Piece]) -> Commit {
    for (store_id, product_id) in totals(pieces).into_keys() {
        commit = commit.delete(&entry_key(work, kind, store_id, product_id));
    }
    commit
}

/// What is known of a kind's effect; `None` before the first look.
pub fn effect(tenant: &Tenant<'_>, kind: Kind) -> Result<Option<Effect>> {
    Ok(store::read::<Effect>(&tenant.ports, &effect_key(kind))?.map(|stored| stored.value))
}

/// All that is known, for deciding rows.
pub fn effects(tenant: &Tenant<'_>) -> Result<BTreeMap<Kind, Effect>> {
    let keys = Kind::ALL.map(effect_key);
    let stored = store::read_all::<Effect>(&tenant.ports, &keys)?;
    Ok(Kind::ALL
        .into_iter()
        .zip(stored)
        .filter_map(|(kind, stored)| Some((kind, stored?.value)))
        .collect())
}

/// Memo of a stock move that we make ourselves: names the slip for people, and marks the row as ours.
pub fn mark(slip: &str, revision: u32, number: usize) -> String {
    format!("{MARK}{slip}-{revision}-{number}")
}

const MARK: &str = "tsunagi NE";

/// Whether a memo is one of our marks.
pub fn is_mark(memo: &str) -> bool {
    memo.starts_with(MARK)
}

/// Notes a history id that an answer gave for a move of ours, in case the memo is not shown.
pub fn moved(commit: Commit, history_id: &str) -> Result<Commit> {
    commit.put(&moved_key(history_id), &true)
}

/// Where [`moved`] notes an id.
pub fn moved_key(history_id: &str) -> String {
    format!("own-id/{history_id}")
}

/// Reads the newest row before an effect. `None` when the effect is known, or being looked at already.
pub async fn begin_look(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    kind: Kind,
    piece: &Piece,
) -> Result<Option<Look>> {
    let known = effect(tenant, kind)?.is_some()
        || store::read::<Look>(&tenant.ports, &look_key(kind))?.is_some();
    if known || piece.quantity == 0 {
        return Ok(None);
    }
    let before = newest(session, piece)
        .await?
        .into_iter()
        .map(|change| change.id)
        .next();
    Ok(Some(Look {
        kind,
        piece: piece.clone(),
        before,
        looked_at: None,
    }))
}

/// Whether another kind's effect is being looked at on one of these pieces: a row of ours would be taken for its.
pub fn would_disturb(tenant: &Tenant<'_>, kind: Kind, pieces: &[Piece]) -> Result<bool> {
    let looks = store::list::<Look>(&tenant.ports, "own-look/", 10)?;
    let same = |look: &Look, piece: &Piece| {
        let place =
            look.piece.product_id == piece.product_id && look.piece.store_id == piece.store_id;
        place && look.piece.quantity.signum() == piece.quantity.signum()
    };
    let other = looks
        .iter()
        .map(|look| &look.value)
        .filter(|look| look.kind != kind);
    Ok(other
        .into_iter()
        .any(|look| pieces.iter().any(|piece| same(look, piece))))
}

/// In the settling commit: the effect happened, so its look can be finished, by whoever comes first.
pub fn keep_look(commit: Commit, look: &Look) -> Result<Commit> {
    commit.put(&look_key(look.kind), look)
}

/// Finishes looks whose effect has happened. One that finds nothing is repeated after a minute; still nothing means that the
/// effect is none.
pub async fn pending_looks(session: &Smaregi<'_>, tenant: &Tenant<'_>) -> Result<()> {
    for stored in store::list::<Look>(&tenant.ports, "own-look/", 10)? {
        let look = stored.value;
        if look.due_at().is_some_and(|due| due > tenant.now()) {
            continue;
        }
        match judge(&look, &newest(session, &look.piece).await?) {
            Finding::Moved(division) => learn(tenant, look.kind, &Effect::Moves { division })?,
            Finding::Nothing if look.looked_at.is_some() => {
                learn(tenant, look.kind, &Effect::Nothing)?
            }
            Finding::Nothing => {
                let looked = Look {
                    looked_at: Some(tenant.now()),
                    ..look
                };
                keep_look(Commit::new(), &looked)?.apply(&tenant.ports)?
            }
            Finding::Unclear => Commit::new()
                .delete(&look_key(look.kind))
                .apply(&tenant.ports)?,
        }
    }
    Ok(())
}

/// When the earliest pending look is due; `None` without one.
pub fn next_look(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let looks = store::list::<Look>(&tenant.ports, "own-look/", 10)?;
    let now = tenant.now();
    let due = looks
        .into_iter()
        .map(|stored| stored.value.due_at().unwrap_or(now));
    Ok(due.min())
}

async fn newest(session: &Smaregi<'_>, piece: &Piece) -> Result<Vec<Change>> {
    let answer = session
        .send(&changes::newest(
            &piece.product_id,
            &piece.store_id,
            1,
            LOOK_ROWS,
        ))
        .await?;
    Ok(changes::decode(&answer).into_iter().flatten().collect())
}

fn learn(tenant: &Tenant<'_>, kind: Kind, effect: &Effect) -> Result<()> {
    Commit::new()
        .put(&effect_key(kind), effect)?
        .delete(&look_key(kind))
        .apply(&tenant.ports)
}

#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Moved(String),
    Nothing,
    /// Rows of several divisions fit; another effect will tell.
    Unclear,
}

fn judge(look: &Look, changes: &[Change]) -> Finding {
    let wanted = rust_decimal::Decimal::from(look.piece.quantity);
    let mut divisions: Vec<&str> = changes
        .iter()
        .filter(|change| {
            look.before
                .as_deref()
                .is_none_or(|before| is_newer(&change.id, before))
        })
        .filter(|change| change.amount == wanted && !change.memo.as_deref().is_some_and(is_mark))
        .map(|change| change.division.as_str())
        .collect();
    divisions.sort_unstable();
    divisions.dedup();
    match divisions.as_slice() {
        [] => Finding::Nothing,
        [division] => Finding::Moved((*division).to_owned()),
        _ => Finding::Unclear,
    }
}

/// Whether history id `id` came after `other`: ids are numbers that grow (assumed), compared as such whatever their length.
pub fn is_newer(id: &str, other: &str) -> bool {
    (id.len(), id) > (other.len(), other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    fn change(id: &str, amount: i64, division: &str, memo: Option<&str>) -> Change {
        Change {
            id: id.to_owned(),
            product_id: "1".to_owned(),
            store_id: "1".to_owned(),
            amount: Decimal::from(amount),
            stock_amount: None,
            division: division.to_owned(),
            memo: memo.map(str::to_owned),
            updated_at: crate::time::from_unix(0, 0).unwrap(),
        }
    }

    fn look() -> Look {
        let piece = Piece {
            product_id: "1".to_owned(),
            store_id: "1".to_owned(),
            quantity: -2,
        };
        Look {
            kind: Kind::Sale,
            piece,
            before: Some("9".to_owned()),
            looked_at: None,
        }
    }

    #[test]
    fn learns_only_from_what_fits() {
        let moved = Finding::Moved("02".to_owned());
        for (rows, expected) in [
            (vec![], Finding::Nothing),
            (vec![change("10", -2, "02", None)], moved),
            (vec![change("9", -2, "02", None)], Finding::Nothing),
            (vec![change("10", -3, "02", None)], Finding::Nothing),
            (
                vec![change("10", -2, "15", Some("tsunagi NE1-0-0"))],
                Finding::Nothing,
            ),
            (
                vec![change("11", -2, "15", None), change("10", -2, "02", None)],
                Finding::Unclear,
            ),
        ] {
            assert_eq!(judge(&look(), &rows), expected, "{rows:?}");
        }
    }

    #[test]
    fn ids_are_compared_as_numbers() {
        assert!(is_newer("10", "9") && !is_newer("9", "10") && !is_newer("9", "9"));
    }
}
