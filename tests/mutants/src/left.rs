//! The mutants that no test can or should catch, each with its reason. An entry that fits no mutant, or one that is caught, is wrong.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::list::Mutant;

/// The list, from the root.
pub const FILE: &str = "tests/mutants/left.toml";

/// Why one is left.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// The file, and what is changed into what.
    pub mutant: String,
    /// The text of the line; without one, wherever in the file.
    pub code: Option<String>,
    /// Why.
    pub why: String,
}

#[derive(Deserialize)]
struct All {
    #[serde(default)]
    left: Vec<Left>,
}

impl Left {
    /// The whole list.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn all(root: &Path) -> Result<Vec<Self>> {
        let text = fs::read_to_string(root.join(FILE))?;
        let All { left } = toml::from_str(&text).context(FILE)?;
        Ok(left)
    }

    /// Whether it is about this mutant.
    pub fn fits(&self, mutant: &Mutant) -> bool {
        let name = format!("{}: {}", mutant.file, mutant.change);
        let code = self.code.as_ref();
        self.mutant == name && code.is_none_or(|code| *code == mutant.code)
    }
}
