//! 在庫送信設定: which operations in Smaregi are sent, of which stores, by which codes, and the guard before a mass change.

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::Asked;
use crate::console::{
    Console,
    access::AtShop,
    choices,
    form::{self, Draft, Field, Kind, field},
    layout::{self, form_code},
    sent::Sent,
};

/// The eight triggers, with what the help page says of each.
const TRIGGERS: [(&str, &str, &str, &str, &str); 8] = [
    (
        "correction",
        "修正時に送信",
        "Corrections",
        "スマレジ管理画面から在庫を修正したとき",
        "Stock was corrected in Smaregi's back office",
    ),
    (
        "sale",
        "売上時に送信",
        "Sales",
        "スマレジ・アプリで販売またはキャンセルをしたとき",
        "A sale at the till, or its cancellation",
    ),
    (
        "purchase",
        "仕入時に送信",
        "Purchases",
        "スマレジ管理画面から入荷検品・登録をしたとき",
        "An arrival was inspected or registered in the back office",
    ),
    (
        "shipment",
        "出荷時に送信",
        "Shipments",
        "スマレジ・アプリで出荷登録をしたとき",
        "A shipment was registered at the till",
    ),
    (
        "receipt",
        "入庫時に送信",
        "Receipts",
        "スマレジ管理画面から入庫検品・登録をしたとき",
        "A transfer into a store was inspected or registered",
    ),
    (
        "issue",
        "出庫時に送信",
        "Issues",
        "スマレジ・アプリで出庫登録をしたとき",
        "A transfer out of a store was registered at the till",
    ),
    (
        "stocktake",
        "棚卸時に送信",
        "Stocktakes",
        "スマレジ管理画面から棚卸を実施したとき",
        "A stocktake was carried out in the back office",
    ),
    (
        "loss",
        "ロス時に送信",
        "Losses",
        "スマレジ管理画面からロスを登録したとき",
        "A loss was registered in the back office",
    ),
];

fn triggers() -> Vec<Field> {
    let each = TRIGGERS.map(|(name, ja, en, what, what_en)| {
        field(
            &format!("stock.triggers.{name}"),
            Kind::Flag,
            (ja, en),
            (what, what_en),
        )
    });
    each.to_vec()
}

fn stores() -> Vec<Field> {
    vec![field(
        "stock.stores",
        Kind::List,
        ("対象店舗", "Target stores"),
        (
            "ひとつも選ばなければ何も送りません。IDを入力するときはカンマで区切ります。あとから加えた店舗は、加えた時点からの変動が送られます。",
            "None sends nothing. Typed ids have commas between. A store added later takes part from then on.",
        ),
    )]
}

fn codes() -> Vec<Field> {
    vec![
        field(
            "stock.codes.basis",
            Kind::Choice(&[
                (
                    "product-code",
                    "スマレジの商品コード",
                    "Smaregi's product code",
                ),
                ("product-id", "スマレジの商品ID", "Smaregi's product id"),
            ]),
            (
                "ネクストエンジンの商品コードになるもの",
                "What Next Engine's product code is",
            ),
            (
                "大文字・小文字も区別して一致させます。",
                "Compared to the letter, case included.",
            ),
        ),
        field(
            "stock.codes.prefix",
            Kind::Text,
            ("前に付ける文字", "Prefix"),
            (
                "ネクストエンジンの商品コードが「この文字+スマレジの値」のときだけ入力します。",
                "Only where Next Engine's code is this followed by Smaregi's value.",
            ),
        ),
        field(
            "stock.codes.pairs",
            Kind::Pairs,
            ("例外の対応", "Exceptions"),
            (
                "1行に1組:ネクストエンジンの商品コード,スマレジの値",
                "One pair a line: Next Engine's code, comma, Smaregi's value.",
            ),
        ),
    ]
}

fn guard() -> Vec<Field> {
    vec![
        field(
            "stock.guard.products-to-zero",
            Kind::Number,
            (
                "一度に0になってよい商品数",
                "Products that one alignment may bring to zero",
            ),
            (
                "在庫合わせがこれを超えるときは、人の確認を待ちます。",
                "Beyond this, an alignment waits for a person.",
            ),
        ),
        field(
            "stock.guard.moved-percent",
            Kind::Number,
            (
                "一度に動いてよい商品の割合(%)",
                "Share of products that one alignment may move (percent)",
            ),
            ("", ""),
        ),
    ]
}

/// All of the form.
pub fn all() -> Vec<Field> {
    [triggers(), stores(), codes(), guard()].concat()
}

/// The page.
pub async fn show(at: AtShop, Query(asked): Query<Asked>) -> Result<Response, Response> {
    let draft = Draft::stored(&at).await?;
    Ok(page(&at, draft, &asked.done).await)
}

async fn page(at: &AtShop, mut draft: Draft, done: &str) -> Response {
    let language = at.language();
    draft.offer(&["stock.stores"], &choices::stores(at).await);
    let draft = &draft;
    let part = |title: &str, fields: &[Field]| -> Markup {
        html! { section { h2 { (title) } (form::inputs(language, draft, fields)) } }
    };
    let content = html! {
        (layout::done(&at.signed.visit, done))
        (form::summary(language, draft, &all()))
        form method="post" action=(at.address("stock")) {
            (form_code(&at.signed.visit))
            (part(at.say("ネクストエンジンへ送信する操作", "What is sent to Next Engine"), &triggers()))
            (part(at.say("店舗設定", "Stores"), &stores()))
            (part(at.say("商品コードの対応", "Product codes"), &codes()))
            (part(at.say("大量変更の確認", "Guard against mass changes"), &guard()))
            button { (at.say("更新", "Save")) }
        }
        p { a href=(at.address("sent")) { (at.say("ネクストエンジン送信履歴一覧", "What was sent to Next Engine")) } }
    };
    layout::shop_page(at, "stock", &content)
}

/// Stores it.
pub async fn save(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let mut draft = Draft::stored(&at).await?;
    draft.lay(&all(), &sent, at.language());
    if draft.put(&console, &at).await? {
        return Ok(Redirect::to(&at.address("stock?done=saved")).into_response());
    }
    Ok(page(&at, draft, "").await)
}
