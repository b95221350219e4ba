//! Settings forms: inputs named by the contract's field paths, filled from the settings, laid back over them, with the problems that
//! the component finds beside the inputs they concern. What is right is the component's to say; nothing typed is lost.

mod input;
mod paths;
mod typed;

use std::collections::BTreeMap;

use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Console,
    access::AtShop,
    audit,
    choices::List,
    language::Language,
    layout::{Tone, message, told},
    sent::Sent,
};
use crate::tenant::CallError;
pub use input::{Line, line, options};
pub use paths::{changes, get};

/// The button of a form that tries what was typed instead of storing it.
pub const TRY: &str = "try";

/// Words in both languages.
pub type Words = (&'static str, &'static str);

/// One input of a form.
#[derive(Clone)]
pub struct Field {
    /// Its place in the settings, as the contract spells it.
    pub path: String,
    /// What may be typed.
    pub kind: Kind,
    /// What it is called.
    pub label: Words,
    /// What it does.
    pub hint: Words,
}

/// What may be typed into a field.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A line; nothing typed is nothing set.
    Text,
    /// A line that may be left out: then there is no value.
    Optional,
    /// A line that is never shown again; nothing typed keeps what is stored. Names the flag that says whether one is stored.
    Secret(&'static str),
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// A day.
    Date,
    /// One of these words.
    Choice(&'static [(&'static str, &'static str, &'static str)]),
    /// Several ids.
    List,
    /// Lines of two codes.
    Pairs,
    /// 未設定, or a product code.
    Fee,
}

/// A field.
pub fn field(path: &str, kind: Kind, label: Words, hint: Words) -> Field {
    Field {
        path: path.to_owned(),
        kind,
        label,
        hint,
    }
}

/// Settings as they stand in a form, with what is wrong with them.
#[derive(Default)]
pub struct Draft {
    /// As stored, or as typed.
    pub settings: Value,
    /// Path and what is wrong; an empty path concerns all.
    pub problems: Vec<(String, String)>,
    /// Values to choose from, by path.
    pub lists: BTreeMap<String, List>,
    /// Where products are looked up.
    pub look_up: String,
    /// Product codes that were typed beside 未設定, by path: no setting, but not lost either while the form is shown again.
    codes: BTreeMap<String, String>,
}

impl Draft {
    /// The settings that are stored.
    pub async fn stored(at: &AtShop) -> Result<Self, Response> {
        let settings = at.call("settings.get", json!({})).await?;
        Ok(Self {
            settings,
            ..Self::default()
        })
    }

    /// Lays what was typed over it.
    pub fn lay(&mut self, fields: &[Field], sent: &Sent, language: Language) {
        for field in fields {
            let code = sent.given(&format!("{}.line", field.path));
            if let Some(code) = code.filter(|_| matches!(field.kind, Kind::Fee)) {
                self.codes.insert(field.path.clone(), code.to_owned());
            }
            match typed::value(field, sent, language) {
                Ok(value) => paths::set(&mut self.settings, &field.path, value),
                Err((value, problem)) => {
                    paths::set(&mut self.settings, &field.path, value);
                    self.problems.push((field.path.clone(), problem));
                }
            }
        }
    }

    /// Stores it, unless something is wrong with it, and writes down who changed what. Whether it is stored.
    pub async fn put(&mut self, console: &Console, at: &AtShop) -> Result<bool, Response> {
        if !self.problems.is_empty() {
            return Ok(false);
        }
        let before = at.call("settings.get", json!({})).await?;
        let arguments = json!({ "settings": self.settings });
        match at.try_call("settings.put", arguments).await {
            Ok(_) => {}
            Err(error) => {
                self.problems = found(at.language(), &error);
                return Ok(false);
            }
        }
        let changes = changes(&before, &self.settings);
        if !changes.is_empty() {
            audit::note(console, &at.signed, Some(at.shop()), "settings", changes).await?;
        }
        Ok(true)
    }

    /// Puts a value that no single field holds.
    pub fn set(&mut self, path: &str, value: Value) {
        paths::set(&mut self.settings, path, value);
    }

    /// Lets one choose at these paths.
    pub fn offer(&mut self, paths: &[&str], list: &List) {
        for path in paths {
            self.lists.insert((*path).to_owned(), list.clone());
        }
    }

    /// What is wrong at a path and below it, in one text.
    pub fn problem(&self, path: &str) -> Option<String> {
        let found = self.problems_of(path);
        (!found.is_empty()).then(|| found.join(" "))
    }

    /// The problems at a path and below it.
    fn problems_of(&self, path: &str) -> Vec<&str> {
        let concerns = |found: &str| {
            found
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let here = self.problems.iter().filter(|(found, _)| concerns(found));
        here.map(|(_, what)| what.as_str()).collect()
    }
}

/// What the component found, by path; any other error concerns all.
fn found(language: Language, error: &CallError) -> Vec<(String, String)> {
    if let CallError::Contract(error) = error {
        let problems = error.problems(language.code());
        if !problems.is_empty() {
            return problems;
        }
    }
    vec![(String::new(), told(language, error))]
}

/// All inputs of a form, in their order.
pub fn inputs(language: Language, draft: &Draft, fields: &[Field]) -> Markup {
    html! {
        @for field in fields { (input::of(language, draft, field)) }
    }
}

/// What is wrong, above the form: how many fields are to be mended, and whatever no field of this form shows.
pub fn summary(language: Language, draft: &Draft, fields: &[Field]) -> Markup {
    if draft.problems.is_empty() {
        return html! {};
    }
    let shown = |path: &str| {
        fields.iter().any(|field| {
            path.strip_prefix(field.path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    let elsewhere = draft.problems.iter().filter(|(path, _)| !shown(path));
    let mut text = language
        .of(
            "保存していません。下の赤い項目を直してもう一度送ってください。",
            "Nothing was saved. Mend the marked fields below and send it again.",
        )
        .to_owned();
    for (path, what) in elsewhere {
        let place = if path.is_empty() { "" } else { ": " };
        text = format!("{text}\n{path}{place}{what}");
    }
    message(Tone::Bad, &text)
}
