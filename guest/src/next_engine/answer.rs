//! The envelope of every answer (next-engine.md 0, 1.2, 1.6): result, code, and perhaps a new pair of tokens. Stores nothing.

use crate::{
    reason::Reason,
    settings::Secret,
    text,
    time::{self, Moment},
    wire::{self, Row, Value},
};

/// How much of a message is passed on.
const LONGEST_MESSAGE: usize = 300;

/// A pair of tokens. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// アクセストークン
    pub access: Secret,
    /// Its end, where the answer says it.
    pub access_ends: Option<Moment>,
    /// リフレッシュトークン
    pub refresh: Secret,
    /// Its end, where the answer says it.
    pub refresh_ends: Option<Moment>,
}

/// What Next Engine made of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Success,
    /// 002002: another pair is in use by now.
    StaleTokens,
    /// A person must log in again.
    LoginDead(String),
    /// Overload or maintenance: certainly not done; patience for so many seconds.
    Busy(String, i64),
    /// An unknown fault there; whether it was done is open.
    Broken(String),
    /// Understood and refused: code and message.
    Refused(String, String),
}

/// An answer as it is used.
#[derive(Clone)]
pub struct Answer {
    /// What became of the call.
    pub verdict: Verdict,
    /// A pair, when the answer carries one; errors may, too.
    pub tokens: Option<Tokens>,
    /// The whole body.
    pub body: Value,
}

/// Reads a body; `None` for what is no answer of Next Engine's (an error page, a cut body).
pub fn read(body: &[u8]) -> Option<Answer> {
    let body = wire::parse(body)?;
    let row = Row::of(&body, "answer").ok()?;
    let result = row.maybe_text("result")?;
    let code = row.maybe_text("code").unwrap_or_default();
    // Whatever these answers carry is no living pair (next-engine.md 1.3).
    let tokens = if matches!(code.as_str(), "002002" | "002004" | "999999") {
        None
    } else {
        tokens(row)
    };
    let verdict = verdict(&result, code, || message(row.value("message")));
    Some(Answer {
        verdict,
        tokens,
        body,
    })
}

/// What a search's answer lacks to be a list of rows: without them, or with a number of rows that it does not have, it is no empty one.
pub fn list_flaw(body: &Value) -> Option<Reason> {
    let row = match Row::of(body, "answer") {
        Ok(row) => row,
        Err(reason) => return Some(reason),
    };
    let Some(rows) = row.value("data").as_list() else {
        return Some(wire::unreadable("data", row.value("data")));
    };
    match row.maybe_decimal("count") {
        Ok(Some(count)) if rows.is_empty() && !count.is_zero() => {
            Some(wire::unreadable("count", row.value("count")))
        }
        Ok(_) => None,
        Err(reason) => Some(reason),
    }
}

fn tokens(row: Row<'_>) -> Option<Tokens> {
    let moment = |field| {
        row.maybe_text(field)
            .as_deref()
            .and_then(time::parse_next_engine)
    };
    Some(Tokens {
        access: Secret::new(row.maybe_text("access_token")?),
        access_ends: moment("access_token_end_date"),
        refresh: Secret::new(row.maybe_text("refresh_token")?),
        refresh_ends: moment("refresh_token_end_date"),
    })
}

/// Seconds of patience with overload, and with maintenance (assumed; no figure is published).
const SHORT: i64 = 60;
const LONG: i64 = 900;

fn verdict(result: &str, code: String, message: impl Fn() -> String) -> Verdict {
    match (result, code.as_str()) {
        ("success", _) => Verdict::Success,
        (_, "002002") => Verdict::StaleTokens,
        ("redirect", _) | (_, "002003" | "002004") => Verdict::LoginDead(code),
        (_, "000001" | "003001" | "003002" | "006005" | "020007") => Verdict::Busy(code, SHORT),
        (_, "002007" | "003004" | "003005") => Verdict::Busy(code, LONG),
        (_, "999999" | "") => Verdict::Broken(code),
        _ => Verdict::Refused(code, message()),
    }
}

/// A text, or for bulk calls an array of them by slip.
fn message(value: &Value) -> String {
    let full = match value {
        Value::Text(message) => message.clone(),
        Value::List(items) => {
            let messages = items
                .iter()
                .filter_map(|item| item.get("message").and_then(Value::as_str));
            messages.collect::<Vec<_>>().join(" / ")
        }
        _ => String::new(),
    };
    text::fit(&full, LONGEST_MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn tells_what_became_of_a_call() {
        let told = |result: &str, code: &str| {
            let body = json!({"result": result, "code": code, "message": "説明"}).to_string();
            read(body.as_bytes()).unwrap().verdict
        };
        assert_eq!(told("success", "000000"), Verdict::Success);
        assert_eq!(told("error", "002002"), Verdict::StaleTokens);
        assert_eq!(
            told("error", "002004"),
            Verdict::LoginDead("002004".to_owned())
        );
        assert_eq!(told("redirect", ""), Verdict::LoginDead(String::new()));
        assert_eq!(
            told("error", "003002"),
            Verdict::Busy("003002".to_owned(), 60)
        );
        assert_eq!(
            told("error", "002007"),
            Verdict::Busy("002007".to_owned(), 900)
        );
        assert_eq!(
            told("error", "999999"),
            Verdict::Broken("999999".to_owned())
        );
        assert_eq!(
            told("error", "004002"),
            Verdict::Refused("004002".to_owned(), "説明".to_owned())
        );
    }

    #[test]
    fn every_documented_code_asks_for_patience_a_login_or_nothing() {
        let told = |code: &str| {
            let body = json!({"result": "error", "code": code}).to_string();
            read(body.as_bytes()).unwrap().verdict
        };
        for code in ["000001", "003001", "003002", "006005", "020007"] {
            assert_eq!(told(code), Verdict::Busy(code.to_owned(), SHORT));
        }
        for code in ["002007", "003004", "003005"] {
            assert_eq!(told(code), Verdict::Busy(code.to_owned(), LONG));
        }
        for code in ["002003", "002004"] {
            assert_eq!(told(code), Verdict::LoginDead(code.to_owned()));
        }
        for code in ["999999", ""] {
            assert_eq!(told(code), Verdict::Broken(code.to_owned()));
        }
    }

    #[test]
    fn a_refusal_says_why_also_where_it_says_it_slip_by_slip() {
        let said = |message: Value| {
            let body = json!({"result": "error", "code": "004002", "message": message}).to_string();
            match read(body.as_bytes()).unwrap().verdict {
                Verdict::Refused(_, message) => message,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(said(json!("在庫が\nありません")), "在庫が ありません");
        let slips = json!([{"message": "伝票1"}, {"code": "1"}, {"message": "伝票2"}]);
        assert_eq!(said(slips), "伝票1 / 伝票2");
        assert_eq!(said(json!(null)), "");
        assert_eq!(said(json!("長".repeat(301))).chars().count(), 300);
    }

    #[test]
    fn an_answer_of_another_form_is_no_empty_list() {
        for (body, field) in [
            (json!({"count": "0", "data": []}), None),
            (json!({"count": 1, "data": [{}]}), None),
            (json!({"data": []}), None),
            (json!({"count": "0"}), Some("data")),
            (json!({"count": "0", "data": null}), Some("data")),
            (json!({"count": "0", "data": {}}), Some("data")),
            (json!({"count": "2", "data": []}), Some("count")),
            (json!({"count": "many", "data": []}), Some("count")),
        ] {
            let flaw = list_flaw(&body).and_then(|reason| reason.field);
            assert_eq!(flaw.as_deref(), field, "{body}");
        }
    }

    #[test]
    fn errors_may_carry_new_tokens_and_error_pages_are_no_answers() {
        let body = json!({"result": "error", "code": "003002", "access_token": "a", "refresh_token": "r",
            "access_token_end_date": "2026-11-25 12:00:00", "refresh_token_end_date": null});
        let tokens = read(body.to_string().as_bytes()).unwrap().tokens.unwrap();
        assert_eq!(
            (tokens.access.reveal(), tokens.refresh.reveal()),
            ("a", "r")
        );
        assert!(tokens.access_ends.is_some() && tokens.refresh_ends.is_none());
        for code in ["002002", "002004", "999999"] {
            let body =
                json!({"result": "error", "code": code, "access_token": "a", "refresh_token": "r"});
            assert!(
                read(body.to_string().as_bytes()).unwrap().tokens.is_none(),
                "{code}"
            );
        }
        for body in ["<html>", "", "[]", "{\"result\":", "{\"data\":[]}"] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
