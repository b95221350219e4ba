//! Fields of goods and of their stock (next-engine.md 4.1).

use super::{
    Column, Kind::Code, Kind::Date, Kind::Number, Kind::Text, column, date, flag, money, text,
};

/// Fields of the goods master with content.
pub const COLUMNS: &[Column] = &[
    column("goods_id", Code, |r| text(&r.goods?.code)),
    column("goods_representation_id", Code, |r| text(&r.goods?.code)),
    column("goods_name", Text, |r| text(&r.goods?.name)),
    column("goods_type_id", Text, |r| r.goods.and(text(0))),
    column("goods_merchandise_id", Text, |r| r.goods.and(text(0))),
    column("goods_merchandise_name", Text, |r| {
        r.goods.and(text("取扱中"))
    }),
    column("goods_supplier_id", Text, |r| text(&r.goods?.supplier)),
    column("goods_jan_code", Text, |r| r.goods.and(text(""))),
    column("goods_cost_price", Number, |r| money(r.goods?.cost)),
    column("goods_display_price", Number, |r| money(r.goods?.price)),
    column("goods_selling_price", Number, |r| money(r.goods?.price)),
    column("goods_tax_rate", Number, |r| text(r.goods?.tax_rate)),
    column("goods_stock_management_flag", Text, |r| {
        r.goods.and(flag(true))
    }),
    column("goods_visible_flag", Text, |r| r.goods.and(flag(true))),
    column("goods_deleted_flag", Text, |r| r.goods.and(flag(false))),
    column("goods_creation_date", Date, |r| date(r.goods?.created)),
    column("goods_last_modified_date", Date, |r| {
        date(r.goods?.modified?)
    }),
    column("goods_last_modified_null_safe_date", Date, |r| {
        date(r.goods?.modified.unwrap_or(r.goods?.created))
    }),
];

/// Fields of the stock master, selectable with goods too.
pub const STOCK_COLUMNS: &[Column] = &[
    column("stock_goods_id", Code, |r| text(&r.goods?.code)),
    column("stock_quantity", Number, |r| text(r.goods?.stock)),
    column("stock_allocation_quantity", Number, |r| {
        text(r.goods?.allocated)
    }),
    column("stock_free_quantity", Number, |r| text(r.goods?.free())),
    column("stock_defective_quantity", Number, |r| {
        text(r.goods?.defective)
    }),
    column("stock_remaining_order_quantity", Number, |_| text(0)),
    column("stock_out_quantity", Number, |_| text(0)),
    column("stock_advance_order_quantity", Number, |_| text(0)),
    column("stock_advance_order_allocation_quantity", Number, |_| {
        text(0)
    }),
    column("stock_advance_order_free_quantity", Number, |_| text(0)),
    column("stock_deleted_flag", Text, |_| flag(false)),
    column("stock_creation_date", Date, |r| date(r.goods?.created)),
    column("stock_last_modified_date", Date, |r| {
        date(r.goods?.stock_modified?)
    }),
    column("stock_last_modified_null_safe_date", Date, |r| {
        date(r.goods?.stock_modified.unwrap_or(r.goods?.created))
    }),
];

/// Fields of the stock master that are always null here.
pub const STOCK_EMPTY: &[&str] = &[
    "stock_creator_id",
    "stock_creator_name",
    "stock_last_modified_by_id",
    "stock_last_modified_by_null_safe_id",
    "stock_last_modified_by_name",
    "stock_last_modified_by_null_safe_name",
];

/// Fields of a location's stock; everything lies at 基本拠点 (next-engine.md 4.1).
pub const WAREHOUSE_STOCK_COLUMNS: &[Column] = &[
    column("warehouse_stock_warehouse_id", Number, |_| text(0)),
    column("warehouse_stock_goods_id", Code, |r| text(&r.goods?.code)),
    column("warehouse_stock_quantity", Number, |r| text(r.goods?.stock)),
    column("warehouse_stock_allocation_quantity", Number, |r| {
        text(r.goods?.allocated)
    }),
    column("warehouse_stock_free_quantity", Number, |r| {
        text(r.goods?.free())
    }),
];

/// Fields of the goods master that exist and are always null here.
pub const EMPTY: &[&str] = &[
    "goods_foreign_name",
    "goods_type_name",
    "goods_forwarding_method_id",
    "goods_forwarding_method_name",
    "goods_status_id",
    "goods_status_name",
    "goods_delivery_id",
    "goods_delivery_name",
    "goods_maker_name",
    "goods_maker_kana",
    "goods_maker_address",
    "goods_maker_zip_code",
    "goods_model_number",
    "goods_color",
    "goods_mall_category",
    "goods_shop_category",
    "goods_foreign_selling_price",
    "goods_wholesale_retail_ratio",
    "goods_weight",
    "goods_width",
    "goods_length",
    "goods_height",
    "goods_release_date",
    "goods_first_time_sold_date",
    "goods_last_time_sold_date",
    "goods_first_time_supplied_date",
    "goods_last_time_supplied_date",
    "goods_stock_constant",
    "goods_order_point",
    "goods_lot",
    "goods_publication_date",
    "goods_note",
    "goods_tag",
    "goods_location",
    "goods_delivery_mail_flag",
    "goods_delivery_mail_maximum_quality",
    "goods_gift_ok_flg",
    "goods_size",
    "goods_maker_model_number",
    "goods_stock_alert_mail_threshold",
    "goods_wholesale_mortgage_threshold",
    "goods_shipping_base_id",
    "goods_mail_tag_id",
    "goods_description_text",
    "goods_description_html",
    "goods_creator_id",
    "goods_creator_name",
    "goods_last_modified_by_id",
    "goods_last_modified_by_name",
    "goods_last_modified_by_null_safe_id",
    "goods_last_modified_by_null_safe_name",
    "goods_1_item",
    "goods_2_item",
    "goods_3_item",
    "goods_4_item",
    "goods_5_item",
    "goods_6_item",
    "goods_7_item",
    "goods_8_item",
    "goods_9_item",
    "goods_10_item",
    "goods_11_item",
    "goods_12_item",
    "goods_13_item",
    "goods_14_item",
    "goods_15_item",
    "goods_16_item",
    "goods_17_item",
    "goods_18_item",
    "goods_19_item",
    "goods_20_item",
    "goods_1_select_id",
    "goods_1_select_name",
    "goods_2_select_id",
    "goods_2_select_name",
    "goods_3_select_id",
    "goods_3_select_name",
    "goods_4_select_id",
    "goods_4_select_name",
    "goods_5_select_id",
    "goods_5_select_name",
    "goods_6_select_id",
    "goods_6_select_name",
    "goods_7_select_id",
    "goods_7_select_name",
    "goods_8_select_id",
    "goods_8_select_name",
    "goods_9_select_id",
    "goods_9_select_name",
    "goods_10_select_id",
    "goods_10_select_name",
    "goods_caution_html",
    "goods_caution_text",
    "goods_condition_description",
    "goods_condition_id",
    "goods_delivery_date_id",
    "goods_designated_delivery_date",
    "goods_hit_syohin_alert_quantity",
    "goods_publication_pic_id",
    "goods_publication_pic_name",
    "goods_spec_html",
    "goods_spec_text",
    "goods_stock_wholesale_quantity",
    "supplier_name",
];
