//! 在庫を合わせる: sends what the comparison could not explain, after a preview and a guard. Uploads nothing itself: the lines go into
//! the ledger and travel like any other difference.

use std::collections::HashMap;

use rust_decimal::Decimal;

use crate::{
    error::{Error, Result},
    money,
    reason::Reason,
    settings::Guard,
    sync::{
        products,
        report::{Alignment, AlignmentLine, Comparison, ComparisonLine},
        smaregi_session::Smaregi,
        stock::{
            compare::compare,
            records::{Origin, Out, out_key},
        },
        store::{self, Commit},
        tenant::Tenant,
    },
};

/// Counts alignments, so that of two at the same time only one is queued.
const COUNTER_KEY: &str = "stock/alignments";
/// Lines of one alignment; each takes a check and a write.
const MOST_LINES: usize = 900;

/// Previews or queues an alignment. See `wit/stock.wit`.
pub async fn align(
    tenant: &Tenant<'_>,
    codes: &[String],
    confirmed: bool,
    over_guard: bool,
) -> Result<Alignment> {
    let counter = store::read::<u64>(&tenant.ports, COUNTER_KEY)?;
    let comparison = compare(tenant).await?;
    if let Some(unknown) = codes
        .iter()
        .find(|code| !comparison.lines.iter().any(|line| line.code == **code))
    {
        return Err(Error::NotFound("product", unknown.clone()));
    }
    let wanted: Vec<&ComparisonLine> = comparison
        .lines
        .iter()
        .filter(|line| is_wanted(line, codes))
        .take(MOST_LINES)
        .collect();
    let lines = wanted
        .iter()
        .map(|line| AlignmentLine {
            code: line.code.clone(),
            quantity: line.unexplained,
        })
        .collect();
    let guard = guard(&tenant.settings.stock.guard, &comparison, &wanted).filter(|_| !over_guard);
    let mut alignment = Alignment {
        lines,
        queued: false,
        guard,
    };
    if confirmed && alignment.guard.is_none() && !wanted.is_empty() {
        queue(
            tenant,
            &wanted,
            counter.map(|counter| (counter.revision, counter.value)),
        )
        .await?;
        alignment.queued = true;
    }
    Ok(alignment)
}

/// Only products that both sides know, by a whole number: an unknown code would make a new product there.
fn is_wanted(line: &ComparisonLine, codes: &[String]) -> bool {
    let both = line.smaregi.is_some() && line.next_engine.is_some();
    let named = codes.is_empty() || codes.contains(&line.code);
    both && named && !line.unexplained.is_zero() && money::whole(line.unexplained).is_some()
}

fn guard(guard: &Guard, comparison: &Comparison, wanted: &[&ComparisonLine]) -> Option<Reason> {
    let to_zero = wanted
        .iter()
        .filter(|line| {
            line.smaregi
                .is_some_and(|quantity| quantity <= Decimal::ZERO)
        })
        .count();
    let compared = comparison
        .lines
        .iter()
        .filter(|line| line.smaregi.is_some() && line.next_engine.is_some())
        .count();
    let moved = wanted.len().saturating_mul(100);
    let too_many_to_zero = to_zero > guard.products_to_zero as usize;
    let too_many = moved > compared.saturating_mul(guard.moved_percent as usize);
    (too_many_to_zero || too_many).then(|| {
        Reason::new(
            "guard",
            format!("{}商品を動かし、うち{to_zero}商品が0以下になります。内容を確かめ、続ける場合は確認のうえ実行してください。", wanted.len()),
            format!("This moves {} products and brings {to_zero} to zero or below. Check it; to go on, say so explicitly.", wanted.len()),
        )
    })
}

async fn queue(
    tenant: &Tenant<'_>,
    wanted: &[&ComparisonLine],
    counter: Option<(u64, u64)>,
) -> Result<()> {
    let ids = product_ids(tenant, wanted).await?;
    let number = counter.map_or(1, |(_, last)| last.saturating_add(1));
    let mut commit = Commit::new()
        .check_revision(COUNTER_KEY, counter.map(|(revision, _)| revision))
        .put(COUNTER_KEY, &number)?;
    for line in wanted {
        let (Some(product_id), Some(quantity)) =
            (ids.get(&line.code), money::whole(line.unexplained))
        else {
            continue;
        };
        let key = out_key(product_id);
        let seen = store::read::<Out>(&tenant.ports, &key)?;
        let mut out = seen.as_ref().map_or_else(
            || Out::new(product_id, tenant.now()),
            |seen| seen.value.clone(),
        );
        out.add(quantity, Origin::Alignment, "", &format!("align-{number}"));
        commit = commit.check(&key, seen.as_ref()).put(&key, &out)?;
    }
    if commit.try_apply(&tenant.ports)? {
        return Ok(());
    }
    Err(Error::Contended("stock/out".to_owned(), tenant.now()))
}

/// 商品ID by Next Engine's code.
async fn product_ids(
    tenant: &Tenant<'_>,
    wanted: &[&ComparisonLine],
) -> Result<HashMap<String, String>> {
    use crate::rules::codes::{self, SmaregiKey};
    let rule = &tenant.settings.stock.codes;
    let session = Smaregi::open(tenant).await?;
    let mut ids = HashMap::new();
    let mut by_code = Vec::new();
    for line in wanted {
        match codes::to_smaregi(rule, &line.code) {
            Some(SmaregiKey::Id(id)) => {
                ids.insert(line.code.clone(), id);
            }
            Some(SmaregiKey::Code(code)) => by_code.push((line.code.clone(), code)),
            None => {}
        }
    }
    let codes: Vec<String> = by_code.iter().map(|(_, code)| code.clone()).collect();
    let known = products::resolve_codes(&session, tenant, &codes, false).await?;
    for (line, code) in by_code {
        if let Some([product]) = known.get(&code).map(Vec::as_slice) {
            ids.insert(line, product.id.clone());
        }
    }
    Ok(ids)
}
