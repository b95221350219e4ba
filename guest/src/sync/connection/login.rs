//! ログインの往復: a ticket ties it to the browser that began it, because Next Engine makes its own `state` (next-engine.md 1.1).
//! Stores nothing of a login that is not the expected user's and company's.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, Side},
    next_engine::auth::{self, Login as Answered},
    reason::Text,
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
    expected(tenant, uid, &login)?;
    store_login(tenant, lease, login)
}

/// The user that the redirect named, and the company whose stock this ledger keeps.
fn expected(tenant: &Tenant<'_>, uid: &str, login: &Answered) -> Result<()> {
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
    if let Some(known) = known.filter(|known| known.value.id != login.company_id) {
        let name = known.value.name;
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
    Ok(())
}

fn store_login(tenant: &Tenant<'_>, lease: &mut Lease, login: Answered) -> Result<()> {
    let company = Company {
        id: login.company_id,
        name: login.company_name,
    };
    let login = Login::new(login.uid, &login.tokens, tenant.now());
    let seen = next_engine_login::stored(&tenant.ports)?;
    let commit = Commit::new()
        .check(LOGIN_KEY, seen.as_ref())
        .put(LOGIN_KEY, &login)?
        .put(COMPANY_KEY, &company)?;
    lease.renew(tenant, rest::end_all(commit))
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
