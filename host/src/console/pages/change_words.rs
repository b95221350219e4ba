//! What the audit log's words and the settings' paths are called on a page: each setting as its form calls it. Decides nothing.

use super::{connection_view, details, sent_table::word, stock, store};
use crate::console::{form::Field, language::Language};

/// What somebody can do.
const ACTIONS: [(&str, &str, &str); 14] = [
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
];

/// What was acted on, and settings that no field holds by itself.
const THINGS: [(&str, &str, &str); 10] = [
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

fn plain(language: Language, path: &str) -> String {
    // A fee's product code lies within the fee's field.
    let whole = path.strip_suffix(".line").unwrap_or(path);
    let found = fields().into_iter().find(|field| field.path == whole);
    match found {
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
        assert_eq!(action(Language::En, "aligned"), "aligned stock");
        assert_eq!(action(Language::En, "new-word"), "new-word");
    }
}
