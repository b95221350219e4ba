//! スマレジ's platform API: requests described, answers read. Performs no I/O, keeps no token, holds no rule.

pub mod changes;
pub mod products;
pub mod stock;
pub mod stores;
pub mod token;
pub mod transactions;
pub mod webhook;

use crate::wire::Value;

/// Scopes the connector needs (smaregi.md 9.2); those not ticked in Smaregi's console are dropped silently.
pub const SCOPES: [&str; 7] = [
    "pos.products:read",
    "pos.stores:read",
    "pos.stock:read",
    "pos.stock:write",
    "pos.stock-changes:read",
    "pos.transactions:read",
    "pos.transactions:write",
];

/// Rows a page, where Smaregi allows most (smaregi.md 1).
pub const PAGE_ROWS: u32 = 1_000;

/// One request to the API, relative to `{base}/{contract}/pos`. Carries no token.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path with its ids.
    pub path: String,
    /// Query parameters, only those that Smaregi documents: others are refused.
    pub query: Vec<(&'static str, String)>,
    /// JSON body of a write.
    pub body: Option<serde_json::Value>,
    /// The path with ids replaced by names, for counting.
    pub endpoint: &'static str,
    /// What a success is answered with.
    pub form: Form,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A list: anything else is no empty one.
    List,
    /// An object.
    Object,
    /// Whoever wrote looks for himself: what was done is not undone by how it is answered.
    Any,
}

impl Form {
    /// Whether an answer has it.
    pub fn fits(self, answer: &Value) -> bool {
        match self {
            Self::List => answer.as_list().is_some(),
            Self::Object => answer.as_object().is_some(),
            Self::Any => true,
        }
    }
}

impl Request {
    fn get(endpoint: &'static str, path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            query: Vec::new(),
            body: None,
            endpoint,
            form: Form::List,
        }
    }

    fn post(endpoint: &'static str, path: impl Into<String>, body: serde_json::Value) -> Self {
        Self {
            method: "POST",
            path: path.into(),
            query: Vec::new(),
            body: Some(body),
            endpoint,
            form: Form::Any,
        }
    }

    fn single(mut self) -> Self {
        self.form = Form::Object;
        self
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    fn page(self, page: u32, limit: u32) -> Self {
        self.with("limit", limit.to_string())
            .with("page", page.to_string())
    }

    /// Whether it changes something there, so that a lost answer leaves the outcome open.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Method and path, ids replaced by names.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.endpoint)
    }
}

/// An id as a path segment: what is not plain would be another address.
fn segment(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_a_name_without_ids() {
        let read = products::one("8000001", products::Draws::Left);
        assert_eq!(read.name(), "GET /products/{product}");
        let write = stock::add("8000001", "10", 1, "");
        assert_eq!(write.name(), "POST /stock/{product}/add");
    }

    #[test]
    fn an_id_is_one_segment_of_a_path_whatever_it_holds() {
        let path = products::one("1/../2?x", products::Draws::Left).path;
        assert_eq!(path, "/products/1%2F..%2F2%3Fx");
    }
}
