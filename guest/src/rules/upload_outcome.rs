//! What became of the rows of an upload that left no movement in Next Engine: whether they were certainly not applied, and whose fault
//! it was. Pure; reading the evidence and acting on it is `sync::stock`.

use rust_decimal::Decimal;

/// A product in Next Engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// 在庫数 and フリー在庫数.
    Stock(Decimal, Decimal),
    /// There is no such code.
    Missing,
    /// The answer could not be read.
    Unreadable,
}

/// One row without a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The signed difference that was sent.
    pub quantity: i64,
    /// 在庫数 before the upload.
    pub stock_then: Option<Decimal>,
    /// The product now.
    pub now: Now,
}

/// What a row's evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The stock moved meanwhile, so that it may have been applied.
    Unclear,
    /// Not applied: the code is gone.
    UnknownCode,
    /// Not applied: there is less free than is to be taken off.
    FreeStock(Decimal),
    /// Not applied, though nothing is wrong with it that we could see: a person has to look.
    Refused,
    /// Not applied, and not its own fault as far as we can see.
    Innocent,
}

/// Whether a row was certainly not applied: the stock is as it was before the upload.
pub fn is_certain(evidence: &Evidence) -> bool {
    match evidence.now {
        Now::Stock(stock, _) => evidence.stock_then == Some(stock),
        Now::Missing => true,
        Now::Unreadable => false,
    }
}

/// What is known of the upload as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// Other rows of it were applied: one that was not was refused for itself.
    AppliedInPart,
    /// Next Engine took it into its queue, and nothing of it was applied.
    Taken,
    /// Perhaps it never arrived.
    Unknown,
}

/// A verdict for each row, and whether the next batch should be half as large, because nobody is to blame. `missing` is how many rows of
/// the upload left no movement, those included that were judged before.
pub fn judge(rows: &[Evidence], upload: Upload, missing: usize) -> (Vec<Verdict>, bool) {
    let alone = match upload {
        Upload::AppliedInPart => true,
        Upload::Taken => missing == 1,
        Upload::Unknown => false,
    };
    let verdicts: Vec<Verdict> = rows.iter().map(|row| verdict(row, alone)).collect();
    let blamed = |verdict: &Verdict| {
        matches!(
            verdict,
            Verdict::UnknownCode | Verdict::FreeStock(_) | Verdict::Refused
        )
    };
    let innocent = verdicts.contains(&Verdict::Innocent);
    let halve = innocent && upload == Upload::Taken && !verdicts.iter().any(blamed);
    (verdicts, halve)
}

fn verdict(row: &Evidence, alone: bool) -> Verdict {
    if !is_certain(row) {
        return Verdict::Unclear;
    }
    match row.now {
        Now::Missing => Verdict::UnknownCode,
        Now::Stock(_, free) if is_short(free, row.quantity) => Verdict::FreeStock(free),
        _ if alone => Verdict::Refused,
        _ => Verdict::Innocent,
    }
}

/// Whether so much cannot be taken off; adding is always possible.
pub fn is_short(free: Decimal, quantity: i64) -> bool {
    quantity.is_negative() && free.saturating_add(Decimal::from(quantity)) < Decimal::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(quantity: i64, then: i64, now: i64, free: i64) -> Evidence {
        Evidence {
            quantity,
            stock_then: Some(then.into()),
            now: Now::Stock(now.into(), free.into()),
        }
    }

    #[test]
    fn only_unmoved_stock_is_certain() {
        for (evidence, certain) in [
            (row(-1, 5, 5, 5), true),
            (row(-1, 5, 4, 4), false),
            (row(-1, 5, 7, 7), false),
            (
                Evidence {
                    stock_then: None,
                    ..row(-1, 5, 5, 5)
                },
                false,
            ),
            (
                Evidence {
                    now: Now::Missing,
                    ..row(1, 5, 5, 5)
                },
                true,
            ),
            (
                Evidence {
                    now: Now::Unreadable,
                    ..row(1, 5, 5, 5)
                },
                false,
            ),
        ] {
            assert_eq!(is_certain(&evidence), certain, "{evidence:?}");
        }
    }

    #[test]
    fn only_taking_off_more_than_is_free_falls_short() {
        for (free, quantity, short) in [(5, -5, false), (5, -6, true), (-3, 2, false)] {
            assert_eq!(is_short(free.into(), quantity), short, "{free} {quantity}");
        }
    }

    #[test]
    fn the_innocent_do_not_wait_for_a_person() {
        let fine = row(1, 5, 5, 5);
        let short = row(-6, 5, 5, 5);
        let moved = row(1, 5, 6, 6);
        let gone = Evidence {
            now: Now::Missing,
            ..fine
        };
        for (rows, upload, verdicts, halve) in [
            (
                vec![fine, short],
                Upload::Taken,
                vec![Verdict::Innocent, Verdict::FreeStock(5.into())],
                false,
            ),
            (
                vec![fine, fine],
                Upload::Taken,
                vec![Verdict::Innocent, Verdict::Innocent],
                true,
            ),
            (
                vec![fine, moved],
                Upload::Taken,
                vec![Verdict::Innocent, Verdict::Unclear],
                true,
            ),
            (vec![fine], Upload::Taken, vec![Verdict::Refused], false),
            (vec![fine], Upload::Unknown, vec![Verdict::Innocent], false),
            (
                vec![fine, fine],
                Upload::AppliedInPart,
                vec![Verdict::Refused; 2],
                false,
            ),
            (
                vec![fine, gone],
                Upload::Taken,
                vec![Verdict::Innocent, Verdict::UnknownCode],
                false,
            ),
            (
                vec![gone],
                Upload::Unknown,
                vec![Verdict::UnknownCode],
                false,
            ),
            (
                vec![moved],
                Upload::AppliedInPart,
                vec![Verdict::Unclear],
                false,
            ),
        ] {
            assert_eq!(
                judge(&rows, upload, rows.len()),
                (verdicts, halve),
                "{rows:?}"
            );
        }
    }
}
