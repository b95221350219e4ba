//! Fields of the order line (next-engine.md 3).

use super::{
    Column, Kind::Code, Kind::Date, Kind::Number, Kind::Text, column, date, flag, money, text,
};
use crate::switches::RowTaxRate;

/// Fields with content.
pub const COLUMNS: &[Column] = &[
    column("receive_order_row_receive_order_id", Number, |r| {
        text(r.slip?.id)
    }),
    column("receive_order_row_shop_cut_form_id", Text, |r| {
        text(&r.slip?.shop_cut_form_id)
    }),
    column("receive_order_row_no", Number, |r| text(r.line?.no)),
    column("receive_order_row_shop_row_no", Text, |r| text(r.line?.no)),
    column("receive_order_row_goods_id", Code, |r| text(&r.line?.code)),
    column("receive_order_row_goods_name", Text, |r| {
        text(&r.line?.name)
    }),
    column("receive_order_row_goods_option", Text, |_| text("")),
    column("receive_order_row_quantity", Number, |r| {
        text(r.line?.quantity)
    }),
    column("receive_order_row_unit_price", Number, |r| {
        money(r.line?.unit_price)
    }),
    column("receive_order_row_received_time_first_cost", Number, |r| {
        money(r.line?.first_cost)
    }),
    column("receive_order_row_tax_rate", Number, |r| {
        match r.switches.row_tax_rate {
            RowTaxRate::Filled => text(r.line?.tax_rate),
            RowTaxRate::Null => None,
        }
    }),
    column("receive_order_row_wholesale_retail_ratio", Number, |r| {
        text(format!("{:.1}", r.line?.ratio))
    }),
    column("receive_order_row_sub_total_price", Number, |r| {
        money(r.line?.subtotal())
    }),
    column("receive_order_row_cancel_flag", Text, |r| {
        flag(r.line?.cancelled)
    }),
    column("receive_order_row_deleted_flag", Text, |r| {
        flag(r.line?.deleted)
    }),
    column("receive_order_include_from_order_id", Number, |r| {
        text(r.line?.include_from?.0)
    }),
    column("receive_order_include_from_row_no", Number, |r| {
        text(r.line?.include_from?.1)
    }),
    column("receive_order_row_divide_from_row_no", Number, |r| {
        text(r.line?.divide_from?)
    }),
    column("receive_order_row_copy_from_row_no", Number, |_| None),
    column("receive_order_row_org_row_no", Number, |_| None),
    column("receive_order_row_stock_allocation_quantity", Number, |r| {
        text(r.line?.allocated)
    }),
    column(
        "receive_order_row_advance_order_stock_allocation_quantity",
        Number,
        |_| text(0),
    ),
    column("receive_order_row_stock_allocation_date", Date, |r| {
        date(r.line?.allocation_date?)
    }),
    column("receive_order_row_returned_good_quantity", Number, |r| {
        text(r.line?.returned_good)
    }),
    column("receive_order_row_returned_bad_quantity", Number, |r| {
        text(r.line?.returned_bad)
    }),
    column("receive_order_row_creation_date", Date, |r| {
        date(r.line?.created)
    }),
    column("receive_order_row_last_modified_date", Date, |r| {
        date(r.line?.modified?)
    }),
    column(
        "receive_order_row_last_modified_null_safe_date",
        Date,
        |r| date(r.line?.modified.unwrap_or(r.line?.created)),
    ),
    column("receive_order_row_last_modified_newest_date", Date, |r| {
        let (slip, line) = (r.slip?, r.line?);
        date(
            slip.modified
                .unwrap_or(slip.created)
                .max(line.modified.unwrap_or(line.created)),
        )
    }),
];

/// Fields that exist and are always null here; locations among them (one location only).
pub const EMPTY: &[&str] = &[
    "receive_order_row_multi_delivery_parent_order_id",
    "receive_order_row_received_time_merchandise_id",
    "receive_order_row_received_time_merchandise_name",
    "receive_order_row_received_time_goods_type_id",
    "receive_order_row_received_time_goods_type_name",
    "receive_order_row_returned_reason_id",
    "receive_order_row_returned_reason_name",
    "receive_order_row_creator_id",
    "receive_order_row_creator_name",
    "receive_order_row_last_modified_by_id",
    "receive_order_row_last_modified_by_null_safe_id",
    "receive_order_row_last_modified_by_name",
    "receive_order_row_last_modified_by_null_safe_name",
    "warehouse_id",
    "warehouse_name",
];
