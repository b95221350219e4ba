//! 受注受信設定 and 受注受信詳細設定, as they are told and limited.

use super::{
    Field, Kind, List, NONE, Words, field,
    text::Form::{Any, Id, Needed},
};

pub(super) const ORDERS: &[Field] = &[
    field(
        "receiving-stores",
        ("受信店舗", "Receiving stores"),
        (
            "同じ店舗に計上する行は、端末番号がそれぞれ違うようにします。",
            "Rows that book into the same store each have a terminal number of their own.",
        ),
        Kind::List(&List {
            title: ("受信店舗", "Receiving store"),
            entry: Kind::Record(RECEIVING_STORE),
            once: &["shop-id"],
        }),
    ),
    field(
        "charge",
        ("手数料", "Charge"),
        (
            "未設定なら、手数料のある受注は取り込みません。取引明細なら、この商品コードの明細になります。",
            "Not set: an order with a charge is refused. Line: it becomes a line with this product code.",
        ),
        Kind::Fee,
    )
    .chosen_from("products"),
    field(
        "delivery",
        ("発送代", "Delivery"),
        (
            "未設定なら、発送代のある受注は取り込みません。",
            "Not set: an order with a delivery fee is refused.",
        ),
        Kind::Fee,
    )
    .chosen_from("products"),
    field(
        "other",
        ("他費用", "Other cost"),
        (
            "未設定なら、他費用のある受注は取り込みません。マイナスの金額(クーポンなど)は小計値引きになります。",
            "Not set: an order with other cost is refused. A negative amount (a coupon) becomes a discount of the subtotal.",
        ),
        Kind::Fee,
    )
    .chosen_from("products"),
    field(
        "points",
        ("ポイント数", "Points"),
        (
            "未設定なら、ポイントを使った受注は取り込みません。",
            "Not set: an order with points is refused.",
        ),
        Kind::Choice(&[
            ("unset", ("未設定", "not set")),
            (
                "subtotal-discount",
                ("小計値引き", "discount of the subtotal"),
            ),
        ]),
    ),
    field(
        "moment",
        (
            "取り込む受注の状態",
            "State from which an order becomes a sale",
        ),
        (
            "出荷確定済なら、売上と在庫が両方で同じ日に動きます。",
            "With shipped, sale and stock move on the same day on both sides.",
        ),
        Kind::Choice(&[
            ("shipped", ("出荷確定済(50)", "shipped (50)")),
            (
                "ready-to-ship",
                (
                    "納品書印刷待ち以降(20〜50)",
                    "ready to ship, or later (20 to 50)",
                ),
            ),
            ("issued", ("起票済以降(2〜50)", "issued, or later (2 to 50)")),
        ]),
    ),
    field(
        "tax-rounding",
        ("消費税の1円未満", "A fraction of a yen of tax"),
        NONE,
        Kind::Choice(&[
            ("down", ("切り捨て", "down")),
            ("half-up", ("四捨五入", "half up")),
            ("up", ("切り上げ", "up")),
        ]),
    ),
    field(
        "payments",
        ("支払区分ごとの扱い", "By Next Engine's payment method"),
        NONE,
        Kind::List(&List {
            title: ("支払区分", "Payment method"),
            entry: Kind::Record(PAYMENT),
            once: &["method-id"],
        }),
    ),
    field(
        "default-payment",
        (
            "下の表にない支払方法の扱い",
            "Payment methods that are not in the table",
        ),
        NONE,
        Kind::Choice(PAYMENT_KINDS),
    ),
];

const RECEIVING_STORE: &[Field] = &[
    field(
        "store-id",
        ("店舗(スマレジ)", "Store (Smaregi)"),
        (
            "売上を計上する店舗のID。",
            "The id of the store that books the sales.",
        ),
        Kind::Text(Id),
    )
    .chosen_from("smaregi-stores"),
    field(
        "start-date",
        ("取込開始日", "Import from"),
        (
            "これより前の受注は取り込みません(出荷日、未出荷なら受注日)。",
            "Earlier orders are never imported (by ship date, or order date where not shipped).",
        ),
        Kind::Date,
    ),
    field(
        "shop-id",
        ("ネクストエンジン店舗", "Next Engine shop"),
        (
            "ネクストエンジンの店舗ID。",
            "The shop's id at Next Engine.",
        ),
        Kind::Text(Id),
    )
    .chosen_from("next-engine-shops"),
    field(
        "shop-name",
        ("ネクストエンジン店舗名", "Next Engine shop name"),
        (
            "表示と、取引のタグに使います。",
            "For people, and for the transaction's tag.",
        ),
        Kind::Text(Any),
    ),
    field(
        "source-store-id",
        ("在庫移動元店舗(スマレジ)", "Stock from (Smaregi store)"),
        (
            "倉庫などに在庫を集め、店舗自体に在庫を持たせないときだけ。",
            "Only where the goods lie in another store, such as a warehouse.",
        ),
        Kind::Optional(Id),
    )
    .chosen_from("smaregi-stores"),
    field(
        "terminal-id",
        ("スマレジの端末番号", "Terminal number in Smaregi"),
        (
            "空欄なら 900000 に店舗IDを足した番号になります。",
            "Empty: 900000 plus the shop id.",
        ),
        Kind::Optional(Id),
    ),
];

const PAYMENT: &[Field] = &[
    field(
        "method-id",
        ("支払区分ID", "Payment method id"),
        NONE,
        Kind::Text(Needed),
    )
    .chosen_from("payment-methods"),
    field(
        "kind",
        ("扱い", "Booked as"),
        NONE,
        Kind::Choice(PAYMENT_KINDS),
    ),
];

const PAYMENT_KINDS: &[(&str, Words)] = &[
    ("credit", ("クレジット", "credit")),
    ("cash", ("現金", "cash")),
];
