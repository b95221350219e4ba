//! The stored login to Next Engine: whose it is, its pair of tokens, and whether it is dead. Makes no call.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, Side},
    next_engine::answer::Tokens,
    ports::Ports,
    reason::Text,
    settings::Secret,
    sync::{
        report::TokenTimes,
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// Where the login is kept; absent when nobody is logged in.
pub const LOGIN_KEY: &str = "next-engine/login";
/// Whose stock this ledger keeps; stays after disconnecting.
pub const COMPANY_KEY: &str = "next-engine/company";

/// Lives of a pair that an answer does not date (next-engine.md 1.3).
const ACCESS_LIVES: TimeDelta = TimeDelta::days(1);
const REFRESH_LIVES: TimeDelta = TimeDelta::days(3);
const TRIES: u32 = 10;

/// A login.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// User of Next Engine.
    pub uid: String,
    /// アクセストークン
    pub access: Secret,
    /// Its end.
    pub access_ends: Moment,
    /// リフレッシュトークン
    pub refresh: Secret,
    /// Its end.
    pub refresh_ends: Moment,
    /// When Next Engine first said that the pair is dead.
    pub dead_since: Option<Moment>,
}

/// The company of the first login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// `company_ne_id`
    pub id: String,
    /// 企業名
    pub name: String,
}

impl Login {
    /// A login with a new pair, received now.
    pub fn new(uid: String, tokens: &Tokens, now: Moment) -> Self {
        Self {
            uid,
            access: tokens.access.clone(),
            access_ends: tokens.access_ends.unwrap_or(now + ACCESS_LIVES),
            refresh: tokens.refresh.clone(),
            refresh_ends: tokens.refresh_ends.unwrap_or(now + REFRESH_LIVES),
            dead_since: None,
        }
    }

    /// Whether the other pair is newer. One without a date is no newer than another.
    pub fn ends_before(&self, tokens: &Tokens) -> bool {
        tokens
            .access_ends
            .is_some_and(|ends| self.access_ends < ends)
    }

    /// Both ends.
    pub fn times(&self) -> TokenTimes {
        TokenTimes {
            access_expires_at: self.access_ends,
            refresh_expires_at: self.refresh_ends,
        }
    }
}

/// The stored login, dead or alive.
pub fn stored(ports: &Ports<'_>) -> Result<Option<Stored<Login>>> {
    store::read(ports, LOGIN_KEY)
}

/// A login that can be used now. One past its refresh token's end cannot; that is worked out each time and not stored, because a
/// clock that was wrong for a moment must not end a login.
pub fn usable(tenant: &Tenant<'_>) -> Result<Login> {
    let Some(login) = stored(&tenant.ports)? else {
        return Err(Error::NotConnected(
            Side::NextEngine,
            Text::new(
                "ネクストエンジンにログインしていません。",
                "Nobody is logged in to Next Engine.",
            ),
        ));
    };
    if let Some(since) = login.value.dead_since {
        return Err(needed(since));
    }
    if login.value.refresh_ends <= tenant.now() {
        return Err(needed(login.value.refresh_ends));
    }
    Ok(login.value)
}

/// Stores the pair of an answer to a call made with `used`. The pair may arrive late, after somebody else took over: then the
/// newer of the two stays, because the older one is dead already.
pub fn store_pair(tenant: &Tenant<'_>, used: &Login, tokens: &Tokens) -> Result<Login> {
    let fresh = Login::new(used.uid.clone(), tokens, tenant.now());
    for _ in 0..TRIES {
        let Some(seen) = stored(&tenant.ports)? else {
            return Ok(fresh);
        };
        let ours = seen.value.access == used.access || seen.value.ends_before(tokens);
        if seen.value.uid != used.uid || seen.value.access == fresh.access || !ours {
            return Ok(seen.value);
        }
        if Commit::new()
            .check(LOGIN_KEY, Some(&seen))
            .put(LOGIN_KEY, &fresh)?
            .try_apply(&tenant.ports)?
        {
            return Ok(fresh);
        }
    }
    Err(Error::Contended(LOGIN_KEY.to_owned(), tenant.now()))
}

/// Notes that this pair is dead, unless another is stored by now; gives the error to end with.
pub fn mark_dead(tenant: &Tenant<'_>, used: &Login) -> Error {
    let since = tenant.now();
    let marked = stored(&tenant.ports).and_then(|seen| match seen {
        Some(seen) if seen.value.access == used.access && seen.value.dead_since.is_none() => {
            let dead = Login {
                dead_since: Some(since),
                ..seen.value.clone()
            };
            Commit::new()
                .check(LOGIN_KEY, Some(&seen))
                .put(LOGIN_KEY, &dead)?
                .try_apply(&tenant.ports)
                .map(|_| ())
        }
        _ => Ok(()),
    });
    marked.err().unwrap_or_else(|| needed(since))
}

/// What a merchant reads then.
pub fn needed(since: Moment) -> Error {
    Error::LoginNeeded(since, demand())
}

/// The words of it.
pub fn demand() -> Text {
    Text::new(
        "ネクストエンジンへのログインの期限が切れました。もう一度ログインしてください。溜まった仕事は失われていません。",
        "The login to Next Engine has expired. Log in again; nothing that waited is lost.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{settings::Secret, sync::testing::Script};

    /// The shop's pair `a` is stored; what is there after `with` was used and answered with `fresh`, which ends so many hours later.
    fn stored_after(change: impl Fn(&mut Login), fresh: &str, hours: i64) -> (Script, Login) {
        let script = Script::new();
        script.switch_on(&[]);
        let used = stored(&script.ports()).unwrap().unwrap().value;
        let mut now = used.clone();
        change(&mut now);
        let commit = Commit::new().put(LOGIN_KEY, &now).unwrap();
        commit.apply(&script.ports()).unwrap();
        let tokens = Tokens {
            access: Secret::new(fresh.to_owned()),
            access_ends: Some(used.access_ends + chrono::TimeDelta::hours(hours)),
            refresh: Secret::new("r".to_owned()),
            refresh_ends: None,
        };
        let answered = store_pair(&script.tenant(), &used, &tokens).unwrap();
        let left = stored(&script.ports()).unwrap().unwrap().value;
        assert_eq!(answered.access, left.access);
        (script, left)
    }

    #[test]
    fn a_pair_replaces_its_own_and_older_ones_of_the_same_user() {
        let theirs = |login: &mut Login| login.access = Secret::new("theirs".to_owned());
        let another_user = |login: &mut Login| {
            theirs(login);
            login.uid = "other".to_owned();
        };
        for (left, hours, expected) in [
            (stored_after(|_| (), "new", 0), 0, "new"),
            (stored_after(theirs, "new", 1), 1, "new"),
            (stored_after(theirs, "new", 0), 0, "theirs"),
            (stored_after(theirs, "new", -1), -1, "theirs"),
            (stored_after(another_user, "new", 1), 1, "theirs"),
        ] {
            assert_eq!(left.1.access.reveal(), expected, "{hours}");
        }
        let (script, _) = stored_after(|_| (), "new", 0);
        let used = stored(&script.ports()).unwrap().unwrap();
        let forget = Commit::new().delete(LOGIN_KEY);
        forget.apply(&script.ports()).unwrap();
        let tokens = Tokens {
            access: Secret::new("late".to_owned()),
            access_ends: None,
            refresh: Secret::new("r".to_owned()),
            refresh_ends: None,
        };
        let answered = store_pair(&script.tenant(), &used.value, &tokens).unwrap();
        assert_eq!(answered.access.reveal(), "late");
        assert!(
            stored(&script.ports()).unwrap().is_none(),
            "disconnected meanwhile"
        );
    }

    #[test]
    fn a_pair_is_dead_since_it_was_first_said_and_no_other_is() {
        let script = Script::new();
        script.switch_on(&[]);
        let dead_since = || stored(&script.ports()).unwrap().unwrap().value.dead_since;
        let used = stored(&script.ports()).unwrap().unwrap().value;
        let another = Login {
            access: Secret::new("another".to_owned()),
            ..used.clone()
        };
        mark_dead(&script.tenant(), &another);
        assert_eq!(dead_since(), None);
        let first = script.now.get();
        for _ in 0..2 {
            let error = mark_dead(&script.tenant(), &used);
            assert_eq!(error, needed(script.now.get()));
            assert_eq!(dead_since(), Some(first));
            script.now.set(first + chrono::TimeDelta::hours(1));
        }
    }
}
