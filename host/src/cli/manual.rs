//! Shell completions and manual pages, made of the command line's own definition.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use super::{Cli, Common, Ending, out};

/// Prints a shell's completions.
pub fn completions(common: &Common, shell: Shell) -> anyhow::Result<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tsunagi", &mut script);
    let script = String::from_utf8_lossy(&script);
    if common.json {
        outln!(
            "{:#}",
            json!({ "shell": shell.to_string(), "script": script })
        );
    } else {
        out::written(script);
    }
    Ok(Ending::Done)
}

/// Writes a page for the program and one for each command.
pub fn pages(common: &Common, folder: &Path) -> anyhow::Result<Ending> {
    let cannot = || {
        format!(
            "{} cannot be written; choose another folder with --out",
            folder.display()
        )
    };
    std::fs::create_dir_all(folder).with_context(cannot)?;
    clap_mangen::generate_to(Cli::command(), folder).with_context(cannot)?;
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder).with_context(cannot)? {
        names.push(file?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name.starts_with("tsunagi") && name.ends_with(".1"));
    names.sort();
    if common.json {
        outln!(
            "{:#}",
            json!({ "folder": folder.display().to_string(), "pages": names })
        );
    } else {
        outln!("{}", names.join("\n"));
    }
    Ok(Ending::Done)
}
