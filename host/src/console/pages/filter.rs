//! Filters of the histories: a form that becomes the page's address, days in Japan's time, and the way to the next page.

use chrono::NaiveDate;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::console::{
    access::AtShop,
    form::{Line, line},
    names::Names,
    sent::Sent,
};

/// Fields that are not filters.
const NOT_FILTERS: [&str; 2] = ["from", "done"];

/// One of several words.
pub struct Choice<'a> {
    /// The field's name.
    pub name: &'static str,
    /// What it is called.
    pub label: &'a str,
    /// The words, in both languages.
    pub words: &'a [(&'static str, &'static str, &'static str)],
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

/// The first moment of the first day; null without one.
pub fn since(asked: &Sent) -> Value {
    day(asked.text("first")).map_or(Value::Null, |day| json!(format!("{day}T00:00:00+09:00")))
}

/// The moment after the last day; null without one.
pub fn before(asked: &Sent) -> Value {
    let next = day(asked.text("last")).and_then(|day| day.succ_opt());
    next.map_or(Value::Null, |day| json!(format!("{day}T00:00:00+09:00")))
}

/// Whether the outcome is one of the contract's, or none.
pub fn outcome(asked: &Sent, words: &[(&str, &str, &str)]) -> Result<(), ()> {
    let given = asked.text("outcome");
    let known = given.is_empty() || words.iter().any(|(word, _, _)| *word == given);
    known.then_some(()).ok_or(())
}

/// Whether anything is filtered.
pub fn is_any(asked: &Sent) -> bool {
    asked
        .pairs()
        .any(|(name, value)| !NOT_FILTERS.contains(&name) && !value.trim().is_empty())
}

/// The filters as a part of an address.
fn query(asked: &Sent, from: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let kept = asked
        .pairs()
        .filter(|(name, value)| !NOT_FILTERS.contains(name) && !value.is_empty());
    query.extend_pairs(kept);
    if let Some(from) = from {
        query.append_pair("from", from);
    }
    query.finish()
}

/// The same page with a word about what was done.
pub fn with_done(address: &str, word: &str) -> String {
    let (path, before) = address.split_once('?').unwrap_or((address, ""));
    let query = query(&Sent::parse(before.as_bytes()), None);
    let and = if query.is_empty() { "" } else { "&" };
    format!("{path}?{query}{and}done={word}")
}

/// The form.
pub fn form(
    at: &AtShop,
    page: &str,
    asked: &Sent,
    choices: &[Choice<'_>],
    texts: &[(&'static str, &str)],
    names: &Names,
) -> Markup {
    let plain = |name: &str, kind: &str, label: &str| {
        line(&Line {
            name,
            kind,
            label,
            hint: "",
            value: asked.text(name),
            autocomplete: "off",
            problem: None,
        })
    };
    html! {
        section {
            form method="get" action=(at.address(page)) {
                div.row {
                    (plain("first", "date", at.say("この日から", "From")))
                    (plain("last", "date", at.say("この日まで", "To")))
                    @for choice in choices { (select(at, asked, choice)) }
                    @for (name, label) in texts {
                        @match named(name, names) {
                            Some(ids) => (chosen(at, asked, name, label, &ids)),
                            None => (plain(name, "text", label)),
                        }
                    }
                }
                div.row {
                    button { (at.say("絞り込む", "Filter")) }
                    @if is_any(asked) { a.button.quiet href=(at.address(page)) { (at.say("条件を消す", "Clear")) } }
                    a href={ (at.address(page)) ".csv?" (query(asked, None)) } { (at.say("CSVで保存", "Save as CSV")) }
                }
            }
        }
    }
}

/// Ids and names that a field chooses among; `None` where it is typed.
fn named<'a>(field: &str, names: &'a Names) -> Option<Vec<(&'a str, &'a str)>> {
    let ids: Vec<(&str, &str)> = match field {
        "store" => names.stores().collect(),
        "shop" => names.shops().collect(),
        _ => Vec::new(),
    };
    (!ids.is_empty()).then_some(ids)
}

/// One of several ids, by its name; one that has no name any more stays what is asked for.
fn chosen(at: &AtShop, asked: &Sent, name: &str, label: &str, ids: &[(&str, &str)]) -> Markup {
    let given = asked.text(name);
    let is_known = given.is_empty() || ids.iter().any(|(id, _)| *id == given);
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { (at.say("すべて", "all")) }
                @for (id, name) in ids { option value=(id) selected[*id == given] { (name) " (" (id) ")" } }
                @if !is_known { option value=(given) selected { (given) } }
            }
        }
    }
}

fn select(at: &AtShop, asked: &Sent, choice: &Choice<'_>) -> Markup {
    html! {
        div.field {
            label for=(choice.name) { (choice.label) }
            select id=(choice.name) name=(choice.name) {
                option value="" { (at.say("すべて", "all")) }
                @for (word, ja, en) in choice.words {
                    option value=(word) selected[asked.text(choice.name) == *word] { (at.say(ja, en)) }
                }
            }
        }
    }
}

/// What is said where the look back found nothing so far.
pub fn none_yet(at: &AtShop) -> Markup {
    html! {
        p.empty { (at.say(
            "ここまでには、この条件に合う履歴がありません。「さらに前へ」で続きを探せます。日付で絞ると早く見つかります。",
            "Nothing so far passes this filter. “Older” looks further back; with a day it is found sooner.",
        )) }
    }
}

/// The way on, and back to the newest.
pub fn next(at: &AtShop, page: &str, asked: &Sent, continuation: Option<&str>) -> Markup {
    html! {
        div.row {
            @if asked.given("from").is_some() {
                a href={ (at.address(page)) "?" (query(asked, None)) } { (at.say("最新へ", "To the newest")) }
            }
            @if let Some(continuation) = continuation {
                a.button.quiet rel="next" href={ (at.address(page)) "?" (query(asked, Some(continuation))) } { (at.say("さらに前へ", "Older")) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_japans_and_the_last_one_is_within() {
        let asked = Sent::parse(b"first=2026-11-24&last=2026-11-30");
        assert_eq!(since(&asked), json!("2026-11-24T00:00:00+09:00"));
        assert_eq!(before(&asked), json!("2026-12-01T00:00:00+09:00"));
        let odd = Sent::parse(b"first=soon&last=");
        assert_eq!((since(&odd), before(&odd)), (Value::Null, Value::Null));
    }

    #[test]
    fn what_was_done_is_said_on_the_page_that_was_filtered() {
        let address = with_done(
            "/console/t/a/sent?outcome=returned&done=saved&from=x",
            "resent",
        );
        assert_eq!(address, "/console/t/a/sent?outcome=returned&done=resent");
        assert_eq!(
            with_done("/console/t/a/sent", "nothing"),
            "/console/t/a/sent?done=nothing"
        );
    }
}
