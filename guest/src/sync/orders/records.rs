//! What is kept about orders: one record a slip, the scan, the cursors, the history. Shapes and keys; decides nothing.
//!
//! | key | holds |
//! | --- | --- |
//! | `orders/slip/<slip, 20 digits>` | [`SlipRecord`] |
//! | `orders/number/<受注番号, 40 characters>/<slip, 20 digits>` | `true`: the slip has this number at its shop |
//! | `orders/todo/<slip, 20 digits>` | `true`: the slip has work |
//! | `orders/begun/<slip, 20 digits>` | `true`: of its work something was begun, which goes on while the link is off |
//! | `orders/refused/<shop>/<slip, 20 digits>` | `true`: the slip waits for a person |
//! | `orders/needs-person/<shop>/<slip, 20 digits>` | `true`: the same, and it was taken in before |
//! | `orders/unshipped/<slip, 20 digits>` | `true`: booked here, not shipped there |
//! | `orders/early/<shop>/<slip, 20 digits>` | `true`: its goods may be allocated any time, which dates no slip |
//! | `orders/received/<13 digits of ms>-<slip>-<n>` | [`Received`] |
//! | `orders/cursor/<shop>` | [`Cursor`] |
//! | `orders/scan` | [`Scan`]: the search in progress |
//! | `orders/retry-run` | [`RetryRun`]: the newest retry |
//! | `orders/retried/<slip, 20 digits>` | [`Retried`]: a retry let the slip go, and has not told yet what became of it |
//!
//! The seven indexes follow from the record and are written with it.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    ports::Ports,
    reason::Reason,
    rules::{
        cancellation::Undoing,
        cursor::Reach,
        order::{Life, Order, OrderState},
        sale::Sale,
        source_store::{self, Shift},
    },
    sync::{
        own::{Kind, Piece},
        store::{self, Commit, Stored},
    },
    time::Moment,
};

/// Where the search in progress is kept.
pub const SCAN_KEY: &str = "orders/scan";
/// Where the newest retry is kept.
pub const RETRY_KEY: &str = "orders/retry-run";
/// Prefix of the slips of which a retry has still to tell what became of them.
pub const RETRIED: &str = "orders/retried/";
/// Prefix of the shops' own numbers.
pub const NUMBERS: &str = "orders/number/";
/// How much of one a key holds, within the 250 bytes of a key.
const NUMBER_KEPT: usize = 40;
/// Prefix of the slips with work.
pub const TODO: &str = "orders/todo/";
/// Prefix of those of them on which something was begun.
pub const BEGUN: &str = "orders/begun/";
/// Prefix of the slips that wait for a person.
pub const REFUSED: &str = "orders/refused/";
/// Prefix of those of them that were taken in before: something remains that only a person can do.
pub const NEEDS_PERSON: &str = "orders/needs-person/";
/// Prefix of the slips booked before shipping.
pub const UNSHIPPED: &str = "orders/unshipped/";
/// Prefix of the slips whose goods may be allocated any time.
pub const EARLY: &str = "orders/early/";
/// Prefix of the reception history.
pub const RECEIVED: &str = "orders/received/";

/// Prefix of the slips' records.
pub const SLIPS: &str = "orders/slip/";

/// Key of a slip's record. Slip numbers are padded, so that keys are in their order.
pub fn slip_key(slip: &str) -> String {
    format!("{SLIPS}{slip:0>20}")
}

/// The slip number at the end of an index key.
pub fn slip_of(key: &str) -> &str {
    let padded = key.rsplit('/').next().unwrap_or(key);
    let slip = padded.trim_start_matches('0');
    if slip.is_empty() { "0" } else { slip }
}

/// Key of what a retry has still to tell of a slip.
pub fn retried_key(slip: &str) -> String {
    format!("{RETRIED}{slip:0>20}")
}

/// Prefix of the slips with this 受注番号; a longer one shares it with those that begin alike.
pub fn number_prefix(number: &str) -> String {
    let kept: String = number.chars().take(NUMBER_KEPT).collect();
    format!("{NUMBERS}{kept}/")
}

/// Key of a shop's cursor.
pub fn cursor_key(shop_id: &str) -> String {
    format!("orders/cursor/{shop_id}")
}

/// How far a shop's orders are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Next Engine's clock: every change up to here is stored, of the orders that the reach takes.
    pub changed_through: Option<Moment>,
    /// What the settings took while that was read; absent when some of it was passed by without a receiving store.
    pub reach: Option<Reach>,
    /// 最終取込日時
    pub last_imported_at: Option<Moment>,
}

/// A shop that a search reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanShop {
    /// 店舗ID
    pub shop_id: String,
    /// What was taken of it all along.
    pub reach: Reach,
    /// The cursor it began from: another one at the end says that a slip was passed by meanwhile.
    pub cursor: Option<u64>,
}

/// A retry, over as many calls as it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRun {
    /// Counts the runs.
    pub number: u64,
    /// What it lets go: one slip, or everything refused.
    pub slip: Option<String>,
    /// When it was last gone on with; absent once it ended.
    pub at: Option<Moment>,
}

/// A slip that a retry let go, until it has told what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// The run.
    pub run: u64,
    /// The slip's history entries that were written before, or told since.
    pub events: u32,
}

/// A search in progress, so that a call that ends early is continued by the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// The shops it reads.
    pub shops: Vec<ScanShop>,
    /// Changes since then.
    pub from: Moment,
    /// Slips from this number on are still to be read; absent at the beginning.
    pub from_slip: Option<String>,
    /// No page follows.
    pub last_page: bool,
    /// Slips of the pages so far of which only some lines came: they are read whole before the next page.
    pub lacking: BTreeSet<String>,
    /// Our clock when it began.
    pub started: Moment,
    /// The newest change stored or passed so far, Next Engine's clock.
    pub newest: Option<Moment>,
}

impl Scan {
    /// Whether everything is read.
    pub fn is_read(&self) -> bool {
        self.last_page && self.lacking.is_empty()
    }
}

/// What a slip is in Smaregi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Which registration of this slip.
    pub revision: u32,
    /// `transactionHeadId`
    pub transaction_id: String,
    /// What was registered, without names.
    pub sale: Sale,
    /// The reading it was made from, or that was found to make the same sale.
    pub made_from: Order,
    /// The way of undoing it that Smaregi refused; the other one is left.
    pub refused: Option<Act>,
}

/// What is being done to Smaregi's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// 取引登録
    Register,
    /// 取消
    Cancel,
    /// 返品取消
    Dispose,
}

impl Act {
    /// The act of an undoing.
    pub fn of(undoing: Undoing) -> Self {
        match undoing {
            Undoing::Cancel => Self::Cancel,
            Undoing::Dispose => Self::Dispose,
        }
    }

    /// The same in the words of our own doing.
    pub fn kind(self) -> Kind {
        match self {
            Self::Register => Kind::Sale,
            Self::Cancel => Kind::Cancel,
            Self::Dispose => Kind::Dispose,
        }
    }
}

/// An effect that was decided, stored before its first attempt and removed when its outcome is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What.
    pub act: Act,
    /// The revision registered or undone.
    pub revision: u32,
    /// The sale registered or undone.
    pub sale: Sale,
    /// The reading it is made from, [`plain`]; absent for an undoing.
    pub made_from: Option<Order>,
    /// The transaction to undo; absent for a registration.
    pub transaction_id: Option<String>,
    /// When the last attempt began.
    pub tried_at: Moment,
    /// Smaregi refused it; whether it is done already is still to be looked up.
    pub refused: Option<Reason>,
    /// The other way of undoing was refused already.
    pub second_way: bool,
    /// Why it is undone; absent for a registration.
    pub why: Option<Reason>,
    /// It was done in a time that storage does not know: its rows are older than what is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earlier: bool,
}

/// A settled effect whose stock is not balanced yet: it waits until it is known what Smaregi moves by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What was done.
    pub act: Act,
    /// To which revision.
    pub revision: u32,
    /// What should have moved.
    pub wanted: Vec<Shift>,
    /// What the effect moves, if it moves stock at all.
    pub by_itself: Vec<Shift>,
}

/// A stock move of ours that is still to be made or confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Running number within the slip, part of its mark.
    pub number: u32,
    /// The revision it belongs to.
    pub revision: u32,
    /// What moves.
    pub shift: Shift,
    /// When the last attempt began; absent before the first.
    pub tried_at: Option<Moment>,
    /// Smaregi refused it: it waits for a person, the others do not.
    pub refused: bool,
    /// Not made in the time that storage does not know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sought: bool,
}

/// What keeps a slip waiting for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Why.
    pub reason: Reason,
    /// The history entry that told it.
    pub entry: String,
    /// A change or a retry came since: try again.
    pub again: bool,
    /// A change came since: what was refused is no more.
    #[serde(default)]
    pub outdated: bool,
}

/// That an entry of the history was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The entry's time, part of its key.
    pub at: Moment,
    /// What it tells.
    pub happened: Happened,
}

/// How many of a slip's entries are kept by name.
pub const MOST_TOLD: usize = 50;

/// Everything about one slip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipRecord {
    /// 伝票番号
    pub slip: String,
    /// 店舗ID, as last read.
    pub shop_id: String,
    /// The last readable reading; absent when there was none yet.
    pub order: Option<Order>,
    /// When it was first read, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_read: Option<Moment>,
    /// When a reading last brought anything new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_read: Option<Moment>,
    /// Why the last reading could not be understood.
    pub unreadable: Option<Reason>,
    /// What it is in Smaregi.
    pub registered: Option<Registered>,
    /// The newest revision ever tried; zero before the first.
    pub revision: u32,
    /// The effect under way.
    pub intent: Option<Intent>,
    /// Stock that waits for knowledge.
    pub balances: Vec<Balance>,
    /// Stock moves to be made or confirmed, in their order.
    pub moves: Vec<Move>,
    /// The number of the newest move.
    pub moves_made: u32,
    /// What a person has to mend.
    pub trouble: Option<Trouble>,
    /// Returned pieces already told of.
    pub told_returned: Decimal,
    /// History entries written so far.
    pub events: u32,
    /// The newest of them, oldest first; at most [`MOST_TOLD`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// The newest retry that let it go again.
    pub retried_in: u64,
    /// It has work.
    pub todo: bool,
    /// The newest effect that was looked for and not done in the time that storage does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sought: Option<(Act, u32)>,
}

impl SlipRecord {
    /// A slip never seen before.
    pub fn new(slip: &str, shop_id: &str) -> Self {
        Self {
            slip: slip.to_owned(),
            shop_id: shop_id.to_owned(),
            order: None,
            first_read: None,
            last_read: None,
            unreadable: None,
            registered: None,
            revision: 0,
            intent: None,
            balances: Vec::new(),
            moves: Vec::new(),
            moves_made: 0,
            trouble: None,
            told_returned: Decimal::ZERO,
            events: 0,
            told: Vec::new(),
            retried_in: 0,
            todo: false,
            sought: None,
        }
    }

    /// Whether something was begun that must be followed to its end, whatever is decided anew.
    pub fn is_begun(&self) -> bool {
        self.intent.is_some() || !self.balances.is_empty() || !self.moves.is_empty()
    }

    /// Whether it waits for a person, so that nothing new is decided.
    pub fn is_held(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| !trouble.again)
    }

    /// Lets what waits for a person go again: something changed, or the person did.
    pub fn release(&mut self) {
        if let Some(trouble) = self.trouble.as_mut() {
            trouble.again = true;
        }
        self.moves.iter_mut().for_each(|made| made.refused = false);
        if let Some(registered) = self.registered.as_mut() {
            registered.refused = None;
        }
    }

    /// Whether the entry that told what it waits for said so: it was taken in, and the rest is a person's. The oldest entries' words are
    /// not kept.
    fn needs_person(&self) -> bool {
        let Some(trouble) = &self.trouble else {
            return false;
        };
        let number = trouble.entry.rsplit('-').next();
        let number = number.and_then(|number| number.parse::<u32>().ok());
        let later = number.and_then(|number| self.events.checked_sub(number));
        let later = later.and_then(|later| usize::try_from(later).ok());
        let told = later.and_then(|later| self.told.iter().rev().nth(later));
        told.map_or(self.registered.is_some(), |told| {
            told.happened == Happened::NeedsPerson
        })
    }

    /// What waits for a person was about an older reading.
    pub fn outdate(&mut self) {
        if let Some(trouble) = self.trouble.as_mut() {
            trouble.outdated = true;
        }
    }

    /// Whether it is no sale yet and waits for its goods, as far as it could be read.
    fn is_early(&self) -> bool {
        let waits = |order: &Order| order.state == OrderState::Issued && order.life == Life::Live;
        self.registered.is_none()
            && self.unreadable.is_none()
            && self.order.as_ref().is_none_or(waits)
    }

    fn indexes(&self) -> BTreeSet<String> {
        let slip = format!("{:0>20}", self.slip);
        let shipped = self
            .order
            .as_ref()
            .is_some_and(|order| order.state == OrderState::Shipped);
        let number = self.order.as_ref().map(|order| order.order_number.as_str());
        let number = number.unwrap_or_default();
        let indexes = [
            (
                format!("{}{slip}", number_prefix(number)),
                !number.is_empty(),
            ),
            (format!("{TODO}{slip}"), self.todo),
            (format!("{BEGUN}{slip}"), self.todo && self.is_begun()),
            (
                format!("{REFUSED}{}/{slip}", self.shop_id),
                self.trouble.is_some(),
            ),
            (
                format!("{NEEDS_PERSON}{}/{slip}", self.shop_id),
                self.needs_person(),
            ),
            (
                format!("{UNSHIPPED}{slip}"),
                self.registered.is_some() && !shipped,
            ),
            (format!("{EARLY}{}/{slip}", self.shop_id), self.is_early()),
        ];
        let held = indexes.into_iter().filter(|(_, holds)| *holds);
        held.map(|(index, _)| index).collect()
    }
}

/// Writes a record over what was read, with the indexes that change.
pub fn put(
    mut commit: Commit,
    seen: Option<&Stored<SlipRecord>>,
    record: &SlipRecord,
) -> Result<Commit> {
    let key = slip_key(&record.slip);
    let before = seen.map(|seen| seen.value.indexes()).unwrap_or_default();
    let after = record.indexes();
    for index in before.difference(&after) {
        commit = commit.delete(index);
    }
    for index in after.difference(&before) {
        commit = commit.put(index, &true)?;
    }
    commit.check(&key, seen).put(&key, record)
}

/// An order without its lines' names: no comparison needs them, Smaregi prints its own, and a record of 999 lines has to stay below
/// the megabyte that storage takes.
pub fn plain(order: &Order) -> Order {
    let mut order = order.clone();
    order.lines.iter_mut().for_each(|line| line.name.clear());
    order
}

/// A sale without names, for the same reason.
pub fn without_names(sale: &Sale) -> Sale {
    let mut sale = sale.clone();
    sale.lines.iter_mut().for_each(|line| line.name.clear());
    sale
}

/// Reads a slip's record.
pub fn slip(ports: &Ports<'_>, slip: &str) -> Result<Option<Stored<SlipRecord>>> {
    store::read(ports, &slip_key(slip))
}

/// What happened to a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// A transaction was registered.
    Registered,
    /// It was cancelled or returned.
    Undone,
    /// Not imported.
    Refused,
    /// Only a person can do the rest.
    NeedsPerson,
}

/// One entry of 受信履歴.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// When.
    pub at: Moment,
    /// 伝票番号
    pub slip: String,
    /// 受注番号; empty when the slip was never readable.
    pub order_number: String,
    /// ネクストエンジン店舗ID
    pub shop_id: String,
    /// Smaregi 店舗; empty when no receiving store had the shop.
    pub store_id: String,
    /// The transaction concerned.
    pub transaction_id: Option<String>,
    /// 総合計 in Next Engine.
    pub amount: Decimal,
    /// What happened.
    pub happened: Happened,
    /// Why.
    pub reason: Option<Reason>,
    /// When the effect was last begun, after it was recorded; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Moment>,
}

/// Key of a slip's history entry, counted from 1.
pub fn received_key(slip: &str, event: u32, at: Moment) -> String {
    format!("{RECEIVED}{:0>13}-{slip}-{event}", at.timestamp_millis())
}

/// What an act moves at the selling store, if Smaregi moves stock for it, as pieces of our own doing.
pub fn pieces(act: Act, sale: &Sale) -> Vec<Piece> {
    let sign = if act == Act::Register { 1 } else { -1 };
    let piece = |shift: Shift, drawn| Piece {
        product_id: shift.product_id,
        store_id: shift.store_id,
        quantity: shift.quantity.saturating_mul(sign),
        drawn,
    };
    let (sold, drawn) = source_store::sold_and_drawn(sale);
    let sold = sold.into_iter().map(|shift| piece(shift, false));
    let drawn = drawn.into_iter().map(|shift| piece(shift, true));
    sold.chain(drawn).collect()
}

/// How our own doing calls a revision of a slip.
pub fn work_name(slip: &str, revision: u32) -> String {
    format!("{slip}-{revision}")
}
