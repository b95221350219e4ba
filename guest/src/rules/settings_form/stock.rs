//! 在庫送信設定, as it is told and limited.

use super::{
    Field, Kind, List, MOST, NONE, field,
    text::Form::{Any, Id, Needed},
};

pub(super) const STOCK: &[Field] = &[
    field(
        "triggers",
        ("送信するもの", "What is sent"),
        NONE,
        Kind::Record(TRIGGERS),
    ),
    field(
        "stores",
        ("対象店舗", "Target stores"),
        (
            "ひとつも選ばなければ何も送りません。あとから加えた店舗は、加えた時点からの変動が送られます。",
            "None sends nothing. A store added later takes part from then on.",
        ),
        Kind::List(&List {
            title: ("スマレジの店舗ID", "Smaregi store id"),
            entry: Kind::Text(Id),
            once: &[],
        }),
    )
    .chosen_from("smaregi-stores"),
    field(
        "codes",
        ("商品の対応付け", "How products are matched"),
        NONE,
        Kind::Record(CODES),
    ),
    field(
        "guard",
        ("大量変更の確認", "Guard against mass changes"),
        (
            "在庫合わせがどちらかを超えるときは、人の確認を待ちます。",
            "Beyond either, an alignment waits for a person.",
        ),
        Kind::Record(GUARD),
    ),
];

const TRIGGERS: &[Field] = &[
    field(
        "correction",
        ("修正時に送信", "Corrections"),
        (
            "スマレジ管理画面から在庫を修正したとき",
            "Stock was corrected in Smaregi's back office",
        ),
        Kind::Flag,
    ),
    field(
        "sale",
        ("売上時に送信", "Sales"),
        (
            "スマレジ・アプリで販売またはキャンセルをしたとき",
            "A sale at the till, or its cancellation",
        ),
        Kind::Flag,
    ),
    field(
        "purchase",
        ("仕入時に送信", "Purchases"),
        (
            "スマレジ管理画面から入荷検品・登録をしたとき",
            "An arrival was inspected or registered in the back office",
        ),
        Kind::Flag,
    ),
    field(
        "shipment",
        ("出荷時に送信", "Shipments"),
        (
            "スマレジ・アプリで出荷登録をしたとき",
            "A shipment was registered at the till",
        ),
        Kind::Flag,
    ),
    field(
        "receipt",
        ("入庫時に送信", "Receipts"),
        (
            "スマレジ管理画面から入庫検品・登録をしたとき",
            "A transfer into a store was inspected or registered",
        ),
        Kind::Flag,
    ),
    field(
        "issue",
        ("出庫時に送信", "Issues"),
        (
            "スマレジ・アプリで出庫登録をしたとき",
            "A transfer out of a store was registered at the till",
        ),
        Kind::Flag,
    ),
    field(
        "stocktake",
        ("棚卸時に送信", "Stocktakes"),
        (
            "スマレジ管理画面から棚卸を実施したとき",
            "A stocktake was carried out in the back office",
        ),
        Kind::Flag,
    ),
    field(
        "loss",
        ("ロス時に送信", "Losses"),
        (
            "スマレジ管理画面からロスを登録したとき",
            "A loss was registered in the back office",
        ),
        Kind::Flag,
    ),
];

const CODES: &[Field] = &[
    field(
        "basis",
        (
            "ネクストエンジンの商品コードになるもの",
            "What Next Engine's product code is",
        ),
        (
            "大文字・小文字も区別して一致させます。",
            "Compared to the letter, case included.",
        ),
        Kind::Choice(&[
            (
                "product-code",
                ("スマレジの商品コード", "Smaregi's product code"),
            ),
            ("product-id", ("スマレジの商品ID", "Smaregi's product id")),
        ]),
    ),
    field(
        "prefix",
        ("前に付ける文字", "Prefix"),
        (
            "ネクストエンジンの商品コードが「この文字+スマレジの値」のときだけ入力します。",
            "Only where Next Engine's code is this followed by Smaregi's value.",
        ),
        Kind::Text(Any),
    ),
    field(
        "pairs",
        ("例外の対応", "Exceptions"),
        ("対応付けの規則より優先します。", "They go before the rule."),
        Kind::List(&List {
            title: ("1組の商品", "A pair of products"),
            entry: Kind::Record(PAIR),
            once: &["next-engine", "smaregi"],
        }),
    ),
];

const PAIR: &[Field] = &[
    field(
        "next-engine",
        ("ネクストエンジンの商品コード", "Next Engine's code"),
        NONE,
        Kind::Text(Needed),
    ),
    field(
        "smaregi",
        ("スマレジの値", "Smaregi's value"),
        NONE,
        Kind::Text(Needed),
    ),
];

const GUARD: &[Field] = &[
    field(
        "products-to-zero",
        (
            "一度に0になってよい商品数",
            "Products that one alignment may bring to zero",
        ),
        NONE,
        Kind::Number(0, MOST),
    ),
    field(
        "moved-percent",
        (
            "一度に動いてよい商品の割合(%)",
            "Share of products that one alignment may move (percent)",
        ),
        NONE,
        Kind::Number(0, 100),
    ),
];
