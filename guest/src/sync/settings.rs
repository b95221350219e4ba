//! Reading and replacing the stored settings as a whole. What is valid is decided in `rules::settings_check`.

use crate::{
    error::{Error, Problem, Result},
    ports::Ports,
    rules::settings_check,
    settings::{Secret, Settings},
    sync::{
        connection, rest,
        smaregi_session::TOKEN_KEY,
        stock::records::store_key,
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

/// How often replacing is tried when somebody else is quicker.
const TRIES: u32 = 8;

/// Replaces the settings, unless there are problems: those found by whoever read them, and ours. See `wit/settings.wit`.
pub fn put(
    ports: &Ports<'_>,
    settings: &Settings,
    keep: &Keep,
    unreadable: &[Problem],
) -> Result<()> {
    for _ in 0..TRIES {
        // A secret that is kept is the one stored at this very moment, not one that another call has just replaced.
        if try_put(ports, settings.clone(), keep, unreadable)? {
            return Ok(());
        }
    }
    Err(Error::Contended(SETTINGS_KEY.to_owned(), ports.clock.now()))
}

fn try_put(
    ports: &Ports<'_>,
    settings: Settings,
    keep: &Keep,
    unreadable: &[Problem],
) -> Result<bool> {
    let seen = store::read::<Settings>(ports, SETTINGS_KEY)?;
    let old = seen
        .as_ref()
        .map(|seen| seen.value.clone())
        .unwrap_or_default();
    let settings = checked(&old, settings, keep, unreadable)?;
    let mut commit = Commit::new()
        .check(SETTINGS_KEY, seen.as_ref())
        .put(SETTINGS_KEY, &settings)?;
    if another_smaregi(&old, &settings) {
        commit = commit.delete(TOKEN_KEY);
    }
    // What was refused before may be right now.
    commit = rest::end_all(commit);
    follow_stores(ports, &old, &settings, commit)?.try_apply(ports)
}

/// The settings as `put` would store them over these old ones, or every problem it would find.
pub fn checked(
    old: &Settings,
    mut settings: Settings,
    keep: &Keep,
    unreadable: &[Problem],
) -> Result<Settings> {
    let secrets = &old.credentials;
    if keep.next_engine {
        settings.credentials.next_engine_client_secret = secrets.next_engine_client_secret.clone();
    }
    if keep.smaregi {
        settings.credentials.smaregi_client_secret = secrets.smaregi_client_secret.clone();
    }
    let mut problems = unreadable.to_vec();
    problems.extend(settings_check::validate(&settings));
    if problems.is_empty() {
        Ok(settings)
    } else {
        Err(Error::Invalid(problems))
    }
}

/// A store that is chosen while the link has a baseline takes part from this moment on; one chosen before, since the baseline.
fn follow_stores(
    ports: &Ports<'_>,
    old: &Settings,
    new: &Settings,
    mut commit: Commit,
) -> Result<Commit> {
    let (old, new) = (&old.stock.stores, &new.stock.stores);
    for gone in old.iter().filter(|id| !new.contains(id)) {
        commit = commit.delete(&store_key(gone));
    }
    if connection::link(ports)?.baseline.is_none() {
        return Ok(commit);
    }
    let now = ports.clock.now();
    for chosen in new.iter().filter(|id| !old.contains(id)) {
        commit = commit.put(&store_key(chosen), &now)?;
    }
    Ok(commit)
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        reason::Reason,
        sync::{stock::ingest::Since, testing::Script},
    };

    const KEEP: Keep = Keep {
        next_engine: true,
        smaregi: true,
    };

    fn complete(script: &Script) -> Settings {
        let mut settings = get(&script.ports()).unwrap();
        settings.credentials.next_engine_client_id = "ne".to_owned();
        settings.credentials.smaregi_client_id = "sm".to_owned();
        settings
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let script = Script::new();
        let mut settings = complete(&script);
        settings.pace.send_minutes = 0;
        let date = Problem {
            field: "orders.receiving-stores[0].start-date".to_owned(),
            reason: Reason::new("not-a-date", "x", "x"),
        };
        let Err(Error::Invalid(problems)) = put(&script.ports(), &settings, &KEEP, &[date]) else {
            panic!("accepted");
        };
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn a_token_is_for_one_address_contract_client_and_secret() {
        let script = Script::new();
        let settings = complete(&script);
        let other = |change: fn(&mut Settings)| {
            let mut other = settings.clone();
            change(&mut other);
            another_smaregi(&settings, &other)
        };
        assert!(!other(|settings| settings
            .credentials
            .next_engine_client_id
            .push('x')));
        assert!(other(|settings| settings.endpoints.smaregi_id.push('x')));
        assert!(other(|settings| settings
            .credentials
            .smaregi_contract_id
            .push('x')));
        assert!(other(|settings| settings
            .credentials
            .smaregi_client_id
            .push('x')));
        assert!(other(|settings| settings
            .credentials
            .smaregi_client_secret =
            Secret::default()));
    }

    #[test]
    fn a_store_takes_part_since_it_was_chosen_however_often() {
        let script = Script::new();
        script.switch_on(&["1"]);
        let baseline = script.now.get();
        let mut settings = complete(&script);
        let mut choose = |stores: &[&str]| {
            script.now.set(script.now.get() + TimeDelta::hours(1));
            settings.stock.stores = stores.iter().map(|id| (*id).to_owned()).collect();
            put(&script.ports(), &settings, &KEEP, &[]).unwrap();
            script.now.get()
        };
        let second = choose(&["1", "2"]);
        choose(&[]);
        let again = choose(&["1", "2"]);
        choose(&["1", "2", "3"]);
        let link = connection::link(&script.ports()).unwrap();
        let since = Since::read(&script.tenant(), &link).unwrap();
        assert!(again > second);
        assert_eq!((since.of("1"), since.of("2")), (Some(again), Some(again)));
        assert_eq!(since.of("9"), Some(baseline));
    }
}
