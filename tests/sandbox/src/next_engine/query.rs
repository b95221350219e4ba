//! Searches: reading fields, conditions, offset and limit, and testing records (next-engine.md 0, 5).
//! It must not know any table's content.

use std::cmp::Ordering;
use std::str::FromStr;

use chrono::NaiveDateTime;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::answer::{Failure, Payload, counted};
use super::columns::{Column, Kind, Record, Table};
use crate::switches::{CodeCase, DefaultLimit, OverLimit, SearchCap, SearchCount, Switches};
use crate::wire::Form;

/// Parameters that are no conditions.
const COMMON: [&str; 6] = [
    "access_token",
    "refresh_token",
    "wait_flag",
    "fields",
    "offset",
    "limit",
];
/// Values one `-in` or `-nin` takes.
const IN_MAX: usize = 1000;

/// A search as asked.
pub struct Query {
    fields: Vec<Column>,
    conditions: Vec<Condition>,
    offset: usize,
    limit: usize,
    search_count: SearchCount,
}

struct Condition {
    column: Column,
    test: Test,
}

enum Test {
    Order(fn(Ordering) -> bool, String),
    In(Vec<String>, bool),
    Like {
        pattern: String,
        wanted: bool,
        or_null: bool,
    },
    Blank(bool),
    Null(bool),
}

impl Query {
    /// Reads a search; `fields` is mandatory.
    ///
    /// # Errors
    /// 004002 for anything missing, unknown or malformed.
    pub fn search(form: &Form, table: &Table, switches: &Switches) -> Result<Self, Failure> {
        let fields = form
            .filled("fields")
            .ok_or_else(|| Failure::field("fieldsが指定されていません。"))?;
        let fields = fields
            .split(',')
            .map(|name| column(table, name.trim()))
            .collect::<Result<_, _>>()?;
        let cap = match switches.search_cap {
            SearchCap::Thousand => 1000,
            SearchCap::TenThousand => 10_000,
        };
        let usual = match switches.default_limit {
            DefaultLimit::Thousand => 1000,
            DefaultLimit::TenThousand => 10_000,
        };
        let limit = number(form, "limit")?;
        if switches.over_limit == OverLimit::Refuse && limit.is_some_and(|limit| limit > cap) {
            return Err(Failure::field(format!(
                "limit は{cap}以下で指定してください。"
            )));
        }
        let limit = limit.unwrap_or(usual).min(cap);
        let offset = number(form, "offset")?.unwrap_or_default();
        Ok(Self {
            fields,
            conditions: conditions(form, table)?,
            offset,
            limit,
            search_count: switches.search_count,
        })
    }

    /// Reads a count; `fields` is not needed.
    ///
    /// # Errors
    /// 004002 for an unknown or malformed condition.
    pub fn count(form: &Form, table: &Table) -> Result<Self, Failure> {
        Ok(Self {
            fields: vec![],
            conditions: conditions(form, table)?,
            offset: 0,
            limit: 0,
            search_count: SearchCount::Page,
        })
    }

    /// Whether a record meets all conditions.
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.holds(record))
    }

    /// The asked-for page of the records that match, which come in key order.
    pub fn page<'a>(&self, records: impl Iterator<Item = Record<'a>>) -> Payload {
        let matching: Vec<_> = records.filter(|record| self.matches(record)).collect();
        let page = matching.iter().skip(self.offset).take(self.limit);
        let rows: Vec<_> = page.map(|record| self.row(record)).collect();
        let count = match self.search_count {
            SearchCount::Page => rows.len(),
            SearchCount::Total => matching.len(),
        };
        counted(count, rows)
    }

    fn row(&self, record: &Record<'_>) -> Value {
        let cell = |column: &Column| (column.read)(record).map_or(Value::Null, Value::String);
        let cells = self
            .fields
            .iter()
            .map(|column| (column.name.to_owned(), cell(column)));
        Value::Object(cells.collect::<Map<_, _>>())
    }
}

fn column(table: &Table, name: &str) -> Result<Column, Failure> {
    table
        .column(name)
        .ok_or_else(|| Failure::field(format!("項目 {name} は指定できません。")))
}

fn number(form: &Form, name: &str) -> Result<Option<usize>, Failure> {
    let Some(text) = form.filled(name) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| Failure::field(format!("{name} は数値で指定してください。")))
}

fn conditions(form: &Form, table: &Table) -> Result<Vec<Condition>, Failure> {
    let asked = form.pairs().filter(|(name, _)| !COMMON.contains(name));
    asked
        .map(|(name, value)| Condition::read(table, name, &value))
        .collect()
}

impl Condition {
    fn read(table: &Table, name: &str, value: &str) -> Result<Self, Failure> {
        let unknown = || Failure::field(format!("パラメータ {name} は指定できません。"));
        let (field, operator) = name.rsplit_once('-').ok_or_else(unknown)?;
        let column = column(table, field)?;
        let test = Test::read(operator, column.kind, value).ok_or_else(unknown)?;
        Ok(Self { column, test })
    }

    fn holds(&self, record: &Record<'_>) -> bool {
        let cell = (self.column.read)(record);
        self.test
            .holds(cell.as_deref(), self.column.kind, record.switches.code_case)
    }
}

impl Test {
    /// `None` when the operator does not exist, is not for this kind of column, or the value is not of its kind.
    fn read(operator: &str, kind: Kind, value: &str) -> Option<Self> {
        let text = matches!(kind, Kind::Text | Kind::Code);
        let ordered = matches!(kind, Kind::Number | Kind::Date);
        let one = || kind.accepts(value).then(|| value.to_owned());
        Some(match operator {
            "eq" => Self::Order(Ordering::is_eq, one()?),
            "neq" => Self::Order(Ordering::is_ne, one()?),
            "lt" if ordered => Self::Order(Ordering::is_lt, one()?),
            "lte" if ordered => Self::Order(Ordering::is_le, one()?),
            "gt" if ordered => Self::Order(Ordering::is_gt, one()?),
            "gte" if ordered => Self::Order(Ordering::is_ge, one()?),
            "in" | "nin" if kind != Kind::Date => {
                let values: Vec<String> = value
                    .split(',')
                    .map(|value| value.trim().to_owned())
                    .collect();
                let good = values.len() <= IN_MAX && values.iter().all(|value| kind.accepts(value));
                Self::In(good.then_some(values)?, operator == "in")
            }
            "like" | "nlike" | "nlikeornull" if text => Self::Like {
                pattern: value.to_lowercase(),
                wanted: operator == "like",
                or_null: operator == "nlikeornull",
            },
            "blank" | "nblank" => Self::Blank(operator == "blank"),
            "null" | "nnull" => Self::Null(operator == "null"),
            _ => return None,
        })
    }

    /// A null cell meets no comparison, as in SQL.
    fn holds(&self, cell: Option<&str>, kind: Kind, case: CodeCase) -> bool {
        match (self, cell) {
            (Self::Null(wanted), cell) => cell.is_none() == *wanted,
            (Self::Blank(wanted), cell) => cell.unwrap_or_default().is_empty() == *wanted,
            (Self::Like { or_null, .. }, None) => *or_null,
            (_, None) => false,
            (Self::Order(accepts, value), Some(cell)) => accepts(compare(cell, value, kind, case)),
            (Self::In(values, wanted), Some(cell)) => {
                values
                    .iter()
                    .any(|value| compare(cell, value, kind, case).is_eq())
                    == *wanted
            }
            (
                Self::Like {
                    pattern, wanted, ..
                },
                Some(cell),
            ) => {
                let cell: Vec<char> = cell.to_lowercase().chars().collect();
                like(&cell, &pattern.chars().collect::<Vec<_>>()) == *wanted
            }
        }
    }
}

impl Kind {
    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text | Self::Code => true,
            Self::Number => Decimal::from_str(value).is_ok(),
            Self::Date => date(value).is_some(),
        }
    }
}

/// A moment, or a bare date as its beginning.
fn date(text: &str) -> Option<NaiveDateTime> {
    let whole = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok();
    whole.or_else(|| {
        NaiveDateTime::parse_from_str(&format!("{text} 00:00:00"), "%Y-%m-%d %H:%M:%S").ok()
    })
}

fn compare(cell: &str, value: &str, kind: Kind, case: CodeCase) -> Ordering {
    match kind {
        Kind::Number => Decimal::from_str(cell)
            .ok()
            .cmp(&Decimal::from_str(value).ok()),
        Kind::Date => date(cell).cmp(&date(value)),
        Kind::Code if case == CodeCase::Ignored => cell.to_lowercase().cmp(&value.to_lowercase()),
        Kind::Text | Kind::Code => cell.cmp(value),
    }
}

/// SQL's LIKE: `%` for any run, `_` for one character.
fn like(cell: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => cell.is_empty(),
        Some(('%', rest)) => {
            (0..=cell.len()).any(|skip| like(cell.get(skip..).unwrap_or_default(), rest))
        }
        Some((wanted, rest)) => {
            let matching = cell
                .split_first()
                .filter(|(first, _)| *wanted == '_' || *first == wanted);
            matching.is_some_and(|(_, left)| like(left, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_follow_the_table() {
        use Kind::{Code, Date, Number, Text};
        // operator, kind, asked, cell, expected (None = refused)
        let table = [
            ("eq", Number, "10", Some("10.00"), Some(true)),
            ("neq", Number, "10", None, Some(false)),
            (
                "gte",
                Date,
                "2026-11-01",
                Some("2026-11-01 00:00:00"),
                Some(true),
            ),
            (
                "gt",
                Date,
                "2026-11-01 00:00:00",
                Some("2026-11-01 00:00:00"),
                Some(false),
            ),
            ("lt", Text, "a", Some("a"), None),
            ("gte", Date, "yesterday", Some("2026-11-01 00:00:00"), None),
            ("in", Code, "a,B", Some("b"), Some(false)),
            ("in", Number, "1,2", Some("2"), Some(true)),
            ("nin", Number, "1,2", Some("2"), Some(false)),
            ("in", Date, "2026-11-01", Some("2026-11-01 00:00:00"), None),
            ("like", Text, "%茶_", Some("緑茶A"), Some(true)),
            ("like", Code, "tea%", Some("TEA-1"), Some(true)),
            ("nlike", Text, "x%", None, Some(false)),
            ("nlikeornull", Text, "x%", None, Some(true)),
            ("blank", Text, "", Some(""), Some(true)),
            ("nblank", Text, "", None, Some(false)),
            ("null", Number, "", None, Some(true)),
            ("nnull", Number, "", Some("0"), Some(true)),
            ("asc", Number, "", Some("0"), None),
        ];
        for (operator, kind, asked, cell, expected) in table {
            let found = Test::read(operator, kind, asked)
                .map(|test| test.holds(cell, kind, CodeCase::Exact));
            assert_eq!(found, expected, "{operator} {asked} on {cell:?}");
        }
        let many = vec!["1"; IN_MAX + 1].join(",");
        assert!(Test::read("in", Number, &many).is_none());
    }
}
