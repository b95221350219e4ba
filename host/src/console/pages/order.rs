//! One order: what it is at Next Engine on the left, the transaction that it is or would be on the right, the sum with its numbers,
//! and everything that happened to it.

use axum::{
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::story;
use crate::console::{
    Console,
    access::AtShop,
    histories,
    layout::{self, Tone, form_code, message, told},
    names::Names,
    show::{self, flag, items, text},
};

/// Entries of one order that are shown.
const MOST: usize = 100;

/// Which order.
#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    slip: String,
}

/// The page. Asks Next Engine once; where that fails the history is shown all the same.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(which): Query<Which>,
) -> Result<Response, Response> {
    let slip = which.slip.trim();
    let filter = json!({ "slip": slip });
    let choice = json!({ "choice": { "slip": slip } });
    let (found, previewed, names, story) = tokio::join!(
        histories::read(&at, "history.received", &filter, None, MOST),
        at.try_call("orders.preview", choice),
        Names::of(&console, &at),
        story::of(&at, slip),
    );
    let found = found?;
    let content = html! {
        h2 { (at.say("伝票", "Slip")) " " (slip) }
        @match &previewed {
            Ok(previews) => @for preview in items(previews, "") { (mapping(&at, preview, &names)) },
            Err(error) => (message(Tone::Warn, &told(at.language(), error))),
        }
        section {
            h2 { (at.say("この受注に起きたこと", "What happened to this order")) }
            (story)
            @if found.entries.iter().any(|entry| flag(entry, "/open")) {
                form method="post" action=(at.address("received/retry")) {
                    (form_code(&at.signed.visit))
                    button name="one" value=(slip) { (at.say("再取込", "Take it in again")) }
                }
            }
        }
        p { a href=(at.address("received")) { (at.say("受信履歴へ戻る", "Back to the list")) } }
    };
    Ok(layout::shop_page(&at, "received", &content))
}

fn mapping(at: &AtShop, preview: &Value, names: &Names) -> Markup {
    let reason = |field: &str| {
        let reason = preview.get(field).filter(|reason| !reason.is_null());
        reason.map(|reason| at.language().reason(reason))
    };
    let total = show::money(at.language(), text(preview, "/order-total"));
    html! {
        div.sides {
            section {
                h2 { (at.say("ネクストエンジンの受注", "Order at Next Engine")) }
                dl.terms {
                    (term(at.say("受注番号", "Order number"), text(preview, "/order-number")))
                    (term(at.say("ネクストエンジン店舗", "Shop"), names.shop(text(preview, "/shop-id"))))
                    @if preview.pointer("/parts/lines").is_none() { (term(at.say("総合計", "Total"), &total)) }
                }
                @if let Some(parts) = preview.get("parts").filter(|parts| !parts.is_null()) {
                    (ordered(at, items(parts, "/lines")))
                    (order_sum(at, parts, &total))
                }
            }
            section {
                h2 { (at.say("スマレジの取引", "Transaction at Smaregi")) }
                @if let Some(refusal) = reason("refusal") { (message(Tone::Bad, &refusal)) }
                @if let Some(skipped) = reason("skipped") { (message(Tone::Plain, &skipped)) }
                @if let Some(sale) = preview.get("sale").filter(|sale| !sale.is_null()) { (transaction(at, preview, sale, names)) }
            }
        }
    }
}

/// What was ordered.
fn ordered(at: &AtShop, lines: &[Value]) -> Markup {
    let money = |line, field: &str| show::money(at.language(), text(line, field));
    let [code, name, price, pieces, amount] = [
        at.say("商品コード", "Product code"),
        at.say("商品名", "Name"),
        at.say("単価", "Price"),
        at.say("数量", "Pieces"),
        at.say("小計", "Amount"),
    ];
    html! {
        div.scroll tabindex="0" {
            table.rows {
                thead { tr {
                    @for (index, column) in [code, name, price, pieces, amount].iter().enumerate() { th.number[index > 1] scope="col" { (column) } }
                } }
                tbody {
                    @for line in lines {
                        tr {
                            td.code data-name=(code) { (text(line, "/product-code")) }
                            td.name data-name=(name) {
                                (text(line, "/name"))
                                @if flag(line, "/cancelled") { " " span.badge.plain { (at.say("取消", "cancelled")) } }
                            }
                            td.number data-name=(price) { (money(line, "/unit-price")) }
                            td.number data-name=(pieces) { (show::number(text(line, "/quantity"))) }
                            td.number data-name=(amount) { (money(line, "/amount")) }
                        }
                    }
                }
            }
        }
    }
}

/// 商品計 + 税金 + 手数料 + 発送代 + 他費用 − ポイント数 = 総合計; parts that are zero are left out.
fn order_sum(at: &AtShop, parts: &Value, total: &str) -> Markup {
    let named = [
        ("/tax", at.say("税金", "tax"), " + "),
        ("/charge", at.say("手数料", "charge"), " + "),
        ("/delivery", at.say("発送代", "delivery"), " + "),
        ("/other", at.say("他費用", "other cost"), " + "),
        ("/points", at.say("ポイント数", "points"), " − "),
    ];
    let set = named
        .into_iter()
        .filter(|(field, ..)| !matches!(text(parts, field), "" | "0"));
    let money = |field: &str| show::money(at.language(), text(parts, field));
    html! {
        p.formula {
            span.part { span.faint { (at.say("商品計", "goods")) } " " (money("/goods")) }
            @for (field, name, sign) in set { (sign) span.part { span.faint { (name) } " " (money(field)) } }
            " = " strong { span.part { span.faint { (at.say("総合計", "total")) } " " (total) } }
        }
    }
}

fn term(name: &str, value: &str) -> Markup {
    html! { @if !value.is_empty() { dt { (name) } dd { (value) } } }
}

fn transaction(at: &AtShop, preview: &Value, sale: &Value, names: &Names) -> Markup {
    let id = text(preview, "/transaction-id");
    html! {
        dl.terms {
            @if id.is_empty() { dt { (at.say("取引ID", "Transaction")) } dd { (at.say("未登録(この内容で登録されます)", "not registered (it would become this)")) } }
            @else { (term(at.say("取引ID", "Transaction"), id)) }
            (term(at.say("店舗", "Store"), names.store(text(sale, "/store-id"))))
            (term(at.say("在庫移動元", "Stock from"), names.store(text(sale, "/source-store-id"))))
            (term(at.say("端末番号", "Terminal"), text(sale, "/terminal-id")))
            (term(at.say("締め日", "Day of the sales"), text(sale, "/sold-on")))
        }
        div.scroll tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { (at.say("商品コード", "Product code")) }
                    th scope="col" { (at.say("商品名", "Name")) }
                    th.number scope="col" { (at.say("単価", "Price")) }
                    th.number scope="col" { (at.say("数量", "Pieces")) }
                    th.number scope="col" { (at.say("金額", "Amount")) }
                    th.number scope="col" { (at.say("税率", "Tax")) }
                } }
                tbody { @for line in items(sale, "/lines") { (sale_line(at, line)) } }
            }
        }
        (formula(at, sale))
    }
}

fn sale_line(at: &AtShop, line: &Value) -> Markup {
    let money = |field: &str| show::money(at.language(), text(line, field));
    html! {
        tr {
            td { (text(line, "/product-code")) }
            td { (text(line, "/name")) }
            td.number { (money("/unit-price")) }
            td.number { (show::number(text(line, "/quantity"))) }
            td.number { (money("/amount")) }
            td.number { (text(line, "/tax-rate")) "%" }
        }
    }
}

/// 小計 − 値引き + 外税 = 合計, with the numbers.
fn formula(at: &AtShop, sale: &Value) -> Markup {
    let part = |name: &str, field: &str| {
        let money = show::money(at.language(), text(sale, field));
        html! { span.part { span.faint { (name) } " " (money) } }
    };
    html! {
        p.formula {
            (part(at.say("小計", "subtotal"), "/subtotal")) " − "
            (part(at.say("小計値引き", "discount"), "/discount")) " + "
            (part(at.say("外税", "tax added"), "/tax-added")) " = "
            strong { (part(at.say("合計", "total"), "/total")) }
        }
        p.faint { (at.say("うち内税", "tax within")) " " (show::money(at.language(), text(sale, "/tax-included"))) }
    }
}
