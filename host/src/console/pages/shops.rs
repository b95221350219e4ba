//! The first page: a merchant's own shop, or the operator's list of shops with their states, invitations for their merchants, and their
//! data as a file.

use axum::{
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    orders::encoded,
    shop_changes,
    shop_states::{self, Listed},
};
use crate::console::{
    Console,
    access::{AtShop, Operator, Signed, Visit},
    accounts,
    audit::{self, Change},
    export,
    form::{Line, line},
    layout,
    sent::Sent,
    show,
};

/// Shops of one page.
const SHOPS: usize = 50;

/// Which shops.
#[derive(Deserialize)]
pub struct Asked {
    /// A part of their names.
    #[serde(default)]
    name: String,
    /// How many to pass over.
    #[serde(default)]
    from: String,
}

/// Goes to the one shop, or lists all.
pub async fn show(
    State(console): State<Console>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Response {
    if let Some(shop) = &signed.account.shop {
        return Redirect::to(&format!("/console/t/{shop}/overview")).into_response();
    }
    let visit = &signed.visit;
    let content = html! {
        @if console.service.shops.all().is_empty() {
            p.empty { (visit.say(
                "店舗がまだありません。下の「店舗を追加」で追加すると、ここに並びます。",
                "There is no shop yet. Add one below; it will be listed here.",
            )) }
        } @else {
            (list(&console, visit, &asked).await)
        }
        (shop_changes::leaving(&console, visit).await)
        (shop_changes::add_form(visit, "", None))
        p { a href="/console/changes" { (visit.say("変更の記録(すべての店舗)", "Changes at all shops")) } }
    };
    let title = visit.say("店舗", "Shops");
    layout::page(visit, Some(&signed), title, &content)
}

async fn list(console: &Console, visit: &Visit, asked: &Asked) -> Markup {
    let now = console.now();
    let wanted = asked.name.trim().to_lowercase();
    let mut known = console.glance.read(&console.service).await;
    let served = console.service.shops.all().into_iter();
    let mut shops: Vec<Listed> = served
        .map(|served| Listed {
            state: known.remove(&served.tenant.name),
            name: served.tenant.name,
            origin: served.origin,
        })
        .collect();
    let (all, need) = (
        shops.len(),
        shops.iter().filter(|shop| shop.needs_person(now)).count(),
    );
    shops.retain(|shop| shop.name.contains(&wanted));
    shops.sort_by_key(|shop| shop.rank(now));
    let found = shops.len();
    let from = asked.from.parse().unwrap_or(0);
    let oldest = shops
        .iter()
        .filter_map(|shop| shop.state.as_ref())
        .map(|state| state.read_at)
        .min();
    let shown: Vec<Listed> = shops.into_iter().skip(from).take(SHOPS).collect();
    html! {
        p {
            (visit.say("店舗 {n}、うち対応が必要 {m}", "Shops: {n}, needing somebody: {m}").replace("{n}", &all.to_string()).replace("{m}", &need.to_string()))
            @if let Some(oldest) = oldest { " " span.faint { (visit.say("状態の時点:", "as of")) " " (show::of_host(oldest)) } }
        }
        (search(visit, asked))
        @if shown.is_empty() {
            p.empty { (visit.say("この名前の店舗はありません。別の名前で探してください。", "No shop has this in its name; search for another.")) }
        } @else {
            (shop_states::table(visit, &shown, now))
        }
        (pages(visit, asked, from, found))
    }
}

fn search(visit: &Visit, asked: &Asked) -> Markup {
    html! {
        form method="get" action="/console" {
            div.row {
                (line(&Line {
                    name: "name",
                    kind: "search",
                    label: visit.say("店舗の名前", "Shop's name"),
                    hint: "",
                    value: &asked.name,
                    autocomplete: "off",
                    problem: None,
                }))
                button { (visit.say("探す", "Search")) }
                @if !asked.name.is_empty() { a.button.quiet href="/console" { (visit.say("すべて表示", "Show all")) } }
            }
        }
    }
}

fn pages(visit: &Visit, asked: &Asked, from: usize, found: usize) -> Markup {
    let address = format!("/console?name={}&from=", encoded(&asked.name));
    let next = from.saturating_add(SHOPS);
    html! {
        div.row {
            @if from > 0 { a href={ (address) (from.saturating_sub(SHOPS)) } { (visit.say("前へ", "Back")) } }
            @if next < found { a.button.quiet rel="next" href={ (address) (next) } { (visit.say("次へ", "More")) } }
        }
    }
}

/// A shop's data as a file, for the operator.
pub async fn export(
    State(console): State<Console>,
    at: AtShop,
    _sent: Sent,
) -> Result<Response, Response> {
    if at.signed.account.shop.is_some() {
        return Err(layout::not_found(&at.signed));
    }
    audit::note(
        &console,
        &at.signed,
        Some(at.shop()),
        "exported",
        Vec::new(),
    )
    .await?;
    let name = format!("attachment; filename=\"tsunagi-{}.jsonl\"", at.shop());
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let rows = export::stream(console.records.clone(), at.served.tenant);
    Ok((headers, Body::from_stream(rows)).into_response())
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
