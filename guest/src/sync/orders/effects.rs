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
            settling,
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
        look: None,
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
        look: None,
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
    let intent = Intent {
        look: begun,
        ..intent
    };
    drive(bench, slip, None, intent).await
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
        return finish_look(bench, flow).await;
    }
    if bench.tenant.now() - intent.tried_at < GRACE {
        return Ok(Flow::Leave);
    }
    let again = Intent {
        tried_at: bench.tenant.now(),
        uncertain: true,
        ..intent.clone()
    };
    drive(bench, slip, Some(&intent), again).await
}

/// A look that a settlement left is finished at once.
async fn finish_look(bench: &Bench<'_>, flow: Flow) -> Result<Flow> {
    own::pending_looks(bench.session, bench.tenant).await?;
    Ok(flow)
}

/// Tries an intent, and the other way of undoing when the first is refused.
async fn drive(
    bench: &Bench<'_>,
    slip: &str,
    seen: Option<&Intent>,
    intent: Intent,
) -> Result<Flow> {
    let looks = intent.look.is_some();
    let flow = attempt(bench, slip, seen, intent).await?;
    if looks && flow == Flow::Again {
        return finish_look(bench, flow).await;
    }
    Ok(flow)
}

async fn attempt(
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
                return settling::refused(bench, slip, &intent, refusal_reason(&intent, &refusal));
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
        Ok(transaction_id) => settling::registered(bench, slip, intent, &transaction_id),
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
    let found = transactions::decode_found(&answer, &identity.uuid);
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
    let Some(first) = found.first() else {
        return Ok(None);
    };
    let flow = settling::registered(bench, slip, intent, &first.id)?;
    let same = first
        .total
        .is_none_or(|total| total == rust_decimal::Decimal::from(intent.sale.total));
    if !same {
        let reason = another_total(&first.id, first.total, intent.sale.total);
        settling::needs_person(bench, slip, reason)?;
    } else if found.len() > 1 {
        settling::needs_person(bench, slip, twice(found))?;
    }
    Ok(Some(flow))
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
        // It was begun for the first way.
        look: None,
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

fn refusal_reason(intent: &Intent, refusal: &Refusal) -> Reason {
    let (code, doing, doing_en) = match intent.act {
        Act::Register => ("smaregi-refused", "取引登録", "registration"),
        _ => (
            "cannot-undo",
            "取引の取消と返品取消",
            "cancellation and the return",
        ),
    };
    let ja = format!(
        "スマレジが{doing}を受け付けませんでした({}: {})。スマレジで確認してください。",
        refusal.code, refusal.message
    );
    let en = format!(
        "Smaregi refused the {doing_en} ({}: {}). Look there.",
        refusal.code, refusal.message
    );
    Reason::new(code, ja, en)
}

fn another_total(id: &str, found: Option<rust_decimal::Decimal>, ours: i64) -> Reason {
    let found = found.map(crate::money::text).unwrap_or_default();
    let ja = format!(
        "スマレジの取引{id}の合計は{found}円で、この受注の{ours}円と異なります。スマレジで確認してください。"
    );
    let en =
        format!("Transaction {id} in Smaregi has a total of {found} yen, not {ours}. Look there.");
    Reason::new("another-total", ja, en)
        .field("total")
        .value(found)
}

fn twice(found: &[Found]) -> Reason {
    let ids: Vec<&str> = found.iter().map(|found| found.id.as_str()).collect();
    let ids = ids.join(", ");
    let ja =
        format!("この受注の取引がスマレジに複数あります({ids})。一つを残して取り消してください。");
    Reason::new(
        "registered-twice",
        ja,
        format!("Smaregi has this order several times ({ids}). Cancel all but one."),
    )
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
