//! The verdict, from both services' own books: each sale booked once and to the yen, and every unit of stock equal or explained by
//! the component. It must not believe the component about what happened.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use tsunagi_sandbox::{NextEngine, Smaregi};

use super::stage::Stage;
use crate::tenant::CallError;

/// What the books say.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Orders with a transaction that stands.
    pub orders_imported: usize,
    /// Shipped orders without one, each with a reason in the reception history.
    pub orders_refused: usize,
    /// Transactions of ours that were cancelled or returned.
    pub orders_undone: usize,
    /// Shipped orders with neither, and transactions of orders that are none: must be zero.
    pub orders_unaccounted: usize,
    /// Orders whose transaction has another total: must be zero.
    pub amounts_wrong: usize,
    /// Sales booked more than once: must be zero.
    pub duplicate_transactions: usize,
    /// Rows of Smaregi's history that were decided.
    pub stock_changes_decided: u64,
    /// Rows that Next Engine's movement history shows with our mark.
    pub stock_rows_sent: usize,
    /// Products whose stock differs between the services.
    pub stock_differences: usize,
    /// Those of them that the comparison does not explain in full: must be zero.
    pub unexplained_stock_differences: usize,
    /// Requests by service and endpoint.
    pub requests: Value,
    /// The component's comparison.
    #[serde(skip)]
    pub comparison: Value,
}

impl Verdict {
    /// Whether both services' books agree.
    pub fn is_good(&self) -> bool {
        let bad = [
            self.orders_unaccounted,
            self.amounts_wrong,
            self.duplicate_transactions,
            self.unexplained_stock_differences,
        ];
        self.orders_imported > 0 && self.stock_rows_sent > 0 && bad.iter().all(|count| *count == 0)
    }
}

/// Looks at everything. How many rows were decided is what the rounds told.
///
/// # Errors
/// When the component cannot compare or tell its histories.
pub async fn judge(stage: &Stage, decided: u64) -> Result<Verdict, CallError> {
    let counters = stage
        .sandbox
        .world(|world| serde_json::to_value(&world.counters).unwrap_or_default());
    let comparison = stage.call("stock.compare", json!({})).await?;
    let refused = refused_slips(stage).await?;
    let orders = orders(stage, &refused);
    let linked = [1, 3];
    let books = stage
        .sandbox
        .world(|world| differences(&world.smaregi, &world.next_engine, &linked));
    let unexplained = books
        .iter()
        .filter(|(code, difference)| !is_explained(&comparison, code, **difference))
        .count();
    Ok(Verdict {
        orders_imported: orders.imported,
        orders_refused: orders.refused,
        orders_undone: orders.undone,
        orders_unaccounted: orders.unaccounted,
        amounts_wrong: orders.amounts_wrong,
        duplicate_transactions: stage.sandbox.smaregi(|smaregi| {
            smaregi.books().duplicates_by_uuid().len() + smaregi.books().duplicates_by_slip().len()
        }),
        stock_changes_decided: decided,
        stock_rows_sent: stage.sandbox.next_engine(|next_engine| {
            next_engine
                .books()
                .movements
                .iter()
                .filter(|movement| movement.reason.starts_with("tsunagi-"))
                .count()
        }),
        stock_differences: books
            .values()
            .filter(|difference| **difference != 0)
            .count(),
        unexplained_stock_differences: unexplained,
        requests: counters.get("requests").cloned().unwrap_or_default(),
        comparison,
    })
}

#[derive(Default)]
struct Orders {
    imported: usize,
    refused: usize,
    undone: usize,
    unaccounted: usize,
    amounts_wrong: usize,
}

/// Each slip of Next Engine beside its transactions in Smaregi.
fn orders(stage: &Stage, refused: &BTreeSet<String>) -> Orders {
    let mut sales: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut found = Orders::default();
    stage.sandbox.smaregi(|smaregi| {
        for sale in smaregi.books().transactions.values() {
            let Some(slip) = sale
                .uuid
                .strip_prefix("NE-")
                .and_then(|rest| rest.split('-').next())
            else {
                continue;
            };
            if sale.stands() {
                sales
                    .entry(slip.to_owned())
                    .or_default()
                    .push(sale.amounts.total);
            } else {
                found.undone += 1;
            }
        }
    });
    stage.sandbox.next_engine(|next_engine| {
        for slip in next_engine.books().slips.values() {
            let booked = sales.remove(&slip.id.to_string()).unwrap_or_default();
            let expected = slip.is_shipped() && slip.is_live();
            match booked.as_slice() {
                [total] if expected => {
                    found.imported += 1;
                    found.amounts_wrong += usize::from(Decimal::from(*total) != slip.total());
                }
                [] if !expected => {}
                [] if refused.contains(&slip.id.to_string()) => found.refused += 1,
                _ => found.unaccounted += 1,
            }
        }
    });
    found.unaccounted += sales.len();
    found
}

/// Smaregi minus Next Engine by code, for products that either side manages stock of.
fn differences(
    smaregi: &Smaregi,
    next_engine: &NextEngine,
    linked: &[u32],
) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    let books = smaregi.books();
    for listed in books
        .products
        .values()
        .filter(|listed| listed.product.stock_managed)
    {
        let there = next_engine
            .books()
            .goods
            .get(&listed.product.code)
            .map_or(0, |goods| goods.stock);
        found.insert(
            listed.product.code.clone(),
            books.stock_over(listed.product.id, linked) - there,
        );
    }
    for goods in next_engine.books().goods.values() {
        found.entry(goods.code.clone()).or_insert(-goods.stock);
    }
    found
}

/// Whether the comparison shows this very difference, and its explanations add up to it.
fn is_explained(comparison: &Value, code: &str, difference: i64) -> bool {
    let number = |value: &Value, field: &str| {
        value
            .get(field)
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<Decimal>().ok())
            .unwrap_or_default()
    };
    let lines = comparison.get("lines").and_then(Value::as_array);
    let Some(line) = lines
        .into_iter()
        .flatten()
        .find(|line| line.get("code").and_then(Value::as_str) == Some(code))
    else {
        return difference == 0;
    };
    let parts = line.get("explanations").and_then(Value::as_array);
    let explained: Decimal = parts
        .into_iter()
        .flatten()
        .map(|part| number(part, "quantity"))
        .sum();
    let difference = Decimal::from(difference);
    number(line, "difference") == difference
        && explained == difference
        && number(line, "unexplained").is_zero()
}

/// Slips that the reception history shows as waiting for somebody.
async fn refused_slips(stage: &Stage) -> Result<BTreeSet<String>, CallError> {
    let entries = history(stage, "history.received").await?;
    let open = entries
        .iter()
        .filter(|entry| entry.get("open").and_then(Value::as_bool) == Some(true));
    Ok(open
        .filter_map(|entry| entry.get("slip").and_then(Value::as_str))
        .map(str::to_owned)
        .collect())
}

/// A whole history.
pub async fn history(stage: &Stage, function: &str) -> Result<Vec<Value>, CallError> {
    let mut entries = Vec::new();
    let mut continuation = Value::Null;
    loop {
        let page = json!({ "filter": {}, "page": { "limit": 500, "continuation": continuation } });
        let answer = stage.call(function, page).await?;
        entries.extend(
            answer
                .get("entries")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
        );
        continuation = answer.get("continuation").cloned().unwrap_or_default();
        if continuation.is_null() {
            return Ok(entries);
        }
    }
}
