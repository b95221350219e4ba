//! 概況: whether all is well, in one look, and what to do where it is not. Shows what the component knows; calls nobody outside.

use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::Asked;
use crate::console::{
    Console,
    access::AtShop,
    histories,
    language::Language,
    layout::{self, Tone, message},
    show::{self, count, flag, items, text},
};

/// Waiting products that are counted one by one.
const MOST_COUNTED: usize = 200;
/// Hours before the login ends from which on it is told.
const EARLY: i64 = 24;

/// What the page shows.
struct Facts {
    status: Value,
    stores: Value,
    meter: Value,
    last_sent: Option<Value>,
    waiting: Vec<Value>,
    more_wait: bool,
}

impl Facts {
    async fn read(at: &AtShop) -> Result<Self, Response> {
        let (applied, waits) = (
            json!({ "outcome": "applied" }),
            json!({ "outcome": "waiting" }),
        );
        let (status, stores, meter, last_sent, waiting) = tokio::try_join!(
            at.call("connection.get-status", json!({})),
            at.call("orders.stores", json!({})),
            at.call("schedule.calls", json!({})),
            histories::newest(at, "history.sent", &applied),
            histories::read(at, "history.sent", &waits, None, MOST_COUNTED),
        )?;
        Ok(Self {
            status,
            stores,
            meter,
            last_sent,
            more_wait: waiting.continuation.is_some(),
            waiting: waiting.entries,
        })
    }

    fn refused(&self) -> u64 {
        items(&self.stores, "")
            .iter()
            .map(|store| count(store, "/refused"))
            .sum()
    }

    /// Products that wait for something that a person may have to do.
    fn held(&self) -> usize {
        let held = self
            .waiting
            .iter()
            .filter(|entry| entry.get("reason").is_some_and(|reason| !reason.is_null()));
        held.count()
    }

    fn last_import(&self) -> Option<&str> {
        let moments = items(&self.stores, "")
            .iter()
            .map(|store| text(store, "/last-imported-at"));
        moments.filter(|moment| !moment.is_empty()).max()
    }

    fn login_ends(&self) -> &str {
        text(&self.status, "/tokens/refresh-expires-at")
    }
}

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let facts = Facts::read(&at).await?;
    let content = html! {
        (layout::done(&at.signed.visit, &asked.done))
        (verdict(&at, &facts, console.now()))
        (cards(&at, &facts, console.now()))
        (stores(&at, &facts))
        section hx-get=(at.address("overview/days")) hx-trigger="load" {
            h2 { (at.say("最近30日", "The last 30 days")) }
            p { a href=(at.address("overview/days")) { (at.say("図を表示", "Show the pictures")) } }
        }
    };
    Ok(layout::shop_page(&at, "overview", &content))
}

/// What a person has to do, each with the page where it is done.
fn verdict(at: &AtShop, facts: &Facts, now: DateTime<Utc>) -> Markup {
    let language = at.language();
    let mut open: Vec<(String, &str, &str)> = Vec::new();
    let status = &facts.status;
    let demand = text(status, &format!("/login-needed/{}", language.code()));
    if !demand.is_empty() {
        open.push((
            demand.to_owned(),
            "connection",
            at.say("ログインする", "Log in"),
        ));
    } else if facts.login_ends().is_empty() {
        let told = at.say(
            "ネクストエンジンにログインしていません。",
            "Nobody is logged in to Next Engine.",
        );
        open.push((
            told.to_owned(),
            "connection",
            at.say("連携設定へ", "To the connection"),
        ));
    } else if ends_soon(facts.login_ends(), now) {
        let told = at.say(
            "ネクストエンジンのログインがまもなく切れます。いまログインし直すと止まりません。",
            "The login to Next Engine ends soon. Log in again now and nothing stops.",
        );
        open.push((
            told.to_owned(),
            "connection",
            at.say("ログインする", "Log in"),
        ));
    }
    if !flag(status, "/switched-on") {
        let told = at.say(
            "連携がオフです。新しい送信と取込は行われません。",
            "The link is off: nothing new is sent or imported.",
        );
        open.push((
            told.to_owned(),
            "connection",
            at.say("連携設定へ", "To the connection"),
        ));
    }
    if facts.refused() > 0 {
        let told = at.say(
            "取り込めなかった受注が{n}件あります。",
            "{n} orders were refused.",
        );
        let told = told.replace("{n}", &show::number(&facts.refused().to_string()));
        open.push((
            told,
            "received?outcome=refused",
            at.say("理由を見る", "See why"),
        ));
    }
    if facts.held() > 0 {
        let told = at.say(
            "送れずに待っている商品が{n}件あります。",
            "{n} products wait and cannot be sent yet.",
        );
        let told = told.replace("{n}", &show::number(&facts.held().to_string()));
        open.push((
            told,
            "sent?outcome=waiting",
            at.say("理由を見る", "See why"),
        ));
    }
    if open.is_empty() {
        return message(Tone::Good, at.say("すべて順調です。", "All is well."));
    }
    html! {
        section.message.warn aria-label=(at.say("対応が必要なこと", "What needs a person")) {
            ul {
                @for (told, page, link) in open {
                    li { (told) " " a href=(at.address(page)) { (link) } }
                }
            }
        }
    }
}

fn ends_soon(moment: &str, now: DateTime<Utc>) -> bool {
    let ends = DateTime::parse_from_rfc3339(moment);
    ends.is_ok_and(|ends| (ends.with_timezone(&Utc) - now).num_hours() < EARLY)
}

fn cards(at: &AtShop, facts: &Facts, now: DateTime<Utc>) -> Markup {
    let language = at.language();
    let never = || html! { span.faint { (at.say("まだありません", "none yet")) } };
    let moment = |moment: Option<&str>| match moment {
        Some(moment) if !moment.is_empty() => show::moment(moment),
        _ => never(),
    };
    let sent_at = facts.last_sent.as_ref().map(|entry| text(entry, "/at"));
    let plus = if facts.more_wait { "+" } else { "" };
    let ends = facts.login_ends();
    html! {
        dl.figures {
            (figure(at.say("連携", "Link"), &html! { (on_or_off(language, flag(&facts.status, "/switched-on"))) }))
            (figure(at.say("最終取込", "Last import"), &moment(facts.last_import())))
            (figure(at.say("最終送信", "Last sent"), &moment(sent_at)))
            (figure(at.say("送信待ち", "Waiting to be sent"), &html! { (facts.waiting.len()) (plus) " " (at.say("商品", "products")) }))
            (figure(at.say("取り込めなかった受注", "Refused orders"), &html! { (show::number(&facts.refused().to_string())) " " (at.say("件", "")) }))
            (figure(at.say("ログインの期限", "Login lives until"), &html! {
                @if ends.is_empty() { (never()) } @else {
                    (show::moment(ends))
                    @if let Some(left) = show::left(language, ends, now) { br; span.faint { (left) } }
                }
            }))
            (figure(at.say("今月の呼び出し(ネクストエンジン)", "Calls to Next Engine this month"), &calls(at, &facts.meter)))
        }
    }
}

/// 連携オン・オフ as a word.
pub fn on_or_off(language: Language, is_on: bool) -> Markup {
    let (class, word) = if is_on {
        ("good", language.of("オン", "on"))
    } else {
        ("warn", language.of("オフ", "off"))
    };
    html! { span.badge.(class) { (word) } }
}

fn calls(at: &AtShop, meter: &Value) -> Markup {
    let number = |field: &str| show::number(&count(meter, field).to_string());
    html! {
        (number("/next-engine-calls"))
        @if meter.get("next-engine-forecast").is_some_and(|forecast| !forecast.is_null()) {
            br; span.faint { (at.say("月末の見込み", "forecast for the month")) " " (number("/next-engine-forecast")) }
        }
        @if count(meter, "/next-engine-budget") > 0 {
            br; span.faint { (at.say("上限", "limit")) " " (number("/next-engine-budget")) }
        }
    }
}

fn figure(name: &str, value: &Markup) -> Markup {
    html! { div.card { dt { (name) } dd { (value) } } }
}

fn stores(at: &AtShop, facts: &Facts) -> Markup {
    let stores = items(&facts.stores, "");
    html! {
        h2 { (at.say("受信店舗", "Receiving stores")) }
        @if stores.is_empty() {
            p.empty {
                (at.say("受信店舗がまだありません。登録すると、ここに最終取込日時が出ます。", "There is no receiving store yet. Once there is one, its last import is shown here.")) " "
                a href=(at.address("orders")) { (at.say("受注受信設定へ", "To the order settings")) }
            }
        } @else {
            div.scroll tabindex="0" {
                table {
                    thead { tr {
                        th scope="col" { (at.say("ネクストエンジン店舗ID", "Next Engine shop")) }
                        th scope="col" { (at.say("スマレジ店舗ID", "Smaregi store")) }
                        th scope="col" { (at.say("最終取込日時", "Last import")) }
                        th.number scope="col" { (at.say("取り込めなかった受注", "Refused")) }
                    } }
                    tbody {
                        @for store in stores {
                            tr {
                                td { (text(store, "/shop-id")) }
                                td { (text(store, "/store-id")) }
                                td {
                                    @match text(store, "/last-imported-at") {
                                        "" => (at.say("まだ", "not yet")),
                                        moment => (show::moment(moment)),
                                    }
                                }
                                td.number { (count(store, "/refused")) }
                            }
                        }
                    }
                }
            }
        }
    }
}
