//! Random text that nobody can guess: links, sessions, form codes. Keeps nothing.

use std::fmt::Write as _;

use crate::storage::StoreError;

/// So many random bytes, in hexadecimal digits.
///
/// # Errors
/// When the system has no random numbers.
pub fn token(bytes: usize) -> Result<String, StoreError> {
    let mut random = vec![0; bytes];
    let failed = |error| StoreError::Unavailable(format!("no random numbers: {error}"));
    getrandom::fill(&mut random).map_err(failed)?;
    Ok(hexadecimal(&random))
}

/// Two digits for each byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
