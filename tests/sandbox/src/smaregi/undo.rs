//! 取消 and 返品取消 by API (smaregi.md 3). It must not know how a sale came in.

use serde_json::{Value, json};

use super::Smaregi;
use super::answer::Problem;
use super::body::{Body, bad};
use super::books::{Detail, Disposal, Movement, OtherDeposit, Transaction};
use crate::switches::{
    CancelClosed, CancelStock, DisposeLines, DisposeStock, DisposedIds, UndoWebhook,
};

/// `POST /transactions/{id}/cancel`: as if it never happened.
pub fn cancel(smaregi: &mut Smaregi, id: &str, body: Body) -> Result<Value, Problem> {
    body.only(&["cancelDateTime", "depositOthers"])?;
    check_others(&body)?;
    body.moment("cancelDateTime", smaregi.switches.offsets)?;
    let sale = settled(smaregi, id)?;
    if sale.sum_division == 2 && smaregi.switches.cancel_closed == CancelClosed::Refused {
        return Err(Problem::invalid("締め済みの取引は取消できません。"));
    }
    let division = match smaregi.switches.cancel_stock {
        CancelStock::Back02 => Some("02"),
        CancelStock::Back12 => Some("12"),
        CancelStock::Back15 => Some("15"),
        CancelStock::Unmoved => None,
    };
    give_back(smaregi, &sale, division);
    let now = smaregi.now();
    if let Some(sale) = smaregi.books.transactions.get_mut(&sale.id) {
        sale.cancelled = true;
        sale.modified = now;
    }
    smaregi.notify(
        "pos:transactions",
        "canceled",
        ("transactionHeadIds", json!([sale.id.to_string()])),
    );
    Ok(json!({"transactionHeadId": sale.id.to_string()}))
}

/// `POST /transactions/{id}/dispose`: a negative transaction cancels it out. Which id is answered is assumed: the new one's.
pub fn dispose(smaregi: &mut Smaregi, id: &str, body: Body) -> Result<Value, Problem> {
    body.only(&["terminalTranDateTime", "depositOthers"])?;
    check_others(&body)?;
    let at = body.moment("terminalTranDateTime", smaregi.switches.offsets)?;
    let sale = settled(smaregi, id)?;
    let division = match smaregi.switches.dispose_stock {
        DisposeStock::Back12 => Some("12"),
        DisposeStock::Back02 => Some("02"),
        DisposeStock::Back15 => Some("15"),
        DisposeStock::Unmoved => None,
    };
    give_back(smaregi, &sale, division);
    let now = smaregi.now();
    let negative = Transaction {
        id: smaregi.books.next_transaction(),
        disposal: Disposal::Negative(sale.id),
        terminal_time: at.unwrap_or(now),
        sum_date: sale.sum_date.map(|_| at.unwrap_or(now).date_naive()),
        uuid: format!("{}-dispose", sale.id),
        amounts: sale.amounts.negated(),
        deposit_others: negated(&sale.deposit_others),
        details: match smaregi.switches.dispose_lines {
            DisposeLines::QuantityNegated => sale.details.iter().map(Detail::returned).collect(),
            DisposeLines::AsSold => sale.details.clone(),
        },
        moved: Vec::new(),
        created: now,
        modified: now,
        ..sale.clone()
    };
    let new = negative.id;
    smaregi.books.transactions.insert(new, negative);
    if let Some(sale) = smaregi.books.transactions.get_mut(&sale.id) {
        sale.disposal = Disposal::CancelledOut;
        sale.modified = now;
    }
    let (new_id, old_id) = (new.to_string(), sale.id.to_string());
    let told = match smaregi.switches.disposed_ids {
        DisposedIds::New => vec![new_id],
        DisposedIds::Original => vec![old_id],
        DisposedIds::Both => vec![old_id, new_id],
    };
    smaregi.notify(
        "pos:transactions",
        "disposed",
        ("transactionHeadIds", json!(told)),
    );
    Ok(json!({"transactionHeadId": new.to_string()}))
}

/// At most one other payment, with its number and the slip number of its cancelling (smaregi.md 3).
fn check_others(body: &Body) -> Result<(), Problem> {
    let Some(others) = body.value("depositOthers") else {
        return Ok(());
    };
    let others = others.as_array().filter(|others| others.len() <= 1);
    for other in others.ok_or_else(|| bad("depositOthers"))? {
        let other = Body::of(other, "depositOthers")?;
        other.only(&["no", "cancelSlipNumber"])?;
        other.one_of("no", &["1", "2", "3"])?;
        other.text("cancelSlipNumber", usize::MAX)?;
    }
    Ok(())
}

fn negated(others: &[OtherDeposit]) -> Vec<OtherDeposit> {
    let back = others.iter().map(|other| OtherDeposit {
        amount: -other.amount,
        ..other.clone()
    });
    back.collect()
}

/// The sale that stands, with its rows written if they were still to come (assumed).
fn settled(smaregi: &mut Smaregi, id: &str) -> Result<Transaction, Problem> {
    let id = standing(smaregi, id)?.id;
    smaregi.write_rows_of(id);
    standing(smaregi, &id.to_string())
}

fn standing(smaregi: &Smaregi, id: &str) -> Result<Transaction, Problem> {
    let sale = id
        .parse()
        .ok()
        .and_then(|id: u64| smaregi.books.transactions.get(&id))
        .ok_or_else(Problem::not_found)?;
    if sale.stands() {
        Ok(sale.clone())
    } else {
        Err(bad("transactionHeadId"))
    }
}

/// What it took comes back, no more; a sale that moved nothing brings nothing.
fn give_back(smaregi: &mut Smaregi, sale: &Transaction, division: Option<&str>) {
    let Some(division) = division else { return };
    let back = sale
        .moved
        .iter()
        .map(|&(product, by)| Movement::new(product, sale.store, -by, division));
    let notify = smaregi.switches.undo_webhook == UndoWebhook::Raised;
    smaregi.move_stock(back.collect(), notify);
}
