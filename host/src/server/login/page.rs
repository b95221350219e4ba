//! What a person reads at the ends of the login, in both languages. Shows no code, ticket or state.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// What else is said while the ticket still lives.
pub const AGAIN: &str =
    "このページを再読み込みすると、もう一度試します。\nLoad this page again to try once more.";

/// A page's words.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// Heading.
    pub title: &'a str,
    /// What happened and what to do, a line for each paragraph.
    pub text: &'a str,
    /// The console's page where the login was begun.
    pub back: Option<&'a str>,
}

impl Told<'static> {
    /// The login is done.
    pub const CONNECTED: Self = Self {
        title: "接続しました / Connected",
        text: "",
        back: None,
    };
    /// It ended in an error that the component tells.
    pub const NOT_CONNECTED: Self = Self {
        title: "接続できませんでした / Not connected",
        text: "",
        back: None,
    };
    /// It ended in an error that is the operator's.
    pub const FAILED: Self = Self {
        title: Self::NOT_CONNECTED.title,
        text: "システムの問題で接続できませんでした。管理者にお知らせください。\n\
               Something failed on our side. Please tell whoever runs this system.",
        back: None,
    };
    /// No link, or one that is not good any more.
    pub const NO_LINK: Self = Self {
        title: "リンクが無効です / This link is not valid",
        text: "ログイン用のリンクは一度だけ、発行から30分以内に使えます。管理者に新しいリンクを頼んでください(tsunagi connect)。\n\
               A login link works once, within 30 minutes. Ask whoever runs this system for a new one (tsunagi connect).",
        back: None,
    };
    /// Came back without having gone.
    pub const NOT_BEGUN: Self = Self {
        title: "ログインが始まっていません / No login was begun here",
        text: "ログインは、同じブラウザで30分以内に終える必要があります。Cookie を許可したブラウザで、新しいログイン用のリンクを開いてください。\n\
               A login has to end in the browser that began it, within 30 minutes. Open a new login link, with cookies allowed.",
        back: None,
    };
    /// Two shops at once.
    pub const SEVERAL: Self = Self {
        title: "複数のログインが開いています / Several logins are open",
        text: "このブラウザで二つ以上の店のログインが同時に始まりました。取り違えを防ぐため中止しました。新しいリンクで、一店ずつログインしてください。\n\
               Logins of several shops were begun in this browser. None was ended, so that none is mixed up. Log in shop by shop, each with a new link.",
        back: None,
    };
    /// Next Engine's redirect lacks what it must carry.
    pub const NO_STATE: Self = Self {
        title: Self::NOT_CONNECTED.title,
        text: "ネクストエンジンからの戻りに必要な値がありません。アプリのリダイレクト先の設定を確かめ、新しいリンクでもう一度ログインしてください。\n\
               The way back from Next Engine lacks its values. Check the app's redirect address and log in again with a new link.",
        back: None,
    };
}

/// The page.
pub fn page(status: StatusCode, told: Told<'_>) -> Response {
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let title = plain(told.title);
    let text: String = told
        .text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| format!("<p>{}</p>", plain(line)))
        .collect();
    let back = told.back.map_or_else(String::new, |back| {
        format!(
            "<p><a href=\"{}\">連携設定へ戻る / Back to the connection page</a></p>",
            plain(back)
        )
    });
    let body = format!(
        "<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><body style=\"font-family:sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem\">\
         <h1>{title}</h1>{text}{back}</body></html>"
    );
    // The address carries what must not travel further.
    let headers = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(body)).into_response()
}
