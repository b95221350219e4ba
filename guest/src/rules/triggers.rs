//! 在庫送信設定: which of the eight causes (修正, 売上, 仕入, 出荷, 入庫, 出庫, 棚卸, ロス) a stock movement belongs to. One table; knows
//! neither stores nor our own doing.

use crate::{reason::Reason, settings::Trigger};

/// What a `stockDivision` means for sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// One of the eight.
    Trigger(Trigger),
    /// A movement that is never sent, for the reason given.
    Never(Reason),
    /// A division that this version does not know: recorded and shown.
    Unknown(Reason),
}

/// Smaregi's divisions (smaregi.md 4c) and the seed's causes.
///
/// | division | | cause |
/// | --- | --- | --- |
/// | 01 修正, 09 調整 | changed in the back office | 修正 |
/// | 02 売上, 12 返品, 16 売上引当 | the till, its cancellations, goods that a sold product draws on | 売上 |
/// | 03 仕入 | goods received | 仕入 |
/// | 10 出荷, 11 EC連携 | shipped | 出荷 |
/// | 05 入庫, 17 入庫欠品 | arrived from another store, and what was missing then | 入庫 |
/// | 04 出庫 | left for another store | 出庫 |
/// | 08 棚卸 | counted | 棚卸 |
/// | 13 販促品, 14 ロス | given away or lost | ロス |
/// | 15 API | moved by a program: the same as a person's correction, once our own moves are taken out | 修正 |
/// | 06 レンタル, 07 取置き, 18 受注在庫引当 | still the shop's goods, only promised | never |
pub fn cause(division: &str) -> Cause {
    match division {
        "01" | "09" | "15" => Cause::Trigger(Trigger::Correction),
        "02" | "12" | "16" => Cause::Trigger(Trigger::Sale),
        "03" => Cause::Trigger(Trigger::Purchase),
        "10" | "11" => Cause::Trigger(Trigger::Shipment),
        "05" | "17" => Cause::Trigger(Trigger::Receipt),
        "04" => Cause::Trigger(Trigger::Issue),
        "08" => Cause::Trigger(Trigger::Stocktake),
        "13" | "14" => Cause::Trigger(Trigger::Loss),
        "06" => never("レンタル", "rental", division),
        "07" => never("取置き", "layaway", division),
        "18" => never("受注在庫引当", "order allocation", division),
        _ => Cause::Unknown(
            Reason::new(
                "unknown-division",
                format!("在庫区分「{division}」はこの版では扱えません。数量を確かめ、必要なら在庫照合で合わせてください。"),
                format!("Stock division {division} is not known to this version. Check the quantity, and align if needed."),
            )
            .field("stockDivision")
            .value(division),
        ),
    }
}

fn never(ja: &str, en: &str, division: &str) -> Cause {
    Cause::Never(
        Reason::new(
            "promised-only",
            format!("{ja}は在庫の予約で、送信のきっかけになりません。"),
            format!("A {en} only promises stock; it is not one of the eight causes."),
        )
        .field("stockDivision")
        .value(division),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_division_has_its_place() {
        let expected = [
            ("01", Trigger::Correction),
            ("02", Trigger::Sale),
            ("03", Trigger::Purchase),
            ("04", Trigger::Issue),
            ("05", Trigger::Receipt),
            ("08", Trigger::Stocktake),
            ("09", Trigger::Correction),
            ("10", Trigger::Shipment),
            ("11", Trigger::Shipment),
            ("12", Trigger::Sale),
            ("13", Trigger::Loss),
            ("14", Trigger::Loss),
            ("15", Trigger::Correction),
            ("16", Trigger::Sale),
            ("17", Trigger::Receipt),
        ];
        for (division, trigger) in expected {
            assert_eq!(cause(division), Cause::Trigger(trigger), "{division}");
        }
        for division in ["06", "07", "18"] {
            assert!(matches!(cause(division), Cause::Never(_)), "{division}");
        }
        for trigger in Trigger::ALL {
            assert!(
                expected.iter().any(|(_, used)| *used == trigger),
                "{trigger:?} can never be sent"
            );
        }
    }

    #[test]
    fn an_unknown_division_is_shown_not_dropped() {
        for division in ["19", "", "99", "2"] {
            let Cause::Unknown(reason) = cause(division) else {
                panic!("{division} is known")
            };
            assert_eq!(reason.value.as_deref(), Some(division));
        }
    }
}
