//! 取引登録: every check of `POST /transactions` that the documents name, and those that they leave open as switches say
//! (smaregi.md 2, 9). It must not know how a sale is undone.

mod lines;
mod tax;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::Problem;
use super::body::{Body, bad, missing};
use super::books::{Amounts, Detail, Disposal, Movement, Transaction};
use super::{Books, Smaregi, stock};
use crate::switches::{ApiSaleStock, ApiSaleWebhook, FourPartKey, TransactionUuid};

/// The largest amount either way.
const MOST: i64 = 999_999_999;

/// Head fields that a request may carry (smaregi.md 2); those not read below are kept as labels.
const HEAD: [&str; 49] = [
    "transactionHeadDivision",
    "cancelDivision",
    "subtotal",
    "subtotalDiscountPrice",
    "subtotalDiscountRate",
    "subtotalDiscountDivision",
    "pointDiscount",
    "total",
    "taxInclude",
    "taxExclude",
    "roundingDivision",
    "roundingPrice",
    "deposit",
    "depositCash",
    "depositCredit",
    "change",
    "newPoint",
    "spendPoint",
    "point",
    "totalPoint",
    "storeId",
    "terminalId",
    "terminalTranId",
    "terminalTranDateTime",
    "sumDivision",
    "sumDate",
    "customerId",
    "customerCode",
    "customerRank",
    "customerGroupId",
    "staffId",
    "memo",
    "receiptMemo",
    "tags",
    "carriage",
    "commission",
    "sellDivision",
    "taxRate",
    "taxRounding",
    "discountRoundingDivision",
    "transactionUuid",
    "discountCalculateDivision",
    "layawayServerTransactionHeadId",
    "enterDateTime",
    "exchangeTicketNo",
    "giftReceiptValidDays",
    "barcode",
    "depositOthers",
    "details",
];
const LABELS: [&str; 4] = ["receiptMemo", "tags", "sellDivision", "staffId"];

/// Registers a sale and answers its id.
pub fn register(smaregi: &mut Smaregi, body: Body) -> Result<Value, Problem> {
    body.only(&HEAD)?;
    // Other divisions move no goods; they are not played here.
    body.one_of("transactionHeadDivision", &["1"])?
        .ok_or_else(|| missing("transactionHeadDivision"))?;
    let cancelled = body.one_of("cancelDivision", &["0", "1"])?.as_deref() == Some("1");
    let store = selling_store(&smaregi.books, &body)?;
    let details = lines::read(&smaregi.books, &body)?;
    let amounts = amounts(&body, &details)?;
    tax::check(smaregi.switches.tax_sums, &body, &amounts, &details)?;
    let mut sale = head(smaregi, &body, store)?;
    sale.cancelled = cancelled;
    sale.amounts = amounts;
    sale.details = details;
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
fn amounts(body: &Body, details: &[Detail]) -> Result<Amounts, Problem> {
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
        change: money("change")?,
    };
    if amounts.subtotal != details.iter().map(Detail::subtotal).sum::<i64>() {
        return Err(Problem::invalid("小計と明細の合計が一致しません。"));
    }
    if amounts.total != amounts.expected_total() {
        return Err(Problem::invalid("合計が計算結果と一致しません。"));
    }
    Ok(amounts)
}

/// The head without money and lines.
fn head(smaregi: &Smaregi, body: &Body, store: u32) -> Result<Transaction, Problem> {
    let now = smaregi.now();
    let terminal = body.need_int("terminalId", MOST)?;
    let terminal = u32::try_from(terminal)
        .ok()
        .filter(|id| *id > 0)
        .ok_or_else(|| bad("terminalId"))?;
    let time = body
        .moment("terminalTranDateTime")?
        .ok_or_else(|| missing("terminalTranDateTime"))?;
    let (sum_division, sum_date) = closing(&smaregi.books, body, store, terminal)?;
    let tags = body.text("tags", 1000)?.unwrap_or_default();
    if tags.split(',').any(|tag| tag.chars().count() > 64) {
        return Err(bad("tags"));
    }
    let mut labels = BTreeMap::new();
    for name in LABELS {
        if let Some(text) = body.text(name, 1000)? {
            labels.insert(name.to_owned(), text);
        }
    }
    // Left out: seconds since 1970 and the terminal (smaregi.md 2).
    let uuid = body
        .text("transactionUuid", 100)?
        .unwrap_or_else(|| format!("{:09}{terminal:04}", now.timestamp() % 1_000_000_000));
    Ok(Transaction {
        id: smaregi.books.next_transaction(),
        division: 1,
        cancelled: false,
        disposal: Disposal::None,
        store,
        terminal,
        terminal_number: body.need_text("terminalTranId", 10)?,
        terminal_time: time,
        sum_division,
        sum_date,
        uuid,
        amounts: Amounts::default(),
        memo: body.text("memo", 1000)?.unwrap_or_default(),
        labels,
        details: Vec::new(),
        moved: Vec::new(),
        created: now,
        modified: now,
    })
}

/// A terminal that does not exist cannot be settled, so its sales must come closed with their day.
fn closing(
    books: &Books,
    body: &Body,
    store: u32,
    terminal: u32,
) -> Result<(u8, Option<chrono::NaiveDate>), Problem> {
    let (terminals, closes_itself) = match books.stores.get(&store) {
        Some(store) => (store.terminals.contains(&terminal), store.closes_itself),
        None => (false, true),
    };
    let day = body.day("sumDate")?;
    let division = body.one_of("sumDivision", &["0", "1", "2"])?;
    let division = division.unwrap_or_else(|| if closes_itself { "2" } else { "0" }.to_owned());
    match (division.as_str(), day) {
        ("2", None) => Err(missing("sumDate")),
        ("0", Some(_)) => Err(bad("sumDate")),
        ("0" | "1", _) if closes_itself || !terminals => Err(bad("sumDivision")),
        ("2", day) => Ok((2, day)),
        ("1", day) => Ok((1, day)),
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
fn book(smaregi: &mut Smaregi, mut sale: Transaction) -> u64 {
    let id = sale.id;
    let division = match smaregi.switches.api_sale_stock {
        ApiSaleStock::Division02 => Some("02"),
        ApiSaleStock::Division15 => Some("15"),
        ApiSaleStock::Unmoved => None,
    };
    if let Some(division) = division.filter(|_| !sale.cancelled) {
        let sold = sale
            .details
            .iter()
            .filter_map(|line| Some((line.product?, -line.quantity)));
        let movements: Vec<Movement> = sold
            .map(|(product, by)| Movement::new(product, sale.store, by, division))
            .collect();
        let notify = smaregi.switches.api_sale_webhook == ApiSaleWebhook::Raised;
        let changes = smaregi.move_stock(movements, notify);
        sale.moved = changes
            .iter()
            .map(|change| (change.product, change.amount))
            .collect();
    }
    smaregi.books.transactions.insert(id, sale);
    smaregi.notify(
        "pos:transactions",
        "created",
        ("transactionHeadIds", json!([id.to_string()])),
    );
    id
}
