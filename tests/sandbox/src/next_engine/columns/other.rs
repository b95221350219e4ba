//! Fields of the movement history, the upload queue and the shops (next-engine.md 2.4, 4.1, 4.4).

use super::{Column, Kind::Code, Kind::Date, Kind::Number, Kind::Text, column, date, flag, text};
use crate::shop::MallTax;
use crate::switches::{IoFlag, MovementQuantity};

/// Movement fields with content.
pub const MOVEMENT_COLUMNS: &[Column] = &[
    column("stock_io_history_id", Number, |r| text(r.movement?.id)),
    column("stock_io_history_shop_id", Number, |r| {
        text(r.movement?.slip?.1)
    }),
    column("stock_io_history_goods_id", Code, |r| {
        text(&r.movement?.code)
    }),
    column("stock_io_history_date", Date, |r| date(r.movement?.at)),
    column("stock_io_history_before_stock_quantity", Number, |r| {
        text(r.movement?.before)
    }),
    column("stock_io_history_after_stock_quantity", Number, |r| {
        text(r.movement?.after)
    }),
    column("stock_io_history_before_bad_stock_quantity", Number, |_| {
        text(0)
    }),
    column("stock_io_history_after_bad_stock_quantity", Number, |_| {
        text(0)
    }),
    column("stock_io_history_quantity", Number, |r| {
        let difference = r.movement?.after - r.movement?.before;
        match r.switches.movement_quantity {
            MovementQuantity::Unsigned => text(difference.abs()),
            MovementQuantity::Signed => text(difference),
        }
    }),
    column("stock_io_history_cut_form_id", Number, |r| {
        text(r.movement?.slip?.0)
    }),
    column("stock_io_history_io_flag", Text, |r| {
        let out = r.movement?.after < r.movement?.before;
        flag(out == (r.switches.io_flag == IoFlag::ZeroIn))
    }),
    column("stock_io_history_io_type_id", Text, |r| {
        text(r.movement?.kind.label().0)
    }),
    column("stock_io_history_io_type_name", Text, |r| {
        text(r.movement?.kind.label().1)
    }),
    column("stock_io_history_reason", Text, |r| {
        text(&r.movement?.reason)
    }),
    column("stock_io_history_pic_id", Number, |_| text(1)),
    column("stock_io_history_pic_name", Text, |_| text("担当者")),
    column("stock_io_history_deleted_flag", Text, |_| flag(false)),
    column("stock_io_history_creation_date", Date, |r| {
        date(r.movement?.at)
    }),
    column("stock_io_history_last_modified_null_safe_date", Date, |r| {
        date(r.movement?.at)
    }),
];

/// Movement fields that are always null here.
pub const MOVEMENT_EMPTY: &[&str] = &[
    "stock_io_history_last_modified_date",
    "stock_io_history_creator_id",
    "stock_io_history_creator_name",
    "stock_io_history_last_modified_by_id",
    "stock_io_history_last_modified_by_null_safe_id",
    "stock_io_history_last_modified_by_name",
    "stock_io_history_last_modified_by_null_safe_name",
];

/// Queue fields.
pub const QUEUE_COLUMNS: &[Column] = &[
    column("que_id", Number, |r| text(r.entry?.id)),
    column("que_method_name", Text, |_| text("SYOHIN_KIHON_CSV")),
    column("que_shop_id", Number, |_| text(0)),
    column("que_upload_name", Text, |_| text("NE_API")),
    column("que_client_file_name", Text, |_| text("")),
    column("que_file_name", Text, |r| {
        text(format!("NE_API_{}.csv", r.entry?.id))
    }),
    column("que_status_id", Text, |r| text(r.entry?.status)),
    column("que_message", Text, |r| r.entry?.message.clone()),
    column("que_deleted_flag", Text, |_| flag(false)),
    column("que_creation_date", Date, |r| date(r.entry?.created)),
    column("que_last_modified_date", Date, |r| date(r.entry?.modified?)),
    column("que_last_modified_null_safe_date", Date, |r| {
        date(r.entry?.modified.unwrap_or(r.entry?.created))
    }),
    column("que_creator_id", Number, |_| text(1)),
    column("que_creator_name", Text, |_| text("担当者")),
];

/// Queue fields that are always null here.
pub const QUEUE_EMPTY: &[&str] = &[
    "que_last_modified_by_id",
    "que_last_modified_by_null_safe_id",
    "que_last_modified_by_name",
    "que_last_modified_by_null_safe_name",
];

/// Location fields: 基本拠点 is id 0 (next-engine.md 4.1), and the only one here.
pub const WAREHOUSE_COLUMNS: &[Column] = &[
    column("warehouse_id", Number, |_| text(0)),
    column("warehouse_name", Text, |_| text("基本拠点")),
];

/// Shop fields with content. Ids and names of 税区分 are assumed.
pub const SHOP_COLUMNS: &[Column] = &[
    column("shop_id", Number, |r| text(r.mall?.id)),
    column("shop_name", Text, |r| text(&r.mall?.name)),
    column("shop_abbreviated_name", Text, |r| text(&r.mall?.short_name)),
    column("shop_mall_id", Number, |r| text(r.mall?.id)),
    column("shop_tax_id", Text, |r| {
        text(u8::from(r.mall?.tax == MallTax::Added))
    }),
    column("shop_tax_name", Text, |r| match r.mall?.tax {
        MallTax::Included => text("税込み"),
        MallTax::Added => text("税抜き"),
    }),
    column("shop_tax_calculation_sequence_id", Text, |r| {
        text(r.mall?.taxing.sequence as u8)
    }),
    column("shop_currency_unit_id", Text, |_| text(1)),
    column("shop_currency_unit_name", Text, |_| text("円")),
    column("shop_deleted_flag", Text, |_| flag(false)),
    column("shop_creation_date", Date, |r| date(r.mall?.created)),
    column("shop_last_modified_date", Date, |_| None),
    column("shop_last_modified_null_safe_date", Date, |r| {
        date(r.mall?.created)
    }),
];

/// Shop fields that are always null here.
pub const SHOP_EMPTY: &[&str] = &[
    "shop_kana",
    "shop_handling_goods_name",
    "shop_close_date",
    "shop_note",
    "shop_authorization_type_id",
    "shop_authorization_type_name",
    "shop_type_id",
    "shop_creator_id",
    "shop_creator_name",
    "shop_last_modified_by_id",
    "shop_last_modified_by_null_safe_id",
    "shop_last_modified_by_name",
    "shop_last_modified_by_null_safe_name",
];
