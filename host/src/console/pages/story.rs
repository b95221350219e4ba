//! 経過: the whole story of one order or product in time order, from both ledgers, as the component tells it.

use axum::{extract::Query, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::{
    access::AtShop,
    layout::{self, Tone, message, told},
    show::{self, flag, items, text},
};

/// What is asked for.
#[derive(Deserialize)]
pub struct Asked {
    /// 伝票番号, 受注番号, 商品コード or 商品ID.
    #[serde(default)]
    key: String,
}

/// The page: a field to search, and the story of what it holds.
pub async fn show(at: AtShop, Query(asked): Query<Asked>) -> Response {
    let key = asked.key.trim();
    let content = html! {
        h2 { (at.say("受注・商品の経過", "Story of an order or product")) }
        form method="get" action=(at.address("story")) {
            div.field {
                label for="key" { (at.say("伝票番号・受注番号・商品コード・商品ID", "Slip, order number, product code or product id")) }
                input type="search" id="key" name="key" value=(key) autocomplete="off";
            }
            button { (at.say("調べる", "Search")) }
        }
        @if !key.is_empty() { (of(&at, key).await) }
    };
    layout::shop_page(&at, "overview", &content)
}

/// The story of a key, or why there is none.
pub async fn of(at: &AtShop, key: &str) -> Markup {
    match at.try_call("history.story", json!({ "key": key })).await {
        Ok(story) => events(at, &story),
        Err(error) => message(Tone::Plain, &told(at.language(), &error)),
    }
}

fn events(at: &AtShop, story: &Value) -> Markup {
    html! {
        @if flag(story, "/cut") { p.faint { (at.say("古い出来事は省いています。", "Older events are left out.")) } }
        ol.story {
            @for event in items(story, "/events") { (event_of(at, event)) }
        }
    }
}

fn event_of(at: &AtShop, event: &Value) -> Markup {
    let language = at.language();
    let step = text(event, "/step");
    let (class, name) = match step {
        "came-in" => ("plain", at.say("受け取り", "came in")),
        "decided" => ("plain", at.say("判断", "decided")),
        "intent" => ("plain", at.say("予定", "intended")),
        "sent" => ("plain", at.say("送信", "sent")),
        "settled" => ("good", at.say("完了", "done")),
        "refused" => ("bad", at.say("できず", "refused")),
        "needs-person" => ("warn", at.say("要確認", "needs a person")),
        _ => ("warn", at.say("待ち", "waits")),
    };
    let reason = event.get("reason").filter(|reason| !reason.is_null());
    html! {
        li {
            (show::moment(text(event, "/at"))) " " span.badge.(class) { (name) } " "
            (event.get("text").map(|text| language.text(text)).unwrap_or_default())
            @if let Some(reason) = reason { p { (language.reason(reason)) } }
            (ids(at, event.get("ids").unwrap_or(&Value::Null)))
        }
    }
}

/// What it concerns, where it is known.
fn ids(at: &AtShop, ids: &Value) -> Markup {
    let names = [
        ("/slip", at.say("伝票", "slip")),
        ("/transaction-id", at.say("取引", "transaction")),
        ("/store-id", at.say("店舗", "store")),
        ("/product-code", at.say("商品コード", "product code")),
        ("/product-id", at.say("商品ID", "product id")),
        ("/queue-id", at.say("キュー", "queue")),
    ];
    let quantity = text(ids, "/quantity");
    let amount = text(ids, "/amount");
    html! {
        p.faint {
            @for (field, name) in names {
                @if !text(ids, field).is_empty() { (name) " " (text(ids, field)) " " }
            }
            @if !quantity.is_empty() { (at.say("数量", "pieces")) " " (show::signed(quantity)) " " }
            @if !amount.is_empty() { (show::money(at.language(), amount)) }
        }
    }
}
