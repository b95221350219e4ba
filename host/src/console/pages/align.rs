//! 在庫合わせ: first what would be sent, then, once a person said so, the sending; beyond the guard's limits only with a second word.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::console::{
    Console,
    access::AtShop,
    audit::{self, Change},
    jobs::{End, Order},
    layout::{self, Tone, form_code, message},
    progress,
    sent::Sent,
    show::{self, flag, items, text},
};

/// The page's name in addresses and among the jobs.
const PAGE: &str = "align";

/// The page.
pub async fn show(State(console): State<Console>, at: AtShop) -> Response {
    let state = console.jobs.state(at.shop(), PAGE);
    let done = state.filter(|state| matches!(state.end, Some(End::Done)));
    let content = html! {
        h2 { (at.say("在庫合わせ", "Alignment")) }
        (progress::panel(&console, &at, PAGE))
        div id=(progress::OUTCOME) { @match &done {
            None => p.empty { (at.say("在庫照合で商品を選んで「合わせる」を押すと、送る内容がここに出ます。送る前に必ず確認があります。", "Choose products on the comparison page: what would be sent is shown here first.")) },
            Some(state) => (outcome(&at, &state.result, &state.subject)),
        } }
        p { a href=(at.address("compare")) { (at.say("在庫照合へ", "To the comparison")) } }
    };
    layout::shop_page(&at, "compare", &content)
}

fn outcome(at: &AtShop, alignment: &Value, codes: &str) -> Markup {
    let language = at.language();
    let lines = items(alignment, "/lines");
    let guard = alignment.get("guard").filter(|guard| !guard.is_null());
    let is_queued = flag(alignment, "/queued");
    html! {
        @if is_queued {
            (message(Tone::Good, at.say("送信待ちに入れました。次の送信でネクストエンジンへ送られます。", "Queued: it goes to Next Engine with the next sending.")))
        }
        @if let Some(guard) = guard { (message(Tone::Warn, &language.reason(guard))) }
        @if lines.is_empty() { p.empty { (at.say("合わせるものはありません。", "There is nothing to align.")) } }
        @else { (table(at, lines)) }
        (left_out(at, items(alignment, "/left-out")))
        @if !is_queued && !lines.is_empty() {
            form method="post" action=(at.address("align/confirm")) {
                (form_code(&at.signed.visit))
                input type="hidden" name="codes" value=(codes);
                @if guard.is_some() {
                    div.flag {
                        input type="checkbox" id="over-guard" name="over-guard" value="true";
                        label for="over-guard" { (at.say("大量の変更であることを確認しました", "I know that this is a mass change")) }
                    }
                }
                p.hint { (at.say("送る前にもう一度照合し、その間に動いた商品は除きます。", "Both sides are compared once more first, and what moved meanwhile is left out.")) }
                button { (at.say("この内容で送る", "Send this")) }
            }
        }
    }
}

fn table(at: &AtShop, lines: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { (at.say("商品コード", "Product code")) }
                    th.number scope="col" { (at.say("ネクストエンジンの在庫を動かす数", "Change at Next Engine")) }
                } }
                tbody {
                    @for line in lines {
                        tr { td { (text(line, "/code")) } td.number { (show::signed(text(line, "/quantity"))) } }
                    }
                }
            }
        }
    }
}

fn left_out(at: &AtShop, lines: &[Value]) -> Markup {
    html! {
        @if !lines.is_empty() {
            details {
                summary { (at.say("今回は合わせない商品", "Products left alone for now")) " (" (lines.len()) ")" }
                ul {
                    @for line in lines {
                        li { (text(line, "/code")) ": " (line.get("reason").map(|reason| at.language().reason(reason)).unwrap_or_default()) }
                    }
                }
            }
        }
    }
}

/// Codes that were chosen, one a line; none means all.
fn begin(
    console: &Console,
    at: &AtShop,
    codes: &[String],
    confirmed: bool,
    over_guard: bool,
) -> bool {
    let arguments = json!({ "codes": codes, "confirmed": confirmed, "over-guard": over_guard });
    let order = Order {
        word: "align",
        subject: codes.join("\n"),
        steps: vec![("stock.align", arguments)],
        sliced: false,
    };
    console
        .jobs
        .begin(&at.served.tenant, PAGE, order, console.now())
}

/// Shows what would be sent.
pub async fn preview(State(console): State<Console>, at: AtShop, sent: Sent) -> Redirect {
    let codes = if sent.text("which") == "all" {
        &[]
    } else {
        sent.all("code")
    };
    if codes.is_empty() && sent.text("which") != "all" {
        return Redirect::to(&at.address("compare?done=nothing"));
    }
    begin(&console, &at, codes, false, false);
    Redirect::to(&at.address(PAGE))
}

/// Sends it.
pub async fn confirm(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let codes = sent.raw("codes").lines().filter(|code| !code.is_empty());
    let codes: Vec<String> = codes.map(str::to_owned).collect();
    let over_guard = sent.text("over-guard") == "true";
    if begin(&console, &at, &codes, true, over_guard) {
        let what = if codes.is_empty() {
            "all".to_owned()
        } else {
            codes.join(", ")
        };
        let what = vec![
            Change::of("codes", &what),
            Change::of("over-guard", if over_guard { "true" } else { "false" }),
        ];
        audit::note(&console, &at.signed, Some(at.shop()), "aligned", what).await?;
    }
    Ok(Redirect::to(&at.address(PAGE)).into_response())
}

/// Its events.
pub async fn events(State(console): State<Console>, at: AtShop) -> impl IntoResponse {
    progress::events(&console, at, PAGE)
}
