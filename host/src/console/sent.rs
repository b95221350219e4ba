//! A form that was sent: its fields, once it is known that the form was ours and in the same browser. Nothing else may read a body.

use std::collections::BTreeMap;

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::HeaderMap,
    response::Response,
};

use super::{Console, access::Visit, layout, secrets};

/// Bytes of a form: long lists of codes fit.
const LARGEST: usize = 512 * 1024;
/// The field with the form's code.
pub const CODE: &str = "form-code";

/// The fields of a form.
#[derive(Default)]
pub struct Sent {
    fields: BTreeMap<String, Vec<String>>,
}

impl Sent {
    /// From an encoded form or query.
    pub fn parse(text: &[u8]) -> Self {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            let values = fields.entry(name.into_owned()).or_default();
            values.push(value.into_owned());
        }
        Self { fields }
    }

    /// A field as it was typed; empty when it was not sent.
    pub fn raw(&self, name: &str) -> &str {
        let first = self.fields.get(name).and_then(|values| values.first());
        first.map_or("", String::as_str)
    }

    /// A field without the space around it.
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The same, but nothing where it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The same with the fields of a list's one row, `list[7].name`, at this place in the list.
    pub fn renamed(self, list: &str, index: usize) -> Self {
        let renamed = |name: String| {
            let row = name
                .strip_prefix(list)
                .and_then(|rest| rest.split_once("]."));
            match row {
                Some((_, field)) => format!("{list}[{index}].{field}"),
                None => name,
            }
        };
        let fields = self.fields.into_iter();
        let fields = fields.map(|(name, values)| (renamed(name), values));
        Self {
            fields: fields.collect(),
        }
    }

    /// Whether a field was sent at all.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Each field's first value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.keys().map(String::as_str);
        fields.map(|name| (name, self.raw(name)))
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> &[String] {
        self.fields.get(name).map_or(&[], Vec::as_slice)
    }
}

impl FromRequest<Console> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(visit) = Visit::from_request_parts(&mut parts, console).await;
        let body = to_bytes(body, LARGEST).await;
        let sent = Self::parse(&body.unwrap_or_default());
        let code = visit.form_code();
        let ours = code.is_some_and(|code| secrets::same(sent.raw(CODE), &code));
        if ours && !is_from_elsewhere(&parts.headers) {
            Ok(sent)
        } else {
            Err(layout::stale_form(&visit))
        }
    }
}

/// What browsers say by themselves and pages cannot forge.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site == "cross-site" || site == "same-site")
}
