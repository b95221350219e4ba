//! Reading foreign JSON: strings where numbers are meant, nulls, missing fields. Knows neither service and never panics; whatever
//! cannot be read is a [`Reason`] that names the field.

mod json;
#[cfg(test)]
mod testing;
mod value;

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{money, reason::Reason, text};

pub use json::parse;
#[cfg(test)]
pub(crate) use testing::sent;
pub use value::{Object, Value};

/// Longer text is no value of either service's (bytes): kept, it would fill a record, and the reason beside it.
const LONGEST_TEXT: usize = 4_096;
/// Digits of the longest id.
const LONGEST_ID: usize = 20;
/// Digits of the longest division.
const LONGEST_DIVISION: usize = 2;
/// How much of an offending value a reason shows.
const SHOWN: usize = 60;

/// One JSON object.
#[derive(Clone, Copy)]
pub struct Row<'a>(&'a Object);

impl<'a> Row<'a> {
    /// The object, or a reason naming what should have been one.
    pub fn of(value: &'a Value, what: &str) -> Result<Self, Reason> {
        value
            .as_object()
            .map(Self)
            .ok_or_else(|| unreadable(what, value))
    }

    /// A text, or a whole number as text; `None` when missing, null, empty or longer than any real one.
    pub fn maybe_text(self, field: &str) -> Option<String> {
        text_of(self.value(field)).map(Cow::into_owned)
    }

    /// The same, required.
    pub fn text(self, field: &str) -> Result<String, Reason> {
        self.maybe_text(field).ok_or_else(|| self.bad(field))
    }

    /// An id that a service counts up: digits and nothing else, because what is booked under it must have one spelling.
    pub fn id(self, field: &str) -> Result<String, Reason> {
        let digits = |text: &str| {
            let plain = (1..=LONGEST_ID).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.to_owned())
        };
        self.read(field, digits)
    }

    /// A decimal number; `None` when missing, null or empty.
    pub fn maybe_decimal(self, field: &str) -> Result<Option<Decimal>, Reason> {
        let value = self.value(field);
        if is_nothing(value) {
            return Ok(None);
        }
        decimal_of(field, value).map(Some)
    }

    /// A decimal number, required.
    pub fn decimal(self, field: &str) -> Result<Decimal, Reason> {
        decimal_of(field, self.value(field))
    }

    /// `1`, or what stands for no: `0`, null, empty and absent. Anything else is not guessed at.
    pub fn flag(self, field: &str) -> Result<bool, Reason> {
        let value = self.value(field);
        if is_nothing(value) {
            return Ok(false);
        }
        read_of(field, value, yes_or_no)
    }

    /// `1` or `0`, required.
    pub fn decided(self, field: &str) -> Result<bool, Reason> {
        self.read(field, yes_or_no)
    }

    /// A text that may be missing, null or empty; what is no text, or longer than any real one, cannot be read.
    pub fn text_if_any(self, field: &str) -> Result<Option<String>, Reason> {
        if is_nothing(self.value(field)) {
            return Ok(None);
        }
        self.text(field).map(Some)
    }

    /// The two digits of a division (区分); one is taken, too.
    pub fn division(self, field: &str) -> Result<String, Reason> {
        let digits = |text: &str| {
            let plain = (1..=LONGEST_DIVISION).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.to_owned())
        };
        self.read(field, digits)
    }

    /// A value read by `read`, required.
    pub fn read<T>(self, field: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Reason> {
        read_of(field, self.value(field), read)
    }

    /// The field as it came.
    pub fn value(self, field: &str) -> &'a Value {
        self.0.get(field).unwrap_or(&Value::Null)
    }

    /// The field is not what it must be.
    pub fn bad(self, field: &str) -> Reason {
        unreadable(field, self.value(field))
    }
}

/// A text, or a whole number as text: an id with a fraction or an exponent would be another spelling of one that is known already.
pub fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) if (1..=LONGEST_TEXT).contains(&text.len()) => Some(text.into()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string().into()),
        _ => None,
    }
}

fn read_of<T>(field: &str, value: &Value, read: impl Fn(&str) -> Option<T>) -> Result<T, Reason> {
    let text = text_of(value);
    text.as_deref()
        .and_then(read)
        .ok_or_else(|| unreadable(field, value))
}

fn decimal_of(field: &str, value: &Value) -> Result<Decimal, Reason> {
    let text = match value {
        Value::Number(number) => Some(number.to_string().into()),
        _ => text_of(value),
    };
    text.as_deref()
        .and_then(money::parse)
        .ok_or_else(|| unreadable(field, value))
}

/// Absent, null and empty.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        _ => false,
    }
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// The objects of a list, each read by itself. Anything but a list is one unreadable row.
pub fn rows<T>(
    list: &Value,
    what: &str,
    read: impl Fn(Row<'_>) -> Result<T, Reason>,
) -> Vec<Result<T, Reason>> {
    match list.as_list() {
        Some(rows) => rows
            .iter()
            .map(|row| Row::of(row, what).and_then(&read))
            .collect(),
        None => vec![Err(unreadable(what, list))],
    }
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Whose row it is, where that can be read.
    pub of: Option<String>,
    /// Why.
    pub reason: Box<Reason>,
}

/// The same for whoever adds the rows up: `name` is the field that says whose a row is. Anything but a list is an error as a whole,
/// because what a list lacks would otherwise count as nothing.
pub fn named_rows<T>(
    list: &Value,
    what: &str,
    name: &str,
    read: impl Fn(Row<'_>) -> Result<T, Reason>,
) -> Result<Vec<Result<T, Unread>>, Reason> {
    let all = list.as_list().ok_or_else(|| unreadable(what, list))?;
    let of = |row: &Value| Row::of(row, what).ok()?.maybe_text(name);
    let unread = |reason, row| Unread {
        of: of(row),
        reason: Box::new(reason),
    };
    let read = rows(list, what, read).into_iter().zip(all);
    Ok(read
        .map(|(read, row)| read.map_err(|reason| unread(reason, row)))
        .collect())
}

/// A value that is not what its field holds by the service's documents.
pub fn unreadable(field: &str, value: &Value) -> Reason {
    let shown = match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => text.chars().take(SHOWN.saturating_mul(2)).collect(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::List(_) => "[…]".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
    };
    let shown = text::fit(&shown, SHOWN);
    Reason::new(
        "unreadable-field",
        format!("項目「{field}」を読み取れません。相手のサービスの画面で確かめてください。"),
        format!("The field {field} cannot be read. Look at it in that service."),
    )
    .field(field)
    .value(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn numbers_come_as_text_or_as_numbers_and_nothing_else() {
        for (value, expected) in [
            (json!("5650.00"), Some("5650")),
            (json!(-3), Some("-3")),
            (json!("1e3"), None),
            (json!(1e300), None),
            (json!("NaN"), None),
            (json!(true), None),
            (json!(["1"]), None),
            (json!({"1": 1}), None),
        ] {
            let object = json!({ "amount": value });
            let read = Row::of(&object, "row").unwrap().decimal("amount");
            assert_eq!(
                read.as_ref()
                    .ok()
                    .map(|number| money::text(*number))
                    .as_deref(),
                expected,
                "{value}"
            );
            if let Err(reason) = read {
                assert_eq!(reason.field.as_deref(), Some("amount"));
            }
        }
    }

    #[test]
    fn ids_divisions_and_flags_are_digits_or_cannot_be_read() {
        for (value, id, division, flag) in [
            (json!("7"), true, true, None),
            (json!(7), true, true, None),
            (json!("1"), true, true, Some(true)),
            (json!("15"), true, true, None),
            (json!(null), false, false, Some(false)),
            (json!("7.0"), false, false, None),
            (json!("言葉"), false, false, None),
            (json!(-1), false, false, None),
            (json!("9223372036854775807"), true, false, None),
            (json!([1]), false, false, None),
        ] {
            let object = json!({ "f": value });
            let row = Row::of(&object, "row").unwrap();
            assert_eq!(row.id("f").is_ok(), id, "{value}");
            assert_eq!(row.division("f").is_ok(), division, "{value}");
            assert_eq!(row.flag("f").ok(), flag, "{value}");
        }
    }

    #[test]
    fn missing_null_and_empty_are_nothing_and_what_is_no_text_cannot_be_read() {
        let object = json!({
            "null": null, "empty": "", "text": "x", "digits": "7", "number": 7, "list": [], "fraction": 7.5,
            "longest": "x".repeat(4_096), "longer": "x".repeat(4_097),
        });
        let row = Row::of(&object, "row").unwrap();
        for (field, text, number) in [
            ("missing", Some(false), Some(false)),
            ("null", Some(false), Some(false)),
            ("empty", Some(false), Some(false)),
            ("text", Some(true), None),
            ("longest", Some(true), None),
            ("digits", Some(true), Some(true)),
            ("number", Some(true), Some(true)),
            ("fraction", None, Some(true)),
            ("list", None, None),
            ("longer", None, None),
        ] {
            let read = row.text_if_any(field).ok();
            assert_eq!(read.map(|text| text.is_some()), text, "{field}");
            assert_eq!(row.text(field).is_ok(), text == Some(true), "{field}");
            let read = row.maybe_decimal(field).ok();
            assert_eq!(read.map(|number| number.is_some()), number, "{field}");
            assert_eq!(row.decimal(field).is_ok(), number == Some(true), "{field}");
        }
        assert_eq!(row.text_if_any("number"), Ok(Some("7".to_owned())));
        assert_eq!(row.maybe_decimal("digits"), Ok(Some(7.into())));
    }

    #[test]
    fn yes_and_no_are_one_and_nought_and_only_a_flag_may_be_absent() {
        let object = json!({"yes": "1", "no": "0", "empty": "", "other": "2"});
        let row = Row::of(&object, "row").unwrap();
        for (field, flag, decided) in [
            ("yes", Some(true), Some(true)),
            ("no", Some(false), Some(false)),
            ("empty", Some(false), None),
            ("missing", Some(false), None),
            ("other", None, None),
        ] {
            assert_eq!(row.flag(field).ok(), flag, "{field}");
            assert_eq!(row.decided(field).ok(), decided, "{field}");
        }
    }

    #[test]
    fn an_offending_value_is_shown_in_short() {
        for (value, shown) in [
            (json!(null), "null".to_owned()),
            (json!(true), "true".to_owned()),
            (json!(1.5), "1.5".to_owned()),
            (json!([1]), "[…]".to_owned()),
            (json!({"name": "山田"}), "{…}".to_owned()),
            (json!("言".repeat(60)), "言".repeat(60)),
            (json!("言".repeat(61)), format!("{}…", "言".repeat(59))),
            (json!(format!("{}x", "　".repeat(120))), String::new()),
        ] {
            let reason = unreadable("f", &value);
            assert_eq!(reason.value, Some(shown));
            assert_eq!(reason.field.as_deref(), Some("f"));
        }
    }

    #[test]
    fn what_cannot_be_read_says_whose_row_it_is_where_that_can_be_told() {
        let list = json!([{"of": "A", "n": "1"}, {"of": "B", "n": "x"}, {"n": "x"}, 5]);
        let read = named_rows(&list, "row", "of", |row| row.decimal("n")).unwrap();
        let whose: Vec<_> = read
            .into_iter()
            .map(|row| row.map_err(|unread| unread.of))
            .collect();
        let expected = [
            Ok(1.into()),
            Err(Some("B".to_owned())),
            Err(None),
            Err(None),
        ];
        assert_eq!(whose, expected);
        assert!(named_rows(&json!({}), "row", "of", |row| row.decimal("n")).is_err());
    }

    #[test]
    fn a_bad_row_fails_alone() {
        let list = json!([{"n": "1"}, null, {"n": null}, {"n": 2}]);
        let read = rows(&list, "row", |row| row.decimal("n"));
        assert_eq!(read.iter().filter(|row| row.is_ok()).count(), 2);
        assert_eq!(
            rows(&json!("<html>"), "data", |row| row.decimal("n")).len(),
            1
        );
    }
}
