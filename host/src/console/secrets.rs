//! Passwords, tokens and form codes: how they are made, kept and compared. What is stored opens nothing by itself. Knows no account.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::{
    random::{self, hexadecimal},
    storage::StoreError,
};

/// Random bytes of a token.
const BYTES: usize = 32;
/// Random bytes that go into a password's hash.
const SALT: usize = 16;
/// Hashes made at once: each takes 19 MiB and some hundredths of a second of a core.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A new token: as good as a password while it lives.
pub fn token() -> Result<String, StoreError> {
    random::token(BYTES)
}

/// What is kept of a token.
pub fn digest(token: &str) -> String {
    hexadecimal(&Sha256::digest(token.as_bytes()))
}

/// What a form must carry to be taken from the browser with this token. Tells nothing about the token.
pub fn form_code(token: &str) -> String {
    digest(&format!("form code of {token}"))
}

/// Compares without telling by its time how much was right.
pub fn same(given: &str, known: &str) -> bool {
    bool::from(given.as_bytes().ct_eq(known.as_bytes()))
}

/// What is kept of a password (argon2id, with its salt and cost).
pub async fn hash(password: String) -> Result<String, StoreError> {
    at_work(move || {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).ok()?;
        let hash: PasswordHash = Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .ok()?;
        Some(hash.to_string())
    })
    .await?
    .ok_or_else(|| StoreError::Unavailable("no password can be hashed".to_owned()))
}

/// Whether the password belongs to the hash. Without one, an unknown account, as much work is done, so that time does not tell.
pub async fn fits(password: String, known: Option<String>) -> Result<bool, StoreError> {
    let Some(known) = known else {
        hash(password).await?;
        return Ok(false);
    };
    at_work(move || {
        let checked = Argon2::default().verify_password(password.as_bytes(), known.as_str());
        checked.is_ok()
    })
    .await
}

async fn at_work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let ended = || StoreError::Unavailable("a password could not be looked at".to_owned());
    let _turn = AT_ONCE.acquire().await.map_err(|_| ended())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| ended())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_salted_and_fits_its_password_alone() {
        let first = hash("a long password".to_owned()).await.unwrap();
        let again = hash("a long password".to_owned()).await.unwrap();
        assert!(first.starts_with("$argon2id$"), "{first}");
        assert_ne!(first, again);
        for (password, right) in [("a long password", true), ("a long passwort", false)] {
            let fits = fits(password.to_owned(), Some(first.clone())).await;
            assert_eq!(fits.unwrap(), right);
        }
        assert!(!fits("a long password".to_owned(), None).await.unwrap());
    }
}
