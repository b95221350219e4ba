//! Adding and removing shops while everything runs, for the operator. A removal is asked about twice and offers the shop's data first; the
//! call that is under way is always finished.

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    console::{
        Console,
        access::{Operator, Signed, Visit},
        audit::{self, Change},
        form::{Line, line},
        layout::{self, Tone, form_code, message},
        sent::Sent,
        show,
    },
    shops::{
        Origin,
        book::{self, Fate, Unfit},
    },
};

/// Which shop.
#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    shop: String,
}

/// The form for a new shop.
pub fn add_form(visit: &Visit, name: &str, problem: Option<&str>) -> Markup {
    html! {
        details open[problem.is_some()] {
            summary { (visit.say("店舗を追加", "Add a shop")) }
            form method="post" action="/console/shops/add" {
                (form_code(visit))
                (line(&Line {
                    name: "new-shop",
                    kind: "text",
                    label: visit.say("新しい店舗の名前", "Name of the new shop"),
                    hint: visit.say(
                        "半角の小文字・数字・ハイフンで40文字まで。アドレスの一部になり、あとから変えられません。",
                        "Lower-case letters, digits and hyphens, at most 40. It becomes a part of addresses and cannot be changed later.",
                    ),
                    value: name,
                    autocomplete: "off",
                    problem,
                }))
                button { (visit.say("追加", "Add")) }
            }
        }
    }
}

/// Adds a shop, and shows once what Smaregi's webhooks have to carry.
pub async fn add(
    State(console): State<Console>,
    Operator(signed): Operator,
    sent: Sent,
) -> Result<Response, Response> {
    let visit = &signed.visit;
    let name = sent.text("new-shop").to_owned();
    let added = if console.service.shops.find(&name).is_some() {
        Err(Unfit::Taken)
    } else {
        let added = book::add(&console.records, &name, Vec::new(), console.now()).await;
        added.map_err(|error| layout::store_failed(visit, &error))?
    };
    let secret = match added {
        Ok(secret) => secret,
        Err(unfit) => return Ok(not_added(&signed, &name, unfit)),
    };
    console.service.shops.look_again();
    let what = vec![Change::of("shop", &name)];
    audit::note(&console, &signed, Some(&name), "shop-added", what).await?;
    let title = visit.say("店舗を追加しました", "The shop was added");
    let content = added_page(visit, &console.service.public_url, &name, &secret);
    Ok(layout::page(visit, Some(&signed), title, &content))
}

fn not_added(signed: &Signed, name: &str, unfit: Unfit) -> Response {
    let visit = &signed.visit;
    let title = visit.say("店舗を追加", "Add a shop");
    let content = html! {
        (add_form(visit, name, Some(told(visit, unfit))))
        p { a href="/console" { (visit.say("店舗の一覧へ", "To the list of shops")) } }
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    layout::with_status(status, visit, Some(signed), title, &content)
}

fn added_page(visit: &Visit, public_url: &str, name: &str, secret: &str) -> Markup {
    html! {
        p { (visit.say("店舗", "Shop")) ": " strong { (name) } }
        p { (visit.say(
            "スマレジ・デベロッパーズの Webhook に次の2つを登録してください。合言葉はここを離れると、もう表示されません。",
            "Register these two with the webhook in Smaregi's developer console. The secret is not shown again.",
        )) }
        dl.terms {
            dt { (visit.say("送信先のアドレス", "Address")) } dd { code.link { (public_url) "/t/" (name) "/webhook/smaregi" } }
            dt { (visit.say("ヘッダー X-Tsunagi-Secret", "Header X-Tsunagi-Secret")) } dd { code.link { (secret) } }
        }
        form method="post" action="/console/invite" {
            (form_code(visit))
            button name="shop" value=(name) { (visit.say("店舗の人を招待", "Invite its merchant")) }
        }
        p { a href={ "/console/t/" (name) "/connection" } { (visit.say("連携設定へ", "To its connection")) } }
        p { a href="/console" { (visit.say("店舗の一覧へ", "To the list of shops")) } }
    }
}

/// What is wrong, and what to do.
fn told(visit: &Visit, unfit: Unfit) -> &'static str {
    let (ja, en) = match unfit {
        Unfit::Name => (
            "半角の小文字・数字・ハイフンで、1〜40文字にしてください。",
            "Use 1 to 40 lower-case letters, digits and hyphens.",
        ),
        Unfit::Taken => (
            "この名前の店舗はすでにあります。別の名前にしてください。",
            "There is a shop of this name; choose another.",
        ),
        Unfit::Leaving => (
            "この名前の店舗は削除の途中です。終わるまで待ってください。",
            "The shop of this name is being removed just now; wait until it is gone.",
        ),
        Unfit::Configured => (
            "設定ファイルの店舗です。tsunagi.toml から [tenants.名前] を消して再起動してください。",
            "This shop is in the configuration. Take [tenants.<name>] out of tsunagi.toml and start again.",
        ),
        Unfit::Unknown | Unfit::NothingKept => (
            "この名前の店舗はありません。一覧から選び直してください。",
            "There is no shop of this name. Choose it from the list.",
        ),
    };
    visit.language.of(ja, en)
}

/// What a removal means, the data as a file first, and the confirmation.
pub async fn ask(
    State(console): State<Console>,
    Operator(signed): Operator,
    Query(which): Query<Which>,
) -> Result<Response, Response> {
    if console.service.shops.find(&which.shop).is_none() {
        return Err(layout::not_found(&signed));
    }
    Ok(asked(&console, &signed, &which.shop, None))
}

fn asked(console: &Console, signed: &Signed, name: &str, problem: Option<&str>) -> Response {
    let visit = &signed.visit;
    let found = console.service.shops.find(name);
    let is_added = found.is_some_and(|served| served.origin == Origin::Added);
    let content = html! {
        p { (visit.say("店舗", "Shop")) ": " strong { (name) } }
        @if is_added {
            ol {
                li {
                    (visit.say("まずデータを手元に残せます(トークンと合言葉は含みません)。", "First, its data as a file, without tokens and secrets."))
                    form method="post" action={ "/console/t/" (name) "/export" } {
                        (form_code(visit))
                        button.quiet { (visit.say("データを書き出す", "Export its data")) }
                    }
                }
                li { (confirm_form(visit, name, problem)) }
            }
        } @else { (message(Tone::Warn, told(visit, Unfit::Configured))) }
        p { a href="/console" { (visit.say("削除せずに一覧へ戻る", "Back to the list, removing nothing")) } }
    };
    let title = visit.say("店舗の削除", "Remove a shop");
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    layout::with_status(status, visit, Some(signed), title, &content)
}

fn confirm_form(visit: &Visit, name: &str, problem: Option<&str>) -> Markup {
    let fates = [
        ("kept", visit.say("データを別に残す(同じ名前で追加すると続きから使えます。コマンド: tsunagi tenants add 名前 --with-kept-data)", "Keep its data aside (a shop added under the same name can go on with it: tsunagi tenants add NAME --with-kept-data)")),
        ("deleted", visit.say("データを消す(元に戻せません)", "Delete its data (this cannot be undone)")),
    ];
    html! {
        p { (visit.say(
            "処理中のものは終わるまで待ってから止めます。スマレジとネクストエンジンの側は何も変わりません。この店舗のアカウントと招待は消えます。",
            "What is under way is finished first. Nothing changes at Smaregi and Next Engine. The shop's accounts and invitations are gone.",
        )) }
        form method="post" action="/console/shops/remove" {
            (form_code(visit))
            input type="hidden" name="shop" value=(name);
            fieldset.field {
                legend { (visit.say("この店舗のデータ", "Its data")) }
                @for (index, (word, text)) in fates.iter().enumerate() {
                    div.flag {
                        input type="radio" id=(word) name="data" value=(word) checked[index == 0];
                        label for=(word) { (text) }
                    }
                }
            }
            (line(&Line {
                name: "again",
                kind: "text",
                label: visit.say("確認のため、店舗の名前をもう一度入力してください", "To confirm, type the shop's name once more"),
                hint: "",
                value: "",
                autocomplete: "off",
                problem,
            }))
            button.danger { (visit.say("削除", "Remove")) }
        }
    }
}

/// Removes it, once its name was typed.
pub async fn remove(
    State(console): State<Console>,
    Operator(signed): Operator,
    sent: Sent,
) -> Result<Response, Response> {
    let visit = &signed.visit;
    let name = sent.text("shop").to_owned();
    if console.service.shops.find(&name).is_none() {
        return Err(layout::not_found(&signed));
    }
    if sent.text("again") != name {
        let problem = visit.say(
            "店舗の名前と違います。何も削除していません。",
            "This is not the shop's name. Nothing was removed.",
        );
        return Ok(asked(&console, &signed, &name, Some(problem)));
    }
    let (word, data) = match sent.text("data") {
        "deleted" => ("deleted", Fate::Deleted),
        _ => ("kept", Fate::Kept),
    };
    let removed = book::remove(&console.records, &name, data, console.now()).await;
    let removed = removed.map_err(|error| layout::store_failed(visit, &error))?;
    if let Err(unfit) = removed {
        // A shop of the configuration is in no book.
        let unfit = if unfit == Unfit::Unknown {
            Unfit::Configured
        } else {
            unfit
        };
        return Ok(asked(&console, &signed, &name, Some(told(visit, unfit))));
    }
    console.service.shops.look_again();
    let what = vec![Change::of("shop", &name), Change::of("data", word)];
    audit::note(&console, &signed, Some(&name), "shop-removed", what).await?;
    Ok(Redirect::to("/console").into_response())
}

/// Those on their way out, which the list no longer has.
pub async fn leaving(console: &Console, visit: &Visit) -> Markup {
    let written = book::all(&console.records).await.unwrap_or_default();
    let leaving: Vec<_> = written
        .iter()
        .filter_map(|(name, added)| Some((name, added.leaving.as_ref()?)))
        .collect();
    html! {
        @if !leaving.is_empty() {
            div.message.plain role="status" {
                p { (visit.say("削除しています。処理中のものが終わると消えます。", "Being removed, once what is under way has ended:")) }
                ul { @for (name, leaving) in leaving { li { (name) " · " (show::of_host(leaving.since)) } } }
            }
        }
    }
}
