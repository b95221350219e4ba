//! A history as a file for spreadsheets, written while it is read. No cell can become a formula.

use axum::{body::Bytes, response::Response};
use futures_util::stream::{self, Stream};
use serde_json::Value;

use super::{
    access::AtShop,
    histories::{self, Stretch},
};

/// Entries read at once.
const AT_ONCE: usize = 500;
/// Tells spreadsheets that it is UTF-8.
const MARK: &str = "\u{feff}";

/// How far the file is.
enum Place {
    Head,
    From(Option<String>),
    End,
}

/// The file, piece by piece; breaks off when the history cannot be read on.
pub fn stream(
    at: AtShop,
    function: &'static str,
    filter: Value,
    head: [&'static str; 10],
    record: impl Fn(&Value) -> Vec<String> + Clone + Send + 'static,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::unfold(Place::Head, move |place| {
        let (at, filter, record) = (at.clone(), filter.clone(), record.clone());
        async move {
            match place {
                Place::Head => {
                    let line = lines([head.map(str::to_owned).to_vec()]);
                    Some((Ok(Bytes::from(format!("{MARK}{line}"))), Place::From(None)))
                }
                Place::From(from) => {
                    let read = histories::read(&at, function, &filter, from, AT_ONCE).await;
                    Some(piece(read, &record))
                }
                Place::End => None,
            }
        }
    })
}

fn piece(
    read: Result<Stretch, Response>,
    record: &impl Fn(&Value) -> Vec<String>,
) -> (Result<Bytes, std::io::Error>, Place) {
    match read {
        Ok(Stretch {
            entries,
            continuation,
        }) => {
            let text = lines(entries.iter().map(record));
            let next = continuation.map_or(Place::End, |from| Place::From(Some(from)));
            (Ok(Bytes::from(text)), next)
        }
        Err(_) => (
            Err(std::io::Error::other("the history cannot be read on")),
            Place::End,
        ),
    }
}

fn lines(records: impl IntoIterator<Item = Vec<String>>) -> String {
    let lines = records.into_iter().map(|record| {
        let cells: Vec<String> = record.iter().map(|text| cell(text)).collect();
        format!("{}\r\n", cells.join(","))
    });
    lines.collect()
}

/// Quoted where it must be. What a spreadsheet would take for a formula is made text; numbers stay numbers.
fn cell(text: &str) -> String {
    let is_number = text.parse::<rust_decimal::Decimal>().is_ok();
    let begins_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let apostrophe = if begins_formula { "'" } else { "" };
    if begins_formula || text.contains([',', '"', '\n', '\r']) {
        format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_cell_is_a_formula() {
        for (text, written) in [
            ("plain", "plain"),
            ("-3", "-3"),
            ("1,5", "\"1,5\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@x", "\"'@x\""),
            ("-x", "\"'-x\""),
            ("a\nb", "\"a\nb\""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
