//! Registering and undoing transactions, each exactly once: intent, attempt, settlement; a lost answer is looked up before it is
//! tried again. Decides neither what to register nor why to undo.

use chrono::TimeDelta;

use crate::{
    error::{Error, Result, Side},
    planted::Planted,
    reason::{Reason, Text},
    rules::{
        cancellation::Undoing,
        identity,
        sale::{Identity, Sale},
        source_store::{self, Shift},
    },
    smaregi::{
        Request,
        transactions::{self, Found},
    },
    sync::{
        call_error::{CallError, Refusal},
        orders::{
            bench::{Bench, Flow},
            journal,
            records::{self, Act, Intent, SlipRecord, pieces, work_name},
            restored, settling, words,
        },
        own::{
            self, Piece,
            look::{self, Look},
        },
        smaregi_session::unreadable_answer,
        store::Commit,
    },
    time::Moment,
    wire::Value,
};

/// An attempt without an answer may still arrive within this (assumed; far above the time-outs of a request).
pub const GRACE: TimeDelta = TimeDelta::minutes(2);
/// How long an attempt may take, of [`GRACE`]; half of it, as a request may.
const ATTEMPT: TimeDelta = TimeDelta::seconds(60);

/// Whether an intent's commit returned so late that an attempt now could arrive when others believe that it never will: the storage
/// was stuck, or this instance slept. Nothing is sent then, and the intent is looked up like any without an answer.
pub fn is_too_late(tried_at: Moment, now: Moment) -> bool {
    now - tried_at > GRACE - ATTEMPT
}

/// The identity an intent's transaction has.
pub fn identity_of(slip: &str, intent: &Intent) -> Identity {
    identity::identity(slip, intent.revision, intent.sale.sold_on)
}

/// What an act moves at the selling store, if Smaregi moves stock for it.
pub fn by_itself(act: Act, sale: &Sale) -> Vec<Shift> {
    let leaving = source_store::by_selling_store(sale);
    if act == Act::Register {
        leaving
    } else {
        source_store::reversed(&leaving)
    }
}

/// Registers a sale as the slip's next revision.
pub async fn register(
    bench: &Bench<'_>,
    record: &SlipRecord,
    sale: Sale,
    look: bool,
) -> Result<Flow> {
    let intent = Intent {
        act: Act::Register,
        revision: match record.revision {
            undone @ 1.. if Planted::SameIdentityAgain.is_on() => undone,
            last => last.saturating_add(1),
        },
        sale: records::without_names(&sale),
        made_from: record.order.clone(),
        transaction_id: None,
        tried_at: bench.tenant.now(),
        refused: None,
        second_way: false,
        why: None,
        earlier: false,
    };
    looked(bench, record, intent, look).await
}

/// Undoes the registered sale.
pub async fn undo(
    bench: &Bench<'_>,
    record: &SlipRecord,
    undoing: Undoing,
    why: Reason,
    look: bool,
) -> Result<Flow> {
    let Some(registered) = &record.registered else {
        return Ok(Flow::Leave);
    };
    let intent = Intent {
        act: Act::of(undoing),
        revision: registered.revision,
        sale: registered.sale.clone(),
        made_from: None,
        transaction_id: Some(registered.transaction_id.clone()),
        tried_at: bench.tenant.now(),
        refused: None,
        second_way: registered.refused.is_some(),
        why: Some(why),
        earlier: false,
    };
    looked(bench, record, intent, look).await
}

/// The first effects of a kind are looked at, before and after, to learn what they do to stock.
async fn looked(
    bench: &Bench<'_>,
    record: &SlipRecord,
    intent: Intent,
    look: bool,
) -> Result<Flow> {
    if restored::is_to_be_sought(bench, record, &intent) {
        return restored::seek(bench, record, intent).await;
    }
    let slip = record.slip.as_str();
    let kind = intent.act.kind();
    let touched = pieces(intent.act, &intent.sale);
    if own::would_disturb(bench.tenant, kind, &touched)? {
        return Ok(Flow::Leave);
    }
    let work = work_name(slip, intent.revision);
    // The second way is met by surprise, so nobody has chosen it for a look.
    let begun = if look || intent.second_way {
        let telling = telling(&intent.sale, touched);
        look::begin(bench.session, bench.tenant, kind, &work, &telling).await?
    } else {
        None
    };
    if let Some(begun) = begun.as_ref().filter(|_| bench.tenant.budget.left() == 0) {
        look::keep(bench.tenant, begun)?;
        return Err(Error::BudgetSpent);
    }
    let flow = attempt(bench, slip, &intent, begun.as_ref()).await?;
    look_after(bench, slip, &intent, flow).await
}

/// What tells by its rows: a product that is sold and drawn on by no line. One row a line is as likely as one row a product, so one on
/// a single line tells best; the sum of several lines' rows tells as much where there is none.
fn telling(sale: &Sale, mut pieces: Vec<Piece>) -> Vec<Piece> {
    let lines = |id: &str| {
        sale.lines
            .iter()
            .filter(|line| line.product_id == id)
            .count()
    };
    let is_drawn = |id: &str| {
        let mut draws = sale.lines.iter().flat_map(|line| &line.draws_on);
        draws.any(|draw| draw.product_id == id)
    };
    pieces.retain(|piece| !piece.drawn && !is_drawn(&piece.product_id));
    let single: Vec<Piece> = pieces
        .iter()
        .filter(|piece| lines(&piece.product_id) == 1)
        .cloned()
        .collect();
    if single.is_empty() { pieces } else { single }
}

/// Looks again at an effect that may be settled by now; one that did not happen took its look with it.
async fn look_after(bench: &Bench<'_>, slip: &str, intent: &Intent, flow: Flow) -> Result<Flow> {
    if flow == Flow::Again {
        let work = work_name(slip, intent.revision);
        look::after(bench.session, bench.tenant, intent.act.kind(), &work).await?;
    }
    Ok(flow)
}

/// Finds out what became of an intent met in storage. What did not arrive within [`GRACE`] did not happen: it is forgotten and
/// planned anew from what the order says by now, as the same revision, so that should it arrive after all it is found.
pub async fn resolve(bench: &Bench<'_>, slip: &str, intent: Intent) -> Result<Flow> {
    let flow = match look_up(bench, slip, &intent).await? {
        Some(flow) => flow,
        None => match intent.refused.clone() {
            Some(reason) => settling::refused(bench, slip, &intent, reason)?,
            None if bench.tenant.now() - intent.tried_at < GRACE => Flow::Leave,
            None => {
                take_back(bench, slip, &intent)?;
                Flow::Again
            }
        },
    };
    look_after(bench, slip, &intent, flow).await
}

/// Tries an intent once.
async fn attempt(
    bench: &Bench<'_>,
    slip: &str,
    intent: &Intent,
    look: Option<&Look>,
) -> Result<Flow> {
    if !begin(bench, slip, intent, look)? {
        return Ok(Flow::Again);
    }
    if is_too_late(intent.tried_at, bench.tenant.now()) {
        return Ok(Flow::Leave);
    }
    match bench.session.send(&request(bench, slip, intent)).await {
        Ok(answer) => answered(bench, slip, intent, &answer),
        Err(CallError::NotDone(error)) => {
            take_back(bench, slip, intent)?;
            Err(error)
        }
        Err(CallError::Unknown(error)) => {
            bench.tally.unknown(error);
            Ok(Flow::Leave)
        }
        Err(CallError::Refused(refusal)) if is_ours(&refusal, intent.act) => {
            take_back(bench, slip, intent)?;
            let message = Text::new(refusal.message.clone(), refusal.message);
            Err(Error::Refused(refusal.side, refusal.code, message))
        }
        Err(CallError::Refused(refusal)) => {
            let reason = words::refused(slip, intent, &refusal);
            is_refused(bench, slip, intent, reason).await
        }
    }
}

/// A refusal may mean that it is done already: it is noted before it is looked up, so that no call has to pay for both.
async fn is_refused(
    bench: &Bench<'_>,
    slip: &str,
    intent: &Intent,
    reason: Reason,
) -> Result<Flow> {
    let noted = Intent {
        refused: Some(reason.clone()),
        ..intent.clone()
    };
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        if record.intent.as_ref() != Some(intent) {
            return Ok(None);
        }
        record.intent = Some(noted.clone());
        Ok(Some(commit))
    })?;
    match look_up(bench, slip, &noted).await? {
        Some(flow) => Ok(flow),
        None => settling::refused(bench, slip, &noted, reason),
    }
}

/// Commits an intent. `false` when the slip is no longer as it was planned.
pub fn begin(bench: &Bench<'_>, slip: &str, intent: &Intent, look: Option<&Look>) -> Result<bool> {
    let pieces = pieces(intent.act, &intent.sale);
    journal::change(&bench.tenant.ports, slip, |record, mut commit| {
        let registered = record
            .registered
            .as_ref()
            .map(|registered| registered.revision);
        let fits = match intent.act {
            Act::Register => registered.is_none() && record.order == intent.made_from,
            _ => registered == Some(intent.revision),
        };
        if record.intent.is_some() || !fits {
            return Ok(None);
        }
        if let Some(look) = look {
            commit = look::note(commit, look)?;
        }
        record.revision = record.revision.max(intent.revision);
        record.intent = Some(intent.clone());
        record.todo = true;
        let work = work_name(slip, intent.revision);
        if Planted::CreditTooEarly.is_on() {
            let at = bench.tenant.now();
            return own::settle(
                commit,
                &work,
                intent.act.kind(),
                &pieces,
                (intent.tried_at, at),
                None,
            )
            .map(Some);
        }
        if intent.earlier {
            return Ok(Some(commit));
        }
        own::open(commit, &work, intent.act.kind(), &pieces, intent.tried_at).map(Some)
    })
}

fn request(bench: &Bench<'_>, slip: &str, intent: &Intent) -> Request {
    let transaction = intent.transaction_id.as_deref().unwrap_or_default();
    match intent.act {
        Act::Register => transactions::register(&intent.sale, &identity_of(slip, intent)),
        Act::Cancel => transactions::cancel(transaction),
        Act::Dispose => transactions::dispose(transaction, bench.tenant.now()),
    }
}

fn answered(bench: &Bench<'_>, slip: &str, intent: &Intent, answer: &Value) -> Result<Flow> {
    if intent.act != Act::Register {
        return settling::undone(bench, slip, intent);
    }
    match transactions::decode_registered(answer) {
        Ok(transaction_id) => settling::registered(bench, slip, intent, &transaction_id, None),
        // Success without an id: the next look-up finds it by our own.
        Err(_) => Ok(Flow::Leave),
    }
}

/// It certainly did not happen.
fn take_back(bench: &Bench<'_>, slip: &str, intent: &Intent) -> Result<()> {
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        if record.intent.as_ref() != Some(intent) {
            return Ok(None);
        }
        settling::forget(record, commit, intent).map(Some)
    })
    .map(|_| ())
}

/// Looks an intent up in Smaregi by our own id, and settles what is found there. `None`: not found, or not undone.
async fn look_up(bench: &Bench<'_>, slip: &str, intent: &Intent) -> Result<Option<Flow>> {
    let done = find(bench, intent, slip).await?;
    done.map(|done| settle(bench, slip, intent, done))
        .transpose()
}

/// What of an intent is done in Smaregi.
pub struct Done {
    transaction_id: String,
    notice: Option<Reason>,
}

/// Asks Smaregi by our own id. `None`: not found, or not undone.
pub async fn find(bench: &Bench<'_>, intent: &Intent, slip: &str) -> Result<Option<Done>> {
    let identity = identity_of(slip, intent);
    let answer = bench
        .session
        .send(&transactions::find(
            &identity.uuid,
            identity.terminal_tran_at,
        ))
        .await?;
    let found = transactions::decode_found(&answer, &identity, intent.transaction_id.as_deref())
        .map_err(|reason| unreadable_answer(bench.tenant, &reason))?;
    if intent.act == Act::Register {
        return Ok(found_sale(intent, &found));
    }
    let ours = |found: &&Found| Some(&found.id) == intent.transaction_id.as_ref();
    let undone = |found: &&Found| found.cancelled || found.disposed;
    let undone = found.iter().find(ours).filter(undone);
    Ok(undone.map(|found| Done {
        transaction_id: found.id.clone(),
        notice: None,
    }))
}

/// Writes down what was found done.
pub fn settle(bench: &Bench<'_>, slip: &str, intent: &Intent, done: Done) -> Result<Flow> {
    if intent.act == Act::Register {
        settling::registered(bench, slip, intent, &done.transaction_id, done.notice)
    } else {
        settling::undone(bench, slip, intent)
    }
}

fn found_sale(intent: &Intent, found: &[Found]) -> Option<Done> {
    let mut standing = found
        .iter()
        .filter(|found| !found.cancelled && !found.disposed);
    let (first, second) = (standing.next(), standing.next());
    let ours = first.or(found.first())?;
    let total = rust_decimal::Decimal::from(intent.sale.total);
    let notice = if first.is_none() {
        Some(words::gone(&ours.id))
    } else if second.is_some() {
        Some(words::twice(found))
    } else if ours.total.is_some_and(|found| found != total) {
        let asked = intent.sale.total;
        Some(words::another_total(&ours.id, ours.total, asked))
    } else {
        None
    };
    Some(Done {
        transaction_id: ours.id.clone(),
        notice,
    })
}

/// Whether a refusal is about the connection rather than about the order: token, scope, plan, or the address of a registration.
fn is_ours(refusal: &Refusal, act: Act) -> bool {
    let status = refusal.code.split_whitespace().next().unwrap_or_default();
    refusal.side != Side::Smaregi
        || matches!(status, "401" | "403")
        || (status == "404" && act == Act::Register)
}

/// Drops an intent's open pieces from a commit.
pub fn drop_pieces(commit: Commit, slip: &str, intent: &Intent) -> Commit {
    let pieces = pieces(intent.act, &intent.sale);
    own::drop(
        commit,
        &work_name(slip, intent.revision),
        intent.act.kind(),
        &pieces,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::{product::Draw, samples},
        time,
    };

    #[test]
    fn an_attempt_is_begun_within_a_minute_of_its_intent() {
        let tried_at = time::parse_next_engine("2026-11-24 12:00:00").unwrap();
        for (seconds, late) in [(0, false), (60, false), (61, true), (600, true)] {
            let now = tried_at + TimeDelta::seconds(seconds);
            assert_eq!(is_too_late(tried_at, now), late, "{seconds}");
        }
    }

    #[test]
    fn a_refusal_of_the_connection_is_not_the_orders_fault() {
        for (side, code, act, ours) in [
            (Side::Smaregi, "401 about:blank", Act::Cancel, true),
            (Side::Smaregi, "403 about:blank", Act::Cancel, true),
            (Side::Smaregi, "404 about:blank", Act::Register, true),
            (Side::Smaregi, "404 about:blank", Act::Cancel, false),
            (Side::Smaregi, "400 about:blank", Act::Register, false),
            (Side::NextEngine, "004001", Act::Register, true),
        ] {
            let refusal = Refusal {
                side,
                code: code.to_owned(),
                message: String::new(),
            };
            assert_eq!(is_ours(&refusal, act), ours, "{code} {act:?}");
        }
    }

    #[test]
    fn what_is_sold_on_one_line_and_drawn_by_none_tells_best() {
        let tells = |change: fn(&mut Sale)| {
            let mut sale = samples::sale(&samples::order("1"), &samples::store());
            change(&mut sale);
            let told = telling(&sale, pieces(Act::Register, &sale));
            let ids = told.into_iter().map(|piece| piece.product_id);
            ids.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(tells(|_| ()), "A B");
        assert_eq!(tells(|sale| sale.lines.push(sale.lines[0].clone())), "B");
        let all_twice = |sale: &mut Sale| sale.lines.extend_from_within(..);
        assert_eq!(tells(all_twice), "A B");
        let drawn = |sale: &mut Sale| {
            let draw = |id: &str| Draw {
                product_id: id.to_owned(),
                pieces: 1,
            };
            sale.lines[0].draws_on = vec![draw("B"), draw("C")];
        };
        assert_eq!(tells(drawn), "A");
    }
}
