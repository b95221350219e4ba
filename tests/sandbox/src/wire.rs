//! What crosses the wire, in process: whole requests and whole answers, and small helpers to read and build them.
//! It must not know either service's rules.

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use percent_encoding::percent_decode;
use serde_json::Value;

/// A whole request: the body is complete.
pub type Request = http::Request<Vec<u8>>;

/// A whole answer: the body is complete.
pub type Response = http::Response<Vec<u8>>;

/// A decoded form or query, in the order it was sent; values are bytes, because uploads carry gzip and Shift_JIS.
#[derive(Clone, Default)]
pub struct Form(Vec<(String, Vec<u8>)>);

impl Form {
    /// Decodes `application/x-www-form-urlencoded` text.
    pub fn parse(body: &[u8]) -> Self {
        let pairs = body
            .split(|&byte| byte == b'&')
            .filter(|pair| !pair.is_empty());
        Self(pairs.map(decode_pair).collect())
    }

    /// The value of `name` as bytes; the first one when it was sent twice.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The value of `name` as text; `None` when absent or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.bytes(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Like [`Form::text`], with an empty value counted as absent.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|value| !value.is_empty())
    }

    /// Every name with its value as text (lossy), in the order sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, String)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value).into_owned()))
    }

    /// Every name, in the order sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

fn decode_pair(pair: &[u8]) -> (String, Vec<u8>) {
    let at = pair.iter().position(|&byte| byte == b'=');
    let (name, value) = match at.and_then(|at| pair.split_at_checked(at)) {
        Some((name, value)) => (name, value.get(1..).unwrap_or_default()),
        None => (pair, [].as_slice()),
    };
    (
        String::from_utf8_lossy(&decode(name)).into_owned(),
        decode(value),
    )
}

fn decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|&byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    percent_decode(&spaced).collect()
}

/// The query part of the request's address.
pub fn query(request: &Request) -> Form {
    Form::parse(request.uri().query().unwrap_or_default().as_bytes())
}

/// The value of a request header as text.
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// Whether the request says its body is of this media type (parameters such as `charset` are ignored).
pub fn is_media_type(request: &Request, media_type: &str) -> bool {
    let sent = header(request, "content-type").unwrap_or_default();
    sent.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case(media_type)
}

/// An answer with the given content type.
pub fn answer(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &Value) -> Response {
    answer(
        status,
        "application/json;charset=UTF-8",
        body.to_string().into_bytes(),
    )
}

/// Gives an answer another content type.
pub fn retype(response: &mut Response, content_type: &'static str) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
}

/// Sets a member of a JSON object; anything else stays as it is.
pub fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// A page.
pub fn html(status: StatusCode, body: String) -> Response {
    answer(status, "text/html; charset=utf-8", body.into_bytes())
}

/// A 302 to `location`; 400 when that is no legal header value.
pub fn redirect(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return html(
            StatusCode::BAD_REQUEST,
            String::from("bad redirect address"),
        );
    };
    let mut response = html(StatusCode::FOUND, String::new());
    response.headers_mut().insert(LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_keep_order_bytes_and_repeats() {
        let form = Form::parse(b"fields=a%2Cb&data=%1F%8B+x&flag&fields=z");
        assert_eq!(form.text("fields"), Some("a,b"));
        assert_eq!(form.bytes("data"), Some(b"\x1f\x8b x".as_slice()));
        assert_eq!(form.filled("flag"), None);
        assert_eq!(
            form.names().collect::<Vec<_>>(),
            ["fields", "data", "flag", "fields"]
        );
    }
}
