//! Next Engine's fixed lists: statuses, cancel types, payment methods, tax kinds (next-engine.md 2.2 to 2.5).
//! It must hold nothing that a shop can change.

use serde_json::{Value, json};

/// An id with its name.
pub type Entry = (u32, &'static str);

/// 受注状態区分.
pub const ORDER_STATUSES: &[Entry] = &[
    (0, "取込情報不足"),
    (1, "受注メール取込済"),
    (2, "起票済(CSV/手入力)"),
    (20, "納品書印刷待ち"),
    (30, "納品書印刷中"),
    (40, "納品書印刷済"),
    (50, "出荷確定済(完了)"),
];

/// 受注キャンセル区分; names are put in our own words.
pub const CANCEL_TYPES: &[Entry] = &[
    (0, "有効な受注です。"),
    (1, "お客様都合"),
    (2, "お客様による明細取消"),
    (3, "他の伝票に同梱"),
    (4, "カード否決"),
    (5, "店舗都合"),
    (6, "不良品返品"),
    (7, "処理済み"),
    (8, "お客様都合返品"),
    (11, "取置期限切れ"),
    (12, "確認後有効にする"),
    (14, "長期不在返品"),
    (15, "受取拒否"),
    (16, "クレーム返品"),
    (17, "誤配送返品"),
    (18, "出荷遅延"),
    (19, "住所不明"),
    (20, "未入金"),
];

/// 支払区分.
pub const PAYMENT_METHODS: &[Entry] = &[
    (0, "クレジットカード"),
    (1, "代金引換"),
    (15, "銀行振込前払い"),
    (16, "銀行振込後払い"),
    (20, "郵便振替"),
    (32, "コンビニ決済"),
    (44, "Yahoo!決済"),
    (48, "Amazon決済"),
    (60, "PayPal"),
    (70, "その他2"),
    (85, "全額ポイント"),
    (90, "サンプル・貸出"),
    (95, "掛売り"),
    (96, "その他"),
    (99, "支払済"),
];

/// 税区分; ids and names are assumed.
const TAXES: &[Entry] = &[(0, "税込み"), (1, "税抜き")];
/// 入金状況区分; 1 is assumed.
pub const DEPOSIT_TYPES: &[Entry] = &[(0, "未入金"), (1, "一部入金"), (2, "入金済み")];
/// 端数処理区分.
const FRACTIONS: &[Entry] = &[(0, "切り捨て"), (1, "四捨五入"), (2, "切り上げ")];

/// 受注取込区分 (next-engine.md 2.1).
const IMPORT_TYPES: &[Entry] = &[(0, "メール"), (1, "CSV"), (2, "手入力")];
/// 顧客区分 (next-engine.md 2.6); 0 is assumed.
const CUSTOMER_TYPES: &[Entry] = &[(0, "一般"), (9, "卸")];
/// 通貨単位 (next-engine.md 2.4).
const CURRENCY_UNITS: &[Entry] = &[(1, "円")];

/// 入出庫区分, as the movements here carry it (assumed).
const IO_TYPES: &[Entry] = &[
    (2, "出荷"),
    (3, "出荷取消"),
    (4, "返品"),
    (5, "一括登録"),
    (9, "在庫調整"),
];
/// 商品区分: 10 and 20 as in next-engine.md 4.2, 4.5; 0 is assumed.
const GOODS_TYPES: &[Entry] = &[(0, "通常商品"), (10, "予約商品"), (20, "受注生産")];
/// 取扱区分 (assumed).
const MERCHANDISES: &[Entry] = &[(0, "取扱中"), (1, "取扱中止")];
/// 返品事由区分 (assumed).
const RETURNED_REASONS: &[Entry] = &[(0, "お客様都合"), (1, "不良品"), (2, "誤配送")];

/// The name of an id; empty when the list has none.
pub fn name(list: &[Entry], id: u32) -> &'static str {
    list.iter()
        .find(|entry| entry.0 == id)
        .map_or("", |entry| entry.1)
}

/// The rows of `/api_v1_system_<which>/info`; `None` when there is no such list here.
pub fn info(which: &str) -> Option<Vec<Value>> {
    let (prefix, list) = match which {
        "orderstatus" => ("order_status", ORDER_STATUSES),
        "canceltype" => ("cancel_type", CANCEL_TYPES),
        "paymentmethod" => ("payment_method", PAYMENT_METHODS),
        "tax" => ("tax", TAXES),
        "deposittype" => ("deposit_type", DEPOSIT_TYPES),
        "fraction" => ("fraction", FRACTIONS),
        "importtype" => ("import_type", IMPORT_TYPES),
        "customertype" => ("customer_type", CUSTOMER_TYPES),
        "currencyunit" => ("currencyunit", CURRENCY_UNITS),
        "iotype" => ("io_type", IO_TYPES),
        "goodstype" => ("goods_type", GOODS_TYPES),
        "merchandise" => ("merchandise", MERCHANDISES),
        "returnedreason" => ("returned_reason", RETURNED_REASONS),
        _ => return None,
    };
    let row = |entry: &Entry| {
        json!({
            format!("{prefix}_id"): entry.0.to_string(),
            format!("{prefix}_name"): entry.1,
            format!("{prefix}_deleted_flag"): "0",
        })
    };
    Some(list.iter().map(row).collect())
}
