//! Stock moves of our own (在庫移動元店舗, and where Smaregi moves nothing for a sale): each made exactly once, known by its mark in
//! the history's memo. Does not decide what to move.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::{
    error::{Error, Result, Side},
    planted::Planted,
    reason::{Reason, Text},
    rules::source_store::Shift,
    smaregi::{changes, stock},
    sync::{
        call_error::{CallError, Refusal},
        orders::{
            bench::{Bench, Flow},
            effects::{self, GRACE},
            journal,
            records::{Move, SlipRecord},
            restored, settling,
        },
        own,
        smaregi_session::unreadable_answer,
    },
    time::Moment,
};

/// Rows a page of history, and how many pages are searched for a mark at most.
const ROWS: u32 = 100;
const PAGES: u32 = 20;
/// The same where a backup may be days old.
const SOUGHT_ROWS: u32 = 1_000;

/// History older than the attempt by this cannot hold its mark (assumed: clocks differ by less).
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(10);

/// Makes one of the slip's moves, or confirms it when it was tried before; those never tried come first. What Smaregi refused waits.
pub async fn advance(bench: &Bench<'_>, record: &SlipRecord) -> Result<Flow> {
    let open = record.moves.iter().filter(|made| !made.refused);
    let Some(first) = open.min_by_key(|made| made.tried_at.is_some()) else {
        return Ok(Flow::Again);
    };
    if let Some(tried_at) = first
        .tried_at
        .filter(|_| !Planted::MoveDoubledOnRerun.is_on())
    {
        if is_made(bench, &record.slip, first, tried_at).await? {
            return made(bench, &record.slip, first, None);
        }
        if bench.tenant.now() - tried_at < GRACE {
            return Ok(Flow::Leave);
        }
    }
    if let Some(since) = restored::move_sought_since(bench, record, first) {
        return seek(bench, &record.slip, first, since).await;
    }
    make(bench, &record.slip, first).await
}

/// After a restore: one that was made in the time that storage does not know is not made again. Its number may be another there.
async fn seek(bench: &Bench<'_>, slip: &str, first: &Move, since: Moment) -> Result<Flow> {
    let is_it = |memo: &str, amount: Option<Decimal>| {
        let same = amount.is_none_or(|amount| amount == Decimal::from(first.shift.quantity));
        same && own::is_mark_of(memo, slip, first.revision)
    };
    if find(bench, &first.shift, since, SOUGHT_ROWS, is_it).await? {
        return made(bench, slip, first, None);
    }
    let sought = Move {
        sought: true,
        ..first.clone()
    };
    replace(bench, slip, first, &sought)?;
    Ok(Flow::Again)
}

async fn make(bench: &Bench<'_>, slip: &str, first: &Move) -> Result<Flow> {
    let tried_at = bench.tenant.now();
    let tried = Move {
        tried_at: Some(tried_at),
        ..first.clone()
    };
    if !Planted::MoveBeforeIntent.is_on() && !replace(bench, slip, first, &tried)? {
        return Ok(Flow::Again);
    }
    if effects::is_too_late(tried_at, bench.tenant.now()) {
        return Ok(Flow::Leave);
    }
    let shift = &first.shift;
    let request = stock::add(
        &shift.product_id,
        &shift.store_id,
        shift.quantity,
        &mark(slip, first),
    );
    let answer = bench.session.send(&request).await;
    if Planted::MoveBeforeIntent.is_on() && !replace(bench, slip, first, &tried)? {
        return Ok(Flow::Again);
    }
    match answer {
        Ok(answer) => {
            let history_id = stock::decode_added(&answer)
                .ok()
                .map(|added| added.history_id);
            made(bench, slip, &tried, history_id.as_deref())
        }
        Err(CallError::NotDone(error)) => {
            replace(bench, slip, &tried, first)?;
            Err(error)
        }
        Err(CallError::Unknown(error)) => {
            bench.tally.unknown(error);
            Ok(Flow::Leave)
        }
        Err(CallError::Refused(refusal)) => {
            replace(bench, slip, &tried, first)?;
            refused(bench, slip, first, refusal)
        }
    }
}

fn refused(bench: &Bench<'_>, slip: &str, first: &Move, refusal: Refusal) -> Result<Flow> {
    let status = refusal.code.split_whitespace().next().unwrap_or_default();
    if refusal.side != Side::Smaregi || matches!(status, "401" | "403") {
        return Err(Error::Refused(
            refusal.side,
            refusal.code,
            Text::new(refusal.message.clone(), refusal.message),
        ));
    }
    let shift = &first.shift;
    let ja = format!(
        "商品{}の店舗{}での在庫変動({})をスマレジが受け付けませんでした({}: {})。原因を直して、再取込してください。",
        shift.product_id, shift.store_id, shift.quantity, refusal.code, refusal.message
    );
    let en = format!(
        "Smaregi refused to move {} of product {} in store {} ({}: {}). Mend the cause, then retry.",
        shift.quantity, shift.product_id, shift.store_id, refusal.code, refusal.message
    );
    let reason = Reason::new(settling::MOVE_REFUSED, ja, en)
        .field("productId")
        .value(&shift.product_id);
    settling::move_refused(bench, slip, first.number, reason)
}

/// Looks for the move's mark in the history, as far back as the attempt.
async fn is_made(bench: &Bench<'_>, slip: &str, first: &Move, tried_at: Moment) -> Result<bool> {
    let mark = mark(slip, first);
    find(bench, &first.shift, tried_at, ROWS, |memo, _| memo == mark).await
}

/// Looks through the history of a place, newest first, back to a moment.
async fn find(
    bench: &Bench<'_>,
    shift: &Shift,
    since: Moment,
    rows_a_page: u32,
    is_it: impl Fn(&str, Option<Decimal>) -> bool,
) -> Result<bool> {
    for page in 1..=PAGES {
        let answer = bench
            .session
            .send(&changes::newest(
                &shift.product_id,
                &shift.store_id,
                page,
                rows_a_page,
            ))
            .await?;
        let rows = changes::decode(&answer);
        let last = rows.len() < rows_a_page as usize;
        let mut past = false;
        for row in rows {
            let memo = match &row {
                Ok(change) => change.memo.as_deref().unwrap_or_default(),
                // It may be the move: made again, it would be there twice.
                Err(row) => match &row.memo {
                    Some(memo) => memo,
                    None => return Err(unreadable_answer(bench.tenant, &row.reason)),
                },
            };
            if is_it(memo, row.as_ref().ok().map(|change| change.amount)) {
                return Ok(true);
            }
            past |= row.is_ok_and(|change| change.updated_at < since - CLOCKS_DIFFER);
            if past {
                break;
            }
        }
        if last || past {
            break;
        }
    }
    Ok(false)
}

fn made(bench: &Bench<'_>, slip: &str, done: &Move, history_id: Option<&str>) -> Result<Flow> {
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        let before = record.moves.len();
        record.moves.retain(|other| other.number != done.number);
        if record.moves.len() == before {
            return Ok(None);
        }
        record.todo = true;
        let commit = match history_id {
            Some(id) => own::moved(commit, id)?,
            None => commit,
        };
        Ok(Some(commit))
    })?;
    Ok(Flow::Again)
}

/// `false` when the move is no longer as it was seen.
fn replace(bench: &Bench<'_>, slip: &str, seen: &Move, with: &Move) -> Result<bool> {
    journal::change(&bench.tenant.ports, slip, |record, commit| {
        let Some(place) = record.moves.iter_mut().find(|other| *other == seen) else {
            return Ok(None);
        };
        place.clone_from(with);
        Ok(Some(commit))
    })
}

fn mark(slip: &str, first: &Move) -> String {
    own::mark(
        slip,
        first.revision,
        usize::try_from(first.number).unwrap_or(usize::MAX),
    )
}
