//! 受注受信詳細設定: how money that is not goods is taken in, when an order becomes a sale, and how it is paid.

use axum::{
    extract::{Query, RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Asked, trial};
use crate::console::{
    Console,
    access::AtShop,
    choices::{self, List},
    form::{self, Draft, Field, Kind, TRY, field, get},
    layout::{self, form_code},
    sent::Sent,
    show::{items, text},
};

/// Empty rows to type further payments into.
const SPARE: usize = 3;
const KINDS: &[(&str, &str, &str)] =
    &[("credit", "クレジット", "credit"), ("cash", "現金", "cash")];
const PAYMENTS: &str = "orders.payments";

fn money() -> Vec<Field> {
    vec![
        field(
            "orders.charge",
            Kind::Fee,
            ("手数料", "Charge"),
            (
                "未設定なら、手数料のある受注は取り込みません。取引明細なら、この商品コードの明細になります。",
                "Not set: an order with a charge is refused. Line: it becomes a line with this product code.",
            ),
        ),
        field(
            "orders.delivery",
            Kind::Fee,
            ("発送代", "Delivery"),
            (
                "未設定なら、発送代のある受注は取り込みません。",
                "Not set: an order with a delivery fee is refused.",
            ),
        ),
        field(
            "orders.other",
            Kind::Fee,
            ("他費用", "Other cost"),
            (
                "未設定なら、他費用のある受注は取り込みません。マイナスの金額(クーポンなど)は小計値引きになります。",
                "Not set: an order with other cost is refused. A negative amount (a coupon) becomes a discount of the subtotal.",
            ),
        ),
        field(
            "orders.points",
            Kind::Choice(&[
                ("unset", "未設定", "not set"),
                (
                    "subtotal-discount",
                    "小計値引き",
                    "discount of the subtotal",
                ),
            ]),
            ("ポイント数", "Points"),
            (
                "未設定なら、ポイントを使った受注は取り込みません。",
                "Not set: an order with points is refused.",
            ),
        ),
    ]
}

fn sales() -> Vec<Field> {
    vec![
        field(
            "orders.moment",
            Kind::Choice(&[
                ("shipped", "出荷確定済(50)", "shipped (50)"),
                (
                    "ready-to-ship",
                    "納品書印刷待ち以降(20〜50)",
                    "ready to ship, or later (20 to 50)",
                ),
                ("issued", "起票済以降(2〜50)", "issued, or later (2 to 50)"),
            ]),
            (
                "取り込む受注の状態",
                "State from which an order becomes a sale",
            ),
            (
                "出荷確定済なら、売上と在庫が両方で同じ日に動きます。",
                "With shipped, sale and stock move on the same day on both sides.",
            ),
        ),
        field(
            "orders.tax-rounding",
            Kind::Choice(&[
                ("down", "切り捨て", "down"),
                ("half-up", "四捨五入", "half up"),
                ("up", "切り上げ", "up"),
            ]),
            ("消費税の1円未満", "A fraction of a yen of tax"),
            ("", ""),
        ),
        field(
            "orders.default-payment",
            Kind::Choice(KINDS),
            (
                "下の表にない支払方法の扱い",
                "Payment methods that are not in the table",
            ),
            ("", ""),
        ),
    ]
}

/// Settings whose values are checked beside their inputs, payments included.
pub fn all() -> Vec<Field> {
    let rows = field(PAYMENTS, Kind::Text, ("", ""), ("", ""));
    [money(), sales(), vec![rows]].concat()
}

/// The page.
pub async fn show(at: AtShop, Query(asked): Query<Asked>) -> Result<Response, Response> {
    let draft = Draft::stored(&at).await?;
    let done = layout::done(&at.signed.visit, &asked.done);
    Ok(page(&at, draft, &done).await)
}

/// The form, with a message or the result of a trial above it.
async fn page(at: &AtShop, mut draft: Draft, above: &Markup) -> Response {
    let language = at.language();
    let methods = offer(at, &mut draft).await;
    let (draft, methods) = (&draft, &methods);
    let content = html! {
        (above)
        (form::summary(language, draft, &all()))
        form method="post" action=(at.address("details")) {
            (form_code(&at.signed.visit))
            section {
                h2 { (at.say("商品ではない金額", "Money that is not goods")) }
                p.hint { (at.say(
                    "手数料・発送代・他費用を取引明細にするには、それぞれをスマレジに商品として登録し、その商品コードを入力します。",
                    "To take charge, delivery and other cost in as lines, register each as a product in Smaregi and enter its product code.",
                )) }
                (form::inputs(language, draft, &money()))
            }
            section {
                h2 { (at.say("売上の計上", "Booking")) }
                (form::inputs(language, draft, &sales()))
                (payments(at, draft, methods))
            }
            div.row {
                button { (at.say("更新", "Save")) }
                (trial::button(at))
            }
        }
    };
    layout::shop_page(at, "details", &content)
}

/// Names of the products that are set, where to look others up, and the payment methods.
async fn offer(at: &AtShop, draft: &mut Draft) -> List {
    draft.look_up = at.address("details/products");
    for path in ["orders.charge", "orders.delivery", "orders.other"] {
        let code = text(get(&draft.settings, path), "/line").to_owned();
        if !code.is_empty() {
            let found = choices::products(at, &code).await;
            draft.offer(&[path], &found);
        }
    }
    choices::payment_methods(at).await
}

/// Products by what was typed so far, as choices of a field.
pub async fn products(at: AtShop, RawQuery(query): RawQuery) -> Response {
    let asked = Sent::parse(query.unwrap_or_default().as_bytes());
    let typed = asked.pairs().next().map_or("", |(_, typed)| typed.trim());
    let found = choices::products(&at, typed).await;
    layout::part(&form::options(&found.options))
}

fn payments(at: &AtShop, draft: &Draft, methods: &List) -> Markup {
    let rules = items(get(&draft.settings, PAYMENTS), "");
    let spare = vec![json!({ "method-id": "", "kind": "credit" }); SPARE];
    html! {
        fieldset {
            legend { (at.say("支払区分ごとの扱い", "By Next Engine's payment method")) }
            p.hint { (at.say("区分IDを空にした行は消えます。", "A row without an id is removed.")) }
            @if let Some(note) = &methods.note { p.hint { (note) } }
            datalist id="methods" { (form::options(&methods.options)) }
            @for (index, rule) in rules.iter().chain(&spare).enumerate() {
                (payment(at, draft, methods, index, rule))
            }
        }
    }
}

fn payment(at: &AtShop, draft: &Draft, methods: &List, index: usize, rule: &Value) -> Markup {
    let path = format!("{PAYMENTS}[{index}]");
    let problem = draft.problem(&path);
    html! {
        div.pair.wrong[problem.is_some()] {
            input type="text" name={ (path) ".method-id" } value=(text(rule, "/method-id")) autocomplete="off" list="methods"
                aria-label={ (at.say("支払区分ID", "Payment method id")) " " (index + 1) }
                placeholder=(at.say("支払区分ID", "payment method id"));
            select name={ (path) ".kind" } aria-label={ (at.say("扱い", "Booked as")) " " (index + 1) } {
                @for (word, ja, en) in KINDS {
                    option value=(word) selected[*word == text(rule, "/kind")] { (at.say(ja, en)) }
                }
            }
            @if let Some(name) = methods.name(text(rule, "/method-id")) { p.named { (name) } }
            @if let Some(problem) = &problem { p.problem { (problem) } }
        }
    }
}

/// Stores it, or tries it.
pub async fn save(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let mut draft = Draft::stored(&at).await?;
    draft.lay(&[money(), sales()].concat(), &sent, at.language());
    draft.set(PAYMENTS, typed_payments(&sent));
    if sent.has(TRY) {
        let tried = trial::of(&console, &at, &mut draft).await;
        return Ok(page(&at, draft, &tried).await);
    }
    if draft.put(&console, &at).await? {
        return Ok(Redirect::to(&at.address("details?done=saved")).into_response());
    }
    Ok(page(&at, draft, &html! {}).await)
}

fn typed_payments(sent: &Sent) -> Value {
    let rows = (0..).map(|index| format!("{PAYMENTS}[{index}]"));
    let rows = rows.take_while(|path| sent.has(&format!("{path}.kind")));
    let rules = rows.filter_map(|path| {
        let method = sent.given(&format!("{path}.method-id"))?;
        Some(json!({ "method-id": method, "kind": sent.text(&format!("{path}.kind")) }))
    });
    Value::Array(rules.collect())
}
