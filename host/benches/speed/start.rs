//! What has to be shipped and waited for: the component's size, and how soon `tsunagi serve` answers when its compiled code is kept.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use tsunagi::runtime::EMBEDDED;

use crate::{
    Plan,
    figures::Figures,
    table::{Goal, Row},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tsunagi");
/// Longer than a start takes that has to compile.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let size = EMBEDDED.len() as f64 / 1024.0;
    let folder = tempfile::tempdir()?;
    // The first start compiles.
    started(folder.path())?;
    let times: Result<Vec<Duration>> = (0..plan.size(15, 3))
        .map(|_| started(folder.path()))
        .collect();
    let figures = Figures::seconds(times?).times(1e3);
    Ok(vec![
        Row::one("start.size", "component size", "KiB", size).goal(Goal::AtMost(900.0)),
        Row::of(
            "start.serve",
            "start of `tsunagi serve` to its first answer, compiled code kept",
            "ms",
            &figures,
        )
        .goal(Goal::AtMost(100.0)),
    ])
}

/// Starts it; how long until it answers.
fn started(folder: &Path) -> Result<Duration> {
    let place = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let file = folder.join("tsunagi.toml");
    let text = format!(
        "[server]\nlisten = \"{place}\"\npublic-url = \"http://{place}\"\n[store]\npath = \"{}\"\n[tenants.shop]\nwebhook-secret = \"not used\"\n",
        folder.join("store.sqlite").display()
    );
    std::fs::write(&file, text)?;
    let begun = Instant::now();
    let mut serve = Command::new(PROGRAM)
        .arg("--config")
        .arg(&file)
        .arg("serve")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let answered = loop {
        if answers(&place.to_string()) {
            break Some(begun.elapsed());
        }
        if begun.elapsed() > PATIENCE || serve.try_wait()?.is_some() {
            break None;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    serve.kill()?;
    serve.wait()?;
    match answered {
        Some(took) => Ok(took),
        None => bail!("serve does not answer at {place}"),
    }
}

fn answers(place: &str) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(place)?;
        write!(
            stream,
            "GET /healthz HTTP/1.1\r\nhost: {place}\r\nconnection: close\r\n\r\n"
        )?;
        let mut told = String::new();
        stream.read_to_string(&mut told)?;
        Ok(told)
    };
    asked().is_ok_and(|told| told.starts_with("HTTP/1.1 200"))
}
