//! What each setting is called, what it is for and what it may be: the one table that the check ([`settings_check`](super::settings_check))
//! and the form ([`settings_schema`](super::settings_schema)) are both made from. Checks nothing and shows nothing by itself.

mod connection;
mod orders;
mod stock;
pub mod text;

use serde_json::Value;

use text::Form;

/// The same in Japanese and in English.
pub type Words = (&'static str, &'static str);

/// One field of a record, under the contract's name.
pub struct Field {
    /// As `wit/settings.wit` spells it.
    pub name: &'static str,
    /// What it is called.
    pub title: Words,
    /// What it does; empty where the title says it.
    pub about: Words,
    /// What it may be.
    pub kind: Kind,
    /// The function of `directory` that lists what there is to choose from.
    pub choices: Option<&'static str>,
}

impl Field {
    const fn chosen_from(self, list: &'static str) -> Self {
        Self {
            choices: Some(list),
            ..self
        }
    }
}

/// What a value may be.
pub enum Kind {
    /// These fields and no others.
    Record(&'static [Field]),
    /// Any number of these, of which each occurs once.
    List(&'static List),
    /// A text.
    Text(Form),
    /// A text that may be left out; an empty one is none.
    Optional(Form),
    /// A text that is never shown again. Names its neighbour that tells whether one is stored, which then may stay.
    Secret(&'static str),
    /// Whether a secret is stored: shown, and ignored when it is given.
    Stored,
    /// Yes or no.
    Flag,
    /// A whole number from here to there.
    Number(u32, u32),
    /// A day, as `2026-11-24`.
    Date,
    /// One of these words, with what it is called.
    Choice(&'static [(&'static str, Words)]),
    /// 未設定, or 取引明細 with a product code.
    Fee,
}

/// A list.
pub struct List {
    /// What each entry is called.
    pub title: Words,
    /// What each may be.
    pub entry: Kind,
    /// The entries' fields whose values occur once in the list; of texts, which have no fields, each occurs once.
    pub once: &'static [&'static str],
}

/// A field's value in settings as they are stored: those spell names with underscores, and keep the causes that are sent as a list.
pub fn part(stored: &Value, name: &str) -> Option<Value> {
    match stored {
        Value::Array(set) => Some(Value::Bool(set.iter().any(|one| one == name))),
        _ => stored.get(name.replace('-', "_")).cloned(),
    }
}

/// All settings.
pub const SETTINGS: &[Field] = &[
    field(
        "endpoints",
        ("接続先", "Addresses"),
        (
            "両サービスのアドレス。通常は変更しません。",
            "Where both services are. As a rule they stay as they are.",
        ),
        Kind::Record(connection::ENDPOINTS),
    ),
    field(
        "credentials",
        ("アプリの登録情報", "What both services know the app by"),
        NONE,
        Kind::Record(connection::CREDENTIALS),
    ),
    field(
        "stock",
        ("在庫送信設定", "Sending stock"),
        (
            "スマレジの在庫変動のうち、ネクストエンジンに送るもの。",
            "Which stock movements in Smaregi are sent to Next Engine.",
        ),
        Kind::Record(stock::STOCK),
    ),
    field(
        "orders",
        ("受注受信設定", "Receiving orders"),
        (
            "ネクストエンジンの受注を、スマレジの取引としてどう取り込むか。",
            "How orders of Next Engine become transactions in Smaregi.",
        ),
        Kind::Record(orders::ORDERS),
    ),
    field(
        "pace",
        ("間隔と速さ", "Pace"),
        NONE,
        Kind::Record(connection::PACE),
    ),
];

/// Nothing more to say.
const NONE: Words = ("", "");
/// Entries of one list.
pub const LONGEST_LIST: usize = 2_000;
/// Whatever the contract's numbers hold.
const MOST: u32 = u32::MAX;

const fn field(name: &'static str, title: Words, about: Words, kind: Kind) -> Field {
    Field {
        name,
        title,
        about,
        kind,
        choices: None,
    }
}
