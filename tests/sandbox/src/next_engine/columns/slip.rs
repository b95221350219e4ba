//! Fields of the order slip (next-engine.md 2).
//! It must not hold buyers' data: purchaser and consignee are always null here.

use super::super::lists;
use super::{Column, Kind::Date, Kind::Number, Kind::Text, column, date, flag, money, text};

/// Fields with content.
pub const COLUMNS: &[Column] = &[
    column("receive_order_id", Number, |r| text(r.slip?.id)),
    column("receive_order_shop_id", Number, |r| text(r.slip?.shop_id)),
    column("receive_order_shop_cut_form_id", Text, |r| {
        text(&r.slip?.shop_cut_form_id)
    }),
    column("receive_order_date", Date, |r| date(r.slip?.ordered)),
    column("receive_order_import_date", Date, |r| date(r.slip?.created)),
    column("receive_order_import_type_id", Text, |_| text(1)),
    column("receive_order_import_type_name", Text, |_| text("CSV")),
    column("receive_order_send_plan_date", Date, |r| {
        date(r.slip?.send_plan?)
    }),
    column("receive_order_send_date", Date, |r| date(r.slip?.sent?)),
    column("receive_order_order_status_id", Text, |r| {
        text(r.slip?.status)
    }),
    column("receive_order_order_status_name", Text, |r| {
        text(lists::name(lists::ORDER_STATUSES, r.slip?.status.into()))
    }),
    column("receive_order_cancel_type_id", Text, |r| {
        text(r.slip?.cancel_type)
    }),
    column("receive_order_cancel_type_name", Text, |r| {
        text(lists::name(lists::CANCEL_TYPES, r.slip?.cancel_type.into()))
    }),
    column("receive_order_cancel_date", Date, |r| {
        date(r.slip?.cancelled?)
    }),
    column("receive_order_total_amount", Number, |r| {
        money(r.slip?.total())
    }),
    column("receive_order_goods_amount", Number, |r| {
        money(r.slip?.goods_amount())
    }),
    column("receive_order_tax_amount", Number, |r| {
        money(r.slip?.tax_amount())
    }),
    column("receive_order_charge_amount", Number, |r| {
        money(r.slip?.charge)
    }),
    column("receive_order_delivery_fee_amount", Number, |r| {
        money(r.slip?.delivery_fee)
    }),
    column("receive_order_other_amount", Number, |r| {
        money(r.slip?.other)
    }),
    column("receive_order_point_amount", Number, |r| {
        money(r.slip?.points)
    }),
    // Every order of the sandbox is paid unless somebody said otherwise.
    column("receive_order_deposit_amount", Text, |r| {
        money(r.slip?.deposit_amount())
    }),
    column("receive_order_deposit_type_id", Text, |r| {
        text(r.slip?.deposit_type())
    }),
    column("receive_order_deposit_type_name", Text, |r| {
        text(lists::name(lists::DEPOSIT_TYPES, r.slip?.deposit_type()))
    }),
    column("receive_order_deposit_date", Date, |r| {
        let slip = r.slip?;
        date((slip.deposit_type() > 0).then_some(slip.created)?)
    }),
    column(
        "receive_order_option_received_time_shop_coupon",
        Number,
        |r| money(r.slip?.shop_coupon?),
    ),
    column(
        "receive_order_option_received_time_mall_coupon",
        Number,
        |r| money(r.slip?.mall_coupon?),
    ),
    column("receive_order_payment_method_id", Text, |r| {
        text(r.slip?.payment_method)
    }),
    column("receive_order_payment_method_name", Text, |r| {
        text(lists::name(lists::PAYMENT_METHODS, r.slip?.payment_method))
    }),
    column("receive_order_include_to_order_id", Number, |r| {
        text(r.slip?.include_to?)
    }),
    column("receive_order_divide_from_order_id", Number, |r| {
        text(r.slip?.divide_from?)
    }),
    column("receive_order_copy_from_order_id", Number, |_| None),
    column(
        "receive_order_multi_delivery_parent_order_id",
        Number,
        |_| None,
    ),
    column("receive_order_multi_delivery_parent_flag", Text, |_| {
        flag(false)
    }),
    column("receive_order_customer_type_id", Text, |_| text(0)),
    column("receive_order_gift_flag", Text, |_| flag(false)),
    column("receive_order_deleted_flag", Text, |r| {
        flag(r.slip?.deleted)
    }),
    column("receive_order_creation_date", Date, |r| {
        date(r.slip?.created)
    }),
    column("receive_order_last_modified_date", Date, |r| {
        date(r.slip?.modified?)
    }),
    column("receive_order_last_modified_null_safe_date", Date, |r| {
        date(r.slip?.modified.unwrap_or(r.slip?.created))
    }),
];

/// Fields that exist and are always null here.
pub const EMPTY: &[&str] = &[
    "receive_order_important_check_id",
    "receive_order_important_check_name",
    "receive_order_confirm_check_id",
    "receive_order_confirm_check_name",
    "receive_order_confirm_ids",
    "receive_order_mail_status",
    "receive_order_gruoping_tag",
    "receive_order_closed_after_edit_date",
    "receive_order_delivery_id",
    "receive_order_delivery_name",
    "receive_order_foreign_total_amount",
    "receive_order_foreign_tax_amount",
    "receive_order_foreign_charge_amount",
    "receive_order_foreign_delivery_fee_amount",
    "receive_order_foreign_other_amount",
    "receive_order_foreign_goods_amount",
    "receive_order_foreign_deposit_amount",
    "receive_order_note",
    "receive_order_include_possible_order_id",
    "receive_order_statement_delivery_instruct_printing_date",
    "receive_order_statement_delivery_printing_date",
    "receive_order_statement_delivery_text",
    "receive_order_send_sequence",
    "receive_order_worker_text",
    "receive_order_picking_instruct",
    "receive_order_picking_min_supplier_id",
    "receive_order_picking_min_goods_id",
    "receive_order_label_print_date",
    "receive_order_label_print_flag",
    "receive_order_hope_delivery_date",
    "receive_order_hope_delivery_time_slot_id",
    "receive_order_hope_delivery_time_slot_name",
    "receive_order_delivery_method_id",
    "receive_order_delivery_method_name",
    "receive_order_seal1_id",
    "receive_order_seal1_name",
    "receive_order_seal2_id",
    "receive_order_seal2_name",
    "receive_order_seal3_id",
    "receive_order_seal3_name",
    "receive_order_seal4_id",
    "receive_order_seal4_name",
    "receive_order_business_office_stop_id",
    "receive_order_business_office_stop_name",
    "receive_order_invoice_id",
    "receive_order_invoice_name",
    "receive_order_temperature_id",
    "receive_order_temperature_name",
    "receive_order_business_office_name",
    "receive_order_delivery_cut_form_id",
    "receive_order_delivery_cut_form_note",
    "receive_order_credit_type_id",
    "receive_order_credit_type_name",
    "receive_order_credit_approval_no",
    "receive_order_credit_approval_amount",
    "receive_order_credit_approval_type_id",
    "receive_order_credit_approval_type_name",
    "receive_order_credit_approval_date",
    "receive_order_credit_approval_rate",
    "receive_order_credit_number_payments",
    "receive_order_credit_authorization_center_id",
    "receive_order_credit_authorization_center_name",
    "receive_order_credit_approval_fax_printing_date",
    "receive_order_customer_type_name",
    "receive_order_customer_id",
    "receive_order_purchaser_name",
    "receive_order_purchaser_kana",
    "receive_order_purchaser_zip_code",
    "receive_order_purchaser_address1",
    "receive_order_purchaser_address2",
    "receive_order_purchaser_tel",
    "receive_order_purchaser_fax",
    "receive_order_purchaser_mail_address",
    "receive_order_consignee_name",
    "receive_order_consignee_kana",
    "receive_order_consignee_zip_code",
    "receive_order_consignee_address1",
    "receive_order_consignee_address2",
    "receive_order_consignee_tel",
    "receive_order_consignee_fax",
    "receive_order_reminder_start_date",
    "receive_order_reminder_last_date",
    "receive_order_reminder_count",
    "receive_order_important_check_pic_id",
    "receive_order_important_check_pic_name",
    "receive_order_pic_id",
    "receive_order_pic_name",
    "receive_order_send_pic_id",
    "receive_order_send_pic_name",
    "receive_order_creator_id",
    "receive_order_creator_name",
    "receive_order_last_modified_by_id",
    "receive_order_last_modified_by_null_safe_id",
    "receive_order_last_modified_by_name",
    "receive_order_last_modified_by_null_safe_name",
];
