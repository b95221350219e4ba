//! The shapes of スマレジ's answers: problem documents, OAuth errors, JSON (smaregi.md 1).
//! It must not decide what is wrong, only how it is said.

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::wire::{self, Request, Response};

/// A refusal by the API host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// `title`; always present.
    pub title: &'static str,
    /// `detail`, in Japanese; the wording is assumed where the references give none.
    pub detail: String,
    /// The OAuth error beside it, for 401 and 403.
    pub oauth: Option<&'static str>,
    /// The scope that is missing, for 403.
    pub scope: Option<&'static str>,
    /// `Retry-After` in seconds, for 429.
    pub retry_after: Option<u32>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            oauth: None,
            scope: None,
            retry_after: None,
        }
    }

    /// 400: the request breaks a rule.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad Request", detail)
    }

    /// 400: a query or body name the operation does not have (smaregi.md 2: 「…はサポートされていません」).
    pub fn unsupported(name: &str) -> Self {
        Self::invalid(format!("{name}はサポートされていません。"))
    }

    /// 404; the title is documented as one word (smaregi.md 4a).
    pub fn not_found() -> Self {
        let detail = "指定されたリソースが見つかりません。";
        Self::new(StatusCode::NOT_FOUND, "NotFound", detail)
    }

    /// 401: no token, a strange one, or an expired one.
    pub fn unauthorized() -> Self {
        let detail = "アクセストークンが無効です。";
        Self {
            oauth: Some("invalid_token"),
            ..Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
        }
    }

    /// 403: the token lacks a scope (smaregi.md 2: "Insufficient Scope").
    pub fn insufficient_scope(scope: &'static str) -> Self {
        let detail = "必要なスコープが許可されていません。";
        Self {
            oauth: Some("insufficient_scope"),
            scope: Some(scope),
            ..Self::new(StatusCode::FORBIDDEN, "Insufficient Scope", detail)
        }
    }

    /// 403: the contract's plan does not have the operation (smaregi.md 9i, assumed).
    pub fn beyond_plan() -> Self {
        let detail = "ご契約のプランではご利用いただけません。";
        Self::new(StatusCode::FORBIDDEN, "Forbidden", detail)
    }

    /// 429 with `Retry-After`.
    pub fn too_many(retry_after: u32) -> Self {
        let detail = "リクエスト数が上限を超えました。";
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", detail)
        }
    }

    /// The problem of this HTTP status, for ordered faults; `scope` is what a 403 names.
    pub fn of_status(code: &str, scope: &'static str) -> Self {
        let detail = "ただいまご利用いただけません。";
        match code {
            "400" => Self::invalid("リクエストが正しくありません。"),
            "401" => Self::unauthorized(),
            "403" => Self::insufficient_scope(scope),
            "404" => Self::not_found(),
            "429" => Self::too_many(1),
            "503" => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service Unavailable",
                detail,
            ),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal Server Error",
                detail,
            ),
        }
    }

    /// The answer, `application/problem+json`.
    pub fn respond(&self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.title,
            "detail": self.detail,
            "status": self.status.as_u16(),
        });
        if let Some(error) = self.oauth {
            wire::set(&mut body, "error", json!(error));
            wire::set(&mut body, "error_description", json!(self.title));
        }
        if let Some(scope) = self.scope {
            wire::set(&mut body, "scope", json!(scope));
        }
        let body = body.to_string().into_bytes();
        let mut response = wire::answer(self.status, "application/problem+json", body);
        if let Some(seconds) = self.retry_after {
            let seconds = HeaderValue::from(seconds);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// A refusal by the identity host: `{error, error_description}` (smaregi.md 8).
pub fn oauth_error(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description});
    wire::json(status, &body)
}

/// A refusal by the identity host for an ordered status; which error it names is assumed.
pub fn oauth_of_status(code: &str) -> Response {
    let (status, error) = match code {
        "400" => (StatusCode::BAD_REQUEST, "invalid_request"),
        "401" => (StatusCode::UNAUTHORIZED, "invalid_client"),
        "403" => (StatusCode::FORBIDDEN, "access_denied"),
        "404" => (StatusCode::NOT_FOUND, "invalid_request"),
        "429" => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
        "503" => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
    };
    oauth_error(status, error, "refused on order")
}

/// 200 with this body.
pub fn ok(body: &Value) -> Response {
    wire::json(StatusCode::OK, body)
}

/// The request's body as a JSON object; an empty body is an empty object where `may_be_empty`.
///
/// # Errors
/// 400 for another media type or anything but an object.
pub fn object(request: &Request, may_be_empty: bool) -> Result<Map<String, Value>, Problem> {
    if request.body().is_empty() && may_be_empty {
        return Ok(Map::new());
    }
    if !wire::is_media_type(request, "application/json") {
        return Err(Problem::invalid(
            "Content-Typeはapplication/jsonを指定してください。",
        ));
    }
    serde_json::from_slice(request.body())
        .map_err(|_| Problem::invalid("リクエストボディの形式が正しくありません。"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_the_documented_members() {
        let table = [
            (Problem::invalid("x"), 400, "Bad Request", None),
            (Problem::not_found(), 404, "NotFound", None),
            (
                Problem::unauthorized(),
                401,
                "Unauthorized",
                Some("invalid_token"),
            ),
            (
                Problem::insufficient_scope("pos.stock:read"),
                403,
                "Insufficient Scope",
                Some("insufficient_scope"),
            ),
        ];
        for (problem, status, title, error) in table {
            let response = problem.respond();
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(body["title"], title);
            assert_eq!(body["type"], "about:blank");
            assert_eq!(body["error"].as_str(), error);
        }
        let response = Problem::too_many(1).respond();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }
}
