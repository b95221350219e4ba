//! Secrets of the configuration: in the file, in another file, or in the environment. Never shown, not even in a problem.

use std::path::PathBuf;

use secrecy::SecretString;
use toml::{Spanned, Table, Value};

use super::Reader;

/// An empty secret would be one that everybody knows.
const EMPTY: &str = "is empty";

/// The three ways to give one secret; at most one may be used.
pub struct Given<'a> {
    pub key: &'a str,
    pub here: Option<&'a Spanned<String>>,
    pub env: Option<&'a Spanned<String>>,
    pub file: Option<&'a Spanned<PathBuf>>,
}

impl Given<'_> {
    /// The secret; `None` when it is not given, or not to be had, which is a problem then.
    pub fn read(&self, reader: &mut Reader<'_>) -> Option<SecretString> {
        let ways = [self.here.is_some(), self.env.is_some(), self.file.is_some()];
        if ways.iter().filter(|used| **used).count() > 1 {
            reader.add(self.key, None, "is given in more than one way");
            return None;
        }
        if let Some(name) = self.env {
            let value = from_env(name.get_ref());
            if value.is_none() {
                let what = format!("the environment has no {}", name.get_ref());
                reader.add(format!("{}-env", self.key), Some(name.span().start), what);
            }
            return value.map(SecretString::from);
        }
        if let Some(path) = self.file {
            let value = from_file(path.get_ref());
            if let Err(error) = &value {
                let what = format!("{} cannot be read ({error})", path.get_ref().display());
                reader.add(format!("{}-file", self.key), Some(path.span().start), what);
            }
            return value.ok().map(SecretString::from);
        }
        let given = self.here?;
        if given.get_ref().is_empty() {
            reader.add(self.key, Some(given.span().start), EMPTY);
            return None;
        }
        Some(SecretString::from(given.get_ref().clone()))
    }
}

fn from_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn from_file(path: &std::path::Path) -> std::io::Result<String> {
    let text = std::fs::read_to_string(path)?.trim_end().to_owned();
    if text.is_empty() {
        return Err(std::io::Error::other(EMPTY));
    }
    Ok(text)
}

/// Puts the client secrets of a shop's settings in the place of their `…-env` and `…-file` keys.
pub fn resolve_credentials(reader: &mut Reader<'_>, tenant: &str, settings: &mut Table) {
    let Some(Value::Table(credentials)) = settings.get_mut("credentials") else {
        return;
    };
    for name in ["next-engine-client-secret", "smaregi-client-secret"] {
        let key = |way: &str| format!("tenants.{tenant}.settings.credentials.{name}-{way}");
        let ways = ["", "-env", "-file"].map(|way| format!("{name}{way}"));
        if ways
            .iter()
            .filter(|way| credentials.contains_key(*way))
            .count()
            > 1
        {
            let key = format!("tenants.{tenant}.settings.credentials.{name}");
            reader.add(key, None, "is given in more than one way");
        }
        let env = take(credentials, &format!("{name}-env")).map(|variable| {
            from_env(&variable)
                .ok_or_else(|| (key("env"), format!("the environment has no {variable}")))
        });
        let file = take(credentials, &format!("{name}-file")).map(|path| {
            from_file(path.as_ref())
                .map_err(|error| (key("file"), format!("{path} cannot be read ({error})")))
        });
        match env.or(file) {
            None => {}
            Some(Ok(secret)) => {
                credentials.insert(name.to_owned(), Value::String(secret));
            }
            Some(Err((key, what))) => reader.add(key, None, what),
        }
    }
}

fn take(table: &mut Table, key: &str) -> Option<String> {
    // Anything but text stays, and is refused with the settings as a key they do not have.
    let text = table.get(key)?.as_str()?.to_owned();
    table.remove(key);
    Some(text)
}
