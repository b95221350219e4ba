//! How 連携設定 looks. Does nothing.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::Value;

use super::{checklist::Item, overview::on_or_off};
use crate::console::{
    access::AtShop,
    form::{self, Draft, Field, Kind, Words, field},
    layout::{self, Tone, form_code, message},
    show::{self, flag, items, text},
};

/// What both services know us by, and the pace. Where the services lie is the operator's: the component may reach what is set there.
pub fn fields(at: &AtShop) -> Vec<Field> {
    [credentials(), pace(), endpoints_for(at)].concat()
}

/// All there are, whoever may change them.
pub fn all() -> Vec<Field> {
    [credentials(), pace(), endpoints()].concat()
}

fn pace() -> Vec<Field> {
    let number = |name: &str, ja: &'static str, en: &'static str, hint: Words| {
        field(&format!("pace.{name}"), Kind::Number, (ja, en), hint)
    };
    let none = ("", "");
    vec![
        number(
            "import-minutes",
            "受注の取込間隔(分)",
            "Minutes between imports",
            ("1〜1440", "1 to 1440"),
        ),
        number(
            "send-minutes",
            "在庫の送信間隔(分)",
            "Minutes between sendings",
            ("1〜1440", "1 to 1440"),
        ),
        number(
            "send-early-products",
            "間隔を待たずに送る商品数",
            "Products from which a sending is not put off",
            none,
        ),
        number(
            "catch-up-minutes",
            "通知の取りこぼしを確かめる間隔(分)",
            "Minutes between looks for what webhooks missed",
            ("5〜1440", "5 to 1440"),
        ),
        number(
            "compare-days",
            "夜間に在庫を照合する間隔(日)",
            "Days between comparisons of stock at night",
            (
                "0〜31。0なら自動では照合しません。説明のつかない差があれば「概況」とお知らせに出ます。照合は商品1000点ごとにネクストエンジンを1回呼び出します。",
                "0 to 31; zero: none by itself. An unexplained difference is shown on the overview and told in a notice. Each costs one call to Next Engine for a thousand products.",
            ),
        ),
        number(
            "monthly-calls",
            "ネクストエンジンの月間呼び出し上限",
            "Calls to Next Engine that a month may cost",
            (
                "0なら上限なし。上限に合わせて間隔が延びます。",
                "Zero: no limit. The intervals stretch to stay within.",
            ),
        ),
        number(
            "smaregi-parallel",
            "スマレジへの同時リクエスト数",
            "Requests to Smaregi at once",
            ("1〜16", "1 to 16"),
        ),
        number(
            "smaregi-writes-per-second",
            "スマレジへの毎秒の書き込み数",
            "Writes a second to Smaregi",
            (
                "1〜200。スマレジの上限は毎秒20とされています。",
                "1 to 200. Smaregi is said to take 20.",
            ),
        ),
    ]
}

fn credentials() -> Vec<Field> {
    vec![
        field(
            "credentials.next-engine-client-id",
            Kind::Text,
            ("ネクストエンジン クライアントID", "Next Engine client id"),
            (
                "ネクストエンジンのアプリ画面の「API」タブにあります。",
                "On the app's API tab at Next Engine.",
            ),
        ),
        field(
            "credentials.next-engine-client-secret",
            Kind::Secret("credentials.has-next-engine-secret"),
            (
                "ネクストエンジン クライアントシークレット",
                "Next Engine client secret",
            ),
            ("", ""),
        ),
        field(
            "credentials.next-engine-redirect",
            Kind::Text,
            (
                "ネクストエンジン リダイレクト先",
                "Next Engine redirect address",
            ),
            (
                "アプリに登録したものと一字一句同じに。空欄なら登録済みのものが使われます。",
                "To the letter as registered with the app; empty uses the registered one.",
            ),
        ),
        field(
            "credentials.smaregi-contract-id",
            Kind::Text,
            ("スマレジ 契約ID", "Smaregi contract id"),
            ("", ""),
        ),
        field(
            "credentials.smaregi-client-id",
            Kind::Text,
            ("スマレジ クライアントID", "Smaregi client id"),
            (
                "スマレジ・デベロッパーズのアプリ画面にあります。",
                "On the app's page at Smaregi Developers.",
            ),
        ),
        field(
            "credentials.smaregi-client-secret",
            Kind::Secret("credentials.has-smaregi-secret"),
            ("スマレジ クライアントシークレット", "Smaregi client secret"),
            ("", ""),
        ),
    ]
}

fn endpoints_for(at: &AtShop) -> Vec<Field> {
    if at.signed.account.shop.is_some() {
        return Vec::new();
    }
    endpoints()
}

fn endpoints() -> Vec<Field> {
    let place = |name: &str, ja: &'static str, en: &'static str| {
        field(&format!("endpoints.{name}"), Kind::Text, (ja, en), ("", ""))
    };
    vec![
        place(
            "next-engine-sign-in",
            "ネクストエンジン ログイン",
            "Next Engine login",
        ),
        place("next-engine-api", "ネクストエンジン API", "Next Engine API"),
        place("smaregi-id", "スマレジ ID", "Smaregi id"),
        place("smaregi-api", "スマレジ API", "Smaregi API"),
    ]
}

/// The page's own part.
pub struct View<'a> {
    /// The settings, stored or typed.
    pub draft: &'a Draft,
    /// What was done just now.
    pub done: &'a str,
    /// What went wrong just now.
    pub failure: Option<String>,
}

impl<'a> View<'a> {
    /// Nothing was done yet.
    pub fn new(draft: &'a Draft) -> Self {
        Self {
            draft,
            done: "",
            failure: None,
        }
    }

    /// All of it.
    pub fn page(
        &self,
        at: &AtShop,
        status: &Value,
        checked: Option<&Value>,
        list: &[Item],
        now: DateTime<Utc>,
    ) -> Markup {
        html! {
            (layout::done(&at.signed.visit, self.done))
            @if let Some(failure) = &self.failure { (message(Tone::Bad, failure)) }
            @if list.iter().any(|item| !item.done) { (checklist(at, list)) }
            (switch(at, status))
            (login(at, status, checked.is_some(), now))
            (check(at, status, checked, now))
            (self.settings(at))
            @if list.iter().all(|item| item.done) { (checklist(at, list)) }
        }
    }

    fn settings(&self, at: &AtShop) -> Markup {
        let language = at.language();
        let endpoints = endpoints_for(at);
        let wrong = |field: &Field| {
            self.draft
                .problems
                .iter()
                .any(|(path, _)| *path == field.path)
        };
        html! {
            section #settings {
                h2 { (at.say("接続情報", "Connection data")) }
                (form::summary(language, self.draft, &fields(at)))
                form method="post" action=(at.address("connection/settings")) {
                    (form_code(&at.signed.visit))
                    (form::inputs(language, self.draft, &credentials()))
                    details open[pace().iter().any(wrong)] {
                        summary { (at.say("間隔と呼び出しの上限", "Pace and limits")) }
                        (form::inputs(language, self.draft, &pace()))
                    }
                    @if !endpoints.is_empty() {
                        details open[endpoints.iter().any(wrong)] {
                            summary { (at.say("接続先のアドレス(通常は変更しません)", "Addresses of the services (usually left alone)")) }
                            (form::inputs(language, self.draft, &endpoints))
                        }
                    }
                    button { (at.say("更新", "Save")) }
                }
            }
        }
    }
}

fn switch(at: &AtShop, status: &Value) -> Markup {
    let is_on = flag(status, "/switched-on");
    let baseline = text(status, "/baseline");
    html! {
        section #switch {
            h2 { (at.say("連携する", "Link")) " " (on_or_off(at.language(), is_on)) }
            form method="post" action=(at.address("connection/switch")) {
                (form_code(&at.signed.visit))
                @if is_on {
                    p.hint { (at.say("オフにしても何も失われません。途中の処理は最後まで行われます。", "Nothing is lost while it is off; what was begun is followed to its end.")) }
                    button.quiet name="to" value="off" { (at.say("連携オフにする", "Switch off")) }
                } @else {
                    @if baseline.is_empty() {
                        p.hint { (at.say("はじめてオンにした時点からの在庫変動が送られます。", "Stock changes are sent from the moment it is first switched on.")) }
                    } @else {
                        fieldset {
                            legend { (at.say("オフの間に動いた在庫", "Stock that moved while it was off")) }
                            div.flag {
                                input type="radio" id="backlog-leave" name="backlog" value="leave" checked;
                                label for="backlog-leave" { (at.say("送らない(在庫照合で合わせる)", "leave it (align after a comparison)")) }
                            }
                            div.flag {
                                input type="radio" id="backlog-send" name="backlog" value="send";
                                label for="backlog-send" { (at.say("送る(ずっとオンだったとして)", "send it (as if it had been on)")) }
                            }
                        }
                    }
                    button name="to" value="on" { (at.say("連携オンにする", "Switch on")) }
                }
            }
        }
    }
}

fn login(at: &AtShop, status: &Value, is_checked: bool, now: DateTime<Utc>) -> Markup {
    let company = text(status, "/company-name");
    let demand = text(status, &format!("/login-needed/{}", at.language().code()));
    let has_tokens = status.get("tokens").is_some_and(|tokens| !tokens.is_null());
    html! {
        section #login {
            h2 { (at.say("ネクストエンジンのログイン", "Login to Next Engine")) }
            @if !demand.is_empty() { (message(Tone::Warn, demand)) }
            @if !company.is_empty() { p { (at.say("企業", "Company")) ": " strong { (company) } " (" (text(status, "/company-id")) ")" } }
            @if has_tokens && !is_checked { (tokens(at, status, now)) }
            form method="post" action=(at.address("connection/login")) {
                (form_code(&at.signed.visit))
                p.hint { (at.say("この画面のままネクストエンジンのログインへ進み、終わるとここへ戻ります。", "Goes to Next Engine's login in this window, and comes back here.")) }
                button.quiet[has_tokens] { @if has_tokens { (at.say("ログインし直す", "Log in again")) } @else { (at.say("ネクストエンジンにログイン", "Log in to Next Engine")) } }
            }
            @if has_tokens {
                details {
                    summary { (at.say("ログイン情報を消す", "Forget the login")) }
                    form method="post" action=(at.address("connection/forget")) {
                        (form_code(&at.signed.visit))
                        div.flag {
                            input type="checkbox" id="sure" name="sure" value="true";
                            label for="sure" { (at.say("連携が止まることを理解しました(履歴は残ります)", "I know that the link stops (the history stays)")) }
                        }
                        button.danger { (at.say("消す", "Forget it")) }
                    }
                }
            }
        }
    }
}

/// Both expiries with what is left.
fn tokens(at: &AtShop, status: &Value, now: DateTime<Utc>) -> Markup {
    let row = |name: &str, moment: &str| {
        html! {
            div.card {
                dt { (name) }
                dd {
                    (show::moment(moment))
                    br;
                    span.faint { (show::left(at.language(), moment, now).unwrap_or_else(|| at.say("切れました", "ended").to_owned())) }
                }
            }
        }
    };
    html! {
        dl.figures {
            (row(at.say("アクセストークンの期限(自動で更新)", "Access token until (renewed by itself)"), text(status, "/tokens/access-expires-at")))
            (row(at.say("リフレッシュトークンの期限", "Refresh token until"), text(status, "/tokens/refresh-expires-at")))
        }
    }
}

fn check(at: &AtShop, status: &Value, checked: Option<&Value>, now: DateTime<Utc>) -> Markup {
    html! {
        section #check {
            h2 { (at.say("接続確認", "Connection check")) }
            @match checked {
                None => p.empty { (at.say("まだ確認していません。押すと両方のサービスに一度ずつ問い合わせ、結果がここに出ます。", "Not checked yet. Each service is asked once, and its answer is shown here.")) },
                Some(checked) => (report(at, status, checked, now)),
            }
            form method="post" action=(at.address("connection/check")) {
                (form_code(&at.signed.visit))
                button { (at.say("接続確認", "Check now")) }
            }
        }
    }
}

fn report(at: &AtShop, status: &Value, checked: &Value, now: DateTime<Utc>) -> Markup {
    let scopes = items(checked, "/missing-scopes");
    let has_tokens = status.get("tokens").is_some_and(|tokens| !tokens.is_null());
    html! {
        p { (at.say("確認した時刻", "Checked at")) ": " (show::moment(text(checked, "/checked-at"))) }
        ul.bare {
            (side(at, at.say("ネクストエンジン", "Next Engine"), checked, "next-engine"))
            (side(at, at.say("スマレジ", "Smaregi"), checked, "smaregi"))
        }
        @if has_tokens { (tokens(at, status, now)) }
        @if !scopes.is_empty() {
            div.message.warn role="status" {
                p { (at.say(
                    "スマレジの権限(スコープ)が足りません。スマレジ・デベロッパーズのアプリ設定で次にチェックを入れ、アプリの利用をもう一度許可してから、接続確認をやり直してください:",
                    "Smaregi's token lacks scopes. Tick these in the app's settings at Smaregi Developers, allow the app again, then check once more:",
                )) }
                ul { @for scope in scopes { li { code { (scope.as_str().unwrap_or_default()) } } } }
            }
        }
    }
}

fn side(at: &AtShop, name: &str, checked: &Value, side: &str) -> Markup {
    let ok = flag(checked, &format!("/{side}/ok"));
    let reason = checked
        .pointer(&format!("/{side}/reason"))
        .map(|reason| at.language().reason(reason));
    let (class, word) = if ok {
        ("good", at.say("接続できました", "connected"))
    } else {
        ("bad", at.say("接続できません", "not connected"))
    };
    html! {
        li {
            strong { (name) } " " span.badge.(class) { (word) }
            @if let Some(reason) = reason.filter(|reason| !reason.is_empty()) { p { (reason) } }
        }
    }
}

fn checklist(at: &AtShop, list: &[Item]) -> Markup {
    let done = list.iter().filter(|item| item.done).count();
    html! {
        section #checklist {
            h2 { (at.say("はじめの確認", "First steps")) " " span.faint { (done) "/" (list.len()) } }
            ol.checklist {
                @for item in list {
                    li.done[item.done] {
                        span.mark aria-hidden="true" { @if item.done { "✓" } @else { "–" } }
                        div {
                            a href=(at.address(item.page)) { (item.name) }
                            span.hidden { @if item.done { " (" (at.say("済み", "done")) ")" } @else { " (" (at.say("まだ", "open")) ")" } }
                            p.faint { (item.told) }
                        }
                    }
                }
            }
        }
    }
}
