//! Showing answers: tables for people in their language, JSON for programs. Decides nothing.

mod story;

use serde_json::Value;

use super::words::{Language, count, field, items, table};

/// How to show.
pub struct Show {
    /// The language.
    pub language: Language,
    /// One JSON value instead.
    pub json: bool,
}

impl Show {
    /// Any value, as JSON.
    pub fn value(&self, value: &Value) {
        outln!(
            "{}",
            serde_json::to_string_pretty(value).unwrap_or_default()
        );
    }

    /// A function's answer.
    pub fn answer(&self, function: &str, answer: &Value) {
        if self.json {
            return self.value(answer);
        }
        match function {
            "connection.check" => self.check(answer),
            "connection.get-status" => self.status(answer),
            "orders.preview" => self.previews(answer),
            "orders.stores" => self.stores(answer),
            "stock.compare" => self.comparison(answer),
            "stock.align" => self.alignment(answer),
            "history.sent" => self.sent(answer),
            "history.received" => self.received(answer),
            "history.story" => self.story(answer),
            "schedule.calls" => self.calls(answer),
            _ => outln!("{}", self.line(function, answer)),
        }
    }

    fn of<'a>(&self, ja: &'a str, en: &'a str) -> &'a str {
        self.language.of(ja, en)
    }

    fn rows<'a>(&self, head: &[&str], rows: impl Iterator<Item = Vec<String>> + 'a) {
        let mut shown = table(head);
        rows.for_each(|row| {
            shown.add_row(row);
        });
        outln!("{shown}");
    }

    /// Counts in one line.
    pub fn line(&self, function: &str, progress: &Value) -> String {
        if function == "stock.resend" {
            return format!(
                "{progress} {}",
                self.of("商品を再送信の対象にしました。", "products released.")
            );
        }
        let words = [
            ("slips-read", "読んだ伝票", "slips read"),
            ("registered", "取引登録", "registered"),
            ("undone", "取消", "undone"),
            ("refused", "見送り", "refused"),
            ("waiting", "作業中", "under way"),
            ("changes-decided", "在庫変動の判断", "changes decided"),
            ("rows-applied", "反映", "applied"),
            ("rows-returned", "差し戻し", "given back"),
            ("products-waiting", "送信待ち", "waiting"),
            ("products-held", "保留", "held"),
        ];
        let known = words
            .iter()
            .filter(|(name, _, _)| progress.get(*name).is_some());
        known
            .map(|(name, ja, en)| format!("{} {}", self.of(ja, en), count(progress, name)))
            .collect::<Vec<_>>()
            .join(" · ")
    }

    /// Where to log in.
    pub fn login_link(&self, address: &str, until: chrono::DateTime<chrono::Utc>) {
        if self.json {
            return self.value(&serde_json::json!({ "address": address, "expires-at": until }));
        }
        outln!(
            "{}\n{address}",
            self.of(
                "`tsunagi serve` を動かして、30分以内にブラウザでここを開いてください。一度だけ使えます:",
                "With `tsunagi serve` running, open this in a browser within 30 minutes; it works once:"
            )
        );
    }

    /// Settings were stored.
    pub fn stored(&self, settings: &Value) {
        if self.json {
            return self.value(settings);
        }
        outln!("{}", self.of("設定を保存しました。", "Settings stored."));
    }

    /// Problems of settings.
    pub fn problems(&self, problems: &Value) {
        if self.json {
            return self.value(problems);
        }
        for problem in problems.as_array().into_iter().flatten() {
            let reason = problem
                .get("reason")
                .map(|reason| self.language.reason(reason))
                .unwrap_or_default();
            outln!("{}: {reason}", field(problem, "field"));
        }
    }

    /// Hosts as the configuration lists them.
    pub fn hosts(&self, hosts: &Value) {
        if self.json {
            return self.value(hosts);
        }
        for host in hosts.as_array().into_iter().flatten() {
            outln!("{}://{}", field(host, "scheme"), field(host, "authority"));
        }
    }

    fn reason(&self, entry: &Value) -> String {
        entry
            .get("reason")
            .map(|reason| self.language.reason(reason))
            .unwrap_or_default()
    }

    fn check(&self, report: &Value) {
        for (side, name) in [
            ("next-engine", self.of("ネクストエンジン", "Next Engine")),
            ("smaregi", self.of("スマレジ", "Smaregi")),
        ] {
            let side = report.get(side).cloned().unwrap_or_default();
            let good = side.get("ok").and_then(Value::as_bool) == Some(true);
            outln!(
                "{name}: {}",
                if good {
                    self.of("成功", "good").to_owned()
                } else {
                    self.reason(&side)
                }
            );
        }
        self.tokens(report);
        for scope in items(report, "missing-scopes").filter_map(Value::as_str) {
            outln!("{}: {scope}", self.of("足りないスコープ", "missing scope"));
        }
    }

    fn tokens(&self, holder: &Value) {
        if let Some(tokens) = holder.get("tokens").filter(|tokens| !tokens.is_null()) {
            outln!(
                "{}: {}",
                self.of("アクセストークンの有効期限", "access token until"),
                field(tokens, "access-expires-at")
            );
            outln!(
                "{}: {}",
                self.of("リフレッシュトークンの有効期限", "refresh token until"),
                field(tokens, "refresh-expires-at")
            );
        }
    }

    fn status(&self, status: &Value) {
        let on = status.get("switched-on").and_then(Value::as_bool) == Some(true);
        outln!(
            "{}: {}",
            self.of("連携", "link"),
            if on {
                self.of("オン", "on")
            } else {
                self.of("オフ", "off")
            }
        );
        let company = field(status, "company-name");
        outln!(
            "{}: {}",
            self.of("企業", "company"),
            if company.is_empty() {
                self.of("未接続", "not connected")
            } else {
                &company
            }
        );
        self.tokens(status);
        if let Some(demand) = status
            .get("login-needed")
            .filter(|demand| !demand.is_null())
        {
            outln!("{}", self.language.text(demand));
        }
    }

    fn previews(&self, previews: &Value) {
        let head = [
            self.of("伝票", "slip"),
            self.of("受注番号", "order"),
            self.of("合計", "total"),
            self.of("結果", "result"),
        ];
        let row = |preview: &Value| {
            let told = |name: &str| preview.get(name).filter(|value| !value.is_null()).cloned();
            let result = match (told("sale"), told("refusal").or_else(|| told("skipped"))) {
                (Some(sale), _) => {
                    format!("→ {} {}", field(&sale, "store-id"), field(&sale, "total"))
                }
                (None, Some(reason)) => self.language.reason(&reason),
                _ => String::new(),
            };
            vec![
                field(preview, "slip"),
                field(preview, "order-number"),
                field(preview, "order-total"),
                result,
            ]
        };
        self.rows(&head, previews.as_array().into_iter().flatten().map(row));
    }

    fn stores(&self, stores: &Value) {
        let head = [
            self.of("NE店舗", "NE shop"),
            self.of("店舗", "store"),
            self.of("最終取込日時", "last imported"),
            self.of("見送り", "refused"),
        ];
        let row = |store: &Value| {
            vec![
                field(store, "shop-id"),
                field(store, "store-id"),
                field(store, "last-imported-at"),
                field(store, "refused"),
            ]
        };
        self.rows(&head, stores.as_array().into_iter().flatten().map(row));
    }

    fn comparison(&self, comparison: &Value) {
        let head = [
            self.of("商品", "product"),
            self.of("スマレジ", "Smaregi"),
            self.of("在庫数", "Next Engine"),
            self.of("フリー", "free"),
            self.of("差", "difference"),
            self.of("不明", "unexplained"),
            self.of("理由", "explained by"),
        ];
        let row = |line: &Value| {
            let parts = items(line, "explanations")
                .map(|part| format!("{}: {}", field(part, "quantity"), self.reason(part)));
            let parts = parts.collect::<Vec<_>>().join("\n");
            vec![
                field(line, "code"),
                field(line, "smaregi"),
                field(line, "next-engine"),
                field(line, "next-engine-free"),
                field(line, "difference"),
                field(line, "unexplained"),
                parts,
            ]
        };
        self.rows(
            &head,
            items(comparison, "lines")
                .filter(|line| field(line, "difference") != "0")
                .map(row),
        );
    }

    fn alignment(&self, alignment: &Value) {
        let head = [
            self.of("商品", "product"),
            self.of("送る差", "difference to send"),
        ];
        self.rows(
            &head,
            items(alignment, "lines")
                .map(|line| vec![field(line, "code"), field(line, "quantity")]),
        );
        for left in items(alignment, "left-out") {
            let why = left
                .get("reason")
                .map(|reason| self.language.reason(reason));
            let out = self.of("今回は合わせません", "left out for now");
            outln!("{} {out}: {}", field(left, "code"), why.unwrap_or_default());
        }
        match alignment.get("guard").filter(|guard| !guard.is_null()) {
            Some(guard) => outln!("{}", self.language.reason(guard)),
            None if alignment.get("queued").and_then(Value::as_bool) == Some(true) => {
                outln!(
                    "{}",
                    self.of("次の送信で送ります。", "They travel with the next batch.")
                );
            }
            None => outln!(
                "{}",
                self.of("--yes を付けると送ります。", "Add --yes to send.")
            ),
        }
    }

    fn sent(&self, entries: &Value) {
        let head = [
            self.of("日時", "when"),
            "id",
            self.of("原因", "cause"),
            self.of("商品", "product"),
            self.of("数", "quantity"),
            self.of("前", "before"),
            self.of("後", "after"),
            self.of("結果", "result"),
            self.of("理由", "reason"),
        ];
        let row = |entry: &Value| {
            let mut row: Vec<String> = [
                "at",
                "id",
                "triggers",
                "product-code",
                "quantity",
                "before",
                "after",
                "outcome",
            ]
            .map(|name| match name {
                "triggers" | "outcome" => self.language.terms(entry, name),
                _ => field(entry, name),
            })
            .to_vec();
            row.push(self.reason(entry));
            row
        };
        self.rows(&head, entries.as_array().into_iter().flatten().map(row));
    }

    fn received(&self, entries: &Value) {
        let head = [
            self.of("日時", "when"),
            self.of("伝票", "slip"),
            self.of("店舗", "store"),
            self.of("取引", "transaction"),
            self.of("金額", "amount"),
            self.of("結果", "result"),
            self.of("理由", "reason"),
        ];
        let row = |entry: &Value| {
            let mut row: Vec<String> = [
                "at",
                "slip",
                "store-id",
                "transaction-id",
                "amount",
                "outcome",
            ]
            .map(|name| match name {
                "triggers" | "outcome" => self.language.terms(entry, name),
                _ => field(entry, name),
            })
            .to_vec();
            row.push(self.reason(entry));
            row
        };
        self.rows(&head, entries.as_array().into_iter().flatten().map(row));
    }

    fn calls(&self, meter: &Value) {
        let head = [
            self.of("サービス", "service"),
            self.of("エンドポイント", "endpoint"),
            self.of("回数", "calls"),
        ];
        let row = |calls: &Value| {
            vec![
                field(calls, "side"),
                field(calls, "endpoint"),
                field(calls, "calls"),
            ]
        };
        self.rows(&head, items(meter, "endpoints").map(row));
        outln!(
            "{} {}: {}",
            field(meter, "month"),
            self.of("ネクストエンジン", "Next Engine"),
            field(meter, "next-engine-calls")
        );
        let forecast = field(meter, "next-engine-forecast");
        if !forecast.is_empty() {
            outln!(
                "{}: {forecast}",
                self.of("月末の見込み", "forecast for the month's end")
            );
        }
    }
}
