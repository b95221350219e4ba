//! The verdict: what both services' own books hold, against what the script makes happen. It must not believe the component about
//! what happened; the component only has to agree.

mod books;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::{
    cli::words::{field, items},
    tenant::CallError,
};
pub use books::{Books, ODD_DIVISION, look};

/// What has to come of a day, from its script alone.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Smaregi stores whose stock together is Next Engine's.
    pub linked: Vec<u32>,
    /// How many orders end as one transaction.
    pub imported: usize,
    /// Shipped slips that stay out, each with a reason.
    pub refused: BTreeSet<u64>,
    /// Slips with a transaction that was undone.
    pub undone: BTreeSet<u64>,
    /// By how much our uploads move each product at Next Engine; others they do not touch.
    pub sent: BTreeMap<String, i64>,
}

/// What the books say.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Orders with one transaction that stands.
    pub orders_imported: usize,
    /// Shipped orders without one.
    pub orders_refused: usize,
    /// Orders with a transaction that was cancelled or returned.
    pub orders_undone: usize,
    /// Shipped orders without the one transaction that the script expects, and transactions without such an order.
    pub orders_unaccounted: usize,
    /// Orders whose transaction has another total.
    pub amounts_wrong: usize,
    /// Sales booked more than once.
    pub duplicate_transactions: usize,
    /// Rows of Smaregi's history that were decided, as the rounds told.
    pub stock_changes_decided: u64,
    /// Rows of Next Engine's movement history with our mark.
    pub stock_rows_sent: usize,
    /// Products whose stock differs between the services.
    pub stock_differences: usize,
    /// Those of them that the books do not explain in full.
    pub unexplained_stock_differences: usize,
    /// Everything that is not as it has to be; empty when the books agree.
    pub wrong: Vec<String>,
    /// Requests by service and endpoint.
    pub requests: Value,
    /// The component's comparison.
    #[serde(skip)]
    pub comparison: Value,
}

impl Verdict {
    /// Whether everything is as it has to be.
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Looks at everything.
///
/// # Errors
/// When the component cannot compare or tell its histories.
pub async fn judge(stage: &Stage, script: &Script, decided: u64) -> Result<Verdict, CallError> {
    let requests = stage
        .sandbox
        .world(|world| serde_json::to_value(&world.counters).unwrap_or_default());
    let comparison = stage.call("stock.compare", json!({})).await?;
    let books = stage
        .sandbox
        .world(|world| look(&world.smaregi, &world.next_engine, script));
    let mut wrong = books.wrong.clone();
    wrong.extend(left_open(stage, script).await?);
    wrong.extend(disagreements(&comparison, &books));
    Ok(Verdict {
        orders_imported: books.imported,
        orders_refused: books.refused,
        orders_undone: books.undone,
        orders_unaccounted: books.unaccounted,
        amounts_wrong: books.amounts_wrong,
        duplicate_transactions: books.duplicates,
        stock_changes_decided: decided,
        stock_rows_sent: books.rows_sent,
        stock_differences: books.differences.len(),
        unexplained_stock_differences: books.unexplained,
        wrong,
        requests: requests.get("requests").cloned().unwrap_or_default(),
        comparison,
    })
}

/// What still waits after everything has settled. Refused orders wait for a person, and no others do.
async fn left_open(stage: &Stage, script: &Script) -> Result<Vec<String>, CallError> {
    let mut wrong = Vec::new();
    for entry in history(stage, "history.sent").await? {
        let outcome = field(&entry, "outcome");
        if ["waiting", "in-flight", "returned"].contains(&outcome.as_str()) {
            wrong.push(format!(
                "{} is still {outcome}",
                field(&entry, "product-code")
            ));
        }
    }
    let received = history(stage, "history.received").await?;
    let open: BTreeSet<String> = received
        .iter()
        .filter(|entry| entry.get("open").and_then(Value::as_bool) == Some(true))
        .map(|entry| field(entry, "slip"))
        .collect();
    let expected: BTreeSet<String> = script.refused.iter().map(u64::to_string).collect();
    if open != expected {
        wrong.push(format!(
            "orders that wait for a person are {open:?}, not {expected:?}"
        ));
    }
    Ok(wrong)
}

/// Where the component tells a merchant something else than the books.
fn disagreements(comparison: &Value, books: &Books) -> Vec<String> {
    let number =
        |line: &Value, name: &str| field(line, name).parse::<Decimal>().unwrap_or_default();
    let mut told = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in items(comparison, "lines") {
        let code = field(line, "code");
        if !number(line, "unexplained").is_zero() {
            wrong.push(format!("the comparison does not explain {code}"));
        }
        told.insert(code, number(line, "difference"));
    }
    told.retain(|_, difference| !difference.is_zero());
    let in_books: BTreeMap<String, Decimal> = books
        .differences
        .iter()
        .map(|(code, difference)| (code.clone(), Decimal::from(*difference)))
        .collect();
    if told != in_books {
        wrong.push(format!(
            "the comparison tells {told:?}, the books {in_books:?}"
        ));
    }
    wrong
}

/// A whole history.
///
/// # Errors
/// When the component cannot tell it.
pub async fn history(stage: &Stage, function: &str) -> Result<Vec<Value>, CallError> {
    let mut entries = Vec::new();
    let mut continuation = Value::Null;
    loop {
        let page = json!({ "filter": {}, "page": { "limit": 500, "continuation": continuation } });
        let answer = stage.call(function, page).await?;
        entries.extend(items(&answer, "entries").cloned());
        continuation = answer.get("continuation").cloned().unwrap_or_default();
        if continuation.is_null() {
            return Ok(entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What scripts around `tsunagi demo --json` may rely on.
    #[test]
    fn the_verdict_has_its_keys_as_json() {
        let verdict = Verdict {
            orders_imported: 1,
            orders_refused: 0,
            orders_undone: 0,
            orders_unaccounted: 0,
            amounts_wrong: 0,
            duplicate_transactions: 0,
            stock_changes_decided: 0,
            stock_rows_sent: 0,
            stock_differences: 0,
            unexplained_stock_differences: 0,
            wrong: Vec::new(),
            requests: json!({}),
            comparison: json!({}),
        };
        let told = serde_json::to_value(&verdict).unwrap();
        let keys: Vec<&str> = told
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut expected = [
            "orders_imported",
            "orders_refused",
            "orders_undone",
            "orders_unaccounted",
            "amounts_wrong",
            "duplicate_transactions",
            "stock_changes_decided",
            "stock_rows_sent",
            "stock_differences",
            "unexplained_stock_differences",
            "wrong",
            "requests",
        ];
        expected.sort_unstable();
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_component_that_tells_other_numbers_than_the_books_is_caught() {
        let line = |difference: &str, unexplained: &str| json!({ "lines": [{ "code": "TEA", "difference": difference, "unexplained": unexplained }] });
        let books = Books {
            differences: BTreeMap::from([("TEA".to_owned(), 2)]),
            ..Books::default()
        };
        assert!(disagreements(&line("2", "0"), &books).is_empty());
        assert_eq!(disagreements(&line("2", "2"), &books).len(), 1);
        assert_eq!(disagreements(&line("3", "0"), &books).len(), 1);
        assert_eq!(disagreements(&json!({ "lines": [] }), &books).len(), 1);
    }
}
