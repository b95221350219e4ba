//! The goods upload and its queue: differences, refused rows, new products, states and delays (next-engine.md 4.2, 4.4).
//! It must never set stock to a number: the file knows differences only.

use std::io::Read;

use chrono::TimeDelta;
use flate2::read::GzDecoder;
use rust_decimal::Decimal;
use serde_json::{Map, json};

use super::NextEngine;
use super::answer::{Failure, Payload};
use super::books::{Books, Goods, Moment, MovementKind, QueueEntry, StockChange};
use crate::switches::{
    CodeCase, MovementDelay, PartialUploadEnds, QueueDelay, Switches, UploadBadRows,
};
use crate::wire::Form;

/// Largest file, before unpacking (5 MB, second-hand).
const FILE_MAX: usize = 5 * 1024 * 1024;
/// Largest file after unpacking; only a guard against packed bombs.
const UNPACKED_MAX: u64 = 64 * 1024 * 1024;
/// First queue number.
const FIRST_ENTRY: u64 = 2001;
/// 事由 of a row without `nyusyukko_riyu` (assumed).
const DEFAULT_REASON: &str = "商品マスタ一括登録";

/// Columns of the goods CSV that this sandbox knows (next-engine.md 4.2), numbered families apart.
const COLUMNS: [&str; 58] = [
    "syohin_code",
    "sire_code",
    "jan_code",
    "maker_name",
    "maker_kana",
    "maker_jyusyo",
    "maker_yubin_bangou",
    "kataban",
    "iro",
    "syohin_name",
    "gaikoku_syohin_name",
    "syohin_kbn",
    "toriatukai_kbn",
    "genka_tnk",
    "hyoji_tnk",
    "baika_tnk",
    "gaikoku_baika_tnk",
    "kake_ritu",
    "omosa",
    "haba",
    "okuyuki",
    "takasa",
    "yusou_kbn",
    "syohin_status_kbn",
    "hatubai_bi",
    "zaiko_teisu",
    "hachu_ten",
    "lot",
    "keisai_tantou",
    "keisai_bi",
    "bikou",
    "daihyo_syohin_code",
    "visible_flg",
    "mail_tag",
    "tag",
    "location",
    "mail_send_flg",
    "mail_send_num",
    "gift_ok_flg",
    "size",
    "maker_kataban",
    "zaiko_threshold",
    "orosi_threshold",
    "hasou_houhou_kbn",
    "hasoumoto_code",
    "zaiko_su",
    "yoyaku_zaiko_su",
    "nyusyukko_riyu",
    "hit_syohin_alert_quantity",
    "nouki_kbn",
    "nouki_sitei_bi",
    "syohin_setumei_text",
    "syohin_setumei_html",
    "spec_text",
    "spec_html",
    "chui_jiko_text",
    "chui_jiko_html",
    "syohin_jyotai_kbn",
];
/// Families of columns that end in a number.
const NUMBERED: [&str; 2] = ["org", "org_select"];

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
            .last()
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
                .filter(|entry| entry.ends <= now);
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
        let rows = match read_file(entry) {
            Ok(rows) => rows,
            Err(reason) => return (-1, Some(reason)),
        };
        let readable = match self.switches.movement_delay {
            MovementDelay::None => entry.starts,
            MovementDelay::Minute => entry.ends + TimeDelta::minutes(1),
        };
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
        if whole || self.switches.upload_bad_rows == UploadBadRows::Partial {
            self.books = books;
        }
        let message = (!whole).then(|| refused.join("\n"));
        let partial = self.switches.upload_bad_rows == UploadBadRows::Partial;
        let done =
            whole || (partial && self.switches.partial_upload_ends == PartialUploadEnds::Done);
        (if done { 2 } else { -1 }, message)
    }
}

/// One row: column names with their cells.
struct Row(Vec<(String, String)>);

fn read_file(entry: &QueueEntry) -> Result<Vec<Row>, String> {
    let mut bytes = Vec::new();
    if entry.gzip {
        let mut unpacked = GzDecoder::new(entry.file.as_slice()).take(UNPACKED_MAX);
        unpacked
            .read_to_end(&mut bytes)
            .map_err(|_| String::from("gzファイルを展開できません。"))?;
    } else {
        bytes.clone_from(&entry.file);
    }
    let text = decode(&bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|_| String::from("ヘッダ行を読めません。"))?
        .clone();
    check_header(&header)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| String::from("CSVの形式が正しくありません。"))?;
        let cells = header.iter().zip(record.iter());
        // A row of another width shows up as a row without a code.
        let whole = record.len() == header.len();
        let cells = cells
            .filter(|_| whole)
            .map(|(name, cell)| (name.to_owned(), cell.trim().to_owned()));
        rows.push(Row(cells.collect()));
    }
    Ok(rows)
}

/// UTF-8, with or without a mark, else Shift_JIS (next-engine.md 4.2).
fn decode(bytes: &[u8]) -> Result<String, String> {
    let (text, _, bad) = encoding_rs::UTF_8.decode(bytes);
    if !bad {
        return Ok(text.into_owned());
    }
    let (text, _, bad) = encoding_rs::SHIFT_JIS.decode(bytes);
    if bad {
        Err(String::from("文字コードが正しくありません。"))
    } else {
        Ok(text.into_owned())
    }
}

fn check_header(header: &csv::StringRecord) -> Result<(), String> {
    let numbered = |name: &str| {
        let family = name.trim_end_matches(|last: char| last.is_ascii_digit());
        family.len() < name.len() && NUMBERED.contains(&family)
    };
    if let Some(unknown) = header
        .iter()
        .find(|name| !COLUMNS.contains(name) && !numbered(name))
    {
        return Err(format!("ヘッダに不明な項目があります: {unknown}"));
    }
    let codes = header.iter().filter(|name| *name == "syohin_code").count();
    if codes == 1 {
        Ok(())
    } else {
        Err(String::from("ヘッダにsyohin_codeが1つ必要です。"))
    }
}

impl Row {
    /// A cell that is not blank; blank changes nothing.
    fn text(&self, name: &str) -> Option<&str> {
        let cell = self.0.iter().find(|(column, _)| column == name);
        cell.map(|(_, cell)| cell.as_str())
            .filter(|cell| !cell.is_empty())
    }

    fn money(&self, name: &str) -> Result<Option<Decimal>, String> {
        let Some(cell) = self.text(name) else {
            return Ok(None);
        };
        cell.parse()
            .map(Some)
            .map_err(|_| format!("{name}が数値ではありません。"))
    }

    fn difference(&self) -> Result<i64, String> {
        let Some(cell) = self.text("zaiko_su") else {
            return Ok(0);
        };
        cell.parse()
            .map_err(|_| String::from("在庫数が整数ではありません。"))
    }

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
        let code = match known_code(books, code, switches.code_case) {
            Some(known) => known,
            None => self.create(books, code, at)?,
        };
        let free = books.goods.get(&code).map_or(0, Goods::free);
        if by < 0 && free.checked_add(by).is_none_or(|left| left < 0) {
            return Err(format!(
                "フリー在庫数({free})を超えて減らすことはできません。"
            ));
        }
        self.update(books, &code, at)?;
        let reason = self.text("nyusyukko_riyu").unwrap_or(DEFAULT_REASON);
        let kind = MovementKind::Upload;
        books.move_stock(&StockChange {
            code: &code,
            by,
            at,
            kind,
            reason,
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

fn known_code(books: &Books, code: &str, case: CodeCase) -> Option<String> {
    if books.goods.contains_key(code) {
        return Some(code.to_owned());
    }
    let alike =
        |known: &&String| case == CodeCase::Ignored && known.to_lowercase() == code.to_lowercase();
    books.goods.keys().find(alike).cloned()
}
