//! One row of the search: a line with its slip. Reads a field once, by the name that the search has for it.

use rust_decimal::Decimal;

use crate::{
    reason::Reason,
    rules::order::{Head, Life, Order, OrderLine, OrderState},
    time::{self, Moment},
    wire::{self, Row, Value},
};

/// What is asked for; an unknown name would fail the whole search (next-engine.md 0).
pub const FIELDS: [&str; 29] = [
    "receive_order_row_receive_order_id",
    "receive_order_shop_id",
    "receive_order_shop_cut_form_id",
    STATE,
    CANCEL_TYPE,
    ORDERED,
    SHIPPED,
    "receive_order_goods_amount",
    "receive_order_tax_amount",
    "receive_order_charge_amount",
    "receive_order_delivery_fee_amount",
    "receive_order_other_amount",
    "receive_order_point_amount",
    "receive_order_total_amount",
    "receive_order_payment_method_id",
    "receive_order_row_no",
    "receive_order_row_goods_id",
    "receive_order_row_goods_name",
    "receive_order_row_quantity",
    "receive_order_row_unit_price",
    "receive_order_row_wholesale_retail_ratio",
    "receive_order_row_sub_total_price",
    "receive_order_row_tax_rate",
    "receive_order_row_cancel_flag",
    "receive_order_row_deleted_flag",
    "receive_order_row_returned_good_quantity",
    "receive_order_row_returned_bad_quantity",
    NEWEST_CHANGE,
    SLIP_CHANGE,
];

/// The newer of the slip's and the line's change.
const NEWEST_CHANGE: &str = "receive_order_row_last_modified_newest_date";
/// The slip's own change, its creation where it never changed.
const SLIP_CHANGE: &str = "receive_order_last_modified_null_safe_date";
const STATE: &str = "receive_order_order_status_id";
const CANCEL_TYPE: &str = "receive_order_cancel_type_id";
const SHOP: &str = "receive_order_shop_id";
const ORDERED: &str = "receive_order_date";
const SHIPPED: &str = "receive_order_send_date";

/// A row, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// 伝票番号, `?` when it cannot be read.
    pub slip: String,
    /// 店舗ID
    pub shop_id: Option<String>,
    /// Whether the slip counts at all; absent when even that cannot be read.
    pub head: Option<Head>,
    /// The slip's own change, without its lines'.
    pub slip_changed_at: Option<Moment>,
    /// The slip with this one line.
    pub content: Result<Order, Reason>,
}

impl OrderRow {
    /// A row of which nothing is known.
    pub fn unreadable(reason: Reason) -> Self {
        Self {
            slip: super::NO_SLIP.to_owned(),
            shop_id: None,
            head: None,
            slip_changed_at: None,
            content: Err(reason),
        }
    }
}

/// Reads a row.
pub fn read(value: &Value) -> OrderRow {
    let row = match Row::of(value, "data") {
        Ok(row) => row,
        Err(reason) => return OrderRow::unreadable(reason),
    };
    let slip = match row.id("receive_order_row_receive_order_id") {
        Ok(slip) => slip,
        Err(reason) => return OrderRow::unreadable(reason),
    };
    let head = head(row);
    let content = head.clone().and_then(|head| order(row, &slip, head));
    OrderRow {
        shop_id: row.id(SHOP).ok(),
        head: head.ok(),
        slip_changed_at: moment(row, SLIP_CHANGE).ok().flatten(),
        content,
        slip,
    }
}

/// State and cancel type before anything else: what does not count need not be readable. One that is no number is none that we do not
/// know, and says nothing of whether the slip counts.
fn head(row: Row<'_>) -> Result<Head, Reason> {
    let cancel_type = row.id(CANCEL_TYPE)?;
    let state_id = row.id(STATE)?;
    let day = |field| moment(row, field).ok().flatten().map(time::day);
    Ok(Head {
        state: state(&state_id),
        state_id,
        life: life(&cancel_type),
        cancel_type,
        sold_on: day(SHIPPED).or_else(|| day(ORDERED)),
    })
}

fn order(row: Row<'_>, slip: &str, head: Head) -> Result<Order, Reason> {
    let shipped_at = moment(row, SHIPPED)?;
    // An order without a day of its own was taken, for all we need, when it was shipped.
    let ordered_at = moment(row, ORDERED)?
        .or(shipped_at)
        .ok_or_else(|| wire::unreadable(ORDERED, row.value(ORDERED)))?;
    Ok(Order {
        slip: slip.to_owned(),
        shop_id: row.id(SHOP)?,
        order_number: row
            .maybe_text("receive_order_shop_cut_form_id")
            .unwrap_or_default(),
        state: head.state,
        state_id: head.state_id,
        life: head.life,
        cancel_type: head.cancel_type,
        ordered_at,
        shipped_on: shipped_at.map(time::day),
        goods: row.decimal("receive_order_goods_amount")?,
        tax: amount(row, "receive_order_tax_amount")?,
        charge: amount(row, "receive_order_charge_amount")?,
        delivery: amount(row, "receive_order_delivery_fee_amount")?,
        other: amount(row, "receive_order_other_amount")?,
        points: amount(row, "receive_order_point_amount")?,
        total: row.decimal("receive_order_total_amount")?,
        payment_method: row
            .maybe_text("receive_order_payment_method_id")
            .unwrap_or_default(),
        // Where Next Engine leaves it empty, the slip's own, and else a day that moves no cursor forward.
        changed_at: moment(row, NEWEST_CHANGE)?
            .or(moment(row, SLIP_CHANGE)?)
            .unwrap_or(ordered_at),
        lines: vec![line(row)?],
    })
}

/// Null stands for nothing of this kind.
fn amount(row: Row<'_>, field: &str) -> Result<Decimal, Reason> {
    Ok(row.maybe_decimal(field)?.unwrap_or_default())
}

/// Absent, null and the zero date (assumed: other fields of this family write it) are no moment.
fn moment(row: Row<'_>, field: &str) -> Result<Option<Moment>, Reason> {
    let value = row.value(field);
    match wire::text_of(value).as_deref() {
        None => Ok(None),
        Some(text) if text.starts_with("0000-") => Ok(None),
        Some(text) => time::parse_next_engine(text)
            .map(Some)
            .ok_or_else(|| wire::unreadable(field, value)),
    }
}

fn line(row: Row<'_>) -> Result<OrderLine, Reason> {
    let cancelled = row.flag("receive_order_row_cancel_flag")?;
    if cancelled || row.flag("receive_order_row_deleted_flag")? {
        return Ok(dead_line(row));
    }
    let price = row.decimal("receive_order_row_unit_price")?;
    // 掛率: 10.0 is the whole price.
    let ratio = row
        .maybe_decimal("receive_order_row_wholesale_retail_ratio")?
        .unwrap_or(Decimal::TEN);
    let unit_price = price
        .checked_mul(ratio)
        .and_then(|tenfold| tenfold.checked_div(Decimal::TEN));
    let unreadable = || {
        wire::unreadable(
            "receive_order_row_unit_price",
            row.value("receive_order_row_unit_price"),
        )
    };
    Ok(OrderLine {
        number: row.id("receive_order_row_no")?,
        code: row
            .maybe_text("receive_order_row_goods_id")
            .unwrap_or_default(),
        name: row
            .maybe_text("receive_order_row_goods_name")
            .unwrap_or_default(),
        quantity: row.decimal("receive_order_row_quantity")?,
        unit_price: unit_price.ok_or_else(unreadable)?.normalize(),
        amount: row.decimal("receive_order_row_sub_total_price")?,
        tax_rate: row.maybe_decimal("receive_order_row_tax_rate")?,
        cancelled: false,
        returned: amount(row, "receive_order_row_returned_good_quantity")?
            .saturating_add(amount(row, "receive_order_row_returned_bad_quantity")?),
    })
}

/// A line that counts for nothing: its numbers are not looked at.
fn dead_line(row: Row<'_>) -> OrderLine {
    let text = |field| row.maybe_text(field).unwrap_or_default();
    OrderLine {
        number: text("receive_order_row_no"),
        code: text("receive_order_row_goods_id"),
        name: text("receive_order_row_goods_name"),
        quantity: Decimal::ZERO,
        unit_price: Decimal::ZERO,
        amount: Decimal::ZERO,
        tax_rate: None,
        cancelled: true,
        returned: Decimal::ZERO,
    }
}

/// next-engine.md 2.2.
fn state(id: &str) -> OrderState {
    match id {
        "0" | "1" => OrderState::Provisional,
        "2" => OrderState::Issued,
        "20" | "30" | "40" => OrderState::Printing,
        "50" => OrderState::Shipped,
        _ => OrderState::Unknown,
    }
}

/// next-engine.md 2.3: 6, 8 and 14 to 17 are returns after shipping; 14, 15 and 17 by their names.
fn life(cancel_type: &str) -> Life {
    match cancel_type {
        "0" => Life::Live,
        "3" => Life::Merged,
        "6" | "8" | "14" | "15" | "16" | "17" => Life::Returned,
        _ => Life::Cancelled,
    }
}
