//! Whether all is well at a shop, and if not, what a person has to do and on which page. Judges nothing itself: each point is what the
//! component, the last 接続確認 or the last 在庫照合 said.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::overview::Facts;
use crate::{
    console::{
        access::AtShop,
        layout::{Tone, message},
        show::{self, count, flag, items, text},
    },
    notices::ends_soon,
};

/// Something that needs a person.
struct Point {
    told: String,
    page: &'static str,
    link: &'static str,
}

/// All is well, or the list of what is not.
pub fn verdict(at: &AtShop, facts: &Facts, now: DateTime<Utc>) -> Markup {
    let points = [
        login(at, facts, now),
        link(at, facts),
        scopes(at, facts),
        refused(at, facts),
        orders_to_look_at(at, facts),
        stopped(at, facts),
        held(at, facts),
        unexplained(at, facts),
    ];
    let points: Vec<Point> = points.into_iter().flatten().collect();
    if points.is_empty() {
        return message(Tone::Good, at.say("すべて順調です。", "All is well."));
    }
    html! {
        section.message.warn aria-label=(at.say("対応が必要なこと", "What needs a person")) {
            ul {
                @for point in points {
                    li { (point.told) " " a href=(at.address(point.page)) { (point.link) } }
                }
            }
        }
    }
}

fn login(at: &AtShop, facts: &Facts, now: DateTime<Utc>) -> Option<Point> {
    let demand = format!("/login-needed/{}", at.language().code());
    let (demand, ends) = (text(&facts.status, &demand), facts.login_ends());
    let told = if !demand.is_empty() {
        demand
    } else if ends.is_empty() {
        at.say(
            "ネクストエンジンにログインしていません。",
            "Nobody is logged in to Next Engine.",
        )
    } else if ends_soon(ends, now) {
        at.say(
            "ネクストエンジンのログインがまもなく切れます。いまログインし直すと止まりません。",
            "The login to Next Engine ends soon. Log in again now and nothing stops.",
        )
    } else {
        return None;
    };
    Some(Point {
        told: told.to_owned(),
        page: "connection#login",
        link: at.say("ログインする", "Log in"),
    })
}

fn link(at: &AtShop, facts: &Facts) -> Option<Point> {
    let told = at.say(
        "連携がオフです。新しい送信と取込は行われません。",
        "The link is off: nothing new is sent or imported.",
    );
    (!flag(&facts.status, "/switched-on")).then(|| Point {
        told: told.to_owned(),
        page: "connection#switch",
        link: at.say("連携設定へ", "To the connection"),
    })
}

fn scopes(at: &AtShop, facts: &Facts) -> Option<Point> {
    let missing = items(facts.checked.as_ref()?, "/missing-scopes").len();
    let told = at.say(
        "スマレジの権限(スコープ)が{n}つ足りません。",
        "Smaregi's token lacks {n} scopes.",
    );
    let link = at.say("何をするか見る", "See what to do");
    counted(missing as u64, told, "connection#check", link)
}

fn refused(at: &AtShop, facts: &Facts) -> Option<Point> {
    let told = at.say(
        "取り込めなかった受注が{n}件あります。",
        "{n} orders were refused.",
    );
    let link = at.say("理由を見る", "See why");
    counted(facts.refused(), told, "received?outcome=refused", link)
}

fn orders_to_look_at(at: &AtShop, facts: &Facts) -> Option<Point> {
    let told = at.say(
        "取り込んだ後に人の確認が必要になった受注が{n}件あります。",
        "{n} orders were taken in and need a person.",
    );
    let link = at.say("何をするか見る", "See what to do");
    let page = "received?outcome=needs-person";
    counted(facts.orders_to_look_at(), told, page, link)
}

fn stopped(at: &AtShop, facts: &Facts) -> Option<Point> {
    let told = at.say(
        "人の確認を待って送信を止めている商品が{n}件あります。",
        "{n} products are not sent until somebody has looked.",
    );
    let link = at.say("何をするか見る", "See what to do");
    counted(facts.stopped() as u64, told, "sent?outcome=waiting", link)
}

fn held(at: &AtShop, facts: &Facts) -> Option<Point> {
    let told = at.say(
        "送れずに待っている商品が{n}件あります。",
        "{n} products wait and cannot be sent yet.",
    );
    let link = at.say("理由を見る", "See why");
    counted(facts.held() as u64, told, "sent?outcome=waiting", link)
}

fn unexplained(at: &AtShop, facts: &Facts) -> Option<Point> {
    let open = count(facts.compared.as_ref()?, "/unexplained");
    let told = at.say(
        "前回の在庫照合で、説明のつかない差が{n}商品にありました。",
        "The last comparison found {n} products with an unexplained difference.",
    );
    let link = at.say("在庫照合へ", "To the comparison");
    counted(open, told, "compare", link)
}

fn counted(number: u64, told: &str, page: &'static str, link: &'static str) -> Option<Point> {
    (number > 0).then(|| Point {
        told: told.replace("{n}", &show::number(&number.to_string())),
        page,
        link,
    })
}
