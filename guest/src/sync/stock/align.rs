//! 在庫を合わせる: sends what the comparison could not explain, after a preview and a guard. Uploads nothing itself: the lines go into
//! the ledger and travel like any other difference.

use rust_decimal::Decimal;

use crate::{
    error::{Error, Result, Side},
    money,
    reason::{Reason, Text},
    settings::Guard,
    sync::{
        connection, orders,
        report::{Alignment, AlignmentLine, Comparison, ComparisonLine, LeftOut, SendProgress},
        stock::{
            self, catch_up,
            compare::{self, Compared},
            reasons,
            records::{Held, Origin, Out, Tried, held_key, out_key, tried_key},
            unsettled::{Snapshot, Unsettled, moved_meanwhile},
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

/// Counts alignments, so that of two at the same time only one is queued.
const COUNTER_KEY: &str = "stock/alignments";
/// Lines of one commit; each takes up to five checks and writes.
const LINES_PER_COMMIT: usize = 300;

/// Previews or queues an alignment. See `wit/stock.wit`.
///
/// What is queued must be in neither side's books on its way already. So everything known to move is read and decided first, then
/// both sides are compared, and then everything is read once more: whatever moved in between is left out.
pub async fn align(
    tenant: &Tenant<'_>,
    codes: &[String],
    confirmed: bool,
    over_guard: bool,
) -> Result<Alignment> {
    let counter = store::read::<u64>(&tenant.ports, COUNTER_KEY)?;
    if confirmed {
        bring_up_to_date(tenant).await?;
    }
    let before = Snapshot::read(tenant)?;
    let compared = compare::whole(tenant).await?;
    let lines = &compared.comparison.lines;
    if let Some(unknown) = codes
        .iter()
        .find(|code| !lines.iter().any(|line| line.code == **code))
    {
        return Err(Error::NotFound("product", unknown.clone()));
    }
    if confirmed {
        bring_up_to_date(tenant).await?;
    }
    let now = Unsettled::read(tenant)?;
    let after = Snapshot::read(tenant)?;
    let rests = |code: &str, product: &str| {
        let moving = compared.unsettled.reason(code, Some(product));
        match moving.or_else(|| now.reason(code, Some(product))) {
            Some(reason) => Err(reason.clone()),
            None if before.is_same(&after, product) => Ok(()),
            None => Err(moved_meanwhile()),
        }
    };
    let (moves, left_out) = sort_out(&compared, codes, rests);
    let guard =
        guard(&tenant.settings.stock.guard, &compared.comparison, &moves).filter(|_| !over_guard);
    let mut alignment = Alignment {
        lines: moves.iter().map(Move::line).collect(),
        left_out,
        queued: false,
        guard,
    };
    if confirmed && alignment.guard.is_none() && !moves.is_empty() {
        let queued = queue(tenant, &moves, counter, &before, &mut alignment.left_out)?;
        alignment.queued = !queued.is_empty();
        alignment.lines = queued;
    }
    Ok(alignment)
}

/// Reads and decides everything that is known to have moved on either side. Nothing is queued while the link is off: what moves then
/// is found only when it is switched on, and would travel once more.
async fn bring_up_to_date(tenant: &Tenant<'_>) -> Result<()> {
    let link = connection::link(&tenant.ports)?;
    if !link.on {
        let message = Text::new(
            "連携がオフです。オンにしてから合わせてください。",
            "The link is off. Switch it on first.",
        );
        return Err(Error::NotConnected(Side::NextEngine, message));
    }
    let shops = &tenant.settings.orders.receiving_stores;
    let shops: Vec<String> = shops.iter().map(|store| store.shop_id.clone()).collect();
    if !shops.is_empty() {
        orders::import_due(tenant, &shops).await?;
    }
    // Asked for, so that every store is looked at, whether it is due or not.
    catch_up::look_at_once(tenant, Some(tenant.now())).await?;
    stock::read(tenant, &mut SendProgress::default()).await
}

/// One product that is moved.
struct Move<'a> {
    line: &'a ComparisonLine,
    product_id: &'a str,
    quantity: i64,
}

impl Move<'_> {
    fn line(&self) -> AlignmentLine {
        AlignmentLine {
            code: self.line.code.clone(),
            quantity: Decimal::from(self.quantity),
        }
    }
}

/// What is to be moved, and what is left alone for now. Only products that both sides know: an unknown code would make a new product
/// there.
fn sort_out<'a>(
    compared: &'a Compared,
    codes: &[String],
    rests: impl Fn(&str, &str) -> std::result::Result<(), Reason>,
) -> (Vec<Move<'a>>, Vec<LeftOut>) {
    let (mut moves, mut left_out) = (Vec::new(), Vec::new());
    let named = |line: &&ComparisonLine| codes.is_empty() || codes.contains(&line.code);
    for line in compared.comparison.lines.iter().filter(named) {
        if let Some(reason) = compared.unread.get(&line.code) {
            let (code, reason) = (line.code.clone(), reason.clone());
            left_out.push(LeftOut { code, reason });
            continue;
        }
        if line.smaregi.is_none() || line.next_engine.is_none() {
            let told = line.explanations.first().filter(|_| !codes.is_empty());
            left_out.extend(told.map(|only| LeftOut {
                code: line.code.clone(),
                reason: only.reason.clone(),
            }));
            continue;
        }
        let code = &line.code;
        let product = compared.products.get(code);
        let unclear = compared.unclear.get(code).copied();
        let rest = unclear.map_or(line.unexplained, |rest| rest.trunc());
        let settled = product.map_or(Ok(()), |product| rests(code, product));
        let reason = match (product, settled) {
            (Some(product_id), Ok(())) => {
                let quantity = money::whole(rest).unwrap_or_default();
                if quantity != 0 || unclear.is_some() {
                    moves.push(Move {
                        line,
                        product_id,
                        quantity,
                    });
                }
                continue;
            }
            (_, Err(reason)) => reason,
            (None, Ok(())) if rest.is_zero() => continue,
            (None, Ok(())) => reasons::shared_code(code),
        };
        // Named products are always told of; of the rest only those that differ.
        if !codes.is_empty() || !line.difference.is_zero() {
            let code = code.clone();
            left_out.push(LeftOut { code, reason });
        }
    }
    (moves, left_out)
}

fn guard(guard: &Guard, comparison: &Comparison, moves: &[Move<'_>]) -> Option<Reason> {
    let to_zero = moves
        .iter()
        .filter(|moved| {
            let smaregi = moved.line.smaregi;
            smaregi.is_some_and(|quantity| quantity <= Decimal::ZERO)
        })
        .count();
    let compared = comparison
        .lines
        .iter()
        .filter(|line| line.smaregi.is_some() && line.next_engine.is_some())
        .count();
    let moved = moves.len().saturating_mul(100);
    let too_many_to_zero = to_zero > guard.products_to_zero as usize;
    let too_many = moved > compared.saturating_mul(guard.moved_percent as usize);
    (too_many_to_zero || too_many).then(|| {
        Reason::new(
            "guard",
            format!("{}商品を動かし、うち{to_zero}商品が0以下になります。内容を確かめ、続ける場合は確認のうえ実行してください。", moves.len()),
            format!("This moves {} products and brings {to_zero} to zero or below. Check it; to go on, say so explicitly.", moves.len()),
        )
    })
}

/// Queues the moves, some at a time, and returns those that were; what changed meanwhile is left out. Another alignment in between ends it.
fn queue(
    tenant: &Tenant<'_>,
    moves: &[Move<'_>],
    counter: Option<Stored<u64>>,
    before: &Snapshot,
    left_out: &mut Vec<LeftOut>,
) -> Result<Vec<AlignmentLine>> {
    let mut queued = Vec::new();
    let mut counter = counter;
    for chunk in moves.chunks(LINES_PER_COMMIT) {
        let number = counter
            .as_ref()
            .map_or(1, |seen| seen.value.saturating_add(1));
        let mut commit = Commit::new()
            .check(COUNTER_KEY, counter.as_ref())
            .put(COUNTER_KEY, &number)?;
        let mut lines = Vec::new();
        for moved in chunk {
            let key = out_key(moved.product_id);
            let seen = store::read::<Out>(&tenant.ports, &key)?;
            if seen.as_ref().map(|seen| seen.revision) != before.out(moved.product_id) {
                let code = moved.line.code.clone();
                let reason = moved_meanwhile();
                left_out.push(LeftOut { code, reason });
                continue;
            }
            commit = put_move(tenant, commit, moved, seen, number)?;
            lines.push(moved.line());
        }
        if !commit.try_apply(&tenant.ports)? {
            if queued.is_empty() {
                return Err(Error::Contended("stock/out".to_owned(), tenant.now()));
            }
            let changed = chunk.iter().map(|moved| LeftOut {
                code: moved.line.code.clone(),
                reason: moved_meanwhile(),
            });
            left_out.extend(changed);
            break;
        }
        queued.extend(lines);
        counter = store::read::<u64>(&tenant.ports, COUNTER_KEY)?;
        if counter.as_ref().is_none_or(|seen| seen.value != number) {
            break;
        }
    }
    Ok(queued)
}

/// One move into the ledger. It settles an upload of the product that left no movement, and the hold that told of it: both sides were
/// compared with whatever that upload did.
fn put_move(
    tenant: &Tenant<'_>,
    commit: Commit,
    moved: &Move<'_>,
    seen: Option<Stored<Out>>,
    number: u64,
) -> Result<Commit> {
    let id = moved.product_id;
    let tried = store::read::<Tried>(&tenant.ports, &tried_key(id))?;
    let held = store::read::<Held>(&tenant.ports, &held_key(id))?;
    let mut out = seen
        .as_ref()
        .map_or_else(|| Out::new(id, tenant.now()), |seen| seen.value.clone());
    if moved.quantity != 0 {
        let change = format!("align-{number}");
        out.add(moved.quantity, Origin::Alignment, "", &change);
    }
    let key = out_key(id);
    let mut commit = commit.check(&key, seen.as_ref()).put(&key, &out)?;
    let unclear = tried.as_ref().is_some_and(|tried| tried.value.apart);
    if let Some(tried) = &tried {
        commit = commit.check(&tried.key, Some(tried)).delete(&tried.key);
    }
    let asks = |held: &Stored<Held>| unclear || held.value.reason.code == reasons::APPLIED_WRONG;
    Ok(match held.filter(asks) {
        Some(held) => commit.delete(&held.key),
        None => commit,
    })
}
