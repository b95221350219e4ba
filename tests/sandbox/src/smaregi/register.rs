//! 取引登録: every check of `POST /transactions` that the documents name, and those that they leave open as switches say
//! (smaregi.md 2, 9). It must not know how a sale is undone.

mod deposits;
mod fields;
mod lines;
mod people;
mod tax;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::answer::Problem;
use super::body::{Body, bad, missing};
use super::books::{Amounts, Detail, Disposal, Moment, Movement, OtherDeposit, Transaction};
use super::{Books, Smaregi, stock};
use crate::switches::{ApiSaleStock, FourPartKey, SaleRows, TerminalTranId, TransactionUuid};
use fields::{HEAD, MOST};

/// Head fields that are read below; the others are kept as labels.
const READ: [&str; 25] = [
    "transactionHeadDivision",
    "cancelDivision",
    "subtotal",
    "subtotalDiscountPrice",
    "pointDiscount",
    "total",
    "taxInclude",
    "taxExclude",
    "roundingPrice",
    "deposit",
    "depositCash",
    "depositCredit",
    "depositOthers",
    "change",
    "storeId",
    "terminalId",
    "terminalTranId",
    "terminalTranDateTime",
    "sumDivision",
    "sumDate",
    "transactionUuid",
    "carriage",
    "commission",
    "memo",
    "details",
];

/// Head fields that can be changed afterwards (smaregi.md 3).
pub const RELABELLED: [&str; 13] = [
    "customerGroupId",
    "customerGroupId2",
    "customerGroupId3",
    "customerGroupId4",
    "customerGroupId5",
    "staffId",
    "memo",
    "receiptMemo",
    "guestNumbers",
    "guestNumbersMale",
    "guestNumbersFemale",
    "guestNumbersUnknown",
    "tags",
];

/// Checks a body that changes labels.
pub fn check_labels(smaregi: &Smaregi, body: &Body) -> Result<(), Problem> {
    body.only(&RELABELLED)?;
    fields::check(body, HEAD, smaregi.switches.offsets)?;
    check_tags(body)?;
    people::check(&smaregi.books, body)
}

/// Registers a sale and answers its id.
pub fn register(smaregi: &mut Smaregi, body: Body) -> Result<Value, Problem> {
    fields::check(&body, HEAD, smaregi.switches.offsets)?;
    if body.value("transactionHeadDivision").is_none() {
        return Err(missing("transactionHeadDivision"));
    }
    people::check(&smaregi.books, &body)?;
    let cancelled = body.one_of("cancelDivision", &["0", "1"])?.as_deref() == Some("1");
    let store = selling_store(&smaregi.books, &body)?;
    let details = lines::read(&smaregi.books, &body, smaregi.switches.offsets)?;
    let others = deposits::read(&body, smaregi.switches.deposit_others)?;
    let amounts = amounts(&body, &details, &others)?;
    tax::check(smaregi.switches.tax_sums, &body, &amounts, &details)?;
    let mut sale = head(smaregi, &body, store)?;
    sale.cancelled = cancelled;
    sale.amounts = amounts;
    sale.details = details;
    sale.deposit_others = others;
    unique(smaregi, &sale)?;
    Ok(json!({"transactionHeadId": book(smaregi, sale).to_string()}))
}

fn selling_store(books: &Books, body: &Body) -> Result<u32, Problem> {
    let id = stock::existing_store(books, body.need_int("storeId", MOST)?)?;
    let paused = books.stores.get(&id).is_some_and(|store| store.paused);
    if paused {
        Err(Problem::invalid("休止中の店舗です。"))
    } else {
        Ok(id)
    }
}

/// The sums that must agree: subtotal with the details, total with the formula.
fn amounts(body: &Body, details: &[Detail], others: &[OtherDeposit]) -> Result<Amounts, Problem> {
    needs(body, "subtotalDiscountRate", "subtotalDiscountPrice")?;
    let money = |name: &str| Ok::<_, Problem>(body.int(name, MOST)?.unwrap_or(0));
    let amounts = Amounts {
        subtotal: body.need_int("subtotal", MOST)?,
        subtotal_discount: money("subtotalDiscountPrice")?,
        point_discount: money("pointDiscount")?,
        total: body.need_int("total", MOST)?,
        tax_include: money("taxInclude")?,
        tax_exclude: money("taxExclude")?,
        carriage: money("carriage")?,
        commission: money("commission")?,
        deposit: money("deposit")?,
        deposit_cash: money("depositCash")?,
        deposit_credit: money("depositCredit")?,
        deposit_others: others.iter().map(|other| other.amount).sum(),
        change: money("change")?,
        rounding: money("roundingPrice")?,
    };
    if amounts.subtotal != details.iter().map(Detail::subtotal).sum::<i64>() {
        return Err(Problem::invalid("小計と明細の合計が一致しません。"));
    }
    if amounts.total != amounts.expected_total() {
        return Err(Problem::invalid("合計が計算結果と一致しません。"));
    }
    Ok(amounts)
}

/// Refuses one field without the other.
fn needs(body: &Body, name: &str, other: &str) -> Result<(), Problem> {
    if body.value(name).is_some() && body.value(other).is_none() {
        Err(missing(other))
    } else {
        Ok(())
    }
}

/// Separated by commas, each of at most 64 characters.
fn check_tags(body: &Body) -> Result<(), Problem> {
    let tags = body.text("tags", usize::MAX)?.unwrap_or_default();
    if tags.split(',').any(|tag| tag.chars().count() > 64) {
        Err(bad("tags"))
    } else {
        Ok(())
    }
}

/// `^[1-9][0-9]{0,8}$` (smaregi.md 2 part A).
fn terminal(body: &Body) -> Result<u32, Problem> {
    let text = body.need_text("terminalId", 9)?;
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| plain);
    number.ok_or_else(|| bad("terminalId"))
}

/// At most 10 characters; whether letters are among them is a switch (smaregi.md 9k).
fn terminal_number(body: &Body, switch: TerminalTranId) -> Result<String, Problem> {
    let text = body.need_text("terminalTranId", 10)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if switch == TerminalTranId::Digits && !digits {
        Err(bad("terminalTranId"))
    } else {
        Ok(text)
    }
}

/// The head without money and lines.
fn head(smaregi: &Smaregi, body: &Body, store: u32) -> Result<Transaction, Problem> {
    let now = smaregi.now();
    let terminal = terminal(body)?;
    let time = body
        .moment("terminalTranDateTime", smaregi.switches.offsets)?
        .ok_or_else(|| missing("terminalTranDateTime"))?;
    let (sum_division, sum_date) = closing(&smaregi.books, body, (store, terminal), time)?;
    check_tags(body)?;
    // Left out: seconds since 1970 and the terminal (smaregi.md 2).
    let uuid = body
        .text("transactionUuid", usize::MAX)?
        .unwrap_or_else(|| format!("{:09}{terminal:04}", now.timestamp() % 1_000_000_000));
    Ok(Transaction {
        id: smaregi.books.next_transaction(),
        division: 1,
        cancelled: false,
        disposal: Disposal::None,
        store,
        terminal,
        terminal_number: terminal_number(body, smaregi.switches.terminal_tran_id)?,
        terminal_time: time,
        sum_division,
        sum_date,
        uuid,
        amounts: Amounts::default(),
        memo: body.text("memo", usize::MAX)?.unwrap_or_default(),
        labels: fields::labels(body, HEAD, &READ).collect(),
        deposit_others: Vec::new(),
        details: Vec::new(),
        moved: Vec::new(),
        created: now,
        modified: now,
    })
}

/// A terminal that does not exist cannot be settled, so its sales must come closed with their day. Left out, the division
/// follows the store's way of closing (smaregi.md 2 part A); the day of one that closes itself is the sale's (assumed).
fn closing(
    books: &Books,
    body: &Body,
    (store, terminal): (u32, u32),
    time: Moment,
) -> Result<(u8, Option<NaiveDate>), Problem> {
    let (exists, closes_itself) = match books.stores.get(&store) {
        Some(store) => (store.terminals.contains(&terminal), store.closes_itself),
        None => (false, true),
    };
    let day = body.day("sumDate")?;
    let division = body.one_of("sumDivision", &["0", "1", "2"])?;
    match (division.as_deref(), day) {
        (None, day) if closes_itself => Ok((2, Some(day.unwrap_or_else(|| time.date_naive())))),
        (Some("2"), None) => Err(missing("sumDate")),
        (Some("2"), day) => Ok((2, day)),
        (Some("0") | None, Some(_)) => Err(bad("sumDate")),
        _ if closes_itself || !exists => Err(bad("sumDivision")),
        (Some("1"), day) => Ok((1, day)),
        (_, day) => Ok((0, day)),
    }
}

fn unique(smaregi: &Smaregi, sale: &Transaction) -> Result<(), Problem> {
    let others = || smaregi.books.transactions.values();
    let key = smaregi.switches.four_part_key == FourPartKey::Enforced
        && others().any(|other| other.slip_key() == sale.slip_key());
    let uuid = smaregi.switches.transaction_uuid == TransactionUuid::Enforced
        && others().any(|other| other.uuid == sale.uuid);
    if key || uuid {
        Err(Problem::invalid("同じ取引が既に登録されています。"))
    } else {
        Ok(())
    }
}

/// Writes the sale, moves its goods and tells of both as the switches say.
fn book(smaregi: &mut Smaregi, sale: Transaction) -> u64 {
    let id = sale.id;
    let division = match smaregi.switches.api_sale_stock {
        ApiSaleStock::Division02 => Some("02"),
        ApiSaleStock::Division15 => Some("15"),
        ApiSaleStock::Unmoved => None,
    };
    let movements = division
        .filter(|_| !sale.cancelled)
        .map(|division| sold(&sale, division, smaregi.switches.sale_rows))
        .unwrap_or_default();
    smaregi.books.transactions.insert(id, sale);
    smaregi.move_for_sale(id, movements);
    smaregi.notify(
        "pos:transactions",
        "created",
        ("transactionHeadIds", json!([id.to_string()])),
    );
    id
}

/// What a sale takes, one movement for each line or for each product.
fn sold(sale: &Transaction, division: &str, rows: SaleRows) -> Vec<Movement> {
    let mut movements: Vec<Movement> = Vec::new();
    for line in &sale.details {
        let Some(product) = line.product else {
            continue;
        };
        let same = movements
            .iter_mut()
            .find(|other| rows == SaleRows::PerProduct && other.product == product);
        match same {
            Some(other) => other.amount -= line.quantity,
            None => movements.push(Movement::new(product, sale.store, -line.quantity, division)),
        }
    }
    movements
}
