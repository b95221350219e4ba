//! 受信履歴: what became of orders, why some were refused, and taking those in again. One order is in `order`.

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
    orders::encoded,
    sent_table::word,
};
use crate::console::{
    Console,
    access::AtShop,
    audit::{self, Change},
    csv,
    histories::{self, Stretch},
    jobs::Order,
    language::Language,
    layout::{self, form_code},
    names::Names,
    progress,
    sent::Sent,
    show::{self, flag, text},
};

/// The page's name in addresses and among the jobs.
const PAGE: &str = "received";
/// Entries of one page.
const ENTRIES: usize = 50;
const FUNCTION: &str = "history.received";

/// The contract's outcomes.
const OUTCOMES: [(&str, &str, &str); 4] = [
    ("registered", "登録", "registered"),
    ("undone", "取消", "undone"),
    ("refused", "取り込めず", "refused"),
    ("needs-person", "要確認", "needs a person"),
];

fn filter_of(asked: &Sent) -> Value {
    json!({
        "since": filter::since(asked), "before": filter::before(asked), "outcome": asked.given("outcome"),
        "shop-id": asked.given("shop"), "slip": asked.given("slip"),
    })
}

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let asked = Sent::parse(query.unwrap_or_default().as_bytes());
    let from = asked.given("from").map(str::to_owned);
    let found = match filter::outcome(&asked, &OUTCOMES) {
        Ok(()) => histories::read(&at, FUNCTION, &filter_of(&asked), from, ENTRIES).await?,
        Err(()) => Stretch::default(),
    };
    let names = Names::of(&console, &at).await;
    let content = html! {
        (layout::done(&at.signed.visit, asked.text("done")))
        (progress::panel(&console, &at, PAGE))
        (filters(&at, &asked, &names))
        @if found.entries.is_empty() && found.continuation.is_none() {
            p.empty { @if filter::is_any(&asked) {
                (at.say("この条件に合う履歴はありません。条件を変えて絞り込んでください。", "Nothing passes this filter; change it."))
            } @else {
                (at.say("まだ何も受信していません。受信店舗を登録して連携をオンにすると、取り込んだ受注がここに並びます。", "Nothing was received yet. Once there is a receiving store and the link is on, orders are listed here."))
            } }
        } @else if found.entries.is_empty() {
            (filter::none_yet(&at))
        } @else {
            form method="post" action=(at.address("received/retry")) {
                (form_code(&at.signed.visit))
                (table(&at, &found.entries, &names))
                div.row {
                    button name="which" value="chosen" { (at.say("選択したものを再取込", "Take the chosen in again")) }
                    button.quiet name="which" value="all" { (at.say("取り込めなかったものをすべて再取込", "Take all refused in again")) }
                }
            }
        }
        (filter::next(&at, PAGE, &asked, found.continuation.as_deref()))
    };
    Ok(layout::shop_page(&at, PAGE, &content))
}

fn filters(at: &AtShop, asked: &Sent, names: &Names) -> Markup {
    let choices = [Choice {
        name: "outcome",
        label: at.say("結果", "Result"),
        words: &OUTCOMES,
    }];
    let texts = [
        ("shop", at.say("ネクストエンジン店舗", "Next Engine shop")),
        ("slip", at.say("伝票番号", "Slip")),
    ];
    filter::form(at, PAGE, asked, &choices, &texts, names)
}

/// The table; narrow windows as in the send history.
fn table(at: &AtShop, entries: &[Value], called: &Names) -> Markup {
    let names = names(at);
    html! {
        div.scroll tabindex="0" {
            table.rows {
                (layout::history_head(&at.signed.visit, &names, &[4]))
                tbody { @for entry in entries { (row(at, entry, called)) } }
            }
        }
    }
}

fn names(at: &AtShop) -> [&'static str; 6] {
    match at.language() {
        Language::Ja => [
            "日時",
            "結果",
            "伝票番号・受注番号",
            "店舗(ネクストエンジン→スマレジ)",
            "金額",
            "取引ID",
        ],
        Language::En => [
            "Time",
            "Result",
            "Slip, order number",
            "Shop → store",
            "Amount",
            "Transaction",
        ],
    }
}

fn row(at: &AtShop, entry: &Value, called: &Names) -> Markup {
    let language = at.language();
    let why = reason(language, entry);
    let (slip, outcome) = (text(entry, "/slip"), text(entry, "/outcome"));
    let open = flag(entry, "/open");
    let class = match outcome {
        "registered" => "good",
        "refused" if open => "bad",
        "needs-person" => "warn",
        _ => "plain",
    };
    let [time, result, order, shop, amount, transaction] = names(at);
    html! {
        tr.with-why[!why.is_empty()] {
            td { @if open { input type="checkbox" name="slip" value=(slip) aria-label=(format!("{} {slip}", at.say("選択", "choose"))); } }
            td data-name=(time) { (show::moment(text(entry, "/at"))) }
            td data-name=(result) { span.badge.(class) { (word(language, &OUTCOMES, outcome)) } }
            td data-name=(order) { a href={ (at.address("received/order")) "?slip=" (encoded(slip)) } { (slip) } " " span.faint { (text(entry, "/order-number")) } }
            td data-name=(shop) { (called.shop(text(entry, "/shop-id"))) " → " (called.store(text(entry, "/store-id"))) }
            td.number data-name=(amount) { (show::money(language, text(entry, "/amount"))) }
            td data-name=(transaction) { (text(entry, "/transaction-id")) }
            td { @if open { button.quiet name="one" value=(slip) { (at.say("再取込", "Again")) } } }
        }
        @if !why.is_empty() {
            tr.why { td {} td colspan="7" { (why) } }
        }
    }
}

fn reason(language: Language, entry: &Value) -> String {
    let reason = entry.get("reason").filter(|reason| !reason.is_null());
    reason.map_or_else(String::new, |reason| language.reason(reason))
}

fn head(language: Language) -> [&'static str; 10] {
    match language {
        Language::Ja => [
            "日時",
            "結果",
            "伝票番号",
            "受注番号",
            "店舗ID(NE)",
            "店舗ID(スマレジ)",
            "金額",
            "取引ID",
            "再取込待ち",
            "理由",
        ],
        Language::En => [
            "Time",
            "Result",
            "Slip",
            "Order number",
            "Shop",
            "Store",
            "Amount",
            "Transaction",
            "Open",
            "Reason",
        ],
    }
}

fn record(language: Language, entry: &Value) -> Vec<String> {
    let plain = |field: &str| text(entry, field).to_owned();
    let open = if flag(entry, "/open") {
        language.of("はい", "yes")
    } else {
        ""
    };
    vec![
        show::moment_text(text(entry, "/at")),
        word(language, &OUTCOMES, text(entry, "/outcome")),
        plain("/slip"),
        plain("/order-number"),
        plain("/shop-id"),
        plain("/store-id"),
        plain("/amount"),
        plain("/transaction-id"),
        open.to_owned(),
        reason(language, entry),
    ]
}

/// Takes in again: one, those that were chosen, or all that were refused; in the background, for an import follows.
pub async fn retry(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let choices: Vec<Value> = match (sent.given("one"), sent.text("which")) {
        (Some(one), _) => vec![json!({ "slip": one })],
        (None, "all") => vec![json!({ "all-refused": true })],
        _ => {
            let slips = sent.all("slip").iter();
            slips.map(|slip| json!({ "slip": slip })).collect()
        }
    };
    if choices.is_empty() {
        let address = at.address("received?done=nothing");
        return Ok(Redirect::to(&address).into_response());
    }
    let what = choices
        .iter()
        .map(|choice| Change::of("retry", &choice.to_string()));
    let what: Vec<Change> = what.collect();
    let steps = choices.into_iter();
    let steps = steps.map(|choice| ("orders.retry", json!({ "choice": choice })));
    let order = Order {
        word: "retry",
        subject: String::new(),
        steps: steps.collect(),
        sliced: true,
    };
    if console
        .jobs
        .begin(&at.served.tenant, PAGE, order, console.now())
    {
        audit::note(&console, &at.signed, Some(at.shop()), "retried", what).await?;
    }
    Ok(Redirect::to(&at.address("received#job")).into_response())
}

/// Stops a retry.
pub async fn stop(State(console): State<Console>, at: AtShop, _sent: Sent) -> Redirect {
    console.jobs.stop(at.shop(), PAGE);
    Redirect::to(&at.address("received#job"))
}

/// Its events.
pub async fn events(State(console): State<Console>, at: AtShop) -> impl IntoResponse {
    progress::events(&console, at, PAGE)
}

/// The same entries as a file.
pub async fn export(at: AtShop, RawQuery(query): RawQuery) -> Response {
    let asked = Sent::parse(query.unwrap_or_default().as_bytes());
    let language = at.language();
    let rows = csv::stream(
        at,
        FUNCTION,
        filter_of(&asked),
        head(language),
        move |entry| record(language, entry),
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tsunagi-received.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(rows)).into_response()
}
