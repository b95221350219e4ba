//! The goods upload and its queue: differences, refused rows, new products, states and delays (next-engine.md 4.2, 4.4).
//! It must never set stock to a number: the file knows differences only.

use chrono::TimeDelta;
use serde_json::{Map, json};

use super::answer::{Failure, Payload};
use super::books::{Books, Goods, Moment, MovementKind, QueueEntry, Spoil, StockChange};
use super::goods_csv::Row;
use super::{NextEngine, goods_csv};
use crate::switches::{
    AllOrNothingEnds, MovementDelay, PartialUploadEnds, QueueDelay, QueueMessage, Switches,
    UploadBadRows, UploadReason,
};
use crate::wire::Form;

/// Largest file, before unpacking (5 MB, second-hand).
const FILE_MAX: usize = 5 * 1024 * 1024;
/// First queue number.
const FIRST_ENTRY: u64 = 2001;
/// 事由 of a row without `nyusyukko_riyu` (assumed).
const DEFAULT_REASON: &str = "商品マスタ一括登録";
/// 事由, cut: the most characters that stay (assumed).
const REASON_MAX: usize = 50;
/// The message of an upload that was ordered to go wrong (assumed).
const BROKEN: &str = "システムエラーが発生しました。";

impl NextEngine {
    /// `POST /api_v1_master_goods/upload`: takes the file into the queue. Bad files fail there, not here (assumed).
    pub(super) fn upload(&mut self, form: &Form) -> Result<Payload, Failure> {
        let gzip = match form.filled("data_type") {
            Some("csv") => false,
            Some("gz") => true,
            _ => return Err(Failure::field("data_typeはcsvまたはgzを指定してください。")),
        };
        let known = [
            "access_token",
            "refresh_token",
            "wait_flag",
            "data_type",
            "data",
        ];
        if let Some(name) = form.names().find(|name| !known.contains(name)) {
            return Err(Failure::field(format!(
                "パラメータ {name} は指定できません。"
            )));
        }
        let file = form
            .bytes("data")
            .filter(|file| !file.is_empty() && file.len() <= FILE_MAX);
        let file = file
            .ok_or_else(|| Failure::field("dataが空か、大きすぎます。"))?
            .to_vec();
        let id = self.enqueue(file, gzip);
        let mut payload = Map::new();
        payload.insert("que_id".into(), json!(id.to_string()));
        Ok(payload)
    }

    fn enqueue(&mut self, file: Vec<u8>, gzip: bool) -> u64 {
        let now = self.now();
        let delay = match self.switches.queue_delay {
            QueueDelay::None => TimeDelta::zero(),
            QueueDelay::Seconds15 => TimeDelta::seconds(15),
            QueueDelay::Minutes10 => TimeDelta::minutes(10),
        };
        // One after another, in the order taken in (assumed).
        let free_from = self
            .books
            .queue
            .iter()
            .rfind(|entry| entry.spoil != Some(Spoil::Hang))
            .map_or(now, |last| last.ends.max(now));
        let id = self
            .books
            .queue
            .last()
            .map_or(FIRST_ENTRY, |last| last.id + 1);
        self.books.queue.push(QueueEntry {
            id,
            created: now,
            starts: free_from + delay * 2 / 3,
            ends: free_from + delay,
            status: 0,
            message: None,
            modified: None,
            spoil: self.spoil_next.take(),
            outcome: None,
            file,
            gzip,
        });
        id
    }

    /// Runs the queue entries whose time has come, and ends those that are through.
    pub(super) fn run_queue(&mut self) {
        let now = self.clock.now();
        for at in 0..self.books.queue.len() {
            let Some(entry) = self.books.queue.get(at).filter(|entry| entry.starts <= now) else {
                continue;
            };
            if entry.status == 0 {
                let (starts, outcome) = (entry.starts, self.run_entry(&entry.clone()));
                if let Some(entry) = self.books.queue.get_mut(at) {
                    entry.status = 1;
                    entry.modified = Some(starts);
                    entry.outcome = Some(outcome);
                    entry.file.clear();
                }
                self.allocate_waiting(starts);
            }
            let ended = self
                .books
                .queue
                .get_mut(at)
                .filter(|entry| entry.ends <= now && entry.spoil != Some(Spoil::Hang));
            if let Some((entry, (status, message))) =
                ended.and_then(|entry| entry.outcome.take().map(|outcome| (entry, outcome)))
            {
                entry.status = status;
                entry.message = message;
                entry.modified = Some(entry.ends);
            }
        }
    }

    /// Books a file; answers the final status and message.
    fn run_entry(&mut self, entry: &QueueEntry) -> (i8, Option<String>) {
        let rows = match goods_csv::read(&entry.file, entry.gzip) {
            Ok(rows) => rows,
            Err(reason) => return (-1, Some(reason)),
        };
        let readable = match self.switches.movement_delay {
            MovementDelay::None => entry.starts,
            MovementDelay::Minute => entry.ends + TimeDelta::minutes(1),
        };
        if let Some(Spoil::FailUnapplied | Spoil::Hang) = entry.spoil {
            return (-1, Some(String::from(BROKEN)));
        }
        let mut books = self.books.clone();
        let mut refused = Vec::new();
        // The header is line 1.
        for (line, row) in (2..).zip(&rows) {
            if let Err(reason) = row.apply(&mut books, entry.starts, readable, &self.switches) {
                refused.push(format!(
                    "{line}行目 [{}] {reason}",
                    row.text("syohin_code").unwrap_or_default()
                ));
            }
        }
        let whole = refused.is_empty();
        let partial = self.switches.upload_bad_rows == UploadBadRows::Partial;
        if whole || partial {
            self.books = books;
        }
        if entry.spoil == Some(Spoil::FailApplied) {
            return (-1, Some(String::from(BROKEN)));
        }
        let done = match self.switches.upload_bad_rows {
            _ if whole => true,
            UploadBadRows::Partial => self.switches.partial_upload_ends == PartialUploadEnds::Done,
            UploadBadRows::AllOrNothing => {
                self.switches.all_or_nothing_ends == AllOrNothingEnds::Done
            }
        };
        let message = (!whole).then(|| self.queue_message(&refused)).flatten();
        (if done { 2 } else { -1 }, message)
    }

    fn queue_message(&self, refused: &[String]) -> Option<String> {
        match self.switches.queue_message {
            QueueMessage::Rows => Some(refused.join("\n")),
            QueueMessage::Count => Some(format!("{}件のエラーがあります。", refused.len())),
            QueueMessage::None => None,
        }
    }
}

impl Row {
    fn apply(
        &self,
        books: &mut Books,
        at: Moment,
        visible_from: Moment,
        switches: &Switches,
    ) -> Result<(), String> {
        let code = self
            .text("syohin_code")
            .ok_or("商品コードがないか、列数がヘッダと違います。")?;
        let by = self.difference()?;
        if self.text("yoyaku_zaiko_su").is_some() {
            return Err(String::from("予約在庫は扱えません(サンドボックス)。"));
        }
        let code = match books.goods_like(code, switches.code_case) {
            Some(known) => known.code.clone(),
            None => self.create(books, code, at)?,
        };
        let free = books.goods.get(&code).map_or(0, Goods::free);
        if by < 0 && free.checked_add(by).is_none_or(|left| left < 0) {
            return Err(format!(
                "フリー在庫数({free})を超えて減らすことはできません。"
            ));
        }
        self.update(books, &code, at)?;
        let reason = reason(self.text("nyusyukko_riyu"), switches.upload_reason);
        let kind = MovementKind::Upload;
        books.move_stock(&StockChange {
            code: &code,
            by,
            at,
            kind,
            reason: &reason,
            slip: None,
            visible_from,
        });
        Ok(())
    }

    /// An unknown code is a new product, if the row says enough (next-engine.md 4.2).
    fn create(&self, books: &mut Books, code: &str, at: Moment) -> Result<String, String> {
        let missing = |name: &str| format!("新規商品の登録には{name}が必要です。");
        let supplier = self.text("sire_code").ok_or_else(|| missing("sire_code"))?;
        let name = self
            .text("syohin_name")
            .ok_or_else(|| missing("syohin_name"))?;
        let cost = self
            .money("genka_tnk")?
            .ok_or_else(|| missing("genka_tnk"))?;
        let price = self
            .money("baika_tnk")?
            .ok_or_else(|| missing("baika_tnk"))?;
        if self.difference()? < 0 {
            return Err(String::from("新規商品の在庫数を負にはできません。"));
        }
        let goods = Goods {
            code: code.to_owned(),
            name: name.to_owned(),
            price,
            cost,
            tax_rate: 10,
            supplier: supplier.to_owned(),
            stock: 0,
            allocated: 0,
            defective: 0,
            created: at,
            modified: None,
            stock_modified: None,
        };
        books.goods.insert(code.to_owned(), goods);
        Ok(code.to_owned())
    }

    fn update(&self, books: &mut Books, code: &str, at: Moment) -> Result<(), String> {
        let (price, cost) = (self.money("baika_tnk")?, self.money("genka_tnk")?);
        let (name, supplier) = (self.text("syohin_name"), self.text("sire_code"));
        let Some(goods) = books.goods.get_mut(code) else {
            return Ok(());
        };
        if price.is_some() || cost.is_some() || name.is_some() || supplier.is_some() {
            goods.price = price.unwrap_or(goods.price);
            goods.cost = cost.unwrap_or(goods.cost);
            goods.name = name.unwrap_or(&goods.name).to_owned();
            goods.supplier = supplier.unwrap_or(&goods.supplier).to_owned();
            goods.modified = Some(at);
        }
        Ok(())
    }
}

/// 事由 as the history will show it.
fn reason(sent: Option<&str>, switch: UploadReason) -> String {
    let Some(sent) = sent else {
        return DEFAULT_REASON.to_owned();
    };
    match switch {
        UploadReason::Verbatim => sent.to_owned(),
        UploadReason::Truncated => sent.chars().take(REASON_MAX).collect(),
        UploadReason::Prefixed => format!("{DEFAULT_REASON} {sent}"),
        UploadReason::Absent => String::new(),
    }
}
