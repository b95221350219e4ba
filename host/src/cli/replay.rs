//! `replay`: recorded calls run again, with a trace of each and the first departure. Looks at no shop and no network.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Common, Ending,
    component::component,
    failure::{Unfit, Usage},
};
use crate::{
    clock::japan,
    recording::{Recording, trace},
    replay::{Departure, Replay},
    runtime::{self, Runtime, RuntimeConfig},
};

/// Runs these, and those in these folders.
pub async fn run(common: &Common, given: &[PathBuf]) -> anyhow::Result<Ending> {
    let files = files(given)?;
    let read = |path: &PathBuf| {
        let recording = Recording::load(path).map_err(|error| Unfit(format!("{error:#}")))?;
        Ok((path.clone(), recording))
    };
    let recordings: Vec<(PathBuf, Recording)> =
        files.iter().map(read).collect::<anyhow::Result<_>>()?;
    let component = component(common)?;
    let digest = runtime::digest(&component);
    let made = move || Runtime::of(&component, RuntimeConfig::default());
    let replay = Replay::new(&tokio::task::spawn_blocking(made).await??)?;
    let (mut told, mut departed) = (Vec::new(), 0);
    for (path, recording) in &recordings {
        let departure = replay.play(recording).await;
        departed += usize::from(departure.is_some());
        let component = (digest != recording.component).then_some(&recording.component);
        if common.json {
            told.push(value(path, recording, component, departure.as_ref()));
        } else {
            show(path, recording, component, departure.as_ref());
        }
    }
    if common.json {
        outln!("{:#}", Value::from(told));
    } else if recordings.len() > 1 {
        outln!(
            "{} recordings, {departed} with a departure",
            recordings.len()
        );
    }
    Ok(if departed == 0 {
        Ending::Done
    } else {
        Ending::Failed
    })
}

/// A folder stands for all recordings in it and below, by name.
fn files(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in given {
        if !path.exists() {
            let what = format!("there is no file {}", path.display());
            return Err(Usage(what).into());
        }
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        below(path, &mut files).with_context(|| path.display().to_string())?;
        if files.len() == before {
            let what = format!(
                "there is no recording in {}; `tsunagi <command> --record {0}` makes some",
                path.display()
            );
            return Err(Usage(what).into());
        }
    }
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// As many steps as the component went along with.
fn lines(recording: &Recording, departure: Option<&Departure>) -> Vec<trace::Line> {
    let most = departure.map_or(usize::MAX, |departure| departure.step - 1);
    trace::lines(recording, most)
}

fn value(
    path: &Path,
    recording: &Recording,
    component: Option<&String>,
    departure: Option<&Departure>,
) -> Value {
    let trace = lines(recording, departure).into_iter().map(|line| {
        let at = line.at.map(|at| at.to_rfc3339());
        json!({ "step": line.step, "at": at, "what": line.what, "content": line.content })
    });
    let departure = departure.map(|departure| {
        json!({ "step": departure.step, "recorded": departure.recorded, "asked": departure.asked })
    });
    json!({
        "file": path.display().to_string(), "function": recording.function, "component": component,
        "trace": trace.collect::<Vec<_>>(), "ended": trace::end(&recording.ended), "departure": departure,
    })
}

fn show(
    path: &Path,
    recording: &Recording,
    component: Option<&String>,
    departure: Option<&Departure>,
) {
    outln!(
        "{}: {} {}",
        path.display(),
        recording.function,
        recording.arguments
    );
    if let Some(component) = component {
        let short = component.get(..12).unwrap_or(component);
        outln!("      recorded with another component ({short}…)");
    }
    for line in lines(recording, departure) {
        let clock = |at: DateTime<Utc>| at.with_timezone(&japan()).format("%H:%M:%S%.3f");
        let at = line
            .at
            .map_or_else(|| "-".to_owned(), |at| clock(at).to_string());
        outln!(
            "{:>5}  {at:<12}  {:<8} {}",
            line.step,
            line.what,
            line.content
        );
    }
    match departure {
        None => outln!("   as recorded: {}\n", trace::end(&recording.ended)),
        Some(departure) => outln!("   OTHERWISE: {departure}\n"),
    }
}
