//! Both languages of the command line, and how values look in them. Decides nothing.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// 日本語
    Ja,
    /// English
    En,
}

impl Language {
    /// The one given, else the environment's.
    pub fn or_environment(given: Option<Self>) -> Self {
        let environment = || {
            let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
            let set = names
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
            if set.is_some_and(|value| value.starts_with("ja")) {
                Self::Ja
            } else {
                Self::En
            }
        };
        given.unwrap_or_else(environment)
    }

    /// As the contract's texts name it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// The one of two that is meant.
    pub fn of<'a>(self, ja: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }

    /// A contract's `text`.
    pub fn text(self, text: &Value) -> String {
        text.get(self.code())
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// A contract's `reason` with its field and value; empty for none.
    pub fn reason(self, reason: &Value) -> String {
        let part = |name: &str| reason.get(name).and_then(Value::as_str);
        let message = reason
            .get("message")
            .map(|message| self.text(message))
            .unwrap_or_default();
        match (part("field"), part("value")) {
            (Some(field), Some(value)) => format!("{message} [{field} = {value}]"),
            (Some(field), None) => format!("{message} [{field}]"),
            _ => message,
        }
    }
}

/// A table as every command prints it.
pub fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(head);
    table
}

/// A field as plain text; empty for null.
pub fn field(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    }
}

/// A number field.
pub fn count(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// The items of a list field.
pub fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
