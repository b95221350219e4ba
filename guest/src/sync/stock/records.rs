//! What the stock ledger keeps, and under which keys. Holds no flow.
//!
//! | key | what |
//! | --- | --- |
//! | `stock/hint/<store>/<product>` | a place whose history is to be read |
//! | `stock/event/<day>/<id>` | a webhook delivery that was taken in |
//! | `stock/pair/<store>/<product>` | how far a place's history is decided |
//! | `stock/store/<store>` | since when a store takes part |
//! | `stock/change/<id>` | one row of the history and what was decided |
//! | `stock/trouble/<store>/<product>/<row>` | why a row, or a whole place, is not counted |
//! | `stock/waiting/<store>/<product>/<id>` | an undecided row: it could be our own |
//! | `stock/out/<product>` | the difference still to be sent, with the rows it sums |
//! | `stock/held/<product>` | why it is not sent now |
//! | `stock/tried/<product>` | an attempt that left no movement: looked up once more before the product is sent again |
//! | `stock/unsent/<product>` | what settings kept from being sent, for the comparison |
//! | `stock/batch/<number>` | one upload and what became of each of its rows |
//! | `stock/batch-open` | the number of the batch that is not settled |
//! | `stock/book` | the next number, and a name that tells our marks from another tenant's |
//! | `stock/catch-up/<store>` | how far the look for missed webhooks has come in a store |
//! | `stock/sent/<millis>-…` | the send history's index, oldest first |

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{reason::Reason, settings::Trigger, time::Moment};

/// A cause as the history shows it: one of the eight, or an alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A movement in Smaregi.
    Trigger(Trigger),
    /// 在庫照合 by a person.
    Alignment,
}

impl Origin {
    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trigger(trigger) => trigger.name(),
            Self::Alignment => "alignment",
        }
    }
}

/// A place whose history is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// 店舗ID
    pub store_id: String,
    /// 商品ID
    pub product_id: String,
    /// When it was noted.
    pub at: Moment,
    /// History rows that a delivery named and that are not known to be read.
    pub ids: BTreeSet<String>,
    /// How often reading it did not come to its end.
    pub tries: u32,
    /// Not before then, after such a time.
    pub retry_at: Option<Moment>,
}

/// How far a place's history is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Every row up to this id has its record; empty while the place is read for the first time.
    pub through: String,
    /// When Smaregi wrote that row.
    pub at: Moment,
    /// A reading that is on its way down to `through`.
    pub descent: Option<Descent>,
}

/// How far a reading of many pages has come; the pages before are decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descent {
    /// The newest row when it began.
    pub top: String,
    /// When Smaregi wrote that row.
    pub top_at: Moment,
    /// The next page. Rows written meanwhile push the others down, so that none is passed over.
    pub page: u32,
}

/// What became of a history row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decided {
    /// Its quantity (without what was our own) went into the difference to be sent.
    Queued(i64),
    /// Never sent.
    Not(Reason),
    /// Could be our own; decided later.
    Waiting,
}

/// A row of Smaregi's change history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// History id.
    pub id: String,
    /// 店舗ID
    pub store_id: String,
    /// 商品ID
    pub product_id: String,
    /// Signed.
    pub amount: Decimal,
    /// `stockDivision`
    pub division: String,
    /// When Smaregi wrote it.
    pub at: Moment,
    /// It carries our mark.
    pub marked_ours: bool,
    /// The decision.
    pub decided: Decided,
}

/// The difference of one product that is still to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Out {
    /// 商品ID
    pub product_id: String,
    /// Signed; may be zero when movements cancelled out.
    pub quantity: i64,
    /// Causes in it.
    pub origins: BTreeSet<Origin>,
    /// Stores in it.
    pub stores: BTreeSet<String>,
    /// History ids in it; only the first [`MOST_IDS`] are kept by name.
    pub changes: Vec<String>,
    /// When its oldest part was decided.
    pub since: Moment,
}

/// Enough to trace a product by; a batch holds them for each of its rows and has to stay below storage's limit on a value.
pub const MOST_IDS: usize = 20;

impl Out {
    /// Nothing yet.
    pub fn new(product_id: &str, since: Moment) -> Self {
        Self {
            product_id: product_id.to_owned(),
            quantity: 0,
            origins: BTreeSet::new(),
            stores: BTreeSet::new(),
            changes: Vec::new(),
            since,
        }
    }

    /// Adds one movement.
    pub fn add(&mut self, quantity: i64, origin: Origin, store_id: &str, change_id: &str) {
        self.quantity = self.quantity.saturating_add(quantity);
        self.origins.insert(origin);
        if !store_id.is_empty() {
            self.stores.insert(store_id.to_owned());
        }
        if self.changes.len() < MOST_IDS {
            self.changes.push(change_id.to_owned());
        }
    }

    /// Takes back what a batch could not apply.
    pub fn take_back(&mut self, row: &BatchRow) {
        self.quantity = self.quantity.saturating_add(row.quantity);
        self.origins.extend(row.origins.iter().copied());
        self.stores.extend(row.stores.iter().cloned());
        let room = MOST_IDS.saturating_sub(self.changes.len());
        self.changes.extend(row.changes.iter().take(room).cloned());
        self.since = self.since.min(row.since);
    }
}

/// Why a product's difference is not sent now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// For people.
    pub reason: Reason,
    /// Next Engine's code, where there is one.
    pub code: Option<String>,
    /// Since when.
    pub since: Moment,
    /// When it was last looked at: whoever waited longest is looked at next.
    pub looked_at: Moment,
    /// From then on it goes again like any other; absent: with the next look at held products.
    pub again_at: Option<Moment>,
    /// Only a person's word sends it again.
    pub needs_person: bool,
}

/// An attempt that left no movement in Next Engine. One a product: while it stands open, nothing else of the product is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Number of the batch.
    pub batch: u64,
    /// Place in it.
    pub row: usize,
    /// The batch's mark.
    pub mark: String,
    /// It may have been applied: its quantity is here and in no difference. Otherwise it went back into the difference.
    pub apart: bool,
    /// The row as it was sent.
    pub sent: BatchRow,
}

/// What became of a batch's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowResult {
    /// Not settled.
    Pending,
    /// Movements cancelled out; nothing to send.
    Zero,
    /// Seen in the movement history, with the stock before and after.
    Applied {
        /// 在庫数 before.
        before: Option<Decimal>,
        /// 在庫数 after.
        after: Option<Decimal>,
        /// What is wrong with it, for a person: booked more than once, or by another quantity.
        doubt: Option<Reason>,
    },
    /// Not applied; the difference went back.
    Returned(Reason),
}

/// One product of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// 商品ID
    pub product_id: String,
    /// Next Engine's code.
    pub code: String,
    /// Signed difference.
    pub quantity: i64,
    /// 在庫数 when the batch was made.
    pub stock_then: Option<Decimal>,
    /// Causes.
    pub origins: BTreeSet<Origin>,
    /// Stores.
    pub stores: BTreeSet<String>,
    /// History ids.
    pub changes: Vec<String>,
    /// When its oldest part was decided.
    pub since: Moment,
    /// What became of it.
    pub result: RowResult,
    /// When that last changed.
    pub changed_at: Moment,
}

/// How far a batch has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchState {
    /// Not given to Next Engine: certainly not applied.
    Ready,
    /// Being given to it; the answer is not known.
    Sending,
    /// In Next Engine's queue under this id, polled so often.
    Queued(String, u32),
    /// The queue is done; the movement history has the last word.
    Verifying {
        /// So many times it was looked at, and rows were missing.
        looks: u32,
    },
    /// Every row has its result.
    Settled,
}

/// One upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Counted from 1.
    pub number: u64,
    /// Written into each row's 入出庫理由, by which the movement history is searched.
    pub mark: String,
    /// When it was made.
    pub made_at: Moment,
    /// When its upload began; absent before.
    pub sent_at: Option<Moment>,
    /// How far.
    pub state: BatchState,
    /// Queue id, once known.
    pub queue_id: Option<String>,
    /// What the queue said, when it said something.
    pub queue_message: Option<String>,
    /// When it is worth looking again.
    pub next_at: Moment,
    /// When the outcome of a row last changed; its place in the send history.
    pub changed_at: Moment,
    /// One a product.
    pub rows: Vec<BatchRow>,
}

/// Numbering of batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Tells our marks from another tenant's on the same Next Engine account.
    pub name: String,
    /// The next batch's number.
    pub next: u64,
    /// When the last batch was made.
    pub last_made_at: Option<Moment>,
    /// When held products were last looked at on their own account.
    pub held_looked_at: Option<Moment>,
    /// Products of the next batch at most: halved when a batch fails as a whole, doubled when one is applied.
    pub most_rows: usize,
    /// No batch of the schedule's before this, after a refusal.
    pub not_before: Option<Moment>,
    /// The newest queue entry that was ours: what is not newer is not the upload being looked for.
    pub last_queue_id: Option<String>,
}

/// What settings kept from being sent since the link began, by reason code.
pub type Unsent = BTreeMap<String, i64>;

/// An entry of the send history's index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SentIndex {
    /// All rows of a batch.
    Batch(u64),
    /// One change that was decided not to be sent.
    Change(String),
    /// Rows of a place that could not be read, or counted.
    Unreadable {
        /// 商品ID
        product_id: String,
        /// 店舗ID
        store_id: String,
        /// Field and value.
        reason: Reason,
    },
}

/// The look for what webhooks missed, in one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUp {
    /// Everything that Smaregi changed before this was noted.
    pub through: Moment,
    /// A look on its way.
    pub open: Option<Looking>,
    /// Times in a row that Smaregi refused to list this store.
    pub refused: u32,
    /// The last of them.
    pub refused_at: Option<Moment>,
    /// Rows that do not say which product they are of.
    #[serde(default)]
    pub nameless: Option<Nameless>,
}

/// Rows of a store's list whose product cannot be read: each look begins with them, until they can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nameless {
    /// Where the look that met them first began.
    pub since: Moment,
    /// Why.
    pub reason: Reason,
}

impl CatchUp {
    /// Nothing under way.
    pub fn new(through: Moment) -> Self {
        Self {
            through,
            open: None,
            refused: 0,
            refused_at: None,
            nameless: None,
        }
    }
}

/// How far a look has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looking {
    /// Since when a caller asked for it, if one did.
    pub asked: Option<Moment>,
    /// Where it began.
    pub from: Moment,
    /// When it began: what is changed later is the next look's.
    pub started: Moment,
    /// Where the range being read begins.
    pub range: Moment,
    /// The next page of that range.
    pub page: u32,
    /// A person or a caller asked for it, not the schedule.
    #[serde(default)]
    pub by_hand: bool,
    /// What it met and cannot name.
    #[serde(default)]
    pub nameless: Option<Reason>,
}

/// Key of a place's hint.
pub fn hint_key(store_id: &str, product_id: &str) -> String {
    format!("{HINTS}{store_id}/{product_id}")
}

/// Key of a place's progress.
pub fn pair_key(store_id: &str, product_id: &str) -> String {
    format!("stock/pair/{store_id}/{product_id}")
}

/// Key of a history row.
pub fn change_key(id: &str) -> String {
    format!("stock/change/{id:0>20}")
}

/// Key of what keeps a row, or with [`WHOLE_PLACE`] a place, from being counted.
pub fn trouble_key(store_id: &str, product_id: &str, row: &str) -> String {
    format!("{TROUBLES}{store_id}/{product_id}/{row:0>20}")
}

/// Prefix of what is not counted.
pub const TROUBLES: &str = "stock/trouble/";
/// In place of a row's id: the place as a whole.
pub const WHOLE_PLACE: &str = "place";

/// Key of a store's look for missed webhooks.
pub fn catch_up_key(store_id: &str) -> String {
    format!("{CATCH_UPS}{store_id}")
}

/// Key of the moment since which a store takes part.
pub fn store_key(store_id: &str) -> String {
    format!("{STORES}{store_id}")
}

/// Prefix of those moments.
pub const STORES: &str = "stock/store/";

/// Key of an undecided row.
pub fn waiting_key(store_id: &str, product_id: &str, id: &str) -> String {
    format!("{WAITING}{store_id}/{product_id}/{id:0>20}")
}

/// Prefix of the undecided rows.
pub const WAITING: &str = "stock/waiting/";

/// Key of a product's difference.
pub fn out_key(product_id: &str) -> String {
    format!("stock/out/{product_id}")
}

/// Key of a product's hold.
pub fn held_key(product_id: &str) -> String {
    format!("stock/held/{product_id}")
}

/// Key of a product's open attempt.
pub fn tried_key(product_id: &str) -> String {
    format!("{TRIED_PREFIX}{product_id}")
}

/// Key of what settings kept back.
pub fn unsent_key(product_id: &str) -> String {
    format!("stock/unsent/{product_id}")
}

/// Key of a batch.
pub fn batch_key(number: u64) -> String {
    format!("stock/batch/{number:0>12}")
}

/// Key of a history index entry; `tail` tells entries of one millisecond apart.
pub fn sent_key(at: Moment, tail: &str) -> String {
    format!("{}{:0>13}-{tail}", SENT_PREFIX, at.timestamp_millis())
}

/// Tells a batch's index entry from another's of the same millisecond.
pub fn batch_tail(number: u64) -> String {
    format!("b{number:0>12}")
}

/// Prefix of open attempts.
pub const TRIED_PREFIX: &str = "stock/tried/";
/// Prefix of the history's index.
pub const SENT_PREFIX: &str = "stock/sent/";
/// The open batch's number.
pub const OPEN_BATCH_KEY: &str = "stock/batch-open";
/// Numbering.
pub const BOOK_KEY: &str = "stock/book";
/// Prefix of the looks for missed webhooks.
pub const CATCH_UPS: &str = "stock/catch-up/";
/// Prefix of the places to be read.
pub const HINTS: &str = "stock/hint/";
