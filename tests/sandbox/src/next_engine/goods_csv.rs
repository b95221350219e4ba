//! The goods CSV as a file: unpacking, encoding, header, rows and their cells (next-engine.md 4.2).
//! It must not know the books.

use std::io::Read;

use flate2::read::GzDecoder;
use rust_decimal::Decimal;

/// Largest file after unpacking; only a guard against packed bombs.
const UNPACKED_MAX: u64 = 64 * 1024 * 1024;
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

/// One row: column names with their cells.
pub struct Row(Vec<(String, String)>);

impl Row {
    /// A cell that is not blank; blank changes nothing.
    pub fn text(&self, name: &str) -> Option<&str> {
        let cell = self.0.iter().find(|(column, _)| column == name);
        cell.map(|(_, cell)| cell.as_str())
            .filter(|cell| !cell.is_empty())
    }

    /// A cell that holds an amount.
    pub fn money(&self, name: &str) -> Result<Option<Decimal>, String> {
        let Some(cell) = self.text(name) else {
            return Ok(None);
        };
        cell.parse()
            .map(Some)
            .map_err(|_| format!("{name}が数値ではありません。"))
    }

    /// `zaiko_su`: a difference, never a number to set.
    pub fn difference(&self) -> Result<i64, String> {
        let Some(cell) = self.text("zaiko_su") else {
            return Ok(0);
        };
        cell.parse()
            .map_err(|_| String::from("在庫数が整数ではありません。"))
    }
}

/// Reads a file.
///
/// # Errors
/// Why the whole file is no good.
pub fn read(file: &[u8], gzip: bool) -> Result<Vec<Row>, String> {
    let mut bytes = Vec::new();
    if gzip {
        let mut unpacked = GzDecoder::new(file).take(UNPACKED_MAX);
        unpacked
            .read_to_end(&mut bytes)
            .map_err(|_| String::from("gzファイルを展開できません。"))?;
    } else {
        bytes.extend_from_slice(file);
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
