//! Deciding rows of Smaregi's change history, each once: its record, the product's difference, our own entries that it uses up.
//! Reads nothing from outside.

use crate::{
    error::Result,
    planted::Planted,
    reason::Reason,
    rules::stock_decision::{self, Claim, Decision, Movement},
    smaregi::changes::Change,
    sync::{
        lookup, own, report,
        stock::{
            ingest::Since,
            records::{
                ChangeRecord, Decided, Held, Origin, Out, SentIndex, Unsent, change_key, held_key,
                out_key, sent_key, trouble_key, unsent_key, waiting_key,
            },
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::{self, Moment},
};

/// Rows decided in one commit: each may take a check and four writes, of which storage takes 2 000.
pub const ROWS_PER_COMMIT: usize = 200;

/// Decides new rows of one place, oldest first; whoever else decided one of them meanwhile lets the commit fail.
pub fn decide_new(
    tenant: &Tenant<'_>,
    since: &Since,
    store_id: &str,
    product_id: &str,
    rows: &[&Change],
) -> Result<u32> {
    let mut decided = 0u32;
    for rows in rows.chunks(ROWS_PER_COMMIT) {
        let mut commit = Commit::new();
        let mut changes = Vec::new();
        for row in rows {
            if !Planted::RowCountedTwice.is_on() {
                commit = commit.check_revision(&change_key(&row.id), None);
            }
            commit = commit.delete(&trouble_key(store_id, product_id, &row.id));
            changes.push(record(tenant, row)?);
        }
        decided = decided.saturating_add(report::count(changes.len()));
        if changes.iter().any(|change| change.division == DRAWN) {
            lookup::draws_are_used(tenant)?;
        }
        decide(tenant, since, store_id, product_id, changes, commit)?.apply(&tenant.ports)?;
    }
    Ok(decided)
}

fn record(tenant: &Tenant<'_>, change: &Change) -> Result<ChangeRecord> {
    let marked =
        change.memo.as_deref().is_some_and(own::is_mark) && !Planted::OwnMoveTravels.is_on();
    let moved = !marked
        && !Planted::OwnMoveTravels.is_on()
        && store::read::<bool>(&tenant.ports, &own::moved_key(&change.id))?.is_some();
    Ok(ChangeRecord {
        id: change.id.clone(),
        store_id: change.store_id.clone(),
        product_id: change.product_id.clone(),
        amount: change.amount,
        division: change.division.clone(),
        at: change.updated_at,
        marked_ours: marked || moved,
        decided: Decided::Waiting,
    })
}

/// Looks again at rows that could have been our own. Call after anything that settles that question.
pub fn decide_waiting(tenant: &Tenant<'_>, since: &Since) -> Result<u32> {
    let waiting: Vec<Stored<(String, String, String)>> =
        store::list_all(&tenant.ports, "stock/waiting/")?;
    let mut decided = 0u32;
    for place in waiting.chunk_by(|a, b| (&a.value.0, &a.value.1) == (&b.value.0, &b.value.1)) {
        for rows in place.chunks(ROWS_PER_COMMIT) {
            let Some((store_id, product_id, _)) = rows.first().map(|row| &row.value) else {
                continue;
            };
            let keys: Vec<String> = rows.iter().map(|row| change_key(&row.value.2)).collect();
            let stored: Vec<Stored<ChangeRecord>> = store::read_all(&tenant.ports, &keys)?
                .into_iter()
                .flatten()
                .collect();
            let before = stored.len();
            let mut commit = Commit::new();
            for row in rows {
                commit = commit.check(&row.key, Some(row));
            }
            let changes = stored.into_iter().map(|record| record.value).collect();
            let commit = decide(tenant, since, store_id, product_id, changes, commit)?;
            if !commit.is_empty() && commit.try_apply(&tenant.ports)? {
                let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
                let left = store::read_all::<(String, String, String)>(&tenant.ports, &keys)?;
                let left = left.iter().flatten().count();
                decided =
                    decided.saturating_add(u32::try_from(before.saturating_sub(left)).unwrap_or(0));
            }
        }
    }
    Ok(decided)
}

/// Adds rows of one place to a commit: their records, the product's difference, our own entries they consume.
fn decide(
    tenant: &Tenant<'_>,
    since: &Since,
    store_id: &str,
    product_id: &str,
    changes: Vec<ChangeRecord>,
    mut commit: Commit,
) -> Result<Commit> {
    if changes.is_empty() {
        return Ok(commit);
    }
    let mut place = Place::read(tenant, store_id, product_id, since.restored)?;
    for mut change in changes {
        let movement = Movement {
            store_id,
            amount: change.amount,
            division: &change.division,
            at: change.at,
            marked_ours: change.marked_ours,
        };
        let outcome = stock_decision::decide(
            &movement,
            since.of(store_id),
            &tenant.settings.stock,
            &place.claims,
        );
        place.consume(&outcome.taken);
        let waiting = waiting_key(store_id, product_id, &change.id);
        commit = match &outcome.decision {
            Decision::Wait => commit.put(&waiting, &(store_id, product_id, &change.id))?,
            _ => commit.delete(&waiting),
        };
        change.decided = match outcome.decision {
            Decision::Wait => Decided::Waiting,
            Decision::Send(quantity, trigger) => {
                place
                    .out
                    .add(quantity, Origin::Trigger(trigger), store_id, &change.id);
                place.touched = true;
                Decided::Queued(quantity)
            }
            Decision::Not(reason, rest) => {
                place.keep_back(rest, &reason);
                let key = sent_key(tenant.now(), &format!("c{:0>20}", change.id));
                commit = commit.put(&key, &SentIndex::Change(change.id.clone()))?;
                Decided::Not(reason)
            }
        };
        commit = commit.put(&change_key(&change.id), &change)?;
    }
    place.write(commit)
}

/// What one product in one store brings to a decision.
struct Place {
    entries: Vec<Stored<own::Entry>>,
    claims: Vec<Claim>,
    out_revision: Option<u64>,
    out: Out,
    touched: bool,
    unsent_revision: Option<u64>,
    unsent: Unsent,
    kept_back: bool,
    short_of_stock: bool,
}

impl Place {
    fn read(
        tenant: &Tenant<'_>,
        store_id: &str,
        product_id: &str,
        restored: Option<Moment>,
    ) -> Result<Self> {
        let effects = own::effects(tenant)?;
        let entries = own::entries(tenant, store_id, product_id)?;
        let claims = entries
            .iter()
            .map(|entry| claim(&entry.value, effects.get(&entry.value.kind), restored))
            .collect();
        let out = store::read::<Out>(&tenant.ports, &out_key(product_id))?;
        let unsent = store::read::<Unsent>(&tenant.ports, &unsent_key(product_id))?;
        let held = store::read::<Held>(&tenant.ports, &held_key(product_id))?;
        Ok(Self {
            entries,
            claims,
            out_revision: out.as_ref().map(|out| out.revision),
            out: out.map_or_else(|| Out::new(product_id, tenant.now()), |out| out.value),
            touched: false,
            unsent_revision: unsent.as_ref().map(|unsent| unsent.revision),
            unsent: unsent.map(|unsent| unsent.value).unwrap_or_default(),
            kept_back: false,
            short_of_stock: held.is_some_and(|held| {
                held.value.reason.code == "free-stock" && !held.value.needs_person
            }),
        })
    }

    fn consume(&mut self, taken: &[i64]) {
        let taken = taken.iter().filter(|_| !Planted::CreditNotConsumed.is_on());
        for (claim, taken) in self.claims.iter_mut().zip(taken) {
            claim.remaining = claim.remaining.saturating_sub(*taken);
        }
    }

    /// Counts what the comparison has to explain: movements of the chosen stores that settings keep from being sent.
    fn keep_back(&mut self, rest: i64, reason: &Reason) {
        let explains =
            ["trigger-off", "promised-only", "unknown-division"].contains(&reason.code.as_str());
        if explains && rest != 0 {
            let sum = self.unsent.entry(reason.code.clone()).or_default();
            *sum = sum.saturating_add(rest);
            self.kept_back = true;
        }
    }

    fn write(self, mut commit: Commit) -> Result<Commit> {
        let product = self.out.product_id.clone();
        if self.touched {
            let key = out_key(&product);
            commit = commit
                .check_revision(&key, self.out_revision)
                .put(&key, &self.out)?;
            if self.short_of_stock {
                // Another difference may fit into the free stock that the last one did not.
                commit = commit.delete(&held_key(&product));
            }
        }
        if self.kept_back {
            let key = unsent_key(&product);
            commit = commit
                .check_revision(&key, self.unsent_revision)
                .put(&key, &self.unsent)?;
        }
        for (entry, claim) in self.entries.into_iter().zip(self.claims) {
            // Also entries that no row consumed are checked: an outcome that became known meanwhile changes the decision.
            commit = commit.check(&entry.key, Some(&entry));
            commit = match claim.remaining {
                0 => commit.delete(&entry.key),
                same if same == entry.value.remaining => commit,
                remaining => commit.put(
                    &entry.key,
                    &own::Entry {
                        remaining,
                        ..entry.value
                    },
                )?,
            };
        }
        Ok(commit)
    }
}

/// 売上引当: the division of rows of products that a sold one draws on, whatever the sale's own is (smaregi.md 4c; that registered
/// sales write it, and undoing them, too, is assumed).
const DRAWN: &str = "16";

fn claim(entry: &own::Entry, effect: Option<&own::Effect>, restored: Option<Moment>) -> Claim {
    // Rows of a sale that storage forgot may be minutes old: they are not those of one that was registered after it was put back.
    let restored = restored.filter(|at| entry.begun >= *at).map(time::second);
    let (remaining, division) = match effect {
        None if entry.drawn => (entry.remaining, Some(DRAWN.to_owned())),
        None => (entry.remaining, None),
        Some(own::Effect::Moves { .. }) if entry.drawn => (entry.remaining, Some(DRAWN.to_owned())),
        Some(own::Effect::Moves { division }) => (entry.remaining, Some(division.clone())),
        // It leaves stock alone: no row will come, whatever becomes of it.
        Some(own::Effect::Nothing) => (0, Some(String::new())),
    };
    Claim {
        remaining,
        // While it is not known whether there are rows at all, those that fit wait.
        due: entry.due.is_some() && !(entry.drawn && effect.is_none()),
        division,
        until: entry.until(),
        from: restored.map_or(entry.from(), |at| entry.from().max(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_on_has_rows_of_its_own_and_waits_for_knowledge_like_the_rest() {
        let entry = own::Entry {
            kind: own::Kind::Sale,
            remaining: -6,
            drawn: true,
            due: crate::time::from_unix(1_000, 0),
            begun: crate::time::from_unix(1_000, 0).unwrap(),
        };
        let moves = own::Effect::Moves {
            division: "02".to_owned(),
        };
        for (effect, remaining, due) in [
            (None, -6, false),
            (Some(&moves), -6, true),
            (Some(&own::Effect::Nothing), 0, true),
        ] {
            let claim = claim(&entry, effect, None);
            assert_eq!((claim.remaining, claim.due), (remaining, due), "{effect:?}");
            assert!(remaining == 0 || claim.division.as_deref() == Some("16"));
        }
    }

    #[test]
    fn what_was_begun_after_a_restore_has_no_older_rows() {
        let at = |second| crate::time::from_unix(second, 0).unwrap();
        let from = |begun, restored| {
            let entry = own::Entry {
                kind: own::Kind::Sale,
                remaining: -1,
                drawn: false,
                due: None,
                begun: at(begun),
            };
            claim(&entry, None, restored).from
        };
        assert_eq!(from(1_000, None), at(700), "clocks differ");
        assert_eq!(from(1_000, Some(at(900))), at(900));
        assert_eq!(from(1_000, Some(at(1_001))), at(700), "begun before");
        assert_eq!(from(1_000, Some(at(600))), at(700));
    }
}
