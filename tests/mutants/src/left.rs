//! The mutants that no test can or should catch, each with its reason. An entry that fits no mutant, or one that is caught, is wrong.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::list::Mutant;

/// The list, from the root.
pub const FILE: &str = "tests/mutants/left.toml";

/// Why some are left.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// Their file and what is changed into what, as cargo-mutants calls it.
    mutant: String,
    /// The text of their line.
    code: String,
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
    /// When it cannot be read, or an entry is about none of these mutants.
    pub fn all(root: &Path, mutants: &[Mutant]) -> Result<Vec<Self>> {
        let text = fs::read_to_string(root.join(FILE))?;
        let All { left } = toml::from_str(&text).context(FILE)?;
        for entry in &left {
            let known = mutants.iter().any(|mutant| entry.fits(mutant));
            ensure!(known, "{FILE}: no mutant is this one: {entry:?}");
        }
        Ok(left)
    }

    /// Whether it is about this mutant.
    pub fn fits(&self, mutant: &Mutant) -> bool {
        self.mutant == format!("{}: {}", mutant.file, mutant.change) && self.code == mutant.code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_its_line_and_its_reason() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap();
        let text = fs::read_to_string(root.join(FILE)).unwrap();
        let All { left } = toml::from_str(&text).unwrap();
        for Left { mutant, code, why } in left {
            let (file, _) = mutant.split_once(": ").unwrap();
            let source = fs::read_to_string(root.join(file)).unwrap();
            assert!(
                source.lines().any(|line| line.trim() == code),
                "{mutant}: {code}"
            );
            assert!(!why.is_empty(), "{mutant}");
        }
    }
}
