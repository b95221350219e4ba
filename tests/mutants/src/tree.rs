//! A copy of what the guest's tests and the simulation are built from, below the target directory, and its builds. It must not write
//! anywhere else.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What is copied: whatever of these Git knows or would.
const PARTS: &[&str] = &[
    "Cargo.lock",
    "README.md",
    "rust-toolchain.toml",
    "guest",
    "tests/sandbox",
    "tests/simulation",
];

/// Which mutant is on, in each build: read once from the environment; what was reached goes into a file, a number a line.
const SWITCH: &str = include_str!("../switch.rs");

/// The copy.
pub struct Tree {
    /// Its root.
    pub root: PathBuf,
    /// Where it is built.
    pub target: PathBuf,
}

/// What the compiler objects to.
#[derive(Debug)]
pub struct Objection {
    /// As it says it.
    pub said: String,
    /// The compiler's name for it.
    pub code: String,
    /// File and bytes; what it is about comes first.
    pub places: Vec<(String, Range<usize>)>,
}

/// A built binary of tests.
#[derive(Debug, Clone)]
pub struct Binary {
    /// The file.
    pub file: PathBuf,
    /// Where it runs.
    pub folder: PathBuf,
}

impl Tree {
    /// Copies it to this name below the target directory; what is equal already stays untouched.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn copy(from: &Path, name: &str) -> Result<Self> {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| from.join("target"), PathBuf::from);
        let tree = Self {
            root: target.join(name),
            target,
        };
        let mut list = Command::new("git");
        list.args(["ls-files", "-co", "--exclude-standard", "--"])
            .args(PARTS);
        let listed = list.current_dir(from).output()?;
        ensure!(listed.status.success(), "git ls-files fails");
        for file in String::from_utf8(listed.stdout)?.lines() {
            if let Ok(text) = fs::read(from.join(file)) {
                tree.put(file, &text)?;
            }
        }
        let mut manifest: toml::Table = fs::read_to_string(from.join("Cargo.toml"))?.parse()?;
        let workspace = manifest
            .get_mut("workspace")
            .and_then(toml::Value::as_table_mut);
        let workspace = workspace.context("no workspace")?;
        workspace.remove("default-members");
        let members = ["guest", "tests/sandbox", "tests/simulation"].map(toml::Value::from);
        workspace.insert("members".into(), members.to_vec().into());
        // Only what does not compile counts.
        workspace.insert(
            "lints".into(),
            toml::from_str::<toml::Value>("rust.warnings = 'allow'")?,
        );
        tree.put("Cargo.toml", toml::to_string(&manifest)?.as_bytes())?;
        Ok(tree)
    }

    /// Writes a file, unless it is so already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, file: &str, text: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        if fs::read(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// Puts the switch for so many mutants into the guest.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn put_switch(&self, mutants: usize) -> Result<()> {
        let switch = SWITCH.replace("MUTANTS: usize = 0", &format!("MUTANTS: usize = {mutants}"));
        self.put("guest/src/mutant.rs", switch.as_bytes())?;
        let lib = fs::read_to_string(self.root.join("guest/src/lib.rs"))?;
        self.put(
            "guest/src/lib.rs",
            format!("{lib}\npub mod mutant;\n").as_bytes(),
        )
    }

    /// Builds with these arguments of cargo: the binaries of tests, or what the compiler objects to.
    ///
    /// # Errors
    /// When cargo cannot run.
    pub fn build(&self, arguments: &[&str]) -> Result<Result<Vec<Binary>, Vec<Objection>>> {
        let built = Command::new("cargo")
            .args(arguments)
            .args(["--offline", "--message-format=json"])
            .env("CARGO_TARGET_DIR", &self.target)
            .current_dir(&self.root)
            .stderr(Stdio::piped())
            .output()?;
        let lines = built.stdout.split(|byte| *byte == b'\n');
        let told: Vec<Told> = lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        if built.status.success() {
            return Ok(Ok(told.iter().filter_map(Told::binary).collect()));
        }
        let objections: Vec<Objection> = told.iter().filter_map(Told::objection).collect();
        ensure!(
            !objections.is_empty(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        Ok(Err(objections))
    }
}

/// A line of cargo's.
#[derive(Deserialize)]
struct Told {
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    profile: Option<Profile>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Message {
    code: Option<Code>,
    level: String,
    rendered: Option<String>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

impl Told {
    fn binary(&self) -> Option<Binary> {
        self.profile.as_ref().filter(|profile| profile.test)?;
        Some(Binary {
            file: self.executable.clone()?,
            folder: self.manifest_path.as_ref()?.parent()?.to_owned(),
        })
    }

    fn objection(&self) -> Option<Objection> {
        let message = self
            .message
            .as_ref()
            .filter(|message| message.level == "error")?;
        let mut spans: Vec<&Span> = message.spans.iter().collect();
        spans.sort_by_key(|span| !span.is_primary);
        let place = |span: &&Span| (span.file_name.clone(), span.byte_start..span.byte_end);
        Some(Objection {
            said: message.rendered.clone().unwrap_or_default(),
            code: message
                .code
                .as_ref()
                .map_or_else(String::new, |code| code.code.clone()),
            places: spans.iter().map(place).collect(),
        })
    }
}
