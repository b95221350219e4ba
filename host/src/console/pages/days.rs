//! 概況's pictures: orders, sent products and calls of the last 30 days, as the component counted them. Fetched after the page, so that it
//! does not wait for them.

use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::console::{
    access::AtShop,
    chart, layout,
    show::{count, items, text},
};

const DAYS: u32 = 30;

/// The part, or a page of it for browsers without script.
pub async fn show(at: AtShop) -> Result<Response, Response> {
    let days = at.call("history.daily", json!({ "days": DAYS })).await?;
    let orders = at.say(
        "受注:登録(下)と取り込めず(上)",
        "Orders: registered (below) and refused (above)",
    );
    let stock = at.say(
        "在庫送信:反映済み(下)と差し戻し(上)",
        "Stock sent: applied (below) and returned (above)",
    );
    let calls = at.say("ネクストエンジンの呼び出し", "Calls to Next Engine");
    let content = html! {
        h2 { (at.say("最近30日", "The last 30 days")) }
        (picture(&at, &days, orders, "/registered", Some("/refused")))
        (picture(&at, &days, stock, "/applied", Some("/returned")))
        (picture(&at, &days, calls, "/next-engine-calls", None))
    };
    Ok(if at.signed.visit.wants_part {
        layout::part(&content)
    } else {
        layout::shop_page(&at, "overview", &html! { section { (content) } })
    })
}

fn picture(at: &AtShop, days: &Value, title: &str, good: &str, bad: Option<&str>) -> Markup {
    let columns = items(days, "").iter().map(|day| {
        let short = text(day, "/date").get(5..).unwrap_or_default();
        let bad = bad.map_or(0, |bad| count(day, bad));
        (short.to_owned(), count(day, good), bad)
    });
    let columns: Vec<(String, u64, u64)> = columns.collect();
    html! {
        h3 { (title) }
        @if columns.iter().all(|(_, good, bad)| good + bad == 0) {
            p.empty { (at.say("この期間の記録はまだありません。動き始めると図になります。", "Nothing in these days yet; it is drawn once there is.")) }
        } @else {
            (chart::days(title, &columns))
        }
    }
}
