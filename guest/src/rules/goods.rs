//! Goods lines (明細): how a Next Engine line finds its Smaregi product and becomes a transaction's line. Sums nothing up.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    money,
    reason::Reason,
    rules::{
        amounts,
        codes::{self, SmaregiKey},
        fees::Fee,
        order::OrderLine,
        product::Product,
        sale::{SaleLine, TaxMode},
        tax,
    },
    settings::CodeRule,
    text,
};

/// Products found in Smaregi, by what they were looked up by. Nothing found is the same as an empty list.
pub type Products = BTreeMap<SmaregiKey, Vec<Product>>;

/// `productName` holds this many characters (smaregi.md 5).
pub const NAME_LIMIT: usize = 85;

/// `quantity` and prices are numbers of up to this size (assumed for the quantity).
const MOST_PIECES: i64 = 99_999;

const CODE: &str = "receive_order_row_goods_id";
const UNIT_PRICE: &str = "receive_order_row_unit_price";

/// A line that sells something, as one line of the transaction, or two where its unit price has a fraction.
pub fn line(
    line: &OrderLine,
    shop: TaxMode,
    rule: &CodeRule,
    products: &Products,
) -> Result<Vec<SaleLine>, Reason> {
    let unknown = || unknown(CODE, &line.code);
    let key = codes::to_smaregi(rule, &line.code).ok_or_else(unknown)?;
    let product = find(products, &key, CODE, &line.code)?.ok_or_else(unknown)?;
    let rate = tax::rate(line, product.tax)?;
    let part = |(quantity, unit_price)| SaleLine {
        product_id: product.id.clone(),
        product_code: product.code.clone(),
        name: name(&line.name, product),
        quantity,
        unit_price,
        tax_mode: tax::line_mode(shop, rate),
        tax_rate: rate,
        stock_managed: product.stock_managed,
        draws_on: product.draws_on.clone(),
    };
    Ok(priced(line, pieces(line)?)?.into_iter().map(part).collect())
}

/// A fee as a line of one piece. Its amount is always 内税, also in shops that add tax to goods: Next Engine's 総合計 adds fees
/// beside the tax, not under it (next-engine.md 2.4).
pub fn fee_line(fee: &Fee<'_>, products: &Products) -> Result<Option<SaleLine>, Reason> {
    let Fee::Line {
        code,
        price,
        name: title,
        setting,
    } = *fee
    else {
        return Ok(None);
    };
    let product = find(products, &SmaregiKey::Code(code.to_owned()), setting, code)?
        .ok_or_else(|| unknown_fee(setting, title, code))?;
    let rate = tax::class_rate(product.tax);
    Ok(Some(SaleLine {
        product_id: product.id.clone(),
        product_code: product.code.clone(),
        name: name(title, product),
        quantity: 1,
        unit_price: price,
        tax_mode: tax::line_mode(TaxMode::Included, rate),
        tax_rate: rate,
        stock_managed: product.stock_managed,
        draws_on: product.draws_on.clone(),
    }))
}

/// The one product of a key; `None` when there is none.
fn find<'a>(
    products: &'a Products,
    key: &SmaregiKey,
    field: &str,
    value: &str,
) -> Result<Option<&'a Product>, Reason> {
    match products.get(key).map(Vec::as_slice) {
        Some([product]) => match &product.flaw {
            None => Ok(Some(product)),
            Some(flaw) => Err(flawed(product, flaw)),
        },
        Some([_, _, ..]) => Err(shared(field, value)),
        _ => Ok(None),
    }
}

/// The order's wording, else the product's own, fitted by the one rule for texts.
fn name(given: &str, product: &Product) -> String {
    let fitted = text::fit(given, NAME_LIMIT);
    if fitted.is_empty() {
        text::fit(&product.name, NAME_LIMIT)
    } else {
        fitted
    }
}

fn pieces(line: &OrderLine) -> Result<i64, Reason> {
    let whole = money::whole(line.quantity).filter(|pieces| (1..=MOST_PIECES).contains(pieces));
    whole.ok_or_else(|| {
        let ja = format!(
            "明細{}の数量は1から{MOST_PIECES}までの整数でなければ取り込めません。ネクストエンジンで数量を直すか、明細を分けてください。",
            line.number
        );
        let en = format!(
            "The quantity of line {} must be a whole number from 1 to {MOST_PIECES}. Mend it in Next Engine, or split the line.",
            line.number
        );
        Reason::new("bad-quantity", ja, en)
            .field("receive_order_row_quantity")
            .value(money::text(line.quantity))
    })
}

/// The pieces with their prices, in whole yen. A unit price with a fraction (usually from 掛率) is booked as two lines a yen apart,
/// which add up to the line's very amount: Smaregi takes whole prices only (smaregi.md 2), the pieces stay what they are, and tax is of
/// sums. An amount that is not whole itself has no such pair.
fn priced(line: &OrderLine, pieces: i64) -> Result<Vec<(i64, i64)>, Reason> {
    let amount = line.unit_price.checked_mul(Decimal::from(pieces));
    let whole = amount
        .filter(|amount| *amount >= Decimal::ZERO)
        .and_then(money::whole)
        .ok_or_else(|| bad_price(line))?;
    let low = whole.div_euclid(pieces);
    amounts::in_range(UNIT_PRICE, low)?;
    let dearer = whole.rem_euclid(pieces);
    let parts = [
        (pieces.saturating_sub(dearer), low),
        (dearer, low.saturating_add(1)),
    ];
    Ok(parts
        .into_iter()
        .filter(|(pieces, _)| *pieces > 0)
        .collect())
}

fn bad_price(line: &OrderLine) -> Reason {
    let ja = format!(
        "明細{}の単価(掛率を掛けた額)は0円以上で、数量を掛けた額が整数でなければ取り込めません。ネクストエンジンで単価か掛率を直してください。",
        line.number
    );
    let en = format!(
        "The unit price of line {} (times its ratio) must be zero or more, and its amount whole yen. Mend price or ratio in Next Engine.",
        line.number
    );
    Reason::new("bad-unit-price", ja, en)
        .field(UNIT_PRICE)
        .value(money::text(line.unit_price))
}

/// A product that is there and cannot be read is told apart from one that is not.
fn flawed(product: &Product, flaw: &Reason) -> Reason {
    let (field, value) = (
        flaw.field.as_deref().unwrap_or_default(),
        flaw.value.as_deref().unwrap_or_default(),
    );
    let ja = format!(
        "スマレジの商品{}(商品コード「{}」)の項目「{field}」の値「{value}」を読み取れません。スマレジの商品を直して、再取込してください。",
        product.id, product.code
    );
    let en = format!(
        "The value {value} of {field} of Smaregi's product {} (code {}) cannot be read. Mend the product there, then retry.",
        product.id, product.code
    );
    Reason::new("unreadable-product", ja, en)
        .field(field)
        .value(value)
}

/// The setting names a product that is not there.
fn unknown_fee(setting: &str, title: &str, code: &str) -> Reason {
    let ja = format!(
        "受注受信詳細設定で{title}の取引明細に設定した商品コード「{code}」の商品がスマレジにありません。設定を直すかスマレジに登録して、再取込してください。"
    );
    let en = format!(
        "Smaregi has no product for the code {code}, which the import details set for {title}. Mend the setting or register it, then retry."
    );
    Reason::new("unknown-product-code", ja, en)
        .field(setting)
        .value(code)
}

fn unknown(field: &str, code: &str) -> Reason {
    let ja = format!(
        "商品コード「{code}」の商品がスマレジにありません。スマレジに登録するか商品コードの対応を設定して、再取込してください。"
    );
    let en = format!(
        "Smaregi has no product for the code {code}. Register it or set a code pair, then retry."
    );
    Reason::new("unknown-product-code", ja, en)
        .field(field)
        .value(code)
}

fn shared(field: &str, code: &str) -> Reason {
    let ja = format!(
        "商品コード「{code}」の商品がスマレジに複数あります。一つにして、再取込してください。"
    );
    let en = format!("Several products of Smaregi share the code {code}. Leave one, then retry.");
    Reason::new("shared-product-code", ja, en)
        .field(field)
        .value(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::samples;

    fn split(price: Decimal, quantity: i64) -> Result<Vec<(i64, i64)>, String> {
        let mut line = samples::line("a", 0, quantity, None);
        line.unit_price = price;
        priced(&line, quantity).map_err(|reason| reason.code)
    }

    #[test]
    fn a_fraction_in_the_price_keeps_pieces_and_amount() {
        for (price, quantity, expected) in [
            ("1000", 3, Ok(vec![(3, 1_000)])),
            ("1187.5", 2, Ok(vec![(1, 1_187), (1, 1_188)])),
            ("0.4", 5, Ok(vec![(3, 0), (2, 1)])),
            ("0", 2, Ok(vec![(2, 0)])),
            ("333.33", 3, Err("bad-unit-price".to_owned())),
            ("-5", 1, Err("bad-unit-price".to_owned())),
        ] {
            let found = split(price.parse().unwrap(), quantity);
            assert_eq!(found, expected, "{price} × {quantity}");
        }
    }
}
