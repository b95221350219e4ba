//! What people are told when Smaregi does not do, or did not keep, what an order needs. Decides nothing.

use rust_decimal::Decimal;

use crate::{
    money,
    reason::Reason,
    smaregi::transactions::Found,
    sync::{
        call_error::Refusal,
        orders::{
            effects::identity_of,
            records::{Act, Intent},
        },
    },
};

/// Whether there is nothing to try again: a person looks, does what is due, and says so by a retry of this very order.
pub fn is_for_a_person_alone(reason: &Reason) -> bool {
    [ANOTHER_TOTAL, TWICE, GONE, RETURNED].contains(&reason.code.as_str())
}

const ANOTHER_TOTAL: &str = "another-total";
const TWICE: &str = "registered-twice";
const GONE: &str = "cancelled-there";
const RETURNED: &str = "pieces-returned";

/// Smaregi said no for good.
pub fn refused(slip: &str, intent: &Intent, refusal: &Refusal) -> Reason {
    let Refusal { code, message, .. } = refusal;
    if intent.act == Act::Register {
        let ja = format!(
            "スマレジが取引登録を受け付けませんでした({code}: {message})。受注、商品、受信店舗の設定のうち原因となったものを直して、再取込してください。"
        );
        let en = format!(
            "Smaregi refused the registration ({code}: {message}). Mend the order, the product or the receiving store, then retry."
        );
        return Reason::new("smaregi-refused", ja, en)
            .field("transactionUuid")
            .value(identity_of(slip, intent).uuid);
    }
    let transaction = intent.transaction_id.as_deref().unwrap_or_default();
    let ja = format!(
        "スマレジが取引{transaction}の取消も返品取消も受け付けませんでした({code}: {message})。スマレジでこの取引を取り消してから、再取込してください。"
    );
    let en = format!(
        "Smaregi refused both to cancel transaction {transaction} and to return it ({code}: {message}). Cancel it there, then retry."
    );
    Reason::new("cannot-undo", ja, en)
        .field("transactionHeadId")
        .value(transaction)
}

/// The transaction is there with another total.
pub fn another_total(id: &str, found: Option<Decimal>, ours: i64) -> Reason {
    let found = found.map(money::text).unwrap_or_default();
    let ja = format!(
        "スマレジの取引{id}の合計は{found}円で、この受注の{ours}円と異なります。スマレジで確かめ、違っていれば直してください。済んだら再取込すると、確認済みになります。"
    );
    let en = format!(
        "Transaction {id} in Smaregi has a total of {found} yen, not {ours}. Look there, and mend it if it is wrong; then retry the order, which says that you have looked."
    );
    Reason::new(ANOTHER_TOTAL, ja, en)
        .field("total")
        .value(found)
}

/// Several transactions of one registration stand.
pub fn twice(found: &[Found]) -> Reason {
    let standing = found
        .iter()
        .filter(|found| !found.cancelled && !found.disposed);
    let ids: Vec<&str> = standing.map(|found| found.id.as_str()).collect();
    let ids = ids.join(", ");
    let ja = format!(
        "この受注の取引がスマレジに複数あります({ids})。一つを残して取り消してください。済んだら再取込すると、確認済みになります。"
    );
    let en = format!(
        "Smaregi has this order several times ({ids}). Cancel all but one; then retry the order, which says that you have looked."
    );
    Reason::new(TWICE, ja, en)
        .field("transactionHeadId")
        .value(ids)
}

/// The registration arrived, and somebody cancelled it before we knew.
pub fn gone(id: &str) -> Reason {
    let ja = format!(
        "登録した取引{id}はスマレジで既に取り消されていました。売上に戻すには、スマレジで取引を登録し直してください。済んだら再取込すると、確認済みになります。"
    );
    let en = format!(
        "Transaction {id} was registered and is cancelled in Smaregi by now. If it is a sale after all, register it there. Then retry the order, which says that you have looked."
    );
    Reason::new(GONE, ja, en)
        .field("transactionHeadId")
        .value(id)
}

/// Pieces came back at Next Engine, and the order stands.
pub fn returned(pieces: Decimal) -> Reason {
    let pieces = money::text(pieces);
    let ja = format!(
        "ネクストエンジンで{pieces}個が返品されましたが、受注の金額は変わっていません。取り込んだ取引はそのままです。\
         必要ならスマレジで返品を登録してください。済んだら再取込すると、確認済みになります。"
    );
    let en = format!(
        "{pieces} pieces came back in Next Engine while the amounts stand. The sale is kept; book a return in Smaregi if one is due. \
         Then retry the order, which says that you have looked."
    );
    Reason::new(RETURNED, ja, en)
        .field("receive_order_row_returned_good_quantity")
        .value(pieces)
}
