//! Foreign JSON read as far as it goes: what one value of a body breaks must not cost the rows beside it. Knows no field.
//!
//! Strict JSON is taken as it is. What is not is mended once: broken UTF-8 and halves of surrogate pairs (a name cut in the middle of
//! an emoji) become U+FFFD, raw control characters are escaped, numbers that no machine holds become text, and what is nested without
//! end becomes null. A body that is cut, or no JSON at all, stays unreadable.

use std::{iter::Peekable, str::Chars};

use super::Value;

/// Deeper than either service nests, and less than serde_json's own limit of 128.
const DEEPEST: usize = 100;
const UNICODE_ESCAPE: usize = 4;
/// Stands for a character that cannot be read.
const LOST: &str = "\\ufffd";

/// The body's value; `None` for what is no JSON.
pub fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body)
        .ok()
        .or_else(|| serde_json::from_str(&mended(&String::from_utf8_lossy(body))).ok())
}

fn mended(text: &str) -> String {
    let mut mender = Mender {
        rest: text.trim_start_matches('\u{feff}').chars().peekable(),
        depth: 0,
        out: String::with_capacity(text.len()),
    };
    while let Some(letter) = mender.rest.next() {
        mender.take(letter);
    }
    mender.out
}

struct Mender<'a> {
    rest: Peekable<Chars<'a>>,
    depth: usize,
    out: String,
}

impl Mender<'_> {
    fn take(&mut self, letter: char) {
        match letter {
            '"' => self.string(),
            '-' | '0'..='9' => self.number(letter),
            '[' | '{' => {
                self.depth = self.depth.saturating_add(1);
                match self.depth {
                    depth if depth == DEEPEST => self.out.push_str("null"),
                    _ => self.push(letter),
                }
            }
            ']' | '}' => {
                self.push(letter);
                self.depth = self.depth.saturating_sub(1);
            }
            other => self.push(other),
        }
    }

    fn push(&mut self, letter: char) {
        if self.depth < DEEPEST {
            self.out.push(letter);
        }
    }

    fn push_all(&mut self, text: &str) {
        if self.depth < DEEPEST {
            self.out.push_str(text);
        }
    }

    fn string(&mut self) {
        self.push('"');
        while let Some(letter) = self.rest.next() {
            match letter {
                '"' => return self.push('"'),
                '\\' => self.escape(),
                letter if u32::from(letter) < 0x20 => {
                    self.push_all(&format!("\\u{:04x}", u32::from(letter)));
                }
                letter => self.push(letter),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) {
        match self.rest.next() {
            Some('u') => self.unicode(),
            Some(letter @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
                self.push('\\');
                self.push(letter);
            }
            _ => self.push_all(LOST),
        }
    }

    /// What follows `\u`: a character, a whole pair of surrogates, or a half of one.
    fn unicode(&mut self) {
        let Some(first) = hex(&mut self.rest) else {
            return self.push_all(LOST);
        };
        match first {
            0xD800..=0xDBFF => {
                let mut ahead = self.rest.clone();
                let is_escape = ahead.next() == Some('\\') && ahead.next() == Some('u');
                match hex(&mut ahead).filter(|low| is_escape && (0xDC00..=0xDFFF).contains(low)) {
                    Some(second) => {
                        self.rest = ahead;
                        self.push_all(&format!("\\u{first:04x}\\u{second:04x}"));
                    }
                    None => self.push_all(LOST),
                }
            }
            0xDC00..=0xDFFF => self.push_all(LOST),
            plain => self.push_all(&format!("\\u{plain:04x}")),
        }
    }

    /// A number that is out of range is text, so that its field alone cannot be read.
    fn number(&mut self, first: char) {
        let mut text = String::from(first);
        while let Some(letter) = self
            .rest
            .next_if(|letter| matches!(letter, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
        {
            text.push(letter);
        }
        if serde_json::from_str::<Value>(&text).is_ok() {
            self.push_all(&text);
        } else {
            self.push_all(&format!("\"{text}\""));
        }
    }
}

fn hex(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let mut value = 0;
    for _ in 0..UNICODE_ESCAPE {
        value = value * 16 + rest.next_if(char::is_ascii_hexdigit)?.to_digit(16)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn what_one_value_breaks_costs_no_other() {
        for (body, expected) in [
            (r#"{"a":"\ud83c","b":1}"#, json!({"a": "\u{fffd}", "b": 1})),
            (
                r#"{"a":"x\ud83cy\udf75"}"#,
                json!({"a": "x\u{fffd}y\u{fffd}"}),
            ),
            (r#"{"a":"\ud83c\udf75"}"#, json!({"a": "🍵"})),
            (r#"["\ud83c\u0041"]"#, json!(["\u{fffd}A"])),
            (r#"["\ud83c\udf75", "\ud83c"]"#, json!(["🍵", "\u{fffd}"])),
            (r#"["\ud83c\df75"]"#, json!(["\u{fffd}\u{fffd}f75"])),
            ("[\"a\nb\"]", json!(["a\nb"])),
            ("\u{feff}[1e999, 2]", json!(["1e999", 2])),
            (r#"["\q", "\u12", 3]"#, json!(["\u{fffd}", "\u{fffd}", 3])),
            (
                r#"["\ud83cxdf75", "\ud83c\ndf75", "\ud83c"]"#,
                json!(["\u{fffd}xdf75", "\u{fffd}\ndf75", "\u{fffd}"]),
            ),
            ("[\"a\u{1f} b\", \"\\q\"]", json!(["a\u{1f} b", "\u{fffd}"])),
            ("[-, 01, 1.5]", json!(["-", "01", 1.5])),
        ] {
            assert_eq!(parse(body.as_bytes()), Some(expected), "{body}");
        }
        assert_eq!(parse(b"[\"a\xffb\",1]"), Some(json!(["a\u{fffd}b", 1])));
    }

    #[test]
    fn what_is_nested_without_end_is_null_and_costs_no_other() {
        let deep = format!("[{}{}, 7]", "[".repeat(100_000), "]".repeat(100_000));
        let read = parse(deep.as_bytes()).unwrap();
        assert_eq!(read.as_list().unwrap().get(1), Some(&json!(7)));
        let deep = format!("{}1{}", r#"{"a":["#.repeat(5_000), "]}".repeat(5_000));
        assert!(parse(deep.as_bytes()).unwrap().as_object().is_some());
        for depth in 95..105 {
            let deep = format!("{}\"a\nb\", 7{}", "[".repeat(depth), "]".repeat(depth));
            assert!(parse(deep.as_bytes()).is_some(), "{depth}");
        }
    }

    #[test]
    fn what_is_cut_or_no_json_stays_unreadable() {
        for body in [
            "",
            "<html>",
            "[1",
            r#"{"a":"b"#,
            r#"{"a":"\ud83c"#,
            "[1]]",
            "\u{feff}",
        ] {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
    }

    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        // Few names, so that the objects of a list share some.
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::vec(("[ab]{0,2}|.*", inner), 0..6)
                    .prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn mending_changes_nothing_that_is_whole(value in values()) {
            let text = value.to_string();
            let read: Json = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<Json>(&mended(&text)).unwrap(), read);
        }

        #[test]
        fn what_is_whole_is_read_as_serde_json_reads_it(value in values()) {
            let text = value.to_string();
            let read: Json = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Json::from(&parse(text.as_bytes()).unwrap()), read);
        }

        #[test]
        fn nothing_brings_it_down(bytes: Vec<u8>, text: String) {
            parse(&bytes);
            parse(text.as_bytes());
        }
    }
}
