//! The way a person lets an app in: authorization code with PKCE, refresh, and who it was (smaregi.md 1).
//! It must not play the login page itself: the one user of the contract agrees to everything at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Access, LIFE};
use crate::smaregi::answer::{oauth_error, ok};
use crate::smaregi::books::Moment;
use crate::wire::{self, Form, Request, Response};

/// Life of a code (assumed; RFC 6749 says at most ten minutes).
const CODE_LIFE: TimeDelta = TimeDelta::minutes(10);
/// Scopes of the identity host, which need no tick in the console (assumed).
const IDENTITY: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// The one person who can log in.
const USER: &str = "sandbox-user-1";

/// A code on its way to becoming a token.
#[derive(Clone)]
pub struct Code {
    expires: Moment,
    redirect: String,
    challenge: Option<String>,
    scopes: Vec<String>,
}

fn refused(error: &str, why: &str) -> Response {
    oauth_error(StatusCode::BAD_REQUEST, error, why)
}

impl Access {
    /// `GET /authorize`: back to the app with a code.
    pub fn authorize(&mut self, request: &Request, now: Moment) -> Response {
        let form = wire::query(request);
        if form.text("client_id") != Some(self.app.client_id.as_str()) {
            return refused("invalid_client", "no such client");
        }
        if form.text("response_type") != Some("code") {
            return refused("unsupported_response_type", "code is expected");
        }
        let Some(redirect) = form.filled("redirect_uri") else {
            return refused("invalid_request", "redirect_uri is missing");
        };
        let challenge = form.filled("code_challenge").map(str::to_owned);
        if challenge.is_some() && form.text("code_challenge_method") != Some("S256") {
            return refused("invalid_request", "code_challenge_method must be S256");
        }
        let code = self.fresh("code");
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let joint = if redirect.contains('?') { '&' } else { '?' };
        let state = form.text("state").unwrap_or_default();
        let location = format!(
            "{redirect}{joint}code={}&state={}",
            encode(&code),
            encode(state)
        );
        let granted = Code {
            expires: now + CODE_LIFE,
            redirect: redirect.to_owned(),
            challenge,
            scopes: self.granted(form.text("scope").unwrap_or_default(), &IDENTITY),
        };
        self.codes.insert(code, granted);
        wire::redirect(&location)
    }

    /// `POST /authorize/token`: a code or a refresh token for a token.
    pub fn user_token(&mut self, request: &Request, now: Moment) -> Response {
        if !self.is_app(request) {
            let why = "Client authentication failed";
            return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", why);
        }
        let form = Form::parse(request.body());
        let scopes = match form.text("grant_type") {
            Some("authorization_code") => self.redeem(&form, now),
            Some("refresh_token") => form
                .filled("refresh_token")
                .and_then(|token| self.refreshes.remove(token)),
            _ => return refused("unsupported_grant_type", "a code or a refresh token"),
        };
        let Some(scopes) = scopes else {
            return refused("invalid_grant", "the grant is not good, or no longer");
        };
        let mut body =
            json!({"scope": scopes.join(" "), "token_type": "Bearer", "expires_in": LIFE});
        if scopes.iter().any(|scope| scope == "offline_access") {
            let refresh = self.fresh("refresh");
            self.refreshes.insert(refresh.clone(), scopes.clone());
            wire::set(&mut body, "refresh_token", json!(refresh));
        }
        let access = self.issue(scopes, now);
        wire::set(&mut body, "access_token", json!(access));
        ok(&body)
    }

    /// A code is good once, for its redirect address, and with the verifier of its challenge.
    fn redeem(&mut self, form: &Form, now: Moment) -> Option<Vec<String>> {
        let code = self.codes.remove(form.filled("code")?)?;
        let verifier = form.text("code_verifier").unwrap_or_default();
        let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let proven = code.challenge.is_none_or(|challenge| challenge == proof);
        let same = form.text("redirect_uri") == Some(code.redirect.as_str());
        (proven && same && now < code.expires).then_some(code.scopes)
    }

    /// `POST /userinfo`, for tokens with openid.
    pub fn user_info(&self, request: &Request, now: Moment) -> Response {
        let refused = |status, error| oauth_error(status, error, "openid is needed");
        match self.known(request, now) {
            Err(_) => refused(StatusCode::UNAUTHORIZED, "invalid_token"),
            Ok(scopes) if !scopes.iter().any(|scope| scope == "openid") => {
                refused(StatusCode::FORBIDDEN, "insufficient_scope")
            }
            Ok(_) => ok(&json!({
                "sub": USER,
                "contract": {"id": self.app.contract_id, "user_id": USER, "is_owner": true},
            })),
        }
    }
}
