//! ログインの往復: a ticket ties it to the browser that began it, because Next Engine makes its own `state` (next-engine.md 1.1).
//! Stores nothing of a login that is not the expected user's and company's.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, Side},
    next_engine::auth::{self, Login as Answered},
    reason::Text,
    settings::Secret,
    sync::{
        call_error::CallError,
        connection::get_status,
        next_engine_lease::Lease,
        next_engine_login::{self, COMPANY_KEY, Company, LOGIN_KEY, Login},
        next_engine_session,
        report::{LoginStart, Status},
        rest,
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// A person may look for a password meanwhile.
const TICKET_LIVES: TimeDelta = TimeDelta::minutes(30);
const PREFIX: &str = "login-ticket/";
const OLD_AT_ONCE: u32 = 100;
const TRIES: u32 = 10;

#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    expires_at: Moment,
}

/// Begins a login. See `wit/connection.wit`.
pub fn begin_login(tenant: &Tenant<'_>) -> Result<LoginStart> {
    let settings = &tenant.settings;
    if settings.credentials.next_engine_client_id.is_empty()
        || settings.credentials.next_engine_client_secret.is_empty()
    {
        return Err(Error::NotConnected(
            Side::NextEngine,
            Text::new(
                "ネクストエンジンのクライアントIDとシークレットの設定がありません。",
                "Next Engine's client is not set.",
            ),
        ));
    }
    let expires_at = tenant.now() + TICKET_LIVES;
    let random = tenant.ports.random;
    let ticket = format!("{:016x}{:016x}", random.next(), random.next());
    let mut commit = Commit::new().put(&key(&ticket), &Ticket { expires_at })?;
    let old: Vec<Stored<Ticket>> = store::list(&tenant.ports, PREFIX, OLD_AT_ONCE)?;
    for old in old
        .iter()
        .filter(|old| old.value.expires_at <= tenant.now())
    {
        commit = commit.delete(&old.key);
    }
    commit.apply(&tenant.ports)?;
    Ok(LoginStart {
        address: auth::sign_in_address(&settings.endpoints, &settings.credentials),
        ticket,
        expires_at,
    })
}

/// Ends a login. See `wit/connection.wit`.
pub async fn finish_login(
    tenant: &Tenant<'_>,
    ticket: &str,
    uid: &str,
    state: &str,
) -> Result<Status> {
    let key = key(ticket);
    let seen = store::read::<Ticket>(&tenant.ports, &key)?
        .filter(|seen| seen.value.expires_at > tenant.now());
    // The ticket itself is not repeated: it is as good as a password for a while.
    let seen = seen.ok_or_else(|| Error::NotFound("login", String::new()))?;
    let mut lease = Lease::take(tenant)?;
    let used = Commit::new()
        .check(&key, Some(&seen))
        .delete(&key)
        .apply(&tenant.ports);
    let finished = match used {
        Ok(()) => exchange(tenant, &mut lease, uid, state).await,
        Err(error) => Err(error),
    };
    lease.release(tenant)?;
    finished?;
    get_status(&tenant.ports)
}

async fn exchange(tenant: &Tenant<'_>, lease: &mut Lease, uid: &str, state: &str) -> Result<()> {
    let before = next_engine_login::stored(&tenant.ports)?.map(|seen| seen.value.access);
    let call = auth::exchange(&tenant.settings.credentials, uid, state);
    let answer = next_engine_session::post(tenant, lease, &call, None).await?;
    next_engine_session::judge(tenant, false, answer.verdict.clone()).map_err(
        |error| match error {
            CallError::NotDone(Error::LoginNeeded(..)) => refused("login-refused", not_accepted()),
            error => error.into(),
        },
    )?;
    let login =
        auth::decode(&answer).map_err(|reason| refused("unreadable-login", reason.message))?;
    next_engine_session::storing(tenant, || store_login(tenant, uid, before.as_ref(), &login)).await
}

/// The user that the redirect named, and the company whose stock this ledger keeps.
fn expected(tenant: &Tenant<'_>, uid: &str, login: &Answered) -> Result<Option<Stored<Company>>> {
    if login.uid != uid {
        return Err(refused(
            "another-user",
            Text::new(
                "戻ってきたログインの利用者が、ネクストエンジンの答えと違います。もう一度ログインしてください。",
                "Next Engine answered for another user than the one who came back. Log in again.",
            ),
        ));
    }
    let known = store::read::<Company>(&tenant.ports, COMPANY_KEY)?;
    let other = known
        .as_ref()
        .filter(|known| known.value.id != login.company_id);
    if let Some(other) = other {
        let name = &other.value.name;
        return Err(refused(
            "another-company",
            Text::new(
                format!(
                    "この連携は「{name}」の在庫を管理しています。同じ企業でログインしてください。"
                ),
                format!("This link keeps the stock of {name}. Log in to the same company."),
            ),
        ));
    }
    Ok(known)
}

/// Stores the login by the rule of `next_engine_login::store_pair`, whether the lease was kept or not: the answer may have been slept
/// over, and its pair has killed the one before it. `before` was stored when the exchange was asked for.
fn store_login(
    tenant: &Tenant<'_>,
    uid: &str,
    before: Option<&Secret>,
    login: &Answered,
) -> Result<()> {
    let company = Company {
        id: login.company_id.clone(),
        name: login.company_name.clone(),
    };
    let fresh = Login::new(login.uid.clone(), &login.tokens, tenant.now());
    for _ in 0..TRIES {
        let known = expected(tenant, uid, login)?;
        let seen = next_engine_login::stored(&tenant.ports)?;
        if is_late(seen.as_ref().map(|seen| &seen.value), before, login) {
            return Ok(());
        }
        let commit = Commit::new()
            .check(COMPANY_KEY, known.as_ref())
            .check(LOGIN_KEY, seen.as_ref())
            .put(LOGIN_KEY, &fresh)?
            .put(COMPANY_KEY, &company)?;
        if rest::end_all(commit).try_apply(&tenant.ports)? {
            return Ok(());
        }
    }
    Err(Error::Contended(LOGIN_KEY.to_owned(), tenant.now()))
}

/// Whether somebody stored a newer pair meanwhile, or disconnected.
fn is_late(seen: Option<&Login>, before: Option<&Secret>, login: &Answered) -> bool {
    let Some(seen) = seen else {
        return before.is_some();
    };
    let ours = before == Some(&seen.access) || seen.ends_before(&login.tokens);
    !ours && seen.dead_since.is_none()
}

fn not_accepted() -> Text {
    Text::new(
        "ネクストエンジンがログインを受け付けませんでした。もう一度初めからログインしてください。",
        "Next Engine did not accept the login. Begin again.",
    )
}

fn refused(code: &str, message: Text) -> Error {
    Error::Refused(Side::NextEngine, code.to_owned(), message)
}

/// Foreign text in a key: only what a ticket of ours can hold.
fn key(ticket: &str) -> String {
    let plain: String = ticket
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(32)
        .collect();
    format!("{PREFIX}{plain}")
}

#[cfg(test)]
mod tests {
    use futures_util::future::LocalBoxFuture;
    use serde_json::json;

    use super::*;
    use crate::{
        ports::{Http, HttpRequest, Ports},
        sync::tenant::SETTINGS_KEY,
        sync::testing::{Answer, Script, at_once},
    };

    /// Sleeps beyond the lease before it gives the answer on, while somebody else does something.
    struct Sleepy<'a> {
        script: &'a Script,
        meanwhile: &'a dyn Fn(),
    }

    impl Http for Sleepy<'_> {
        fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Answer> {
            let answer = self.script.send(request);
            self.script
                .now
                .set(self.script.now.get() + TimeDelta::seconds(300));
            (self.meanwhile)();
            answer
        }
    }

    /// Finishes a login that is slept over; gives what came of it and the pair that is stored then.
    fn slept_over(
        script: &Script,
        company: &str,
        meanwhile: &dyn Fn(),
    ) -> (Result<Status>, Option<String>) {
        script.will(
            200,
            &json!({"result": "success", "uid": "u", "company_ne_id": company, "company_name": "c",
                "access_token": "new", "refresh_token": "r-new",
                "access_token_end_date": "2026-11-25 12:00:00", "refresh_token_end_date": "2026-11-27 12:00:00"}),
        );
        let http = Sleepy { script, meanwhile };
        let ports = Ports {
            http: &http,
            ..script.ports()
        };
        let tenant = Tenant::open(ports, 100, 6_000).unwrap();
        let ticket = begin_login(&tenant).unwrap().ticket;
        let finished = at_once(finish_login(&tenant, &ticket, "u", "s"));
        let stored = next_engine_login::stored(&script.ports()).unwrap();
        (
            finished,
            stored.map(|stored| stored.value.access.reveal().to_owned()),
        )
    }

    fn shop() -> Script {
        let script = Script::new();
        script.switch_on(&["1"]);
        let mut settings = script.tenant().settings;
        settings.credentials.next_engine_client_id = "ne".to_owned();
        let login = next_engine_login::stored(&script.ports()).unwrap().unwrap();
        let login = Login {
            access_ends: script.now.get() + TimeDelta::hours(1),
            ..login.value
        };
        let company = Company {
            id: "7".to_owned(),
            name: "c".to_owned(),
        };
        let commit = Commit::new().put(LOGIN_KEY, &login).unwrap();
        let commit = commit.put(COMPANY_KEY, &company).unwrap();
        let commit = commit.put(SETTINGS_KEY, &settings).unwrap();
        commit.apply(&script.ports()).unwrap();
        script
    }

    /// Somebody takes the lease that ran out, and changes the stored pair.
    fn other(script: &Script, change: impl Fn(&mut Login)) {
        let tenant = script.tenant();
        let lease = Lease::take(&tenant).unwrap();
        let mut login = next_engine_login::stored(&script.ports())
            .unwrap()
            .unwrap()
            .value;
        change(&mut login);
        let commit = Commit::new().put(LOGIN_KEY, &login).unwrap();
        commit.apply(&script.ports()).unwrap();
        lease.release(&tenant).unwrap();
    }

    #[test]
    fn a_ticket_lives_for_half_an_hour_and_its_time_clears_it_away() {
        let script = shop();
        let tickets = || {
            let entries = script.storage.entries.borrow();
            entries.keys().filter(|key| key.starts_with(PREFIX)).count()
        };
        let begin = || begin_login(&script.tenant()).unwrap().ticket;
        let (first, second) = (begin(), begin());
        assert_eq!((tickets(), first == second), (2, false));
        let late = |ticket: &str, seconds: i64| {
            script
                .now
                .set(script.now.get() + TimeDelta::seconds(seconds));
            let finished = at_once(finish_login(&script.tenant(), ticket, "u", "s"));
            matches!(finished, Err(Error::NotFound(..)))
        };
        script.will(200, &json!({"result": "error", "code": "002003"}));
        assert!(!late(&first, 1_799));
        assert_eq!(tickets(), 1, "a ticket is used once");
        assert!(late(&second, 1));
        begin();
        assert_eq!(tickets(), 1, "the old one is gone");
    }

    #[test]
    fn a_login_needs_name_and_word_of_the_client() {
        let begins = |change: fn(&mut crate::settings::Credentials)| {
            let script = shop();
            let mut tenant = script.tenant();
            change(&mut tenant.settings.credentials);
            begin_login(&tenant).is_ok()
        };
        assert!(begins(|_| ()));
        assert!(!begins(|credentials| credentials
            .next_engine_client_id
            .clear()));
        assert!(!begins(|credentials| credentials
            .next_engine_client_secret =
            Secret::default()));
    }

    #[test]
    fn a_login_that_was_slept_over_is_not_thrown_away() {
        for dead in [false, true] {
            let script = shop();
            let now = script.now.get();
            let meanwhile = || {
                other(&script, |login| login.dead_since = dead.then_some(now));
            };
            let (finished, stored) = slept_over(&script, "7", &meanwhile);
            assert!(finished.is_ok(), "{:?}", finished.err());
            assert_eq!(stored.as_deref(), Some("new"));
        }
    }

    #[test]
    fn the_newer_end_wins_over_a_login_that_was_slept_over() {
        for (days, left) in [(2, "theirs"), (0, "new")] {
            let script = shop();
            let ends = script.now.get() + TimeDelta::days(days) + TimeDelta::hours(2);
            let meanwhile = || {
                other(&script, |login| {
                    login.access = Secret::new("theirs".to_owned());
                    login.access_ends = ends;
                });
            };
            let (finished, stored) = slept_over(&script, "7", &meanwhile);
            assert!(finished.is_ok());
            assert_eq!(stored.as_deref(), Some(left));
        }
    }

    #[test]
    fn a_login_that_was_slept_over_binds_as_any_other() {
        let script = shop();
        let meanwhile = || other(&script, |_| ());
        let (finished, stored) = slept_over(&script, "8", &meanwhile);
        assert!(matches!(finished, Err(Error::Refused(..))));
        assert_eq!(stored.as_deref(), Some("a"));
        let disconnected = || {
            super::super::disconnect(&script.ports()).unwrap();
        };
        assert_eq!(slept_over(&script, "7", &disconnected).1, None);
    }

    #[test]
    fn a_login_waits_for_a_storage_that_is_away_for_seconds() {
        let script = shop();
        let meanwhile = || script.storage.away.borrow_mut().extend([true, true]);
        let (finished, stored) = slept_over(&script, "7", &meanwhile);
        assert!(finished.is_ok(), "{:?}", finished.err());
        assert_eq!(stored.as_deref(), Some("new"));
    }
}
