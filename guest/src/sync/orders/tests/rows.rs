//! The order side of Next Engine as far as the flow needs it: slips, and rows as its search answers them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    money,
    rules::order::{Order, OrderState},
    time::{self, Moment},
};

/// A slip in Next Engine, with the change times that `Order` does not keep apart.
#[derive(Clone)]
pub struct Slip {
    pub order: Order,
    pub changed: Moment,
    pub lines_changed: Vec<Moment>,
    /// Fields as they are answered, whatever the order says.
    pub raw: Vec<(&'static str, Value)>,
}

/// Rows in Next Engine's order, cut at the limit.
pub fn rows(books: &BTreeMap<u64, Slip>, form: &BTreeMap<String, String>) -> Value {
    let condition = |name: &str| {
        form.iter()
            .find(|(key, _)| key.ends_with(name))
            .map(|(_, value)| value.clone())
    };
    let from = condition("newest_date-gte").map(|text| time::parse_next_engine(&text).unwrap());
    let above: u64 = condition("order_id-gte").map_or(0, |text| text.parse().unwrap());
    let list = |name: &str| {
        condition(name).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    let (shops, slips) = (list("shop_id-in"), list("order_id-in"));
    let limit: usize = form
        .get("limit")
        .map_or(1_000, |text| text.parse().unwrap());
    let fields: Vec<&str> = form["fields"].split(',').collect();
    let mut rows = Vec::new();
    for (number, slip) in books.range(above..) {
        let wanted = shops
            .as_ref()
            .is_none_or(|shops| shops.contains(&slip.order.shop_id))
            && slips
                .as_ref()
                .is_none_or(|slips| slips.contains(&number.to_string()));
        for line in (0..slip.order.lines.len()).filter(|_| wanted) {
            let newest = slip.changed.max(slip.lines_changed[line]);
            if from.is_none_or(|from| newest >= from) {
                rows.push(row(slip, line, newest, &fields));
            }
        }
    }
    rows.truncate(limit);
    json!({"result": "success", "count": rows.len().to_string(), "data": rows})
}

fn row(slip: &Slip, line: usize, newest: Moment, fields: &[&str]) -> Value {
    let order = &slip.order;
    let line_changed = slip.lines_changed[line];
    let line = &order.lines[line];
    let flag = |set: bool| if set { "1" } else { "0" };
    let state = match order.state {
        OrderState::Shipped => "50",
        OrderState::Printing => "20",
        OrderState::Issued => "2",
        _ => "1",
    };
    let at = time::format_next_engine;
    let known = json!({
        "receive_order_row_receive_order_id": order.slip, "receive_order_id": order.slip,
        "receive_order_shop_id": order.shop_id, "receive_order_shop_cut_form_id": order.order_number,
        "receive_order_row_shop_cut_form_id": order.order_number,
        "receive_order_order_status_id": state, "receive_order_cancel_type_id": order.cancel_type,
        "receive_order_date": at(order.ordered_at), "receive_order_import_date": at(order.ordered_at),
        "receive_order_send_date": order.shipped_on.map(|day| format!("{day} 00:00:00")),
        "receive_order_last_modified_null_safe_date": at(slip.changed), "receive_order_last_modified_date": at(slip.changed),
        "receive_order_goods_amount": money::text(order.goods), "receive_order_tax_amount": money::text(order.tax),
        "receive_order_charge_amount": money::text(order.charge),
        "receive_order_delivery_fee_amount": money::text(order.delivery),
        "receive_order_other_amount": money::text(order.other), "receive_order_point_amount": money::text(order.points),
        "receive_order_total_amount": money::text(order.total), "receive_order_payment_method_id": order.payment_method,
        "receive_order_deleted_flag": "0",
        "receive_order_row_no": line.number, "receive_order_row_goods_id": line.code, "receive_order_row_goods_name": line.name,
        "receive_order_row_quantity": money::text(line.quantity), "receive_order_row_unit_price": money::text(line.unit_price),
        "receive_order_row_tax_rate": line.tax_rate.map(money::text), "receive_order_row_wholesale_retail_ratio": "10.0",
        "receive_order_row_sub_total_price": money::text(line.amount), "receive_order_row_cancel_flag": flag(line.cancelled),
        "receive_order_row_deleted_flag": "0", "receive_order_row_returned_good_quantity": money::text(line.returned),
        "receive_order_row_returned_bad_quantity": "0", "receive_order_row_last_modified_newest_date": at(newest),
        "receive_order_row_last_modified_null_safe_date": at(line_changed), "receive_order_row_last_modified_date": at(line_changed),
    });
    let answered = |field: &str| {
        let raw = slip.raw.iter().find(|(name, _)| *name == field);
        let known = || known.get(field).unwrap_or_else(|| panic!("field {field}"));
        raw.map_or_else(known, |(_, value)| value).clone()
    };
    fields
        .iter()
        .map(|field| ((*field).to_owned(), answered(field)))
        .collect()
}
