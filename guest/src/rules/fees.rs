//! 手数料, 発送代, 他費用: what an amount that is not goods becomes. Looks no product up and taxes nothing.
//!
//! - 未設定: an amount other than zero refuses the order; zero is no matter.
//! - 取引明細: a line of one piece with the set Smaregi 商品コード.
//! - A negative amount (coupons are booked so, usually in 他費用) cannot be a line's price; it is added to the 小計値引き.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::{
    planted::Planted,
    reason::Reason,
    rules::{amounts, order::Order},
    settings::{FeeMode, OrderSettings},
};

/// What a fee becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fee<'a> {
    /// Zero.
    Nothing,
    /// A line at this price.
    Line {
        /// Smaregi 商品コード, as set.
        code: &'a str,
        /// Whole yen, positive.
        price: i64,
        /// 手数料, 発送代 or 他費用.
        name: &'static str,
        /// The setting that names the code, for refusals.
        setting: &'static str,
    },
    /// 小計値引き, whole yen, positive.
    Discount(i64),
}

/// The three fees of an order, in the order of the merchant's page.
pub fn fees<'a>(order: &Order, settings: &'a OrderSettings) -> Result<[Fee<'a>; 3], Reason> {
    Ok([
        fee(
            ("手数料", "orders.charge"),
            "receive_order_charge_amount",
            order.charge,
            &settings.charge,
        )?,
        fee(
            ("発送代", "orders.delivery"),
            "receive_order_delivery_fee_amount",
            order.delivery,
            &settings.delivery,
        )?,
        fee(
            ("他費用", "orders.other"),
            "receive_order_other_amount",
            order.other,
            &settings.other,
        )?,
    ])
}

fn fee<'a>(
    (name, setting): (&'static str, &'static str),
    field: &'static str,
    amount: Decimal,
    mode: &'a FeeMode,
) -> Result<Fee<'a>, Reason> {
    let price = amounts::yen(field, amount)?;
    match (price.cmp(&0), mode) {
        (Ordering::Equal, _) => Ok(Fee::Nothing),
        (_, FeeMode::Unset) => Err(unset(name, field, price)),
        (Ordering::Less, FeeMode::Line(_)) if Planted::DiscountTurned.is_on() => {
            Ok(Fee::Discount(price))
        }
        (Ordering::Less, FeeMode::Line(_)) => Ok(Fee::Discount(price.saturating_neg())),
        (Ordering::Greater, FeeMode::Line(code)) => Ok(Fee::Line {
            code,
            price,
            name,
            setting,
        }),
    }
}

fn unset(name: &str, field: &str, price: i64) -> Reason {
    let ja = format!(
        "{name}が{price}円ありますが、取り込み方が未設定です。受注受信詳細設定で{name}を取引明細にしてください。"
    );
    let en = format!(
        "{price} yen of {name}, which is not set up. Set it to 取引明細 in the import details."
    );
    Reason::new("fee-not-set", ja, en)
        .field(field)
        .value(price.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_refuses_any_amount_but_zero() {
        for (amount, refused) in [(0, false), (330, true), (-330, true)] {
            let fee = fee(("手数料", "s"), "f", Decimal::from(amount), &FeeMode::Unset);
            assert_eq!(fee.is_err(), refused, "{amount}");
        }
    }

    #[test]
    fn a_line_or_a_discount_by_its_sign() {
        let mode = FeeMode::Line("ship".to_owned());
        let of = |amount: i64| fee(("発送代", "s"), "f", Decimal::from(amount), &mode);
        assert_eq!(of(0), Ok(Fee::Nothing));
        assert_eq!(
            of(550),
            Ok(Fee::Line {
                code: "ship",
                price: 550,
                name: "発送代",
                setting: "s"
            })
        );
        assert_eq!(of(-200), Ok(Fee::Discount(200)));
    }
}
