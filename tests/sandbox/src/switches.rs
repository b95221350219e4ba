//! Open questions about both services, each with every plausible answer (design.md 7; next-engine.md 10; smaregi.md 9).
//! Defaults are the likeliest answers. No switch may be added without a question that the references leave open.

mod pairs;

use serde::{Deserialize, Serialize};

use pairs::Pairs;

/// Declares the switches: one enum per open question and one struct with one field per question.
macro_rules! switches {
    ($($(#[$note:meta])* $field:ident: $name:ident { $($(#[$value_note:meta])* $value:ident),+ $(,)? })+) => {
        $(
            $(#[$note])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
            #[serde(rename_all = "snake_case")]
            pub enum $name { $($(#[$value_note])* $value),+ }

            impl $name {
                /// Every answer, in the order of declaration.
                pub const ALL: &'static [Self] = &[$(Self::$value),+];
            }
        )+

        /// One answer to every open question.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Switches { $($(#[$note])* pub $field: $name,)+ }

        impl Switches {
            /// How many answers each question has, in the order of the fields.
            const WIDTHS: &'static [usize] = &[$($name::ALL.len()),+];

            /// The answers at these positions; a position out of range means the default.
            fn at(positions: &[usize]) -> Self {
                let mut positions = positions.iter();
                Self { $($field: positions.next().and_then(|&at| $name::ALL.get(at)).copied().unwrap_or_default(),)+ }
            }
        }
    };
}

switches! {
    /// How a sale registered by API moves stock (smaregi.md 9a).
    api_sale_stock: ApiSaleStock {
        /// As division 02, 売上.
        #[default]
        Division02,
        /// As division 15, スマレジAPI連携.
        Division15,
        /// Not at all.
        Unmoved,
    }
    /// Whether a sale registered by API raises `pos:stock` (smaregi.md 9a).
    api_sale_webhook: ApiSaleWebhook {
        /// It does.
        #[default]
        Raised,
        /// It does not.
        Silent,
    }
    /// What 取消 does to stock (smaregi.md 9c).
    cancel_stock: CancelStock {
        /// Goods come back as division 02 with a positive amount.
        #[default]
        Back02,
        /// Goods come back as division 12, 返品.
        Back12,
        /// Goods come back as division 15.
        Back15,
        /// Goods do not come back.
        Unmoved,
    }
    /// What 返品取消 does to stock (smaregi.md 9c).
    dispose_stock: DisposeStock {
        /// Goods come back as division 12, 返品.
        #[default]
        Back12,
        /// Goods come back as division 02 with a positive amount.
        Back02,
        /// Goods come back as division 15.
        Back15,
        /// Goods do not come back.
        Unmoved,
    }
    /// Whether a closed transaction (sumDivision 2) can be cancelled (smaregi.md 9c).
    cancel_closed: CancelClosed {
        /// It can.
        #[default]
        Allowed,
        /// It is refused with 400.
        Refused,
    }
    /// Whether store, terminal, time and number together are unique for `POST /transactions` (smaregi.md 9d).
    four_part_key: FourPartKey {
        /// A repetition is refused with 400.
        #[default]
        Enforced,
        /// A repetition is a second sale.
        Ignored,
    }
    /// Whether `transactionUuid` is unique (smaregi.md 2: "should be unique").
    transaction_uuid: TransactionUuid {
        /// A repetition is a second sale.
        #[default]
        Ignored,
        /// A repetition is refused with 400.
        Enforced,
    }
    /// Whether tax sums are checked (smaregi.md 9f).
    tax_sums: TaxSums {
        /// Not checked.
        #[default]
        Unchecked,
        /// Checked against the details before the subtotal discount.
        BeforeDiscount,
        /// Checked against the details after the subtotal discount.
        AfterDiscount,
    }
    /// The division an API stock update writes (smaregi.md 9b).
    own_stock_division: OwnStockDivision {
        /// 15, スマレジAPI連携.
        #[default]
        Division15,
        /// 01, 修正.
        Division01,
        /// 09, 調整.
        Division09,
    }
    /// What an upload with refused rows applies (next-engine.md 4.4).
    upload_bad_rows: UploadBadRows {
        /// The good rows.
        #[default]
        Partial,
        /// Nothing.
        AllOrNothing,
    }
    /// The queue status of an upload that was applied in part (next-engine.md 4.4).
    partial_upload_ends: PartialUploadEnds {
        /// 2, all done, with the refused rows in the message.
        #[default]
        Done,
        /// -1, failed, with the refused rows in the message.
        Failed,
    }
    /// The most rows one search returns (next-engine.md 5).
    search_cap: SearchCap {
        /// 10,000.
        #[default]
        TenThousand,
        /// 1,000.
        Thousand,
    }
    /// How 002004 arrives when the refresh token is dead too (next-engine.md 10).
    dead_pair: DeadPair {
        /// `result` = `error`.
        #[default]
        Error,
        /// `result` = `redirect`.
        Redirect,
    }
    /// Whether allocating stock moves a slip's last-modified date (next-engine.md 6).
    allocation_modifies: AllocationModifies {
        /// It does not.
        #[default]
        No,
        /// It does.
        Yes,
    }
    /// Whether changing a line moves its slip's own last-modified date (next-engine.md 10).
    line_change_modifies_slip: LineChangeModifiesSlip {
        /// It does.
        #[default]
        Yes,
        /// Only the line's date and the "newest" date move.
        No,
    }
    /// Whether `receive_order_row_tax_rate` is filled (next-engine.md 10).
    row_tax_rate: RowTaxRate {
        /// It is.
        #[default]
        Filled,
        /// It is null.
        Null,
    }
    /// How long an upload waits before it runs (next-engine.md 10).
    queue_delay: QueueDelay {
        /// A quarter of a minute.
        #[default]
        Seconds15,
        /// It is done before the next request.
        None,
        /// Ten minutes.
        Minutes10,
    }
    /// How long after the queue is done its movements can be read (assumed possible; no source).
    movement_delay: MovementDelay {
        /// At once.
        #[default]
        None,
        /// After a minute.
        Minute,
    }
    /// Whether a movement's quantity has a sign beside the in/out flag (no source).
    movement_quantity: MovementQuantity {
        /// It has none.
        #[default]
        Unsigned,
        /// It is negative for goods going out.
        Signed,
    }
    /// How `-eq` and `-in` compare product codes (next-engine.md 3, 6).
    code_case: CodeCase {
        /// To the letter.
        #[default]
        Exact,
        /// Without regard to case.
        Ignored,
    }
}

impl Switches {
    /// Combinations in which every pair of answers to two questions occurs at least once; the first is the default.
    /// Always the same list, in the same order.
    pub fn pairwise() -> Vec<Self> {
        let mut pairs = Pairs::new(Self::WIDTHS);
        let defaults = vec![0; Self::WIDTHS.len()];
        pairs.cover(&defaults);
        let mut found = vec![Self::default()];
        while let Some(seed) = pairs.first() {
            let positions = pairs.fill(seed);
            pairs.cover(&positions);
            found.push(Self::at(&positions));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairwise_covers_every_pair_with_few_rows() {
        let rows = Switches::pairwise();
        assert!(rows.len() < 40, "{} rows", rows.len());
        assert_eq!(rows[0], Switches::default());
        for sale in ApiSaleStock::ALL {
            for case in CodeCase::ALL {
                assert!(
                    rows.iter()
                        .any(|row| row.api_sale_stock == *sale && row.code_case == *case)
                );
            }
            for cancel in CancelStock::ALL {
                assert!(
                    rows.iter()
                        .any(|row| row.api_sale_stock == *sale && row.cancel_stock == *cancel)
                );
            }
        }
    }

    #[test]
    fn switches_can_be_given_in_part() {
        let switches: Switches = serde_json::from_str(r#"{"code_case": "ignored"}"#).unwrap();
        assert_eq!(
            switches,
            Switches {
                code_case: CodeCase::Ignored,
                ..Switches::default()
            }
        );
        assert!(serde_json::from_str::<Switches>(r#"{"cod_case": "ignored"}"#).is_err());
    }
}
