//! Decimal amounts and quantities: reading, rounding, tax. Knows yen and percent; knows no order and no service.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// The largest amount either service stores (smaregi.md 2, next-engine.md 2.4).
pub const LARGEST: i64 = 999_999_999;

/// How a fraction of a yen is treated (税の端数処理).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// 四捨五入, away from zero at the half.
    HalfUp,
    /// 切り捨て, towards zero.
    Down,
    /// 切り上げ, away from zero.
    Up,
}

impl Rounding {
    /// To whole yen.
    pub fn yen(self, amount: Decimal) -> Decimal {
        let strategy = match self {
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::Down => RoundingStrategy::ToZero,
            Self::Up => RoundingStrategy::AwayFromZero,
        };
        amount.round_dp_with_strategy(0, strategy).normalize()
    }

    /// Tax inside `gross`, for a rate in percent: 1100 at 10 holds 100.
    pub fn tax_within(self, gross: Decimal, rate: Decimal) -> Decimal {
        let whole = Decimal::ONE_HUNDRED.saturating_add(rate);
        gross
            .checked_mul(rate)
            .and_then(|tax| tax.checked_div(whole))
            .map_or(Decimal::ZERO, |tax| self.yen(tax))
    }

    /// Tax on top of `net`, for a rate in percent: 1000 at 10 brings 100.
    pub fn tax_on_top(self, net: Decimal, rate: Decimal) -> Decimal {
        net.checked_mul(rate)
            .and_then(|tax| tax.checked_div(Decimal::ONE_HUNDRED))
            .map_or(Decimal::ZERO, |tax| self.yen(tax))
    }
}

/// Reads plain decimal text: sign, digits, point. Exponents, separators and blanks are not amounts; nor is what no service can store.
pub fn parse(text: &str) -> Option<Decimal> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.'));
    let value = plain.then(|| text.parse::<Decimal>().ok()).flatten()?;
    (value.abs() <= Decimal::from(LARGEST).saturating_add(Decimal::ONE)).then(|| value.normalize())
}

/// A whole number, or nothing: `3.00` is 3, `2.5` is none.
pub fn whole(value: Decimal) -> Option<i64> {
    value
        .is_integer()
        .then(|| i64::try_from(value.normalize().trunc()).ok())
        .flatten()
}

/// The shortest plain text of a value: `5650`, `-3`, `0.5`.
pub fn text(value: Decimal) -> String {
    let value = value.normalize();
    if value.is_zero() {
        "0".to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_the_services_write() {
        for (input, expected) in [
            ("5650.00", Some("5650")),
            ("-3", Some("-3")),
            ("0.00", Some("0")),
            ("1e3", None),
            ("", None),
            ("1,000", None),
            ("NaN", None),
            ("99999999999", None),
            (" 1", None),
            ("-", None),
        ] {
            assert_eq!(parse(input).map(text).as_deref(), expected, "{input}");
        }
    }

    #[test]
    fn rounds_as_told() {
        for (rounding, within, on_top) in [
            (Rounding::HalfUp, "7", "8"),
            (Rounding::Down, "7", "8"),
            (Rounding::Up, "8", "9"),
        ] {
            assert_eq!(text(rounding.tax_within(dec("100"), dec("8"))), within);
            assert_eq!(text(rounding.tax_on_top(dec("105"), dec("8"))), on_top);
        }
        assert_eq!(text(Rounding::Down.yen(dec("-1.9"))), "-1");
        assert_eq!(text(Rounding::HalfUp.yen(dec("2.5"))), "3");
    }

    #[test]
    fn only_whole_numbers_are_counts() {
        assert_eq!(whole(dec("3.00")), Some(3));
        assert_eq!(whole(dec("2.5")), None);
    }
}
