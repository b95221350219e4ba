//! `tsunagi` as processes: starts them in one folder on one store, asks their server, ends them. Knows nothing of orders or stock.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub const API_TOKEN: &str = "kills-api-token";
pub const WEBHOOK_SECRET: &str = "kills-webhook-secret";
/// A start or an end that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with configurations, one for each server that may run on its one store.
pub struct Place {
    folder: tempfile::TempDir,
    ahead: File,
    store: PathBuf,
    /// Where each server listens.
    pub ports: [u16; 2],
}

impl Place {
    pub fn new() -> Self {
        Self::with_store(Path::new("tsunagi.sqlite"))
    }

    /// With its store elsewhere, the compiled code beside the configuration all the same.
    pub fn with_store(store: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = folder.path().join("ahead.c");
        std::fs::write(&shim, include_str!("ahead.c")).unwrap();
        let mut compiler = Command::new("cc");
        compiler.current_dir(&folder);
        compiler.args(["-O1", "-shared", "-fPIC", "-o", "ahead.so", "ahead.c"]);
        assert!(compiler.status().unwrap().success());
        let ahead = folder.path().join("ahead");
        std::fs::write(&ahead, 0_i64.to_ne_bytes()).unwrap();
        let ahead = File::options().write(true).open(ahead).unwrap();
        // Both held at once, so that they differ.
        let free = [0, 0].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let folder_path = folder.path().to_owned();
        let place = Self {
            folder,
            ahead,
            ports: free.map(|port| port.local_addr().unwrap().port()),
            store: folder_path.join(store),
        };
        place.configure();
        place
    }

    fn configure(&self) {
        for (at, port) in self.ports.iter().enumerate() {
            let (first, store) = (self.ports[0], self.store.display());
            let text = format!(
                "[server]\nlisten = \"127.0.0.1:{port}\"\npublic-url = \"http://127.0.0.1:{first}\"\napi-token = \"{API_TOKEN}\"\n\
                 [store]\npath = \"{store}\"\n[runtime]\ncache = \"tsunagi.sqlite.compiled\"\n[tenants.shop]\nwebhook-secret = \"{WEBHOOK_SECRET}\"\n"
            );
            std::fs::write(self.path(&format!("{at}.toml")), text).unwrap();
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the store lies.
    pub fn store(&self) -> PathBuf {
        self.store.clone()
    }

    /// Puts the clock of every process ahead of the machine's by so much.
    pub fn put_ahead(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap();
        self.ahead.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    pub fn command(&self, at: usize, arguments: &[&str]) -> Command {
        // Another build can be given, e.g. what is installed.
        let given = std::env::var_os("TSUNAGI_PROGRAM");
        let program = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_tsunagi").into());
        let mut command = Command::new(program);
        command.current_dir(&self.folder).args(arguments);
        command
            .arg("--json")
            .env("TSUNAGI_CONFIG", self.path(&format!("{at}.toml")))
            .env("LD_PRELOAD", self.path("ahead.so"))
            .env("AHEAD_FILE", self.path("ahead"));
        command
    }

    /// Runs a command to its end: its exit code and its one JSON value.
    pub fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.command(0, arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let value = serde_json::from_str(&text).unwrap_or_else(|error| {
            unreachable!(
                "{error}: {text} {}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        (output.status.code().unwrap(), value)
    }

    /// Starts a server.
    pub fn serve(&self, at: usize) -> Server {
        self.serve_by(self.command(at, &["serve"]))
    }

    pub fn serve_by(&self, mut command: Command) -> Server {
        let mut log = File::options();
        let log = log.append(true).create(true).open(self.path("log"));
        command.stdout(Stdio::piped()).stderr(log.unwrap());
        let mut child = command.spawn().unwrap();
        let (heard, listens) = mpsc::channel();
        let out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if line.contains("listening") {
                    let _ = heard.send(());
                }
            }
        });
        Server {
            child,
            listens,
            begun: Instant::now(),
            listening: false,
        }
    }

    /// What the servers said on their error streams.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Keeps the folder for a look afterwards: where it is.
    pub fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    /// What SQLite finds wrong with the store; `ok` when nothing.
    pub fn integrity(&self) -> String {
        let store = rusqlite::Connection::open(self.store()).unwrap();
        store
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap()
    }

    /// Writes a file for a command to read.
    pub fn write(&self, name: &str, value: &Value) {
        let mut file = File::create(self.path(name)).unwrap();
        write!(file, "{value}").unwrap();
    }
}

/// A running server.
pub struct Server {
    child: Child,
    listens: mpsc::Receiver<()>,
    begun: Instant,
    listening: bool,
}

impl Server {
    /// Whether it said that it listens.
    pub fn listens(&mut self) -> bool {
        self.listening |= self.listens.try_recv().is_ok();
        self.listening
    }

    /// Waits until it listens: how long that took.
    pub async fn up(&mut self) -> Duration {
        while !self.listens() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended by itself: {ended:?}");
            assert!(self.begun.elapsed() < PATIENCE, "the server does not start");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.begun.elapsed()
    }

    /// Whether it runs; it must not end by itself.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        assert!(self.runs(), "the server ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn ask_to_end(&self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.unwrap().success());
    }

    /// SIGTERM, and its end. It may take as long as Next Engine and Smaregi may.
    pub async fn end(mut self) {
        self.ask_to_end();
        let begun = Instant::now();
        while self.runs() {
            assert!(
                begun.elapsed() < PATIENCE,
                "SIGTERM does not end the server"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // One that was asked before it listened has its own way of ending.
        let code = self.child.wait().unwrap().code();
        assert_eq!(code, Some(0), "SIGTERM is an orderly end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One HTTP request: status and body; `None` when no whole answer came.
pub async fn post(
    port: u16,
    path: &str,
    headers: &[(String, String)],
    body: &str,
) -> Option<(u16, String)> {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let length = body.len();
        let text = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(text.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        // A connection that broke after the answer has told all the same.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    };
    tokio::time::timeout(PATIENCE, asked).await.ok()?
}

/// Calls a function of the contract through the JSON API.
pub async fn call(port: u16, function: &str, arguments: &Value) -> Option<(u16, Value)> {
    let token = ("authorization".to_owned(), format!("Bearer {API_TOKEN}"));
    let path = format!("/api/t/shop/{}", function.replace('.', "/"));
    let (status, body) = post(port, &path, &[token], &arguments.to_string()).await?;
    Some((status, serde_json::from_str(&body).unwrap_or_default()))
}
