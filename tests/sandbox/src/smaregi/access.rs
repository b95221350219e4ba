//! Who may call スマレジ: the app, its tokens and scopes, and how often (smaregi.md 1). It must not know what is called.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use http::StatusCode;
use serde_json::json;

use super::answer::{Problem, oauth_error, ok};
use super::books::Moment;
use crate::clock::SandboxClock;
use crate::wire::{self, Form, Request, Response};

/// Every scope of the POS API that is played here (smaregi.md 1).
pub const SCOPES: [&str; 7] = [
    "pos.products:read",
    "pos.stock:read",
    "pos.stock:write",
    "pos.stock-changes:read",
    "pos.transactions:read",
    "pos.transactions:write",
    "pos.stores:read",
];

/// Life of an app access token in seconds (smaregi.md 1, an example there).
const LIFE: i64 = 3600;
/// Requests a second: reads, writes (smaregi.md 1, second-hand; production's).
const READS: u32 = 50;
const WRITES: u32 = 20;

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
            issued: 0,
        }
    }
}

impl Access {
    /// Makes every token invalid.
    pub fn revoke(&mut self) {
        self.tokens.clear();
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
        // Scopes that are not ticked are dropped silently (smaregi.md 2).
        let asked = form.text("scope").unwrap_or_default().split_whitespace();
        let scopes: Vec<String> = asked
            .filter(|scope| self.app.scopes.iter().any(|known| known == scope))
            .map(str::to_owned)
            .collect();
        self.issued += 1;
        let access_token = format!("smaregi-token-{}", self.issued);
        let body = json!({"scope": scopes.join(" "), "token_type": "Bearer", "expires_in": LIFE, "access_token": access_token});
        self.tokens.insert(
            access_token,
            Token {
                expires: now + TimeDelta::seconds(LIFE),
                scopes,
            },
        );
        ok(&body)
    }

    fn is_app(&self, request: &Request) -> bool {
        let basic =
            wire::header(request, "authorization").and_then(|value| value.strip_prefix("Basic "));
        let pair = basic
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
        let bearer =
            wire::header(request, "authorization").and_then(|value| value.strip_prefix("Bearer "));
        let token = bearer
            .and_then(|token| self.tokens.get(token))
            .filter(|token| token.expires > now);
        let token = token.ok_or_else(Problem::unauthorized)?;
        if token.scopes.iter().any(|known| known == scope) {
            Ok(())
        } else {
            Err(Problem::insufficient_scope(scope))
        }
    }
}

/// Requests in the current second.
#[derive(Clone, Default)]
pub struct Pace {
    second: i64,
    reads: u32,
    writes: u32,
}

impl Pace {
    /// Counts one; refuses it beyond the limit. A clock that stands still has no seconds, so nothing is counted on it.
    pub fn count(&mut self, clock: &SandboxClock, write: bool) -> Result<(), Problem> {
        if clock.is_held() {
            return Ok(());
        }
        let second = clock.now().timestamp();
        if second != self.second {
            *self = Self {
                second,
                ..Self::default()
            };
        }
        let (count, most) = if write {
            (&mut self.writes, WRITES)
        } else {
            (&mut self.reads, READS)
        };
        *count += 1;
        if *count > most {
            Err(Problem::too_many(1))
        } else {
            Ok(())
        }
    }
}
