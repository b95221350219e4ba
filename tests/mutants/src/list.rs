//! The mutants, as cargo-mutants lists them. It must not invent any.

use std::{collections::BTreeMap, fmt, fs, ops::Range, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// How a mutant changes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Genre {
    /// A function answers this at once.
    FnValue,
    /// Another operator between two expressions.
    BinaryOperator,
    /// No operator before an expression.
    UnaryOperator,
    /// An arm of a `match` is taken out.
    MatchArm,
    /// An arm's guard is always, or never, true.
    MatchArmGuard,
    /// A field is left to the literal's base.
    StructField,
}

/// One change to one file.
#[derive(Debug)]
pub struct Mutant {
    /// From the root of the workspace.
    pub file: String,
    /// The first line, counted from one.
    pub line: usize,
    /// That line's text.
    pub code: String,
    /// What is changed into what.
    pub change: String,
    /// How.
    pub genre: Genre,
    /// What stands there instead.
    pub replacement: String,
    /// Instead of these bytes.
    pub bytes: Range<usize>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    file: String,
    genre: Genre,
    replacement: String,
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Point,
    end: Point,
}

/// Line and column, in characters, both counted from one.
#[derive(Deserialize)]
struct Point {
    line: usize,
    column: usize,
}

/// All mutants of the guest, and the texts of the files that they are in.
///
/// # Errors
/// Without cargo-mutants.
pub fn all(root: &Path) -> Result<(Vec<Mutant>, BTreeMap<String, String>)> {
    let listed = Command::new("cargo")
        .args(["mutants", "-p", "tsunagi-guest", "--list", "--json"])
        .current_dir(root)
        .output()?;
    let said = String::from_utf8_lossy(&listed.stderr);
    ensure!(
        listed.status.success(),
        "{said}\n`cargo install cargo-mutants --locked` brings what lists the mutants"
    );
    let listed: Vec<Listed> = serde_json::from_slice(&listed.stdout)?;
    let mut texts = BTreeMap::new();
    for Listed { file, .. } in &listed {
        if !texts.contains_key(file) {
            let text = fs::read_to_string(root.join(file)).context(file.clone())?;
            texts.insert(file.clone(), text);
        }
    }
    let mutants = listed.into_iter().map(|listed| {
        let text = texts.get(&listed.file).map_or("", String::as_str);
        mutant(listed, text)
    });
    Ok((mutants.collect(), texts))
}

fn mutant(listed: Listed, text: &str) -> Mutant {
    let Span { start, end } = listed.span;
    let line = text.lines().nth(start.line.saturating_sub(1));
    // `file:line:column: change`
    let change = listed.name.splitn(4, ':').last().unwrap_or_default();
    Mutant {
        line: start.line,
        code: line.unwrap_or_default().trim().to_owned(),
        change: change.trim().to_owned(),
        genre: listed.genre,
        replacement: listed.replacement,
        bytes: byte(text, &start)..byte(text, &end),
        file: listed.file,
    }
}

fn byte(text: &str, point: &Point) -> usize {
    let mut lines = text.split_inclusive('\n');
    let before = point.line.saturating_sub(1);
    let start: usize = lines.by_ref().take(before).map(str::len).sum();
    let line = lines.next().unwrap_or_default().chars();
    let column = line.take(point.column.saturating_sub(1));
    start + column.map(char::len_utf8).sum::<usize>()
}

impl fmt::Display for Mutant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.change)
    }
}
