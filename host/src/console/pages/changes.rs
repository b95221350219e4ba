//! 変更の記録: who changed what and when, newest first; a shop's, or for the operator those of all shops. Shows what `audit` holds, and
//! that holds no secret.

use axum::{
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{change_words, orders::encoded};
use crate::console::{
    Console,
    access::{AtShop, Operator, Visit},
    audit::{self, Change, Entry, Stretch},
    language::Language,
    layout, show,
};

/// Entries of one page.
const ENTRIES: u32 = 50;
/// The operator's page.
const ALL: &str = "/console/changes";

/// Where the page begins.
#[derive(Deserialize)]
pub struct From {
    /// A place that the page before gave; empty for the newest.
    #[serde(default)]
    from: String,
}

/// A shop's.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(from): Query<From>,
) -> Result<Response, Response> {
    let visit = &at.signed.visit;
    let found = audit::read(&console.records, Some(at.shop()), &from.from, ENTRIES).await;
    let found = found.map_err(|error| layout::store_failed(visit, &error))?;
    let content = content(visit, &found, &at.address("changes"), &from.from, false);
    Ok(layout::shop_page(&at, "changes", &content))
}

/// Those of all shops, and of none.
pub async fn all(
    State(console): State<Console>,
    Operator(signed): Operator,
    Query(from): Query<From>,
) -> Result<Response, Response> {
    let visit = &signed.visit;
    let found = audit::read(&console.records, None, &from.from, ENTRIES).await;
    let found = found.map_err(|error| layout::store_failed(visit, &error))?;
    let content = html! {
        (content(visit, &found, ALL, &from.from, true))
        p { a href="/console" { (visit.say("店舗の一覧へ", "To the list of shops")) } }
    };
    let title = visit.say("変更の記録", "Changes");
    Ok(layout::page(visit, Some(&signed), title, &content))
}

fn content(visit: &Visit, found: &Stretch, address: &str, from: &str, shops: bool) -> Markup {
    html! {
        p.hint { (visit.say("誰が、いつ、何を変えたかです。秘密の値は記録されません。", "Who changed what, and when. Secret values are not written down.")) }
        @if found.entries.is_empty() {
            p.empty { (visit.say(
                "記録はまだありません。設定を変えたり、取込や再送信をしたりすると、ここに並びます。",
                "Nothing yet. Once somebody changes a setting, imports or sends again, it is listed here.",
            )) }
        } @else {
            (table(visit, &found.entries, shops))
        }
        div.row {
            @if !from.is_empty() { a href=(address) { (visit.say("最新へ", "To the newest")) } }
            @if let Some(next) = &found.next {
                a.button.quiet rel="next" href={ (address) "?from=" (encoded(next)) } { (visit.say("さらに前へ", "Older")) }
            }
        }
    }
}

fn table(visit: &Visit, entries: &[Entry], shops: bool) -> Markup {
    let [time, who, shop, what, how] = names(visit);
    html! {
        div.scroll tabindex="0" {
            table.rows {
                thead { tr {
                    th scope="col" { (time) }
                    th scope="col" { (who) }
                    @if shops { th scope="col" { (shop) } }
                    th scope="col" { (what) }
                    th scope="col" { (how) }
                } }
                tbody { @for entry in entries { (row(visit, entry, shops)) } }
            }
        }
    }
}

fn names(visit: &Visit) -> [&str; 5] {
    [
        visit.say("日時", "Time"),
        visit.say("誰が", "Who"),
        visit.say("店舗", "Shop"),
        visit.say("したこと", "What"),
        visit.say("内容", "Details"),
    ]
}

fn row(visit: &Visit, entry: &Entry, shops: bool) -> Markup {
    let [time, who, shop, what, how] = names(visit);
    html! {
        tr {
            td data-name=(time) { (show::of_host(entry.at)) }
            td data-name=(who) { (entry.account) }
            @if shops {
                td data-name=(shop) {
                    @if let Some(shop) = &entry.shop { a href={ "/console/t/" (shop) "/changes" } { (shop) } }
                }
            }
            td data-name=(what) { (change_words::action(visit.language, &entry.action)) }
            td data-name=(how) {
                @if !entry.changes.is_empty() {
                    ul.changes { @for change in &entry.changes { li { (of(visit.language, entry, change)) } } }
                }
            }
        }
    }
}

/// Before and after of a setting; of anything else only what was acted on.
fn of(language: Language, entry: &Entry, change: &Change) -> Markup {
    let nothing = language.of("なし", "nothing");
    let or_nothing = |value: &str| {
        let value = change_words::value(language, &change.field, value);
        if value.is_empty() {
            html! { span.faint { (nothing) } }
        } else {
            html! { code { (value) } }
        }
    };
    html! {
        (change_words::field(language, &change.field)) ": "
        @if ["settings", "notices"].contains(&entry.action.as_str()) { (or_nothing(&change.before)) " → " }
        (or_nothing(&change.after))
    }
}
