//! Bytes as a recording spells them.

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::random::hexadecimal;

/// Bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Bytes {
        /// Two digits for each.
        hex: String,
    },
}

impl Content {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes {
                hex: hexadecimal(bytes),
            },
        }
    }

    /// The bytes.
    ///
    /// # Errors
    /// When the digits are none.
    pub fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Bytes { hex } => from_hexadecimal(hex),
        }
    }

    /// For people.
    pub fn shown(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Bytes { hex } => hex,
        }
    }
}

/// The bytes of hexadecimal digits, two for each.
///
/// # Errors
/// When they are none.
pub fn from_hexadecimal(digits: &str) -> anyhow::Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let read = pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
    read.collect::<anyhow::Result<_>>()
        .with_context(|| format!("{digits} are no hexadecimal digits"))
}
