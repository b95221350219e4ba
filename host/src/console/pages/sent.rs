//! 送信履歴: what was sent to Next Engine, or not and why; sending again. The table is in `sent_table`.

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    filter::{self, Choice},
    sent_table::{self, OUTCOMES, TRIGGERS},
    within,
};
use crate::console::{
    Console,
    access::AtShop,
    audit::{self, Change},
    csv,
    histories::{self, Stretch},
    layout::{self, Tone, form_code, message, told},
    names::Names,
    sent::Sent,
};

/// Entries of one page.
const PAGE: usize = 50;
const FUNCTION: &str = "history.sent";

/// The contract's filter.
fn filter_of(asked: &Sent) -> Value {
    json!({
        "since": filter::since(asked), "before": filter::before(asked), "outcome": asked.given("outcome"),
        "trigger": asked.given("trigger"), "store-id": asked.given("store"), "product": asked.given("product"),
    })
}

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    page(&console, &at, &query.unwrap_or_default(), None).await
}

async fn page(
    console: &Console,
    at: &AtShop,
    query: &str,
    failure: Option<&str>,
) -> Result<Response, Response> {
    let asked = Sent::parse(query.as_bytes());
    let from = asked.given("from").map(str::to_owned);
    let found = match filter::outcome(&asked, &OUTCOMES) {
        Ok(()) => histories::read(at, FUNCTION, &filter_of(&asked), from, PAGE).await?,
        Err(()) => Stretch::default(),
    };
    let names = Names::of(console, at).await;
    let content = html! {
        (layout::done(&at.signed.visit, asked.text("done")))
        @if let Some(failure) = failure { (message(Tone::Bad, failure)) }
        (filters(at, &asked, &names))
        @if found.entries.is_empty() && found.continuation.is_none() {
            p.empty { @if filter::is_any(&asked) {
                (at.say("この条件に合う履歴はありません。条件を変えて絞り込んでください。", "Nothing passes this filter; change it."))
            } @else {
                (at.say("まだ何も送信していません。連携をオンにし、在庫送信設定で選んだ操作がスマレジで行われると、ここに並びます。", "Nothing was sent yet. Once the link is on, what happens in Smaregi is listed here as the stock settings say."))
            } }
        } @else if found.entries.is_empty() {
            (filter::none_yet(at))
        } @else {
            form method="post" action=(at.address("sent/resend")) {
                (form_code(&at.signed.visit))
                input type="hidden" name="back" value=(at.signed.visit.path);
                (sent_table::table(at, &found.entries, &names))
                div.row {
                    button name="which" value="chosen" { (at.say("選択したものを再送信", "Send the chosen again")) }
                    button.quiet name="which" value="all" { (at.say("失敗したものをすべて再送信", "Send all failed again")) }
                }
            }
        }
        (filter::next(at, "sent", &asked, found.continuation.as_deref()))
    };
    Ok(layout::shop_page(at, "sent", &content))
}

fn filters(at: &AtShop, asked: &Sent, names: &Names) -> Markup {
    let choices = [
        Choice {
            name: "outcome",
            label: at.say("結果", "Result"),
            words: &OUTCOMES,
        },
        Choice {
            name: "trigger",
            label: at.say("きっかけ", "Trigger"),
            words: &TRIGGERS,
        },
    ];
    let texts = [
        ("store", at.say("スマレジ店舗", "Smaregi store")),
        (
            "product",
            at.say("商品ID・商品コード", "Product id or code"),
        ),
    ];
    filter::form(at, "sent", asked, &choices, &texts, names)
}

/// Sends again: one, those that were chosen, or all that failed.
pub async fn resend(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let choices: Vec<Value> = match (sent.given("one"), sent.text("which")) {
        (Some(one), _) => vec![json!({ "entry": one })],
        (None, "all") => vec![json!({ "all-failed": true })],
        _ => sent
            .all("entry")
            .iter()
            .map(|id| json!({ "entry": id }))
            .collect(),
    };
    let mut released = 0;
    for choice in &choices {
        match at
            .try_call("stock.resend", json!({ "choice": choice }))
            .await
        {
            Ok(number) => released += number.as_u64().unwrap_or_default(),
            Err(error) => {
                let failure = told(at.language(), &error);
                return page(&console, &at, "", Some(&failure)).await;
            }
        }
    }
    let what = vec![Change::of("products", &released.to_string())];
    audit::note(&console, &at.signed, Some(at.shop()), "resent", what).await?;
    let word = if released > 0 { "resent" } else { "nothing" };
    Ok(Redirect::to(&filter::with_done(within(sent.text("back")), word)).into_response())
}

/// The same entries as a file for spreadsheets, however many.
pub async fn export(at: AtShop, RawQuery(query): RawQuery) -> Response {
    let asked = Sent::parse(query.unwrap_or_default().as_bytes());
    let head = sent_table::head(at.language());
    let language = at.language();
    let rows = csv::stream(at, FUNCTION, filter_of(&asked), head, move |entry| {
        sent_table::record(language, entry)
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tsunagi-sent.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(rows)).into_response()
}
