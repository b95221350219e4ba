//! Why a call as a whole did not do its work: one enum, mirrored one to one by the contract's `error`. What a single order or
//! row suffers is never here; it is a [`Reason`] in a record.

use crate::{
    ports::StorageFailure,
    reason::{Reason, Text},
    time::Moment,
};

/// One of the two services.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// スマレジ
    Smaregi,
    /// ネクストエンジン
    NextEngine,
}

/// A problem with one setting or argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field, as the contract spells it.
    pub field: String,
    /// What is wrong and what to do.
    pub reason: Reason,
}

/// See `wit/types.wit` for what a caller does with each.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// Settings or arguments to mend.
    Invalid(Vec<Problem>),
    /// Connect or switch on first.
    NotConnected(Side, Text),
    /// A person must log in again.
    LoginNeeded(Moment, Text),
    /// The other side understood and said no.
    Refused(Side, String, Text),
    /// The other side asks for patience until then.
    Unavailable(Side, Text, Moment),
    /// Another instance holds what is needed until then.
    Contended(String, Moment),
    /// What kind of thing, and its id.
    NotFound(&'static str, String),
    /// Storage failed on this key, or as a whole when empty.
    Storage(String, Text),
    /// The budget of this call is spent: internal, never leaves the component as an error.
    BudgetSpent,
}

/// What is not found when a key names neither an order nor a product.
pub const ORDER_OR_PRODUCT: &str = "order-or-product";

/// The usual result of a flow.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// One problem with one argument.
    pub fn invalid(field: &str, reason: Reason) -> Self {
        Self::Invalid(vec![Problem {
            field: field.to_owned(),
            reason,
        }])
    }

    /// The same as a reason, for where it is told instead of given.
    pub fn reason(&self) -> Reason {
        let (code, message) = match self {
            Self::Invalid(problems) => match problems.first() {
                Some(problem) => return problem.reason.clone(),
                None => (
                    "invalid",
                    Text::new("設定に誤りがあります。", "The settings are wrong."),
                ),
            },
            Self::NotConnected(_, message) => ("not-connected", message.clone()),
            Self::LoginNeeded(_, message) => ("login-needed", message.clone()),
            Self::Refused(_, code, message) => {
                let reason = Reason {
                    code: "refused".to_owned(),
                    message: message.clone(),
                    field: None,
                    value: None,
                };
                return reason.value(code);
            }
            Self::Unavailable(_, message, _) => ("unavailable", message.clone()),
            Self::Contended(..) => (
                "contended",
                Text::new("別の処理が動いています。", "Another call is at work."),
            ),
            Self::NotFound(ORDER_OR_PRODUCT, id) => (
                "not-found",
                Text::new(
                    format!(
                        "「{id}」という受注も商品も、ここにはまだ記録がありません。取り込むか、プレビューで確かめてください。"
                    ),
                    format!(
                        "Neither an order nor a product is known here as {id}. Import it, or look with a preview."
                    ),
                ),
            ),
            Self::NotFound(what, id) => (
                "not-found",
                Text::new(
                    format!("{what} {id} はありません。"),
                    format!("There is no {what} {id}."),
                ),
            ),
            Self::Storage(_, message) => ("storage", message.clone()),
            Self::BudgetSpent => (
                "budget",
                Text::new(
                    "この呼び出しの枠を使い切りました。",
                    "This call's budget is spent.",
                ),
            ),
        };
        Reason {
            code: code.to_owned(),
            message,
            field: None,
            value: None,
        }
    }

    /// Whether trying again later can help without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(..) | Self::Contended(..) | Self::Storage(..) | Self::BudgetSpent
        )
    }
}

impl From<StorageFailure> for Error {
    fn from(failure: StorageFailure) -> Self {
        match failure {
            // Worth trying again at once: whoever gives a time brings it to the present.
            StorageFailure::Conflict(key) => Self::Contended(key, Moment::default()),
            StorageFailure::Unavailable(message) => Self::Storage(
                String::new(),
                Text::new(
                    format!("保存先が使えません: {message}"),
                    format!("Storage cannot be used: {message}"),
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_needs_nobody() {
        let text = || Text::new("訳", "why");
        for (error, code, passing) in [
            (Error::Invalid(Vec::new()), "invalid", false),
            (
                Error::NotConnected(Side::Smaregi, text()),
                "not-connected",
                false,
            ),
            (
                Error::LoginNeeded(Moment::default(), text()),
                "login-needed",
                false,
            ),
            (
                Error::Refused(Side::Smaregi, "004002".to_owned(), text()),
                "refused",
                false,
            ),
            (
                Error::Unavailable(Side::NextEngine, text(), Moment::default()),
                "unavailable",
                true,
            ),
            (
                StorageFailure::Conflict("k".to_owned()).into(),
                "contended",
                true,
            ),
            (Error::NotFound("order", "1".to_owned()), "not-found", false),
            (
                StorageFailure::Unavailable("disk".to_owned()).into(),
                "storage",
                true,
            ),
            (Error::BudgetSpent, "budget", true),
        ] {
            assert_eq!(error.reason().code, code);
            assert_eq!(error.is_passing(), passing, "{code}");
        }
    }

    #[test]
    fn a_reason_keeps_what_the_error_knows() {
        let refused = Error::Refused(Side::NextEngine, "004002".to_owned(), Text::new("否", "no"));
        assert_eq!(refused.reason().value.as_deref(), Some("004002"));
        let wrong = Reason::new("twice", "二度", "twice").field("f");
        assert_eq!(Error::invalid("f", wrong.clone()).reason(), wrong);
        for (what, told) in [
            (ORDER_OR_PRODUCT, "Neither an order nor a product"),
            ("order", "There is no order 7"),
        ] {
            let reason = Error::NotFound(what, "7".to_owned()).reason();
            assert!(reason.message.en.starts_with(told), "{what}");
        }
    }
}
