//! 取引更新: the labels of a transaction (smaregi.md 3). It must not touch amounts, lines or the store.

use serde_json::{Value, json};

use super::Smaregi;
use super::answer::Problem;
use super::body::Body;
use super::register;

/// `PATCH /transactions/{id}`.
pub fn relabel(smaregi: &mut Smaregi, id: &str, body: Body) -> Result<Value, Problem> {
    register::check_labels(smaregi, &body)?;
    let now = smaregi.now();
    let found = id.parse().ok();
    let sale = found.and_then(|id: u64| smaregi.books.transactions.get_mut(&id));
    let sale = sale.ok_or_else(Problem::not_found)?;
    for name in register::RELABELLED {
        let Some(text) = body.text(name, usize::MAX)? else {
            continue;
        };
        match name {
            "memo" => sale.memo = text,
            _ => drop(sale.labels.insert(name.to_owned(), text)),
        }
    }
    sale.modified = now;
    let id = sale.id.to_string();
    smaregi.notify(
        "pos:transactions",
        "edited",
        ("transactionHeadIds", json!([id])),
    );
    Ok(json!({"transactionHeadId": id}))
}
