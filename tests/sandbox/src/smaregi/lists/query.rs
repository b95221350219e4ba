//! A list's query, read and checked whole before any row is looked at (smaregi.md 1, 2, 4, 5). It must not know any list.

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::{Map, Value};

use crate::smaregi::answer::Problem;
use crate::smaregi::body::{bad, with_offset};
use crate::smaregi::rows::padded;
use crate::wire::Form;

/// Rows a page, most and default.
pub const MOST: usize = 1000;
pub const USUAL: usize = 100;
/// Longest range of moments.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// What a `with_...` may say.
const WITH: [&str; 2] = ["all", "none"];

/// What a list can be asked for: parameters with the fields they are about.
pub struct List {
    /// The names its rows have.
    pub names: &'static [&'static str],
    /// Ids: whole numbers.
    pub ids: &'static [(&'static str, &'static str)],
    /// Texts.
    pub texts: &'static [(&'static str, &'static str)],
    /// A day, of a field that holds a moment or a day.
    pub days: &'static [(&'static str, &'static str)],
    /// Ranges of moments, `-from` and `-to`.
    pub ranges: &'static [(&'static str, &'static str)],
    /// Ranges of ids, `-from` and `-to`; either end may be open.
    pub id_ranges: &'static [(&'static str, &'static str)],
    /// `with_...` parameters: all or none.
    pub with: &'static [&'static str],
    /// Whether it takes `with_details`, which its operation reads.
    pub lines: bool,
    /// Fields it can be sorted by.
    pub sort: &'static [&'static str],
}

impl List {
    /// A list that can only be sorted and paged.
    pub const PLAIN: Self = Self {
        names: &[],
        ids: &[],
        texts: &[],
        days: &[],
        ranges: &[],
        id_ranges: &[],
        with: &[],
        lines: false,
        sort: &[],
    };
}

/// What `with_...` adds to a transaction and may be chosen like a field (assumed).
pub const PARTS: [&str; 2] = ["details", "depositOthers"];

/// A query that is good.
pub struct Query {
    names: &'static [&'static str],
    exact: Vec<(&'static str, String)>,
    days: Vec<(&'static str, String)>,
    ranges: Vec<(&'static str, DateTime<FixedOffset>, DateTime<FixedOffset>)>,
    id_ranges: Vec<(&'static str, u64, u64)>,
    sort: Vec<(String, bool)>,
    fields: Option<Vec<String>>,
    limit: usize,
    page: usize,
}

impl Query {
    /// Reads and checks a query.
    pub fn read(list: &List, form: &Form, most: usize) -> Result<Self, Problem> {
        check_names(list, form)?;
        for name in list.with {
            choice(form, name, &WITH)?;
        }
        let ids = list
            .ids
            .iter()
            .map(|(name, field)| Ok((*field, id(form, name)?)));
        let texts = list
            .texts
            .iter()
            .map(|(name, field)| Ok((*field, form.text(name).map(str::to_owned))));
        let exact = ids.chain(texts).collect::<Result<Vec<_>, Problem>>()?;
        let days = list
            .days
            .iter()
            .map(|(name, field)| Ok((*field, day(form, name)?)));
        let days = days.collect::<Result<Vec<_>, Problem>>()?;
        let ranges = list
            .ranges
            .iter()
            .map(|(name, field)| range(form, name, field));
        let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
        let id_ranges = list
            .id_ranges
            .iter()
            .map(|(name, field)| id_range(form, name, field));
        Ok(Self {
            names: list.names,
            exact: given(exact),
            days: given(days),
            ranges: ranges.into_iter().flatten().collect(),
            id_ranges: id_ranges.collect::<Result<_, _>>()?,
            sort: sort(list, form.filled("sort"))?,
            fields: fields(list.names, if list.lines { &PARTS } else { &[] }, form)?,
            limit: count(form, "limit", USUAL.min(most), most)?,
            page: count(form, "page", 1, usize::MAX)?,
        })
    }

    /// The page of these rows that was asked for, cut to the fields asked for.
    pub fn answer(&self, rows: impl Iterator<Item = Value>) -> Value {
        let mut found: Vec<Value> = rows.filter(|row| self.matches(row)).collect();
        for (field, backward) in self.sort.iter().rev() {
            found.sort_by(|a, b| {
                let order = key(a, field).cmp(&key(b, field));
                if *backward { order.reverse() } else { order }
            });
        }
        let skipped = (self.page - 1).saturating_mul(self.limit);
        let page = found.into_iter().skip(skipped).take(self.limit);
        page.map(|row| padded(self.names, row))
            .map(|row| chosen(row, self.fields.as_deref()))
            .collect()
    }

    fn matches(&self, row: &Value) -> bool {
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        let id = |field: &str| text(field).parse::<u64>().unwrap_or_default();
        self.exact
            .iter()
            .all(|(field, wanted)| text(field) == wanted)
            && self
                .days
                .iter()
                .all(|(field, wanted)| text(field).starts_with(wanted))
            && self
                .id_ranges
                .iter()
                .all(|(field, from, to)| (from..=to).contains(&&id(field)))
            && self.ranges.iter().all(|(field, from, to)| {
                // Both ends belong to the range (assumed).
                moment(text(field)).is_some_and(|value| (*from..=*to).contains(&value))
            })
    }
}

/// Ids are numbers, whatever their length; everything else is text of equal length.
fn key(row: &Value, field: &str) -> Option<(usize, String)> {
    let text = row[field].as_str();
    text.map(|text| (text.len(), text.to_owned()))
}

fn given(pairs: Vec<(&'static str, Option<String>)>) -> Vec<(&'static str, String)> {
    let given = pairs.into_iter();
    given
        .filter_map(|(field, value)| Some((field, value?)))
        .collect()
}

fn check_names(list: &List, form: &Form) -> Result<(), Problem> {
    let is_range = |name: &str, ranges: &[(&str, &str)]| {
        ranges.iter().any(|(range, _)| {
            let end = name.strip_prefix(range);
            end == Some("-from") || end == Some("-to")
        })
    };
    let is_exact = |name: &str, pairs: &[(&str, &str)]| pairs.iter().any(|pair| pair.0 == name);
    let known = |name: &str| {
        is_range(name, list.ranges)
            || is_range(name, list.id_ranges)
            || is_exact(name, list.ids)
            || is_exact(name, list.texts)
            || is_exact(name, list.days)
            || list.with.contains(&name)
            || (list.lines && name == "with_details")
            || ["fields", "sort", "limit", "page"].contains(&name)
    };
    let unknown = form.names().find(|name| !known(name));
    unknown.map_or(Ok(()), |name| Err(Problem::unsupported(name)))
}

/// The value of a parameter that must be one of these.
pub fn choice<'a>(form: &Form, name: &str, known: &[&'a str]) -> Result<Option<&'a str>, Problem> {
    let Some(sent) = form.text(name) else {
        return Ok(None);
    };
    let found = known.iter().find(|word| **word == sent).copied();
    found.map(Some).ok_or_else(|| bad(name))
}

/// Names of a row to keep; `None` keeps all.
pub fn fields(names: &[&str], parts: &[&str], form: &Form) -> Result<Option<Vec<String>>, Problem> {
    let Some(fields) = form.filled("fields") else {
        return Ok(None);
    };
    let fields: Vec<_> = fields.split(',').map(str::to_owned).collect();
    let known = |field: &str| names.contains(&field) || parts.contains(&field);
    if fields.iter().all(|field| known(field)) {
        Ok(Some(fields))
    } else {
        Err(bad("fields"))
    }
}

/// A row cut to these fields.
pub fn chosen(row: Value, fields: Option<&[String]>) -> Value {
    let Some(fields) = fields else { return row };
    let pick = |field: &String| Some((field.clone(), row.get(field)?.clone()));
    Value::Object(fields.iter().filter_map(pick).collect::<Map<_, _>>())
}

fn id(form: &Form, name: &str) -> Result<Option<String>, Problem> {
    let Some(text) = form.text(name) else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        Ok(Some(text.to_owned()))
    } else {
        Err(bad(name))
    }
}

fn day(form: &Form, name: &str) -> Result<Option<String>, Problem> {
    let Some(text) = form.text(name) else {
        return Ok(None);
    };
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map(|day| Some(day.to_string()))
        .map_err(|_| bad(name))
}

type Range = (&'static str, DateTime<FixedOffset>, DateTime<FixedOffset>);

/// A range needs both ends and is at most 31 days long.
fn range(form: &Form, name: &str, field: &'static str) -> Result<Option<Range>, Problem> {
    let end = |side: &str| {
        let name = format!("{name}{side}");
        let sent = form.filled(&name);
        sent.map(|text| moment(text).ok_or_else(|| bad(&name)))
            .transpose()
    };
    match (end("-from")?, end("-to")?) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if to - from <= LONGEST && to >= from => Ok(Some((field, from, to))),
        _ => Err(Problem::invalid(format!(
            "{name}の範囲は31日以内で指定してください。"
        ))),
    }
}

fn id_range(
    form: &Form,
    name: &str,
    field: &'static str,
) -> Result<(&'static str, u64, u64), Problem> {
    let end = |side: &str, open: u64| {
        let name = format!("{name}{side}");
        let sent = form.filled(&name);
        sent.map_or(Ok(open), |text| text.parse().map_err(|_| bad(&name)))
    };
    Ok((field, end("-from", 0)?, end("-to", u64::MAX)?))
}

/// A moment, or a day's first one.
fn moment(text: &str) -> Option<DateTime<FixedOffset>> {
    with_offset(text).or_else(|| with_offset(&format!("{text}T00:00:00+09:00")))
}

/// A whole number from 1 to `most`.
fn count(form: &Form, name: &str, usual: usize, most: usize) -> Result<usize, Problem> {
    let Some(text) = form.filled(name) else {
        return Ok(usual);
    };
    let number = text.parse().ok();
    number
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| bad(name))
}

/// `field`, `field:asc` and `field:desc`, separated by commas.
fn sort(list: &List, order: Option<&str>) -> Result<Vec<(String, bool)>, Problem> {
    let parts = order.into_iter().flat_map(|order| order.split(','));
    parts
        .map(|part| {
            let (field, backward) = match part.split_once(':') {
                None | Some((_, "asc")) => (part.trim_end_matches(":asc"), false),
                Some((field, "desc")) => (field, true),
                Some(_) => return Err(bad("sort")),
            };
            let known = list.sort.contains(&field);
            known
                .then(|| (field.to_owned(), backward))
                .ok_or_else(|| bad("sort"))
        })
        .collect()
}
