//! 受信店舗の追加・編集・削除: one row of 受注受信設定.

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::trial;
use crate::console::{
    Console,
    access::AtShop,
    choices,
    form::{self, Draft, Field, Kind, TRY, field},
    layout::{self, form_code},
    sent::Sent,
    show::{self, items, text},
};

const STORES: &str = "orders.receiving-stores";

/// Which row the address means.
#[derive(Deserialize)]
pub struct Which {
    /// ネクストエンジン店舗ID; empty for a new row.
    #[serde(default)]
    shop: String,
}

/// All of a row.
pub fn fields(index: usize) -> Vec<Field> {
    [usual(index), further(index)].concat()
}

fn usual(index: usize) -> Vec<Field> {
    let field = |name: &str, kind, label, hint| {
        field(&format!("{STORES}[{index}].{name}"), kind, label, hint)
    };
    vec![
        field(
            "store-id",
            Kind::Text,
            ("店舗(スマレジ)", "Store (Smaregi)"),
            (
                "売上を計上する店舗です。一覧から選ぶか、店舗IDを入力します。",
                "It books the sales. Choose from the list, or type its id.",
            ),
        ),
        field(
            "start-date",
            Kind::Date,
            ("取込開始日", "Import from"),
            (
                "これより前の受注は取り込みません(出荷日、未出荷なら受注日)。",
                "Earlier orders are never imported (by ship date, or order date where not shipped).",
            ),
        ),
        field(
            "shop-id",
            Kind::Text,
            ("ネクストエンジン店舗", "Next Engine shop"),
            (
                "一覧から選ぶか、店舗IDを入力します。",
                "Choose from the list, or type its id.",
            ),
        ),
        field(
            "shop-name",
            Kind::Text,
            ("ネクストエンジン店舗名", "Next Engine shop name"),
            (
                "空欄なら、ネクストエンジンの店舗名が入ります。",
                "Empty takes the name that Next Engine has.",
            ),
        ),
    ]
}

/// Those that most shops leave empty.
fn further(index: usize) -> Vec<Field> {
    let field = |name: &str, kind, label, hint| {
        field(&format!("{STORES}[{index}].{name}"), kind, label, hint)
    };
    vec![
        field(
            "source-store-id",
            Kind::Optional,
            ("在庫移動元店舗(スマレジ)", "Stock from (Smaregi store)"),
            (
                "倉庫などに在庫を集め、店舗自体に在庫を持たせないときだけ。",
                "Only where the goods lie in another store, such as a warehouse.",
            ),
        ),
        field(
            "terminal-id",
            Kind::Optional,
            ("スマレジの端末番号", "Terminal number in Smaregi"),
            (
                "空欄なら 900000 に店舗IDを足した番号になります。",
                "Empty: 900000 plus the shop id.",
            ),
        ),
    ]
}

/// The row's place in the settings; for a new one behind the last, where an empty row is put.
fn place(console: &Console, settings: &mut Value, shop: &str) -> Option<usize> {
    let stores = settings
        .pointer_mut("/orders/receiving-stores")?
        .as_array_mut()?;
    if !shop.is_empty() {
        return stores
            .iter()
            .position(|store| text(store, "/shop-id") == shop);
    }
    let today = show::day(&console.now().to_rfc3339()).unwrap_or_default();
    stores.push(json!({
        "store-id": "", "start-date": today, "shop-id": "", "shop-name": "",
        "source-store-id": null, "terminal-id": null,
    }));
    Some(stores.len() - 1)
}

/// The form.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(which): Query<Which>,
) -> Result<Response, Response> {
    let mut draft = Draft::stored(&at).await?;
    match place(&console, &mut draft.settings, &which.shop) {
        Some(index) => Ok(page(&at, draft, (index, &which.shop), &html! {}).await),
        None => Err(layout::not_found(&at.signed)),
    }
}

/// The form of a row, with the result of a trial above it.
async fn page(
    at: &AtShop,
    mut draft: Draft,
    (index, shop): (usize, &str),
    above: &Markup,
) -> Response {
    let language = at.language();
    let (stores, shops) = tokio::join!(choices::stores(at), choices::shops(at));
    let path = |name: &str| format!("{STORES}[{index}].{name}");
    draft.offer(&[&path("store-id"), &path("source-store-id")], &stores);
    draft.offer(&[&path("shop-id")], &shops);
    let draft = &draft;
    let content = html! {
        (above)
        section {
            h2 { @if shop.is_empty() { (at.say("受信店舗の追加", "Add a receiving store")) } @else { (at.say("受信店舗の編集", "Edit the receiving store")) } }
            (form::summary(language, draft, &fields(index)))
            form method="post" action=(at.address("orders/store")) {
                (form_code(&at.signed.visit))
                input type="hidden" name="shop" value=(shop);
                (form::inputs(language, draft, &fields(index)))
                div.row {
                    button { (at.say("更新", "Save")) }
                    (trial::button(at))
                }
            }
            p { a href=(at.address("orders")) { (at.say("一覧へ戻る", "Back to the list")) } }
            @if !shop.is_empty() {
                details {
                    summary { (at.say("この受信店舗を削除", "Remove this receiving store")) }
                    p.hint { (at.say("取り込んだ売上はそのまま残ります。", "Sales that were imported stay.")) }
                    form method="post" action=(at.address("orders/store/remove")) {
                        (form_code(&at.signed.visit))
                        button.danger name="shop" value=(shop) { (at.say("削除", "Remove")) }
                    }
                }
            }
        }
    };
    layout::shop_page(at, "orders", &content)
}

/// Stores it, or tries it.
pub async fn save(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let mut draft = Draft::stored(&at).await?;
    let shop = sent.text("shop").to_owned();
    let Some(index) = place(&console, &mut draft.settings, &shop) else {
        return Err(layout::not_found(&at.signed));
    };
    // The form names its fields by the place that the row had when it was shown; another row may have gone since.
    let sent = sent.renamed(STORES, index);
    draft.lay(&fields(index), &sent, at.language());
    name_from_list(&at, &mut draft, index).await;
    if sent.has(TRY) {
        let tried = trial::of(&console, &at, &mut draft).await;
        return Ok(page(&at, draft, (index, &shop), &tried).await);
    }
    if draft.put(&console, &at).await? {
        return Ok(Redirect::to(&at.address("orders?done=saved")).into_response());
    }
    Ok(page(&at, draft, (index, &shop), &html! {}).await)
}

/// A name that was not typed is the one that Next Engine has for the id.
async fn name_from_list(at: &AtShop, draft: &mut Draft, index: usize) {
    let path = |name: &str| format!("{STORES}[{index}].{name}");
    if !text(form::get(&draft.settings, &path("shop-name")), "").is_empty() {
        return;
    }
    let id = text(form::get(&draft.settings, &path("shop-id")), "").to_owned();
    if let Some(name) = choices::shops(at).await.name(&id) {
        draft.set(&path("shop-name"), json!(name));
    }
}

/// Removes it.
pub async fn remove(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let mut draft = Draft::stored(&at).await?;
    let left: Vec<Value> = items(&draft.settings, "/orders/receiving-stores")
        .iter()
        .filter(|store| text(store, "/shop-id") != sent.text("shop"))
        .cloned()
        .collect();
    draft.set(STORES, Value::Array(left));
    if draft.put(&console, &at).await? {
        return Ok(Redirect::to(&at.address("orders?done=removed")).into_response());
    }
    let content = form::summary(at.language(), &draft, &[]);
    Ok(layout::shop_page(&at, "orders", &content))
}
