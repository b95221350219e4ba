//! `/api_v1_receiveorder_tax_account/search`: a slip's amounts by tax rate (next-engine.md 2.4).
//! Where fees and shipping fall is not documented; here they count as 10 % (assumed).

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::answer::{Failure, Payload, list};
use super::books::{Books, Slip};
use super::columns::money;
use crate::shop::MallTax;
use crate::switches::{Switches, TaxAccountShipping};
use crate::wire::Form;

/// Slips one call takes.
const SLIPS_MAX: usize = 1000;

/// Answers the slips asked for, in slip order; unknown numbers are left out (assumed).
///
/// # Errors
/// 004002 when `receive_order_ids` is missing, malformed or too long, or a field is unknown.
pub fn search(form: &Form, books: &Books, switches: &Switches) -> Result<Payload, Failure> {
    let bad = || {
        Failure::field("receive_order_idsは伝票番号をカンマ区切りで1000件まで指定してください。")
    };
    let ids = form.filled("receive_order_ids").ok_or_else(bad)?.split(',');
    let mut ids = ids
        .map(|id| id.trim().parse().map_err(|_| bad()))
        .collect::<Result<Vec<u64>, _>>()?;
    if ids.len() > SLIPS_MAX {
        return Err(bad());
    }
    ids.sort_unstable();
    ids.dedup();
    let known = [
        "access_token",
        "refresh_token",
        "wait_flag",
        "fields",
        "receive_order_ids",
    ];
    if form.names().any(|name| !known.contains(&name)) {
        return Err(bad());
    }
    let rows = ids.iter().filter_map(|id| books.slips.get(id));
    let rows = rows.map(|slip| row(slip, switches.tax_account_shipping));
    match form.filled("fields") {
        // Whether `fields` is mandatory here is not documented.
        None => Ok(list(rows.map(Value::Object).collect())),
        Some(fields) => rows
            .map(|row| pick(row, fields))
            .collect::<Result<_, _>>()
            .map(list),
    }
}

fn pick(mut row: Map<String, Value>, fields: &str) -> Result<Value, Failure> {
    let unknown = |name: &str| Failure::field(format!("項目 {name} は指定できません。"));
    let cells = fields.split(',').map(|name| {
        let name = name.trim();
        row.remove(name)
            .map(|value| (name.to_owned(), value))
            .ok_or_else(|| unknown(name))
    });
    cells.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn row(slip: &Slip, shipping: TaxAccountShipping) -> Map<String, Value> {
    let (requested, charge) = match shipping {
        TaxAccountShipping::Requested => (slip.charge + slip.delivery_fee, slip.charge),
        TaxAccountShipping::Charged => {
            let both = slip.charge + slip.delivery_fee;
            (both, both)
        }
        TaxAccountShipping::Absent => (slip.charge, slip.charge),
    };
    let fees = [Decimal::ZERO, Decimal::ZERO, requested];
    let other = [Decimal::ZERO, Decimal::ZERO, slip.other];
    let points = [Decimal::ZERO, Decimal::ZERO, slip.points];
    let goods = [slip.goods_at(0), slip.goods_at(8), slip.goods_at(10)];
    let mut row = Map::new();
    row.insert("receive_order_id".into(), json!(slip.id.to_string()));
    let mut put = |name: String, amount: Decimal| {
        row.insert(format!("receive_order_{name}"), json!(money(amount)))
    };
    for (at, rate) in [0_u8, 8, 10].into_iter().enumerate() {
        let part = |amounts: &[Decimal; 3]| amounts.get(at).copied().unwrap_or_default();
        let net = part(&goods) + part(&fees) + part(&other) - part(&points);
        let (request, tax) = match slip.tax_mode {
            MallTax::Included => (net, slip.taxing.inside(net, rate)),
            MallTax::Added => (net + slip.tax_at(rate), slip.tax_at(rate)),
        };
        put(format!("request_amount_tax{rate}"), request);
        if rate > 0 {
            put(format!("request_amount_tax_tax{rate}"), tax);
        }
        put(
            format!("charge_amount_tax{rate}"),
            if rate == 10 { charge } else { Decimal::ZERO },
        );
        put(format!("other_amount_tax{rate}"), part(&other));
        put(format!("point_amount_tax{rate}"), part(&points));
        put(format!("distributed_point_amount_tax{rate}"), Decimal::ZERO);
        put(format!("coupon_amount_tax{rate}"), Decimal::ZERO);
        put(
            format!("distributed_coupon_amount_tax{rate}"),
            Decimal::ZERO,
        );
    }
    for name in [
        "coupon_amount_distribute",
        "point_amount_distribute",
        "point_amount_payment",
    ] {
        put(name.to_owned(), Decimal::ZERO);
    }
    row
}
