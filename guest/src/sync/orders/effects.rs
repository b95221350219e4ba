//! Registering and undoing transactions, each exactly once: intent, attempt, settlement; a lost answer is looked up before it is
//! tried again. Decides neither what to register nor why to undo.

use chrono::TimeDelta;

use crate::{
    error::{Error, Result, Side},
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
            settling, words,
        },
        own::{self, Kind, Look},
        store::Commit,
    },
};

/// An attempt without an answer may still arrive within this (assumed; far above the time-outs of a request).
pub const GRACE: TimeDelta = TimeDelta::minutes(2);

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
        revision: record.revision.saturating_add(1),
        sale: records::without_names(&sale),
        made_from: record.order.clone(),
        transaction_id: None,
        tried_at: bench.tenant.now(),
        uncertain: false,
        second_way: false,
        why: None,
    };
    looked(bench, &record.slip, intent, look).await
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
        act: if undoing == Undoing::Cancel {
            Act::Cancel
        } else {
            Act::Dispose
        },
        revision: registered.revision,
        sale: registered.sale.clone(),
        made_from: None,
        transaction_id: Some(registered.transaction_id.clone()),
        tried_at: bench.tenant.now(),
        uncertain: false,
        second_way: false,
        why: Some(why),
    };
    looked(bench, &record.slip, intent, look).await
}

/// The first effect of a kind is looked at, before and after, to learn what it does to stock.
async fn looked(bench: &Bench<'_>, slip: &str, intent: Intent, look: bool) -> Result<Flow> {
    let kind = intent.act.kind();
    let touched = pieces(&by_itself(intent.act, &intent.sale));
    if own::would_disturb(bench.tenant, kind, &touched)? {
        return Ok(Flow::Leave);
    }
    let begun = if look {
        begin_look(bench, kind, &intent).await?
    } else {
        None
    };
    let flow = drive(bench, slip, None, intent).await?;
    if let Some(begun) = begun.filter(|_| flow == Flow::Again) {
        own::finish_look(bench.session, bench.tenant, begun).await?;
    }
    Ok(flow)
}

async fn begin_look(bench: &Bench<'_>, kind: Kind, intent: &Intent) -> Result<Option<Look>> {
    // One row a line is as likely as one row a product, so only a product on a single line tells.
    let lone = |id: &str| {
        intent
            .sale
            .lines
            .iter()
            .filter(|line| line.product_id == id)
            .count()
            == 1
    };
    let shifts = by_itself(intent.act, &intent.sale);
    let Some(piece) = pieces(&shifts)
        .into_iter()
        .find(|piece| lone(&piece.product_id))
    else {
        return Ok(None);
    };
    own::begin_look(bench.session, bench.tenant, kind, &piece).await
}

/// Finds out what became of an intent met in storage, and finishes it.
pub async fn resolve(bench: &Bench<'_>, slip: &str, intent: Intent) -> Result<Flow> {
    if let Some(flow) = look_up(bench, slip, &intent).await? {
        return Ok(flow);
    }
    if bench.tenant.now() - intent.tried_at < GRACE {
        return Ok(Flow::Leave);
    }
    if intent.act == Act::Register && let_go(bench, slip, &intent)? {
        return Ok(Flow::Again);
    }
    let again = Intent {
        tried_at: bench.tenant.now(),
        uncertain: true,
        ..intent.clone()
    };
    drive(bench, slip, Some(&intent), again).await
}

/// Lets go of a registration that never arrived, if its order says something else by now: it is planned anew, as the same revision,
/// so that an attempt that should arrive after all is found by its identity.
fn let_go(bench: &Bench<'_>, slip: &str, intent: &Intent) -> Result<bool> {
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        let orders = record.order.as_ref().zip(intent.made_from.as_ref());
        let same = orders.is_none_or(|(now, then)| now.says_same(then));
        if record.intent.as_ref() != Some(intent) || same && record.unreadable.is_none() {
            return Ok(None);
        }
        settling::forget(record, commit, intent).map(Some)
    })
}

/// Tries an intent, and the other way of undoing when the first is refused.
async fn drive(
    bench: &Bench<'_>,
    slip: &str,
    seen: Option<&Intent>,
    intent: Intent,
) -> Result<Flow> {
    let mut seen = seen.cloned();
    let mut intent = intent;
    while begin(bench, slip, seen.as_ref(), &intent)? {
        let refusal = match bench.session.send(&request(bench, slip, &intent)).await {
            Ok(answer) => return answered(bench, slip, &intent, &answer),
            Err(CallError::Refused(refusal)) => refusal,
            Err(CallError::NotDone(error)) => {
                take_back(bench, slip, &intent)?;
                return Err(error);
            }
            Err(CallError::Unknown(error)) => {
                bench.tally.unknown(error);
                return Ok(Flow::Leave);
            }
        };
        if is_ours(&refusal, intent.act) {
            take_back(bench, slip, &intent)?;
            return Err(Error::Refused(
                refusal.side,
                refusal.code,
                Text::new(refusal.message.clone(), refusal.message),
            ));
        }
        if let Some(flow) = look_up(bench, slip, &intent).await? {
            return Ok(flow);
        }
        match other_way(bench, &intent) {
            Some(other) => (seen, intent) = (Some(intent), other),
            None => {
                let reason = words::refused(slip, &intent, &refusal);
                return settling::refused(bench, slip, &intent, reason);
            }
        }
    }
    Ok(Flow::Again)
}

/// Commits an intent in the place of `seen`. `false` when the slip is no longer as it was planned.
fn begin(bench: &Bench<'_>, slip: &str, seen: Option<&Intent>, intent: &Intent) -> Result<bool> {
    let kind = intent.act.kind();
    let pieces = pieces(&by_itself(intent.act, &intent.sale));
    journal::change(&bench.tenant.ports, slip, |record, mut commit| {
        let registered = record
            .registered
            .as_ref()
            .map(|registered| registered.revision);
        let fits = match intent.act {
            Act::Register => registered.is_none(),
            _ => registered == Some(intent.revision),
        };
        let fresh =
            seen.is_some() || intent.act != Act::Register || record.order == intent.made_from;
        if record.intent.as_ref() != seen || !fits || !fresh {
            return Ok(None);
        }
        let work = work_name(slip, intent.revision);
        if let Some(seen) = seen.filter(|seen| seen.act != intent.act) {
            commit = own::drop(commit, &work, seen.act.kind(), &pieces);
        }
        record.revision = record.revision.max(intent.revision);
        record.intent = Some(intent.clone());
        record.todo = true;
        own::open(commit, &work, kind, &pieces).map(Some)
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

fn answered(
    bench: &Bench<'_>,
    slip: &str,
    intent: &Intent,
    answer: &serde_json::Value,
) -> Result<Flow> {
    if intent.act != Act::Register {
        return settling::undone(bench, slip, intent);
    }
    match transactions::decode_registered(answer) {
        Ok(transaction_id) => settling::registered(bench, slip, intent, &transaction_id, None),
        // Success without an id: the next look-up finds it by our own.
        Err(_) => Ok(Flow::Leave),
    }
}

/// Certainly nothing happened in this attempt; an earlier, uncertain one stays to be looked up.
fn take_back(bench: &Bench<'_>, slip: &str, intent: &Intent) -> Result<()> {
    if intent.uncertain {
        return Ok(());
    }
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
    let identity = identity_of(slip, intent);
    let answer = bench
        .session
        .send(&transactions::find(
            &identity.uuid,
            identity.terminal_tran_at,
        ))
        .await?;
    let found = transactions::decode_found(&answer, &identity);
    match intent.act {
        Act::Register => found_sale(bench, slip, intent, &found),
        _ => {
            let transaction = found
                .iter()
                .find(|found| Some(&found.id) == intent.transaction_id.as_ref());
            let gone = transaction.is_some_and(|found| found.cancelled || found.disposed);
            gone.then(|| settling::undone(bench, slip, intent))
                .transpose()
        }
    }
}

fn found_sale(
    bench: &Bench<'_>,
    slip: &str,
    intent: &Intent,
    found: &[Found],
) -> Result<Option<Flow>> {
    let mut standing = found
        .iter()
        .filter(|found| !found.cancelled && !found.disposed);
    let (first, second) = (standing.next(), standing.next());
    let Some(ours) = first.or(found.first()) else {
        return Ok(None);
    };
    let total = rust_decimal::Decimal::from(intent.sale.total);
    let notice = if first.is_none() {
        Some(words::gone(&ours.id))
    } else if second.is_some() {
        Some(words::twice(found))
    } else if ours.total.is_some_and(|found| found != total) {
        Some(words::another_total(
            &ours.id,
            ours.total,
            intent.sale.total,
        ))
    } else {
        None
    };
    settling::registered(bench, slip, intent, &ours.id, notice).map(Some)
}

/// The other way of undoing, once.
fn other_way(bench: &Bench<'_>, intent: &Intent) -> Option<Intent> {
    let act = match intent.act {
        Act::Cancel => Act::Dispose,
        Act::Dispose => Act::Cancel,
        Act::Register => return None,
    };
    let other = Intent {
        act,
        second_way: true,
        uncertain: false,
        tried_at: bench.tenant.now(),
        ..intent.clone()
    };
    (!intent.second_way).then_some(other)
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
    let pieces = pieces(&by_itself(intent.act, &intent.sale));
    own::drop(
        commit,
        &work_name(slip, intent.revision),
        intent.act.kind(),
        &pieces,
    )
}
