//! The operator's one TOML file, validated whole before anything starts: every problem at once, each with its key and line. Knows
//! no setting of a shop: those are the component's, and `tenants.<name>.settings` is handed to it as it stands.

mod secret;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::Deserialize;
use toml::Spanned;

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
    /// Shops by name.
    pub tenants: BTreeMap<String, TenantConfig>,
}

/// A shop's part.
#[derive(Debug)]
pub struct TenantConfig {
    /// What its webhooks carry.
    pub webhook_secret: SecretString,
    /// Hosts beyond those its settings need.
    pub allowed_hosts: Vec<String>,
    /// Settings to be put when the server starts, laid over what is stored; `None` leaves that alone.
    pub settings: Option<serde_json::Value>,
}

/// `[runtime]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RuntimeKeys {
    /// Another component than the embedded one.
    pub component: Option<PathBuf>,
    /// Where compiled code is kept.
    pub cache: Option<PathBuf>,
    /// Megabytes of memory that one call may use.
    pub memory_megabytes: Option<usize>,
    /// Seconds that one call may take.
    pub call_seconds: Option<u64>,
    /// Calls at the same time.
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
    tenants: BTreeMap<String, Tenant>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Server {
    listen: Option<Spanned<String>>,
    public_url: Option<Spanned<String>>,
    api_token: Option<Spanned<String>>,
    api_token_env: Option<Spanned<String>>,
    api_token_file: Option<Spanned<PathBuf>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Store {
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Tenant {
    webhook_secret: Option<Spanned<String>>,
    webhook_secret_env: Option<Spanned<String>>,
    webhook_secret_file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    allowed_hosts: Vec<Spanned<String>>,
    settings: Option<toml::Table>,
}

/// Collects problems with their lines.
struct Reader<'a> {
    text: &'a str,
    found: Vec<Problem>,
}

impl Reader<'_> {
    fn add(&mut self, key: impl Into<String>, offset: Option<usize>, what: impl Into<String>) {
        let before = offset.and_then(|offset| self.text.get(..offset));
        let line = before.map_or(0, |text| text.matches('\n').count() + 1);
        self.found.push(Problem {
            key: key.into(),
            line,
            what: what.into(),
        });
    }
}

impl Config {
    /// Reads and checks a file; secrets come from it, from other files or from the environment.
    ///
    /// # Errors
    /// All problems.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let what = format!("cannot be read ({error}); `tsunagi --help` shows how to write one");
            Problems(
                path.to_owned(),
                vec![Problem {
                    key: String::new(),
                    line: 0,
                    what,
                }],
            )
        })?;
        Self::parse(&text).map_err(|found| Problems(path.to_owned(), found))
    }

    /// The same for a text.
    ///
    /// # Errors
    /// All problems.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader {
            text,
            found: Vec::new(),
        };
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                // toml's own message names the key; its excerpt of the file, which could hold a secret, is left out.
                reader.add(
                    "",
                    error.span().map(|span| span.start),
                    error.message().trim().to_owned(),
                );
                return Err(reader.found);
            }
        };
        let listen = listen(&mut reader, file.server.listen.as_ref());
        let public_url = public_url(&mut reader, file.server.public_url.as_ref(), listen);
        let server = &file.server;
        let api_token = secret::Given {
            key: "server.api-token",
            here: server.api_token.as_ref(),
            env: server.api_token_env.as_ref(),
            file: server.api_token_file.as_ref(),
        }
        .read(&mut reader);
        let tenants = file.tenants.into_iter().map(|(name, tenant)| {
            let config = tenant_config(&mut reader, &name, tenant);
            (name, config)
        });
        let tenants = tenants.collect();
        if reader.found.is_empty() {
            let store = file
                .store
                .path
                .unwrap_or_else(|| PathBuf::from("tsunagi.sqlite"));
            Ok(Self {
                listen,
                public_url,
                api_token,
                store,
                runtime: file.runtime,
                tenants,
            })
        } else {
            Err(reader.found)
        }
    }
}

fn listen(reader: &mut Reader<'_>, given: Option<&Spanned<String>>) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], 8080));
    let Some(given) = given else { return default };
    given.get_ref().parse().unwrap_or_else(|_| {
        reader.add(
            "server.listen",
            Some(given.span().start),
            "is no address with a port, such as 127.0.0.1:8080",
        );
        default
    })
}

fn public_url(
    reader: &mut Reader<'_>,
    given: Option<&Spanned<String>>,
    listen: SocketAddr,
) -> String {
    let Some(given) = given else {
        return format!("http://{listen}");
    };
    let url = given.get_ref();
    let parsed = url
        .parse::<http::Uri>()
        .ok()
        .filter(|uri| uri.scheme().is_some() && uri.host().is_some());
    if parsed.is_none() || url.ends_with('/') {
        reader.add(
            "server.public-url",
            Some(given.span().start),
            "is no https address without a slash at its end",
        );
    }
    url.clone()
}

fn tenant_config(reader: &mut Reader<'_>, name: &str, tenant: Tenant) -> TenantConfig {
    let key = |field: &str| format!("tenants.{name}.{field}");
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.is_empty() || !name.chars().all(plain) {
        reader.add(
            format!("tenants.{name}"),
            None,
            "is no name: use lower-case letters, digits and hyphens",
        );
    }
    let webhook_secret = secret::Given {
        key: &key("webhook-secret"),
        here: tenant.webhook_secret.as_ref(),
        env: tenant.webhook_secret_env.as_ref(),
        file: tenant.webhook_secret_file.as_ref(),
    }
    .read(reader);
    if webhook_secret.is_none()
        && !reader
            .found
            .iter()
            .any(|problem| problem.key.starts_with(&key("webhook-secret")))
    {
        reader.add(
            key("webhook-secret"),
            None,
            "is missing: give it here, or as webhook-secret-env or webhook-secret-file",
        );
    }
    for host in &tenant.allowed_hosts {
        if !host.get_ref().starts_with("https://") && !host.get_ref().starts_with("http://") {
            let what = "is no place such as https://api.example.jp";
            reader.add(key("allowed-hosts"), Some(host.span().start), what);
        }
    }
    let settings = tenant.settings.map(|mut settings| {
        secret::resolve_credentials(reader, name, &mut settings);
        serde_json::to_value(settings).unwrap_or_default()
    });
    TenantConfig {
        webhook_secret: webhook_secret.unwrap_or_default(),
        allowed_hosts: tenant
            .allowed_hosts
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        settings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    const WHOLE: &str = r#"
[server]
listen = "127.0.0.1:9000"
public-url = "https://tsunagi.example.jp"

[tenants.myshop]
webhook-secret = "hush"
allowed-hosts = ["http://127.0.0.1:5000"]
[tenants.myshop.settings.endpoints]
smaregi-api = "https://api.smaregi.dev"
"#;

    #[test]
    fn a_whole_file_is_read() {
        let config = Config::parse(WHOLE).unwrap();
        let shop = &config.tenants["myshop"];
        assert_eq!(shop.webhook_secret.expose_secret(), "hush");
        assert_eq!(
            shop.settings.as_ref().unwrap()["endpoints"]["smaregi-api"],
            "https://api.smaregi.dev"
        );
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn every_problem_is_told_with_key_and_line() {
        let text = WHOLE
            .replace("127.0.0.1:9000", "here")
            .replace("https://tsunagi.example.jp", "tsunagi/")
            .replace(
                "webhook-secret = \"hush\"",
                "webhook-secret-env = \"NOT_SET_ANYWHERE\"",
            );
        let found: Vec<(String, usize)> = Config::parse(&text)
            .unwrap_err()
            .into_iter()
            .map(|problem| (problem.key, problem.line))
            .collect();
        let expected = [
            ("server.listen", 3),
            ("server.public-url", 4),
            ("tenants.myshop.webhook-secret-env", 7),
        ];
        assert_eq!(found, expected.map(|(key, line)| (key.to_owned(), line)));
    }

    #[test]
    fn an_empty_secret_is_none() {
        let text = WHOLE.replace("hush", "");
        let found = Config::parse(&text).unwrap_err();
        let expected = ("tenants.myshop.webhook-secret", 7);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].key.as_str(), found[0].line), expected);
    }

    #[test]
    fn a_client_secret_given_twice_is_told() {
        let text = format!(
            "{WHOLE}[tenants.myshop.settings.credentials]\nsmaregi-client-secret = \"hush\"\nsmaregi-client-secret-file = \"/dev/null\"\n"
        );
        let found = Config::parse(&text).unwrap_err();
        assert!(
            found
                .iter()
                .any(|problem| problem.what.contains("more than one way")),
            "{found:?}"
        );
        assert!(!format!("{found:?}").contains("hush"));
    }

    #[test]
    fn a_mistyped_key_is_named_and_no_secret_is_shown() {
        let found = Config::parse("[server]\nlisten = \"127.0.0.1:1\"\napi-tokn = \"hush\"\n")
            .unwrap_err()
            .remove(0);
        assert_eq!(found.line, 3);
        assert!(
            found.what.contains("api-tokn") && !found.what.contains("hush"),
            "{}",
            found.what
        );
    }
}
