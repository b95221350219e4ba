//! 在庫照合: both sides' stock, what explains each difference, unexplained first. Reads whole lists, so it runs in the background; its
//! outcome stays until the next one or the end of this process, and its sums beyond that.

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::console::{
    Console,
    access::AtShop,
    audit, chart,
    jobs::{End, Order},
    layout::{self, Tone, form_code, message},
    progress,
    sent::Sent,
    show::{self, count, items, text},
};

/// The page's name in addresses and among the jobs.
const PAGE: &str = "compare";
/// Products of one page.
const LINES: usize = 200;
/// Bars of the picture.
const BARS: usize = 15;

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let asked = Sent::parse(query.unwrap_or_default().as_bytes());
    let state = console.jobs.state(at.shop(), PAGE);
    let done = state.filter(|state| matches!(state.end, Some(End::Done)));
    let content = html! {
        p { (at.say(
            "両方の在庫を全商品で比べ、差を説明します。何も書き込みません。商品が多いと数分かかり、ネクストエンジンを1,000商品ごとに1回呼び出します。",
            "Compares all products on both sides and explains each difference. Nothing is written. With many products it takes minutes, and one call to Next Engine for each thousand.",
        )) }
        (layout::done(&at.signed.visit, asked.text("done")))
        (progress::panel(&console, &at, PAGE))
        div id=(progress::OUTCOME) {
            form method="post" action=(at.address("compare/run")) {
                (form_code(&at.signed.visit))
                button.quiet[done.is_some()] { (at.say("照合する", "Compare")) }
            }
            @match &done {
                None => p.empty { (at.say("照合すると、ここに商品ごとの両方の数と、差の理由が並びます。", "After a comparison each product's numbers and what explains their difference are listed here.")) },
                Some(state) => (outcome(&at, &state.result, &asked)),
            }
        }
        p { a href=(at.address("align")) { (at.say("在庫合わせの状況", "Alignments")) } }
    };
    Ok(layout::shop_page(&at, PAGE, &content))
}

fn outcome(at: &AtShop, comparison: &Value, asked: &Sent) -> Markup {
    let wanted = asked.text("product");
    let all = asked.text("all") == "true";
    let differs = |line: &&Value| all || is_different(line);
    let named = |line: &&Value| {
        wanted.is_empty()
            || text(line, "/code").contains(wanted)
            || text(line, "/name").contains(wanted)
    };
    let lines: Vec<&Value> = items(comparison, "/lines")
        .iter()
        .filter(differs)
        .filter(named)
        .collect();
    let from = asked.text("from").parse().unwrap_or(0_usize);
    let open = count(comparison, "/unexplained-products");
    let page = lines.iter().skip(from).take(LINES).copied();
    html! {
        p { (at.say("照合した時刻", "Compared at")) ": " (show::moment(text(comparison, "/compared-at"))) }
        @if open == 0 { (message(Tone::Good, at.say("説明のつかない差はありません。", "There is no unexplained difference."))) }
        @else { (message(Tone::Warn, &at.say("説明のつかない差が{n}商品にあります。", "{n} products have an unexplained difference.").replace("{n}", &show::number(&open.to_string())))) }
        (picture(at, comparison))
        (search(at, wanted, all))
        @if lines.is_empty() { p.empty { (at.say("この条件に合う商品はありません。", "No product is like this.")) } }
        @else {
            form method="post" action=(at.address("align/preview")) {
                (form_code(&at.signed.visit))
                (table(at, page))
                @if open > 0 { div.row {
                    button name="which" value="chosen" { (at.say("選択した商品を合わせる(確認へ)", "Align the chosen (preview first)")) }
                    button.quiet name="which" value="all" { (at.say("説明のつかない差をすべて合わせる(確認へ)", "Align all unexplained (preview first)")) }
                } }
            }
            @if lines.len() > from + LINES {
                p { a rel="next" href={ (at.address(PAGE)) "?" (more(wanted, all, from + LINES)) } { (at.say("次の商品", "More products")) } }
            }
        }
    }
}

fn is_different(line: &Value) -> bool {
    let is_zero = |field: &str| {
        text(line, field)
            .parse::<rust_decimal::Decimal>()
            .is_ok_and(|number| number.is_zero())
    };
    !is_zero("/difference") || !is_zero("/unexplained") || !items(line, "/explanations").is_empty()
}

fn more(wanted: &str, all: bool, from: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("product", wanted);
    query.append_pair("all", if all { "true" } else { "" });
    query.append_pair("from", &from.to_string());
    query.finish()
}

fn search(at: &AtShop, wanted: &str, all: bool) -> Markup {
    html! {
        form method="get" action=(at.address(PAGE)) {
            div.row {
                div.field {
                    label for="product" { (at.say("商品コード・商品名", "Product code or name")) }
                    input type="text" id="product" name="product" value=(wanted) autocomplete="off";
                }
                div.flag {
                    input type="checkbox" id="all" name="all" value="true" checked[all];
                    label for="all" { (at.say("差のない商品も表示", "Also products without a difference")) }
                }
                button.quiet { (at.say("絞り込む", "Filter")) }
            }
        }
    }
}

/// The largest unexplained differences.
fn picture(at: &AtShop, comparison: &Value) -> Markup {
    let lines = items(comparison, "/lines").iter();
    let open = lines.filter_map(|line| {
        let number: f64 = text(line, "/unexplained").parse().ok()?;
        (number != 0.0).then(|| (text(line, "/code").to_owned(), number))
    });
    let mut bars: Vec<(String, f64)> = open.collect();
    if bars.is_empty() {
        return html! {};
    }
    bars.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    bars.truncate(BARS);
    let title = at.say(
        "説明のつかない差(スマレジ − ネクストエンジン)、大きいものから",
        "Unexplained differences (Smaregi minus Next Engine), largest first",
    );
    html! { section { h2 { (title) } (chart::differences(title, &bars)) } }
}

fn table<'a>(at: &AtShop, lines: impl Iterator<Item = &'a Value>) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table.rows {
                thead { tr {
                    th scope="col" { span.hidden { (at.say("選択", "Choose")) } }
                    th scope="col" { (at.say("商品コード", "Product code")) }
                    th scope="col" { (at.say("商品名", "Name")) }
                    th.number scope="col" { (at.say("スマレジ", "Smaregi")) }
                    th.number scope="col" { (at.say("ネクストエンジン", "Next Engine")) }
                    th.number scope="col" { (at.say("うちフリー/引当", "Free / allocated")) }
                    th.number scope="col" { (at.say("差", "Difference")) }
                    th.number scope="col" { (at.say("説明のつかない数", "Unexplained")) }
                    th scope="col" { (at.say("説明", "Explained by")) }
                } }
                tbody { @for line in lines { (row(at, line)) } }
            }
        }
    }
}

fn row(at: &AtShop, line: &Value) -> Markup {
    let language = at.language();
    let code = text(line, "/code");
    let number = |field: &str| match text(line, field) {
        "" => "–".to_owned(),
        number => show::number(number),
    };
    let is_open = text(line, "/unexplained") != "0";
    html! {
        tr {
            td { @if is_open { input type="checkbox" name="code" value=(code) aria-label=(format!("{} {code}", at.say("選択", "choose"))); } }
            td.code data-name=(at.say("商品コード", "Product code")) { (code) }
            td.name data-name=(at.say("商品名", "Name")) { (text(line, "/name")) }
            td.number data-name=(at.say("スマレジ", "Smaregi")) { (number("/smaregi")) }
            td.number data-name=(at.say("ネクストエンジン", "Next Engine")) { (number("/next-engine")) }
            td.number data-name=(at.say("うちフリー/引当", "Free / allocated")) { (number("/next-engine-free")) " / " (number("/next-engine-allocated")) }
            td.number data-name=(at.say("差", "Difference")) { (show::signed(text(line, "/difference"))) }
            td.number data-name=(at.say("説明のつかない数", "Unexplained")) { @if is_open { strong { (show::signed(text(line, "/unexplained"))) } } @else { "0" } }
            td data-name=(at.say("説明", "Explained by")) {
                @for explanation in items(line, "/explanations") {
                    div.reason {
                        (show::signed(text(explanation, "/quantity"))) ": "
                        (explanation.get("reason").map(|reason| language.reason(reason)).unwrap_or_default())
                    }
                }
            }
        }
    }
}

/// Begins a comparison.
pub async fn run(
    State(console): State<Console>,
    at: AtShop,
    _sent: Sent,
) -> Result<Response, Response> {
    let order = Order {
        word: "compare",
        subject: String::new(),
        steps: vec![("stock.compare", json!({}))],
        sliced: false,
    };
    if console
        .jobs
        .begin(&at.served.tenant, PAGE, order, console.now())
    {
        audit::note(
            &console,
            &at.signed,
            Some(at.shop()),
            "compared",
            Vec::new(),
        )
        .await?;
    }
    Ok(Redirect::to(&at.address("compare#job")).into_response())
}

/// Its events.
pub async fn events(State(console): State<Console>, at: AtShop) -> impl IntoResponse {
    progress::events(&console, at, PAGE)
}
