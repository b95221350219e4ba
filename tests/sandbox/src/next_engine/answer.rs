//! The shape of Next Engine's answers: result word, code, message, tokens, data (next-engine.md 0, 1.3).
//! It must not decide anything.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::access::Pair;
use super::books::Moment;
use crate::switches::{CountType, ErrorStatus, RedirectShape, Switches};
use crate::wire::{self, Response};

/// Codes whose answers carry no tokens (next-engine.md 1.3); 002001 and 002003 because no user is known (assumed).
const WITHOUT_TOKENS: [&str; 5] = ["002001", "002002", "002003", "002004", "999999"];

/// The `result` of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultWord {
    /// `error`.
    Error,
    /// `redirect`: somebody must log in again.
    Redirect,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Code of six digits.
    pub code: String,
    /// Text for people.
    pub message: String,
    /// `error` or `redirect`.
    pub result: ResultWord,
}

impl Failure {
    /// A failure with `result` = `error`.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            result: ResultWord::Error,
        }
    }

    /// 004002: a field, condition or parameter that is missing or not allowed.
    pub fn field(message: impl Into<String>) -> Self {
        Self::new("004002", message)
    }

    /// The same failure with another result word.
    pub fn with_result(self, result: ResultWord) -> Self {
        Self { result, ..self }
    }
}

/// What a successful call adds to its answer, e.g. `count` and `data`.
pub type Payload = Map<String, Value>;

/// Builds the answer; its HTTP status is 200 but where the switch says otherwise for errors (the official SDK fails on others).
pub fn respond(
    outcome: Result<Payload, Failure>,
    pair: Option<&Pair>,
    switches: &Switches,
) -> Response {
    let mut answer = Map::new();
    let mut status = StatusCode::OK;
    match outcome {
        Ok(payload) => {
            answer.insert("result".into(), json!("success"));
            write_pair(&mut answer, pair);
            answer.extend(payload);
            retype_count(&mut answer, switches.count_type);
        }
        Err(failure) => {
            let word = match failure.result {
                ResultWord::Error => "error",
                ResultWord::Redirect => "redirect",
            };
            answer.insert("result".into(), json!(word));
            let bare = failure.result == ResultWord::Redirect
                && switches.redirect_shape == RedirectShape::Bare;
            if !bare {
                answer.insert("code".into(), json!(failure.code));
                answer.insert("message".into(), json!(failure.message));
            }
            if failure.result == ResultWord::Error
                && switches.error_status == ErrorStatus::BadRequest400
            {
                status = StatusCode::BAD_REQUEST;
            }
            if !is_without_tokens(&failure.code) {
                write_pair(&mut answer, pair);
            }
        }
    }
    wire::json(status, &Value::Object(answer))
}

fn retype_count(answer: &mut Map<String, Value>, switch: CountType) {
    if switch == CountType::Number
        && let Some(count) = answer.get_mut("count")
        && let Some(number) = count.as_str().and_then(|text| text.parse::<u64>().ok())
    {
        *count = json!(number);
    }
}

/// Whether answers of this code carry no tokens.
pub fn is_without_tokens(code: &str) -> bool {
    WITHOUT_TOKENS.contains(&code)
}

fn write_pair(answer: &mut Map<String, Value>, pair: Option<&Pair>) {
    if let Some(pair) = pair {
        pair.write(answer);
    }
}

/// The payload of a list: `count` as a string, then the rows.
pub fn list(rows: Vec<Value>) -> Payload {
    counted(rows.len(), rows)
}

/// The same with a count of its own.
pub fn counted(count: usize, rows: Vec<Value>) -> Payload {
    let mut payload = Map::new();
    payload.insert("count".into(), json!(count.to_string()));
    payload.insert("data".into(), Value::Array(rows));
    payload
}

/// `YYYY-MM-DD HH:MM:SS` in Japan time.
pub fn date_text(moment: Moment) -> String {
    moment
        .with_timezone(&crate::clock::jst())
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}
