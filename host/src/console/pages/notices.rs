//! お知らせ: who of a shop is told what, a test with its real outcome, and what stands now and who knows of it. Decides nothing about when a
//! person is needed.

use std::collections::BTreeSet;

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::Asked;
use crate::{
    console::{
        Console,
        access::AtShop,
        audit::{self, Change},
        language::Language,
        layout::{self, Tone, form_code, message},
        sent::Sent,
        show,
    },
    notices::{self, Cause, MOST_ADDRESSES, Place, Problem, Settings, Standing},
};

/// The page's name in addresses.
const PAGE: &str = "notices";

/// The page.
pub async fn show(
    State(console): State<Console>,
    at: AtShop,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let settings = stored(&console, &at).await?;
    let above = layout::done(&at.signed.visit, &asked.done);
    page(&console, &at, &settings, &[], &above).await
}

async fn stored(console: &Console, at: &AtShop) -> Result<Settings, Response> {
    let stored = console.service.notices.settings(at.shop()).await;
    stored.map_err(|error| layout::store_failed(&at.signed.visit, &error))
}

async fn page(
    console: &Console,
    at: &AtShop,
    settings: &Settings,
    problems: &[Problem],
    above: &Markup,
) -> Result<Response, Response> {
    let standing = console.service.notices.standing(at.shop()).await;
    let standing = standing.map_err(|error| layout::store_failed(&at.signed.visit, &error))?;
    let content = html! {
        p { (at.say(
            "人の手が必要になったとき、原因ごとに1通だけお知らせします。直るまでは3日ごとにもう一度、直ったら届きません。受注や購入者の情報は含みません。",
            "When a person is needed, one notice goes out for each cause: again every three days while it stands, and no more once it is mended. Nothing of orders or buyers is in it.",
        )) }
        (above)
        @if !problems.is_empty() {
            (message(Tone::Bad, at.say("保存していません。下の赤い項目を直してもう一度送ってください。", "Nothing was saved. Mend the marked fields below and send it again.")))
        }
        (form(console, at, settings, problems))
        @if problems.is_empty() { (test_form(at, settings)) }
        h2 { (at.say("いま対応が必要なこと", "What needs a person now")) }
        (table(at, settings, &standing))
    };
    Ok(layout::shop_page(at, PAGE, &content))
}

fn form(console: &Console, at: &AtShop, settings: &Settings, problems: &[Problem]) -> Markup {
    html! {
        form method="post" action=(at.address(PAGE)) {
            (form_code(&at.signed.visit))
            (addresses(console, at, settings, problems))
            (webhook(at, settings, problems))
            div.field {
                label for="language" { (at.say("お知らせの言語", "Language of the notices")) }
                select id="language" name="language" {
                    @for (code, name) in [("ja", "日本語"), ("en", "English")] {
                        option value=(code) selected[settings.language == code] { (name) }
                    }
                }
            }
            fieldset.field {
                legend { (at.say("お知らせすること", "What is told")) }
                @for cause in Cause::ALL {
                    div.flag {
                        input type="checkbox" id=(cause.word()) name="cause" value=(cause.word()) checked[settings.causes.contains(&cause)];
                        label for=(cause.word()) { (notices::name(cause, at.language())) }
                    }
                }
            }
            button { (at.say("更新", "Save")) }
        }
    }
}

fn addresses(console: &Console, at: &AtShop, settings: &Settings, problems: &[Problem]) -> Markup {
    let language = at.language();
    let told = problems.iter().filter_map(|problem| match problem {
        Problem::Address(address) => Some(
            language
                .of(
                    "「{a}」はメールアドレスではありません。",
                    "“{a}” is no e-mail address.",
                )
                .replace("{a}", address),
        ),
        Problem::TooMany => Some(
            language
                .of("{n}件までにしてください。", "At most {n}, please.")
                .replace("{n}", &MOST_ADDRESSES.to_string()),
        ),
        Problem::Webhook(_) => None,
    });
    let told: Vec<String> = told.collect();
    let is_wrong = !told.is_empty();
    let described = if is_wrong {
        "addresses-problem"
    } else {
        "addresses-hint"
    };
    html! {
        div.field.wrong[is_wrong] {
            label for="addresses" { (at.say("メールアドレス", "E-mail addresses")) }
            p.hint #addresses-hint {
                (at.say("1行に1件。空欄ならメールは送りません。", "One a line. Empty: no e-mail is sent."))
                @if !console.service.notices.has_mail() {
                    " " (at.say("メールサーバーがまだ設定されていないため、いまは届きません(管理者が設定ファイルに [notices.smtp] を加えます)。", "There is no mail server yet, so none arrives now (the operator adds [notices.smtp] to the configuration)."))
                }
            }
            textarea id="addresses" name="addresses" rows="3" autocomplete="off" aria-invalid=[is_wrong.then_some("true")] aria-describedby=(described) {
                (settings.addresses.join("\n"))
            }
            @if is_wrong { p.problem #addresses-problem { (told.join(" ")) } }
        }
    }
}

/// The address opens somebody's channel: it is never shown again.
fn webhook(at: &AtShop, settings: &Settings, problems: &[Problem]) -> Markup {
    let problem = problems.iter().find_map(|problem| match problem {
        Problem::Webhook(unfit) => Some(notices::unfit(unfit, at.language())),
        _ => None,
    });
    let stored = settings
        .webhook_secret_url
        .as_deref()
        .filter(|_| problem.is_none());
    let typed = settings
        .webhook_secret_url
        .as_deref()
        .filter(|_| problem.is_some());
    let described = if problem.is_some() {
        "webhook-problem"
    } else {
        "webhook-hint"
    };
    html! {
        div.field.wrong[problem.is_some()] {
            label for="webhook" { (at.say("Webhook のアドレス", "Webhook address")) }
            p.hint #webhook-hint {
                (at.say("Slack の Incoming Webhook など、{\"text\": …} を受け取るところ。", "Slack's incoming webhook, or whoever takes {\"text\": …}."))
                @if let Some(url) = stored {
                    " " (at.say("保存済み", "Stored")) ": " (Place::Webhook(url.to_owned()).shown()) "/… "
                    (at.say("(空欄のままなら変わりません)", "(left empty, it stays)"))
                }
            }
            input type="url" id="webhook" name="webhook" value=(typed.unwrap_or_default()) autocomplete="off"
                aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby=(described);
            @if let Some(problem) = &problem { p.problem #webhook-problem { (problem) } }
            @if stored.is_some() {
                div.flag {
                    input type="checkbox" id="webhook-remove" name="webhook-remove" value="true";
                    label for="webhook-remove" { (at.say("Webhook をやめる", "Send no webhook any more")) }
                }
            }
        }
    }
}

fn test_form(at: &AtShop, settings: &Settings) -> Markup {
    html! {
        @if !settings.places().is_empty() {
            form method="post" action=(at.address("notices/test")) {
                (form_code(&at.signed.visit))
                p.hint { (at.say("保存した宛先すべてに、いま試しに送り、結果をここに表示します。", "Sends a test to every stored address now, and shows here how it went.")) }
                button.quiet { (at.say("試しに送る", "Send a test")) }
            }
        }
    }
}

fn table(at: &AtShop, settings: &Settings, standing: &[Standing]) -> Markup {
    let language = at.language();
    let names = [
        at.say("原因", "Cause"),
        at.say("件数", "Count"),
        at.say("気づいた時刻", "Seen first"),
        at.say("お知らせ", "Told"),
    ];
    let [cause, count, since, told] = names;
    html! {
        @if standing.is_empty() {
            p.empty { (at.say("ありません。人の手が必要になると、ここに並びます。", "Nothing. What needs a person is listed here.")) }
        } @else {
            div.scroll tabindex="0" {
                table.rows {
                    thead { tr {
                        @for (index, name) in names.iter().enumerate() { th.number[index == 1] scope="col" { (name) } }
                    } }
                    tbody { @for one in standing { tr {
                        td data-name=(cause) { a href=(at.address(notices::page(one.cause()))) { (notices::name(one.cause(), language)) } }
                        td.number data-name=(count) { (show::number(&one.finding.count.to_string())) }
                        td data-name=(since) { (show::of_host(one.since)) }
                        td data-name=(told) { (who_knows(at, settings, one)) }
                    } } }
                }
            }
        }
    }
}

fn who_knows(at: &AtShop, settings: &Settings, standing: &Standing) -> Markup {
    if !settings.causes.contains(&standing.cause()) || settings.places().is_empty() {
        return html! { span.faint { (at.say("設定によりなし", "nobody, by the settings")) } };
    }
    html! {
        ul.changes {
            @for place in settings.places() {
                @let told = standing.told.get(&place.key());
                li {
                    (place.shown()) ": "
                    @match told.filter(|told| told.times > 0).and_then(|told| told.at) {
                        Some(moment) => (show::of_host(moment)),
                        None => (at.say("まだ", "not yet")),
                    }
                    @if let Some(told) = told.filter(|told| !told.failure.is_empty()) {
                        " " span.badge.bad { (at.say("送れません", "not taken")) } " " (told.failure)
                        @if let Some(next) = told.not_before {
                            " " (at.say("次に試す時刻", "tried again at")) ": " (show::of_host(next))
                        }
                    }
                }
            }
        }
    }
}

/// Stores it.
pub async fn save(
    State(console): State<Console>,
    at: AtShop,
    sent: Sent,
) -> Result<Response, Response> {
    let before = stored(&console, &at).await?;
    let settings = typed(&before, &sent);
    let problems = console.service.notices.problems(&settings);
    if !problems.is_empty() {
        return page(&console, &at, &settings, &problems, &html! {}).await;
    }
    let put = console.service.notices.put(at.shop(), &settings).await;
    put.map_err(|error| layout::store_failed(&at.signed.visit, &error))?;
    let changes = changes(&before, &settings);
    if !changes.is_empty() {
        audit::note(&console, &at.signed, Some(at.shop()), PAGE, changes).await?;
    }
    Ok(Redirect::to(&at.address("notices?done=saved")).into_response())
}

fn typed(before: &Settings, sent: &Sent) -> Settings {
    let lines = sent.raw("addresses").lines().map(str::trim);
    let lines: BTreeSet<&str> = lines.filter(|line| !line.is_empty()).collect();
    let webhook = match sent.given("webhook") {
        Some(url) => Some(url.to_owned()),
        None if sent.text("webhook-remove") == "true" => None,
        None => before.webhook_secret_url.clone(),
    };
    let causes = sent
        .all("cause")
        .iter()
        .filter_map(|word| Cause::named(word));
    Settings {
        language: if sent.text("language") == "en" {
            "en"
        } else {
            "ja"
        }
        .to_owned(),
        addresses: lines.into_iter().map(str::to_owned).collect(),
        webhook_secret_url: webhook,
        causes: causes.collect(),
        ..Settings::default()
    }
}

/// What changed; of the webhook's address only the host.
fn changes(before: &Settings, after: &Settings) -> Vec<Change> {
    let causes = |settings: &Settings| {
        let words: Vec<&str> = settings.causes.iter().map(|cause| cause.word()).collect();
        words.join(", ")
    };
    let host = |settings: &Settings| {
        let url = settings.webhook_secret_url.clone();
        url.map(|url| Place::Webhook(url).shown())
            .unwrap_or_default()
    };
    let is_other_url = before.webhook_secret_url != after.webhook_secret_url;
    let all = [
        (
            "notices.language",
            before.language.clone(),
            after.language.clone(),
            false,
        ),
        (
            "notices.addresses",
            before.addresses.join(", "),
            after.addresses.join(", "),
            false,
        ),
        ("notices.webhook", host(before), host(after), is_other_url),
        ("notices.causes", causes(before), causes(after), false),
    ];
    let changed = all
        .into_iter()
        .filter(|(_, before, after, is_other)| *is_other || before != after);
    let change = |(field, before, after, _): (&str, String, String, bool)| Change {
        field: field.to_owned(),
        before,
        after,
    };
    changed.map(change).collect()
}

/// Sends a test to every stored place, and shows how each went.
pub async fn test(
    State(console): State<Console>,
    at: AtShop,
    _sent: Sent,
) -> Result<Response, Response> {
    let settings = stored(&console, &at).await?;
    let outcomes = console.service.notices.test(at.shop(), &settings).await;
    let places = outcomes.len().to_string();
    let what = vec![Change::of("notices.places", &places)];
    audit::note(
        &console,
        &at.signed,
        Some(at.shop()),
        "notices-tested",
        what,
    )
    .await?;
    let above = html! {
        @for (place, failure) in &outcomes { (outcome(at.language(), place, failure.as_deref())) }
    };
    page(&console, &at, &settings, &[], &above).await
}

fn outcome(language: Language, place: &Place, failure: Option<&str>) -> Markup {
    match failure {
        None => {
            let taken = language.of("受け取られました。", "it was taken.");
            message(Tone::Good, &format!("{}: {taken}", place.shown()))
        }
        Some(why) => message(Tone::Bad, &format!("{}: {why}", place.shown())),
    }
}
