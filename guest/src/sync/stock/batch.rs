//! Forming a batch: the net difference of each product that may travel, one row a product. Uploads nothing; `deliver` does.
//!
//! A product that may not travel is held with its reason and does not hold up the rest. Holds are looked at again whenever a
//! batch is formed, so what was mended travels with the next one.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::{
    error::Result,
    next_engine::goods::{self, Goods},
    planted::Planted,
    ports::Ports,
    reason::Reason,
    rules::{codes, product::Product, upload_outcome},
    sync::{
        daily::{self, Counter, Days},
        next_engine_session::NextEngine,
        products,
        smaregi_session::Smaregi,
        stock::{
            marks::{self, Checked},
            reasons,
            records::{
                BOOK_KEY, Batch, BatchRow, BatchState, Book, Held, OPEN_BATCH_KEY, Out, RowResult,
                SentIndex, batch_key, batch_tail, held_key, out_key, sent_key,
            },
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::{self, Moment},
    wire::Value,
};

/// Rows of one batch; forming it checks or writes three records a row, within one commit.
pub const MOST_ROWS: usize = 600;
/// What forming or settling a batch may check and write, out of the 2 000 that storage takes; the rest is for the batch itself.
pub const MOST_OPERATIONS: usize = 1_900;
/// A batch is one value of at most 1 MiB; what becomes of a row adds a reason to it.
const MOST_BYTES: usize = 900_000;
const BYTES_FOR_A_REASON: usize = 700;
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

impl Candidate {
    /// Whether it goes with the next batch; otherwise it is held.
    pub fn is_free(&self, now: Moment) -> bool {
        self.held.as_ref().is_none_or(|held| {
            !held.value.needs_person && held.value.again_at.is_some_and(|at| at <= now)
        })
    }

    /// Whether it is to be looked at now: not what waits for a person or for its time.
    fn has_its_turn(&self, now: Moment) -> bool {
        self.held.as_ref().is_none_or(|held| {
            !held.value.needs_person && held.value.again_at.is_none_or(|at| at <= now)
        })
    }

    /// What is free goes first, oldest first; a long tail of unknown codes must not crowd out what sells. Then whoever was not
    /// looked at for longest.
    fn rank(&self, now: Moment) -> (bool, Moment) {
        match &self.held {
            Some(held) if !self.is_free(now) => (true, held.value.looked_at),
            _ => (false, self.out.value.since),
        }
    }
}

/// Everything that waits to be sent, held or not.
pub fn candidates(tenant: &Tenant<'_>) -> Result<Vec<Candidate>> {
    let mut held: BTreeMap<String, Stored<Held>> =
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

/// When the next held product goes again by itself.
pub fn next_again(candidates: &[Candidate], now: Moment) -> Option<Moment> {
    let times = candidates
        .iter()
        .filter_map(|candidate| candidate.held.as_ref()?.value.again_at);
    times.filter(|at| *at > now).min()
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
    let now = tenant.now();
    let most = book(tenant)?.1.most_rows;
    candidates.retain(|candidate| candidate.has_its_turn(now));
    candidates.sort_by_key(|candidate| candidate.rank(now));
    candidates.truncate(most);
    let candidates = marks::recheck(next_engine, tenant, candidates).await?;
    let coded = codes_of(session, tenant, &candidates).await?;
    let wanted: Vec<String> = coded.iter().flatten().cloned().collect();
    let known = read_goods(next_engine, &wanted).await?.goods;
    let mut draft = Draft {
        rows: Vec::new(),
        bytes: 0,
        commit: Commit::new().fence(next_engine.fence()),
    };
    for (checked, code) in candidates.iter().zip(coded) {
        let out = &checked.candidate.out.value;
        let fit = match code {
            _ if out.quantity == 0 => Fit::Zero,
            Ok(code) => fit(out, code, &known),
            Err(reason) => Fit::Hold(reason, None),
        };
        if draft.is_full() {
            break;
        }
        if Planted::NeighboursStopped.is_on() && matches!(fit, Fit::Hold(..)) {
            return Ok(None);
        }
        draft = draft.place(tenant, checked, fit)?;
    }
    finish(tenant, draft)
}

/// Next Engine's code of each candidate, or why it has none.
async fn codes_of(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    candidates: &[Checked],
) -> Result<Vec<std::result::Result<String, Reason>>> {
    let fresh = candidates
        .iter()
        .any(|checked| checked.candidate.held.is_some());
    let ids: Vec<String> = candidates
        .iter()
        .map(|checked| checked.candidate.out.value.product_id.clone())
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
    sharing: &BTreeMap<String, Vec<Product>>,
) -> std::result::Result<String, Reason> {
    let product = product.ok_or_else(|| reasons::no_product(id))?;
    if !product.stock_managed {
        return Err(reasons::not_managed(product));
    }
    let code = codes::to_next_engine(&tenant.settings.stock.codes, product)
        .ok_or_else(|| reasons::no_code(product))?;
    if sharing
        .get(&product.code)
        .is_some_and(|products| products.len() > 1)
    {
        return Err(reasons::shared_code(&code));
    }
    let plain = code.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if code.chars().count() > LONGEST_CODE || !plain {
        Err(reasons::impossible_code(&code, LONGEST_CODE))
    } else {
        Ok(code)
    }
}

/// What Next Engine knows of some codes.
#[derive(Default)]
pub struct Known {
    /// The products; also those whose codes differ in letter case only.
    pub goods: Vec<Goods>,
    /// Some could not be read: what is missing may be among them.
    pub unreadable: bool,
}

impl Known {
    fn take(&mut self, answer: &Value) {
        for goods in goods::decode(answer) {
            match goods {
                Ok(goods) => self.goods.push(goods),
                Err(_) => self.unreadable = true,
            }
        }
    }
}

/// Asks Next Engine for these codes. One with a comma cannot be in a list and is asked for by itself.
pub async fn read_goods(next_engine: &mut NextEngine<'_>, codes: &[String]) -> Result<Known> {
    let (alone, listed): (Vec<String>, Vec<String>) =
        codes.iter().cloned().partition(|code| code.contains(','));
    let mut known = Known::default();
    for codes in listed.chunks(CODES_PER_SEARCH) {
        known.take(&next_engine.send(goods::search(codes)).await?);
    }
    for code in &alone {
        known.take(&next_engine.send(goods::one(code)).await?);
    }
    Ok(known)
}

fn fit(out: &Out, code: String, goods: &[Goods]) -> Fit {
    let Some(known) = goods.iter().find(|goods| goods.code == code) else {
        let other = goods
            .iter()
            .find(|goods| goods.code.eq_ignore_ascii_case(&code));
        return Fit::Hold(
            other.map_or_else(
                || reasons::unknown_code(&code),
                |other| reasons::letter_case(&code, &other.code),
            ),
            Some(code),
        );
    };
    if upload_outcome::is_short(known.free, out.quantity) {
        let reason = reasons::free_stock(&code, known.free, out.quantity);
        return Fit::Hold(reason, Some(code));
    }
    Fit::Row(code, known.stock)
}

/// A batch being put together.
struct Draft {
    rows: Vec<BatchRow>,
    bytes: usize,
    commit: Commit,
}

impl Draft {
    fn is_full(&self) -> bool {
        self.commit.len() >= MOST_OPERATIONS || self.bytes >= MOST_BYTES
    }

    fn place(mut self, tenant: &Tenant<'_>, checked: &Checked, fit: Fit) -> Result<Self> {
        let now = tenant.now();
        let Candidate { out, held } = &checked.candidate;
        let held_key = held_key(&out.value.product_id);
        let (code, stock_then, result) = match fit {
            Fit::Hold(reason, code) => {
                let same = held.as_ref().filter(|held| held.value.reason == reason);
                let hold = Held {
                    reason,
                    code,
                    since: same.map_or(now, |held| held.value.since),
                    looked_at: now,
                    again_at: None,
                    needs_person: false,
                };
                self.commit = self.commit.put(&held_key, &hold)?;
                return Ok(self);
            }
            Fit::Zero => (String::new(), None, RowResult::Zero),
            Fit::Row(code, stock) => (code, Some(stock), RowResult::Pending),
        };
        self.commit = self
            .commit
            .check(&out.key, Some(out))
            .delete(&out.key)
            .delete(&held_key);
        if let Some(tried) = &checked.tried {
            self.commit = self.commit.delete(&tried.key);
        }
        self.push(row(&out.value, code, stock_then, result, now));
        Ok(self)
    }

    fn push(&mut self, row: BatchRow) {
        let bytes = serde_json::to_vec(&row).map_or(0, |row| row.len());
        self.bytes = self
            .bytes
            .saturating_add(bytes)
            .saturating_add(BYTES_FOR_A_REASON);
        self.rows.push(row);
    }
}

fn row(
    out: &Out,
    code: String,
    stock_then: Option<Decimal>,
    result: RowResult,
    changed_at: Moment,
) -> BatchRow {
    BatchRow {
        product_id: out.product_id.clone(),
        code,
        quantity: out.quantity,
        stock_then,
        origins: out.origins.clone(),
        stores: out.stores.clone(),
        changes: out.changes.clone(),
        since: out.since,
        result,
        changed_at,
    }
}

fn finish(tenant: &Tenant<'_>, draft: Draft) -> Result<Option<Batch>> {
    let now = tenant.now();
    let (stored, mut book) = book(tenant)?;
    let mut commit = draft.commit.check(BOOK_KEY, stored.as_ref());
    book.held_looked_at = Some(now);
    if draft.rows.is_empty() {
        commit.put(BOOK_KEY, &book)?.apply(&tenant.ports)?;
        return Ok(None);
    }
    let only_zero = draft.rows.iter().all(|row| row.result == RowResult::Zero);
    let batch = Batch {
        number: book.next,
        // As long as any other, so that none is a part of another when movements are searched by it.
        mark: format!("tsunagi-{}-{:0>9}", book.name, book.next),
        made_at: now,
        sent_at: None,
        state: if only_zero {
            BatchState::Settled
        } else {
            BatchState::Ready
        },
        queue_id: None,
        queue_message: None,
        next_at: now,
        changed_at: now,
        rows: draft.rows,
    };
    book.next = book.next.saturating_add(1);
    if !only_zero {
        book.last_made_at = Some(now);
        commit = commit
            .check_revision(OPEN_BATCH_KEY, None)
            .put(OPEN_BATCH_KEY, &batch.number)?;
    }
    commit
        .put(BOOK_KEY, &book)?
        .put(&batch_key(batch.number), &batch)?
        .put(&index_key(&batch), &SentIndex::Batch(batch.number))?
        .apply(&tenant.ports)?;
    Ok((!only_zero).then_some(batch))
}

/// Where it lies in the send history.
pub fn index_key(batch: &Batch) -> String {
    sent_key(batch.changed_at, &batch_tail(batch.number))
}

/// Writes a batch over what was read; its place in the send history follows its last change.
pub fn put(commit: Commit, seen: &Stored<Batch>, batch: &Batch) -> Result<Commit> {
    let mut commit = commit.check(&seen.key, Some(seen)).put(&seen.key, batch)?;
    if batch.changed_at != seen.value.changed_at {
        commit = commit
            .delete(&index_key(&seen.value))
            .put(&index_key(batch), &SentIndex::Batch(batch.number))?;
    }
    Ok(commit)
}

/// Rows that this change of a batch settles as applied, and as given back.
pub fn settled(before: &Batch, after: &Batch) -> [(Counter, u64); 2] {
    let is = |row: &BatchRow| match row.result {
        RowResult::Applied { .. } => Some(Counter::Applied),
        RowResult::Returned(_) => Some(Counter::Returned),
        RowResult::Pending | RowResult::Zero => None,
    };
    let pairs = || before.rows.iter().zip(&after.rows);
    let count = |counter: Counter| {
        let new = pairs()
            .filter(|(before, after)| is(after) == Some(counter) && is(before) != Some(counter));
        u64::try_from(new.count()).unwrap_or(u64::MAX)
    };
    [Counter::Applied, Counter::Returned].map(|counter| (counter, count(counter)))
}

/// Counts what this change of a batch settles, by day. Fenced by the lease like the change itself.
pub fn count(
    tenant: &Tenant<'_>,
    commit: Commit,
    before: &Batch,
    after: &Batch,
    days: Option<&Stored<Days>>,
) -> Result<Commit> {
    let counts = settled(before, after);
    if counts.iter().all(|(_, count)| *count == 0) {
        return Ok(commit);
    }
    let today = time::day(tenant.now());
    daily::add(commit, daily::STOCK_KEY, days, today, &counts)
}

/// Undoes a batch that was certainly not applied, as if it had never been formed; its rows wait again, and are looked at afresh before
/// they travel. `pause` keeps the schedule from forming the next one at once.
pub fn dissolve(
    next_engine: &NextEngine<'_>,
    tenant: &Tenant<'_>,
    seen: &Stored<Batch>,
    most_rows: Option<usize>,
    pause: TimeDelta,
) -> Result<()> {
    let (stored, mut book) = book(tenant)?;
    book.most_rows = most_rows.unwrap_or(book.most_rows);
    book.last_made_at = None;
    book.not_before = Some(tenant.now() + pause);
    let mut commit = Commit::new()
        .fence(next_engine.fence())
        .check(&seen.key, Some(seen))
        .check(BOOK_KEY, stored.as_ref())
        .put(BOOK_KEY, &book)?
        .delete(&seen.key)
        .delete(&index_key(&seen.value))
        .delete(OPEN_BATCH_KEY);
    for row in &seen.value.rows {
        commit = give_back(tenant, commit, row)?;
    }
    commit.apply(&tenant.ports)
}

/// The numbering as it stands.
pub fn book(tenant: &Tenant<'_>) -> Result<(Option<Stored<Book>>, Book)> {
    Ok(book_of(tenant, store::read(&tenant.ports, BOOK_KEY)?))
}

/// The same, of what was read.
pub fn book_of(tenant: &Tenant<'_>, stored: Option<Stored<Book>>) -> (Option<Stored<Book>>, Book) {
    let book = stored
        .as_ref()
        .map_or_else(|| new_book(tenant), |stored| stored.value.clone());
    (stored, book)
}

/// Gives the batches to come another name: storage is an earlier copy, and its next numbers were used.
pub fn rename(ports: &Ports<'_>, commit: Commit) -> Result<Commit> {
    let Some(seen) = store::read::<Book>(ports, BOOK_KEY)? else {
        return Ok(commit);
    };
    if Planted::MarksUsedAgain.is_on() {
        return Ok(commit);
    }
    let book = Book {
        name: new_name(ports),
        ..seen.value.clone()
    };
    commit.check(BOOK_KEY, Some(&seen)).put(BOOK_KEY, &book)
}

/// Short, because 入出庫理由 is short; random, because two contracts may share one Next Engine account.
fn new_name(ports: &Ports<'_>) -> String {
    format!("{:08x}", ports.random.next() & 0xFFFF_FFFF)
}

fn new_book(tenant: &Tenant<'_>) -> Book {
    Book {
        name: new_name(&tenant.ports),
        next: 1,
        last_made_at: None,
        held_looked_at: None,
        most_rows: MOST_ROWS,
        not_before: None,
        last_queue_id: None,
    }
}

/// Puts one product's difference back under its key, together with what came since.
pub fn give_back(tenant: &Tenant<'_>, commit: Commit, row: &BatchRow) -> Result<Commit> {
    with_out(tenant, commit, row, |out| out.take_back(row))
}

/// Sees to it that the product is among those that wait, without a quantity: for a row whose outcome a person has to settle.
pub fn keep_waiting(tenant: &Tenant<'_>, commit: Commit, row: &BatchRow) -> Result<Commit> {
    with_out(tenant, commit, row, |_| {})
}

fn with_out(
    tenant: &Tenant<'_>,
    commit: Commit,
    row: &BatchRow,
    change: impl FnOnce(&mut Out),
) -> Result<Commit> {
    let key = out_key(&row.product_id);
    let seen = store::read::<Out>(&tenant.ports, &key)?;
    let mut out = seen.as_ref().map_or_else(
        || Out::new(&row.product_id, row.since),
        |seen| seen.value.clone(),
    );
    change(&mut out);
    commit.check(&key, seen.as_ref()).put(&key, &out)
}

/// A hold that only a person's word ends.
pub fn person(tenant: &Tenant<'_>, reason: Reason, code: &str) -> Held {
    Held {
        reason,
        code: Some(code.to_owned()),
        since: tenant.now(),
        looked_at: tenant.now(),
        again_at: None,
        needs_person: true,
    }
}
