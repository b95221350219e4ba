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

    /// The contract's terms of a field, in this language.
    pub fn terms(self, value: &Value, name: &str) -> String {
        let term = |word: &str| {
            let known = TERMS.iter().find(|(term, _)| *term == word);
            known.map_or_else(
                || word.to_owned(),
                |(term, ja)| self.of(ja, term).to_owned(),
            )
        };
        let words = field(value, name);
        words.split(", ").map(term).collect::<Vec<_>>().join(", ")
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

/// Columns of a table at most, so that it fits a window, a mail and a page.
const WIDEST: u16 = 100;

/// What the contract's enumerations are called on Smaregi's settings page and in its histories.
const TERMS: [(&str, &str); 24] = [
    ("correction", "修正"),
    ("sale", "売上"),
    ("purchase", "仕入"),
    ("shipment", "出荷"),
    ("receipt", "入庫"),
    ("issue", "出庫"),
    ("stocktake", "棚卸"),
    ("loss", "ロス"),
    ("alignment", "在庫合わせ"),
    ("waiting", "送信待ち"),
    ("in-flight", "送信中"),
    ("applied", "反映済み"),
    ("returned", "差し戻し"),
    ("not-sent", "対象外"),
    ("registered", "登録"),
    ("undone", "取消"),
    ("refused", "見送り"),
    ("needs-person", "要確認"),
    ("came-in", "受信"),
    ("decided", "判断"),
    ("intent", "記録"),
    ("sent", "送信"),
    ("settled", "完了"),
    ("waits", "待ち"),
];

/// A table as every command prints it.
pub fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    let width = table.width().unwrap_or(WIDEST).min(WIDEST);
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(head);
    table
}

/// Minutes are enough for a person: `11-24 10:00`. Anything else stays as it is.
pub fn short_moment(moment: &str) -> String {
    let read = chrono::DateTime::parse_from_rfc3339(moment);
    read.map_or_else(
        |_| moment.to_owned(),
        |at| at.format("%m-%d %H:%M").to_string(),
    )
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
