//! `component`: the contract as text, the component as a file. Looks at no shop.

use std::path::Path;

use anyhow::Context;
use serde_json::json;

use super::{Common, Ending, failure::Usage};
use crate::runtime::{self, EMBEDDED};

/// The embedded component, or the one that was named.
pub fn component(common: &Common) -> Result<Vec<u8>, Usage> {
    match &common.component {
        None => Ok(EMBEDDED.to_vec()),
        Some(path) => std::fs::read(path).map_err(|error| {
            Usage(format!(
                "{} cannot be read ({error}); without --component the embedded one is used",
                path.display()
            ))
        }),
    }
}

/// Prints or writes it.
pub fn show(common: &Common, wit: bool, out: Option<&Path>) -> anyhow::Result<Ending> {
    let component = component(common)?;
    let contract = (wit || out.is_none())
        .then(|| runtime::contract(&component))
        .transpose()?;
    if let Some(out) = out {
        std::fs::write(out, &component).with_context(|| out.display().to_string())?;
    }
    if common.json {
        let told = json!({ "wit": contract, "written": out, "bytes": component.len() });
        outln!("{told:#}");
    } else if let Some(contract) = contract {
        outln!("{contract}");
    }
    Ok(Ending::Done)
}
