//! How long work looks on a page: where it stands, a button that stops it, and events that keep it up to date while it goes on.
//! Without script the page shows the same, as of when it was loaded.

use std::{convert::Infallible, time::Duration};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use maud::{Markup, html};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use super::{
    Console,
    access::AtShop,
    jobs::{End, State},
    layout::{Tone, form_code, message, told},
    show::{self, count},
};

/// A stream ends after this and the browser comes back, so that none keeps a server from stopping.
const LONGEST: Duration = Duration::from_secs(20);

/// The id of that part of a page which the end of its work changes.
pub const OUTCOME: &str = "outcome";

/// The newest work of a page; nothing when there was none.
pub fn panel(console: &Console, at: &AtShop, page: &'static str) -> Markup {
    let Some(state) = console.jobs.state(at.shop(), page) else {
        return html! {};
    };
    let goes_on = state.end.is_none();
    html! {
        section #job aria-live="polite" {
            @if goes_on {
                div hx-ext="sse" sse-connect=(at.address(&format!("{page}/events"))) sse-swap="progress" sse-close="end" {
                    (told_now(at, page, &state))
                }
            } @else {
                (told_now(at, page, &state))
            }
        }
    }
}

/// Where it stands.
fn told_now(at: &AtShop, page: &str, state: &State) -> Markup {
    let name = match state.word {
        "import" => at.say("手動取込", "Import"),
        "retry" => at.say("再取込", "Retry"),
        "compare" => at.say("在庫照合", "Comparison"),
        _ => at.say("在庫合わせ", "Alignment"),
    };
    html! {
        h2 { (name) @if state.word == "import" { " " (state.subject) } }
        p { (at.say("開始", "Begun")) ": " (show::of_host(state.begun_at)) }
        @match &state.end {
            None => {
                progress aria-label=(at.say("実行中", "under way")) {}
                p {
                    @if state.stopping { (at.say("区切りのよいところで止めます…", "Stopping at the next good moment…")) }
                    @else { (at.say("実行中です。ページを閉じても続きます。", "Under way; it goes on when this page is closed.")) }
                }
                (counts(at, state))
                @if !state.stopping && ["import", "retry"].contains(&state.word) {
                    form method="post" action=(at.address(&format!("{page}/stop"))) {
                        (form_code(&at.signed.visit))
                        button.quiet { (at.say("停止", "Stop")) }
                    }
                }
                noscript { p { a href=(at.address(page)) { (at.say("最新の状態を表示", "Show how it stands now")) } } }
            }
            Some(End::Done) => { (message(Tone::Good, at.say("終わりました。", "Done."))) (counts(at, state)) }
            Some(End::Stopped) => { (message(Tone::Warn, at.say(
                "停止しました。取り込んだものはそのままで、次は続きから始まります。",
                "Stopped. What was done stays, and the next run goes on from there.",
            ))) (counts(at, state)) }
            Some(End::Failed(error)) => { (message(Tone::Bad, &told(at.language(), error))) (counts(at, state)) }
        }
        @if state.end.is_some() {
            p { a href=(at.address(page)) { (at.say("この画面を最新にする", "Show the newest on this page")) } }
        }
    }
}

/// Once the work has ended, what the page shows of it comes by itself, where the page has an [`OUTCOME`].
fn brings_outcome(at: &AtShop, page: &str) -> Markup {
    let place = format!("#{OUTCOME}");
    html! { div hx-get=(at.address(page)) hx-trigger="load" hx-select=(place) hx-target=(place) hx-swap="outerHTML" {} }
}

fn counts(at: &AtShop, state: &State) -> Markup {
    let rows = [
        ("/slips-read", at.say("読んだ伝票", "Slips read")),
        ("/registered", at.say("登録", "Registered")),
        ("/undone", at.say("取消", "Undone")),
        ("/refused", at.say("取り込めず", "Refused")),
        ("/waiting", at.say("処理中", "Under way")),
    ];
    let result = &state.result;
    html! {
        @if result.get("registered").is_some() {
            dl.figures {
                @for (field, name) in rows {
                    div.card { dt { (name) } dd { (show::number(&count(result, field).to_string())) } }
                }
            }
            @if state.word == "retry" && matches!(state.end, Some(End::Done)) && is_nothing(result) {
                p { (at.say(
                    "取り込むものはありませんでした。すでに取り込まれているか、確認だけのものか、いまの設定では対象外です。受信履歴で確かめられます。",
                    "There was nothing to take in: it had come in already, was only to be looked at, or is not taken by today's settings. The history tells which.",
                )) }
            }
        }
    }
}

fn is_nothing(result: &Value) -> bool {
    ["/registered", "/undone", "/refused", "/waiting"]
        .iter()
        .all(|field| count(result, field) == 0)
}

/// The events of a page's work, until it ends.
pub fn events(
    console: &Console,
    at: AtShop,
    page: &'static str,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let begun = Progress {
        job: console.jobs.watch(at.shop(), page),
        ends: Instant::now() + LONGEST,
        told_end: false,
        first: true,
    };
    let events = stream::unfold((begun, at), move |(mut progress, at)| async move {
        let event = progress.next(&at, page).await?;
        Some((Ok(event), (progress, at)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

struct Progress {
    job: Option<watch::Receiver<State>>,
    ends: Instant,
    told_end: bool,
    first: bool,
}

impl Progress {
    async fn next(&mut self, at: &AtShop, page: &str) -> Option<Event> {
        if self.told_end {
            return None;
        }
        let Some(job) = &mut self.job else {
            self.told_end = true;
            return Some(Event::default().event("end").data("end"));
        };
        if !self.first {
            let changed = tokio::time::timeout_at(self.ends, job.changed()).await;
            changed.ok()?.ok()?;
        }
        self.first = false;
        let state = job.borrow_and_update().clone();
        if state.end.is_some() {
            // The next event closes the stream.
            self.job = None;
        }
        let part = html! {
            (told_now(at, page, &state))
            @if state.end.is_some() { (brings_outcome(at, page)) }
        };
        Some(Event::default().event("progress").data(part.0))
    }
}
