//! 概況: whether all is well, in one look, and what to do where it is not. Shows what the component knows; calls nobody outside.

use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Asked, checklist::compared_key, connection::checked_key, verdict::verdict};
use crate::{
    console::{
        Console,
        access::AtShop,
        histories,
        language::Language,
        layout,
        names::Names,
        show::{self, count, flag, items, text},
    },
    notices::{held, orders_to_look_at, refused, stopped},
};

/// Waiting products that are counted one by one.
const MOST_COUNTED: usize = 200;
const SENT: &str = "history.sent";
/// What the page shows.
pub struct Facts {
    /// `connection.get-status`.
    pub status: Value,
    /// The last 接続確認, if any.
    pub checked: Option<Value>,
    /// The sums of the last 在庫照合, if any.
    pub compared: Option<Value>,
    stores: Value,
    meter: Value,
    last_sent: Option<Value>,
    waiting: Vec<Value>,
    more_wait: bool,
}

impl Facts {
    async fn read(console: &Console, at: &AtShop) -> Result<Self, Response> {
        let (checked, compared) = kept(console, at).await?;
        let all = json!({});
        let (status, stores, meter, newest) = tokio::try_join!(
            at.call("connection.get-status", json!({})),
            at.call("orders.stores", json!({})),
            at.call("schedule.calls", json!({})),
            histories::page(at, SENT, &all, None, MOST_COUNTED),
        )?;
        // What waits comes before all that was sent, so a page that ends in something else holds all of it.
        let (waiting, sent): (Vec<Value>, Vec<Value>) = newest
            .entries
            .into_iter()
            .partition(|entry| text(entry, "/outcome") == "waiting");
        Ok(Self {
            status,
            checked,
            compared,
            stores,
            meter,
            more_wait: sent.is_empty() && newest.continuation.is_some(),
            last_sent: last_sent(at, sent).await?,
            waiting,
        })
    }

    /// Orders that could not be taken in.
    pub fn refused(&self) -> u64 {
        refused(&self.stores)
    }

    /// Orders that were taken in and need a person for the rest.
    pub fn orders_to_look_at(&self) -> u64 {
        orders_to_look_at(&self.stores)
    }

    /// Products that go no further without a person's word.
    pub fn stopped(&self) -> usize {
        stopped(&self.waiting)
    }

    /// Products that wait until something is mended.
    pub fn held(&self) -> usize {
        held(&self.waiting)
    }

    fn last_import(&self) -> Option<&str> {
        last_import(&self.stores)
    }

    /// Until when the login lives; empty without one.
    pub fn login_ends(&self) -> &str {
        text(&self.status, "/tokens/refresh-expires-at")
    }
}

/// When any of the shops last caught up, by `orders.stores`.
pub fn last_import(stores: &Value) -> Option<&str> {
    let stores = items(stores, "").iter();
    let moments = stores.map(|store| text(store, "/last-imported-at"));
    moments.filter(|moment| !moment.is_empty()).max()
}

/// The newest entry that was applied: usually it is among the newest of all.
async fn last_sent(at: &AtShop, newest: Vec<Value>) -> Result<Option<Value>, Response> {
    let is_applied = |entry: &Value| text(entry, "/outcome") == "applied";
    match newest.into_iter().find(is_applied) {
        Some(entry) => Ok(Some(entry)),
        None => histories::newest(at, SENT, &json!({ "outcome": "applied" })).await,
    }
}

/// What the last check and the last comparison left.
async fn kept(console: &Console, at: &AtShop) -> Result<(Option<Value>, Option<Value>), Response> {
    let (checked, compared) = tokio::join!(
        console.records.read(checked_key(at.shop())),
        console.records.read(compared_key(at.shop())),
    );
    let failed = |error| layout::store_failed(&at.signed.visit, &error);
    let checked = checked.map_err(failed)?.map(|row| row.value);
    let compared = compared.map_err(failed)?.map(|row| row.value);
    Ok((checked, compared))
}

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let facts = Facts::read(&console, &at).await?;
    let names = Names::of(&console, &at).await;
    let content = html! {
        (layout::done(&at.signed.visit, &asked.done))
        (verdict(&at, &facts, console.now()))
        (cards(&at, &facts, console.now()))
        (stores(&at, &facts, &names))
        p { a href=(at.address("story")) { (at.say("受注・商品の経過を調べる", "Look up the story of an order or product")) } }
        section hx-get=(at.address("overview/days")) hx-trigger="load" {
            h2 { (at.say("最近30日", "The last 30 days")) }
            p { a href=(at.address("overview/days")) { (at.say("図を表示", "Show the pictures")) } }
        }
    };
    Ok(layout::shop_page(&at, "overview", &content))
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

fn stores(at: &AtShop, facts: &Facts, names: &Names) -> Markup {
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
                table.rows {
                    thead { tr {
                        th scope="col" { (at.say("ネクストエンジン店舗", "Next Engine shop")) }
                        th scope="col" { (at.say("スマレジ店舗", "Smaregi store")) }
                        th scope="col" { (at.say("最終取込日時", "Last import")) }
                        th.number scope="col" { (at.say("取り込めなかった受注", "Refused")) }
                    } }
                    tbody {
                        @for store in stores {
                            tr {
                                td data-name=(at.say("ネクストエンジン店舗", "Next Engine shop")) { (names.shop(text(store, "/shop-id"))) }
                                td data-name=(at.say("スマレジ店舗", "Smaregi store")) { (names.store(text(store, "/store-id"))) }
                                td data-name=(at.say("最終取込日時", "Last import")) {
                                    @match text(store, "/last-imported-at") {
                                        "" => (at.say("まだ", "not yet")),
                                        moment => (show::moment(moment)),
                                    }
                                }
                                td.number data-name=(at.say("取り込めなかった受注", "Refused")) { (count(store, "/refused").saturating_sub(count(store, "/needs-person"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}
