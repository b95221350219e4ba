//! 概況's pictures: orders and sent products of the last 30 days. Fetched after the page, so that a long history does not hold it up.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use serde_json::json;

use crate::console::{
    Console,
    access::AtShop,
    chart,
    histories::{self, Stretch},
    layout, show,
};

const DAYS: i64 = 30;
/// Entries looked at for a picture; with more, it shows the newest.
const MOST: usize = 3_000;

/// The part, or a page of it for browsers without script.
pub async fn show(State(console): State<Console>, at: AtShop) -> Result<Response, Response> {
    let now = console.now();
    let since = (now - TimeDelta::days(DAYS)).to_rfc3339();
    let filter = json!({ "since": since });
    let (received, sent) = tokio::try_join!(
        histories::read(&at, "history.received", &filter, None, MOST),
        histories::read(&at, "history.sent", &filter, None, MOST),
    )?;
    let content = html! {
        h2 { (at.say("最近30日", "The last 30 days")) }
        (picture(&at, now, &received, at.say("受注:登録(下)と取り込めず(上)", "Orders: registered (below) and refused (above)"), "registered", "refused"))
        (picture(&at, now, &sent, at.say("在庫送信:反映済み(下)と差し戻し(上)", "Stock sent: applied (below) and returned (above)"), "applied", "returned"))
    };
    Ok(if at.signed.visit.wants_part {
        layout::part(&content)
    } else {
        layout::shop_page(&at, "overview", &html! { section { (content) } })
    })
}

fn picture(
    at: &AtShop,
    now: DateTime<Utc>,
    found: &Stretch,
    title: &str,
    good: &str,
    bad: &str,
) -> Markup {
    let mut counts: BTreeMap<String, (u32, u32)> = (0..DAYS)
        .filter_map(|ago| show::day(&(now - TimeDelta::days(ago)).to_rfc3339()))
        .map(|day| (day, (0, 0)))
        .collect();
    for entry in &found.entries {
        let day = show::day(show::text(entry, "/at"));
        if let Some(count) = day.and_then(|day| counts.get_mut(&day)) {
            let outcome = show::text(entry, "/outcome");
            count.0 += u32::from(outcome == good);
            count.1 += u32::from(outcome == bad);
        }
    }
    if counts.values().all(|count| *count == (0, 0)) {
        return html! {
            h3 { (title) }
            p.empty { (at.say("この期間の記録はまだありません。", "Nothing in these days yet.")) }
        };
    }
    let days = counts.into_iter().map(|(day, (good, bad))| {
        let short = day.get(5..).unwrap_or_default().to_owned();
        (short, good, bad)
    });
    let days: Vec<(String, u32, u32)> = days.collect();
    html! {
        h3 { (title) }
        (chart::days(title, &days))
        @if found.continuation.is_some() {
            p.faint { (at.say("件数が多いため、新しいものだけを数えています。", "There are many, so only the newest are counted.")) }
        }
    }
}
