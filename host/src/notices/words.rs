//! What a notice says, by e-mail and by webhook: what happened, what to do, and the page where it is done. Names no order, product or
//! buyer: only counts. Decides nothing.

use serde_json::{Value, json};

use super::{causes::Cause, ledger::Standing, webhook};
use crate::{cli::words::Language, console};

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// All of it.
    pub text: String,
    /// What to do.
    pub remedy: String,
    /// The page where it is done.
    pub link: String,
}

/// A shop's notice.
pub fn letter(
    shop: &str,
    standing: &Standing,
    language: Language,
    public_url: &str,
    is_repeated: bool,
) -> Letter {
    let cause = standing.cause();
    let (what, remedy) = texts(cause, language);
    let until = standing.finding.until.as_deref().unwrap_or_default();
    let what = what
        .replace("{n}", &console::number(&standing.finding.count.to_string()))
        .replace("{until}", &console::moment(until));
    let link = format!("{public_url}/console/t/{shop}/{}", page(cause));
    let since = console::moment(&standing.since.to_rfc3339());
    let since = match (language, is_repeated) {
        (Language::Ja, false) => format!("気づいた時刻: {since}"),
        (Language::Ja, true) => format!("{since} から続いています。もう一度お知らせします。"),
        (Language::En, false) => format!("Seen first: {since}"),
        (Language::En, true) => format!("It has stood since {since}; this is a reminder."),
    };
    let why = language.of(
        "このお知らせは、直るまで3日ごとにもう一度届きます。直ると届かなくなります。",
        "While it stands you are reminded every three days; once it is mended, no more comes.",
    );
    Letter {
        subject: format!("[{}] {shop}: {what}", language.of("繋ぎ", "Tsunagi")),
        text: format!("{shop}: {what}\n\n{remedy}\n{link}\n\n{since}\n{why}\n"),
        remedy: remedy.to_owned(),
        link,
    }
}

/// What a test says.
pub fn test_letter(shop: &str, language: Language, public_url: &str) -> Letter {
    let link = format!("{public_url}/console/t/{shop}/notices");
    let (what, remedy) = (
        language.of("お知らせの試し送りです。", "A test of the notices."),
        language.of(
            "届いていれば設定は正しくできています。何もする必要はありません。",
            "If you read this, they arrive. There is nothing to do.",
        ),
    );
    Letter {
        subject: format!("[{}] {shop}: {what}", language.of("繋ぎ", "Tsunagi")),
        text: format!("{shop}: {what}\n\n{remedy}\n{link}\n"),
        remedy: remedy.to_owned(),
        link,
    }
}

/// What happened, and what to do.
fn texts(cause: Cause, language: Language) -> (&'static str, &'static str) {
    let (ja, en) = match cause {
        Cause::LoginNeeded => (
            (
                "ネクストエンジンへのログインが必要です",
                "連携は止まっています。待っているものは失われません。次のページでログインし直すと、続きから動きます。",
            ),
            (
                "somebody has to log in to Next Engine",
                "The link stands still; nothing that waits is lost. Log in on this page and it goes on where it stopped.",
            ),
        ),
        Cause::LoginEnds => (
            (
                "ネクストエンジンのログインが {until} に切れます",
                "自動の更新ができていません。それまでに次のページでログインし直すと、連携は止まりません。",
            ),
            (
                "the login to Next Engine ends at {until}",
                "It could not be renewed by itself. Log in again on this page before that, and nothing stops.",
            ),
        ),
        Cause::RefusedOrders => (
            (
                "取り込めなかった受注が{n}件あります",
                "次のページに理由と直し方が出ます。直したあと「再取込」を押してください。",
            ),
            (
                "{n} orders were refused",
                "This page tells why and what to mend; then press retry there.",
            ),
        ),
        Cause::NeedsPerson => (
            (
                "人の確認が必要な受注・商品が{n}件あります",
                "取り込んだ後に手作業が要る受注か、確認されるまで送信を止めている商品です。次のページからそれぞれの理由と手順を見られます。",
            ),
            (
                "{n} orders or products need a person",
                "Orders that were taken in and need something done by hand, or products that are not sent until somebody has looked. This page leads to each with its reason.",
            ),
        ),
        Cause::StockHeld => (
            (
                "ネクストエンジンに反映できず待っている商品が{n}件あります",
                "次のページに理由が出ます。直したあと「再送信」を押してください。",
            ),
            (
                "{n} products wait and are not applied at Next Engine",
                "This page tells why; mend it, then press send again there.",
            ),
        ),
        Cause::GuardWaits => (
            (
                "在庫合わせが、大量の変更({n}商品)のため確認を待っています",
                "次のページで内容を確かめ、よければ大量の変更であることを確認して送ってください。",
            ),
            (
                "an alignment waits for a word: it would move {n} products",
                "Look at it on this page, and confirm the mass change there if it is right.",
            ),
        ),
        Cause::Unexplained => (
            (
                "在庫照合で、説明のつかない差が{n}商品に見つかりました",
                "次のページで商品ごとの数を確かめ、必要なら在庫を合わせてください。",
            ),
            (
                "a comparison found {n} products with an unexplained difference",
                "Look at the numbers on this page, and align the stock if need be.",
            ),
        ),
    };
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}

/// The page of a shop where it is mended.
pub fn page(cause: Cause) -> &'static str {
    match cause {
        Cause::LoginNeeded | Cause::LoginEnds => "connection#login",
        Cause::RefusedOrders => "received?outcome=refused",
        Cause::NeedsPerson => "overview",
        Cause::StockHeld => "sent?outcome=waiting",
        Cause::GuardWaits => "align",
        Cause::Unexplained => "compare",
    }
}

/// What a cause is called in the settings.
pub fn name(cause: Cause, language: Language) -> &'static str {
    let (ja, en) = match cause {
        Cause::LoginNeeded => ("ログインが必要なとき", "a login is needed"),
        Cause::LoginEnds => (
            "ログインがまもなく切れるとき(24時間前から)",
            "the login ends soon (24 hours before)",
        ),
        Cause::RefusedOrders => ("取り込めない受注があるとき", "orders were refused"),
        Cause::NeedsPerson => (
            "人の確認が必要な受注・商品があるとき",
            "an order or a product needs a person",
        ),
        Cause::StockHeld => (
            "在庫を反映できない商品があるとき",
            "stock could not be applied",
        ),
        Cause::GuardWaits => (
            "大量の変更が確認を待っているとき",
            "a mass change waits for a word",
        ),
        Cause::Unexplained => (
            "在庫照合で説明のつかない差があったとき",
            "a comparison found an unexplained difference",
        ),
    };
    language.of(ja, en)
}

/// Why a webhook was not taken, and what to do.
pub fn failed(failed: &webhook::Failed, language: Language) -> String {
    use webhook::Failed;
    match failed {
        Failed::Unfit(reason) => unfit(reason, language),
        Failed::Unreachable => language
            .of(
                "接続できませんでした。アドレスと、受け取る側が動いているかを確かめてください。",
                "It could not be reached. Look at the address, and whether the receiver runs.",
            )
            .to_owned(),
        Failed::Untrusted => language
            .of(
                "証明書を確認できませんでした。受け取る側のTLS証明書を確かめてください。",
                "Its certificate is not trusted. Look at the receiver's TLS certificate.",
            )
            .to_owned(),
        Failed::TooLate => language
            .of(
                "20秒以内に返事がありませんでした。受け取る側を確かめてください。",
                "There was no answer within 20 seconds. Look at the receiver.",
            )
            .to_owned(),
        Failed::Refused(status) => language
            .of(
                "受け取る側が {status} を返しました。アドレスが今も有効かを確かめてください(転送先には送りません)。",
                "It answered {status}. See whether the address is still good (redirects are not followed).",
            )
            .replace("{status}", &status.to_string()),
    }
}

/// Why an address cannot be used, and what to do.
pub fn unfit(unfit: &webhook::Unfit, language: Language) -> String {
    use webhook::Unfit;
    match unfit {
        Unfit::Address => language
            .of(
                "https:// で始まるアドレスを、受け取るサービスから写してください。",
                "Copy the address, which begins with https://, from the receiving service.",
            )
            .to_owned(),
        Unfit::NotHttps(place) | Unfit::Private(place) => language
            .of(
                "インターネット上の https だけに送れます。社内などへ送るには、管理者が設定ファイルの [notices] に allowed-hosts = [\"{place}\"] を加えます。",
                "Only https on the public internet is reached. For a place of your own, the operator adds allowed-hosts = [\"{place}\"] to [notices] in the configuration.",
            )
            .replace("{place}", place),
    }
}

/// What a webhook carries: `text` for Slack and whoever takes its shape, and the same in fields under `tsunagi`.
pub fn body(letter: &Letter, fields: Value) -> String {
    // Slack reads these three as its own marks.
    let text = letter.text.trim_end();
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut own = json!({
        "version": 1, "subject": letter.subject, "remedy": letter.remedy, "link": letter.link,
    });
    crate::json::lay(&mut own, &fields);
    json!({ "text": text, "tsunagi": own }).to_string()
}
