//! アプリアクセストークン by client credentials (smaregi.md 1). Neither keeps nor shows a token.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::SCOPES;
use crate::{
    reason::Reason,
    settings::{Credentials, Secret},
    wire::{self, Row, Value},
};

/// Shortest life taken for real; less would mean a request for each call.
const SHORTEST_SECONDS: i64 = 60;
/// Longest one; more is beyond what a clock can add.
const LONGEST_SECONDS: i64 = 31 * 86_400;

/// What the token endpoint answered.
#[derive(Clone)]
pub struct Token {
    /// The bearer token.
    pub access: Secret,
    /// Seconds from now that it lives.
    pub lives: i64,
    /// Scopes it carries; those not ticked in the console are missing.
    pub scopes: Vec<String>,
}

/// Path below the token host.
pub fn path(contract_id: &str) -> String {
    format!("/app/{}/token", super::segment(contract_id))
}

/// Header values `authorization`, and the form body.
pub fn parts(credentials: &Credentials) -> (String, String) {
    let pair = format!(
        "{}:{}",
        credentials.smaregi_client_id,
        credentials.smaregi_client_secret.reveal()
    );
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("scope", &SCOPES.join(" "))
        .finish();
    (format!("Basic {}", STANDARD.encode(pair)), form)
}

/// Reads the answer. Its reason never holds the token.
pub fn decode(answer: &Value) -> Result<Token, Reason> {
    let row = Row::of(answer, "token")?;
    // What no header can carry would be kept for an hour and answer nothing (RFC 6750 2.1: visible ASCII).
    let sound = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(access) = row.maybe_text("access_token").filter(sound) else {
        return Err(wire::unreadable("access_token", &Value::Null));
    };
    let lives = row.read("expires_in", |text| text.parse::<i64>().ok())?;
    Ok(Token {
        access: Secret::new(access),
        lives: lives.clamp(SHORTEST_SECONDS, LONGEST_SECONDS),
        scopes: row
            .maybe_text("scope")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}

/// The scopes that are needed and not carried.
pub fn missing(scopes: &[String]) -> Vec<String> {
    let carried = |needed: &&str| scopes.iter().any(|scope| scope == needed);
    SCOPES
        .iter()
        .filter(|needed| !carried(needed))
        .map(|needed| (*needed).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn reads_life_and_scopes() {
        let token = decode(&json!({"access_token": "t", "expires_in": "3600", "scope": "pos.stores:read pos.stock:read"})).unwrap();
        assert_eq!(token.lives, 3600);
        let missing = missing(&token.scopes);
        let lives = |seconds: i64| {
            let answer = json!({"access_token": "t", "expires_in": seconds});
            decode(&answer).unwrap().lives
        };
        assert_eq!(lives(2_592_000), 2_592_000, "thirty days");
        assert_eq!(lives(i64::MAX), LONGEST_SECONDS);
        assert_eq!(missing.len(), 5);
        assert!(missing.contains(&"pos.stock-changes:read".to_owned()));
    }

    #[test]
    fn a_token_is_asked_for_with_the_client_s_name_and_word_and_every_scope() {
        let credentials = Credentials {
            smaregi_client_id: "client".to_owned(),
            smaregi_client_secret: Secret::new("word".to_owned()),
            ..Credentials::default()
        };
        let (authorization, form) = parts(&credentials);
        assert_eq!(authorization, "Basic Y2xpZW50OndvcmQ=");
        let form: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes())
            .into_owned()
            .collect();
        let scopes = SCOPES.join(" ");
        let expected = [
            ("grant_type", "client_credentials"),
            ("scope", scopes.as_str()),
        ];
        assert_eq!(
            form,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn what_is_no_token_is_said_without_showing_it() {
        for answer in [
            json!({}),
            json!({"access_token": "", "expires_in": 1}),
            json!({"access_token": "t0p\n", "expires_in": 1}),
            json!({"access_token": "t0p\u{7f}", "expires_in": 1}),
            json!({"access_token": "t0p", "expires_in": "soon"}),
        ] {
            let reason = decode(&answer).err().unwrap();
            assert!(!format!("{reason:?}").contains("t0p"), "{reason:?}");
        }
    }
}
