//! What all pages share: head, navigation, messages, and the pages that tell why there is no other. Every text goes through the
//! template library, which escapes it.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{
    access::{AtShop, Signed, Visit},
    assets,
    language::Language,
    sent::CODE,
};
use crate::{storage::StoreError, tenant::CallError};

/// The library may run nothing that a page brings, and writes no style of its own.
const HTMX_CONFIG: &str = r#"{"allowEval":false,"allowScriptTags":false,"includeIndicatorStyles":false,"selfRequestsOnly":true,"historyEnabled":false}"#;

/// The pages of a shop: address, and title in both languages.
pub const PAGES: [(&str, &str, &str); 10] = [
    ("overview", "概況", "Overview"),
    ("connection", "連携設定", "Connection"),
    ("stock", "在庫送信設定", "Stock settings"),
    ("sent", "送信履歴", "Sent"),
    ("orders", "受注受信設定", "Order settings"),
    ("details", "受注受信詳細設定", "Order details"),
    ("received", "受信履歴", "Received"),
    ("compare", "在庫照合", "Compare stock"),
    ("notices", "お知らせ", "Notices"),
    ("changes", "変更の記録", "Changes"),
];

/// A page's title.
pub fn title(language: Language, page: &str) -> &'static str {
    let found = PAGES.iter().find(|(name, _, _)| *name == page);
    found.map_or("", |(_, ja, en)| language.of(ja, en))
}

/// A page of a shop: one of [`PAGES`].
pub fn shop_page(at: &AtShop, page: &str, content: &Markup) -> Response {
    let name = title(at.language(), page);
    let main = html! {
        h1 { (name) }
        (content)
    };
    answer(
        StatusCode::OK,
        &sheet(
            &at.signed.visit,
            Some(&at.signed),
            Some((at.shop(), page)),
            name,
            &main,
        ),
    )
}

/// A part of a page, fetched by itself.
pub fn part(content: &Markup) -> Response {
    answer(StatusCode::OK, content)
}

/// A page beside the shops.
pub fn page(visit: &Visit, signed: Option<&Signed>, title: &str, content: &Markup) -> Response {
    with_status(StatusCode::OK, visit, signed, title, content)
}

/// The same with another status.
pub fn with_status(
    status: StatusCode,
    visit: &Visit,
    signed: Option<&Signed>,
    title: &str,
    content: &Markup,
) -> Response {
    let main = html! {
        h1 { (title) }
        (content)
    };
    answer(status, &sheet(visit, signed, None, title, &main))
}

fn answer(status: StatusCode, page: &Markup) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(page.0.clone())).into_response()
}

fn sheet(
    visit: &Visit,
    signed: Option<&Signed>,
    shop: Option<(&str, &str)>,
    title: &str,
    main: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(visit.language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (title) " · " (visit.say("繋ぎ", "Tsunagi")) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href={ "/console/assets/" (assets::sheet()) };
                script defer src={ "/console/assets/" (assets::HTMX) } {}
                script defer src={ "/console/assets/" (assets::EVENTS) } {}
            }
            body {
                a.skip href="#main" { (visit.say("本文へ", "Skip to content")) }
                (top(visit, signed, shop.map(|(shop, _)| shop)))
                @if let Some((shop, current)) = shop { (navigation(visit, shop, current)) }
                main #main tabindex="-1" { (main) }
            }
        }
    }
}

fn top(visit: &Visit, signed: Option<&Signed>, shop: Option<&str>) -> Markup {
    let (other, name) = match visit.language {
        Language::Ja => ("en", "English"),
        Language::En => ("ja", "日本語"),
    };
    let back: String = form_urlencoded::byte_serialize(visit.path.as_bytes()).collect();
    html! {
        header.top {
            a.brand href="/console" { (visit.say("繋ぎ", "Tsunagi")) }
            @if let Some(shop) = shop { span.shop { (shop) } }
            span.space {}
            a lang=(other) hreflang=(other) href={ "/console/language/" (other) "?back=" (back) } { (name) }
            @if let Some(signed) = signed {
                form method="post" action="/console/sign-out" {
                    (form_code(visit))
                    span.who { (signed.account.name) }
                    button.quiet { (visit.say("サインアウト", "Sign out")) }
                }
            }
        }
    }
}

fn navigation(visit: &Visit, shop: &str, current: &str) -> Markup {
    html! {
        nav.pages aria-label=(visit.say("ページ", "Pages")) {
            ul {
                @for (page, ja, en) in PAGES {
                    li {
                        a href={ "/console/t/" (shop) "/" (page) }
                            aria-current=[(page == current).then_some("page")] { (visit.say(ja, en)) }
                    }
                }
            }
        }
    }
}

/// The head of a history: a column to choose rows by, the names, those of numbers to the right, and a column for what can be done.
pub fn history_head(visit: &Visit, names: &[&str], numbers: &[usize]) -> Markup {
    html! {
        thead { tr {
            th scope="col" { span.hidden { (visit.say("選択", "Choose")) } }
            @for (index, name) in names.iter().enumerate() { th.number[numbers.contains(&index)] scope="col" { (name) } }
            th scope="col" { span.hidden { (visit.say("操作", "Actions")) } }
        } }
    }
}

/// The hidden field that every form carries.
pub fn form_code(visit: &Visit) -> Markup {
    html! { input type="hidden" name=(CODE) value=(visit.form_code().unwrap_or_default()); }
}

/// How a message looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Done.
    Good,
    /// Look at this.
    Warn,
    /// Failed.
    Bad,
    /// For information.
    Plain,
}

impl Tone {
    /// Its class in the sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}

/// A message above the rest of a page; a screen reader says it at once.
pub fn message(tone: Tone, text: &str) -> Markup {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    html! {
        div.message.(tone.class()) role=(role) {
            @for line in text.lines() { p { (line) } }
        }
    }
}

/// What `?done=` stands for: the address carries a word, never a text.
pub fn done(visit: &Visit, word: &str) -> Markup {
    let (ja, en) = match word {
        "saved" => ("保存しました。", "Saved."),
        "on" => ("連携をオンにしました。", "The link is on."),
        "off" => ("連携をオフにしました。", "The link is off."),
        "connected" => (
            "ネクストエンジンにログインしました。",
            "Logged in to Next Engine.",
        ),
        "disconnected" => (
            "ネクストエンジンのログイン情報を消しました。",
            "The login to Next Engine was forgotten.",
        ),
        "checked" => ("接続を確認しました。", "The connection was checked."),
        "unsure" => (
            "何も変更していません。続けるには確認の欄にチェックを入れてください。",
            "Nothing was changed. Tick the box to confirm.",
        ),
        "removed" => ("削除しました。", "Removed."),
        "resent" => (
            "再送信の対象にしました。次の送信で送られます。",
            "Released: it goes with the next sending.",
        ),
        "nothing" => ("対象はありませんでした。", "There was nothing to do."),
        "retried" => (
            "もう一度取り込みました。結果は下の履歴のとおりです。",
            "Imported again; the list below shows how it went.",
        ),
        _ => return html! {},
    };
    let tone = if ["nothing", "unsure"].contains(&word) {
        Tone::Plain
    } else {
        Tone::Good
    };
    message(tone, visit.say(ja, en))
}

/// There is no such page, or it is not this reader's.
pub fn not_found(signed: &Signed) -> Response {
    let visit = &signed.visit;
    let content = html! {
        p { (visit.say("このページはないか、このアカウントでは見られません。", "There is no such page, or this account may not see it.")) }
        p { a href="/console" { (visit.say("最初のページへ", "To the first page")) } }
    };
    let title = visit.say("ページがありません", "Not found");
    with_status(StatusCode::NOT_FOUND, visit, Some(signed), title, &content)
}

/// A form that is not from this browser, or from before the sign-in.
pub fn stale_form(visit: &Visit) -> Response {
    let text = visit.say(
        "フォームが古いか、このブラウザのものではないため、何も変更しませんでした。前のページに戻って再読み込みし、もう一度送ってください。Cookie を許可している必要があります。",
        "The form is too old or not from this browser, so nothing was changed. Go back, load the page again and send it once more. Cookies have to be allowed.",
    );
    let title = visit.say("もう一度送ってください", "Please send it again");
    let content = html! { p { (text) } };
    with_status(StatusCode::FORBIDDEN, visit, None, title, &content)
}

/// The console's own rows cannot be read or written.
pub fn store_failed(visit: &Visit, error: &StoreError) -> Response {
    tracing::error!("the console: {error}");
    let text = visit.say(
        "システムの問題で表示できません。少し待って再読み込みしてください。続くときは管理者にお知らせください。",
        "Something failed on our side. Wait a little and load the page again; tell whoever runs this system if it stays.",
    );
    let title = visit.say("表示できません", "Not available");
    let content = html! { p { (text) } };
    with_status(
        StatusCode::SERVICE_UNAVAILABLE,
        visit,
        None,
        title,
        &content,
    )
}

/// What went wrong with a call, in the reader's language.
pub fn told(language: Language, error: &CallError) -> String {
    match error {
        CallError::Contract(error) => error.message(language.code()),
        CallError::Fault(fault) => {
            tracing::error!("the console: {fault}");
            language
                .of(
                    "システムの問題で処理できませんでした。続くときは管理者にお知らせください。",
                    "Something failed on our side. Tell whoever runs this system if it stays.",
                )
                .to_owned()
        }
    }
}

/// A page that cannot be shown because a call failed.
pub fn call_failed(at: &AtShop, error: &CallError) -> Response {
    let visit = &at.signed.visit;
    let title = visit.say("処理できませんでした", "That did not work");
    let main = html! {
        h1 { (title) }
        (message(Tone::Bad, &told(at.language(), error)))
        p { a href=(at.address("overview")) { (visit.say("概況へ", "To the overview")) } }
    };
    let page = sheet(visit, Some(&at.signed), Some((at.shop(), "")), title, &main);
    answer(StatusCode::SERVICE_UNAVAILABLE, &page)
}
