//! Bending what was true: a JSON body, a place in it, and a way to spoil it. Pure; it must not know who reads the result.

use std::{fmt, str::FromStr};

use serde_json::Value;

/// Declares the ways with their names.
macro_rules! ways {
    ($($(#[$note:meta])* $way:ident = $name:literal,)+) => {
        /// How a value, or the body around it, is spoilt.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Way { $($(#[$note])* $way,)+ }

        impl Way {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$way),+];

            /// As the command line spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$way => $name,)+ }
            }
        }
    };
}

ways! {
    /// The key is not there.
    Missing = "missing",
    /// `null`
    Null = "null",
    /// `""`
    Empty = "empty",
    /// Words where something else is meant.
    Words = "words",
    /// A list.
    List = "list",
    /// An object.
    Object = "object",
    /// `true`
    True = "true",
    /// An integer beyond 64 bits.
    Huge = "huge",
    /// The largest 64-bit integer.
    Largest = "largest",
    /// A number that no machine holds.
    Infinite = "infinite",
    /// The value as a number with a fraction of nothing: `7.0`.
    Point = "point",
    /// `"1e3"`
    Exponent = "exponent",
    /// `"NaN"`
    NaN = "nan",
    /// `"-0.5"`
    Fraction = "fraction",
    /// The value with half of a surrogate pair behind it.
    Surrogate = "surrogate",
    /// The value with a control character in it, not escaped.
    Control = "control",
    /// The value with a byte in it that is no UTF-8.
    Byte = "byte",
    /// A text of 10 MB.
    Long = "long",
    /// Nested 20,000 deep.
    Deep = "deep",
    /// `"0000-00-00 00:00:00"`
    ZeroDate = "zero-date",
    /// A year that no calendar has.
    FarDate = "far-date",
    /// The key twice, the wrong value first.
    Twice = "twice",
    /// A text of digits as a number; a number as text.
    Swapped = "swapped",
    /// A key beside it that nobody knows.
    Extra = "extra",
    /// The body is an error page.
    Html = "html",
    /// The body is empty.
    NoBody = "no-body",
    /// The body ends in the middle.
    Cut = "cut",
    /// The body begins with a byte order mark.
    Mark = "mark",
    /// The body is UTF-16.
    Utf16 = "utf-16",
    /// What is not ASCII is Shift_JIS.
    ShiftJis = "shift-jis",
}

/// Bytes of a long text.
pub const LONG: usize = 10_000_000;
const DEEP: usize = 20_000;
const HOLE: &str = "@@bent@@";

impl Way {
    /// Whether it spoils the body as a whole, wherever it strikes.
    pub fn is_of_the_body(self) -> bool {
        matches!(
            self,
            Self::Html | Self::NoBody | Self::Cut | Self::Mark | Self::Utf16 | Self::ShiftJis
        )
    }

    /// Whether the meaning stays: whoever reads it must not even notice.
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Twice | Self::Swapped | Self::Extra | Self::Mark)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Way {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|way| way.name() == text);
        found
            .copied()
            .ok_or_else(|| format!("`{text}` is no way to bend"))
    }
}

/// A place in a JSON value: keys and numbers of rows with `/` between them, as in a pointer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<String>);

impl Path {
    /// Every place of a value, the value itself first.
    pub fn all(value: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        walk(value, &Self::default(), &mut found);
        found
    }

    fn below(&self, step: impl Into<String>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    /// With `*` for numbers of rows: the same field of whichever row.
    pub fn field(&self) -> String {
        let steps = self.0.iter().map(|step| match step {
            row if is_row(row) => "*",
            key => key.as_str(),
        });
        steps.collect::<Vec<_>>().join("/")
    }

    /// Its last key.
    pub fn key(&self) -> &str {
        let keys = self.0.iter().rev().find(|step| !is_row(step));
        keys.map_or("", String::as_str)
    }

    /// The innermost row that it lies in.
    pub fn row(&self) -> Option<Self> {
        let at = self.0.iter().rposition(is_row)?;
        Some(Self(self.0.get(..=at)?.to_vec()))
    }

    /// Whether it is a row itself, and not a field of one.
    pub fn is_a_row(&self) -> bool {
        self.0.last().is_some_and(is_row)
    }

    /// The same place in another row.
    pub fn in_row(&self, number: usize) -> Self {
        let mut steps = self.0.clone();
        if let Some(step) = steps.iter_mut().rev().find(|step| is_row(step.as_str())) {
            *step = number.to_string();
        }
        Self(steps)
    }

    /// What is there.
    pub fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&self.pointer())
    }

    fn pointer(&self) -> String {
        self.0
            .iter()
            .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")))
            .collect()
    }
}

fn is_row(step: impl AsRef<str>) -> bool {
    let step = step.as_ref();
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("/"))
    }
}

impl From<&str> for Path {
    fn from(text: &str) -> Self {
        Self(
            text.split('/')
                .filter(|step| !step.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }
}

fn walk(value: &Value, at: &Path, found: &mut Vec<Path>) {
    found.push(at.clone());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                walk(value, &at.below(key), found);
            }
        }
        Value::Array(rows) => {
            for (number, value) in rows.iter().enumerate() {
                walk(value, &at.below(number.to_string()), found);
            }
        }
        _ => {}
    }
}

/// The body with this place spoilt; `None` where the way cannot befall what is there.
pub fn bend(body: &[u8], at: &Path, way: Way) -> Option<Vec<u8>> {
    if way.is_of_the_body() {
        return whole(body, way);
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let old = at.of(&value)?.clone();
    if at.0.is_empty() && matches!(way, Way::Missing | Way::Twice | Way::Extra) {
        return None;
    }
    let (parent, last) = parent_of(&value, at);
    let mut bent = value.clone();
    match way {
        Way::Missing => {
            let (parent, last) = (parent?, last?);
            match bent.pointer_mut(&parent.pointer())? {
                Value::Object(fields) => drop(fields.remove(&last)),
                Value::Array(rows) => drop(rows.remove(last.parse().ok()?)),
                _ => return None,
            }
            return Some(bent.to_string().into_bytes());
        }
        Way::Extra => {
            let parent = bent.pointer_mut(&parent?.pointer())?.as_object_mut()?;
            parent.insert("新しい項目".to_owned(), serde_json::json!({"a": [1, null]}));
            return Some(bent.to_string().into_bytes());
        }
        _ => {}
    }
    *bent.pointer_mut(&at.pointer())? = Value::from(HOLE);
    let text = bent.to_string();
    let hole = Value::from(HOLE).to_string();
    let (before, after) = text.split_once(&hole)?;
    if way == Way::Twice {
        parent_of(&value, at)
            .0
            .and_then(|parent| parent.of(&value)?.as_object())?;
        let key = Value::from(last?);
        return Some(format!("{before}[],{key}:{old}{after}").into_bytes());
    }
    let mut bytes = before.as_bytes().to_vec();
    bytes.extend(raw(&old, way)?);
    bytes.extend_from_slice(after.as_bytes());
    Some(bytes)
}

fn parent_of(value: &Value, at: &Path) -> (Option<Path>, Option<String>) {
    let mut steps = at.0.clone();
    let last = steps.pop();
    let parent = Path(steps);
    (parent.of(value).is_some().then_some(parent), last)
}

/// What stands in the value's stead, to the byte.
fn raw(old: &Value, way: Way) -> Option<Vec<u8>> {
    let text = match old {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let quoted = |tail: &[u8]| {
        let text = Value::from(text.clone()?).to_string();
        let mut bytes = text.strip_suffix('"')?.as_bytes().to_vec();
        bytes.extend_from_slice(tail);
        bytes.push(b'"');
        Some(bytes)
    };
    let plain = |text: &str| Some(text.as_bytes().to_vec());
    match way {
        Way::Null => plain("null"),
        Way::Empty => plain("\"\""),
        Way::Words => plain("\"言葉\""),
        Way::List => plain("[\"1\"]"),
        Way::Object => plain("{\"1\":1}"),
        Way::True => plain("true"),
        Way::Huge => plain("123456789012345678901234567890"),
        Way::Largest => plain("9223372036854775807"),
        Way::Infinite => plain("1e999"),
        Way::Point => {
            let digits = text.filter(|text| text.parse::<u64>().is_ok())?;
            plain(&format!("{digits}.0"))
        }
        Way::Exponent => plain("\"1e3\""),
        Way::NaN => plain("\"NaN\""),
        Way::Fraction => plain("\"-0.5\""),
        Way::Surrogate => quoted(b"\\ud83c"),
        Way::Control => quoted(b"\n\x01"),
        Way::Byte => quoted(b"\xff"),
        Way::Long => plain(&format!("\"{}\"", "長".repeat(LONG / 3))),
        Way::Deep => plain(&format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP))),
        Way::ZeroDate => plain("\"0000-00-00 00:00:00\""),
        Way::FarDate => plain("\"+262142-12-31 23:59:59\""),
        Way::Swapped => match old {
            Value::String(text) => {
                let number: i64 = text.parse().ok()?;
                (number.to_string() == *text).then(|| text.as_bytes().to_vec())
            }
            Value::Number(number) => plain(&format!("\"{number}\"")),
            _ => None,
        },
        _ => None,
    }
}

fn whole(body: &[u8], way: Way) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    Some(match way {
        Way::Html => b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>".to_vec(),
        Way::NoBody => Vec::new(),
        Way::Cut => body.get(..body.len().saturating_mul(3) / 4)?.to_vec(),
        Way::Mark => [b"\xef\xbb\xbf", body].concat(),
        Way::Utf16 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Way::ShiftJis => text
            .chars()
            .flat_map(|letter| {
                if letter.is_ascii() {
                    vec![letter as u8]
                } else {
                    // ソ, whose second byte is a backslash.
                    vec![0x83, 0x5C]
                }
            })
            .collect(),
        _ => return None,
    })
}
