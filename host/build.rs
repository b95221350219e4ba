//! Builds the component, and the conformance kit beside it, for wasm32-wasip2, so that `cargo build` of the host is the only command anybody needs.
//! It must not let the host's own flags, wrappers or lints reach the component's build.
//!
//! `TSUNAGI_COMPONENT=/path/to.wasm` embeds a component that was built elsewhere instead, `TSUNAGI_KIT` such a kit.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
/// The connector, and the kit that tries a platform.
const PACKAGES: [&str; 2] = ["tsunagi-guest", "tsunagi-conformance"];
/// The profile of the root `Cargo.toml` that the component is built with.
const PROFILE: &str = "component";
/// What an outer cargo, clippy or rustc wrapper sets for the host and must not reach the component.
const NOT_FORWARDED: [&str; 12] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
    "CARGO_BUILD_TARGET",
];

fn main() -> Result<(), Box<dyn Error>> {
    let parts = ["TSUNAGI_COMPONENT", "TSUNAGI_KIT"]
        .into_iter()
        .zip(PACKAGES);
    let mut missing = Vec::new();
    for (variable, package) in parts {
        println!("cargo::rerun-if-env-changed={variable}");
        match env::var_os(variable) {
            Some(given) => embed(variable, &given_component(PathBuf::from(given))?),
            None => missing.push((variable, package)),
        }
    }
    if !missing.is_empty() {
        let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
        let folder = built_components(&packages)?;
        for (variable, package) in missing {
            let file = package.replace('-', "_") + ".wasm";
            embed(variable, &folder.join(file));
        }
    }
    Ok(())
}

fn embed(variable: &str, file: &Path) {
    println!("cargo::rustc-env={variable}_FILE={}", file.display());
}

fn given_component(path: PathBuf) -> Result<PathBuf, Box<dyn Error>> {
    let path = path.canonicalize()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(path)
}

/// Builds these packages; the folder that their components are in.
fn built_components(packages: &[&str]) -> Result<PathBuf, Box<dyn Error>> {
    let host = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = host
        .parent()
        .ok_or("the host's folder lies in the workspace")?;
    for watched in [
        "guest",
        "tests/conformance",
        "wit",
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    add_target(root)?;
    let target_dir = component_target_dir()?;
    build(root, &target_dir, packages)?;
    Ok(target_dir.join(TARGET).join(PROFILE))
}

/// `<target folder>/component`: found from OUT_DIR, which lies four folders below the target folder. Its own folder, because
/// the outer cargo holds the lock of the other one; shared by all profiles of the host, because the component is the same.
fn component_target_dir() -> Result<PathBuf, Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is too short")?;
    Ok(target.join("component"))
}

/// Adds the target when the toolchain lacks it. Without rustup nothing is done: then the compiler says best what is missing.
fn add_target(root: &Path) -> Result<(), Box<dyn Error>> {
    let installed = Command::new("rustup")
        .args(["target", "list", "--installed"])
        .current_dir(root)
        .output();
    let Ok(installed) = installed else {
        return Ok(());
    };
    if String::from_utf8_lossy(&installed.stdout)
        .lines()
        .any(|line| line.trim() == TARGET)
    {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(root)
        .status()?;
    if added.success() {
        Ok(())
    } else {
        Err(format!("`rustup target add {TARGET}` failed: add the target by hand").into())
    }
}

fn build(root: &Path, target_dir: &Path, packages: &[&str]) -> Result<(), Box<dyn Error>> {
    let cargo = env::var_os("CARGO").ok_or("CARGO is not set")?;
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--target", TARGET, "--profile", PROFILE])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .env("CARGO_TARGET_DIR", target_dir);
    for name in NOT_FORWARDED {
        command.env_remove(name);
    }
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err("the component did not build; its errors are above".into())
    }
}
