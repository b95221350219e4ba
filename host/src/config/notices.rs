//! `[notices]`: the mail server that notices leave by, and places beside the public internet that a shop's webhook may name.

use std::path::PathBuf;

use lettre::message::Mailbox;
use secrecy::SecretString;
use serde::Deserialize;

use super::{Reader, place, secret};
use crate::runtime::is_loopback;

/// How notices leave.
#[derive(Debug, Default)]
pub struct NoticesConfig {
    /// Without one no notice goes by e-mail.
    pub smtp: Option<Smtp>,
    /// As `http://10.0.0.5:8065`.
    pub allowed_hosts: Vec<String>,
}

/// A mail server.
#[derive(Debug)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private.
    pub encryption: Encryption,
    /// Whom notices come from.
    pub from: Mailbox,
    /// User and password; without them nobody logs in.
    pub login: Option<(String, SecretString)>,
}

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// It begins in the clear and must change to TLS; port 587.
    Starttls,
    /// TLS from the first byte; port 465.
    Tls,
    /// In the clear: to this machine only; port 25.
    None,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Section {
    smtp: Option<SmtpSection>,
    allowed_hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SmtpSection {
    host: String,
    port: Option<u16>,
    encryption: Option<Encryption>,
    from: String,
    user: Option<String>,
    password: Option<String>,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
}

pub fn read(reader: &mut Reader<'_>, section: Section) -> NoticesConfig {
    for (at, host) in section.allowed_hosts.iter().enumerate() {
        if place(host).is_none() {
            let what = "is no place such as http://10.0.0.5:8065";
            reader.add(format!("notices.allowed-hosts[{at}]"), what);
        }
    }
    NoticesConfig {
        smtp: section.smtp.and_then(|section| smtp(reader, section)),
        allowed_hosts: section.allowed_hosts,
    }
}

fn smtp(reader: &mut Reader<'_>, section: SmtpSection) -> Option<Smtp> {
    let encryption = section.encryption.unwrap_or(Encryption::Starttls);
    let usual = match encryption {
        Encryption::Starttls => 587,
        Encryption::Tls => 465,
        Encryption::None => 25,
    };
    if encryption == Encryption::None && !is_loopback(&format!("http://{}", section.host)) {
        let what =
            "leaves mail and password in the clear; use starttls or tls for a server elsewhere";
        reader.add("notices.smtp.encryption", what);
    }
    let before = reader.found.len();
    let password = secret::Given {
        key: "notices.smtp.password",
        here: section.password.as_deref(),
        env: section.password_env.as_deref(),
        file: section.password_file.as_deref(),
    }
    .read(reader);
    if reader.found.len() == before && section.user.is_some() != password.is_some() {
        let what = "user and password belong together: give both or neither";
        reader.add("notices.smtp.user", what);
    }
    let from = section.from.parse::<Mailbox>();
    if from.is_err() {
        let what = "is no sender such as Tsunagi <tsunagi@example.jp>";
        reader.add("notices.smtp.from", what);
    }
    Some(Smtp {
        host: section.host,
        port: section.port.unwrap_or(usual),
        encryption,
        from: from.ok()?,
        login: section.user.zip(password),
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::super::Config;
    use super::*;

    #[test]
    fn a_mail_server_is_read_and_its_password_not_shown() {
        let text = "[notices.smtp]\nhost = \"smtp.example.jp\"\nfrom = \"繋ぎ <tsunagi@example.jp>\"\nuser = \"u\"\npassword = \"hush\"\n";
        let config = Config::parse(text).unwrap();
        let smtp = config.notices.smtp.as_ref().unwrap();
        assert_eq!((smtp.port, smtp.encryption), (587, Encryption::Starttls));
        assert_eq!(smtp.from.email.to_string(), "tsunagi@example.jp");
        assert_eq!(smtp.login.as_ref().unwrap().1.expose_secret(), "hush");
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn mail_in_the_clear_half_a_login_and_no_sender_are_told() {
        let text = "[notices]\nallowed-hosts = [\"x\"]\n[notices.smtp]\nhost = \"smtp.example.jp\"\nfrom = \"somebody\"\nuser = \"u\"\nencryption = \"none\"\n";
        let found = Config::parse(text).unwrap_err();
        let found: Vec<(&str, usize)> = found
            .iter()
            .map(|problem| (problem.key.as_str(), problem.line))
            .collect();
        let expected = [
            ("notices.allowed-hosts[0]", 2),
            ("notices.smtp.encryption", 7),
            ("notices.smtp.user", 6),
            ("notices.smtp.from", 5),
        ];
        assert_eq!(found, expected);
    }
}
