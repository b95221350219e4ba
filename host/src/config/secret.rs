//! Secrets of the configuration: in the file, in another file, or in the environment. Never shown, not even in a problem.

use std::path::Path;

use secrecy::SecretString;
use toml::{Table, Value};

use super::Reader;

/// An empty secret would be one that everybody knows.
const EMPTY: &str = "is empty";

/// The three ways to give one secret; at most one may be used.
pub struct Given<'a> {
    pub key: &'a str,
    pub here: Option<&'a str>,
    pub env: Option<&'a str>,
    pub file: Option<&'a Path>,
}

impl Given<'_> {
    /// The secret; `None` when it is not given, or not to be had, which is a problem then.
    pub fn read(&self, reader: &mut Reader<'_>) -> Option<SecretString> {
        let ways = [
            (self.here.is_some(), ""),
            (self.env.is_some(), "-env"),
            (self.file.is_some(), "-file"),
        ];
        let mut used = ways.into_iter().filter(|(used, _)| *used).skip(1);
        if let Some((_, way)) = used.next() {
            reader.add(
                format!("{}{way}", self.key),
                "is given in more than one way",
            );
            return None;
        }
        let read = match (self.env, self.file) {
            (Some(name), _) => from_env(name).map_err(|what| ("-env", what)),
            (None, Some(path)) => from_file(path).map_err(|what| ("-file", what)),
            (None, None) => match self.here? {
                "" => Err(("", EMPTY.to_owned())),
                secret => Ok(secret.to_owned()),
            },
        };
        read.map_err(|(way, what)| reader.add(format!("{}{way}", self.key), what))
            .ok()
            .map(SecretString::from)
    }
}

fn from_env(name: &str) -> Result<String, String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or_else(|| format!("the environment has no {name}"))
}

fn from_file(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read ({error})", path.display()))?;
    let text = text.trim_end();
    if text.is_empty() {
        return Err(format!("{} {EMPTY}", path.display()));
    }
    Ok(text.to_owned())
}

/// Puts the client secrets of a shop's settings in the place of their `…-env` and `…-file` keys.
pub fn resolve_credentials(reader: &mut Reader<'_>, tenant: &str, settings: &mut Table) {
    let Some(Value::Table(credentials)) = settings.get_mut("credentials") else {
        return;
    };
    for name in ["next-engine-client-secret", "smaregi-client-secret"] {
        let key = |way: &str| format!("tenants.{tenant}.settings.credentials.{name}{way}");
        let ways = ["", "-env", "-file"];
        let mut used = ways
            .iter()
            .filter(|way| credentials.contains_key(&format!("{name}{way}")))
            .skip(1);
        if let Some(way) = used.next() {
            reader.add(key(way), "is given in more than one way");
        }
        let env = take(credentials, &format!("{name}-env"))
            .map(|variable| from_env(&variable).map_err(|what| (key("-env"), what)));
        let file = take(credentials, &format!("{name}-file"))
            .map(|path| from_file(path.as_ref()).map_err(|what| (key("-file"), what)));
        match env.or(file) {
            None => {}
            Some(Ok(secret)) => {
                credentials.insert(name.to_owned(), Value::String(secret));
            }
            Some(Err((key, what))) => reader.add(key, what),
        }
    }
}

fn take(table: &mut Table, key: &str) -> Option<String> {
    // Anything but text stays, and is refused with the settings as a key they do not have.
    let text = table.get(key)?.as_str()?.to_owned();
    table.remove(key);
    Some(text)
}
