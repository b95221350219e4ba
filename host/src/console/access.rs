//! Who asks, and what they may see. A handler takes one of these as its argument and gets nothing else of a shop: without the right to
//! it there is no answer but "not found", as for a shop that does not exist.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::Value;

use super::{
    Console,
    accounts::Account,
    language::{self, Language},
    layout, secrets,
    sessions::{self, Cookie},
};
use crate::{shops::Served, tenant::CallError};

/// A request, whoever sent it.
#[derive(Clone)]
pub struct Visit {
    /// The reader's.
    pub language: Language,
    /// The page's address with its query.
    pub path: String,
    /// The session's or the visitor's token; `None` at a first visit.
    token: Option<String>,
    signed_in: bool,
    /// Whether only a part of a page is asked for.
    pub wants_part: bool,
}

impl Visit {
    fn new(console: &Console, headers: &HeaderMap, path: String) -> Self {
        let public_url = &console.service.public_url;
        let session = Cookie::Session.read(public_url, headers);
        let signed_in = session.is_some();
        Self {
            language: language::of(headers),
            path,
            token: session.or_else(|| Cookie::Visitor.read(public_url, headers)),
            signed_in,
            wants_part: headers.contains_key("hx-request"),
        }
    }

    /// What a form for this browser carries; `None` at a first visit.
    pub fn form_code(&self) -> Option<String> {
        self.token.as_deref().map(secrets::form_code)
    }

    /// Begins to know the browser: the token that a visitor's cookie is to hold.
    pub fn known_by(&mut self, token: String) {
        self.token = Some(token);
    }

    /// The one of two that is the reader's.
    pub fn say<'a>(&self, ja: &'a str, en: &'a str) -> &'a str {
        self.language.of(ja, en)
    }

    /// The token of the session's cookie.
    pub fn session(&self) -> Option<&str> {
        self.token.as_deref().filter(|_| self.signed_in)
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Console,
    ) -> Result<Self, Self::Rejection> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self::new(console, &parts.headers, path.to_owned()))
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Signed {
    /// The request.
    pub visit: Visit,
    /// Whose.
    pub account: Account,
}

impl FromRequestParts<Console> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let Ok(visit) = Visit::from_request_parts(parts, console).await;
        let account = match visit.session() {
            Some(token) => sessions::account(&console.records, token, console.now()).await,
            None => Ok(None),
        };
        match account {
            Ok(Some(account)) => Ok(Self { visit, account }),
            Ok(None) => Err(to_sign_in(&visit)),
            Err(error) => Err(layout::store_failed(&visit, &error)),
        }
    }
}

/// A part of a page that is fetched by itself cannot show the sign-in: the whole page goes there.
fn to_sign_in(visit: &Visit) -> Response {
    let back: String = form_urlencoded::byte_serialize(visit.path.as_bytes()).collect();
    let address = format!("/console/sign-in?back={back}");
    if visit.wants_part {
        return (
            StatusCode::UNAUTHORIZED,
            [("hx-redirect", "/console/sign-in")],
        )
            .into_response();
    }
    (
        [(header::CACHE_CONTROL, "no-store")],
        Redirect::to(&address),
    )
        .into_response()
}

/// The operator, who sees all shops.
pub struct Operator(pub Signed);

impl FromRequestParts<Console> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let signed = Signed::from_request_parts(parts, console).await?;
        match signed.account.shop {
            None => Ok(Self(signed)),
            Some(_) => Err(layout::not_found(&signed)),
        }
    }
}

/// Somebody at a shop that they may see: the operator at any, a merchant at their own.
#[derive(Clone)]
pub struct AtShop {
    /// Who.
    pub signed: Signed,
    /// The shop.
    pub served: Served,
}

impl FromRequestParts<Console> for AtShop {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let signed = Signed::from_request_parts(parts, console).await?;
        let params = RawPathParams::from_request_parts(parts, console).await;
        let named = params.ok().and_then(|params| {
            let found = params.iter().find(|(name, _)| *name == "tenant");
            found.map(|(_, value)| value.to_owned())
        });
        let may = |shop: &String| {
            let own = signed.account.shop.as_ref();
            own.is_none_or(|own| own == shop)
        };
        let served = named
            .filter(may)
            .and_then(|shop| console.service.find(&shop).ok());
        match served {
            Some(served) => Ok(Self { signed, served }),
            None => Err(layout::not_found(&signed)),
        }
    }
}

impl AtShop {
    /// The shop's name.
    pub fn shop(&self) -> &str {
        &self.served.tenant.name
    }

    /// The reader's language.
    pub fn language(&self) -> Language {
        self.signed.visit.language
    }

    /// The one of two that is the reader's.
    pub fn say<'a>(&self, ja: &'a str, en: &'a str) -> &'a str {
        self.language().of(ja, en)
    }

    /// The address of one of the shop's pages.
    pub fn address(&self, page: &str) -> String {
        format!("/console/t/{}/{page}", self.shop())
    }

    /// Calls a function of the contract.
    pub async fn try_call(&self, function: &str, arguments: Value) -> Result<Value, CallError> {
        self.served.tenant.call(function, arguments).await
    }

    /// The same; an error is the page that tells it.
    pub async fn call(&self, function: &str, arguments: Value) -> Result<Value, Response> {
        let called = self.try_call(function, arguments).await;
        called.map_err(|error| layout::call_failed(self, &error))
    }
}
