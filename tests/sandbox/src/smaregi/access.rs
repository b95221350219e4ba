//! Who may call スマレジ: the app, its tokens and scopes, and how often (smaregi.md 1). It must not know what is called.

mod user;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use http::StatusCode;
use serde_json::json;

use super::answer::{Problem, oauth_error, ok};
use super::books::Moment;
use crate::wire::{self, Form, Request, Response};

/// Every scope of the POS API that is played here (smaregi.md 1).
pub const SCOPES: [&str; 8] = [
    "pos.products:read",
    "pos.stock:read",
    "pos.stock:write",
    "pos.stock-changes:read",
    "pos.transactions:read",
    "pos.transactions:write",
    "pos.stores:read",
    "pos.customers:read",
];

/// Life of an app access token in seconds (smaregi.md 1, an example there).
const LIFE: i64 = 3600;
/// An app with a contract that uses it.
#[derive(Clone)]
pub struct App {
    /// 契約ID; sandbox ones begin so (smaregi.md 7).
    pub contract_id: String,
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
    /// Scopes ticked in the developer console.
    pub scopes: Vec<String>,
}

#[derive(Clone)]
struct Token {
    expires: Moment,
    scopes: Vec<String>,
}

/// The app and its tokens.
#[derive(Clone)]
pub struct Access {
    pub app: App,
    tokens: BTreeMap<String, Token>,
    codes: BTreeMap<String, user::Code>,
    refreshes: BTreeMap<String, Vec<String>>,
    issued: u64,
}

impl Default for Access {
    fn default() -> Self {
        let app = App {
            contract_id: "sb_tsunagi01".to_owned(),
            client_id: "smaregi-sandbox-client".to_owned(),
            client_secret: "smaregi-sandbox-secret".to_owned(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
        };
        Self {
            app,
            tokens: BTreeMap::new(),
            codes: BTreeMap::new(),
            refreshes: BTreeMap::new(),
            issued: 0,
        }
    }
}

impl Access {
    /// Makes every token invalid.
    pub fn revoke(&mut self) {
        self.tokens.clear();
        self.refreshes.clear();
    }

    /// `POST /app/{contract}/token`.
    pub fn token(&mut self, contract: &str, request: &Request, now: Moment) -> Response {
        let bad = |error: &str, why: &str| oauth_error(StatusCode::BAD_REQUEST, error, why);
        if !self.is_app(request) || contract != self.app.contract_id {
            return oauth_error(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "Client authentication failed",
            );
        }
        if !wire::is_media_type(request, "application/x-www-form-urlencoded") {
            return bad("invalid_request", "the body must be a form");
        }
        let form = Form::parse(request.body());
        if form.text("grant_type") != Some("client_credentials") {
            return bad("unsupported_grant_type", "client_credentials is expected");
        }
        let scopes = self.granted(form.text("scope").unwrap_or_default(), &[]);
        let scope = scopes.join(" ");
        let access_token = self.issue(scopes, now);
        ok(
            &json!({"scope": scope, "token_type": "Bearer", "expires_in": LIFE, "access_token": access_token}),
        )
    }

    /// Those of the scopes asked for that are ticked; others are dropped silently (smaregi.md 2).
    fn granted(&self, asked: &str, besides: &[&str]) -> Vec<String> {
        let ticked = |scope: &&str| {
            besides.contains(scope) || self.app.scopes.iter().any(|known| known == scope)
        };
        let granted = asked.split_whitespace().filter(ticked);
        granted.map(str::to_owned).collect()
    }

    fn fresh(&mut self, kind: &str) -> String {
        self.issued += 1;
        format!("smaregi-{kind}-{}", self.issued)
    }

    fn issue(&mut self, scopes: Vec<String>, now: Moment) -> String {
        let word = self.fresh("token");
        let expires = now + TimeDelta::seconds(LIFE);
        self.tokens.insert(word.clone(), Token { expires, scopes });
        word
    }

    fn is_app(&self, request: &Request) -> bool {
        let pair = credentials(request, "basic")
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        pair == Some(format!("{}:{}", self.app.client_id, self.app.client_secret))
    }

    /// Whether the request's token may use this scope.
    pub fn check(
        &self,
        request: &Request,
        scope: &'static str,
        now: Moment,
    ) -> Result<(), Problem> {
        let scopes = self.known(request, now)?;
        if scopes.iter().any(|known| known == scope) {
            Ok(())
        } else {
            Err(Problem::insufficient_scope(scope))
        }
    }

    /// The scopes of the request's token.
    pub fn known(&self, request: &Request, now: Moment) -> Result<&[String], Problem> {
        let token = credentials(request, "bearer").and_then(|token| self.tokens.get(token));
        let token = token.filter(|token| token.expires > now);
        token
            .map(|token| token.scopes.as_slice())
            .ok_or_else(Problem::unauthorized)
    }
}

/// What follows the scheme in `Authorization`; the scheme's case and the spaces after it don't count (RFC 9110 11.1).
fn credentials<'a>(request: &'a Request, scheme: &str) -> Option<&'a str> {
    let (sent, rest) = wire::header(request, "authorization")?
        .trim()
        .split_once(' ')?;
    sent.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
