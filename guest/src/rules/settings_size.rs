//! How much text settings may hold, so that they fit one record and a problem never repeats what is too long. Knows no field.

use serde_json::Value;

use super::settings_form::{LONGEST_LIST, text::LONGEST as LONGEST_TEXT};
use crate::{error::Problem, reason::Reason, settings::Settings};

/// Bytes of everything; storage takes 1 MiB a value.
const LARGEST: usize = 900_000;

/// What is too large; empty when all of it fits.
pub fn too_large(settings: &Settings) -> Vec<Problem> {
    let whole = serde_json::to_value(settings).unwrap_or(Value::Null);
    let mut found = Vec::new();
    walk(&whole, String::new(), &mut found);
    if found.is_empty() && whole.to_string().len() > LARGEST {
        found.push(problem("settings".to_owned(), LARGEST, "bytes"));
    }
    found
}

fn walk(value: &Value, path: String, found: &mut Vec<Problem>) {
    match value {
        Value::String(text) if text.chars().count() > LONGEST_TEXT => {
            found.push(problem(path, LONGEST_TEXT, "characters"));
        }
        Value::Array(entries) if entries.len() > LONGEST_LIST => {
            found.push(problem(path, LONGEST_LIST, "entries"));
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                walk(entry, format!("{path}[{index}]"), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                // The contract spells its fields with hyphens.
                walk(
                    value,
                    format!("{path}{dot}{}", name.replace('_', "-")),
                    found,
                );
            }
        }
        _ => {}
    }
}

fn problem(field: String, most: usize, unit: &str) -> Problem {
    let reason = Reason::new(
        "too-long",
        format!("長すぎます(上限: {most} {unit})。"),
        format!("This is too long; it may be at most {most} {unit}."),
    );
    Problem { field, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules::samples, settings::CodeBasis};

    /// Settings of so many bytes, in short texts: the stores' names are filled up with what is missing.
    fn of_bytes(bytes: usize) -> Settings {
        let mut settings = Settings::default();
        settings.orders.receiving_stores = vec![samples::store(); 1_000];
        let bytes_of = |settings: &Settings| serde_json::to_string(settings).unwrap().len();
        let mut missing = bytes - bytes_of(&settings);
        for store in &mut settings.orders.receiving_stores {
            let more = missing.min(LONGEST_TEXT - store.shop_name.chars().count());
            store.shop_name.push_str(&"x".repeat(more));
            missing -= more;
        }
        assert_eq!(bytes_of(&settings), bytes);
        settings
    }

    #[test]
    fn all_of_it_together_fits_one_record() {
        assert_eq!(too_large(&of_bytes(LARGEST)), []);
        for bytes in [LARGEST + 1, LARGEST + 2] {
            let found = too_large(&of_bytes(bytes));
            let fields: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
            assert_eq!(fields, ["settings"]);
        }
    }

    #[test]
    fn what_is_as_long_as_it_may_be_is_taken() {
        let mut settings = Settings::default();
        settings.credentials.smaregi_client_id = "長".repeat(LONGEST_TEXT);
        settings.stock.stores = vec!["1".to_owned(); LONGEST_LIST];
        assert_eq!(too_large(&settings), []);
    }

    #[test]
    fn what_is_too_long_is_named_and_not_repeated() {
        let mut settings = Settings {
            orders: samples::settings(),
            ..Settings::default()
        };
        assert_eq!(too_large(&settings), []);
        settings.orders.receiving_stores[0].shop_name = "長".repeat(1_001);
        settings.credentials.smaregi_client_secret =
            crate::settings::Secret::new("s3".repeat(5_000_000));
        settings.stock.codes.basis = CodeBasis::ProductCode;
        settings.stock.stores = vec!["1".to_owned(); 2_001];
        let found = too_large(&settings);
        let fields: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "credentials.smaregi-client-secret",
                "orders.receiving-stores[0].shop-name",
                "stock.stores"
            ]
        );
        assert!(!format!("{found:?}").contains("s3s3"));
    }
}
