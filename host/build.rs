//! Builds the component for wasm32-wasip2, so that `cargo build` of the host is the only command anybody needs.
//! It must not let the host's own flags, wrappers or lints reach the component's build.
//!
//! `TSUNAGI_COMPONENT=/path/to.wasm` embeds a component that was built elsewhere instead.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
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
    println!("cargo::rerun-if-env-changed=TSUNAGI_COMPONENT");
    let component = match env::var_os("TSUNAGI_COMPONENT") {
        Some(given) => given_component(PathBuf::from(given))?,
        None => built_component()?,
    };
    println!(
        "cargo::rustc-env=TSUNAGI_COMPONENT_FILE={}",
        component.display()
    );
    Ok(())
}

fn given_component(path: PathBuf) -> Result<PathBuf, Box<dyn Error>> {
    let path = path.canonicalize()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(path)
}

fn built_component() -> Result<PathBuf, Box<dyn Error>> {
    let host = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = host
        .parent()
        .ok_or("the host's folder lies in the workspace")?;
    for watched in [
        "guest",
        "wit",
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    add_target(root)?;
    let target_dir = component_target_dir()?;
    build(root, &target_dir)?;
    Ok(target_dir
        .join(TARGET)
        .join(PROFILE)
        .join("tsunagi_guest.wasm"))
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

fn build(root: &Path, target_dir: &Path) -> Result<(), Box<dyn Error>> {
    let cargo = env::var_os("CARGO").ok_or("CARGO is not set")?;
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args([
            "build",
            "--package",
            "tsunagi-guest",
            "--target",
            TARGET,
            "--profile",
            PROFILE,
        ])
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
