//! The README's table of what was tried, from the counts that the checks themselves write down. It must not count, nor accept a
//! figure from anywhere else.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Before the table in the README.
const BEGINS: &str = "<!-- the table: cargo run -p tsunagi-simulation -- table -->\n";
/// After it.
const ENDS: &str = "<!-- end of the table -->\n";

/// Declares the checks with their row of the table.
macro_rules! checks {
    ($($(#[$note:meta])* $check:ident = $title:literal, $command:literal;)+) => {
        /// What is counted, in the table's order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Check { $($(#[$note])* $check,)+ }

        impl Check {
            const ALL: &'static [Self] = &[$(Self::$check),+];

            fn title(self) -> &'static str {
                match self { $(Self::$check => $title,)+ }
            }

            /// What its row is counted by: nothing else may be recorded under it.
            pub fn command(self) -> &'static str {
                match self { $(Self::$check => $command,)+ }
            }
        }
    };
}

checks! {
    /// Single faults.
    Singles = "every fault at every call", "cargo run --release -p tsunagi-simulation -- run";
    /// Pairs.
    Pairs = "every pair of deaths and lost answers", "… run --pairs";
    /// Two instances.
    Together = "two instances at once", "… together";
    /// Random merchants.
    Lives = "random merchants, day after day", "… live --days 28 --merchants 40 --seed 1";
    /// Bent answers and records.
    Bends = "answers and records bent", "… bend --runs 200 --seed 1";
    /// Faults planted in the guest.
    Planted = "faults planted in the component's code, all to be found", "… planted";
    /// The component under wasmtime.
    Component = "the same through the component, byte for byte", "TSUNAGI_POINTS=31 cargo test -p tsunagi-e2e component_does";
    /// The process killed.
    Kills = "`kill -9` of `tsunagi serve`", "TSUNAGI_KILLS=200 cargo test -p tsunagi --test cli kills::nothing";
    /// Mutants.
    Mutants = "mutants of the rules and flows", "cargo run -p tsunagi-mutants -- --together";
}

/// What one check counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// When it ran, Japan's date.
    pub on: NaiveDate,
    /// What was tried: unit and number, in the order in which they are told.
    pub tried: Vec<(String, u64)>,
    /// What went wrong.
    pub failures: u64,
}

impl Counted {
    /// The number of this unit.
    pub fn of(&self, unit: &str) -> Option<u64> {
        let found = self.tried.iter().find(|(name, _)| name == unit);
        found.map(|(_, number)| *number)
    }
}

/// Everything that was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Proof(BTreeMap<Check, Counted>);

/// Why the table cannot be made.
#[derive(Debug)]
pub enum Trouble {
    /// A file.
    File(PathBuf, io::Error),
    /// The counts are not ours.
    Counts(PathBuf, serde_json::Error),
    /// The README has no place for it.
    NoPlace,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(formatter, "{}: {error}", path.display()),
            Self::Counts(path, error) => write!(formatter, "{}: {error}", path.display()),
            Self::NoPlace => write!(formatter, "README.md has no line `{}`", BEGINS.trim_end()),
        }
    }
}

impl std::error::Error for Trouble {}

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

fn file(name: &str) -> PathBuf {
    root().join(name)
}

const COUNTS: &str = "tests/simulation/counts.json";

fn text_of(name: &str) -> Result<String, Trouble> {
    let path = file(name);
    fs::read_to_string(&path).map_err(|error| Trouble::File(path, error))
}

fn keep(name: &str, text: &str) -> Result<(), Trouble> {
    let path = file(name);
    fs::write(&path, text).map_err(|error| Trouble::File(path, error))
}

impl Proof {
    /// What was written down.
    ///
    /// # Errors
    /// When the file cannot be read; none is fine.
    pub fn read() -> Result<Self, Trouble> {
        if !file(COUNTS).exists() {
            return Ok(Self::default());
        }
        serde_json::from_str(&text_of(COUNTS)?)
            .map_err(|error| Trouble::Counts(file(COUNTS), error))
    }

    /// What this check counted.
    pub fn of(&self, check: Check) -> Option<&Counted> {
        self.0.get(&check)
    }

    /// Writes down what a check counted, instead of what it counted before, and makes the table anew.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn record(check: Check, tried: &[(&str, usize)], failures: usize) -> Result<(), Trouble> {
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let tried = tried
            .iter()
            .map(|(unit, count)| ((*unit).to_owned(), number(*count)));
        let today =
            DateTime::<Utc>::from(SystemTime::now()).with_timezone(&tsunagi_guest::time::japan());
        let counted = Counted {
            on: today.date_naive(),
            tried: tried.collect(),
            failures: number(failures),
        };
        let mut proof = Self::read()?;
        proof.0.insert(check, counted);
        let text = serde_json::to_string_pretty(&proof)
            .map_err(|error| Trouble::Counts(file(COUNTS), error))?;
        keep(COUNTS, &format!("{text}\n"))?;
        proof.write_table()
    }

    /// The same for a check that is a test and has no `--record`: where `TSUNAGI_RECORD` is set.
    ///
    /// # Errors
    /// As [`Proof::record`].
    pub fn record_if_asked(
        check: Check,
        tried: &[(&str, usize)],
        failures: usize,
    ) -> Result<(), Trouble> {
        match std::env::var_os("TSUNAGI_RECORD") {
            Some(_) => Self::record(check, tried, failures),
            None => Ok(()),
        }
    }

    /// Writes the table into the README.
    ///
    /// # Errors
    /// When the README cannot be read or written, or has no place for it.
    pub fn write_table(&self) -> Result<(), Trouble> {
        let readme = text_of(README)?;
        keep(README, &self.in_readme(&readme)?)
    }

    /// Whether the README shows these counts.
    ///
    /// # Errors
    /// As [`Proof::write_table`].
    pub fn is_shown(&self) -> Result<bool, Trouble> {
        let readme = text_of(README)?;
        Ok(self.in_readme(&readme)? == readme)
    }

    fn in_readme(&self, readme: &str) -> Result<String, Trouble> {
        let place = || {
            let (before, rest) = readme.split_once(BEGINS)?;
            let (_, after) = rest.split_once(ENDS)?;
            Some(format!("{before}{BEGINS}{self}{ENDS}{after}"))
        };
        place().ok_or(Trouble::NoPlace)
    }
}

const README: &str = "README.md";

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| what | tried | failures | by | on |")?;
        writeln!(formatter, "| --- | --- | ---: | --- | --- |")?;
        for check in Check::ALL {
            if let Some(counted) = self.of(*check) {
                row(formatter, *check, counted)?;
            }
        }
        Ok(())
    }
}

fn row(formatter: &mut fmt::Formatter<'_>, check: Check, counted: &Counted) -> fmt::Result {
    let tried = counted.tried.iter();
    let tried: Vec<String> = tried
        .map(|(unit, number)| format!("{} {unit}", grouped(*number)))
        .collect();
    writeln!(
        formatter,
        "| {} | {} | {} | `{}` | {} |",
        check.title(),
        tried.join(", "),
        grouped(counted.failures),
        check.command(),
        counted.on
    )
}

/// A number with a space between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown
}
