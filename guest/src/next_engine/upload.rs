//! 商品マスタアップロード, for stock alone (next-engine.md 4.2): differences, never numbers to be. Decides nothing about them.

use super::Call;
use crate::{
    reason::Reason,
    wire::{Row, Value},
};

/// Uploads differences as CSV. Only the columns to change are sent: blanks in others would be undefined. The mark goes into
/// `nyusyukko_riyu`, where the movement history shows it again. Codes must exist there: an unknown one would become a product.
pub fn stock(rows: &[(String, i64)], mark: &str) -> Call {
    let form = vec![
        ("data_type".to_owned(), "csv".to_owned()),
        ("data".to_owned(), csv(rows, mark)),
    ];
    Call {
        path: "/api_v1_master_goods/upload",
        form,
        writes: true,
    }
}

fn csv(rows: &[(String, i64)], mark: &str) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["syohin_code", "zaiko_su", "nyusyukko_riyu"].map(str::to_owned);
    let records = rows
        .iter()
        .map(|(code, quantity)| [code.clone(), quantity.to_string(), mark.to_owned()]);
    for record in std::iter::once(header).chain(records) {
        // Writing into memory cannot fail; three columns are three columns.
        let _ = writer.write_record(&record);
    }
    writer
        .into_inner()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// The id of the queue entry that will carry it out.
pub fn decode(answer: &Value) -> Result<String, Reason> {
    Row::of(answer, "answer")?.id("que_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_code_difference_and_mark() {
        let rows = [("ume-1".to_owned(), -3), ("お\"茶,1".to_owned(), 2)];
        let call = stock(&rows, "tsunagi-1a-7");
        let data = &call.form.iter().find(|(name, _)| name == "data").unwrap().1;
        assert_eq!(
            data,
            "syohin_code,zaiko_su,nyusyukko_riyu\nume-1,-3,tsunagi-1a-7\n\"お\"\"茶,1\",2,tsunagi-1a-7\n"
        );
        assert!(call.writes);
    }
}
