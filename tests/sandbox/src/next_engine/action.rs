//! The operator's actions as JSON: the same that Rust callers have as methods.
//! It must hold no rule of its own.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::books::{Moment, Rounding, Spoil, TaxSequence};
use super::edits::AmountEdit;
use super::{Mode, NextEngine};
use crate::service::Refused;
use crate::shop::{Order, OrderLine, Product};

/// `{"action": "ship", "slip": 10001}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    Place {
        order: Order,
    },
    PlaceMail {
        order: Order,
    },
    Complete {
        slip: u64,
    },
    Print {
        slip: u64,
    },
    Ship {
        slip: u64,
    },
    Unship {
        slip: u64,
    },
    Cancel {
        slip: u64,
        cancel_type: u8,
    },
    EditLine {
        slip: u64,
        line: u32,
        quantity: Option<i64>,
        unit_price: Option<Decimal>,
    },
    CancelLine {
        slip: u64,
        line: u32,
    },
    EditRatio {
        slip: u64,
        line: u32,
        ratio: Decimal,
    },
    DeleteSlip {
        slip: u64,
    },
    DeleteLine {
        slip: u64,
        line: u32,
    },
    AddLine {
        slip: u64,
        line: OrderLine,
    },
    Revive {
        slip: u64,
    },
    EditAmounts {
        slip: u64,
        amounts: AmountEdit,
    },
    EditShipDate {
        slip: u64,
        date: Moment,
    },
    Merge {
        from: u64,
        into: u64,
    },
    Split {
        slip: u64,
        lines: Vec<u32>,
    },
    TakeReturn {
        slip: u64,
        line: u32,
        good: i64,
        bad: i64,
    },
    AddGoods {
        product: Product,
        stock: i64,
    },
    SetStock {
        code: String,
        stock: i64,
        reason: String,
    },
    SetMall {
        mall: u32,
        rounding: Rounding,
        sequence: TaxSequence,
    },
    SpoilNextUpload {
        how: Spoil,
    },
    IssuePair {
        uid: String,
    },
    SetMode {
        mode: Mode,
    },
    RefuseParallelCalls {
        refuse: bool,
    },
    SetApi {
        path: String,
        enabled: bool,
    },
    SetRedirectUri {
        address: String,
    },
    Launch {
        uid: String,
    },
}

/// Does one action.
pub fn operate(ne: &mut NextEngine, action: Value) -> Result<Value, Refused> {
    let action: Action =
        serde_json::from_value(action).map_err(|error| Refused::new(error.to_string()))?;
    match action {
        Action::Place { order } => return Ok(json!({"slip": ne.place(&order)?})),
        Action::PlaceMail { order } => return Ok(json!({"slip": ne.place_mail(&order)?})),
        Action::Split { slip, lines } => return Ok(json!({"slip": ne.split(slip, &lines)?})),
        Action::Launch { uid } => return Ok(json!({"location": ne.launch(&uid)})),
        Action::AddLine { slip, line } => return Ok(json!({"line": ne.add_line(slip, &line)?})),
        Action::IssuePair { uid } => return issued(ne, &uid),
        Action::Complete { slip } => ne.complete(slip)?,
        Action::Print { slip } => ne.print(slip)?,
        Action::Ship { slip } => ne.ship(slip)?,
        Action::Unship { slip } => ne.unship(slip)?,
        Action::Cancel { slip, cancel_type } => ne.cancel(slip, cancel_type)?,
        Action::EditLine {
            slip,
            line,
            quantity,
            unit_price,
        } => ne.edit_line(slip, line, quantity, unit_price)?,
        Action::CancelLine { slip, line } => ne.cancel_line(slip, line)?,
        Action::EditRatio { slip, line, ratio } => ne.edit_ratio(slip, line, ratio)?,
        Action::DeleteSlip { slip } => ne.delete_slip(slip)?,
        Action::DeleteLine { slip, line } => ne.delete_line(slip, line)?,
        Action::Revive { slip } => ne.revive(slip)?,
        Action::EditAmounts { slip, amounts } => ne.edit_amounts(slip, &amounts)?,
        Action::EditShipDate { slip, date } => ne.edit_ship_date(slip, date)?,
        Action::Merge { from, into } => ne.merge(from, into)?,
        Action::TakeReturn {
            slip,
            line,
            good,
            bad,
        } => ne.take_return(slip, line, good, bad)?,
        Action::SetStock {
            code,
            stock,
            reason,
        } => ne.set_stock(&code, stock, &reason)?,
        Action::AddGoods { product, stock } => ne.add_goods(&product, stock)?,
        Action::SetMall {
            mall,
            rounding,
            sequence,
        } => ne.set_mall(mall, rounding, sequence)?,
        Action::SpoilNextUpload { how } => ne.spoil_next_upload(how),
        Action::SetMode { mode } => ne.set_mode(mode),
        Action::RefuseParallelCalls { refuse } => ne.refuse_parallel_calls(refuse),
        Action::SetApi { path, enabled } => ne.set_api(&path, enabled),
        Action::SetRedirectUri { address } => ne.set_redirect_uri(&address)?,
    }
    Ok(json!({"done": true}))
}

/// A fresh pair as the API would answer it.
fn issued(ne: &mut NextEngine, uid: &str) -> Result<Value, Refused> {
    if !ne.users().iter().any(|user| user.uid == uid) {
        return Err(Refused::new(format!("no user {uid}")));
    }
    let mut answer = Map::new();
    ne.issue_pair(uid).write(&mut answer);
    Ok(Value::Object(answer))
}
