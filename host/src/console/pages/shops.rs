//! The first page: a merchant's own shop, or the operator's list of shops, with invitations for their merchants.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

use crate::console::{
    Console,
    access::{Operator, Signed},
    accounts,
    audit::{self, Change},
    layout::{self, form_code},
    sent::Sent,
    show,
};

/// Goes to the one shop, or lists all.
pub async fn show(State(console): State<Console>, signed: Signed) -> Response {
    if let Some(shop) = &signed.account.shop {
        return Redirect::to(&format!("/console/t/{shop}/overview")).into_response();
    }
    let visit = &signed.visit;
    let content = html! {
        @if console.service.tenants.is_empty() {
            p.empty { (visit.say(
                "店舗がまだありません。設定ファイル tsunagi.toml に [tenants.名前] を加えて再起動すると、ここに並びます。",
                "There is no shop yet. Add [tenants.<name>] to tsunagi.toml and start again; it will be listed here.",
            )) }
        } @else {
            ul.cards {
                @for shop in console.service.tenants.keys() {
                    li.card {
                        a href={ "/console/t/" (shop) "/overview" } { (shop) }
                        form method="post" action="/console/invite" {
                            (form_code(visit))
                            button.quiet name="shop" value=(shop) { (visit.say("店舗の人を招待", "Invite its merchant")) }
                        }
                    }
                }
            }
        }
    };
    let title = visit.say("店舗", "Shops");
    layout::page(visit, Some(&signed), title, &content)
}

/// Makes an invitation for a merchant of a shop, and shows its link once.
pub async fn invite(
    State(console): State<Console>,
    Operator(signed): Operator,
    sent: Sent,
) -> Result<Response, Response> {
    let visit = &signed.visit;
    let shop = sent.text("shop").to_owned();
    if console.service.find(&shop).is_err() {
        return Err(layout::not_found(&signed));
    }
    let made = accounts::invite(&console.records, Some(shop.clone()), None, console.now()).await;
    let (code, invitation) = made.map_err(|error| layout::store_failed(visit, &error))?;
    let what = vec![Change::of("shop", &shop)];
    audit::note(&console, &signed, Some(&shop), "invited", what).await?;
    let address = format!(
        "{}/console/invitation?code={code}",
        console.service.public_url
    );
    let content = html! {
        p { (visit.say("このリンクを店舗の人に渡してください。一度だけ使えます。ここを離れると、もう表示されません。", "Pass this link on to the merchant. It works once, and is not shown again.")) }
        p { (visit.say("店舗", "Shop")) ": " strong { (shop) } " · " (visit.say("期限", "good until")) ": " (show::of_host(invitation.expires_at)) }
        p { code.link { (address) } }
        p { a href="/console" { (visit.say("店舗の一覧へ", "To the list of shops")) } }
    };
    let title = visit.say("招待リンク", "Invitation");
    Ok(layout::page(visit, Some(&signed), title, &content))
}
