//! Who of a shop gets which notices, and how: checked when it is typed, kept in the host's own rows. The webhook's address opens somebody's
//! channel, so it is a secret: never shown, logged or exported.

use std::collections::BTreeSet;

use lettre::Address;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{causes::Cause, webhook};
use crate::{cli::words::Language, random::hexadecimal};

/// E-mail addresses of one shop at most.
pub const MOST_ADDRESSES: usize = 10;

/// A shop's settings for notices.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// In which language: `ja` or `en`.
    pub language: String,
    /// Who gets e-mail.
    pub addresses: Vec<String>,
    /// Where a webhook goes. By its name an export leaves it out.
    pub webhook_secret_url: Option<String>,
    /// What is told.
    pub causes: BTreeSet<Cause>,
    /// Which causes there were to choose from when they were chosen.
    #[serde(default)]
    pub version: u32,
}

/// Of the causes that there are now.
const VERSION: u32 = 1;

/// Nobody is told until somebody says who; then of everything.
impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::Ja.code().to_owned(),
            addresses: Vec::new(),
            webhook_secret_url: None,
            causes: Cause::ALL.into_iter().collect(),
            version: VERSION,
        }
    }
}

/// A place of delivery.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// An e-mail address.
    Mail(String),
    /// A webhook's address.
    Webhook(String),
}

impl Place {
    /// Its name in the ledger, which a secret address cannot be read from.
    pub fn key(&self) -> String {
        match self {
            Self::Mail(address) => format!("mail:{address}"),
            Self::Webhook(url) => {
                let digest = hexadecimal(&Sha256::digest(url.as_bytes()));
                format!("webhook:{}", digest.get(..16).unwrap_or_default())
            }
        }
    }

    /// For people: the address, or of a webhook only the host.
    pub fn shown(&self) -> String {
        match self {
            Self::Mail(address) => address.clone(),
            Self::Webhook(url) => webhook::shown(url),
        }
    }
}

/// What is wrong with what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// This is no e-mail address.
    Address(String),
    /// There are too many.
    TooMany,
    /// This webhook address cannot be used: why.
    Webhook(webhook::Unfit),
}

impl Settings {
    /// With the causes that came later: what needs a person was told among orders refused and stock held before.
    pub fn upgraded(mut self) -> Self {
        let before = [Cause::RefusedOrders, Cause::StockHeld];
        if self.version < 1 && before.iter().any(|cause| self.causes.contains(cause)) {
            self.causes.insert(Cause::NeedsPerson);
        }
        self.version = VERSION;
        self
    }

    /// Where notices go.
    pub fn places(&self) -> Vec<Place> {
        let mail = self.addresses.iter().cloned().map(Place::Mail);
        let webhook = self.webhook_secret_url.iter().cloned();
        mail.chain(webhook.map(Place::Webhook)).collect()
    }

    /// The reader's language.
    pub fn language(&self) -> Language {
        match self.language.as_str() {
            "en" => Language::En,
            _ => Language::Ja,
        }
    }

    /// Everything that is wrong with it.
    pub fn problems(&self, hook: &webhook::Hook) -> Vec<Problem> {
        let mut found = Vec::new();
        for address in &self.addresses {
            if address.parse::<Address>().is_err() {
                found.push(Problem::Address(address.clone()));
            }
        }
        if self.addresses.len() > MOST_ADDRESSES {
            found.push(Problem::TooMany);
        }
        let url = self.webhook_secret_url.as_deref();
        if let Some(Err(unfit)) = url.map(|url| hook.checked(url)) {
            found.push(Problem::Webhook(unfit));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_wrong_is_told_one_by_one() {
        let settings = Settings {
            addresses: vec![
                "taro@example.jp".to_owned(),
                "taro".to_owned(),
                "a@b\r\nBcc: all@example.jp".to_owned(),
            ],
            webhook_secret_url: Some("ftp://example.jp".to_owned()),
            ..Settings::default()
        };
        let found = settings.problems(&webhook::Hook::new([]));
        assert_eq!(
            found,
            [
                Problem::Address("taro".to_owned()),
                Problem::Address("a@b\r\nBcc: all@example.jp".to_owned()),
                Problem::Webhook(webhook::Unfit::Address),
            ]
        );
    }

    #[test]
    fn whoever_was_told_before_is_told_now_and_nobody_else() {
        for (chosen, told) in [
            ("refused-orders", true),
            ("stock-held", true),
            ("login-needed", false),
        ] {
            let stored = serde_json::json!({
                "language": "ja", "addresses": [], "webhook_secret_url": null, "causes": [chosen],
            });
            let settings: Settings = serde_json::from_value(stored).unwrap();
            let settings = settings.upgraded();
            assert_eq!(
                settings.causes.contains(&Cause::NeedsPerson),
                told,
                "{chosen}"
            );
            let mut without = settings.clone();
            without.causes.remove(&Cause::NeedsPerson);
            assert!(
                !without.upgraded().causes.contains(&Cause::NeedsPerson),
                "chosen since"
            );
        }
    }

    #[test]
    fn a_webhooks_place_tells_its_host_and_nothing_more() {
        let place = Place::Webhook("https://hooks.example.jp/services/T0/secret".to_owned());
        assert_eq!(place.shown(), "https://hooks.example.jp");
        assert!(!place.key().contains("secret"));
    }
}
