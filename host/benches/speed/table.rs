//! The table: what was measured beside its goal, as text, as JSON and in the README. It must take no number but a measured one.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use chrono::Utc;
use serde::Serialize;
use serde_json::json;
use tsunagi::clock::japan;

use crate::figures::Figures;

/// Before the table in the README.
const BEGINS: &str = "<!-- speed: cargo bench -p tsunagi --bench speed -- --record -->\n";
/// After it.
const ENDS: &str = "<!-- end of speed -->\n";

/// What a row should come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Goal {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Family and name, which never change their meaning.
    name: String,
    what: String,
    /// Behind the number; empty for a ratio or a count.
    unit: &'static str,
    /// The median; absent where nothing was measured.
    value: Option<f64>,
    /// The middle half of the measurements, where there are several.
    quartiles: Option<(f64, f64)>,
    measurements: usize,
    goal: Option<Goal>,
    /// What belongs to the number, or why there is none.
    note: String,
}

impl Row {
    /// Of several measurements.
    pub fn of(name: &str, what: impl Into<String>, unit: &'static str, figures: &Figures) -> Self {
        let spread = (figures.share(0.25), figures.share(0.75));
        Self {
            name: name.to_owned(),
            what: what.into(),
            unit,
            value: Some(figures.median()),
            quartiles: (figures.count() > 1).then_some(spread),
            measurements: figures.count(),
            goal: None,
            note: String::new(),
        }
    }

    /// Of one measurement, or a count.
    pub fn one(name: &str, what: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self::of(name, what, unit, &Figures::of([value]))
    }

    /// Of nothing, with the reason.
    pub fn skipped(name: &str, what: impl Into<String>, why: impl Into<String>) -> Self {
        let row = Self {
            value: None,
            measurements: 0,
            ..Self::one(name, what, "", 0.0)
        };
        row.note(format!("skipped: {}", why.into()))
    }

    /// With its goal.
    pub fn goal(self, goal: Goal) -> Self {
        let goal = Some(goal);
        Self { goal, ..self }
    }

    /// With a note.
    pub fn note(self, note: impl Into<String>) -> Self {
        let note = note.into();
        Self { note, ..self }
    }

    fn shown(&self, number: f64) -> String {
        match self.unit {
            "" => plain(number),
            unit => format!("{} {unit}", plain(number)),
        }
    }

    fn cells(&self) -> [String; 6] {
        let goal = match self.goal {
            None => String::new(),
            Some(Goal::AtMost(most)) => format!("≤ {}", self.shown(most)),
            Some(Goal::AtLeast(least)) => format!("≥ {}", self.shown(least)),
        };
        let held = match self.goal.zip(self.value) {
            None => "",
            Some((goal, value)) if goal.holds(value) => "held",
            Some(_) => "**missed**",
        };
        let spread = self.quartiles.map_or(String::new(), |(low, high)| {
            format!("{}–{}", plain(low), plain(high))
        });
        let value = self.value.map_or(String::new(), |value| self.shown(value));
        let (what, note) = (self.what.clone(), self.note.clone());
        [what, value, spread, goal, held.to_owned(), note]
    }
}

/// Three figures, and thousands apart.
fn plain(number: f64) -> String {
    let decimals = match number.abs() {
        whole if whole.fract() == 0.0 || whole >= 100.0 => 0,
        tens if tens >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{number:.decimals$}");
    let digits = text.split('.').next().map_or(0, str::len);
    let mut shown = String::new();
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at < digits && (digits - at).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(character);
    }
    shown
}

/// All rows, and where they were measured.
pub struct Table {
    rows: Vec<Row>,
    quick: bool,
}

impl Table {
    /// Without rows.
    pub fn new(quick: bool) -> Self {
        let rows = Vec::new();
        Self { rows, quick }
    }

    /// Further rows; each is told as it comes.
    pub fn add(&mut self, rows: Vec<Row>) {
        for row in &rows {
            eprintln!("  {}", row.cells().join(" | "));
        }
        self.rows.extend(rows);
    }

    /// Writes the JSON; says where.
    pub fn keep(&self) -> Result<PathBuf> {
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(3).context("the target folder")?;
        let path = target.join("speed.json");
        let told = json!({
            "at": Utc::now().to_rfc3339(), "machine": machine(), "quick": self.quick, "rows": self.rows,
        });
        fs::write(&path, format!("{told:#}\n"))?;
        Ok(path)
    }

    /// Puts the table into the README.
    pub fn record(&self) -> Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        let readme = fs::read_to_string(&path)?;
        let place = || {
            let (before, rest) = readme.split_once(BEGINS)?;
            let (_, after) = rest.split_once(ENDS)?;
            Some(format!("{before}{BEGINS}{self}{ENDS}{after}"))
        };
        let written = place().with_context(|| format!("README.md has no line {BEGINS}"))?;
        Ok(fs::write(path, written)?)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| what | median | middle half | goal | | |")?;
        writeln!(formatter, "| --- | ---: | ---: | ---: | --- | --- |")?;
        for row in &self.rows {
            writeln!(formatter, "| {} |", row.cells().join(" | "))?;
        }
        let missed = self.rows.iter().filter(|row| {
            let both = row.goal.zip(row.value);
            both.is_some_and(|(goal, value)| !goal.holds(value))
        });
        let goals = self.rows.iter().filter(|row| row.goal.is_some()).count();
        let size = if self.quick { ", quick" } else { "" };
        writeln!(
            formatter,
            "\n{} of {goals} goals missed{size}. {}, {}.",
            missed.count(),
            machine(),
            today()
        )
    }
}

fn today() -> String {
    Utc::now().with_timezone(&japan()).date_naive().to_string()
}

/// Processor and cores, as far as the system tells them.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = told.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    format!("{cores} cores of {model}, {}", std::env::consts::OS)
}
