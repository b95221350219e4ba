//! 招待: who holds a link that is still good chooses a name and a password, once.

use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use maud::html;
use serde::Deserialize;

use super::sign_in;
use crate::console::{
    Console,
    access::Visit,
    accounts::{self, Invitation, SHORTEST, Taking, Unfit},
    audit,
    form::{Line, line},
    layout::{self, form_code},
    sent::Sent,
};

/// What the link carries.
#[derive(Deserialize)]
pub struct Link {
    #[serde(default)]
    code: String,
}

/// The form, while the link is good.
pub async fn show(
    State(console): State<Console>,
    mut visit: Visit,
    Query(link): Query<Link>,
) -> Response {
    let cookie = match sign_in::know(&console, &mut visit) {
        Ok(cookie) => cookie,
        Err(error) => return layout::store_failed(&visit, &error),
    };
    let page = form(&console, &visit, &link.code, "", None).await;
    (
        AppendHeaders(cookie.map(|cookie| (header::SET_COOKIE, cookie))),
        page,
    )
        .into_response()
}

async fn form(
    console: &Console,
    visit: &Visit,
    code: &str,
    name: &str,
    unfit: Option<Unfit>,
) -> Response {
    match accounts::invited(&console.records, code, console.now()).await {
        Ok(Some(invitation)) => fields(visit, &invitation, code, name, unfit),
        Ok(None) => ended(visit),
        Err(error) => layout::store_failed(visit, &error),
    }
}

fn fields(
    visit: &Visit,
    invitation: &Invitation,
    code: &str,
    name: &str,
    unfit: Option<Unfit>,
) -> Response {
    let problem = |kinds: &[Unfit]| {
        let unfit = unfit.filter(|unfit| kinds.contains(unfit))?;
        Some(said(visit, unfit))
    };
    let whose = match &invitation.shop {
        None => visit
            .say("管理者のアカウント", "The operator's account")
            .to_owned(),
        Some(shop) => format!("{}: {shop}", visit.say("店舗", "Shop")),
    };
    let shortest = visit
        .say(
            "{n}文字以上。長いほど安全です。",
            "At least {n} characters; longer is safer.",
        )
        .replace("{n}", &SHORTEST.to_string());
    let content = html! {
        form.narrow method="post" action="/console/invitation" {
            (form_code(visit))
            input type="hidden" name="invitation" value=(code);
            @match &invitation.account {
                Some(account) => p { (visit.say("アカウント", "Account")) ": " strong { (account) } },
                None => {
                    p { (whose) }
                    (line(&Line {
                        name: "name", kind: "text", label: visit.say("アカウント名", "Account name"),
                        hint: visit.say("英数字と @ . + - _ 、3〜80文字。メールアドレスでもかまいません。", "Letters, digits and @ . + - _, 3 to 80 of them; an e-mail address will do."),
                        value: name, autocomplete: "username", problem: problem(&[Unfit::Name, Unfit::Taken]),
                    }))
                }
            }
            (line(&Line {
                name: "password", kind: "password", label: visit.say("パスワード", "Password"), hint: &shortest, value: "",
                autocomplete: "new-password", problem: problem(&[Unfit::Password]),
            }))
            (line(&Line {
                name: "again", kind: "password", label: visit.say("パスワード(もう一度)", "Password again"), hint: "", value: "",
                autocomplete: "new-password", problem: problem(&[Unfit::Again]),
            }))
            button { (visit.say("設定してサインイン", "Set it and sign in")) }
        }
    };
    let status = if unfit.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let title = visit.say("ようこそ", "Welcome");
    layout::with_status(status, visit, None, title, &content)
}

fn said(visit: &Visit, unfit: Unfit) -> &'static str {
    let (ja, en) = match unfit {
        Unfit::Name => (
            "英数字と @ . + - _ だけで、3〜80文字にしてください。",
            "Use letters, digits and @ . + - _ only, 3 to 80 of them.",
        ),
        Unfit::Taken => (
            "この名前は使われています。ほかの名前にしてください。",
            "This name is taken; choose another one.",
        ),
        Unfit::Password => ("12文字以上にしてください。", "Use at least 12 characters."),
        Unfit::Again => (
            "二つのパスワードが違います。もう一度入力してください。",
            "The two passwords differ. Type both again.",
        ),
        Unfit::Link => ("", ""),
    };
    visit.language.of(ja, en)
}

fn ended(visit: &Visit) -> Response {
    let text = visit.say(
        "招待リンクは一度だけ、発行から2日間使えます。管理者に新しいリンクを頼んでください(tsunagi operator)。すでに設定が済んでいれば、サインインしてください。",
        "An invitation works once, within 2 days. Ask whoever runs this system for a new one (tsunagi operator). If the password is set already, sign in.",
    );
    let content = html! {
        p { (text) }
        p { a href="/console/sign-in" { (visit.say("サインインへ", "To the sign-in")) } }
    };
    let title = visit.say("リンクが無効です", "This link is not valid");
    layout::with_status(StatusCode::FORBIDDEN, visit, None, title, &content)
}

/// Makes the account and signs in.
pub async fn take_up(State(console): State<Console>, visit: Visit, sent: Sent) -> Response {
    let code = sent.text("invitation").to_owned();
    let taking = Taking {
        code: code.clone(),
        name: sent.text("name").to_owned(),
        password: sent.raw("password").to_owned(),
        again: sent.raw("again").to_owned(),
    };
    let account = match accounts::take_up(&console.records, taking, console.now()).await {
        Ok(Ok(account)) => account,
        Ok(Err(unfit)) => {
            return form(&console, &visit, &code, sent.text("name"), Some(unfit)).await;
        }
        Err(error) => return layout::store_failed(&visit, &error),
    };
    let entry = audit::Entry {
        at: console.now(),
        account: account.name.clone(),
        shop: account.shop.clone(),
        action: "password-set".to_owned(),
        changes: Vec::new(),
    };
    if let Err(error) = audit::add(&console.records, &entry).await {
        return layout::store_failed(&visit, &error);
    }
    sign_in::begin(&console, &visit, &account, "/console").await
}
