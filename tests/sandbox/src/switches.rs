//! Open questions about both services, each with every plausible answer (design.md 7; next-engine.md 10; smaregi.md 9).
//! Defaults are the likeliest answers. No switch may be added without a question that the references leave open.

mod pairs;
mod questions;

use pairs::Pairs;
pub use questions::*;

/// Declares the switches: one enum per open question and one struct with one field per question.
/// Answers in square brackets can be set, but the pairwise walk leaves them out.
macro_rules! switches {
    ($($(#[$note:meta])* $field:ident: $name:ident { $($(#[$value_note:meta])* $value:ident),+ $(,)? } $([ $($(#[$other_note:meta])* $other:ident),+ $(,)? ])?)+) => {
        $(
            $(#[$note])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
            #[serde(rename_all = "snake_case")]
            pub enum $name { $($(#[$value_note])* $value,)+ $($($(#[$other_note])* $other,)+)? }

            impl $name {
                /// Every answer, in the order of declaration.
                pub const ALL: &'static [Self] = &[$(Self::$value,)+ $($(Self::$other,)+)?];
                /// The answers that the pairwise walk takes; the others stop a client that is right, too.
                pub const WALKED: &'static [Self] = &[$(Self::$value),+];
            }
        )+

        /// One answer to every open question.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Switches { $($(#[$note])* pub $field: $name,)+ }

        impl Switches {
            /// How many answers each question has in the walk, in the order of the fields.
            pub(super) const WIDTHS: &'static [usize] = &[$($name::WALKED.len()),+];

            /// The answers at these positions; a position out of range means the default.
            pub(super) fn at(positions: &[usize]) -> Self {
                let mut positions = positions.iter();
                Self { $($field: positions.next().and_then(|&at| $name::WALKED.get(at)).copied().unwrap_or_default(),)+ }
            }
        }
    };
}
pub(crate) use switches;

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
