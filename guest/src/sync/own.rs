//! Our own doing in Smaregi's stock, so that it does not travel back to Next Engine. Sends nothing and registers nothing.
//!
//! A history row names no transaction, and needs not: rows of one product, store and kind are interchangeable. Each sale we
//! register (or undo) opens an entry of product, store and quantity; rows of that kind consume it, in whole or in part, before
//! anything is sent (`sync::stock`). What kind of row that is, and whether there is one at all, is not documented: [`look`] finds
//! out. Until then, and while an outcome is unknown, rows that could be ours wait.
//!
//! | key | what |
//! | --- | --- |
//! | `own/<store>/<product>/work/<work>/<kind>` | [`Entry`] of one effect |
//! | `own/<store>/<product>/sum/<kind>/<day>` | [`Entry`] that sums settled ones of a day, so that a place keeps few |
//! | `own-effect/<kind>` | [`Effect`] |
//! | `own-id/<history id>` | `true`: a move of ours |

pub mod look;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    sync::{
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::{self, Moment},
};

pub use look::{next_look, pending_looks, would_disturb};

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
    /// Not sold itself, but drawn on by what is (在庫引当): its rows have a division of their own.
    #[serde(default)]
    pub drawn: bool,
}

/// An entry of ours, waiting for its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was done.
    pub kind: Kind,
    /// Signed pieces that no row has consumed yet.
    pub remaining: i64,
    /// See [`Piece::drawn`].
    #[serde(default)]
    pub drawn: bool,
    /// When it was known to have happened, in a sum the latest time; `None` while the outcome is unknown.
    pub due: Option<Moment>,
    /// When it was begun, in a sum the earliest time.
    pub begun: Moment,
}

/// Clocks may differ by less than this (assumed).
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);
/// A row is written with its transaction (assumed); whatever is written this long after the settlement is somebody else's.
const ROWS_COME_WITHIN: TimeDelta = TimeDelta::days(1);
/// Settled entries of a place that are left single; more are summed up.
const MOST_SINGLE: usize = 16;
/// Entries summed up in one commit, each a check and a write.
const SUMMED_AT_ONCE: usize = 400;

impl Entry {
    /// Rows written later are not its rows; `None` while its time is not known.
    pub fn until(&self) -> Option<Moment> {
        self.due.map(|due| due + ROWS_COME_WITHIN)
    }

    /// Rows written earlier are not its rows.
    pub fn from(&self) -> Moment {
        self.begun - CLOCKS_DIFFER
    }
}

fn effect_key(kind: Kind) -> String {
    format!("own-effect/{}", kind.name())
}

/// Prefix of every entry.
pub const ENTRIES: &str = "own/";

/// Prefix of the entries of a store's product.
pub fn prefix(store_id: &str, product_id: &str) -> String {
    format!("{ENTRIES}{store_id}/{product_id}/")
}

/// Store and product of an entry's key.
pub fn place_of(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.strip_prefix(ENTRIES)?.split('/');
    parts.next().zip(parts.next())
}

fn entry_key(work: &str, kind: Kind, (store_id, product_id, drawn): Place<'_>) -> String {
    format!(
        "{}work/{work}/{}",
        prefix(store_id, product_id),
        entry_name(kind, drawn)
    )
}

fn entry_name(kind: Kind, drawn: bool) -> String {
    let drawn = if drawn { "-drawn" } else { "" };
    format!("{}{drawn}", kind.name())
}

/// Store and product of pieces, and whether they are drawn on.
type Place<'a> = (&'a str, &'a str, bool);

fn totals(pieces: &[Piece]) -> BTreeMap<Place<'_>, i64> {
    let mut totals = BTreeMap::new();
    for piece in pieces {
        let sum: &mut i64 = totals
            .entry((
                piece.store_id.as_str(),
                piece.product_id.as_str(),
                piece.drawn,
            ))
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
    begun: Moment,
    due: Option<Moment>,
) -> Result<Commit> {
    for (place, remaining) in totals(pieces) {
        let entry = Entry {
            kind,
            remaining,
            drawn: place.2,
            due,
            begun,
        };
        commit = commit.put(&entry_key(work, kind, place), &entry)?;
    }
    Ok(commit)
}

/// In the intent's commit: rows that could be these pieces wait from now on.
pub fn open(
    commit: Commit,
    work: &str,
    kind: Kind,
    pieces: &[Piece],
    begun: Moment,
) -> Result<Commit> {
    write(commit, work, kind, pieces, begun, None)
}

/// In the settling commit: it happened between the two times, its rows are due; none are where the kind is known to leave stock alone.
pub fn settle(
    commit: Commit,
    work: &str,
    kind: Kind,
    pieces: &[Piece],
    (begun, at): (Moment, Moment),
    effect: Option<&Effect>,
) -> Result<Commit> {
    match effect {
        Some(Effect::Nothing) => Ok(delete(commit, work, kind, pieces)),
        _ => write(commit, work, kind, pieces, begun, Some(at)),
    }
}

/// It certainly did not happen.
pub fn drop(commit: Commit, work: &str, kind: Kind, pieces: &[Piece]) -> Commit {
    look::forget(delete(commit, work, kind, pieces), kind, work)
}

fn delete(mut commit: Commit, work: &str, kind: Kind, pieces: &[Piece]) -> Commit {
    for place in totals(pieces).into_keys() {
        commit = commit.delete(&entry_key(work, kind, place));
    }
    commit
}

/// The entries of a place: those whose outcome is open, and few settled ones, because many are summed up first.
pub fn entries(
    tenant: &Tenant<'_>,
    store_id: &str,
    product_id: &str,
) -> Result<Vec<Stored<Entry>>> {
    let place = prefix(store_id, product_id);
    loop {
        let entries: Vec<Stored<Entry>> = store::list_all(&tenant.ports, &place)?;
        let singles = format!("{place}work/");
        let settled: Vec<&Stored<Entry>> = entries
            .iter()
            .filter(|entry| entry.value.due.is_some() && entry.key.starts_with(&singles))
            .take(SUMMED_AT_ONCE)
            .collect();
        if settled.len() <= MOST_SINGLE {
            return Ok(entries);
        }
        // Somebody else may have summed them up at the same time; then they are read anew.
        sum_up(&place, &settled, &entries)?.try_apply(&tenant.ports)?;
    }
}

fn sum_up(place: &str, settled: &[&Stored<Entry>], all: &[Stored<Entry>]) -> Result<Commit> {
    let mut commit = Commit::new();
    let mut sums: BTreeMap<String, Entry> = BTreeMap::new();
    for entry in settled {
        commit = commit.check(&entry.key, Some(*entry)).delete(&entry.key);
        let day = entry.value.due.map(time::day).unwrap_or_default();
        let name = entry_name(entry.value.kind, entry.value.drawn);
        let key = format!("{place}sum/{name}/{day}");
        let stored = all.iter().find(|stored| stored.key == key);
        let sum = sums.entry(key).or_insert_with(|| {
            stored.map_or_else(
                || Entry {
                    remaining: 0,
                    ..entry.value.clone()
                },
                |stored| stored.value.clone(),
            )
        });
        sum.remaining = sum.remaining.saturating_add(entry.value.remaining);
        sum.due = sum.due.max(entry.value.due);
        sum.begun = sum.begun.min(entry.value.begun);
    }
    for (key, sum) in sums {
        let stored = all.iter().find(|stored| stored.key == key);
        commit = commit.check(&key, stored).put(&key, &sum)?;
    }
    Ok(commit)
}

/// When the oldest entry of a place became due, however many there are; `None` without one.
pub fn earliest(tenant: &Tenant<'_>, store_id: &str, product_id: &str) -> Result<Option<Moment>> {
    let entries = entries(tenant, store_id, product_id)?;
    let times = entries.into_iter().map(|entry| entry.value.due);
    Ok(times.map(|due| due.unwrap_or_else(|| tenant.now())).min())
}

/// Gives up the entries of a place whose rows did not come, although all its rows are decided: they must not swallow somebody
/// else's. Then what is known of their kinds is wrong, or no longer true, and is found out again. Returns what was given up.
pub fn give_up(tenant: &Tenant<'_>, store_id: &str, product_id: &str) -> Result<i64> {
    let known = effects(tenant)?;
    let mut commit = Commit::new();
    let mut pieces = 0_i64;
    for entry in entries(tenant, store_id, product_id)? {
        if entry
            .value
            .until()
            .is_none_or(|until| until >= tenant.now())
        {
            continue;
        }
        commit = commit.check(&entry.key, Some(&entry)).delete(&entry.key);
        // What a product draws on says nothing of the kind: that its rows have division 16 is assumed.
        let tells = !entry.value.drawn;
        if tells && matches!(known.get(&entry.value.kind), Some(Effect::Moves { .. })) {
            pieces = pieces.saturating_add(entry.value.remaining);
            commit = look::ask_again(
                commit.delete(&effect_key(entry.value.kind)),
                entry.value.kind,
            );
        }
    }
    let given_up = commit.is_empty() || commit.try_apply(&tenant.ports)?;
    Ok(if given_up { pieces } else { 0 })
}

/// Places whose entries are overdue, at most so many: worth a look even when nothing moves there.
pub fn overdue(tenant: &Tenant<'_>, most: usize) -> Result<Vec<(String, String)>> {
    let entries: Vec<Stored<Entry>> = store::list(&tenant.ports, ENTRIES, 1_000)?;
    let mut places: Vec<(String, String)> = entries
        .iter()
        .filter(|entry| {
            entry
                .value
                .until()
                .is_some_and(|until| until < tenant.now())
        })
        .filter_map(|entry| place_of(&entry.key))
        .map(|(store_id, product_id)| (store_id.to_owned(), product_id.to_owned()))
        .collect();
    places.dedup();
    places.truncate(most);
    Ok(places)
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

/// Whether it is the [`mark`] of any move of this revision of a slip.
pub fn is_mark_of(memo: &str, slip: &str, revision: u32) -> bool {
    let number = memo
        .strip_prefix(MARK)
        .and_then(|rest| rest.strip_prefix(slip))
        .and_then(|rest| rest.strip_prefix(&format!("-{revision}-")));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
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

/// Whether history id `id` came after `other`: ids are numbers that grow (assumed), compared as such whatever their length.
pub fn is_newer(id: &str, other: &str) -> bool {
    (id.len(), id) > (other.len(), other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::Script;

    fn pieces(quantity: i64) -> [Piece; 1] {
        [Piece {
            product_id: "8".to_owned(),
            store_id: "1".to_owned(),
            quantity,
            drawn: false,
        }]
    }

    fn settled(script: &Script, work: usize) {
        let at = script.now.get();
        let work = format!("{work}-0");
        settle(
            Commit::new(),
            &work,
            Kind::Sale,
            &pieces(-1),
            (at, at),
            None,
        )
        .unwrap()
        .apply(&script.ports())
        .unwrap();
    }

    #[test]
    fn ids_are_compared_as_numbers() {
        assert!(is_newer("10", "9") && !is_newer("9", "10") && !is_newer("9", "9"));
    }

    #[test]
    fn a_move_of_ours_is_known_by_its_mark_or_by_its_id() {
        assert!(is_mark(&mark("1001", 1, 2)));
        assert_ne!(mark("1001", 1, 2), mark("1001", 1, 3));
        let ours = mark("1001", 1, 23);
        assert!(is_mark_of(&ours, "1001", 1));
        for (slip, revision) in [("100", 1), ("1001", 2), ("10011", 23), ("1001", 12)] {
            assert!(!is_mark_of(&ours, slip, revision), "{slip} {revision}");
        }
        assert!(!is_mark_of("tsunagi NE1001-1-", "1001", 1));
        assert!(!is_mark("棚卸") && !is_mark("") && !is_mark("tsunagi-1a-7"));
        let script = Script::new();
        let noted = moved(Commit::new(), "77").unwrap();
        noted.apply(&script.ports()).unwrap();
        for (id, ours) in [("77", true), ("78", false)] {
            let noted = store::read::<bool>(&script.ports(), &moved_key(id)).unwrap();
            assert_eq!(noted.is_some(), ours);
        }
    }

    #[test]
    fn what_moves_no_stock_or_did_not_happen_leaves_no_entry() {
        let script = Script::new();
        let at = script.now.get();
        let apply = |commit: Commit| commit.apply(&script.ports()).unwrap();
        let left = || entries(&script.tenant(), "1", "8").unwrap().len();
        let earliest = || earliest(&script.tenant(), "1", "8").unwrap();
        assert_eq!((left(), earliest()), (0, None));
        apply(open(Commit::new(), "1-0", Kind::Sale, &pieces(-1), at).unwrap());
        assert_eq!((left(), earliest()), (1, Some(at)));
        let (sale, took) = (pieces(-1), (at, at));
        let nothing = Some(&Effect::Nothing);
        apply(settle(Commit::new(), "1-0", Kind::Sale, &sale, took, nothing).unwrap());
        assert_eq!(left(), 0);
        apply(open(Commit::new(), "1-0", Kind::Sale, &sale, at).unwrap());
        apply(drop(Commit::new(), "1-0", Kind::Sale, &sale));
        assert_eq!(left(), 0);
        settled(&script, 1);
        script.now.set(at + TimeDelta::hours(1));
        settled(&script, 2);
        assert_eq!(earliest(), Some(at), "the oldest of them");
    }

    #[test]
    fn however_many_are_settled_a_place_keeps_few_entries_and_every_piece() {
        let script = Script::new();
        for work in 0..1_500 {
            settled(&script, work);
        }
        script.now.set(script.now.get() + TimeDelta::days(1));
        settled(&script, 1_500);
        let begun = script.now.get();
        let open = open(Commit::new(), "other-0", Kind::Sale, &pieces(-5), begun).unwrap();
        open.apply(&script.ports()).unwrap();
        let tenant = script.tenant();
        let left = entries(&tenant, "1", "8").unwrap();
        assert!(left.len() <= MOST_SINGLE + 2, "{}", left.len());
        let (open, due): (Vec<_>, Vec<_>) =
            left.iter().partition(|entry| entry.value.due.is_none());
        assert_eq!(open.len(), 1);
        assert_eq!(
            due.iter().map(|entry| entry.value.remaining).sum::<i64>(),
            -1_501
        );
    }

    #[test]
    fn rows_that_do_not_come_ask_the_question_again() {
        let script = Script::new();
        settled(&script, 1);
        let tenant = script.tenant();
        let moves = Effect::Moves {
            division: "02".to_owned(),
        };
        let known = Commit::new().put(&effect_key(Kind::Sale), &moves).unwrap();
        known.apply(&script.ports()).unwrap();
        assert_eq!(give_up(&tenant, "1", "8").unwrap(), 0);
        script.now.set(script.now.get() + TimeDelta::hours(24));
        assert!(overdue(&tenant, 5).unwrap().is_empty());
        assert_eq!(give_up(&tenant, "1", "8").unwrap(), 0);
        script.now.set(script.now.get() + TimeDelta::hours(1));
        assert_eq!(
            overdue(&tenant, 5).unwrap(),
            [("1".to_owned(), "8".to_owned())]
        );
        assert_eq!(give_up(&tenant, "1", "8").unwrap(), -1);
        assert_eq!(effect(&tenant, Kind::Sale).unwrap(), None);
        assert!(entries(&tenant, "1", "8").unwrap().is_empty());
    }

    #[test]
    fn what_was_not_known_to_have_rows_or_is_only_drawn_on_tells_nothing_by_their_absence() {
        let moves = Effect::Moves {
            division: "02".to_owned(),
        };
        for (drawn, known) in [(false, false), (true, true), (true, false)] {
            let script = Script::new();
            let at = script.now.get();
            let [mut piece] = pieces(-1);
            piece.drawn = drawn;
            let commit = Commit::new();
            let mut commit = settle(commit, "1-0", Kind::Sale, &[piece], (at, at), None).unwrap();
            if known {
                commit = commit.put(&effect_key(Kind::Sale), &moves).unwrap();
            }
            commit.apply(&script.ports()).unwrap();
            script.now.set(at + TimeDelta::hours(25));
            let tenant = script.tenant();
            assert_eq!(give_up(&tenant, "1", "8").unwrap(), 0, "{drawn} {known}");
            assert!(entries(&tenant, "1", "8").unwrap().is_empty());
            assert_eq!(effect(&tenant, Kind::Sale).unwrap().is_some(), known);
        }
    }
}
