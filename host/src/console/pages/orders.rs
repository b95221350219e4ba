//! 受注受信設定: which Next Engine shop's orders become sales of which Smaregi store, since when, and 手動取込.

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::Asked;
use crate::console::{
    Console,
    access::AtShop,
    audit::{self, Change},
    form::Draft,
    jobs::Order,
    layout::{self, form_code},
    names::Names,
    progress,
    sent::Sent,
    show::{self, count, items, text},
};

/// The page's name in addresses and among the jobs.
pub const PAGE: &str = "orders";

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let draft = Draft::stored(&at).await?;
    let states = at.call("orders.stores", json!({})).await?;
    let names = Names::of(&console, &at).await;
    let content = html! {
        (layout::done(&at.signed.visit, &asked.done))
        (progress::panel(&console, &at, PAGE))
        section id=(progress::OUTCOME) {
            h2 { (at.say("受信店舗", "Receiving stores")) }
            (table(&at, items(&draft.settings, "/orders/receiving-stores"), &states, &names))
            p { a.button href=(at.address("orders/store")) { (at.say("受信店舗の追加", "Add a receiving store")) } }
        }
        p { a href=(at.address("details")) { (at.say("手数料・発送代・ポイントなどの設定へ", "Fees, delivery, points and more")) } }
        p { a href=(at.address("received")) { (at.say("ネクストエンジン受信履歴一覧", "What was received from Next Engine")) } }
    };
    Ok(layout::shop_page(&at, PAGE, &content))
}

fn table(at: &AtShop, stores: &[Value], states: &Value, names: &Names) -> Markup {
    if stores.is_empty() {
        return html! {
            p.empty { (at.say(
                "受信店舗がまだありません。「受信店舗の追加」で、ネクストエンジンの店舗とスマレジの店舗の組を登録すると、ここに並びます。",
                "There is no receiving store yet. Add one: a Next Engine shop with the Smaregi store that books its sales.",
            )) }
        };
    }
    html! {
        div.scroll tabindex="0" {
            table.rows {
                thead { tr {
                    th scope="col" { (at.say("ネクストエンジン店舗", "Next Engine shop")) }
                    th scope="col" { (at.say("スマレジ店舗", "Smaregi store")) }
                    th scope="col" { (at.say("取込開始日", "From")) }
                    th scope="col" { (at.say("在庫移動元", "Stock from")) }
                    th scope="col" { (at.say("最終取込日時", "Last import")) }
                    th.number scope="col" { (at.say("取り込めず", "Refused")) }
                    th scope="col" { span.hidden { (at.say("操作", "Actions")) } }
                } }
                tbody { @for store in stores { (row(at, store, states, names)) } }
            }
        }
    }
}

fn row(at: &AtShop, store: &Value, states: &Value, names: &Names) -> Markup {
    let shop = text(store, "/shop-id");
    let state = items(states, "")
        .iter()
        .find(|state| text(state, "/shop-id") == shop);
    let last = state.map_or("", |state| text(state, "/last-imported-at"));
    let refused = state.map_or(0, |state| count(state, "/refused"));
    html! {
        tr {
            td data-name=(at.say("ネクストエンジン店舗", "Next Engine shop")) { (text(store, "/shop-name")) " (" (shop) ")" }
            td data-name=(at.say("スマレジ店舗", "Smaregi store")) { (names.store(text(store, "/store-id"))) }
            td data-name=(at.say("取込開始日", "From")) { span.day { (text(store, "/start-date")) } }
            td data-name=(at.say("在庫移動元", "Stock from")) { (names.store(text(store, "/source-store-id"))) }
            td data-name=(at.say("最終取込日時", "Last import")) { @if last.is_empty() { (at.say("まだ", "not yet")) } @else { (show::moment(last)) } }
            td.number data-name=(at.say("取り込めず", "Refused")) { @if refused > 0 { a href=(at.address("received?outcome=refused")) { (refused) } } @else { "0" } }
            td {
                div.row {
                    a.button.quiet href={ (at.address("orders/store")) "?shop=" (encoded(shop)) } { (at.say("編集", "Edit")) }
                    form method="post" action=(at.address("orders/import")) {
                        (form_code(&at.signed.visit))
                        button name="shop-id" value=(shop) { (at.say("手動取込", "Import now")) }
                    }
                }
            }
        }
    }
}

/// For an address.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// 手動取込.
pub async fn import(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let shop = sent.text("shop-id").to_owned();
    let names = Names::of(&console, &at).await;
    let order = Order {
        word: "import",
        subject: names.shop(&shop).to_owned(),
        steps: vec![("orders.import-shop", json!({ "shop-id": shop }))],
        sliced: true,
    };
    if console
        .jobs
        .begin(&at.served.tenant, PAGE, order, console.now())
    {
        let what = vec![Change::of("shop-id", &shop)];
        audit::note(&console, &at.signed, Some(at.shop()), "import", what).await?;
    }
    Ok(Redirect::to(&at.address("orders#job")).into_response())
}

/// Stops it.
pub async fn stop(State(console): State<Console>, at: AtShop, _sent: Sent) -> Redirect {
    console.jobs.stop(at.shop(), PAGE);
    Redirect::to(&at.address("orders#job"))
}

/// Its events.
pub async fn events(State(console): State<Console>, at: AtShop) -> impl IntoResponse {
    progress::events(&console, at, PAGE)
}
