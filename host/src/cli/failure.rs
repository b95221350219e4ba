//! How a command that failed ends: its exit code, and what a person or a program reads. Decides nothing.

use serde_json::{Value, json};

use super::{interrupt::EXIT_CODE, words::Language};
use crate::{config::Problems, runtime::Fault, storage::StoreError, tenant::CallError};

/// The command line asks for something that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A file that was given is not what it has to be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);

/// Somebody asked to end before there was anything to tell.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// An end.
pub struct Failure {
    /// Exit code.
    pub code: u8,
    /// For a person.
    pub message: String,
    /// For a program: the contract's error, or what this host says.
    error: Value,
}

impl Failure {
    /// Of an error.
    pub fn new(error: &anyhow::Error, language: Language) -> Self {
        let host = |code: u8| (code, format!("{error:#}"), json!(format!("{error:#}")));
        let (code, message, error) = match error.downcast_ref::<CallError>() {
            Some(CallError::Contract(error)) => (
                exit_code(&error.kind),
                with_next(error.message(language.code()), &error.kind, language),
                json!({ (error.kind.as_str()): error.detail }),
            ),
            Some(CallError::Fault(Fault::Misfit(_))) => host(3),
            Some(CallError::Fault(_)) => host(1),
            None if error.is::<Interrupted>() => host(EXIT_CODE),
            None if error.is::<Unfit>() => host(3),
            None if error.is::<Usage>() => host(2),
            None if error.is::<StoreError>() => host(exit_code("storage")),
            None => match error.downcast_ref::<Problems>() {
                Some(problems) => (
                    2,
                    problems.to_string(),
                    json!({ "configuration": told(problems) }),
                ),
                None => host(1),
            },
        };
        Self {
            code,
            message,
            error,
        }
    }

    /// Of arguments that the command line does not take.
    pub fn usage(text: String) -> Self {
        Self {
            code: 2,
            error: json!(text.trim_end()),
            message: text,
        }
    }

    /// The one JSON value.
    pub fn json(&self) -> Value {
        json!({ "error": self.error, "message": self.message.trim_end(), "exit-code": self.code })
    }
}

/// The contract's words, and which command comes next.
fn with_next(message: String, kind: &str, language: Language) -> String {
    let (ja, en) = match kind {
        "invalid" => (
            "直してもう一度実行してください。",
            "Mend it and run this again.",
        ),
        "not-connected" => (
            "順に: tsunagi settings put FILE、tsunagi connect、tsunagi connect --on。いまの状態: tsunagi status",
            "In this order: tsunagi settings put FILE, tsunagi connect, tsunagi connect --on. How far it is: tsunagi status",
        ),
        "login-needed" => (
            "tsunagi connect でログインのリンクを作り、ブラウザで開いてください。",
            "tsunagi connect makes a login link; open it in a browser.",
        ),
        "refused" => (
            "tsunagi check で両サービスへの接続と権限を確かめてください。",
            "tsunagi check tells whether both services and their scopes are in order.",
        ),
        "not-found" => (
            "取り込み済みのものは tsunagi history received と tsunagi history sent に、まだの受注は tsunagi preview 伝票番号 に出ます。",
            "tsunagi history received and tsunagi history sent list what is known; tsunagi preview SLIP asks for an order that is not.",
        ),
        "unavailable" | "contended" | "storage" => (
            "少し待ってからもう一度実行してください。始めたことは記録されています。",
            "Wait a little and run this again; what was begun is recorded.",
        ),
        _ => return message,
    };
    format!("{message}\n{}", language.of(ja, en))
}

fn told(problems: &Problems) -> Value {
    let each = problems.1.iter().map(
        |problem| json!({ "key": problem.key, "line": problem.line, "problem": problem.what }),
    );
    json!({ "file": problems.0.display().to_string(), "problems": each.collect::<Vec<_>>() })
}

/// By the contract's case.
fn exit_code(kind: &str) -> u8 {
    match kind {
        "invalid" | "not-found" => 3,
        "not-connected" | "login-needed" => 4,
        "refused" => 5,
        "unavailable" | "contended" | "storage" => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_can_tell_the_endings_apart() {
        let codes = ["invalid", "login-needed", "refused", "unavailable"].map(exit_code);
        assert_eq!(codes, [3, 4, 5, 6]);
        let of = |error: anyhow::Error| Failure::new(&error, Language::En).code;
        assert_eq!(of(Usage(String::new()).into()), 2);
        assert_eq!(of(Unfit(String::new()).into()), 3);
        assert_eq!(of(Problems(std::path::PathBuf::new(), vec![]).into()), 2);
        assert_eq!(of(StoreError::Unavailable(String::new()).into()), 6);
        assert_eq!(of(anyhow::anyhow!("anything")), 1);
    }
}
