//! How entries of the send history look, on the page and in the file.

use maud::{Markup, html};
use serde_json::Value;

use super::orders::encoded;
use crate::console::{
    access::AtShop,
    language::Language,
    layout,
    names::Names,
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

fn store_names(entry: &Value, called: &Names) -> String {
    let each = items(entry, "/stores").iter().filter_map(Value::as_str);
    each.map(|id| called.store(id))
        .collect::<Vec<_>>()
        .join(", ")
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

/// The table. On a narrow window each row is a block, with its columns' names beside the cells.
pub fn table(at: &AtShop, entries: &[Value], called: &Names) -> Markup {
    let names = names(at);
    html! {
        div.scroll tabindex="0" {
            table.rows {
                (layout::history_head(&at.signed.visit, &names, &[3, 4]))
                tbody { @for entry in entries { (row(at, entry, called)) } }
            }
        }
    }
}

fn names(at: &AtShop) -> [&'static str; 6] {
    match at.language() {
        Language::Ja => [
            "日時",
            "結果",
            "商品",
            "増減",
            "送信前→後",
            "きっかけ・店舗",
        ],
        Language::En => [
            "Time",
            "Result",
            "Product",
            "Change",
            "Before → after",
            "Trigger, stores",
        ],
    }
}

fn row(at: &AtShop, entry: &Value, called: &Names) -> Markup {
    let language = at.language();
    let why = reason(language, entry);
    let (id, outcome) = (text(entry, "/id"), text(entry, "/outcome"));
    let (code, product) = (text(entry, "/product-code"), text(entry, "/product-id"));
    let (before, after) = (text(entry, "/before"), text(entry, "/after"));
    let again = may_go_again(entry);
    let class = match outcome {
        "applied" => "good",
        "returned" => "bad",
        "waiting" if again => "warn",
        _ => "plain",
    };
    let [time, result, goods, change, stock, cause] = names(at);
    html! {
        tr.with-why[!why.is_empty()] {
            td { @if again { input type="checkbox" name="entry" value=(id) aria-label=(format!("{} {code}", at.say("選択", "choose"))); } }
            td data-name=(time) { (show::moment(text(entry, "/at"))) }
            td data-name=(result) { span.badge.(class) { (word(language, &OUTCOMES, outcome)) } }
            td data-name=(goods) {
                a.code href={ (at.address("story")) "?key=" (encoded(if code.is_empty() { product } else { code })) } {
                    @if code.is_empty() { "ID " (product) } @else { (code) }
                }
                @if !code.is_empty() && !product.is_empty() { " " span.faint { "ID " (product) } }
            }
            td.number data-name=(change) { (show::signed(text(entry, "/quantity"))) }
            td.number data-name=(stock) { @if !before.is_empty() { (show::number(before)) " → " (show::number(after)) } }
            td data-name=(cause) { (triggers(language, entry)) " " span.faint { (store_names(entry, called)) } }
            td { @if again { button.quiet name="one" value=(id) { (at.say("再送信", "Send again")) } } }
        }
        @if !why.is_empty() {
            tr.why { td {} td colspan="7" { (why) } }
        }
    }
}

/// Columns of the file.
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
