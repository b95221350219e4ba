//! How entries of the send history look, on the page and in the file.

use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    access::AtShop,
    language::Language,
    show::{self, items, text},
};

/// The contract's outcomes.
pub const OUTCOMES: [(&str, &str, &str); 5] = [
    ("waiting", "送信待ち", "waiting"),
    ("in-flight", "送信中", "in flight"),
    ("applied", "反映済み", "applied"),
    ("returned", "差し戻し", "returned"),
    ("not-sent", "対象外", "not sent"),
];

/// The contract's triggers.
pub const TRIGGERS: [(&str, &str, &str); 9] = [
    ("correction", "修正", "correction"),
    ("sale", "売上", "sale"),
    ("purchase", "仕入", "purchase"),
    ("shipment", "出荷", "shipment"),
    ("receipt", "入庫", "receipt"),
    ("issue", "出庫", "issue"),
    ("stocktake", "棚卸", "stocktake"),
    ("loss", "ロス", "loss"),
    ("alignment", "在庫合わせ", "alignment"),
];

/// The reader's word; an unknown one as it is.
pub fn word(
    language: Language,
    words: &[(&'static str, &'static str, &'static str)],
    word: &str,
) -> String {
    let known = words.iter().find(|(known, _, _)| *known == word);
    known.map_or_else(
        || word.to_owned(),
        |(_, ja, en)| language.of(ja, en).to_owned(),
    )
}

fn triggers(language: Language, entry: &Value) -> String {
    let each = items(entry, "/triggers").iter().filter_map(Value::as_str);
    each.map(|trigger| word(language, &TRIGGERS, trigger))
        .collect::<Vec<_>>()
        .join("・")
}

fn stores(entry: &Value) -> String {
    let each = items(entry, "/stores").iter().filter_map(Value::as_str);
    each.collect::<Vec<_>>().join(", ")
}

fn reason(language: Language, entry: &Value) -> String {
    entry
        .get("reason")
        .filter(|reason| !reason.is_null())
        .map_or_else(String::new, |reason| language.reason(reason))
}

/// Whether a person may let it go again.
fn may_go_again(entry: &Value) -> bool {
    let held = entry.get("reason").is_some_and(|reason| !reason.is_null());
    match text(entry, "/outcome") {
        "returned" => true,
        "waiting" => held,
        _ => false,
    }
}

/// The table.
pub fn table(at: &AtShop, entries: &[Value]) -> Markup {
    let head = head(at.language());
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { span.hidden { (at.say("選択", "Choose")) } }
                    @for name in head { th scope="col" { (name) } }
                    th scope="col" { span.hidden { (at.say("操作", "Actions")) } }
                } }
                tbody { @for entry in entries { (row(at, entry)) } }
            }
        }
    }
}

fn row(at: &AtShop, entry: &Value) -> Markup {
    let language = at.language();
    let (id, outcome) = (text(entry, "/id"), text(entry, "/outcome"));
    let code = text(entry, "/product-code");
    let again = may_go_again(entry);
    let class = match outcome {
        "applied" => "good",
        "returned" => "bad",
        "waiting" if again => "warn",
        _ => "plain",
    };
    html! {
        tr {
            td { @if again { input type="checkbox" name="entry" value=(id) aria-label=(format!("{} {code}", at.say("選択", "choose"))); } }
            td { (show::moment(text(entry, "/at"))) }
            td { span.badge.(class) { (word(language, &OUTCOMES, outcome)) } }
            td { (code) }
            td { (text(entry, "/product-id")) }
            td.number { (show::signed(text(entry, "/quantity"))) }
            td.number { (show::number(text(entry, "/before"))) }
            td.number { (show::number(text(entry, "/after"))) }
            td { (triggers(language, entry)) }
            td { (stores(entry)) }
            td { div.reason[!reason(language, entry).is_empty()] { (reason(language, entry)) } }
            td { @if again { button.quiet name="one" value=(id) { (at.say("再送信", "Send again")) } } }
        }
    }
}

/// Columns.
pub fn head(language: Language) -> [&'static str; 10] {
    match language {
        Language::Ja => [
            "日時",
            "結果",
            "商品コード",
            "商品ID",
            "増減",
            "送信前",
            "送信後",
            "きっかけ",
            "店舗ID",
            "理由",
        ],
        Language::En => [
            "Time",
            "Result",
            "Product code",
            "Product id",
            "Change",
            "Before",
            "After",
            "Trigger",
            "Stores",
            "Reason",
        ],
    }
}

/// A row of the file.
pub fn record(language: Language, entry: &Value) -> Vec<String> {
    let plain = |field: &str| text(entry, field).to_owned();
    vec![
        show::moment_text(text(entry, "/at")),
        word(language, &OUTCOMES, text(entry, "/outcome")),
        plain("/product-code"),
        plain("/product-id"),
        plain("/quantity"),
        plain("/before"),
        plain("/after"),
        triggers(language, entry),
        stores(entry),
        reason(language, entry),
    ]
}
