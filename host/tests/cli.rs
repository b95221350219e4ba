//! The program as scripts see it: exit codes, one JSON value, and how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the whole program is a test, and a test may stop at the first surprise"
)]

#[cfg(target_os = "linux")]
mod kills;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
api-token = "token"
[tenants.myshop]
webhook-secret = "hush"
"#;

/// The program in a folder of its own, with this configuration.
fn tsunagi(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagi"));
    command.current_dir(folder).args(arguments);
    command
        .env_remove("TSUNAGI_CONFIG")
        .env("LANG", "C")
        .env_remove("LC_ALL");
    command
}

/// `serve` at work, and the address where it listens.
fn serve(folder: &Path) -> (Child, String) {
    let mut serving = tsunagi(folder, &["serve", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = String::new();
    let mut lines = BufReader::new(serving.stdout.take().unwrap());
    while serde_json::from_str::<Value>(&told).is_err() {
        assert_ne!(lines.read_line(&mut told).unwrap(), 0, "{told}");
    }
    let told: Value = serde_json::from_str(&told).unwrap();
    let address = told["listening"].as_str().unwrap().to_owned();
    (serving, address)
}

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tsunagi.toml"), config).unwrap();
    folder
}

/// Exit code and the one JSON value on standard output.
fn json(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let value = serde_json::from_str(&text)
        .unwrap_or_else(|error| unreachable!("not one JSON value ({error}): {text}"));
    (output.status.code().unwrap(), value)
}

/// Whether the value is as `tsunagi shapes` tells of this command.
fn is_documented(folder: &Path, arguments: &[&str], value: &Value) {
    let output = tsunagi(folder, &["shapes", "--json"]).output().unwrap();
    let (_, shapes) = json(&output);
    let is_of = |name: &str| {
        let words: Vec<&str> = name.split(' ').collect();
        arguments
            .iter()
            .position(|word| *word == words[0])
            .is_some_and(|at| arguments[at..].starts_with(&words))
    };
    let failed = value.get("error").is_some();
    let names = shapes.as_object().unwrap().keys();
    let named = match failed {
        true => "any command that fails",
        false => names
            .filter(|name| is_of(name))
            .max_by_key(|name| name.len())
            .unwrap_or_else(|| unreachable!("{arguments:?} is not documented")),
    };
    let fits = tsunagi::cli::shapes::fits::fits(&shapes[named], value);
    assert_eq!(fits, Ok(()), "{arguments:?}: {value:#}");
}

#[test]
fn every_command_ends_with_its_documented_code_and_one_json_value() {
    let folder = folder(CONFIG);
    let at = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    at(
        "good.json",
        r#"{ "credentials": {
            "next-engine-client-id": "a", "next-engine-client-secret": "b", "smaregi-contract-id": "c",
            "smaregi-client-id": "d", "smaregi-client-secret": "e"
        } }"#,
    );
    at("bad.json", r#"{ "pace": { "smaregi-parallel": 99 } }"#);
    at("mistyped.json", r#"{ "paces": {} }"#);
    at("no.json", "{");
    for (arguments, code) in [
        (&["settings", "get"][..], 0),
        (&["settings", "put", "good.json"], 0),
        (&["settings", "check", "bad.json"], 3),
        (&["settings", "put", "bad.json"], 3),
        (&["settings", "put", "mistyped.json"], 3),
        (&["settings", "put", "no.json"], 3),
        (&["settings", "put", "missing.json"], 2),
        (&["settings", "hosts"], 0),
        (&["settings", "form"], 0),
        (&["status"], 0),
        (&["why", "1001"], 3),
        (&["import", "--record", "calls"], 0),
        (&["replay", "calls"], 0),
        (&["replay", "good.json"], 3),
        (&["replay", "missing.json"], 2),
        (&["connect"], 0),
        (&["connect", "--on"], 4),
        (&["operator"], 0),
        (&["operator", "--tenant", "myshop"], 0),
        (&["operator", "--tenant", "other"], 2),
        (&["operator", "--account", "nobody"], 2),
        (&["history", "sent"], 0),
        (&["calls"], 0),
        (&["call", "connection.get-status"], 0),
        (
            &["call", "connection.switch-on", r#"{"backlog":"leave"}"#],
            4,
        ),
        (&["call", "connection.switch-on", "{}"], 3),
        (&["call", "connection.switch-on", "{"], 3),
        (&["call", "connection.no-such"], 1),
        (&["--tenant", "other", "status"], 2),
        (&["--config", "missing.toml", "status"], 2),
        (&["no-such-command"], 2),
        (&["shapes", "tenants"], 0),
        (&["shapes", "no-such"], 2),
        (&["completions", "bash"], 0),
        (&["man", "--out", "man"], 0),
        (&["backup", "--out", "copy"], 0),
        (&["restore", "copy", "--replace"], 0),
        (&["tenants", "export", "myshop", "--out", "rows"], 0),
        (&["conformance", "--out", "kit.wasm"], 0),
        (&["component"], 0),
        (&["component", "--out", "out.wasm"], 0),
        (&["--component", "out.wasm", "component", "--wit"], 0),
        (&["--component", "good.json", "component"], 1),
        (&["--component", "missing.wasm", "component"], 2),
    ] {
        let output = tsunagi(folder.path(), arguments)
            .arg("--json")
            .output()
            .unwrap();
        let (found, value) = json(&output);
        assert_eq!(found, code, "{arguments:?}: {value}");
        is_documented(folder.path(), arguments, &value);
        let failed = value.get("error").is_some();
        assert_eq!(
            failed,
            code != 0 && arguments != ["settings", "check", "bad.json"],
            "{arguments:?}: {value}"
        );
        if failed {
            assert_eq!(value["exit-code"], code, "{arguments:?}");
        }
    }
    let compiled = folder.path().join("tsunagi.sqlite.compiled");
    assert!(compiled.is_dir(), "compiled code is kept beside the store");
}

#[test]
fn a_mistake_in_the_configurations_settings_is_named_by_key_and_line() {
    let wrong = format!(
        "{CONFIG}[tenants.myshop.settings.pace]\nsmaregi-parallel = 99\nimport-minutes = 15\n"
    );
    let folder = folder(&wrong);
    let output = tsunagi(folder.path(), &["serve"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("tsunagi.toml:8: tenants.myshop.settings.pace.smaregi-parallel:"),
        "{told}"
    );
    let mistyped = folder.path().join("tsunagi.toml");
    std::fs::write(
        mistyped,
        format!("{CONFIG}[tenants.myshop.settings.pace]\nimport-minute = 15\n"),
    )
    .unwrap();
    let output = tsunagi(folder.path(), &["serve"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("tsunagi.toml:8: tenants.myshop.settings.pace.import-minute:"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn sigterm_ends_the_server_like_ctrl_c() {
    let folder = folder(CONFIG);
    let (mut serving, address) = serve(folder.path());
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok"), "{answer}");
    let id = serving.id().to_string();
    Command::new("kill").args(["-TERM", &id]).status().unwrap();
    let begun = Instant::now();
    let code = loop {
        if let Some(ended) = serving.try_wait().unwrap() {
            break ended.code();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "still running");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(code, Some(0));
}

/// What is said of a command that is used wrongly: each ends with what to do next.
#[test]
fn a_wrong_use_says_what_to_do_next() {
    let folder = folder(CONFIG);
    std::fs::write(folder.path().join("empty.toml"), "").unwrap();
    for (arguments, next) in [
        (
            &["--tenant", "other", "status"][..],
            "tsunagi tenants add other",
        ),
        (&["--config", "empty.toml", "status"], "tsunagi tenants add"),
        (
            &["--config", "missing.toml", "status"],
            "tsunagi serve --help",
        ),
        (&["operator", "--account", "nobody"], "without --account"),
        (&["tenants", "add", "My Shop"], "lower-case letters"),
        (&["tenants", "add", "myshop"], "choose another name"),
        (
            &["tenants", "add", "ume", "--with-kept-data"],
            "without --with-kept-data",
        ),
        (
            &["tenants", "remove", "myshop", "--keep-data"],
            "remove [tenants.<name>]",
        ),
        (
            &["tenants", "remove", "nobody", "--keep-data"],
            "`tsunagi tenants` lists",
        ),
        (&["tenants", "remove", "nobody"], "--keep-data"),
        (
            &["tenants", "export", "nobody", "--out", "x"],
            "tsunagi tenants",
        ),
        (&["backup", "--out", "."], "not there yet"),
        (&["restore", "missing"], "--replace"),
        (&["restore", "missing", "--replace"], "choose another"),
        (&["settings", "put", "missing.json"], "tsunagi settings get"),
        (&["call", "connection.no-such"], "tsunagi component --wit"),
        (
            &["call", "connection.get-status", "{"],
            "give one JSON object",
        ),
        (&["connect", "--on"], "tsunagi settings put"),
        (&["why", "1001"], "tsunagi preview"),
        (
            &["--component", "missing.wasm", "component"],
            "without --component",
        ),
        (&["serv"], "'serve'"),
    ] {
        let output = tsunagi(folder.path(), arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(
            told.contains(next),
            "{arguments:?} should tell {next:?}: {told}"
        );
    }
}

#[test]
fn shops_come_and_go_while_the_server_runs() {
    let folder = folder(CONFIG);
    let run = |arguments: &[&str]| {
        let output = tsunagi(folder.path(), arguments).arg("--json").output();
        let (code, value) = json(&output.unwrap());
        is_documented(folder.path(), arguments, &value);
        (code, value)
    };
    let (code, added) = run(&["tenants", "add", "ume"]);
    assert_eq!(code, 0, "{added}");
    assert!(
        added["webhook-address"]
            .as_str()
            .unwrap()
            .ends_with("/t/ume/webhook/smaregi")
    );
    let (mut serving, address) = serve(folder.path());
    let status = |shop: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = "host: a\r\nauthorization: Bearer token\r\nconnection: close";
        write!(
            stream,
            "GET /api/t/{shop}/connection/get-status HTTP/1.1\r\n{head}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let becomes = |shop: &str, wanted: &str| {
        let begun = Instant::now();
        while status(shop) != wanted {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{shop} never gave {wanted}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    becomes("ume", "200");
    assert_eq!(run(&["tenants", "add", "take"]).0, 0);
    becomes("take", "200");
    let (_, list) = run(&["tenants", "list"]);
    let names: Vec<&str> = list["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shop| shop["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["myshop", "take", "ume"]);
    assert_eq!(list["tenants"][0]["origin"], "file");
    let (code, removed) = run(&["tenants", "remove", "ume", "--keep-data", "--yes"]);
    assert_eq!(
        (code, &removed["gone"]),
        (0, &Value::Bool(true)),
        "{removed}"
    );
    becomes("ume", "404");
    serving.kill().unwrap();
    serving.wait().unwrap();
    // Without a server the command does it by itself.
    let (code, removed) = run(&["tenants", "remove", "take", "--delete-data", "--yes"]);
    assert_eq!(
        (code, &removed["gone"]),
        (0, &Value::Bool(true)),
        "{removed}"
    );
    let (_, list) = run(&["tenants", "list", "--search", "take"]);
    assert_eq!(
        list,
        serde_json::json!({ "tenants": [], "leaving": [], "kept": ["ume"] })
    );
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_command_without_a_word() {
    let folder = folder(CONFIG);
    for arguments in [
        &["completions", "bash"][..],
        &["component", "--wit"],
        &["man", "--out", "man"],
        &["status", "--json"],
    ] {
        let mut command = tsunagi(folder.path(), arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().unwrap();
        drop(running.stdout.take());
        let output = running.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), &*told),
            (Some(141), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    let folder = folder(CONFIG);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = tsunagi(folder.path(), &["completions", shell])
            .output()
            .unwrap();
        let script = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && script.contains("tenants"),
            "{shell}"
        );
    }
    let output = tsunagi(folder.path(), &["man", "--out", "man"])
        .output()
        .unwrap();
    let pages = String::from_utf8_lossy(&output.stdout);
    for page in ["tsunagi.1", "tsunagi-serve.1", "tsunagi-tenants-remove.1"] {
        assert!(pages.lines().any(|line| line == page), "{pages}");
        let text = std::fs::read_to_string(folder.path().join("man").join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{text}");
    }
}
