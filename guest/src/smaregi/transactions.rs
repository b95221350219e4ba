//! 取引: registering a sale, finding it again by our own id, undoing it (smaregi.md 2 and 3). Decides none of the amounts.

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::json;

use super::{Request, segment};
use crate::{
    money::Rounding,
    reason::Reason,
    rules::sale::{Identity, Sale, SaleLine, TaxMode},
    settings::PaymentKind,
    time::{self, Moment},
    wire::{self, Row, Value},
};

/// 軽減税率 in `reduceTaxId`; null is the standard rate (smaregi.md 5).
const REDUCED: &str = "10000001";
/// A normal sale, and a line of it.
const SALE: &str = "1";
/// 締め: what a terminal that does not exist must send (smaregi.md 2).
const CLOSED: &str = "2";
/// A search needs a range; this far around the moment that the identity fixes, because offsets may be ignored (smaregi.md 2).
const AROUND: TimeDelta = TimeDelta::days(1);
/// Enough for every transaction of one id, and allowed whatever details are asked for.
const FOUND_ROWS: u32 = 100;

/// A transaction found by our id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// 取引ID
    pub id: String,
    /// 取消
    pub cancelled: bool,
    /// 返品取消: cancelled out by a negative transaction.
    pub disposed: bool,
    /// 合計; absent when it cannot be read.
    pub total: Option<Decimal>,
}

/// 取引登録. All numbers are text. Names and codes of products are left to Smaregi's own master.
///
/// The inclusive tax is left to Smaregi where there is a 小計値引き: the documents give its formula for goods alone (smaregi.md 9 f).
pub fn register(sale: &Sale, identity: &Identity) -> Request {
    let (cash, credit) = match sale.payment {
        PaymentKind::Cash => (sale.total, 0),
        PaymentKind::Credit => (0, sale.total),
    };
    let mut body = json!({
        "transactionHeadDivision": SALE,
        "cancelDivision": "0",
        "subtotal": sale.subtotal.to_string(),
        "subtotalDiscountPrice": sale.discount.to_string(),
        "total": sale.total.to_string(),
        "taxExclude": sale.tax_added.to_string(),
        "taxRounding": rounding(sale.rounding),
        "deposit": sale.total.to_string(),
        "depositCash": cash.to_string(),
        "depositCredit": credit.to_string(),
        "change": "0",
        "storeId": sale.store_id,
        "terminalId": sale.terminal_id,
        "terminalTranId": identity.terminal_tran_id,
        "terminalTranDateTime": time::format_rfc3339(identity.terminal_tran_at),
        "sumDivision": CLOSED,
        "sumDate": sale.sold_on.to_string(),
        "transactionUuid": identity.uuid,
        "memo": sale.memo,
        "tags": sale.tags.join(","),
        "details": sale.lines.iter().zip(1_u32..).map(|(line, number)| detail(line, number)).collect::<Vec<_>>(),
    });
    if let Some(body) = body.as_object_mut().filter(|_| sale.discount == 0) {
        body.insert(
            "taxInclude".to_owned(),
            sale.tax_included.to_string().into(),
        );
    }
    Request::post("/transactions", "/transactions", body)
}

fn detail(line: &SaleLine, number: u32) -> serde_json::Value {
    let tax_division = match line.tax_mode {
        TaxMode::Included => "0",
        TaxMode::Added => "1",
        TaxMode::Exempt => "2",
    };
    let reduced = line.tax_rate == Decimal::from(8);
    json!({
        "transactionDetailId": number.to_string(),
        "transactionDetailDivision": SALE,
        "productId": line.product_id,
        "salesPrice": line.unit_price.to_string(),
        "quantity": line.quantity.to_string(),
        "taxDivision": tax_division,
        "reduceTaxId": reduced.then_some(REDUCED),
    })
}

fn rounding(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::HalfUp => "0",
        Rounding::Down => "1",
        Rounding::Up => "2",
    }
}

/// The new 取引ID.
pub fn decode_registered(answer: &Value) -> Result<String, Reason> {
    Row::of(answer, "transaction")?.id("transactionHeadId")
}

/// The transactions with our id, near the moment that its identity fixes.
pub fn find(uuid: &str, around: Moment) -> Request {
    Request::get("/transactions", "/transactions")
        .with("transaction_uuid", uuid)
        .with(
            "terminal_tran_date_time-from",
            time::format_rfc3339(around - AROUND),
        )
        .with(
            "terminal_tran_date_time-to",
            time::format_rfc3339(around + AROUND),
        )
        .page(1, FOUND_ROWS)
}

/// The sales of our identity, oldest first. Smaregi searched for exactly our id, so an answer with a row that names another is none to
/// this question, and nothing follows from it; whether lists always name it is not documented, so a row that names none is left out if
/// its number of the terminal's is another. The negative of a 返品取消 carries another meaning and is left out. The transaction whose id
/// is `known` is ours whatever else its row says.
///
/// # Errors
/// A row that may be ours and cannot be read: left out, it would be registered again.
pub fn decode_found(
    answer: &Value,
    identity: &Identity,
    known: Option<&str>,
) -> Result<Vec<Found>, Reason> {
    let read = wire::rows(answer, "transactions", |row| found(row, identity, known));
    let read: Result<Vec<Option<Found>>, Reason> = read.into_iter().collect();
    let mut found: Vec<Found> = read?.into_iter().flatten().collect();
    found.sort_by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)));
    Ok(found)
}

fn found(row: Row<'_>, identity: &Identity, known: Option<&str>) -> Result<Option<Found>, Reason> {
    let is_known = known.is_some() && row.maybe_text("transactionHeadId").as_deref() == known;
    match row.text_if_any("transactionUuid")? {
        _ if is_known => {}
        Some(uuid) if uuid == identity.uuid => {}
        Some(_) => return Err(row.bad("transactionUuid")),
        None => {
            let number = row.text_if_any("terminalTranId")?;
            if number.is_some_and(|number| number != identity.terminal_tran_id) {
                return Ok(None);
            }
        }
    }
    let division = |field| {
        row.text_if_any(field)?
            .map(|_| row.division(field))
            .transpose()
    };
    let sale = division("transactionHeadDivision")?.is_none_or(|division| division == SALE);
    let dispose = division("disposeDivision")?.unwrap_or_default();
    let found = Found {
        id: row.id("transactionHeadId")?,
        cancelled: row.decided("cancelDivision")?,
        disposed: dispose == "1",
        total: row.maybe_decimal("total").ok().flatten(),
    };
    Ok((sale && dispose != "2").then_some(found))
}

/// 取消: as if it never happened.
pub fn cancel(id: &str) -> Request {
    Request::post(
        "/transactions/{transaction}/cancel",
        format!("/transactions/{}/cancel", segment(id)),
        json!({}),
    )
}

/// 返品取消: a negative transaction of that moment cancels it out.
pub fn dispose(id: &str, at: Moment) -> Request {
    let body = json!({ "terminalTranDateTime": time::format_rfc3339(at) });
    Request::post(
        "/transactions/{transaction}/dispose",
        format!("/transactions/{}/dispose", segment(id)),
        body,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{identity, samples};
    use crate::wire::sent;

    fn sale(discount: bool) -> Sale {
        let mut order = samples::order("1001");
        if discount {
            order.points = 80.into();
            order.total -= Decimal::from(80);
        }
        samples::sale(&order, &samples::store())
    }

    fn body(sale: &Sale) -> serde_json::Value {
        register(sale, &identity::identity("1001", 1, sale.sold_on))
            .body
            .unwrap()
    }

    #[test]
    fn registers_what_smaregi_asks_for_and_nothing_else() {
        let body = body(&sale(false));
        assert_eq!(body["subtotal"], "3080");
        assert_eq!(body["total"], "3080");
        assert_eq!(
            body["taxInclude"], "261",
            "181 of 2 000 at 10 %, 80 of 1 080 at 8 %, rounded down"
        );
        assert_eq!(body["terminalTranDateTime"], "2026-11-21T12:00:01+09:00");
        assert_eq!(
            (&body["sumDivision"], &body["sumDate"]),
            (&json!("2"), &json!("2026-11-21"))
        );
        assert_eq!(
            (&body["deposit"], &body["depositCredit"]),
            (&json!("3080"), &json!("3080"))
        );
        assert_eq!(
            body["details"][1],
            json!({"transactionDetailId": "2", "transactionDetailDivision": "1", "productId": "B", "salesPrice": "1080",
                "quantity": "1", "taxDivision": "0", "reduceTaxId": "10000001"})
        );
        assert_eq!(body["details"][0]["reduceTaxId"], json!(null));
    }

    #[test]
    fn a_fraction_of_a_yen_is_treated_there_as_here() {
        for (rounding, told) in [
            (Rounding::HalfUp, "0"),
            (Rounding::Down, "1"),
            (Rounding::Up, "2"),
        ] {
            let mut sale = sale(false);
            sale.rounding = rounding;
            assert_eq!(body(&sale)["taxRounding"], told);
        }
    }

    #[test]
    fn a_sale_is_looked_for_around_the_moment_of_its_identity() {
        let at = crate::time::parse_next_engine("2026-11-21 12:00:01").unwrap();
        let query = find("NE-1-1", at).query;
        let of = |name: &str| {
            let found = query.iter().find(|(given, _)| *given == name);
            time::parse_rfc3339(&found.unwrap().1).unwrap()
        };
        assert_eq!(of("terminal_tran_date_time-from"), at - AROUND);
        assert_eq!(of("terminal_tran_date_time-to"), at + AROUND);
        assert!(query.contains(&("transaction_uuid", "NE-1-1".to_owned())));
    }

    #[test]
    fn leaves_the_inclusive_tax_of_a_discounted_sale_to_smaregi() {
        let body = body(&sale(true));
        assert_eq!(
            (&body["subtotalDiscountPrice"], &body["total"]),
            (&json!("80"), &json!("3000"))
        );
        assert!(body.get("taxInclude").is_none());
    }

    #[test]
    fn finds_its_own_sales_only() {
        let row = |id: &str, uuid: &str, cancel: &str, dispose: &str| {
            json!({"transactionHeadId": id, "transactionUuid": uuid, "transactionHeadDivision": "1", "cancelDivision": cancel,
                "disposeDivision": dispose, "total": "3080"})
        };
        let answer = json!([row("10", "NE-1-1", "0", "1"), row("9", "NE-1-1", "1", "0"), row("11", "NE-1-1", "0", "2"),
            {"transactionHeadId": "13", "terminalTranId": "1", "cancelDivision": "0"},
            {"transactionHeadId": "14", "terminalTranId": "2"}, row("15", "言葉", "1", "0")]);
        let day = crate::time::parse_day("2026-11-21").unwrap();
        let found =
            decode_found(&answer.into(), &identity::identity("1", 1, day), Some("15")).unwrap();
        let flags: Vec<_> = found
            .iter()
            .map(|found| (found.id.as_str(), found.cancelled, found.disposed))
            .collect();
        assert_eq!(
            flags,
            [
                ("9", true, false),
                ("10", false, true),
                ("13", false, false),
                ("15", true, false)
            ]
        );
    }

    #[test]
    fn a_row_that_may_be_ours_and_cannot_be_read_is_not_left_out() {
        let day = crate::time::parse_day("2026-11-21").unwrap();
        let identity = identity::identity("1", 1, day);
        for (field, value) in [
            ("transactionUuid", json!(["NE-1-1"])),
            ("transactionUuid", json!("NE-1-10")),
            ("transactionHeadId", json!(null)),
            ("transactionHeadDivision", json!("言葉")),
            ("cancelDivision", json!("2")),
            ("cancelDivision", json!(null)),
            ("disposeDivision", json!("1.0")),
        ] {
            let mut row = json!({"transactionHeadId": "10", "transactionUuid": "NE-1-1", "transactionHeadDivision": "1",
                "cancelDivision": "0", "disposeDivision": "0", "total": "3080"});
            assert_eq!(
                decode_found(&sent!([row]), &identity, None).map(|found| found.len()),
                Ok(1)
            );
            row[field] = value.clone();
            let reason = decode_found(&sent!([row]), &identity, None).unwrap_err();
            assert_eq!(reason.field.as_deref(), Some(field), "{value}");
        }
        assert!(decode_found(&sent!([null]), &identity, None).is_err());
    }
}
