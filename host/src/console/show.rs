//! How values look on a page: moments in Japan's time with the zone, money and quantities with separators. Decides nothing.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use maud::{Markup, html};
use serde_json::Value;

use super::language::Language;
use crate::clock::japan;

fn read(moment: &str) -> Option<DateTime<FixedOffset>> {
    let read = DateTime::parse_from_rfc3339(moment).ok()?;
    Some(read.with_timezone(&japan()))
}

/// `2026-11-24 14:03 JST`; what is no moment stays as it is.
pub fn moment_text(moment: &str) -> String {
    read(moment).map_or_else(
        || moment.to_owned(),
        |at| at.format("%Y-%m-%d %H:%M JST").to_string(),
    )
}

/// A moment for readers and for machines.
pub fn moment(moment: &str) -> Markup {
    html! { time datetime=(moment) { (moment_text(moment)) } }
}

/// The host's own moments, too.
pub fn of_host(at: DateTime<Utc>) -> Markup {
    moment(&at.to_rfc3339())
}

/// A moment's day in Japan, `2026-11-24`.
pub fn day(moment: &str) -> Option<String> {
    Some(read(moment)?.format("%Y-%m-%d").to_string())
}

/// How long it still is until a moment; `None` when it has passed.
pub fn left(language: Language, moment: &str, now: DateTime<Utc>) -> Option<String> {
    let left = read(moment)?.with_timezone(&Utc) - now;
    if left <= TimeDelta::zero() {
        return None;
    }
    let (days, hours, minutes) = (
        left.num_days(),
        left.num_hours() % 24,
        left.num_minutes() % 60,
    );
    Some(match (days, hours) {
        (0, 0) => language
            .of("あと{m}分", "{m} min left")
            .replace("{m}", &minutes.to_string()),
        (0, hours) => language
            .of("あと{h}時間{m}分", "{h} h {m} min left")
            .replace("{h}", &hours.to_string())
            .replace("{m}", &minutes.to_string()),
        (days, hours) => language
            .of("あと{d}日{h}時間", "{d} d {h} h left")
            .replace("{d}", &days.to_string())
            .replace("{h}", &hours.to_string()),
    })
}

/// A decimal number with a comma after each three digits.
pub fn number(decimal: &str) -> String {
    let (sign, rest) = match decimal.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", decimal),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut grouped = String::new();
    let length = whole.chars().count();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (length - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

/// A difference carries its sign.
pub fn signed(decimal: &str) -> String {
    let is_plus =
        !decimal.starts_with('-') && decimal.chars().any(|digit| ('1'..='9').contains(&digit));
    let plus = if is_plus { "+" } else { "" };
    format!("{plus}{}", number(decimal))
}

/// Yen.
pub fn money(language: Language, decimal: &str) -> String {
    let number = number(decimal);
    match language {
        Language::Ja => format!("{number}円"),
        Language::En => match number.strip_prefix('−') {
            Some(number) => format!("−¥{number}"),
            None => format!("¥{number}"),
        },
    }
}

/// A text field of a value; empty when it has none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether a flag is set.
pub fn flag(value: &Value, pointer: &str) -> bool {
    value
        .pointer(pointer)
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

/// A count.
pub fn count(value: &Value, pointer: &str) -> u64 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

/// The items of a list.
pub fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_japans_and_say_so() {
        assert_eq!(moment_text("2026-11-24T23:30:00Z"), "2026-11-25 08:30 JST");
        assert_eq!(day("2026-11-24T23:30:00Z").as_deref(), Some("2026-11-25"));
        assert_eq!(moment_text("soon"), "soon");
    }

    #[test]
    fn what_is_left_is_said_in_two_units() {
        let now: DateTime<Utc> = "2026-11-24T00:00:00Z".parse().unwrap();
        for (until, ja, en) in [
            ("2026-11-26T05:10:00Z", "あと2日5時間", "2 d 5 h left"),
            ("2026-11-24T05:10:00Z", "あと5時間10分", "5 h 10 min left"),
            ("2026-11-24T00:10:00Z", "あと10分", "10 min left"),
        ] {
            assert_eq!(left(Language::Ja, until, now).as_deref(), Some(ja));
            assert_eq!(left(Language::En, until, now).as_deref(), Some(en));
        }
        assert_eq!(left(Language::Ja, "2026-11-24T00:00:00Z", now), None);
    }

    #[test]
    fn numbers_have_separators_and_differences_a_sign() {
        for (decimal, shown) in [
            ("5650", "5,650"),
            ("-1234567.5", "−1,234,567.5"),
            ("12", "12"),
            ("-3", "−3"),
            ("0", "0"),
        ] {
            assert_eq!(number(decimal), shown);
        }
        assert_eq!(signed("1200"), "+1,200");
        assert_eq!(signed("-3"), "−3");
        assert_eq!(signed("0"), "0");
        assert_eq!(money(Language::Ja, "5650"), "5,650円");
        assert_eq!(money(Language::En, "5650"), "¥5,650");
    }
}
