//! Webhooks (smaregi.md 6): ids only, in no order, perhaps twice. Who may deliver is the host's question, by a secret header.

use crate::{
    reason::Reason,
    wire::{self, Row, Value},
};

/// What a delivery says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// 契約ID
    pub contract_id: String,
    /// `pos:stock`, `pos:products` and others.
    pub event: String,
    /// `edited`, `bulk-update` …
    pub action: String,
    /// History id, 商品ID and 店舗ID of stock events.
    pub stock: Vec<(String, String, String)>,
    /// 商品ID of product events.
    pub products: Vec<String>,
}

/// Reads a delivery. One bad id makes the delivery unreadable: the catch-up then finds what it meant.
pub fn parse(body: &[u8]) -> Result<Event, Reason> {
    let value = wire::parse(body).ok_or_else(|| wire::unreadable("body", &Value::Null))?;
    let row = Row::of(&value, "body")?;
    let event = row.text("event")?;
    let stock = match event.as_str() {
        "pos:stock" => list(row, "ids", |value| {
            let id = Row::of(value, "ids")?;
            let history = id.maybe_text("id").unwrap_or_default();
            Ok((
                history,
                id.read("productId", plain_id)?,
                id.read("storeId", plain_id)?,
            ))
        })?,
        _ => Vec::new(),
    };
    let products = match event.as_str() {
        "pos:products" => list(row, "productIds", |value| {
            wire::text_of(value)
                .as_deref()
                .and_then(plain_id)
                .ok_or_else(|| wire::unreadable("productIds", value))
        })?,
        _ => Vec::new(),
    };
    let action = row.maybe_text("action").unwrap_or_default();
    Ok(Event {
        contract_id: row.text("contractId")?,
        event,
        action,
        stock,
        products,
    })
}

/// Smaregi's ids are digits, at most 15 of them (smaregi.md 4a, 5); anything else would be a stranger's.
pub fn plain_id(text: &str) -> Option<String> {
    let plain = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.to_owned())
}

fn list<T>(
    row: Row<'_>,
    field: &str,
    read: impl Fn(&Value) -> Result<T, Reason>,
) -> Result<Vec<T>, Reason> {
    let values = row
        .value(field)
        .as_list()
        .ok_or_else(|| wire::unreadable(field, row.value(field)))?;
    values.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places_and_products() {
        let body = r#"{"contractId":"sb_1","event":"pos:stock","action":"edited","ids":[{"id":"7","productId":"8","storeId":1}]}"#;
        let event = parse(body.as_bytes()).unwrap();
        assert_eq!(
            event.stock,
            [("7".to_owned(), "8".to_owned(), "1".to_owned())]
        );
        let body = r#"{"contractId":"sb_1","event":"pos:products","action":"deleted","productIds":["8",9]}"#;
        assert_eq!(parse(body.as_bytes()).unwrap().products, ["8", "9"]);
        let other = r#"{"contractId":"sb_1","event":"pos:transactions","action":"created","transactionHeadIds":["25"]}"#;
        assert!(parse(other.as_bytes()).unwrap().stock.is_empty());
    }

    #[test]
    fn refuses_what_it_cannot_read_by_name() {
        for (body, field) in [
            ("<html>", "body"),
            ("[]", "body"),
            ("{}", "event"),
            (r#"{"event":"pos:stock","contractId":"c"}"#, "ids"),
            (
                r#"{"event":"pos:stock","contractId":"c","ids":[{"id":"1","storeId":"1"}]}"#,
                "productId",
            ),
            (
                r#"{"event":"pos:stock","contractId":"c","ids":[{"id":"1","productId":"8a","storeId":"1"}]}"#,
                "productId",
            ),
            (
                r#"{"event":"pos:stock","contractId":"c","ids":[{"id":"1","productId":"8","storeId":"1234567890123456"}]}"#,
                "storeId",
            ),
            (r#"{"event":"other"}"#, "contractId"),
        ] {
            assert_eq!(
                parse(body.as_bytes()).unwrap_err().field.as_deref(),
                Some(field),
                "{body}"
            );
        }
    }
}
