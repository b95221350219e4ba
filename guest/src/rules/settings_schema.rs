//! The settings' form as a JSON Schema (2020-12) of their JSON: the table of [`settings_form`](super::settings_form) in a platform's
//! words, with the defaults. Knows no field by name.
//!
//! One language at a time, since `title` and `description` are what every program that draws forms reads. What the schema has beyond
//! the standard's words is told in `wit/settings.wit`.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::settings_form::{
    Field, Kind, LONGEST_LIST, List, SETTINGS, Words, part,
    text::{Form, LONGEST},
};
use crate::settings::Settings;

/// What the form is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// 日本語
    Ja,
    /// English
    En,
}

/// The schema, as JSON text whose fields stand in the form's order.
pub fn schema(language: Language) -> String {
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut schema = Schema::default();
    schema.text("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.words(
        language,
        ("繋ぎの連携設定", "Settings of the link"),
        ("", ""),
    );
    record(&mut schema, language, SETTINGS, Some(&defaults));
    serde_json::to_string(&Json::Object(schema)).unwrap_or_default()
}

/// JSON whose objects keep their order.
enum Json {
    Plain(Value),
    List(Vec<Json>),
    Object(Schema),
}

/// An object of it.
#[derive(Default)]
struct Schema(Vec<(&'static str, Json)>);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Object(Schema(fields)) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl Schema {
    fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, Json::Plain(value.into())));
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.set(name, text);
    }

    fn put(&mut self, name: &'static str, schema: Self) {
        self.0.push((name, Json::Object(schema)));
    }

    /// Title and description, where there are any.
    fn words(&mut self, language: Language, title: Words, about: Words) {
        for (name, (ja, en)) in [("title", title), ("description", about)] {
            let word = match language {
                Language::Ja => ja,
                Language::En => en,
            };
            if !word.is_empty() {
                self.text(name, word);
            }
        }
    }

    /// A text of a form; with `or_nothing`, one that may be left out.
    fn form(&mut self, form: Form, or_nothing: bool) {
        let pattern = if or_nothing {
            self.set("type", vec!["string", "null"]);
            form.pattern_or_nothing()
        } else {
            self.text("type", "string");
            form.pattern()
        };
        if let Some(pattern) = pattern {
            self.text("pattern", &pattern);
        }
        self.set("maxLength", LONGEST);
        if let Form::Base(called) = form {
            let by = if called { "connector" } else { "browser" };
            self.text("x-reached-by", by);
        }
    }

    fn number(&mut self, least: u32, most: u32) {
        self.text("type", "integer");
        self.set("minimum", least);
        self.set("maximum", most);
    }
}

fn record(schema: &mut Schema, language: Language, fields: &[Field], stored: Option<&Value>) {
    let (mut properties, mut required) = (Schema::default(), Vec::new());
    for field in fields {
        let stored = stored.and_then(|stored| part(stored, field.name));
        properties.put(field.name, of(language, field, stored.as_ref()));
        if !matches!(field.kind, Kind::Optional(_) | Kind::Secret(_)) {
            required.push(field.name);
        }
    }
    schema.text("type", "object");
    schema.put("properties", properties);
    schema.set("required", required);
    schema.set("additionalProperties", false);
    let needed: Vec<Json> = fields.iter().filter_map(needed_secret).collect();
    if !needed.is_empty() {
        schema.0.push(("allOf", Json::List(needed)));
    }
}

/// A secret that is not stored has to be given.
fn needed_secret(field: &Field) -> Option<Json> {
    let Kind::Secret(stored) = field.kind else {
        return None;
    };
    let of = |name: &'static str, schema: Schema| {
        let (mut properties, mut whole) = (Schema::default(), Schema::default());
        properties.put(name, schema);
        whole.put("properties", properties);
        whole
    };
    let (mut is_not, mut given) = (Schema::default(), Schema::default());
    is_not.set("const", false);
    given.form(Form::Needed, false);
    let mut then = of(field.name, given);
    then.set("required", vec![field.name]);
    let mut rule = Schema::default();
    rule.put("if", of(stored, is_not));
    rule.put("then", then);
    Some(Json::Object(rule))
}

fn of(language: Language, field: &Field, stored: Option<&Value>) -> Schema {
    let mut schema = Schema::default();
    schema.words(language, field.title, field.about);
    kind(&mut schema, language, &field.kind, stored);
    if let Some(default) = stored.filter(|value| is_default(&field.kind, value)) {
        schema.set("default", default.clone());
    }
    if let Some(list) = field.choices {
        schema.text("x-choices", list);
    }
    schema
}

/// What stands in settings that nobody has filled in is a default where it may stay so.
fn is_default(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Record(_) | Kind::Secret(_) => false,
        Kind::Text(form) => value.as_str().is_some_and(|text| form.fits(text)),
        _ => true,
    }
}

fn kind(schema: &mut Schema, language: Language, kind: &Kind, stored: Option<&Value>) {
    match kind {
        Kind::Record(fields) => record(schema, language, fields, stored),
        Kind::List(list) => entries(schema, language, list),
        Kind::Text(form) => schema.form(*form, false),
        Kind::Optional(form) => schema.form(*form, true),
        Kind::Secret(_) => {
            schema.form(Form::Any, true);
            schema.text("format", "password");
            schema.set("writeOnly", true);
        }
        Kind::Stored => {
            schema.text("type", "boolean");
            schema.set("default", false);
            schema.set("readOnly", true);
        }
        Kind::Flag => schema.text("type", "boolean"),
        Kind::Number(least, most) => schema.number(*least, *most),
        Kind::Date => {
            schema.text("type", "string");
            schema.text("format", "date");
            schema.text("pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
        }
        Kind::Choice(words) => {
            let words = words
                .iter()
                .map(|(word, title)| one(language, word, *title));
            schema.0.push(("oneOf", Json::List(words.collect())));
        }
        Kind::Fee => schema
            .0
            .push(("oneOf", Json::List(vec![unset(language), line(language)]))),
    }
}

fn entries(schema: &mut Schema, language: Language, list: &List) {
    let mut entry = Schema::default();
    entry.words(language, list.title, ("", ""));
    kind(&mut entry, language, &list.entry, None);
    schema.text("type", "array");
    schema.put("items", entry);
    schema.set("maxItems", LONGEST_LIST);
    if list.once.is_empty() {
        schema.set("uniqueItems", true);
    } else {
        schema.set("x-once", list.once.to_vec());
    }
}

fn one(language: Language, word: &str, title: Words) -> Json {
    let mut schema = Schema::default();
    schema.text("const", word);
    schema.words(language, title, ("", ""));
    Json::Object(schema)
}

fn unset(language: Language) -> Json {
    one(language, "unset", ("未設定", "not set"))
}

fn line(language: Language) -> Json {
    let mut code = Schema::default();
    code.words(language, ("商品コード", "Product code"), ("", ""));
    code.form(Form::Code, false);
    let (mut properties, mut schema) = (Schema::default(), Schema::default());
    properties.put("line", code);
    schema.words(language, ("取引明細", "line"), ("", ""));
    schema.text("type", "object");
    schema.put("properties", properties);
    schema.set("required", vec!["line"]);
    schema.set("additionalProperties", false);
    Json::Object(schema)
}

#[cfg(test)]
mod tests;
