//! The open questions themselves, each with its answers; the first answer is the default.
//! It must hold nothing but the list.

use serde::{Deserialize, Serialize};

use super::switches;

switches! {
    /// How a sale registered by API moves stock (smaregi.md 9a).
    api_sale_stock: ApiSaleStock {
        /// As division 02, 売上.
        #[default]
        Division02,
        /// As division 15, スマレジAPI連携.
        Division15,
        /// Not at all.
        Unmoved,
    }
    /// Whether a sale registered by API raises `pos:stock` (smaregi.md 9a).
    api_sale_webhook: ApiSaleWebhook {
        /// It does.
        #[default]
        Raised,
        /// It does not.
        Silent,
    }
    /// What 取消 does to stock (smaregi.md 9c).
    cancel_stock: CancelStock {
        /// Goods come back as division 02 with a positive amount.
        #[default]
        Back02,
        /// Goods come back as division 12, 返品.
        Back12,
        /// Goods come back as division 15.
        Back15,
        /// Goods do not come back.
        Unmoved,
    }
    /// What 返品取消 does to stock (smaregi.md 9c).
    dispose_stock: DisposeStock {
        /// Goods come back as division 12, 返品.
        #[default]
        Back12,
        /// Goods come back as division 02 with a positive amount.
        Back02,
        /// Goods come back as division 15.
        Back15,
        /// Goods do not come back.
        Unmoved,
    }
    /// Whether a closed transaction (sumDivision 2) can be cancelled (smaregi.md 9c).
    cancel_closed: CancelClosed {
        /// It can.
        #[default]
        Allowed,
        /// It is refused with 400.
        Refused,
    }
    /// Whether store, terminal, time and number together are unique for `POST /transactions` (smaregi.md 9d).
    four_part_key: FourPartKey {
        /// A repetition is refused with 400.
        #[default]
        Enforced,
        /// A repetition is a second sale.
        Ignored,
    }
    /// Whether `transactionUuid` is unique (smaregi.md 2: "should be unique").
    transaction_uuid: TransactionUuid {
        /// A repetition is a second sale.
        #[default]
        Ignored,
        /// A repetition is refused with 400.
        Enforced,
    }
    /// Whether tax sums are checked (smaregi.md 9f).
    tax_sums: TaxSums {
        /// Not checked.
        #[default]
        Unchecked,
        /// Checked against the details before the subtotal discount.
        BeforeDiscount,
        /// Checked against the details after the subtotal discount.
        AfterDiscount,
    }
    /// The division an API stock update writes (smaregi.md 9b).
    own_stock_division: OwnStockDivision {
        /// 15, スマレジAPI連携.
        #[default]
        Division15,
        /// 01, 修正.
        Division01,
        /// 09, 調整.
        Division09,
    }
    /// What an upload with refused rows applies (next-engine.md 4.4).
    upload_bad_rows: UploadBadRows {
        /// The good rows.
        #[default]
        Partial,
        /// Nothing.
        AllOrNothing,
    }
    /// The queue status of an upload that was applied in part (next-engine.md 4.4).
    partial_upload_ends: PartialUploadEnds {
        /// 2, all done, with the refused rows in the message.
        #[default]
        Done,
        /// -1, failed, with the refused rows in the message.
        Failed,
    }
    /// The most rows one search returns (next-engine.md 5).
    search_cap: SearchCap {
        /// 10,000.
        #[default]
        TenThousand,
        /// 1,000.
        Thousand,
    }
    /// How 002004 arrives when the refresh token is dead too (next-engine.md 10).
    dead_pair: DeadPair {
        /// `result` = `error`.
        #[default]
        Error,
        /// `result` = `redirect`.
        Redirect,
    }
    /// Whether allocating stock moves a slip's last-modified date (next-engine.md 6).
    allocation_modifies: AllocationModifies {
        /// It does not.
        #[default]
        No,
        /// It does.
        Yes,
    }
    /// Whether changing a line moves its slip's own last-modified date (next-engine.md 10).
    line_change_modifies_slip: LineChangeModifiesSlip {
        /// It does.
        #[default]
        Yes,
        /// Only the line's date and the "newest" date move.
        No,
    }
    /// Whether `receive_order_row_tax_rate` is filled (next-engine.md 10).
    row_tax_rate: RowTaxRate {
        /// It is.
        #[default]
        Filled,
        /// It is null.
        Null,
    }
    /// How long an upload waits before it runs (next-engine.md 10).
    queue_delay: QueueDelay {
        /// A quarter of a minute.
        #[default]
        Seconds15,
        /// It is done before the next request.
        None,
        /// Ten minutes.
        Minutes10,
    }
    /// How long after the queue is done its movements can be read (assumed possible; no source).
    movement_delay: MovementDelay {
        /// At once.
        #[default]
        None,
        /// After a minute.
        Minute,
    }
    /// Whether a movement's quantity has a sign beside the in/out flag (no source).
    movement_quantity: MovementQuantity {
        /// It has none.
        #[default]
        Unsigned,
        /// It is negative for goods going out.
        Signed,
    }
    /// How `-eq` and `-in` compare product codes (next-engine.md 3, 6).
    code_case: CodeCase {
        /// To the letter.
        #[default]
        Exact,
        /// Without regard to case.
        Ignored,
    }
    /// What the movement history shows of `nyusyukko_riyu` (no source).
    upload_reason: UploadReason {
        /// What was sent.
        #[default]
        Verbatim,
        /// Its first 50 characters.
        Truncated,
        /// What was sent, after a label of Next Engine's.
        Prefixed,
    } [
        /// Nothing. Left out of the walk: it breaks any lookup by mark.
        Absent,
    ]
    /// Whether merging moves the last-modified dates of both slips (next-engine.md 10).
    merge_modifies: MergeModifies {
        /// It does.
        #[default]
        Yes,
        /// It does not; only the lines that reappear are new.
        No,
    }
    /// Whether splitting moves the last-modified date of the slip that stays (next-engine.md 10).
    split_modifies: SplitModifies {
        /// It does.
        #[default]
        Yes,
        /// It does not; only the new slip is new.
        No,
    }
    /// What happens to a `limit` above the cap (next-engine.md 10).
    over_limit: OverLimit {
        /// It is cut to the cap.
        #[default]
        Cut,
        /// The call is refused with 004002.
        Refuse,
    }
    /// Rows of a search without `limit` (next-engine.md 5).
    default_limit: DefaultLimit {
        /// 1,000.
        #[default]
        Thousand,
        /// 10,000.
        TenThousand,
    }
    /// The JSON type of `count` (next-engine.md 0).
    count_type: CountType {
        /// Text.
        #[default]
        String,
        /// A number.
        Number,
    }
    /// What `count` of a search says when a limit cuts the result (next-engine.md 10).
    search_count: SearchCount {
        /// The rows of this page.
        #[default]
        Page,
        /// All rows that match.
        Total,
    }
    /// The queue status of an upload of which nothing was applied because of bad rows (next-engine.md 10).
    all_or_nothing_ends: AllOrNothingEnds {
        /// -1, failed.
        #[default]
        Failed,
        /// 2, all done.
        Done,
    }
    /// How the queue's message tells of refused rows (next-engine.md 10).
    queue_message: QueueMessage {
        /// Each row with its reason.
        #[default]
        Rows,
        /// How many.
        Count,
        /// Not at all.
        None,
    }
    /// The JSON of a `redirect` answer (next-engine.md 10).
    redirect_shape: RedirectShape {
        /// With code and message.
        #[default]
        Coded,
        /// `result` alone.
        Bare,
    }
    /// The HTTP status of an error (next-engine.md 10).
    error_status: ErrorStatus {
        /// 200.
        #[default]
        Ok200,
        /// 400.
        BadRequest400,
    }
    /// What a refresh token that is not the pair's is answered (next-engine.md 1.6).
    bad_refresh: BadRefresh {
        /// 002003.
        #[default]
        Code002003,
        /// 002004.
        Code002004,
        /// `result` = `redirect`.
        Redirect,
    }
    /// What a tax-excluding shop's tax is taken from (next-engine.md 2.4 leaves it open).
    tax_base: TaxBase {
        /// The goods.
        #[default]
        Goods,
        /// The goods, and charge, delivery fee and other cost at 10 %.
        GoodsAndFees,
    }
    /// Where the delivery fee is in `receiveorder_tax_account` (next-engine.md 2.4).
    tax_account_shipping: TaxAccountShipping {
        /// In the requested amount at 10 % alone.
        #[default]
        Requested,
        /// There, and in `charge_amount_tax10` too.
        Charged,
        /// Nowhere.
        Absent,
    }
    /// What `stock_io_history_io_flag` says (no source).
    io_flag: IoFlag {
        /// 0 in, 1 out.
        #[default]
        ZeroIn,
        /// 1 in, 0 out.
        OneIn,
    }
    /// Whether calls of one user at once are refused (next-engine.md 1.4: "may be access-limited").
    crowding: Crowding {
        /// They are served, unless an operator has them refused.
        #[default]
        Served,
        /// All but the first are refused with 003002.
        Refused,
    }
    /// Whether a registration may carry `depositOthers` (smaregi.md 9e).
    deposit_others: DepositOthers {
        /// It may.
        #[default]
        Accepted,
        /// It is refused as unsupported.
        Refused,
    }
    /// What `terminalTranId` may hold (smaregi.md 9k).
    terminal_tran_id: TerminalTranId {
        /// Any characters.
        #[default]
        Any,
        /// Digits alone.
        Digits,
    }
    /// What becomes of an offset other than +09:00 in a body's timestamp (smaregi.md 9k).
    offsets: Offsets {
        /// It is ignored: the wall time is taken for Japan's.
        #[default]
        Ignored,
        /// It is honoured.
        Honoured,
    }
    /// How the lines of a 返品取消's negative look (smaregi.md 9g).
    dispose_lines: DisposeLines {
        /// Quantity negative, price positive, line division 2.
        #[default]
        QuantityNegated,
        /// As they were sold; only the head is negative.
        AsSold,
    }
    /// Whether the goods that 取消 or 返品取消 brings back raise `pos:stock` (smaregi.md 9c).
    undo_webhook: UndoWebhook {
        /// They do.
        #[default]
        Raised,
        /// They do not.
        Silent,
    }
    /// Whose ids the `disposed` webhook carries (smaregi.md 6d, 9c).
    disposed_ids: DisposedIds {
        /// The negative's.
        #[default]
        New,
        /// The cancelled sale's.
        Original,
        /// Both.
        Both,
    }
    /// How many history rows a sale with one product on two lines writes (no source).
    sale_rows: SaleRows {
        /// One for each line.
        #[default]
        PerLine,
        /// One for each product.
        PerProduct,
    }
    /// When the history rows of a sale registered by API appear (no source).
    sale_stock_delay: SaleStockDelay {
        /// At once.
        #[default]
        None,
        /// After seven seconds.
        Seconds7,
    }
}
