//! The operator's one TOML file, validated whole before anything starts: every problem at once, each with its key and line. Knows
//! no setting of a shop: those are the component's, and `tenants.<name>.settings` is handed to it as it stands.

mod lines;
mod notices;
mod secret;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::Deserialize;

use crate::runtime::is_loopback;
use lines::{line_at, line_of};
pub use notices::{Encryption, NoticesConfig, Smtp};

/// A problem of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, as `tenants.myshop.webhook-secret`; empty when the file as a whole is meant.
    pub key: String,
    /// Its line, from 1; 0 when there is none.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

/// All problems of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub PathBuf, pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.1.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{end}{}", self.0.display())?;
            if problem.line > 0 {
                write!(formatter, ":{}", problem.line)?;
            }
            let separator = if problem.key.is_empty() { "" } else { ": " };
            write!(formatter, "{separator}{}: {}", problem.key, problem.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The configuration, complete.
#[derive(Debug)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where browsers and Smaregi reach it.
    pub public_url: String,
    /// For the JSON API; without one it is closed.
    pub api_token: Option<SecretString>,
    /// The SQLite file.
    pub store: PathBuf,
    /// How calls are made.
    pub runtime: RuntimeKeys,
    /// How notices leave.
    pub notices: NoticesConfig,
    /// Shops by name.
    pub tenants: BTreeMap<String, TenantConfig>,
    /// Where it was read from, and its text, to name lines of what is found later.
    source: Source,
}

/// Not shown: the text can hold secrets.
struct Source {
    path: PathBuf,
    text: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())
    }
}

/// A shop's part.
pub struct TenantConfig {
    /// What its webhooks carry.
    pub webhook_secret: SecretString,
    /// Hosts beyond those its settings need.
    pub allowed_hosts: Vec<String>,
    /// Settings to be put when the server starts, laid over what is stored; `None` leaves that alone.
    pub settings: Option<serde_json::Value>,
}

/// Without the settings, which can hold client secrets.
impl fmt::Debug for TenantConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TenantConfig")
            .field("allowed_hosts", &self.allowed_hosts)
            .finish_non_exhaustive()
    }
}

/// `[runtime]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RuntimeKeys {
    /// Another component than the embedded one.
    pub component: Option<PathBuf>,
    /// The folder where compiled code is kept; beside the store when left out.
    pub cache: Option<PathBuf>,
    /// Megabytes of memory that one call may use, 64 to 4096.
    pub memory_megabytes: Option<usize>,
    /// Seconds that one call may take, 120 to 86400: a round of the schedule alone may take 60 and a slow answer.
    pub call_seconds: Option<u64>,
    /// Calls at the same time, 2 to 1000: half of them are for long work.
    pub calls: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    server: Server,
    #[serde(default)]
    store: Store,
    #[serde(default)]
    runtime: RuntimeKeys,
    #[serde(default)]
    notices: notices::Section,
    #[serde(default)]
    tenants: BTreeMap<String, Tenant>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Server {
    listen: Option<String>,
    public_url: Option<String>,
    allow_http: bool,
    api_token: Option<String>,
    api_token_env: Option<String>,
    api_token_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Store {
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Tenant {
    webhook_secret: Option<String>,
    webhook_secret_env: Option<String>,
    webhook_secret_file: Option<PathBuf>,
    #[serde(default)]
    allowed_hosts: Vec<String>,
    settings: Option<toml::Table>,
}

/// Collects problems with their lines.
struct Reader<'a> {
    text: &'a str,
    found: Vec<Problem>,
}

impl Reader<'_> {
    fn add(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.found.push(problem(self.text, key.into(), what.into()));
    }
}

fn problem(text: &str, key: String, what: String) -> Problem {
    Problem {
        line: line_of(text, &key),
        key,
        what,
    }
}

impl Config {
    /// Reads and checks a file; secrets come from it, from other files or from the environment.
    ///
    /// # Errors
    /// All problems.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let what = format!("cannot be read ({error}); `tsunagi serve --help` shows one");
            Problems(
                path.to_owned(),
                vec![Problem {
                    key: String::new(),
                    line: 0,
                    what,
                }],
            )
        })?;
        let mut config = Self::parse(&text).map_err(|found| Problems(path.to_owned(), found))?;
        path.clone_into(&mut config.source.path);
        Ok(config)
    }

    /// Problems that were found later, by their keys.
    pub fn problems(&self, found: impl IntoIterator<Item = (String, String)>) -> Problems {
        let Source { path, text } = &self.source;
        let found = found
            .into_iter()
            .map(|(key, what)| problem(text, key, what));
        Problems(path.clone(), found.collect())
    }

    /// The same for a text.
    ///
    /// # Errors
    /// All problems.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let file: File = toml::from_str(text).map_err(|error| {
            // toml's own message names the key; its excerpt of the file, which could hold a secret, is left out.
            vec![Problem {
                key: String::new(),
                line: error.span().map_or(0, |span| line_at(text, span.start)),
                what: error.message().trim().to_owned(),
            }]
        })?;
        let mut reader = Reader {
            text,
            found: Vec::new(),
        };
        let server = &file.server;
        let listen = listen(&mut reader, server.listen.as_deref());
        let public_url = public_url(&mut reader, server, listen);
        let api_token = secret::Given {
            key: "server.api-token",
            here: server.api_token.as_deref(),
            env: server.api_token_env.as_deref(),
            file: server.api_token_file.as_deref(),
        }
        .read(&mut reader);
        runtime(&mut reader, &file.runtime);
        let notices = notices::read(&mut reader, file.notices);
        let tenants = file.tenants.into_iter().map(|(name, tenant)| {
            let config = tenant_config(&mut reader, &name, tenant);
            (name, config)
        });
        let tenants = tenants.collect();
        if !reader.found.is_empty() {
            return Err(reader.found);
        }
        let store = file.store.path;
        Ok(Self {
            listen,
            public_url,
            api_token,
            store: store.unwrap_or_else(|| PathBuf::from("tsunagi.sqlite")),
            runtime: file.runtime,
            notices,
            tenants,
            source: Source {
                path: PathBuf::new(),
                text: text.to_owned(),
            },
        })
    }
}

fn listen(reader: &mut Reader<'_>, given: Option<&str>) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], 8080));
    let Some(given) = given else { return default };
    given.parse().unwrap_or_else(|_| {
        let what = "is no address with a port, such as 127.0.0.1:8080";
        reader.add("server.listen", what);
        default
    })
}

fn public_url(reader: &mut Reader<'_>, server: &Server, listen: SocketAddr) -> String {
    let Some(url) = &server.public_url else {
        return format!("http://{listen}");
    };
    if place(url).is_none() {
        let what = "is no address such as https://tsunagi.example.jp, without a slash at its end";
        reader.add("server.public-url", what);
    } else if url.starts_with("http://") && !is_loopback(url) && !server.allow_http {
        let what = "is not https: logins and webhooks would travel in the clear. Use https, or set allow-http = true \
                    where a proxy of your own adds it";
        reader.add("server.public-url", what);
    }
    url.clone()
}

/// Whether a text is a place such as `https://api.example.jp`.
pub(crate) fn is_place(text: &str) -> bool {
    place(text).is_some()
}

/// `scheme://host` or `scheme://host:port`, and nothing else.
fn place(text: &str) -> Option<http::Uri> {
    let uri = text.parse::<http::Uri>().ok()?;
    let scheme = uri.scheme_str()?;
    let bare = format!("{scheme}://{}", uri.authority()?);
    (["http", "https"].contains(&scheme) && bare.eq_ignore_ascii_case(text)).then_some(uri)
}

fn runtime(reader: &mut Reader<'_>, keys: &RuntimeKeys) {
    let number = |given: Option<usize>| given.and_then(|given| u64::try_from(given).ok());
    let limits = [
        (
            "memory-megabytes",
            number(keys.memory_megabytes),
            64..=4_096,
        ),
        ("call-seconds", keys.call_seconds, 120..=86_400),
        ("calls", keys.calls.map(u64::from), 2..=1_000),
    ];
    for (name, given, range) in limits {
        if given.is_some_and(|given| !range.contains(&given)) {
            let what = format!("has to be from {} to {}", range.start(), range.end());
            reader.add(format!("runtime.{name}"), what);
        }
    }
}

fn tenant_config(reader: &mut Reader<'_>, name: &str, tenant: Tenant) -> TenantConfig {
    let key = |field: &str| format!("tenants.{name}.{field}");
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.is_empty() || !name.chars().all(plain) {
        let what = "is no name: use lower-case letters, digits and hyphens";
        reader.add(format!("tenants.{name}"), what);
    }
    let before = reader.found.len();
    let webhook_secret = secret::Given {
        key: &key("webhook-secret"),
        here: tenant.webhook_secret.as_deref(),
        env: tenant.webhook_secret_env.as_deref(),
        file: tenant.webhook_secret_file.as_deref(),
    }
    .read(reader);
    if webhook_secret.is_none() && reader.found.len() == before {
        let what = "is missing: give it here, or as webhook-secret-env or webhook-secret-file";
        reader.add(key("webhook-secret"), what);
    }
    for (at, host) in tenant.allowed_hosts.iter().enumerate() {
        if place(host).is_none() {
            let what = "is no place such as https://api.example.jp";
            reader.add(key(&format!("allowed-hosts[{at}]")), what);
        }
    }
    let settings = tenant.settings.map(|mut settings| {
        secret::resolve_credentials(reader, name, &mut settings);
        serde_json::to_value(settings).unwrap_or_default()
    });
    TenantConfig {
        webhook_secret: webhook_secret.unwrap_or_default(),
        allowed_hosts: tenant.allowed_hosts,
        settings,
    }
}
