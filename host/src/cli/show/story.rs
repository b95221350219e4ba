//! The story of an order or a product as a table. Decides nothing.

use serde_json::Value;

use super::Show;
use crate::cli::words::{field, items, short_moment};

/// What an event concerns, with its name for people; in the order of the column.
const IDS: [(&str, &str, &str); 8] = [
    ("slip", "伝票", "slip"),
    ("transaction-id", "取引", "transaction"),
    ("store-id", "店舗", "store"),
    ("product-code", "商品", "product"),
    ("product-id", "商品ID", "product id"),
    ("queue-id", "キュー", "queue"),
    ("quantity", "数", "pieces"),
    ("amount", "金額", "yen"),
];

impl Show {
    /// A story.
    pub fn story(&self, story: &Value) {
        let head = [
            self.of("日時", "when"),
            self.of("段階", "step"),
            self.of("出来事", "what"),
            self.of("対象", "of"),
        ];
        let events: Vec<Vec<String>> = items(story, "events")
            .map(|event| self.event(event))
            .collect();
        if events.is_empty() {
            outln!(
                "{}",
                self.of("まだ何も起きていません。", "Nothing has happened yet.")
            );
        } else {
            self.rows(&head, events.into_iter());
        }
        if story.get("cut").and_then(Value::as_bool) == Some(true) {
            outln!(
                "{}",
                self.of(
                    "これより古い出来事は省いています。",
                    "Older events may be left off."
                )
            );
        }
    }

    fn event(&self, event: &Value) -> Vec<String> {
        let text = event.get("text").map(|text| self.language.text(text));
        let what = [text.unwrap_or_default(), self.reason(event)];
        let told = what.into_iter().filter(|part| !part.is_empty());
        vec![
            short_moment(&field(event, "at")),
            self.language.terms(event, "step"),
            told.collect::<Vec<_>>().join(" "),
            self.ids(event),
        ]
    }

    fn ids(&self, event: &Value) -> String {
        let ids = event.get("ids").unwrap_or(&Value::Null);
        let named = IDS.iter().filter_map(|(name, ja, en)| {
            let value = field(ids, name);
            (!value.is_empty()).then(|| format!("{} {value}", self.of(ja, en)))
        });
        named.collect::<Vec<_>>().join(" · ")
    }
}
