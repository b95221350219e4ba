//! How one request to a service can fail, in the three ways that matter to whoever recorded an intent before it. Decides nothing.

use crate::{
    error::{Error, Side},
    reason::Text,
};

/// The other side understood and said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who.
    pub side: Side,
    /// Next Engine's code, or Smaregi's HTTP status and problem type.
    pub code: String,
    /// Its own words.
    pub message: String,
}

/// A request that did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub enum CallError {
    /// Refused: nothing was changed there.
    Refused(Refusal),
    /// Certainly not acted on; trying again later is safe.
    NotDone(Error),
    /// It may have been acted on; look before trying again.
    Unknown(Error),
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(Refusal {
                side,
                code,
                message,
            }) => Self::Refused(side, code, Text::new(message.clone(), message)),
            CallError::NotDone(error) | CallError::Unknown(error) => error,
        }
    }
}

impl From<Error> for CallError {
    /// For what fails before a request is made.
    fn from(error: Error) -> Self {
        Self::NotDone(error)
    }
}
