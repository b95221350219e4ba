//! The sentences of a story, in both languages. Holds no rule.

use crate::{
    reason::Text,
    rules::triggers::{self, Cause},
    settings::Trigger,
    sync::orders::records::Happened,
};

/// A slip was read.
pub fn order_read() -> Text {
    Text::new(
        "ネクストエンジンから受注を読み込みました。",
        "Read from Next Engine.",
    )
}

/// Something about it had changed.
pub fn order_changed() -> Text {
    Text::new(
        "ネクストエンジンで変わった受注を読み直しました。",
        "Read anew after a change in Next Engine.",
    )
}

/// An effect was recorded.
pub fn intent(registers: bool) -> Text {
    if registers {
        Text::new(
            "スマレジへの取引登録を記録し、登録を始めました。",
            "Registering it in Smaregi was recorded, then begun.",
        )
    } else {
        Text::new(
            "スマレジの取引の取消を記録し、取消を始めました。",
            "Undoing its transaction in Smaregi was recorded, then begun.",
        )
    }
}

/// What the history tells.
pub fn happened(happened: Happened) -> Text {
    match happened {
        Happened::Registered => Text::new(
            "スマレジに取引を登録しました。",
            "A transaction is registered in Smaregi.",
        ),
        Happened::Undone => Text::new(
            "スマレジの取引を取り消しました。",
            "Its transaction in Smaregi is undone.",
        ),
        Happened::Refused => Text::new("取り込みを見送りました。", "Not imported."),
        Happened::NeedsPerson => Text::new("人の確認が必要です。", "A person has to look."),
    }
}

/// A stock move between stores.
pub fn stock_move() -> Text {
    Text::new(
        "店舗の在庫を動かします。結果はまだ確かめていません。",
        "Stock of a store is to move; not confirmed yet.",
    )
}

/// An answer is missing.
pub fn waits_for_outcome() -> Text {
    Text::new(
        "スマレジの返事を確かめるのを待っています。次の処理で調べます。",
        "Waits until Smaregi is asked what became of it, with the next round.",
    )
}

/// It is not known what moves by itself.
pub fn waits_for_knowledge() -> Text {
    Text::new(
        "スマレジが在庫をどう動かすか分かるのを待っています。",
        "Waits until it is known what stock Smaregi moves by itself.",
    )
}

/// Trouble.
pub fn waits_for(person: bool) -> Text {
    if person {
        Text::new(
            "直されるのを待っています。直したら再取込してください。",
            "Waits to be mended; then retry it.",
        )
    } else {
        Text::new(
            "もう一度試すのを待っています。次の処理で試します。",
            "Waits to be tried again, with the next round.",
        )
    }
}

/// It is no sale by itself.
pub fn no_sale() -> Text {
    Text::new("売上にはなりません。", "It is no sale.")
}

/// The settings do not take it now.
pub fn waits_for_settings() -> Text {
    Text::new(
        "今の設定では、まだ取り込みません。",
        "Today's settings do not take it yet.",
    )
}

/// Work is left.
pub fn waits_for_work(on: bool) -> Text {
    if on {
        Text::new("次の処理を待っています。", "Waits for the next round.")
    } else {
        Text::new(
            "連携がオンになるのを待っています。",
            "Waits for the link to be switched on.",
        )
    }
}

/// A row of Smaregi's stock history.
pub fn moved(division: &str) -> Text {
    match triggers::cause(division) {
        Cause::Trigger(trigger) => Text::new(
            format!("スマレジで在庫が動きました({})。", cause(trigger)),
            format!("Stock moved in Smaregi ({}).", trigger.name()),
        ),
        _ => Text::new(
            format!("スマレジで在庫が動きました(区分 {division})。"),
            format!("Stock moved in Smaregi (division {division})."),
        ),
    }
}

fn cause(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Correction => "修正",
        Trigger::Sale => "売上",
        Trigger::Purchase => "仕入",
        Trigger::Shipment => "出荷",
        Trigger::Receipt => "入庫",
        Trigger::Issue => "出庫",
        Trigger::Stocktake => "棚卸",
        Trigger::Loss => "ロス",
    }
}

/// It will not be sent.
pub fn not_sent() -> Text {
    Text::new(
        "ネクストエンジンには送りません。",
        "Not sent to Next Engine.",
    )
}

/// It could be our own.
pub fn could_be_ours() -> Text {
    Text::new(
        "取り込んだ取引によるものか、分かるのを待っています。",
        "Waits until it is known whether an import of ours moved it.",
    )
}

/// A place is to be read.
pub fn to_be_read() -> Text {
    Text::new(
        "スマレジの在庫変動履歴を読むのを待っています。",
        "Waits for Smaregi's stock history to be read.",
    )
}

/// A place or row cannot be counted.
pub fn not_counted() -> Text {
    Text::new(
        "在庫変動を数えられません。",
        "A movement cannot be counted.",
    )
}

/// A difference goes into a batch.
pub fn batched() -> Text {
    Text::new(
        "差分の送信を記録しました。",
        "Sending the difference was recorded.",
    )
}

/// The batch was handed over.
pub fn uploaded() -> Text {
    Text::new(
        "ネクストエンジンに差分を送りました。",
        "The difference was sent to Next Engine.",
    )
}

/// The movement is there.
pub fn applied() -> Text {
    Text::new(
        "ネクストエンジンの在庫に反映されました。",
        "Next Engine's stock took it.",
    )
}

/// The movement is not there.
pub fn returned() -> Text {
    Text::new(
        "反映されませんでした。差分は送信待ちに戻ります。",
        "It was not applied; the difference goes back to wait.",
    )
}

/// Plus and minus.
pub fn cancelled_out() -> Text {
    Text::new(
        "増減が打ち消し合い、送る差がありません。",
        "The movements cancelled out; nothing to send.",
    )
}

/// In Next Engine's hands.
pub fn waits_for_next_engine() -> Text {
    Text::new(
        "ネクストエンジンの入出庫履歴に現れるのを待っています。",
        "Waits to be seen in Next Engine's movement history.",
    )
}

/// In the ledger.
pub fn waits_for_upload(held: bool) -> Text {
    if held {
        Text::new("送信を保留しています。", "Held back.")
    } else {
        Text::new("次の送信を待っています。", "Waits for the next upload.")
    }
}
