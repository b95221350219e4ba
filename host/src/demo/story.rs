//! Telling the demo: chapters on standard output, progress on standard error, or one JSON object. Judges nothing.

use std::{cell::Cell, collections::BTreeMap};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{
    judge::{self, Verdict},
    stage::Stage,
};
use crate::{
    cli::words::{Language, count, field, items, short_moment, table},
    tenant::CallError,
};

/// Lines of each history in the end.
const SHORT: usize = 12;

/// What the verdict tells, by the names of its fields.
#[rustfmt::skip]
const VERDICT: [(&str, &str, &str); 9] = [
    ("orders_imported", "取引になった受注", "orders imported"),
    ("orders_refused", "理由つきで見送った受注", "orders refused, with a reason"),
    ("orders_undone", "取り消した取引", "transactions undone"),
    ("orders_unaccounted", "行方の分からない受注", "orders unaccounted for"),
    ("amounts_wrong", "金額の違う取引", "transactions with another amount"),
    ("duplicate_transactions", "二重の取引", "duplicate transactions"),
    ("stock_changes_decided", "判断した在庫変動", "stock changes decided"),
    ("stock_rows_sent", "送って反映された行", "stock rows sent and applied"),
    ("unexplained_stock_differences", "説明のつかない在庫の差", "unexplained stock differences"),
];

/// The teller.
pub struct Story {
    language: Language,
    json: bool,
    progress: ProgressBar,
    decided: Cell<u64>,
}

impl Story {
    /// A story in this language; with `json` only the verdict is told.
    pub fn new(language: Language, json: bool) -> Self {
        let progress = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            progress.set_style(style);
        }
        Self {
            language,
            json,
            progress,
            decided: Cell::new(0),
        }
    }

    /// Rows of Smaregi's history that the rounds decided.
    pub fn decided(&self) -> u64 {
        self.decided.get()
    }

    fn say(&self, line: &str) {
        if !self.json {
            self.progress.suspend(|| println!("{line}"));
        }
    }

    /// What is being waited for.
    pub fn waiting(&self, ja: &str, en: &str) {
        self.progress
            .set_message(self.language.of(ja, en).to_owned());
        self.progress.tick();
    }

    /// A new part of the day.
    pub fn chapter(&self, ja: &str, en: &str) {
        self.say(&format!("\n■ {}", self.language.of(ja, en)));
        self.waiting(ja, en);
    }

    /// The connection check.
    pub fn checked(&self, shop: &str, check: &Value) {
        let until = |pointer: &str| {
            check
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        let (access, refresh) = (
            until("/tokens/access-expires-at"),
            until("/tokens/refresh-expires-at"),
        );
        let (access, refresh) = (short_moment(&access), short_moment(&refresh));
        self.say(&match self.language {
            Language::Ja => format!("  接続確認({shop}): 成功。アクセストークンは {access} まで、リフレッシュトークンは {refresh} まで"),
            Language::En => format!("  Connection of {shop}: good. Access token until {access}, refresh token until {refresh}"),
        });
    }

    /// How far an import is.
    pub fn importing(&self, shop: &str, [_, done, _]: [u64; 3]) {
        self.progress.set_message(match self.language {
            Language::Ja => format!("店舗{shop}: {done}件を取引に登録"),
            Language::En => format!("Shop {shop}: {done} registered"),
        });
        self.progress.tick();
    }

    /// A shop's import.
    pub fn imported(&self, shop: &str, [read, done, refused]: [u64; 3]) {
        self.say(&match self.language {
            Language::Ja => format!("  店舗{shop}: {read}件を読み、{done}件を取引に登録、{refused}件は理由をつけて見送り"),
            Language::En => format!("  Shop {shop}: {read} slips read, {done} registered as transactions, {refused} refused with a reason"),
        });
    }

    /// One round of the schedule.
    pub fn round(&self, round: &Value) {
        self.decided
            .set(self.decided.get() + count(round, "changes-decided"));
        self.progress.tick();
        let told = [
            ("orders-registered", "取引登録", "registered"),
            ("orders-undone", "取消", "undone"),
            ("orders-refused", "見送り", "refused"),
            ("changes-decided", "在庫変動の判断", "stock changes decided"),
            (
                "rows-applied",
                "ネクストエンジンで反映",
                "applied at Next Engine",
            ),
            ("rows-returned", "差し戻し", "given back"),
        ];
        let parts: Vec<String> = told
            .iter()
            .filter(|(name, _, _)| count(round, name) > 0)
            .map(|(name, ja, en)| format!("{} {}", self.language.of(ja, en), count(round, name)))
            .collect();
        if !parts.is_empty() {
            self.say(&format!("  {}", parts.join(" · ")));
        }
        if let Some(trouble) = round.get("trouble").filter(|trouble| !trouble.is_null()) {
            self.say(&format!("  ! {}", self.language.reason(trouble)));
        }
    }

    /// A retry.
    pub fn retried(&self, progress: &Value) {
        let (done, refused) = (count(progress, "registered"), count(progress, "refused"));
        self.say(&match self.language {
            Language::Ja => {
                format!("  再取込: {done}件を登録、{refused}件はまだ理由があって見送り")
            }
            Language::En => format!("  Retry: {done} registered, {refused} still refused"),
        });
    }

    /// Histories in short, requests, the comparison, the verdict.
    ///
    /// # Errors
    /// When a history cannot be read.
    pub async fn finish(&self, stage: &Stage, verdict: &Verdict) -> Result<(), CallError> {
        self.progress.finish_and_clear();
        if self.json {
            println!(
                "{}",
                serde_json::to_string_pretty(verdict).unwrap_or_default()
            );
            return Ok(());
        }
        let sent = judge::history(stage, "history.sent").await?;
        self.sent(&sent);
        let received = judge::history(stage, "history.received").await?;
        self.received(&received);
        self.requests(&verdict.requests);
        self.comparison(&verdict.comparison);
        self.verdict(verdict);
        Ok(())
    }

    fn sent(&self, entries: &[Value]) {
        let of = |ja, en| self.language.of(ja, en);
        let mut shown = table(&[
            of("日時", "when"),
            of("原因", "cause"),
            of("商品", "product"),
            of("数", "quantity"),
            of("前→後", "before→after"),
            of("結果", "result"),
            of("理由", "reason"),
        ]);
        let mut unsent: BTreeMap<String, usize> = BTreeMap::new();
        for entry in entries
            .iter()
            .filter(|entry| field(entry, "outcome") == "not-sent")
        {
            let reason = entry
                .pointer("/reason/message")
                .map(|message| self.language.text(message))
                .unwrap_or_default();
            *unsent.entry(reason).or_default() += 1;
        }
        for entry in entries
            .iter()
            .filter(|entry| field(entry, "outcome") != "not-sent")
            .take(SHORT)
        {
            let reason = entry
                .get("reason")
                .map(|reason| self.language.reason(reason))
                .unwrap_or_default();
            let before_after = format!("{}→{}", field(entry, "before"), field(entry, "after"));
            shown.add_row([
                short_moment(&field(entry, "at")),
                self.language.terms(entry, "triggers"),
                field(entry, "product-code"),
                field(entry, "quantity"),
                before_after,
                self.language.terms(entry, "outcome"),
                reason,
            ]);
        }
        println!(
            "\n■ {} ({})\n{shown}",
            of("送信履歴", "Send history"),
            entries.len()
        );
        for (reason, rows) in unsent {
            println!(
                "  {rows:>5}  {}:\n         {reason}",
                of("送らなかった変動", "changes not sent")
            );
        }
    }

    fn received(&self, entries: &[Value]) {
        let of = |ja, en| self.language.of(ja, en);
        let mut shown = table(&[
            of("日時", "when"),
            of("伝票", "slip"),
            of("取引", "transaction"),
            of("金額", "amount"),
            of("結果", "result"),
            of("理由", "reason"),
        ]);
        let telling = |entry: &&Value| field(entry, "outcome") != "registered";
        for entry in entries
            .iter()
            .filter(telling)
            .take(SHORT)
            .chain(entries.iter().filter(|entry| !telling(entry)).take(3))
        {
            let reason = entry
                .get("reason")
                .map(|reason| self.language.reason(reason))
                .unwrap_or_default();
            shown.add_row([
                short_moment(&field(entry, "at")),
                field(entry, "slip"),
                field(entry, "transaction-id"),
                field(entry, "amount"),
                self.language.terms(entry, "outcome"),
                reason,
            ]);
        }
        println!(
            "\n■ {} ({})\n{shown}",
            of(
                "受信履歴(取り消しと見送りを先に)",
                "Reception history (undone and refused first)"
            ),
            entries.len()
        );
    }

    fn requests(&self, requests: &Value) {
        let of = |ja, en| self.language.of(ja, en);
        let mut shown = table(&[
            of("サービス", "service"),
            of("エンドポイント", "endpoint"),
            of("回数", "requests"),
        ]);
        for (service, endpoints) in requests.as_object().into_iter().flatten() {
            for (endpoint, calls) in endpoints.as_object().into_iter().flatten() {
                shown.add_row([service.clone(), endpoint.clone(), calls.to_string()]);
            }
        }
        println!(
            "\n■ {}\n{shown}",
            of(
                "呼び出し回数(両サービスが数えたもの)",
                "Requests, as both services counted them"
            )
        );
    }

    fn comparison(&self, comparison: &Value) {
        let of = |ja, en| self.language.of(ja, en);
        let mut shown = table(&[
            of("商品", "product"),
            of("スマレジ", "Smaregi"),
            of("ネクストエンジン", "Next Engine"),
            of("差", "difference"),
            of("理由", "explained by"),
        ]);
        let lines: Vec<&Value> = items(comparison, "lines").collect();
        for line in lines.iter().filter(|line| field(line, "difference") != "0") {
            let reasons = items(line, "explanations").map(|part| {
                format!(
                    "{}: {}",
                    field(part, "quantity"),
                    part.get("reason")
                        .map(|reason| self.language.reason(reason))
                        .unwrap_or_default()
                )
            });
            shown.add_row([
                field(line, "code"),
                field(line, "smaregi"),
                field(line, "next-engine"),
                field(line, "difference"),
                reasons.collect::<Vec<_>>().join("\n"),
            ]);
        }
        let equal = lines
            .iter()
            .filter(|line| field(line, "difference") == "0")
            .count();
        println!("\n■ {}", of("在庫照合", "Stock on both sides"));
        println!(
            "{}",
            match self.language {
                Language::Ja => format!(
                    "  {}商品のうち{equal}商品は一致。違いのあるもの:",
                    lines.len()
                ),
                Language::En => format!(
                    "  {equal} of {} products are equal. The others:",
                    lines.len()
                ),
            }
        );
        println!("{shown}");
    }

    fn verdict(&self, verdict: &Verdict) {
        let of = |ja, en| self.language.of(ja, en);
        let counts = serde_json::to_value(verdict).unwrap_or_default();
        let title = of(
            "両サービスの帳簿による判定",
            "Verdict, by both services' own books",
        );
        println!("\n■ {title}");
        for (name, ja, en) in VERDICT {
            println!("  {:>5}  {}", count(&counts, name), of(ja, en));
        }
        for wrong in &verdict.wrong {
            println!("      !  {wrong}");
        }
        let agree = of("両方の帳簿は合っています。", "The books agree.");
        let differ = of("帳簿が合っていません。", "THE BOOKS DO NOT AGREE.");
        println!("\n{}", if verdict.is_good() { agree } else { differ });
    }

    /// What stays up.
    pub fn kept(&self, stage: &Stage, console: &str) {
        eprintln!(
            "{} {} · Next Engine {} · Smaregi {} · API token {}",
            self.language.of(
                "動いています。Ctrl-C で終わります:",
                "Still running; Ctrl-C ends it:"
            ),
            stage.base(),
            stage.sandbox.ne_api(),
            stage.sandbox.smaregi_api(),
            stage.api_token(),
        );
        let open = self.language.of("管理画面:", "The console:");
        eprintln!("{open} {console}");
    }
}
