//! ポイント数: what used points become. One point is one yen (Next Engine subtracts them from 総合計, next-engine.md 2.4).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::{reason::Reason, rules::amounts, settings::PointMode};

const FIELD: &str = "receive_order_point_amount";

/// The 小計値引き of an order's points, whole yen, not negative.
pub fn discount(points: Decimal, mode: PointMode) -> Result<i64, Reason> {
    let used = amounts::yen(FIELD, points)?;
    match (used.cmp(&0), mode) {
        (Ordering::Equal, _) => Ok(0),
        (_, PointMode::Unset) => {
            let ja = format!(
                "ポイントが{used}点使われていますが、取り込み方が未設定です。ポイント数を小計値引きにしてください。"
            );
            let en = format!(
                "{used} points were used, which are not set up. Set ポイント数 to 小計値引き."
            );
            Err(Reason::new("points-not-set", ja, en)
                .field(FIELD)
                .value(used.to_string()))
        }
        (Ordering::Less, PointMode::SubtotalDiscount) => {
            let ja =
                "ポイント数が負のため取り込めません。ネクストエンジンの伝票を確認してください。";
            let en = "Negative points cannot be a discount. Check the slip in Next Engine.";
            Err(Reason::new("negative-points", ja, en)
                .field(FIELD)
                .value(used.to_string()))
        }
        (Ordering::Greater, PointMode::SubtotalDiscount) => Ok(used),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_a_discount_where_set() {
        for (points, mode, expected) in [
            (0, PointMode::Unset, Ok(0)),
            (0, PointMode::SubtotalDiscount, Ok(0)),
            (50, PointMode::Unset, Err("points-not-set")),
            (-50, PointMode::Unset, Err("points-not-set")),
            (50, PointMode::SubtotalDiscount, Ok(50)),
            (-50, PointMode::SubtotalDiscount, Err("negative-points")),
        ] {
            let found = discount(Decimal::from(points), mode).map_err(|reason| reason.code);
            assert_eq!(found, expected.map_err(str::to_owned));
        }
    }
}
