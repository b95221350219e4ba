//! Reading and replacing the stored settings as a whole. What is valid is decided in `rules::settings_check`.

use crate::{
    error::{Error, Result},
    ports::Ports,
    rules::settings_check,
    settings::{Secret, Settings},
    sync::{
        smaregi_session::TOKEN_KEY,
        store::{self, Commit},
        tenant::SETTINGS_KEY,
    },
};

/// The stored settings, or the defaults before the first [`put`].
pub fn get(ports: &Ports<'_>) -> Result<Settings> {
    Ok(store::read::<Settings>(ports, SETTINGS_KEY)?
        .map(|stored| stored.value)
        .unwrap_or_default())
}

/// Secrets to keep when new settings bring none.
pub struct Keep {
    /// Keep Next Engine's.
    pub next_engine: bool,
    /// Keep Smaregi's.
    pub smaregi: bool,
}

/// Replaces the settings. See `wit/settings.wit`.
pub fn put(ports: &Ports<'_>, mut settings: Settings, keep: &Keep) -> Result<()> {
    let old = get(ports)?;
    let secrets = &old.credentials;
    if keep.next_engine {
        settings.credentials.next_engine_client_secret = secrets.next_engine_client_secret.clone();
    }
    if keep.smaregi {
        settings.credentials.smaregi_client_secret = secrets.smaregi_client_secret.clone();
    }
    let problems = settings_check::validate(&settings);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let mut commit = Commit::new().put(SETTINGS_KEY, &settings)?;
    if another_smaregi(&old, &settings) {
        commit = commit.delete(TOKEN_KEY);
    }
    commit.apply(ports)
}

/// Whether the cached token may belong to another contract, client or address.
fn another_smaregi(old: &Settings, new: &Settings) -> bool {
    let of = |settings: &Settings| -> (String, String, String, Secret) {
        let credentials = &settings.credentials;
        (
            settings.endpoints.smaregi_id.clone(),
            credentials.smaregi_contract_id.clone(),
            credentials.smaregi_client_id.clone(),
            credentials.smaregi_client_secret.clone(),
        )
    };
    of(old) != of(new)
}
