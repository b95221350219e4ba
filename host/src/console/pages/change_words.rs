//! What the audit log's words and the settings' paths are called on a page: each setting as its form calls it. Decides nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{connection_view, details, sent_table::word, stock, store};
use crate::console::{
    form::{Field, Kind},
    language::Language,
    show::{items, text},
};

/// What somebody can do.
const ACTIONS: [(&str, &str, &str); 18] = [
    ("settings", "設定の変更", "changed settings"),
    ("switched-on", "連携オン", "switched the link on"),
    ("switched-off", "連携オフ", "switched the link off"),
    (
        "login-begun",
        "ネクストエンジンへのログイン開始",
        "began a login to Next Engine",
    ),
    ("checked", "接続確認", "checked the connection"),
    (
        "disconnected",
        "ログイン情報の消去",
        "forgot the login to Next Engine",
    ),
    ("invited", "招待リンクの作成", "made an invitation"),
    ("password-set", "パスワードの設定", "set a password"),
    ("import", "手動取込", "imported by hand"),
    ("retried", "再取込", "took orders in again"),
    ("resent", "再送信", "sent stock again"),
    ("aligned", "在庫合わせ", "aligned stock"),
    ("compared", "在庫照合", "compared stock"),
    ("exported", "データの書き出し", "exported the data"),
    ("notices", "お知らせの設定の変更", "changed who is told"),
    ("shop-added", "店舗の追加", "added a shop"),
    ("shop-removed", "店舗の削除", "removed a shop"),
    ("notices-tested", "お知らせの試し送り", "sent a test notice"),
];

/// What was acted on, and settings that no field holds by itself.
const THINGS: [(&str, &str, &str); 16] = [
    ("shop", "店舗", "shop"),
    ("shop-id", "ネクストエンジン店舗ID", "Next Engine shop"),
    ("retry", "対象", "which"),
    ("products", "商品の数", "products"),
    ("codes", "商品コード", "product codes"),
    (
        "over-guard",
        "大量変更の確認を越える",
        "beyond the guard against mass changes",
    ),
    (
        "backlog",
        "オフの間の在庫変動",
        "stock that moved while off",
    ),
    ("orders.receiving-stores", "受信店舗", "Receiving store"),
    (
        "orders.payments",
        "支払区分ごとの扱い",
        "By Next Engine's payment method",
    ),
    ("rows", "行の数", "rows"),
    ("data", "データ", "data"),
    ("notices.language", "お知らせの言語", "language of notices"),
    ("notices.addresses", "メールアドレス", "e-mail addresses"),
    ("notices.webhook", "Webhook", "webhook"),
    ("notices.causes", "お知らせすること", "what is told"),
    ("notices.places", "宛先の数", "places"),
];

/// What was done.
pub fn action(language: Language, action: &str) -> String {
    word(language, &ACTIONS, action)
}

/// What a path is called, with the place in its list; an unknown one as it is.
pub fn field(language: Language, path: &str) -> String {
    let Some((list, rest)) = path.split_once('[') else {
        return plain(language, path);
    };
    let Some((index, name)) = rest.split_once(']') else {
        return plain(language, path);
    };
    let number = index.parse::<usize>().map_or(0, |index| index + 1);
    let row = format!("{} {number}", plain(language, list));
    if name.is_empty() {
        return row;
    }
    // The forms' first row stands for each.
    let first = format!("{list}[0]{name}");
    let named = plain(language, &first);
    if named == first {
        format!("{row} {}", name.trim_start_matches('.'))
    } else {
        format!("{row} {named}")
    }
}

/// A value of a path as its form calls it; any other as it is.
pub fn value(language: Language, path: &str, value: &str) -> String {
    if let Some(told) = of_things(language, path, value) {
        return told;
    }
    let kind = named(path).map(|field| field.kind);
    match kind {
        Some(Kind::Choice(words)) => word(language, words, value),
        Some(Kind::Flag) => word(
            language,
            &[("true", "はい", "yes"), ("false", "いいえ", "no")],
            value,
        ),
        Some(Kind::Fee) => fee(language, value),
        Some(Kind::List) => {
            let list: Value = serde_json::from_str(value).unwrap_or_default();
            let each = items(&list, "").iter().filter_map(Value::as_str);
            each.collect::<Vec<_>>().join(", ")
        }
        _ => row(language, path, value).unwrap_or_else(|| value.to_owned()),
    }
}

/// A whole row of a list that came or went: each of its fields that is set, as the form calls it.
fn row(language: Language, path: &str, value: &str) -> Option<String> {
    let (list, _) = path.strip_suffix(']')?.rsplit_once('[')?;
    let fields: BTreeMap<String, Value> = serde_json::from_str(value).ok()?;
    let told = fields.iter().filter_map(|(name, value)| {
        let path = format!("{list}[0].{name}");
        let value = value.as_str().filter(|value| !value.is_empty())?;
        Some(format!(
            "{}: {}",
            plain(language, &path),
            self::value(language, &path, value)
        ))
    });
    Some(told.collect::<Vec<_>>().join(language.of("、", ", ")))
}

/// What was acted on, where its value is a word of ours.
fn of_things(language: Language, path: &str, value: &str) -> Option<String> {
    let (ja, en) = match (path, value) {
        ("codes", "all") => ("説明のつかない差すべて", "all unexplained"),
        ("over-guard", "true") => ("はい", "yes"),
        ("over-guard", "false") => ("いいえ", "no"),
        ("backlog", "leave") => ("送らない", "left"),
        ("backlog", "send") => ("送る", "sent"),
        ("retry", choice) => {
            let choice: Value = serde_json::from_str(choice).ok()?;
            return Some(match text(&choice, "/slip") {
                "" => language
                    .of("取り込めなかったものすべて", "all refused")
                    .to_owned(),
                slip => format!("{} {slip}", language.of("伝票", "slip")),
            });
        }
        _ => return None,
    };
    Some(language.of(ja, en).to_owned())
}

fn fee(language: Language, value: &str) -> String {
    let mode: Value = serde_json::from_str(value).unwrap_or_default();
    match (value, text(&mode, "/line")) {
        ("unset", _) => language.of("未設定", "not set").to_owned(),
        (other, "") => other.to_owned(),
        (_, code) => format!("{} {code}", language.of("取引明細", "line")),
    }
}

/// The field of a path. A fee's product code lies within the fee's field.
fn named(path: &str) -> Option<Field> {
    let whole = path.strip_suffix(".line").unwrap_or(path);
    fields().into_iter().find(|field| field.path == whole)
}

fn plain(language: Language, path: &str) -> String {
    match named(path) {
        Some(field) if !field.label.0.is_empty() => {
            language.of(field.label.0, field.label.1).to_owned()
        }
        _ => word(language, &THINGS, path),
    }
}

/// The fields of all forms.
fn fields() -> Vec<Field> {
    [
        connection_view::all(),
        stock::all(),
        details::all(),
        store::fields(0),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tests::{alone, usual};

    /// A field's schema in the component's form.
    fn schema<'a>(form: &'a Value, path: &str) -> Option<&'a Value> {
        path.split('.').try_fold(form, |schema, name| {
            let (name, is_row) = match name.split_once('[') {
                Some((name, _)) => (name, true),
                None => (name, false),
            };
            let of = schema.get("properties")?.get(name)?;
            if is_row { of.get("items") } else { Some(of) }
        })
    }

    #[tokio::test]
    async fn settings_are_called_as_in_the_components_form() {
        let runtime = usual();
        for language in [Language::Ja, Language::En] {
            let given = serde_json::json!({ "language": language.code() });
            let form = runtime.call(&alone(), "settings.form", &given).await;
            let form: Value =
                serde_json::from_str(form.unwrap().unwrap().as_str().unwrap()).unwrap();
            for field in fields().iter().filter(|field| !field.label.0.is_empty()) {
                let schema = schema(&form, &field.path).unwrap_or(&Value::Null);
                let (ja, en) = field.label;
                assert_eq!(
                    text(schema, "/title"),
                    language.of(ja, en),
                    "{}",
                    field.path
                );
                let Kind::Choice(words) = field.kind else {
                    continue;
                };
                let told = items(schema, "/oneOf").iter();
                let told = told.map(|word| (text(word, "/const"), text(word, "/title")));
                let words = words
                    .iter()
                    .map(|(word, ja, en)| (*word, language.of(ja, en)));
                assert!(told.eq(words), "{}", field.path);
            }
        }
    }

    #[test]
    fn settings_are_called_as_in_their_forms() {
        for (path, ja) in [
            ("orders.charge", "手数料"),
            ("orders.charge.line", "手数料"),
            (
                "orders.receiving-stores[1].start-date",
                "受信店舗 2 取込開始日",
            ),
            ("orders.receiving-stores[0]", "受信店舗 1"),
            ("orders.payments[0].kind", "支払区分ごとの扱い 1 kind"),
            ("something.new", "something.new"),
        ] {
            assert_eq!(field(Language::Ja, path), ja, "{path}");
        }
        for (path, given, ja) in [
            ("orders.charge", "{\"line\":\"EC-FEE\"}", "取引明細 EC-FEE"),
            ("orders.charge", "unset", "未設定"),
            ("orders.charge.line", "EC-FEE", "EC-FEE"),
            ("orders.points", "subtotal-discount", "小計値引き"),
            ("stock.triggers.loss", "true", "はい"),
            ("stock.stores", "[\"1\",\"3\"]", "1, 3"),
            ("stock.stores", "", ""),
            ("pace.import-minutes", "15", "15"),
            ("something.new", "{}", "{}"),
            ("retry", "{\"slip\":\"1001\"}", "伝票 1001"),
            (
                "retry",
                "{\"all-refused\":true}",
                "取り込めなかったものすべて",
            ),
            ("backlog", "leave", "送らない"),
        ] {
            assert_eq!(value(Language::Ja, path, given), ja, "{path} {given}");
        }
        let store = r#"{"shop-id":"2","store-id":"1","source-store-id":null,"shop-name":"公式","start-date":"2026-11-01"}"#;
        assert_eq!(
            value(Language::Ja, "orders.receiving-stores[1]", store),
            "ネクストエンジン店舗: 2、ネクストエンジン店舗名: 公式、取込開始日: 2026-11-01、店舗(スマレジ): 1"
        );
        assert_eq!(action(Language::En, "aligned"), "aligned stock");
        assert_eq!(action(Language::En, "new-word"), "new-word");
    }
}
