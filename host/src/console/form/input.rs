//! How an input looks: its label, what it does, its value, and what is wrong with it, tied together for a screen reader. Decides
//! nothing.

use maud::{Markup, html};
use serde_json::Value;

use super::{Draft, Field, Kind, get};
use crate::console::{choices::List, language::Language, show};

/// A field of the settings.
pub fn of(language: Language, draft: &Draft, field: &Field) -> Markup {
    let value = get(&draft.settings, &field.path);
    let parts = Parts {
        language,
        field,
        value,
        list: draft.lists.get(&field.path),
        code: draft.codes.get(&field.path).map_or("", String::as_str),
        problems: draft.problems_of(&field.path),
    };
    let control = match field.kind {
        Kind::Flag => return parts.flag(),
        Kind::List if !parts.options().is_empty() => return parts.boxes(),
        Kind::Choice(words) => parts.choice(words),
        Kind::List => parts.plain("text", &joined(value)),
        Kind::Pairs => parts.pairs(),
        Kind::Fee => parts.fee(&draft.look_up),
        Kind::Secret(stored) => parts.secret(show::flag(get(&draft.settings, stored), "")),
        Kind::Number => parts.number(),
        Kind::Date => parts.plain("date", value.as_str().unwrap_or_default()),
        Kind::Text | Kind::Optional => parts.plain("text", value.as_str().unwrap_or_default()),
    };
    parts.around(&control)
}

struct Parts<'a> {
    language: Language,
    field: &'a Field,
    value: &'a Value,
    list: Option<&'a List>,
    code: &'a str,
    problems: Vec<&'a str>,
}

impl Parts<'_> {
    fn options(&self) -> &[(String, String)] {
        self.list.map_or(&[], |list| list.options.as_slice())
    }

    /// The name of what is set, or why there is nothing to choose from.
    fn named(&self, value: &str) -> Markup {
        let name = self.list.and_then(|list| list.name(value));
        let note = self.list.and_then(|list| list.note.as_deref());
        html! {
            @if let Some(name) = name.filter(|name| !name.is_empty()) { p.named { (name) } }
            @if let Some(note) = note { p.hint { (note) } }
        }
    }

    fn path(&self) -> &str {
        &self.field.path
    }

    fn say(&self, (ja, en): (&'static str, &'static str)) -> &'static str {
        self.language.of(ja, en)
    }

    fn is_wrong(&self) -> Option<&'static str> {
        (!self.problems.is_empty()).then_some("true")
    }

    /// What a screen reader adds to the label.
    fn described(&self) -> Option<String> {
        let hint = !self.say(self.field.hint).is_empty();
        let parts = [(hint, "hint"), (!self.problems.is_empty(), "problem")];
        let ids: Vec<String> = parts
            .into_iter()
            .filter(|(there, _)| *there)
            .map(|(_, part)| format!("{}-{part}", self.path()))
            .collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    fn around(&self, control: &Markup) -> Markup {
        html! {
            div.field.wrong[!self.problems.is_empty()] {
                label for=(self.path()) { (self.say(self.field.label)) }
                (self.hint())
                (control)
                (self.problem())
            }
        }
    }

    fn hint(&self) -> Markup {
        let hint = self.say(self.field.hint);
        html! { @if !hint.is_empty() { p.hint id={ (self.path()) "-hint" } { (hint) } } }
    }

    fn problem(&self) -> Markup {
        html! {
            @if !self.problems.is_empty() {
                p.problem id={ (self.path()) "-problem" } { (self.problems.join(" ")) }
            }
        }
    }

    fn plain(&self, kind: &str, value: &str) -> Markup {
        let choices = (!self.options().is_empty()).then(|| format!("{}-choices", self.path()));
        html! {
            input type=(kind) id=(self.path()) name=(self.path()) value=(value) autocomplete="off"
                list=[choices.as_ref()] aria-invalid=[self.is_wrong()] aria-describedby=[self.described()];
            @if let Some(choices) = &choices {
                datalist id=(choices) {
                    (options(self.options()))
                }
            }
            (self.named(value))
        }
    }

    fn number(&self) -> Markup {
        let value = match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        html! {
            input.short type="text" inputmode="numeric" id=(self.path()) name=(self.path()) value=(value) autocomplete="off"
                aria-invalid=[self.is_wrong()] aria-describedby=[self.described()];
        }
    }

    /// Never shows what is stored, only whether something is. What was typed just now is kept where something else was wrong.
    fn secret(&self, is_stored: bool) -> Markup {
        let typed = self.value.as_str().unwrap_or_default();
        let stored = self.language.of(
            "保存済み(変更するときだけ入力)",
            "stored (type only to change it)",
        );
        html! {
            input type="password" id=(self.path()) name=(self.path()) value=(typed) autocomplete="new-password"
                placeholder=[is_stored.then_some(stored)] aria-invalid=[self.is_wrong()] aria-describedby=[self.described()];
        }
    }

    fn choice(&self, words: &[(&str, &str, &str)]) -> Markup {
        let chosen = self.value.as_str().unwrap_or_default();
        html! {
            select id=(self.path()) name=(self.path()) aria-invalid=[self.is_wrong()] aria-describedby=[self.described()] {
                @for (word, ja, en) in words {
                    option value=(word) selected[*word == chosen] { (self.language.of(ja, en)) }
                }
            }
        }
    }

    fn flag(&self) -> Markup {
        html! {
            div.field.flag.wrong[!self.problems.is_empty()] {
                input type="checkbox" id=(self.path()) name=(self.path()) value="true" checked[self.value == &Value::Bool(true)]
                    aria-describedby=[self.described()];
                label for=(self.path()) { (self.say(self.field.label)) }
                (self.hint())
                (self.problem())
            }
        }
    }

    /// One box for each value to choose from, and for each that is set and is not among them.
    fn boxes(&self) -> Markup {
        let set: Vec<&str> = show::items(self.value, "")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let unknown = set
            .iter()
            .filter(|id| !self.options().iter().any(|(known, _)| known == *id));
        let unknown = unknown.map(|id| {
            (
                (*id).to_owned(),
                self.language
                    .of("一覧にない店舗", "not in the list")
                    .to_owned(),
            )
        });
        let all: Vec<(String, String)> = self.options().iter().cloned().chain(unknown).collect();
        html! {
            fieldset.field.wrong[!self.problems.is_empty()] aria-describedby=[self.described()] {
                legend { (self.say(self.field.label)) }
                (self.hint())
                @for (index, (id, name)) in all.iter().enumerate() {
                    div.flag {
                        input type="checkbox" id={ (self.path()) "-" (index) } name=(self.path()) value=(id) checked[set.contains(&id.as_str())];
                        label for={ (self.path()) "-" (index) } { (name) " (" (id) ")" }
                    }
                }
                (self.problem())
            }
        }
    }

    fn pairs(&self) -> Markup {
        let lines = match self.value {
            Value::String(typed) => typed.clone(),
            value => show::items(value, "")
                .iter()
                .map(|pair| {
                    format!(
                        "{},{}\n",
                        show::text(pair, "/next-engine"),
                        show::text(pair, "/smaregi")
                    )
                })
                .collect(),
        };
        html! {
            textarea id=(self.path()) name=(self.path()) rows="4" spellcheck="false" aria-invalid=[self.is_wrong()]
                aria-describedby=[self.described()] { "\n" (lines) }
        }
    }

    /// Codes are looked up while they are typed, where the page says with what address.
    fn fee(&self, look_up: &str) -> Markup {
        let has_line = self.value.get("line").is_some();
        let code = if has_line {
            show::text(self.value, "/line")
        } else {
            self.code
        };
        let inner = format!("{}.line", self.path());
        let choices = format!("{inner}-choices");
        html! {
            div.pair {
                select id=(self.path()) name=(self.path()) aria-describedby=[self.described()] {
                    option value="unset" selected[!has_line] { (self.language.of("未設定", "not set")) }
                    option value="line" selected[has_line] { (self.language.of("取引明細", "line of the transaction")) }
                }
                input type="text" id=(inner) name=(inner) value=(code) autocomplete="off" list=(choices)
                    hx-get=(look_up) hx-trigger="input changed delay:300ms" hx-target="next datalist"
                    aria-label=(format!("{}: {}", self.say(self.field.label), self.language.of("商品コード", "product code")))
                    placeholder=(self.language.of("スマレジの商品コードか商品名", "product code or name in Smaregi"))
                    aria-invalid=[self.is_wrong()] aria-describedby=[self.described()];
                datalist id=(choices) { (options(self.options())) }
            }
            (self.named(code))
        }
    }
}

/// Choices of a list.
pub fn options(options: &[(String, String)]) -> Markup {
    html! { @for (value, name) in options { option value=(value) { (name) " (" (value) ")" } } }
}

/// Ids in one line.
fn joined(value: &Value) -> String {
    let ids = show::items(value, "").iter().filter_map(Value::as_str);
    ids.collect::<Vec<_>>().join(", ")
}

/// An input that is no setting.
pub struct Line<'a> {
    /// The field's name.
    pub name: &'a str,
    /// `text`, `password`, `date`.
    pub kind: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// What it is for; may be empty.
    pub hint: &'a str,
    /// What it holds.
    pub value: &'a str,
    /// For the browser's own help.
    pub autocomplete: &'a str,
    /// What is wrong with it.
    pub problem: Option<&'a str>,
}

/// Such an input.
pub fn line(line: &Line<'_>) -> Markup {
    let described = match (line.hint.is_empty(), line.problem) {
        (_, Some(_)) => Some(format!("{}-problem", line.name)),
        (false, None) => Some(format!("{}-hint", line.name)),
        (true, None) => None,
    };
    html! {
        div.field.wrong[line.problem.is_some()] {
            label for=(line.name) { (line.label) }
            @if !line.hint.is_empty() { p.hint id={ (line.name) "-hint" } { (line.hint) } }
            input type=(line.kind) id=(line.name) name=(line.name) value=(line.value) autocomplete=(line.autocomplete)
                aria-invalid=[line.problem.map(|_| "true")] aria-describedby=[described];
            @if let Some(problem) = line.problem { p.problem id={ (line.name) "-problem" } { (problem) } }
        }
    }
}
