//! 受注明細検索 with the slip's own fields (next-engine.md 2, 3): one search brings slips and lines together. Rows become orders in
//! our words; personal data is not asked for. Holds no rule about what to import.

mod row;

use std::collections::BTreeMap;

use super::Call;
use crate::{
    planted::Planted,
    reason::Reason,
    rules::order::{Head, Order},
    time::{self, Moment},
    wire::{self, Value},
};

pub use row::OrderRow;

const PATH: &str = "/api_v1_receiveorder_row/search";
/// The page that every account takes (next-engine.md 5).
const MOST_ROWS: u32 = 1_000;

/// Rows of these shops whose slip or line changed since then, from one slip on; in the order of slip and line.
pub fn changed_rows(shops: &[String], from: Moment, from_slip: Option<&str>, limit: u32) -> Call {
    let call = Call::search(PATH, &row::FIELDS, limit)
        .with(
            "receive_order_row_last_modified_newest_date-gte",
            time::format_next_engine(from),
        )
        .with("receive_order_shop_id-in", shops.join(","));
    match from_slip {
        Some(rows) if Planted::OffsetPaging.is_on() => call.with("offset", rows),
        Some(slip) => call.with("receive_order_row_receive_order_id-gte", slip),
        None => call,
    }
}

/// All rows of these slips, whenever they changed; at most 1 000 slips (next-engine.md 0).
pub fn rows_of(slips: &[String]) -> Call {
    Call::search(PATH, &row::FIELDS, MOST_ROWS)
        .with("receive_order_row_receive_order_id-in", slips.join(","))
}

/// The rows of an answer. A row that cannot be read is one still, so that pages are counted rightly.
pub fn decode(answer: &Value) -> Vec<OrderRow> {
    let data = answer.get("data").unwrap_or(&Value::Null);
    match data.as_list() {
        Some(rows) => rows.iter().map(row::read).collect(),
        None => vec![OrderRow::unreadable(wire::unreadable("data", data))],
    }
}

/// What stands for a slip number that cannot be read.
pub const NO_SLIP: &str = "?";

/// The rows of one slip, put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// 伝票番号; [`NO_SLIP`] when that itself cannot be read.
    pub slip: String,
    /// 店舗ID; empty when it cannot be read.
    pub shop_id: String,
    /// Whether the slip counts at all; absent when even that cannot be read.
    pub head: Option<Head>,
    /// The slip's own change, without its lines'; absent when it cannot be read.
    pub changed_at: Option<Moment>,
    /// The slip, or the first thing in it that cannot be read.
    pub order: Result<Order, Reason>,
}

/// Puts rows together into slips. One bad row makes its slip bad and leaves the others alone.
pub fn group(rows: Vec<OrderRow>) -> Vec<Slip> {
    let mut slips: BTreeMap<String, Vec<OrderRow>> = BTreeMap::new();
    for row in rows {
        slips.entry(row.slip.clone()).or_default().push(row);
    }
    slips
        .into_iter()
        .map(|(slip, rows)| together(slip, rows))
        .collect()
}

fn together(slip: String, rows: Vec<OrderRow>) -> Slip {
    Slip {
        slip,
        shop_id: rows
            .iter()
            .find_map(|row| row.shop_id.clone())
            .unwrap_or_default(),
        head: rows.iter().find_map(|row| row.head.clone()),
        changed_at: rows.iter().filter_map(|row| row.slip_changed_at).max(),
        order: lines_together(rows),
    }
}

fn lines_together(rows: Vec<OrderRow>) -> Result<Order, Reason> {
    let mut order: Option<Order> = None;
    for row in rows {
        let part = row.content?;
        match &mut order {
            None => order = Some(part),
            Some(order) => {
                order.changed_at = order.changed_at.max(part.changed_at);
                order.lines.extend(part.lines);
            }
        }
    }
    let mut order = order.ok_or_else(|| wire::unreadable("receive_order_row_no", &Value::Null))?;
    order
        .lines
        .sort_by(|a, b| (a.number.len(), &a.number).cmp(&(b.number.len(), &b.number)));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    use crate::rules::order::{Life, OrderState};

    fn row(slip: &str, number: u32, change: impl FnOnce(&mut Value)) -> Value {
        let mut row = json!({
            "receive_order_row_receive_order_id": slip, "receive_order_shop_id": "1", "receive_order_shop_cut_form_id": "R-1",
            "receive_order_order_status_id": "50", "receive_order_cancel_type_id": "0",
            "receive_order_date": "2026-11-20 10:00:00", "receive_order_send_date": "2026-11-21 00:00:00",
            "receive_order_goods_amount": "2000.00", "receive_order_tax_amount": "0.00", "receive_order_charge_amount": "0.00",
            "receive_order_delivery_fee_amount": "0.00", "receive_order_other_amount": "-100.00",
            "receive_order_point_amount": "0", "receive_order_total_amount": "1900.00", "receive_order_payment_method_id": "1",
            "receive_order_row_no": number.to_string(), "receive_order_row_goods_id": "a", "receive_order_row_goods_name": "梅",
            "receive_order_row_quantity": "2", "receive_order_row_unit_price": "1000.00",
            "receive_order_row_wholesale_retail_ratio": "10.0", "receive_order_row_sub_total_price": "2000.00",
            "receive_order_row_tax_rate": "10", "receive_order_row_cancel_flag": "0", "receive_order_row_deleted_flag": "0",
            "receive_order_row_returned_good_quantity": "0", "receive_order_row_returned_bad_quantity": null,
            "receive_order_row_last_modified_newest_date": "2026-11-21 12:00:00",
            "receive_order_last_modified_null_safe_date": "2026-11-21 11:00:00",
        });
        change(&mut row);
        row
    }

    fn orders(rows: Vec<Value>) -> Vec<Slip> {
        group(decode(&json!({ "data": rows }).into()))
    }

    #[test]
    fn lines_come_together_in_their_order() {
        let rows = vec![
            row("7", 10, |row| {
                row["receive_order_row_wholesale_retail_ratio"] = json!("5.0");
            }),
            row("7", 2, |row| {
                row["receive_order_row_last_modified_newest_date"] = json!("2026-11-22 12:00:00");
                row["receive_order_row_cancel_flag"] = json!("1");
            }),
        ];
        let order = orders(rows).remove(0).order.unwrap();
        assert_eq!(
            order
                .lines
                .iter()
                .map(|line| line.number.as_str())
                .collect::<Vec<_>>(),
            ["2", "10"]
        );
        assert!(order.lines[0].cancelled && !order.lines[1].cancelled);
        assert_eq!(order.lines[1].unit_price, 500.into());
        assert_eq!(order.other, (-100).into());
        assert_eq!(
            time::format_next_engine(order.changed_at),
            "2026-11-22 12:00:00"
        );
    }

    #[test]
    fn states_and_cancel_types_are_those_of_the_reference() {
        let read = |field: &str, value: &str| {
            let row = row("7", 1, |row| row[field] = json!(value));
            orders(vec![row]).remove(0).order.unwrap()
        };
        for (ids, state) in [
            (&["0", "1"][..], OrderState::Provisional),
            (&["2"], OrderState::Issued),
            (&["20", "30", "40"], OrderState::Printing),
            (&["50"], OrderState::Shipped),
            (&["3", "51", "99"], OrderState::Unknown),
        ] {
            for id in ids {
                assert_eq!(
                    read("receive_order_order_status_id", id).state,
                    state,
                    "{id}"
                );
            }
        }
        for (ids, life) in [
            (&["0"][..], Life::Live),
            (&["3"], Life::Merged),
            (&["6", "8", "14", "15", "16", "17"], Life::Returned),
            (&["1", "2", "4", "5", "7", "9", "13", "18"], Life::Cancelled),
        ] {
            for id in ids {
                assert_eq!(read("receive_order_cancel_type_id", id).life, life, "{id}");
            }
        }
    }

    #[test]
    fn a_bad_row_spoils_its_slip_alone_and_names_the_field() {
        for (field, value) in [
            ("receive_order_total_amount", json!("1e3")),
            ("receive_order_row_quantity", json!(null)),
            ("receive_order_row_tax_rate", json!("ten")),
            ("receive_order_date", json!("yesterday")),
        ] {
            let read = orders(vec![
                row("7", 1, |row| row[field] = value.clone()),
                row("8", 1, |_| ()),
            ]);
            let reason = read[0].order.as_ref().unwrap_err();
            assert_eq!(
                (read[0].slip.as_str(), reason.field.as_deref()),
                ("7", Some(field))
            );
            assert_eq!(read[0].head.as_ref().unwrap().state_id, "50");
            assert!(read[1].order.is_ok());
        }
        let read = orders(vec![json!(null), row("8", 1, |_| ())]);
        assert_eq!(read.iter().filter(|slip| slip.order.is_ok()).count(), 1);
    }

    #[test]
    fn what_counts_for_nothing_need_not_be_readable() {
        let read = orders(vec![
            row("7", 1, |_| ()),
            row("7", 2, |row| {
                row["receive_order_row_deleted_flag"] = json!("1");
                row["receive_order_row_quantity"] = json!(null);
                row["receive_order_row_unit_price"] = json!("?");
                row["receive_order_row_no"] = json!(null);
            }),
        ]);
        assert_eq!(read[0].order.as_ref().unwrap().live_lines().count(), 1);
    }

    #[test]
    fn dates_that_are_empty_have_substitutes() {
        let read = |change: fn(&mut Value)| orders(vec![row("7", 1, change)]).remove(0).order;
        let order = read(|row| {
            row["receive_order_date"] = json!("0000-00-00 00:00:00");
            row["receive_order_row_last_modified_newest_date"] = json!(null);
        })
        .unwrap();
        assert_eq!(
            time::format_next_engine(order.ordered_at),
            "2026-11-21 00:00:00"
        );
        assert_eq!(
            time::format_next_engine(order.changed_at),
            "2026-11-21 11:00:00"
        );
        let without_any = read(|row| {
            row["receive_order_date"] = json!(null);
            row["receive_order_send_date"] = json!(null);
        });
        assert_eq!(
            without_any.unwrap_err().field.as_deref(),
            Some("receive_order_date")
        );
        let slip = orders(vec![row("7", 1, |_| ())]).remove(0);
        assert_eq!(
            slip.changed_at.map(time::format_next_engine).as_deref(),
            Some("2026-11-21 11:00:00")
        );
    }

    #[test]
    fn the_search_asks_for_no_buyer() {
        let call = changed_rows(
            &["1".to_owned()],
            time::parse_next_engine("2026-11-24 00:00:00").unwrap(),
            Some("7"),
            1_000,
        );
        let fields = &call.form[0].1;
        assert!(!fields.contains("purchaser") && !fields.contains("consignee"));
        assert!(call.form.contains(&(
            "receive_order_row_receive_order_id-gte".to_owned(),
            "7".to_owned()
        )));
    }
}
