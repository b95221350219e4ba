//! An order becomes a sale (受注 → 取引): puts the rules for goods, fees, points, tax and payment together and proves that the
//! result adds up to the order's own total. Looks nothing up and adjusts nothing: what does not agree is refused.

use std::collections::BTreeSet;

use crate::{
    money,
    planted::Planted,
    reason::Reason,
    rules::{
        amounts,
        codes::{self, SmaregiKey},
        fees::{self, Fee},
        goods::{self, Products},
        order::Order,
        payment, points,
        sale::{Sale, SaleLine},
        tax,
    },
    settings::{CodeRule, FeeMode, OrderSettings, ReceivingStore},
    text,
};

/// `transactionDetailId` goes from 1 to this (smaregi.md 2).
pub const MOST_LINES: usize = 999;

/// No limit of `memo` is published; this is the one of stock memos (smaregi.md 4a), so it is safe (assumed).
const MEMO_LIMIT: usize = 100;

/// Each of `tags` (smaregi.md 2).
const TAG_LIMIT: usize = 64;

/// What must be looked up in Smaregi before an order can be mapped.
pub fn needed(order: &Order, settings: &OrderSettings, rule: &CodeRule) -> BTreeSet<SmaregiKey> {
    let goods = order
        .sold_lines()
        .filter_map(|line| codes::to_smaregi(rule, &line.code));
    let fees = [
        (order.charge, &settings.charge),
        (order.delivery, &settings.delivery),
        (order.other, &settings.other),
    ];
    let fees = fees.into_iter().filter_map(|(amount, mode)| match mode {
        FeeMode::Line(code) if amount.is_sign_positive() && !amount.is_zero() => {
            Some(SmaregiKey::Code(code.clone()))
        }
        _ => None,
    });
    goods.chain(fees).collect()
}

/// The sale an order becomes, or the first reason why it cannot.
pub fn map(
    order: &Order,
    store: &ReceivingStore,
    settings: &OrderSettings,
    rule: &CodeRule,
    products: &Products,
) -> Result<Sale, Reason> {
    let fees = fees::fees(order, settings)?;
    let lines = lines(order, &fees, rule, products)?;
    let coupons = fees.iter().map(|fee| {
        if let Fee::Discount(yen) = fee {
            *yen
        } else {
            0
        }
    });
    let points = match points::discount(order.points, settings.points)? {
        _ if Planted::PointsLeftOut.is_on() => 0,
        points => points,
    };
    let discount = amounts::sum("subtotalDiscountPrice", coupons.chain([points]))?;
    let subtotal = amounts::sum("subtotal", lines.iter().map(SaleLine::amount))?;
    let (tax_included, tax_added) = tax::sums(&lines, settings.tax_rounding)?;
    let sale = Sale {
        store_id: store.store_id.clone(),
        source_store_id: store
            .source_store_id
            .clone()
            .filter(|source| *source != store.store_id),
        terminal_id: store.terminal(),
        sold_on: order.sold_on(),
        lines,
        subtotal,
        discount,
        tax_included,
        tax_added,
        total: amounts::sum("total", [subtotal, discount.saturating_neg(), tax_added])?,
        rounding: settings.tax_rounding,
        payment: payment::kind(settings, &order.payment_method),
        memo: text::fit(
            &format!("NE伝票 {} / 受注 {}", order.slip, order.order_number),
            MEMO_LIMIT,
        ),
        tags: tags(&store.shop_name),
    };
    agree(order, &sale)?;
    Ok(sale)
}

fn lines(
    order: &Order,
    fees: &[Fee<'_>],
    rule: &CodeRule,
    products: &Products,
) -> Result<Vec<SaleLine>, Reason> {
    let shop = tax::mode(order);
    let mut lines = Vec::with_capacity(order.lines.len());
    for line in order.sold_lines() {
        lines.extend(goods::line(line, shop, rule, products)?);
    }
    for fee in fees {
        lines.extend(goods::fee_line(fee, products)?);
    }
    match lines.len() {
        0 => Err(no_lines()),
        count if count > MOST_LINES => Err(too_many_lines(count)),
        _ => Ok(lines),
    }
}

/// The origin and the shop, so that sales of shops that share a store stay apart. A comma would split a tag in two.
fn tags(shop_name: &str) -> Vec<String> {
    let shop = text::fit(&shop_name.replace(',', " "), TAG_LIMIT);
    ["ネクストエンジン".to_owned(), shop]
        .into_iter()
        .filter(|tag| !tag.is_empty())
        .collect()
}

/// #36: our total must be the order's own, to the yen.
fn agree(order: &Order, sale: &Sale) -> Result<(), Reason> {
    const FIELD: &str = "receive_order_total_amount";
    let theirs = amounts::yen(FIELD, order.total)?;
    if theirs != sale.total {
        return Err(disagree(order, sale).field(FIELD).value(theirs.to_string()));
    }
    if theirs < 0 {
        let ja = "総合計が負のため取り込めません。ネクストエンジンの伝票を確認してください。";
        let en = "A negative total cannot be a sale. Check the slip in Next Engine.";
        return Err(Reason::new("negative-total", ja, en)
            .field(FIELD)
            .value(theirs.to_string()));
    }
    Ok(())
}

fn disagree(order: &Order, sale: &Sale) -> Reason {
    let goods: rust_decimal::Decimal = order
        .live_lines()
        .map(|line| line.unit_price.saturating_mul(line.quantity))
        .sum();
    let [total, own_goods, goods, own_tax] =
        [order.total, order.goods, goods, order.tax].map(money::text);
    let (remedy, remedy_en) = remedy(order, sale);
    let ja = format!(
        "総合計{total}円と計算した合計{}円が一致しません(商品計: 伝票{own_goods}円、明細{goods}円。税: 伝票{own_tax}円、計算{}円。\
         小計{}円、小計値引き{}円)。{remedy}",
        sale.total, sale.tax_added, sale.subtotal, sale.discount
    );
    let en = format!(
        "The order's total of {total} yen and ours of {} do not agree (goods: {own_goods} on the slip, {goods} by lines; tax: \
         {own_tax} on the slip, {} by rate; subtotal {}, discount {}). {remedy_en}",
        sale.total, sale.tax_added, sale.subtotal, sale.discount
    );
    Reason::new("totals-disagree", ja, en)
}

/// Where only the added tax is off, and by no more than a yen a piece and rate, its rounding is the likely cause: we round once a
/// rate, and a Next Engine shop may do so for each unit price (next-engine.md 2.4, `shop_tax_calculation_sequence_id`).
fn remedy(order: &Order, sale: &Sale) -> (&'static str, &'static str) {
    let off = order.tax - rust_decimal::Decimal::from(sale.tax_added);
    let gap = order.total - rust_decimal::Decimal::from(sale.total);
    let pieces: rust_decimal::Decimal = order.live_lines().map(|line| line.quantity).sum();
    let most = pieces + rust_decimal::Decimal::TWO;
    if sale.tax_added != 0 && off == gap && off.abs() <= most {
        return (
            "消費税の端数処理の違いと思われます。受注受信設定の税の端数処理をネクストエンジンと同じにし、店舗の消費税計算順序は\
             「商品計から計算」にしてください。この伝票は、ネクストエンジンで税金を計算した額に直すと取り込めます。",
            "Most likely the tax is rounded in another way. Set the rounding as it is in Next Engine, and let that shop compute its tax \
             from the goods total. This slip is imported once its tax is mended in Next Engine.",
        );
    }
    (
        "ネクストエンジンの伝票の金額を確かめて直してください。変更は自動で取り込まれます。",
        "Check and mend the amounts of the slip in Next Engine; a change is taken in by itself.",
    )
}

fn no_lines() -> Reason {
    let ja = "有効な明細がないため取り込めません。ネクストエンジンで明細を戻すか、伝票をキャンセルしてください。";
    let en = "It has no line that counts. Bring lines back in Next Engine, or cancel the slip.";
    Reason::new("no-lines", ja, en)
        .field("receive_order_row_cancel_flag")
        .value("0")
}

/// Why a slip with so many lines is refused.
pub fn too_many_lines(count: usize) -> Reason {
    let ja = format!("明細が{MOST_LINES}行を超えるため取り込めません。伝票を分割してください。");
    let en = format!("A transaction of Smaregi holds at most {MOST_LINES} lines. Split the slip.");
    Reason::new("too-many-lines", ja, en)
        .field("receive_order_row_no")
        .value(count.to_string())
}

/// Why a slip whose rows fill a whole page is refused, although few enough of them count: the rest cannot be read.
pub fn too_long(rows: usize) -> Reason {
    let ja = "キャンセルされた明細も含めて行が多すぎ、伝票全体を読み取れません。ネクストエンジンで伝票を分割してください。";
    let en = "It has too many rows, cancelled ones included, to be read as a whole. Split the slip in Next Engine.";
    Reason::new("too-many-rows", ja, en)
        .field("receive_order_row_no")
        .value(rows.to_string())
}

#[cfg(test)]
mod tests;
