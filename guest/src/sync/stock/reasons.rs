//! Why a product's difference is not sent now, or left no movement, in words for people. Decides nothing.

use rust_decimal::Decimal;

use crate::{reason::Reason, rules::product::Product};

/// A row that left no movement although the stock moved meanwhile.
pub const UNCLEAR: &str = "outcome-unclear";
/// A row that Next Engine did not take.
pub const REFUSED: &str = "row-refused";
/// Code of the reason of a row that was refused for the upload's sake.
pub const BATCH_REFUSED: &str = "batch-refused";
/// A row that Next Engine booked otherwise than it was sent.
pub const APPLIED_WRONG: &str = "applied-wrong";

/// Smaregi knows no such product.
pub fn no_product(id: &str) -> Reason {
    Reason::new(
        "product-gone",
        "スマレジに商品がありません。商品を戻すか、在庫照合で合わせてください。",
        "Smaregi has no such product any more. Restore it, or align by hand.",
    )
    .field("productId")
    .value(id)
}

/// 在庫管理をしない
pub fn not_managed(product: &Product) -> Reason {
    Reason::new(
        "stock-not-managed",
        "スマレジで在庫管理をしない商品です。在庫管理を「する」にすると送信されます。",
        "Smaregi does not manage this product's stock. Switch its stock control on to send it.",
    )
    .field("stockControlDivision")
    .value(&product.code)
}

/// The code rule gives it none.
pub fn no_code(product: &Product) -> Reason {
    Reason::new(
        "no-code",
        "スマレジの商品コードが空です。商品コードを登録するか、コード対応表に加えてください。",
        "The product has no code in Smaregi. Give it one, or add it to the code table.",
    )
    .field("productCode")
    .value(&product.id)
}

/// Two products, one code.
pub fn shared_code(code: &str) -> Reason {
    Reason::new(
        "shared-code",
        "同じ商品コードの商品がスマレジに2つ以上あります。コードを分けてください。",
        "Two or more Smaregi products share this code. Give each its own.",
    )
    .field("productCode")
    .value(code)
}

/// Nothing that Next Engine can call a product.
pub fn impossible_code(code: &str, longest: usize) -> Reason {
    Reason::new(
        "impossible-code",
        format!("ネクストエンジンの商品コードにできません(半角{longest}文字まで)。コード対応表に加えてください。"),
        format!("This cannot be a code in Next Engine (half-width, at most {longest}). Add it to the code table."),
    )
    .field("syohin_code")
    .value(code)
}

/// Next Engine knows no such product.
pub fn unknown_code(code: &str) -> Reason {
    Reason::new(
        "unknown-code",
        "ネクストエンジンにこの商品コードがありません。登録すると、待っている変動も送信されます。",
        "Next Engine does not know this code. Once it is registered there, what waits is sent too.",
    )
    .field("syohin_code")
    .value(code)
}

/// Next Engine spells it otherwise.
pub fn letter_case(code: &str, other: &str) -> Reason {
    Reason::new(
        "code-letter-case",
        format!("ネクストエンジンの商品コードは「{other}」で、大文字・小文字が違います。どちらかに揃えてください。"),
        format!("Next Engine writes this code {other}: the letter case differs. Make both the same."),
    )
    .field("syohin_code")
    .value(code)
}

/// More is to be taken off than is free.
pub fn free_stock(code: &str, free: Decimal, quantity: i64) -> Reason {
    let free = crate::money::text(free);
    Reason::new(
        "free-stock",
        format!("ネクストエンジンのフリー在庫({free})より多くは減らせません({quantity})。引当の解除か入庫を待って送信します。"),
        format!("Next Engine's free stock ({free}) is less than what is to be taken off ({quantity}). It waits for stock there."),
    )
    .field("stock_free_quantity")
    .value(code)
}

/// The stock moved since the upload, and no movement carries our mark.
pub fn unclear(code: &str) -> Reason {
    Reason::new(
        UNCLEAR,
        "送信したあと在庫が動いていますが、入出庫履歴に印がありません。反映済みかもしれないため、在庫照合で確かめ、合わせるか再送信してください。",
        "The stock moved since the upload, but no movement carries our mark. It may be applied: compare, then align or send it again.",
    )
    .field("stock_io_history_reason")
    .value(code)
}

/// Next Engine took the others of the batch, and not this one; `said` are the queue's words.
pub fn refused(code: &str, said: Option<&str>) -> Reason {
    let said = said
        .map(|said| crate::text::fit(said, 200))
        .unwrap_or_default();
    Reason::new(
        REFUSED,
        format!(
            "ネクストエンジンがこの行を取り込みませんでした。{said} 直してから再送信してください。"
        ),
        format!("Next Engine did not take this row. {said} Mend it, then send it again."),
    )
    .field("syohin_code")
    .value(code)
}

/// The batch failed as a whole.
pub fn batch_refused(code: &str) -> Reason {
    Reason::new(
        BATCH_REFUSED,
        "一緒に送信した行のため、取り込まれませんでした。少し待って自動で送り直します。",
        "Not taken because of what was sent together with it. It is sent again by itself, a little later.",
    )
    .field("syohin_code")
    .value(code)
}

/// The upload was never received.
pub fn not_received(code: &str) -> Reason {
    Reason::new(
        "not-received",
        "アップロードはネクストエンジンに届いていませんでした。自動で送り直します。",
        "Next Engine never received the upload. It is sent again by itself.",
    )
    .field("syohin_code")
    .value(code)
}

/// Booked otherwise than it was sent.
pub fn doubtful(code: &str, times: usize, quantity: Decimal, sent: i64) -> Reason {
    let quantity = crate::money::text(quantity);
    Reason::new(
        APPLIED_WRONG,
        format!("ネクストエンジンの入出庫履歴では{times}回、合計{quantity}動いています(送信は{sent})。在庫照合で合わせてから再送信で再開してください。"),
        format!("Next Engine's history shows {times} movements of {quantity} in all, where {sent} was sent. Align it, then resend to go on."),
    )
    .field("stock_io_history_reason")
    .value(code)
}
