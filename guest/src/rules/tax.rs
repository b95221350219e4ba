//! Consumption tax (消費税): 内税 or 外税, the rate of a line, and the sums. Rounds once per rate and mode, never per line.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    money::{self, Rounding},
    planted::Planted,
    reason::Reason,
    rules::{
        amounts,
        order::{Order, OrderLine},
        product::TaxClass,
        sale::{SaleLine, TaxMode},
    },
};

/// Standard and reduced rate, percent (next-engine.md 2.4 knows these and zero).
const STANDARD: Decimal = Decimal::TEN;
const REDUCED: Decimal = Decimal::from_parts(8, 0, 0, false, 0);

/// Whether the order's goods hold their tax: Next Engine shows tax beside the goods only in shops that add it (2.4).
pub fn mode(order: &Order) -> TaxMode {
    if order.tax.is_zero() {
        TaxMode::Included
    } else {
        TaxMode::Added
    }
}

/// A goods line's rate: the order's, else the product's own. 10, 8 and 0 are known.
pub fn rate(line: &OrderLine, product: TaxClass) -> Result<Decimal, Reason> {
    let Some(rate) = line.tax_rate.map(|rate| rate.normalize()) else {
        return Ok(class_rate(product));
    };
    if rate == STANDARD || rate == REDUCED || rate.is_zero() {
        return Ok(rate);
    }
    let ja = format!(
        "明細{}の消費税率は10、8、0のいずれでもないため取り込めません。ネクストエンジンで税率を直してください。",
        line.number
    );
    let en = format!(
        "Line {} has a tax rate other than 10, 8 and 0. Mend it in Next Engine.",
        line.number
    );
    Err(Reason::new("unknown-tax-rate", ja, en)
        .field("receive_order_row_tax_rate")
        .value(money::text(rate)))
}

/// The rate of a product's own class.
pub fn class_rate(product: TaxClass) -> Decimal {
    match product {
        TaxClass::Standard => STANDARD,
        TaxClass::Reduced => REDUCED,
        TaxClass::Exempt => Decimal::ZERO,
    }
}

/// A line's mode: what bears no tax is 非課税 whatever the shop does.
pub fn line_mode(shop: TaxMode, rate: Decimal) -> TaxMode {
    if rate.is_zero() {
        TaxMode::Exempt
    } else {
        shop
    }
}

/// Tax within the prices and tax added to them, whole yen: each rate's sum of lines rounded once (smaregi.md 2, `taxInclude` and
/// `taxExclude`). A 小計値引き does not lessen it, as the formula there is of the goods' total (assumed).
pub fn sums(lines: &[SaleLine], rounding: Rounding) -> Result<(i64, i64), Reason> {
    if Planted::RoundingPerLine.is_on() {
        return planted_sums_of_lines(lines, rounding);
    }
    sums_of_rates(lines, rounding)
}

/// For [`Planted::RoundingPerLine`].
fn planted_sums_of_lines(lines: &[SaleLine], rounding: Rounding) -> Result<(i64, i64), Reason> {
    lines.chunks(1).try_fold((0, 0), |(within, on_top), line| {
        let of_line = sums_of_rates(line, rounding)?;
        Ok((within + of_line.0, on_top + of_line.1))
    })
}

fn sums_of_rates(lines: &[SaleLine], rounding: Rounding) -> Result<(i64, i64), Reason> {
    let mut groups: BTreeMap<(bool, Decimal), i64> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.tax_mode != TaxMode::Exempt) {
        let sum = groups
            .entry((line.tax_mode == TaxMode::Added, line.tax_rate))
            .or_default();
        *sum = sum.saturating_add(line.amount());
    }
    let tax = |added: bool| {
        groups
            .iter()
            .filter(move |((mode, _), _)| *mode == added)
            .map(move |((_, rate), sum)| {
                let sum = Decimal::from(*sum);
                if added {
                    rounding.tax_on_top(sum, *rate)
                } else {
                    rounding.tax_within(sum, *rate)
                }
            })
    };
    let included = amounts::yen("taxInclude", tax(false).sum())?;
    Ok((included, amounts::yen("taxExclude", tax(true).sum())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::samples;

    fn line(price: i64, rate: i64, tax_mode: TaxMode) -> SaleLine {
        SaleLine {
            product_id: "1".to_owned(),
            product_code: "a".to_owned(),
            name: String::new(),
            quantity: 1,
            unit_price: price,
            tax_mode,
            tax_rate: rate.into(),
            stock_managed: true,
            draws_on: Vec::new(),
        }
    }

    #[test]
    fn each_rate_is_rounded_once_for_its_sum() {
        // Line by line 105 would bring 10 and 10 when rounded down; together 210 bring 21.
        let added = [
            line(105, 10, TaxMode::Added),
            line(105, 10, TaxMode::Added),
            line(99, 8, TaxMode::Added),
        ];
        assert_eq!(sums(&added, Rounding::Down), Ok((0, 28)));
        assert_eq!(sums(&added, Rounding::Up), Ok((0, 29)));
        let within = [
            line(1_100, 10, TaxMode::Included),
            line(1_080, 8, TaxMode::Included),
            line(500, 0, TaxMode::Exempt),
        ];
        assert_eq!(sums(&within, Rounding::HalfUp), Ok((180, 0)));
    }

    #[test]
    fn a_rate_comes_from_the_order_else_from_the_product() {
        for (given, class, expected) in [
            (Some(8), TaxClass::Standard, Ok(8)),
            (None, TaxClass::Standard, Ok(10)),
            (None, TaxClass::Reduced, Ok(8)),
            (Some(0), TaxClass::Standard, Ok(0)),
            (None, TaxClass::Exempt, Ok(0)),
            (
                Some(5),
                TaxClass::Standard,
                Err("unknown-tax-rate".to_owned()),
            ),
        ] {
            let found = rate(&samples::line("a", 1, 1, given), class).map_err(|reason| reason.code);
            assert_eq!(found, expected.map(Decimal::from));
        }
    }
}
