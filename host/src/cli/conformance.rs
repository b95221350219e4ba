//! `conformance`: the kit on this host, as a report; or what another platform needs to run it. Decides nothing.

use std::{net::SocketAddr, path::Path};

use serde_json::{Value, json};

use super::{Common, Ending, interrupt::Interrupt};
use crate::conformance::{self, KIT, Peer};

/// Writes the kit's component.
pub fn write(common: &Common, out: &Path) -> anyhow::Result<Ending> {
    conformance::write(out)?;
    if common.json {
        outln!("{:#}", json!({ "written": out, "bytes": KIT.len() }));
    }
    Ok(Ending::Done)
}

/// Serves the other side of the HTTP checks until somebody asks to end.
pub async fn peer(
    common: &Common,
    on: SocketAddr,
    mut interrupt: Interrupt,
) -> anyhow::Result<Ending> {
    let peer = Peer::listen(on).await?;
    if common.json {
        outln!("{:#}", json!({ "peer": peer.address() }));
    } else {
        outln!("{}", peer.address());
    }
    interrupt.asked().await;
    Ok(Ending::Done)
}

/// Runs the kit and shows what it found; with a broken sentence it fails.
pub async fn run(common: &Common) -> anyhow::Result<Ending> {
    let findings = conformance::run().await?;
    if common.json {
        outln!("{:#}", Value::from(findings.clone()));
    } else {
        findings.iter().for_each(show);
    }
    let broken = findings
        .iter()
        .any(|finding| told(finding, "broken").is_some());
    Ok(if broken { Ending::Failed } else { Ending::Done })
}

/// The text of an outcome that has one.
fn told<'a>(finding: &'a Value, outcome: &str) -> Option<&'a str> {
    finding.get("outcome")?.get(outcome)?.as_str()
}

fn show(finding: &Value) {
    let text = |name: &str| {
        finding
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match (told(finding, "broken"), told(finding, "skipped")) {
        (Some(seen), _) => {
            outln!("BROKEN   {}", text("name"));
            outln!("         {}", text("sentence"));
            outln!("         {seen}");
        }
        (_, Some(needs)) => outln!("skipped  {} (needs {needs})", text("name")),
        _ => outln!("kept     {}", text("name")),
    }
}
