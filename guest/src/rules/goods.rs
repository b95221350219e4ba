//! Goods lines (明細): how a Next Engine line finds its Smaregi product and becomes a transaction's line. Sums nothing up.

use std::collections::HashMap;

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
pub type Products = HashMap<SmaregiKey, Vec<Product>>;

/// `productName` holds this many characters (smaregi.md 5).
pub const NAME_LIMIT: usize = 85;

/// `quantity` and prices are numbers of up to this size (assumed for the quantity).
const MOST_PIECES: i64 = 99_999;

const CODE: &str = "receive_order_row_goods_id";

/// A live line as a line of the transaction.
pub fn line(
    line: &OrderLine,
    shop: TaxMode,
    rule: &CodeRule,
    products: &Products,
) -> Result<SaleLine, Reason> {
    let key = codes::to_smaregi(rule, &line.code).ok_or_else(|| unknown(CODE, &line.code))?;
    let product = find(products, &key, CODE, &line.code)?;
    let rate = tax::rate(line, product.tax)?;
    Ok(SaleLine {
        product_id: product.id.clone(),
        product_code: product.code.clone(),
        name: name(&line.name, product),
        quantity: pieces(line)?,
        unit_price: price(line)?,
        tax_mode: tax::line_mode(shop, rate),
        tax_rate: rate,
        stock_managed: product.stock_managed,
    })
}

/// A fee as a line of one piece. Its amount is always 内税, also in shops that add tax to goods: Next Engine's 総合計 adds fees
/// beside the tax, not under it (next-engine.md 2.4).
pub fn fee_line(fee: &Fee<'_>, products: &Products) -> Result<Option<SaleLine>, Reason> {
    let Fee::Line {
        code,
        price,
        name: title,
        field,
    } = *fee
    else {
        return Ok(None);
    };
    let product = find(products, &SmaregiKey::Code(code.to_owned()), field, code)?;
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
    }))
}

fn find<'a>(
    products: &'a Products,
    key: &SmaregiKey,
    field: &str,
    value: &str,
) -> Result<&'a Product, Reason> {
    match products.get(key).map(Vec::as_slice) {
        Some([product]) => Ok(product),
        Some([_, _, ..]) => Err(shared(field, value)),
        _ => Err(unknown(field, value)),
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
            "明細{}の数量は1から{MOST_PIECES}までの整数でなければ取り込めません。",
            line.number
        );
        let en = format!(
            "The quantity of line {} must be a whole number from 1 to {MOST_PIECES}.",
            line.number
        );
        Reason::new("bad-quantity", ja, en)
            .field("receive_order_row_quantity")
            .value(money::text(line.quantity))
    })
}

fn price(line: &OrderLine) -> Result<i64, Reason> {
    const FIELD: &str = "receive_order_row_unit_price";
    let whole = money::whole(line.unit_price).filter(|_| line.unit_price >= Decimal::ZERO);
    let price = whole.ok_or_else(|| {
        let ja = format!(
            "明細{}の単価(掛率を掛けた額)は0円以上の整数でなければ取り込めません。",
            line.number
        );
        let en = format!(
            "The unit price of line {} (times its ratio) must be whole yen, zero or more.",
            line.number
        );
        Reason::new("bad-unit-price", ja, en)
            .field(FIELD)
            .value(money::text(line.unit_price))
    })?;
    amounts::in_range(FIELD, price)
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
