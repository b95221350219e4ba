//! Forming a batch: the net difference of each product that may travel, one row a product. Uploads nothing; `deliver` does.
//!
//! A product that may not travel is held with its reason and does not hold up the rest. Holds are looked at again whenever a
//! batch is formed, so what was mended travels with the next one.

use std::collections::HashMap;

use rust_decimal::Decimal;

use crate::{
    error::Result,
    next_engine::goods::{self, Goods},
    reason::Reason,
    rules::{codes, product::Product},
    sync::{
        next_engine_session::NextEngine,
        products,
        smaregi_session::Smaregi,
        stock::records::{
            BOOK_KEY, Batch, BatchRow, BatchState, Book, Held, OPEN_BATCH_KEY, Out, RowResult,
            SentIndex, batch_key, held_key, out_key, sent_key,
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

/// Rows of one batch; settling it writes three records a row, within one commit.
pub const MOST_ROWS: usize = 600;
/// Next Engine's `-in` takes 1 000 values (next-engine.md 0).
const CODES_PER_SEARCH: usize = 1_000;
/// 商品コード in Next Engine: half-width, at most 30 characters (assumed; Smaregi's own limit is 20).
const LONGEST_CODE: usize = 30;

/// A product's difference with its hold, if any.
pub struct Candidate {
    /// The difference.
    pub out: Stored<Out>,
    /// Why it was not sent so far.
    pub held: Option<Stored<Held>>,
}

/// Everything that waits to be sent, held or not.
pub fn candidates(tenant: &Tenant<'_>) -> Result<Vec<Candidate>> {
    let mut held: HashMap<String, Stored<Held>> =
        store::list_all::<Held>(&tenant.ports, "stock/held/")?
            .into_iter()
            .map(|held| (held.key.clone(), held))
            .collect();
    let outs = store::list_all::<Out>(&tenant.ports, "stock/out/")?;
    Ok(outs
        .into_iter()
        .map(|out| Candidate {
            held: held.remove(&held_key(&out.value.product_id)),
            out,
        })
        .collect())
}

/// What a candidate turned out to be.
enum Fit {
    Row(String, Decimal),
    Zero,
    Hold(Reason, Option<String>),
}

/// Forms the next batch of what may travel and writes down what may not. `None` when nothing may.
pub async fn form(
    session: &Smaregi<'_>,
    next_engine: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    mut candidates: Vec<Candidate>,
) -> Result<Option<Batch>> {
    candidates.retain(|candidate| {
        !candidate
            .held
            .as_ref()
            .is_some_and(|held| held.value.needs_person)
    });
    // What was never held goes first; a long tail of unknown codes must not crowd out what sells.
    candidates.sort_by_key(|candidate| (candidate.held.is_some(), candidate.out.value.since));
    candidates.truncate(MOST_ROWS);
    let coded = codes_of(session, tenant, &candidates).await?;
    let wanted: Vec<String> = coded.iter().flatten().cloned().collect();
    let goods = read_goods(next_engine, &wanted).await?;
    let mut rows = Vec::new();
    let mut commit = Commit::new().fence(next_engine.fence());
    for (candidate, code) in candidates.iter().zip(coded) {
        let fit = match code {
            _ if candidate.out.value.quantity == 0 => Fit::Zero,
            Ok(code) => fit(&candidate.out.value, code, &goods),
            Err(reason) => Fit::Hold(reason, None),
        };
        commit = place(tenant, commit, candidate, fit, &mut rows)?;
    }
    finish(tenant, commit, rows)
}

/// Next Engine's code of each candidate, or why it has none.
async fn codes_of(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    candidates: &[Candidate],
) -> Result<Vec<std::result::Result<String, Reason>>> {
    let fresh = candidates.iter().any(|candidate| candidate.held.is_some());
    let ids: Vec<String> = candidates
        .iter()
        .map(|candidate| candidate.out.value.product_id.clone())
        .collect();
    let known = products::resolve_ids(session, tenant, &ids, fresh).await?;
    let smaregi_codes: Vec<String> = known
        .values()
        .flatten()
        .map(|product| product.code.clone())
        .collect();
    let sharing = products::resolve_codes(session, tenant, &smaregi_codes, false).await?;
    Ok(ids
        .iter()
        .map(|id| code_of(tenant, id, known.get(id).and_then(Option::as_ref), &sharing))
        .collect())
}

fn code_of(
    tenant: &Tenant<'_>,
    id: &str,
    product: Option<&Product>,
    sharing: &HashMap<String, Vec<Product>>,
) -> std::result::Result<String, Reason> {
    let product = product.ok_or_else(|| no_product(id))?;
    if !product.stock_managed {
        return Err(not_managed(product));
    }
    let code = codes::to_next_engine(&tenant.settings.stock.codes, product)
        .ok_or_else(|| no_code(product))?;
    if sharing
        .get(&product.code)
        .is_some_and(|products| products.len() > 1)
    {
        return Err(shared_code(&code));
    }
    let plain = code.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if code.chars().count() > LONGEST_CODE || !plain {
        Err(impossible_code(&code))
    } else {
        Ok(code)
    }
}

/// What Next Engine knows of these codes; also finds codes that differ in letter case only.
pub async fn read_goods(next_engine: &mut NextEngine<'_>, codes: &[String]) -> Result<Vec<Goods>> {
    let mut goods = Vec::new();
    for codes in codes.chunks(CODES_PER_SEARCH) {
        let answer = next_engine.send(goods::search(codes)).await?;
        goods.extend(goods::decode(&answer).into_iter().flatten());
    }
    Ok(goods)
}

fn fit(out: &Out, code: String, goods: &[Goods]) -> Fit {
    let Some(known) = goods.iter().find(|goods| goods.code == code) else {
        let other = goods
            .iter()
            .find(|goods| goods.code.eq_ignore_ascii_case(&code));
        return Fit::Hold(
            other.map_or_else(
                || unknown_code(&code),
                |other| letter_case(&code, &other.code),
            ),
            Some(code),
        );
    };
    let missing = known.free.saturating_add(Decimal::from(out.quantity));
    if out.quantity < 0 && missing.is_sign_negative() && !missing.is_zero() {
        return Fit::Hold(free_stock(&code, known.free, out.quantity), Some(code));
    }
    Fit::Row(code, known.stock)
}

fn place(
    tenant: &Tenant<'_>,
    commit: Commit,
    candidate: &Candidate,
    fit: Fit,
    rows: &mut Vec<BatchRow>,
) -> Result<Commit> {
    let out = &candidate.out.value;
    let held = held_key(&out.product_id);
    let row = |code: String, stock_then, result| BatchRow {
        product_id: out.product_id.clone(),
        code,
        quantity: out.quantity,
        stock_then,
        origins: out.origins.clone(),
        stores: out.stores.clone(),
        changes: out.changes.clone(),
        since: out.since,
        result,
    };
    match fit {
        Fit::Hold(reason, code) => {
            let same = candidate
                .held
                .as_ref()
                .is_some_and(|held| held.value.reason == reason);
            let hold = Held {
                reason,
                code,
                since: tenant.now(),
                needs_person: false,
            };
            if same {
                Ok(commit)
            } else {
                commit.put(&held, &hold)
            }
        }
        Fit::Zero => {
            rows.push(row(String::new(), None, RowResult::Zero));
            Ok(commit
                .check(&candidate.out.key, Some(&candidate.out))
                .delete(&candidate.out.key)
                .delete(&held))
        }
        Fit::Row(code, stock) => {
            rows.push(row(code, Some(stock), RowResult::Pending));
            Ok(commit
                .check(&candidate.out.key, Some(&candidate.out))
                .delete(&candidate.out.key)
                .delete(&held))
        }
    }
}

fn finish(tenant: &Tenant<'_>, mut commit: Commit, rows: Vec<BatchRow>) -> Result<Option<Batch>> {
    let now = tenant.now();
    let stored = store::read::<Book>(&tenant.ports, BOOK_KEY)?;
    let mut book = stored
        .as_ref()
        .map_or_else(|| new_book(tenant), |stored| stored.value.clone());
    book.held_looked_at = Some(now);
    if rows.is_empty() {
        commit
            .check(BOOK_KEY, stored.as_ref())
            .put(BOOK_KEY, &book)?
            .apply(&tenant.ports)?;
        return Ok(None);
    }
    let number = book.next;
    let only_zero = rows.iter().all(|row| row.result == RowResult::Zero);
    let batch = Batch {
        number,
        mark: format!("tsunagi-{}-{number}", book.name),
        made_at: now,
        state: if only_zero {
            BatchState::Settled
        } else {
            BatchState::Ready
        },
        queue_id: None,
        queue_message: None,
        next_at: now,
        rows,
    };
    book.next = number.saturating_add(1);
    book.last_made_at = if only_zero {
        book.last_made_at
    } else {
        Some(now)
    };
    commit = commit
        .check(BOOK_KEY, stored.as_ref())
        .put(BOOK_KEY, &book)?
        .put(&batch_key(number), &batch)?;
    commit = commit.put(
        &sent_key(now, &format!("b{number:0>12}")),
        &SentIndex::Batch(number),
    )?;
    if !only_zero {
        commit = commit
            .check_revision(OPEN_BATCH_KEY, None)
            .put(OPEN_BATCH_KEY, &number)?;
    }
    commit.apply(&tenant.ports)?;
    Ok((!only_zero).then_some(batch))
}

fn new_book(tenant: &Tenant<'_>) -> Book {
    // Short, because 入出庫理由 is short; random, because two contracts may share one Next Engine account.
    let name = format!("{:08x}", tenant.ports.random.next() & 0xFFFF_FFFF);
    Book {
        name,
        next: 1,
        last_made_at: None,
        held_looked_at: None,
    }
}

/// Puts one product's difference back under its key, together with what came since. For `deliver`.
pub fn give_back(
    tenant: &Tenant<'_>,
    commit: Commit,
    row: &BatchRow,
    held: Option<&Held>,
) -> Result<Commit> {
    let key = out_key(&row.product_id);
    let seen = store::read::<Out>(&tenant.ports, &key)?;
    let mut out = seen.as_ref().map_or_else(
        || Out::new(&row.product_id, row.since),
        |seen| seen.value.clone(),
    );
    out.take_back(row);
    let commit = commit.check(&key, seen.as_ref()).put(&key, &out)?;
    match held {
        Some(held) => commit.put(&held_key(&row.product_id), held),
        None => Ok(commit),
    }
}

fn no_product(id: &str) -> Reason {
    Reason::new(
        "product-gone",
        "スマレジに商品がありません。商品を戻すか、在庫照合で合わせてください。",
        "Smaregi has no such product any more. Restore it, or align by hand.",
    )
    .field("productId")
    .value(id)
}

fn not_managed(product: &Product) -> Reason {
    Reason::new(
        "stock-not-managed",
        "スマレジで在庫管理をしない商品です。在庫管理を「する」にすると送信されます。",
        "Smaregi does not manage this product's stock. Switch its stock control on to send it.",
    )
    .field("stockControlDivision")
    .value(&product.code)
}

fn no_code(product: &Product) -> Reason {
    Reason::new(
        "no-code",
        "スマレジの商品コードが空です。商品コードを登録するか、コード対応表に加えてください。",
        "The product has no code in Smaregi. Give it one, or add it to the code table.",
    )
    .field("productCode")
    .value(&product.id)
}

fn shared_code(code: &str) -> Reason {
    Reason::new(
        "shared-code",
        "同じ商品コードの商品がスマレジに2つ以上あります。コードを分けてください。",
        "Two or more Smaregi products share this code. Give each its own.",
    )
    .field("productCode")
    .value(code)
}

fn impossible_code(code: &str) -> Reason {
    Reason::new(
        "impossible-code",
        format!("ネクストエンジンの商品コードにできません(半角{LONGEST_CODE}文字まで)。コード対応表に加えてください。"),
        format!("This cannot be a code in Next Engine (half-width, at most {LONGEST_CODE}). Add it to the code table."),
    )
    .field("syohin_code")
    .value(code)
}

fn unknown_code(code: &str) -> Reason {
    Reason::new(
        "unknown-code",
        "ネクストエンジンにこの商品コードがありません。登録すると、待っている変動も送信されます。",
        "Next Engine does not know this code. Once it is registered there, what waits is sent too.",
    )
    .field("syohin_code")
    .value(code)
}

fn letter_case(code: &str, other: &str) -> Reason {
    Reason::new(
        "code-letter-case",
        format!("ネクストエンジンの商品コードは「{other}」で、大文字・小文字が違います。どちらかに揃えてください。"),
        format!("Next Engine writes this code {other}: the letter case differs. Make both the same."),
    )
    .field("syohin_code")
    .value(code)
}

/// For `deliver`, too, where Next Engine found out.
pub fn free_stock(code: &str, free: Decimal, quantity: i64) -> Reason {
    let free = crate::money::text(free);
    Reason::new(
        "free-stock",
        format!("ネクストエンジンのフリー在庫({free})より多くは減らせません({quantity})。引当の解除か入庫を待って送信します。"),
        format!("Next Engine's free stock ({free}) is less than what is to be taken off ({quantity}). It waits for stock there."),
    )
    .field("stock_free_quantity")
    .value(code)
}
