//! The same import by others, each in a process of its own against fresh doubles: a plain script without a ledger, and the embeddings of
//! `tests/platforms` with our component. What is not installed is skipped and said so.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tsunagi::runtime::EMBEDDED;

use crate::{field::Services, import::PARALLEL, shop, table::Row};

const PLATFORMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/platforms");
const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/speed/plain");
/// What makes the embeddings' surroundings.
const INSTALLS: &str = "tests/platforms/run installs what it needs";

/// Who imports.
struct Other {
    name: &'static str,
    what: &'static str,
    program: Option<PathBuf>,
    script: PathBuf,
    /// Our component in it; otherwise a script of its own.
    component: bool,
}

pub fn measure(services: &Services, writes: u32) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for other in all() {
        let Some(program) = &other.program else {
            let why = if other.component {
                INSTALLS
            } else {
                "there is no such program"
            };
            rows.push(Row::skipped(other.name, other.what, why));
            continue;
        };
        let folder = tempfile::tempdir()?;
        let took = imported(&other, program, services, writes, folder.path());
        let took = took.with_context(|| other.name.to_owned())?;
        rows.push(Row::one(other.name, other.what, "s", took.as_secs_f64()));
    }
    Ok(rows)
}

fn all() -> [Other; 4] {
    let platforms = Path::new(PLATFORMS);
    let newer = Path::new(PLATFORMS).join("../.node/node_modules/node/bin/node");
    let node = if newer.exists() {
        Some(newer)
    } else {
        found("node", "--version")
    };
    let modules = platforms.join("node/node_modules").exists();
    let python = platforms.join("python/.venv/bin/python");
    [
        Other {
            name: "import.plain-node",
            what: "the same by a plain Node script without a ledger",
            program: node.clone(),
            script: Path::new(PLAIN).join("import.mjs"),
            component: false,
        },
        Other {
            name: "import.plain-python",
            what: "the same by a plain Python script without a ledger",
            program: found("python3", "--version"),
            script: Path::new(PLAIN).join("import.py"),
            component: false,
        },
        Other {
            name: "import.node",
            what: "the same by our component in Node (jco)",
            program: node.filter(|node| modules && runs(node, &["-e", "require('node:sqlite')"])),
            script: platforms.join("node/embed.mjs"),
            component: true,
        },
        Other {
            name: "import.python",
            what: "the same by our component in Python (wasmtime)",
            program: python.exists().then_some(python),
            script: platforms.join("python/embed.py"),
            component: true,
        },
    ]
}

/// A program of the path, if it runs.
fn found(name: &str, argument: &str) -> Option<PathBuf> {
    let program = PathBuf::from(name);
    runs(&program, &[argument]).then_some(program)
}

fn runs(program: &Path, arguments: &[&str]) -> bool {
    let mut run = Command::new(program);
    run.args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    run.status().is_ok_and(|status| status.success())
}

/// From the moment in which it is logged in to the last order.
fn imported(
    other: &Other,
    program: &Path,
    services: &Services,
    writes: u32,
    folder: &Path,
) -> Result<Duration> {
    let sandbox = services.start()?;
    let described = sandbox.describe();
    let file = |name: &str| folder.join(name);
    std::fs::write(file("sandbox.json"), described.to_string())?;
    let mut command = Command::new(program);
    command.arg(&other.script);
    if other.component {
        std::fs::write(file("tsunagi.wasm"), EMBEDDED)?;
        std::fs::write(file("scenario.json"), scenario(&described, writes))?;
        let files = [
            "tsunagi.wasm",
            "shop.sqlite",
            "sandbox.json",
            "scenario.json",
        ];
        command.args(files.map(file));
    } else {
        command.arg(file("sandbox.json")).arg(PARALLEL.to_string());
    }
    command
        .stdout(Stdio::piped())
        .stderr(File::create(file("errors"))?);
    let mut child = command.spawn()?;
    services.slow(&sandbox);
    let out = child.stdout.take().context("its output")?;
    let took = watched(BufReader::new(out));
    let ended = child.wait()?;
    let said = || std::fs::read_to_string(file("errors")).unwrap_or_default();
    ensure!(ended.success(), "it failed: {}", said());
    let (took, registered) = took?;
    ensure!(
        registered == services.orders,
        "{registered} of {} orders",
        services.orders
    );
    Ok(took)
}

/// What the embeddings play. As text: arguments are in the contract's order, and an object here sorts its names.
fn scenario(described: &Value, writes: u32) -> String {
    let settings = shop::settings(described, writes);
    let shop = shop::MALL;
    format!(
        r#"{{ "steps": [
            {{ "call": "settings.put", "arguments": {{ "settings": {settings} }} }},
            {{ "login": true }},
            {{ "call": "connection.switch-on", "arguments": {{ "backlog": "leave" }} }},
            {{ "call": "orders.import-shop", "while-more": true,
               "arguments": {{ "shop-id": "{shop}", "budget": {{ "requests": 100000, "seconds": 600 }} }} }}
        ] }}"#
    )
}

/// Reads what it tells: how long it took from its beginning to its end, and how many orders it registered.
fn watched(told: impl BufRead) -> Result<(Duration, u64)> {
    let (mut begun, mut registered) = (None, 0);
    for line in told.lines() {
        let line = line?;
        if let Some(count) = line.strip_prefix("done ") {
            registered = count.parse()?;
        } else if let Ok(told) = serde_json::from_str::<Value>(&line) {
            ensure!(told.get("error").is_none_or(Value::is_null), "{line}");
            let count = told.pointer("/answer/registered").and_then(Value::as_u64);
            registered += count.unwrap_or_default();
            let is = |name: &str| told.get("call").and_then(Value::as_str) == Some(name);
            if is("connection.switch-on") {
                begun = Some(Instant::now());
            }
            if !is("orders.import-shop") {
                continue;
            }
        } else if line == "begun" {
            begun = Some(Instant::now());
            continue;
        }
        let more = line.contains("\"more\": true") || line.contains("\"more\":true");
        if let Some(begun) = begun.filter(|_| !more) {
            return Ok((begun.elapsed(), registered));
        }
    }
    bail!("it ended before it was done")
}
