//! Reading a JSON body as スマレジ does: unknown names refused, numbers as text (smaregi.md 2). It must not know any operation.

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde_json::{Map, Value};

use super::answer::{self, Problem};
use super::books::Moment;
use crate::clock::jst;
use crate::switches::Offsets;
use crate::wire::Request;

/// A body being read.
pub struct Body(Map<String, Value>);

/// The request's body.
pub fn object(request: &Request) -> Result<Body, Problem> {
    answer::object(request, false).map(Body)
}

/// The same, where it may be empty.
pub fn optional(request: &Request) -> Result<Body, Problem> {
    answer::object(request, true).map(Body)
}

impl Body {
    /// An object inside a body.
    pub fn of(value: &Value, name: &str) -> Result<Self, Problem> {
        value
            .as_object()
            .cloned()
            .map(Self)
            .ok_or_else(|| bad(name))
    }

    /// Refuses names that the operation does not have.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let unknown = self.0.keys().find(|name| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| Err(Problem::unsupported(name)))
    }

    /// As it came; null counts as absent.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether the name was sent at all, null included.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text of at most so many characters.
    pub fn text(&self, name: &str, longest: usize) -> Result<Option<String>, Problem> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| bad(name))?;
        if text.chars().count() > longest {
            Err(bad(name))
        } else {
            Ok(Some(text.to_owned()))
        }
    }

    /// A whole number as text within a range.
    pub fn int(&self, name: &str, most: i64) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name, 12)? else {
            return Ok(None);
        };
        let plain = !text.is_empty() && !text.starts_with('+');
        let number = text
            .parse::<i64>()
            .ok()
            .filter(|number| plain && number.abs() <= most);
        number.map(Some).ok_or_else(|| bad(name))
    }

    /// A required number.
    pub fn need_int(&self, name: &str, most: i64) -> Result<i64, Problem> {
        self.int(name, most)?.ok_or_else(|| missing(name))
    }

    /// A required text.
    pub fn need_text(&self, name: &str, longest: usize) -> Result<String, Problem> {
        self.text(name, longest)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| missing(name))
    }

    /// One of these texts.
    pub fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<String>, Problem> {
        let text = self.text(name, 20)?;
        if text.as_deref().is_some_and(|text| !known.contains(&text)) {
            Err(bad(name))
        } else {
            Ok(text)
        }
    }

    /// A moment; where the switch has offsets ignored, its wall time is taken for Japan's (smaregi.md 2, the time zone trap).
    pub fn moment(&self, name: &str, offsets: Offsets) -> Result<Option<Moment>, Problem> {
        let Some(text) = self.text(name, 40)? else {
            return Ok(None);
        };
        let moment = with_offset(&text).ok_or_else(|| bad(name))?;
        let japan = match offsets {
            Offsets::Honoured => Some(moment.with_timezone(&jst())),
            Offsets::Ignored => moment.naive_local().and_local_timezone(jst()).single(),
        };
        japan.map(Some).ok_or_else(|| bad(name))
    }

    /// A day.
    pub fn day(&self, name: &str) -> Result<Option<NaiveDate>, Problem> {
        let Some(text) = self.text(name, 10)? else {
            return Ok(None);
        };
        NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .map(Some)
            .map_err(|_| bad(name))
    }
}

/// `YYYY-MM-DDThh:mm:ssTZD`; a public client sends `+0900` without a colon, so both spellings are taken.
pub fn with_offset(text: &str) -> Option<DateTime<FixedOffset>> {
    let plain = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z");
    DateTime::parse_from_rfc3339(text).or_else(|_| plain()).ok()
}

/// 400: the value breaks the field's rule.
pub fn bad(name: &str) -> Problem {
    Problem::invalid(format!("{name}の値が正しくありません。"))
}

/// 400: the field is needed.
pub fn missing(name: &str) -> Problem {
    Problem::invalid(format!("{name}は必須です。"))
}
