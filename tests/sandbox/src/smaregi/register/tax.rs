//! Whether the tax sums of a registration are right, where the switch has them checked (smaregi.md 9f). It must not know stock.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::smaregi::answer::Problem;
use crate::smaregi::body::Body;
use crate::smaregi::books::{Amounts, Detail};
use crate::switches::TaxSums;

/// Checks the sums that were sent; one that was left out is Smaregi's own business.
pub fn check(
    switch: TaxSums,
    body: &Body,
    amounts: &Amounts,
    details: &[Detail],
) -> Result<(), Problem> {
    if switch == TaxSums::Unchecked {
        return Ok(());
    }
    let share = match switch {
        TaxSums::AfterDiscount if amounts.subtotal != 0 => {
            Decimal::from(amounts.subtotal - amounts.subtotal_discount)
                / Decimal::from(amounts.subtotal)
        }
        _ => Decimal::ONE,
    };
    let strategy = match body.one_of("taxRounding", &["0", "1", "2"])?.as_deref() {
        Some("0") => RoundingStrategy::MidpointAwayFromZero,
        Some("2") => RoundingStrategy::AwayFromZero,
        // The store's own setting otherwise (assumed: down).
        _ => RoundingStrategy::ToZero,
    };
    let (mut inside, mut on_top) = (Decimal::ZERO, Decimal::ZERO);
    for ((division, rate), sum) in by_rate(details) {
        let (sum, rate) = (Decimal::from(sum) * share, Decimal::from(rate));
        match division {
            0 => {
                inside +=
                    (sum * rate / (Decimal::ONE_HUNDRED + rate)).round_dp_with_strategy(0, strategy)
            }
            1 => on_top += (sum * rate / Decimal::ONE_HUNDRED).round_dp_with_strategy(0, strategy),
            _ => {}
        }
    }
    let wrong = |name: &str, sent: i64, right: Decimal| {
        body.value(name).is_some() && Decimal::from(sent) != right
    };
    if wrong("taxInclude", amounts.tax_include, inside)
        || wrong("taxExclude", amounts.tax_exclude, on_top)
    {
        return Err(Problem::invalid("税額が計算結果と一致しません。"));
    }
    Ok(())
}

/// Sums of the lines by tax division and rate.
fn by_rate(details: &[Detail]) -> BTreeMap<(u8, u8), i64> {
    let mut sums = BTreeMap::new();
    for line in details {
        *sums.entry((line.tax_division, line.tax_rate)).or_insert(0) += line.subtotal();
    }
    sums
}
