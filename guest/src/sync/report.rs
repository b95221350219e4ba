//! What the exports give and take, as plain values: the same shapes as `wit/`, which documents each field. Holds no rule and no I/O.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    error::Side,
    reason::{Reason, Text},
    rules::{order::Order, sale::Sale},
    time::Moment,
};

/// A number of things as the contract counts them.
pub fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Where to send the merchant's browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStart {
    /// Next Engine's login page.
    pub address: String,
    /// For `finish-login`; kept in that browser.
    pub ticket: String,
    /// After this the ticket is refused.
    pub expires_at: Moment,
}

/// Both life times of Next Engine's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenTimes {
    /// From here on the next call renews the pair.
    pub access_expires_at: Moment,
    /// From here on a person must log in again.
    pub refresh_expires_at: Moment,
}

/// What storage knows about the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// 連携する
    pub switched_on: bool,
    /// Absent when nobody is logged in.
    pub tokens: Option<TokenTimes>,
    /// Next Engine's company name.
    pub company_name: Option<String>,
    /// Next Engine's company id.
    pub company_id: Option<String>,
    /// Present when a person must log in again.
    pub login_needed: Option<Text>,
    /// Older stock changes are never sent.
    pub baseline: Option<Moment>,
}

/// What one service answered to a real call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideCheck {
    /// It did as asked.
    pub ok: bool,
    /// Why not.
    pub reason: Option<Reason>,
}

/// The result of 接続確認.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// ネクストエンジン
    pub next_engine: SideCheck,
    /// After the call; absent when nobody is logged in.
    pub tokens: Option<TokenTimes>,
    /// スマレジ
    pub smaregi: SideCheck,
    /// Scopes that Smaregi's token does not carry.
    pub missing_scopes: Vec<String>,
    /// When.
    pub checked_at: Moment,
}

/// What to do with stock that moved while the link was off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Send it.
    Send,
    /// Leave it to an alignment.
    Leave,
}

/// A delivery from Smaregi, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Header `Smaregi-Contract-Id`.
    pub contract_id: Option<String>,
    /// Header `Smaregi-Event`.
    pub event: Option<String>,
    /// Header `Smaregi-Event-Id`.
    pub event_id: Option<String>,
    /// As received.
    pub body: Vec<u8>,
}

/// A place whose history should be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeHint {
    /// 商品ID
    pub product_id: String,
    /// 店舗ID
    pub store_id: String,
}

/// What a delivery brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Places noted.
    pub hints: u32,
    /// Known already.
    pub repeated: bool,
}

/// What sending did and what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendProgress {
    /// Rows of Smaregi's history decided in this call.
    pub changes_decided: u32,
    /// Batch rows seen applied in this call.
    pub rows_applied: u32,
    /// Batch rows given back in this call.
    pub rows_returned: u32,
    /// Products still to be sent, held ones not counted.
    pub products_waiting: u32,
    /// Products held with a reason.
    pub products_held: u32,
    /// Places still to be read.
    pub hints_waiting: u32,
    /// A batch is at Next Engine.
    pub in_flight: bool,
    /// Call again now.
    pub more: bool,
    /// Call again then.
    pub next_at: Option<Moment>,
}

/// One part of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why.
    pub reason: Reason,
    /// Signed units.
    pub quantity: Decimal,
}

/// A product on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonLine {
    /// Next Engine's code, or Smaregi's value in brackets.
    pub code: String,
    /// 商品名
    pub name: String,
    /// Sum over the target stores.
    pub smaregi: Option<Decimal>,
    /// 在庫数
    pub next_engine: Option<Decimal>,
    /// フリー在庫数
    pub next_engine_free: Option<Decimal>,
    /// 引当数
    pub next_engine_allocated: Option<Decimal>,
    /// Smaregi minus Next Engine.
    pub difference: Decimal,
    /// Its parts.
    pub explanations: Vec<Explanation>,
    /// What is left.
    pub unexplained: Decimal,
}

/// Both sides at about one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Unexplained ones first, then by code.
    pub lines: Vec<ComparisonLine>,
    /// How many are unexplained.
    pub unexplained_products: u32,
    /// When.
    pub compared_at: Moment,
}

/// One product that an alignment moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlignmentLine {
    /// Next Engine's code.
    pub code: String,
    /// Signed.
    pub quantity: Decimal,
}

/// What an alignment would do, or has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    /// By code.
    pub lines: Vec<AlignmentLine>,
    /// Products whose difference cannot be judged now.
    pub left_out: Vec<LeftOut>,
    /// Put into the ledger.
    pub queued: bool,
    /// A person must confirm first.
    pub guard: Option<Reason>,
}

/// One product that an alignment leaves alone for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Next Engine's code.
    pub code: String,
    /// Why.
    pub reason: Reason,
}

/// What to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResendChoice {
    /// One entry of the send history.
    Entry(String),
    /// Every held product.
    AllFailed,
}

/// What an import did and what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportProgress {
    /// Slips read, repeats included.
    pub slips_read: u32,
    /// Transactions registered.
    pub registered: u32,
    /// Transactions cancelled or returned.
    pub undone: u32,
    /// Orders refused.
    pub refused: u32,
    /// Orders whose work is not finished.
    pub waiting: u32,
    /// Call again now.
    pub more: bool,
}

/// A receiving store as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreState {
    /// ネクストエンジン店舗ID
    pub shop_id: String,
    /// 店舗
    pub store_id: String,
    /// 最終取込日時
    pub last_imported_at: Option<Moment>,
    /// Orders that wait for a person.
    pub refused: u32,
    /// Those of them that were taken in before; counted where people ask.
    pub needs_person: u32,
}

/// Why an order would not become a sale, or the sale it would become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// 伝票番号
    pub slip: String,
    /// 受注番号
    pub order_number: String,
    /// ネクストエンジン店舗ID
    pub shop_id: String,
    /// 総合計
    pub order_total: Decimal,
    /// The order itself; `None` when it could not be read.
    pub order: Option<Order>,
    /// The sale.
    pub sale: Option<Sale>,
    /// Why it would be refused.
    pub refusal: Option<Reason>,
    /// Why it is not taken.
    pub skipped: Option<Reason>,
    /// What it already is.
    pub transaction_id: Option<String>,
}

/// What to preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreviewChoice {
    /// One slip.
    Slip(String),
    /// The next import of a shop.
    Shop(String),
}

/// What to retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryChoice {
    /// One slip.
    Slip(String),
    /// Every refused order; the payload is ignored.
    AllRefused(bool),
}

/// A page of a list that is read backwards in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the last page ended.
    pub continuation: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

/// Where a difference stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentResult {
    /// Recorded.
    Waiting,
    /// Given to Next Engine.
    InFlight,
    /// Seen in its movement history.
    Applied,
    /// Not applied; waits again.
    Returned,
    /// Nothing to send.
    NotSent,
}

/// One product in one batch, or one change that was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentEntry {
    /// For `stock.resend`.
    pub id: String,
    /// When its outcome last changed.
    pub at: Moment,
    /// The contract's words.
    pub triggers: Vec<String>,
    /// 店舗ID
    pub stores: Vec<String>,
    /// 商品ID
    pub product_id: String,
    /// Next Engine's code.
    pub product_code: Option<String>,
    /// Signed.
    pub quantity: Decimal,
    /// 在庫数 before.
    pub before: Option<Decimal>,
    /// 在庫数 after.
    pub after: Option<Decimal>,
    /// Where it stands.
    pub outcome: SentResult,
    /// Why.
    pub reason: Option<Reason>,
    /// Next Engine's queue id.
    pub queue_id: Option<String>,
    /// It waits for a person's word.
    pub needs_person: bool,
}

/// What of the send history to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentFilter {
    /// This moment and later.
    pub since: Option<Moment>,
    /// Earlier than this.
    pub before: Option<Moment>,
    /// Where it stands.
    pub outcome: Option<SentResult>,
    /// The contract's word.
    pub trigger: Option<String>,
    /// 店舗ID
    pub store_id: Option<String>,
    /// 商品ID or code.
    pub product: Option<String>,
}

/// A page of the send history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPage {
    /// Newest first.
    pub entries: Vec<SentEntry>,
    /// Where it goes on.
    pub continuation: Option<String>,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceivedResult {
    /// A transaction was registered.
    Registered,
    /// It was cancelled or returned.
    Undone,
    /// Not imported.
    Refused,
    /// Only a person can go on.
    NeedsPerson,
}

/// One thing that happened to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEntry {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Moment,
    /// 伝票番号
    pub slip: String,
    /// 受注番号
    pub order_number: String,
    /// ネクストエンジン店舗ID
    pub shop_id: String,
    /// 店舗ID
    pub store_id: String,
    /// 取引ID
    pub transaction_id: Option<String>,
    /// 総合計
    pub amount: Decimal,
    /// What happened.
    pub outcome: ReceivedResult,
    /// Why.
    pub reason: Option<Reason>,
    /// Still waits for a retry or a person.
    pub open: bool,
}

/// What of the reception history to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceivedFilter {
    /// This moment and later.
    pub since: Option<Moment>,
    /// Earlier than this.
    pub before: Option<Moment>,
    /// What happened.
    pub outcome: Option<ReceivedResult>,
    /// ネクストエンジン店舗ID
    pub shop_id: Option<String>,
    /// 伝票番号
    pub slip: Option<String>,
}

/// A page of the reception history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPage {
    /// Newest first.
    pub entries: Vec<ReceivedEntry>,
    /// Where it goes on.
    pub continuation: Option<String>,
}

/// What a comparison found, in counts of products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// When.
    pub compared_at: Moment,
    /// Both sides keep stock of.
    pub both: u32,
    /// One side does.
    pub one_side: u32,
    /// With a difference that nothing explains.
    pub unexplained: u32,
}

/// What a round of the schedule did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Transactions registered.
    pub orders_registered: u32,
    /// Transactions undone.
    pub orders_undone: u32,
    /// Orders newly refused.
    pub orders_refused: u32,
    /// History rows decided.
    pub changes_decided: u32,
    /// Batch rows seen applied.
    pub rows_applied: u32,
    /// Batch rows given back.
    pub rows_returned: u32,
    /// The first trouble met.
    pub trouble: Option<Reason>,
    /// The schedule's last comparison.
    pub compared: Option<Compared>,
    /// Call again now.
    pub more: bool,
    /// Call again then.
    pub next_at: Moment,
}

/// Requests to one endpoint in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointCalls {
    /// Whose.
    pub side: Side,
    /// Method and path, ids replaced by names.
    pub endpoint: String,
    /// How many.
    pub calls: u64,
}

/// What a month cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// `YYYY-MM`
    pub month: String,
    /// By side, then endpoint.
    pub endpoints: Vec<EndpointCalls>,
    /// Sum of Next Engine's.
    pub next_engine_calls: u64,
    /// At the month's end, at this pace.
    pub next_engine_forecast: Option<u64>,
    /// The budget in the settings.
    pub next_engine_budget: u32,
}

/// A place that the settings need to reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutsideHost {
    /// `http` or `https`
    pub scheme: String,
    /// Host, with its port when it is not the scheme's own.
    pub authority: String,
}
