//! Finding out what a kind of effect does to stock, by reading the history of a few pieces before and after it. Decides no row.
//!
//! A look can be deceived by a sale at the till. One that saw its row within a minute, for each piece it looks at, is believed at
//! once, since stock of ours waits for the answer; a later one, and one that saw nothing, only when two places agree, or one place
//! four times, or when no second effect happens for ten minutes. What is believed wrongly shows itself: rows do not come, and the
//! question is asked again (`own::give_up`).
//!
//! | key | what |
//! | --- | --- |
//! | `own-look/<kind>/<work>` | [`Look`] around one effect, written with its intent |
//! | `own-evidence/<kind>` | what was seen so far |

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Effect, Entry, Kind, Piece, effect, effect_key, entry_key, is_mark, is_newer};
use crate::{
    error::{Error, Result},
    smaregi::changes::{self, Change, Unreadable},
    sync::{
        smaregi_session::Smaregi,
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// After this a row that has not appeared is taken not to come (assumed: the history is written with the transaction).
const SECOND_LOOK: TimeDelta = TimeDelta::seconds(60);
/// A look this short is hardly met by a sale at the till.
const CLOSE: TimeDelta = TimeDelta::seconds(60);
/// A look whose effect was never begun is given up after this.
const LONGEST: TimeDelta = TimeDelta::hours(1);
/// So long a second place is waited for.
const ALONE: TimeDelta = TimeDelta::minutes(10);
/// Places, or effects at one place, that have to agree.
const PLACES: usize = 2;
const EFFECTS: usize = 4;
/// Pieces of one effect that are looked at, and effects of a kind at one time: each piece costs two reads.
const PIECES: usize = 2;
const AT_ONCE: usize = 2;
const ROWS: u32 = 100;
/// Smaregi's clock may differ from ours by less (assumed).
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(10);
const LOOKS: &str = "own-look/";

/// A look at the history around one effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    kind: Kind,
    work: String,
    /// When its first row was read.
    since: Moment,
    /// The effect's intent is stored.
    begun: bool,
    spots: Vec<Spot>,
}

/// One piece that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Spot {
    piece: Piece,
    /// Newest row before the effect; absent when the place had no history.
    before: Option<String>,
    /// When a look found nothing.
    nothing_at: Option<Moment>,
}

/// What looks agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Evidence {
    effect: Effect,
    places: BTreeSet<(String, String)>,
    works: BTreeSet<String>,
    since: Moment,
}

impl Evidence {
    fn is_enough(&self) -> bool {
        self.places.len() >= PLACES || self.works.len() >= EFFECTS
    }

    /// When it is believed although nothing else was seen.
    fn alone_at(&self) -> Moment {
        self.since + ALONE
    }
}

fn key(kind: Kind, work: &str) -> String {
    format!("{LOOKS}{}/{work}", kind.name())
}

fn evidence_key(kind: Kind) -> String {
    format!("own-evidence/{}", kind.name())
}

fn looks(tenant: &Tenant<'_>) -> Result<Vec<Stored<Look>>> {
    store::list(&tenant.ports, LOOKS, 50)
}

/// Reads the newest rows before an effect. `None` when the effect is known, or looked at often enough already. A look that a
/// spent budget cut off is kept and gone on with.
pub async fn begin(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    kind: Kind,
    work: &str,
    pieces: &[Piece],
) -> Result<Option<Look>> {
    let others = looks(tenant)?;
    let others = others.iter().map(|look| &look.value);
    let busy = others.filter(|look| look.kind == kind && look.work != work);
    if effect(tenant, kind)?.is_some() || busy.count() >= AT_ONCE {
        return Ok(None);
    }
    let mut look = cut_off(tenant, kind, work)?.unwrap_or_else(|| Look {
        kind,
        work: work.to_owned(),
        since: tenant.now(),
        begun: false,
        spots: Vec::new(),
    });
    let moved = pieces.iter().filter(|piece| piece.quantity != 0);
    for piece in moved.take(PIECES).skip(look.spots.len()) {
        let before = match newest(session, piece).await {
            Ok(rows) => rows.into_iter().find_map(|row| match row {
                Ok(change) => Some(change.id),
                Err(unread) => unread.id,
            }),
            Err(error) => {
                if error == Error::BudgetSpent && !look.spots.is_empty() {
                    let commit = Commit::new().put(&key(kind, work), &look)?;
                    commit.apply(&tenant.ports)?;
                }
                return Err(error);
            }
        };
        look.spots.push(Spot {
            piece: piece.clone(),
            before,
            nothing_at: None,
        });
    }
    Ok((!look.spots.is_empty()).then_some(look))
}

fn cut_off(tenant: &Tenant<'_>, kind: Kind, work: &str) -> Result<Option<Look>> {
    let stored = store::read::<Look>(&tenant.ports, &key(kind, work))?;
    Ok(stored
        .map(|stored| stored.value)
        .filter(|look| !look.begun && tenant.now() - look.since < LONGEST))
}

/// Keeps a look whose effect cannot be paid for any more: the next call goes on from it.
pub fn keep(tenant: &Tenant<'_>, look: &Look) -> Result<()> {
    Commit::new()
        .put(&key(look.kind, &look.work), look)?
        .apply(&tenant.ports)
}

/// In the intent's commit: whatever happens to this call, the look is not lost.
pub fn note(commit: Commit, look: &Look) -> Result<Commit> {
    let begun = Look {
        begun: true,
        ..look.clone()
    };
    commit.put(&key(look.kind, &look.work), &begun)
}

/// The effect did not happen.
pub fn forget(commit: Commit, kind: Kind, work: &str) -> Commit {
    commit.delete(&key(kind, work))
}

/// What was seen of a kind is no longer believed.
pub fn ask_again(commit: Commit, kind: Kind) -> Commit {
    commit.delete(&evidence_key(kind))
}

/// Whether another kind's effect is being looked at on one of these pieces: a row of ours would be taken for its.
pub fn would_disturb(tenant: &Tenant<'_>, kind: Kind, pieces: &[Piece]) -> Result<bool> {
    let same = |a: &Piece, b: &Piece| {
        let place = a.product_id == b.product_id && a.store_id == b.store_id;
        place && a.quantity.signum() == b.quantity.signum()
    };
    let looks = looks(tenant)?;
    let mut others = looks
        .iter()
        .filter(|look| look.value.kind != kind && look.value.begun)
        .flat_map(|look| &look.value.spots);
    Ok(others.any(|spot| pieces.iter().any(|piece| same(&spot.piece, piece))))
}

/// Looks right after a settled effect.
pub async fn after(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    kind: Kind,
    work: &str,
) -> Result<()> {
    match store::read::<Look>(&tenant.ports, &key(kind, work))? {
        Some(look) => go_on(session, tenant, look).await,
        None => Ok(()),
    }
}

/// Goes on with every look that is due.
pub async fn pending_looks(session: &Smaregi<'_>, tenant: &Tenant<'_>) -> Result<()> {
    for look in looks(tenant)? {
        if due_at(tenant, &look.value)?.is_some_and(|due| due <= tenant.now()) {
            go_on(session, tenant, look).await?;
        }
    }
    for kind in Kind::ALL {
        let evidence = store::read::<Evidence>(&tenant.ports, &evidence_key(kind))?;
        let alone = evidence.filter(|seen| seen.value.alone_at() <= tenant.now());
        if let Some(seen) = alone {
            let commit = Commit::new().check(&seen.key, Some(&seen));
            learn(tenant, commit, kind, &seen.value.effect)?.try_apply(&tenant.ports)?;
        }
    }
    Ok(())
}

/// When the earliest look is due; `None` without one.
pub fn next_look(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let mut times = Vec::new();
    for look in looks(tenant)? {
        times.extend(due_at(tenant, &look.value)?);
    }
    for kind in Kind::ALL {
        let evidence = store::read::<Evidence>(&tenant.ports, &evidence_key(kind))?;
        times.extend(evidence.map(|seen| seen.value.alone_at()));
    }
    Ok(times.into_iter().min())
}

/// When a look is gone on with; `None` while its effect's outcome is open.
fn due_at(tenant: &Tenant<'_>, look: &Look) -> Result<Option<Moment>> {
    let expires = look.since + LONGEST;
    if is_open(tenant, look)? {
        return Ok((!look.begun).then_some(expires));
    }
    let due = |spot: &Spot| spot.nothing_at.map_or(look.since, |at| at + SECOND_LOOK);
    Ok(look.spots.iter().map(due).min().or(Some(expires)))
}

fn is_open(tenant: &Tenant<'_>, look: &Look) -> Result<bool> {
    let Some(spot) = look.spots.first().filter(|_| look.begun) else {
        return Ok(true);
    };
    let Piece {
        product_id,
        store_id,
        ..
    } = &spot.piece;
    let key = entry_key(&look.work, look.kind, (store_id, product_id, false));
    let entry = store::read::<Entry>(&tenant.ports, &key)?;
    Ok(entry.is_some_and(|entry| entry.value.due.is_none()))
}

/// Looks at each piece that is due; what was found is stored piece by piece, so that a spent budget loses nothing.
async fn go_on(session: &Smaregi<'_>, tenant: &Tenant<'_>, mut seen: Stored<Look>) -> Result<()> {
    if !seen.value.begun && tenant.now() - seen.value.since > LONGEST {
        return Commit::new().delete(&seen.key).apply(&tenant.ports);
    }
    if is_open(tenant, &seen.value)? {
        return Ok(());
    }
    let mut index = 0;
    while let Some(spot) = seen.value.spots.get(index).cloned() {
        let now = tenant.now();
        if spot.nothing_at.is_some_and(|at| at + SECOND_LOOK > now) {
            index = index.saturating_add(1);
            continue;
        }
        let rows = newest(session, &spot.piece).await?;
        let finding = finding(&spot, seen.value.since, rows);
        let mut look = seen.value.clone();
        let effect = match finding {
            Finding::Unread => {
                if let Some(spot) = look.spots.get_mut(index) {
                    spot.nothing_at = Some(now);
                }
                index = index.saturating_add(1);
                None
            }
            Finding::Nothing if spot.nothing_at.is_none() => {
                if let Some(spot) = look.spots.get_mut(index) {
                    spot.nothing_at = Some(now);
                }
                index = index.saturating_add(1);
                None
            }
            found => {
                look.spots.remove(index);
                found.effect()
            }
        };
        if !record(
            tenant,
            &seen,
            &look,
            effect.map(|effect| (effect, &spot.piece)),
        )? {
            return Ok(());
        }
        match store::read::<Look>(&tenant.ports, &seen.key)? {
            Some(stored) => seen = stored,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Stores a look's progress, with what it has shown. `false` when somebody else went on with it.
fn record(
    tenant: &Tenant<'_>,
    seen: &Stored<Look>,
    look: &Look,
    shown: Option<(Effect, &Piece)>,
) -> Result<bool> {
    let mut commit = Commit::new().check(&seen.key, Some(seen));
    commit = if look.spots.is_empty() {
        commit.delete(&seen.key)
    } else {
        commit.put(&seen.key, look)?
    };
    if let Some((effect, piece)) = shown {
        commit = observe(tenant, commit, look, effect, piece)?;
    }
    commit.try_apply(&tenant.ports)
}

fn observe(
    tenant: &Tenant<'_>,
    commit: Commit,
    look: &Look,
    effect: Effect,
    piece: &Piece,
) -> Result<Commit> {
    let key = evidence_key(look.kind);
    let stored = store::read::<Evidence>(&tenant.ports, &key)?;
    let commit = commit.check(&key, stored.as_ref());
    let stored = stored.map(|stored| stored.value);
    let contradicts = |seen: &Evidence| seen.effect != effect && seen.works.contains(&look.work);
    let close = effect != Effect::Nothing
        && look.spots.is_empty()
        && tenant.now() - look.since <= CLOSE
        && !stored.as_ref().is_some_and(contradicts);
    // What disagrees begins anew: one of the two was deceived.
    let agreeing = stored.filter(|seen| seen.effect == effect);
    let mut evidence = agreeing.unwrap_or_else(|| Evidence {
        effect,
        places: BTreeSet::new(),
        works: BTreeSet::new(),
        since: tenant.now(),
    });
    let place = (piece.store_id.clone(), piece.product_id.clone());
    evidence.places.insert(place);
    evidence.works.insert(look.work.clone());
    if close || evidence.is_enough() {
        learn(tenant, commit, look.kind, &evidence.effect)
    } else {
        commit.put(&key, &evidence)
    }
}

fn learn(tenant: &Tenant<'_>, commit: Commit, kind: Kind, effect: &Effect) -> Result<Commit> {
    let mut commit = commit
        .put(&effect_key(kind), effect)?
        .delete(&evidence_key(kind));
    for look in looks(tenant)?.iter().filter(|look| look.value.kind == kind) {
        commit = commit.delete(&look.key);
    }
    Ok(commit)
}

async fn newest(
    session: &Smaregi<'_>,
    piece: &Piece,
) -> Result<Vec<std::result::Result<Change, Unreadable>>> {
    let request = changes::newest(&piece.product_id, &piece.store_id, 1, ROWS);
    let answer = session.send(&request).await?;
    Ok(changes::decode(&answer))
}

#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Moved(String),
    Nothing,
    /// Rows of several divisions fit, or ours may be among others'; another effect will tell.
    Unclear,
    /// Ours may be a row that cannot be read: looked at again.
    Unread,
}

impl Finding {
    fn effect(self) -> Option<Effect> {
        match self {
            Self::Moved(division) => Some(Effect::Moves { division }),
            Self::Nothing => Some(Effect::Nothing),
            Self::Unclear | Self::Unread => None,
        }
    }
}

/// Among rows of which one that may be new cannot be read, ours may be.
fn finding(
    spot: &Spot,
    since: Moment,
    rows: Vec<std::result::Result<Change, Unreadable>>,
) -> Finding {
    let before = spot.before.as_deref();
    let may_be_new = |unread: &Unreadable| {
        let known = unread.id.as_deref().zip(before);
        let late = unread
            .updated_at
            .is_none_or(|at| at >= since - CLOCKS_DIFFER);
        late && known.is_none_or(|(id, before)| is_newer(id, before))
    };
    if rows.iter().any(|row| row.as_ref().is_err_and(may_be_new)) {
        return Finding::Unread;
    }
    let changes: Vec<Change> = rows.into_iter().flatten().collect();
    judge(spot, &changes)
}

fn judge(spot: &Spot, changes: &[Change]) -> Finding {
    let wanted = Decimal::from(spot.piece.quantity);
    let is_new = |change: &&Change| {
        spot.before
            .as_deref()
            .is_none_or(|before| is_newer(&change.id, before))
    };
    let new = changes
        .iter()
        .filter(is_new)
        .filter(|change| !change.memo.as_deref().is_some_and(is_mark));
    // A product on two lines of a sale has a row for each.
    let parts = new.filter(|change| {
        let same_way = change.amount.is_sign_negative() == wanted.is_sign_negative();
        same_way && change.amount.abs() <= wanted.abs()
    });
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    let mut divisions = BTreeSet::new();
    for change in parts {
        let sum = sums.entry(&change.division).or_default();
        *sum = sum.saturating_add(change.amount);
        if change.amount == wanted {
            divisions.insert(change.division.as_str());
        }
    }
    let ours_among_others = sums.values().any(|sum| sum.abs() > wanted.abs());
    let whole = sums.into_iter().filter(|(_, sum)| *sum == wanted);
    divisions.extend(whole.map(|(division, _)| division));
    let mut divisions = divisions.into_iter();
    match (divisions.next(), divisions.next()) {
        (None, _) if ours_among_others => Finding::Unclear,
        (None, _) => Finding::Nothing,
        (Some(division), None) => Finding::Moved(division.to_owned()),
        _ => Finding::Unclear,
    }
}

#[cfg(test)]
mod tests;
