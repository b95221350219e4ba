//! Whole yen (円): what both services can book. Reads Next Engine's decimals as integers or refuses, naming the field; rounds nothing.

use rust_decimal::Decimal;

use crate::{
    money::{self, LARGEST},
    reason::Reason,
};

/// An amount as whole yen, or the refusal that names its field.
pub fn yen(field: &str, amount: Decimal) -> Result<i64, Reason> {
    let whole = money::whole(amount).ok_or_else(|| {
        let ja =
            "円未満の端数があるため取り込めません。ネクストエンジンの金額を整数にしてください。";
        let en = "A fraction of a yen cannot be booked. Make it a whole amount in Next Engine.";
        Reason::new("fraction-of-a-yen", ja, en)
            .field(field)
            .value(money::text(amount))
    })?;
    in_range(field, whole)
}

/// The amount, if Smaregi can store it (smaregi.md 2: ±999 999 999).
pub fn in_range(field: &str, amount: i64) -> Result<i64, Reason> {
    if amount.unsigned_abs() <= LARGEST.unsigned_abs() {
        return Ok(amount);
    }
    let ja = "スマレジの上限(999,999,999円)を超えるため取り込めません。ネクストエンジンで金額を確かめ、伝票を分けてください。";
    let en = "Beyond the largest amount that Smaregi stores (999,999,999 yen). Check it in Next Engine, and split the slip.";
    Err(Reason::new("amount-too-large", ja, en)
        .field(field)
        .value(amount.to_string()))
}

/// Sum of amounts that are each in range, or the refusal.
pub fn sum(field: &str, amounts: impl IntoIterator<Item = i64>) -> Result<i64, Reason> {
    in_range(field, amounts.into_iter().fold(0, i64::saturating_add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_yen_only() {
        let read = |text: &str| yen("f", money::parse(text).unwrap()).map_err(|reason| reason.code);
        assert_eq!(read("5650.00"), Ok(5_650));
        assert_eq!(read("-3"), Ok(-3));
        assert_eq!(read("0.5"), Err("fraction-of-a-yen".to_owned()));
        assert_eq!(read("1000000000"), Err("amount-too-large".to_owned()));
        assert_eq!(
            sum("f", [LARGEST, 1]).map_err(|reason| reason.code),
            Err("amount-too-large".to_owned())
        );
    }
}
