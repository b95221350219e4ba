//! Talking to ネクストエンジン: one call at a time under a lease, counted before it is made, and the pair of tokens of any answer
//! stored before anything else is done with it. Knows no order and no stock.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

use crate::{
    error::{Error, Result, Side},
    next_engine::{
        Call,
        answer::{self, Answer, Verdict},
    },
    ports::{Check, HttpFailure, HttpRequest},
    reason::Text,
    sync::{
        call_error::{CallError, Refusal},
        meter,
        next_engine_lease::Lease,
        next_engine_login::{self, Login},
        store::Commit,
        tenant::Tenant,
    },
};

/// How long a call may take; half the lease.
const TIMEOUT: Duration = Duration::from_secs(60);
/// After an outage without a time of its own.
const PAUSE: i64 = 60;
/// A pair found dead may be dead because its successor is just being stored elsewhere: looked for once more after this.
const SECOND_READING: Duration = Duration::from_secs(5);

/// A session of one call, holding the lease until [`NextEngine::close`] or until it runs out.
pub struct NextEngine<'a> {
    tenant: &'a Tenant<'a>,
    lease: Lease,
    login: Login,
}

impl<'a> NextEngine<'a> {
    /// Needs a living login and the lease.
    pub async fn open(tenant: &'a Tenant<'a>) -> Result<Self> {
        next_engine_login::usable(tenant)?;
        let lease = Lease::take(tenant)?;
        // Read under the lease: whoever held it before may have renewed the pair.
        match next_engine_login::usable(tenant) {
            Ok(login) => Ok(Self {
                tenant,
                lease,
                login,
            }),
            Err(error) => {
                lease.release(tenant)?;
                Err(error)
            }
        }
    }

    /// Makes a call and gives its whole answer.
    pub async fn send(&mut self, call: Call) -> std::result::Result<Value, CallError> {
        let mut read_again = false;
        loop {
            let used = self.login.clone();
            let answer = post(self.tenant, &mut self.lease, &call, Some(&used)).await?;
            if let Some(tokens) = &answer.tokens {
                let stored = next_engine_login::store_pair(self.tenant, &used, tokens);
                self.login = stored.map_err(|error| open_if(call.writes, error))?;
            }
            match answer.verdict {
                Verdict::StaleTokens if !read_again && self.successor(&used).await? => {
                    read_again = true
                }
                Verdict::StaleTokens | Verdict::LoginDead(_) => {
                    return Err(CallError::NotDone(next_engine_login::mark_dead(
                        self.tenant,
                        &used,
                    )));
                }
                verdict => return judge(self.tenant, call.writes, verdict).map(|()| answer.body),
            }
        }
    }

    /// Whether another pair is stored by now; takes it over.
    async fn successor(&mut self, used: &Login) -> Result<bool> {
        for wait in [Duration::ZERO, SECOND_READING] {
            if !wait.is_zero() {
                self.tenant.ports.clock.sleep(wait).await;
            }
            let stored = next_engine_login::stored(&self.tenant.ports)?.map(|stored| stored.value);
            if let Some(login) =
                stored.filter(|login| login.access != used.access && login.dead_since.is_none())
            {
                self.login = login;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What every commit of this session's findings must check.
    pub fn fence(&self) -> Check {
        self.lease.fence()
    }

    /// Gives the lease back.
    pub fn close(self) -> Result<()> {
        self.lease.release(self.tenant)
    }
}

/// One request, counted first. Without a login no tokens are sent, which only the login's own exchange may do.
pub async fn post(
    tenant: &Tenant<'_>,
    lease: &mut Lease,
    call: &Call,
    login: Option<&Login>,
) -> std::result::Result<Answer, CallError> {
    tenant.budget.spend(tenant.now())?;
    let counted = meter::count_next_engine(tenant, Commit::new(), call.path)?;
    lease.renew(tenant, counted)?;
    let response = match tenant.ports.http.send(http(tenant, call, login)).await {
        Ok(response) => response,
        Err(HttpFailure::NotSent) => return Err(CallError::NotDone(outage(tenant, PAUSE))),
        Err(HttpFailure::OutcomeUnknown) => {
            return Err(open_if(call.writes, outage(tenant, PAUSE)));
        }
    };
    answer::read(&response.body).ok_or_else(|| open_if(call.writes, outage(tenant, PAUSE)))
}

fn http(tenant: &Tenant<'_>, call: &Call, login: Option<&Login>) -> HttpRequest {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(&call.form);
    if let Some(login) = login {
        // Without the refresh token an expired access token would end the login (next-engine.md 1.3).
        form.append_pair("access_token", login.access.reveal());
        form.append_pair("refresh_token", login.refresh.reveal());
    }
    HttpRequest {
        method: "POST",
        url: format!("{}{}", tenant.settings.endpoints.next_engine_api, call.path),
        headers: vec![(
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        )],
        body: form.finish().into_bytes(),
        timeout: TIMEOUT,
    }
}

/// What a verdict other than about tokens means for whoever recorded an intent.
pub fn judge(
    tenant: &Tenant<'_>,
    writes: bool,
    verdict: Verdict,
) -> std::result::Result<(), CallError> {
    match verdict {
        Verdict::Success => Ok(()),
        Verdict::Busy(code, seconds) => Err(CallError::NotDone(busy(tenant, &code, seconds))),
        Verdict::Broken(_) => Err(open_if(writes, outage(tenant, PAUSE))),
        Verdict::Refused(code, message) => Err(CallError::Refused(Refusal {
            side: Side::NextEngine,
            code,
            message,
        })),
        Verdict::StaleTokens | Verdict::LoginDead(_) => {
            Err(CallError::NotDone(next_engine_login::needed(tenant.now())))
        }
    }
}

fn open_if(writes: bool, error: Error) -> CallError {
    if writes {
        CallError::Unknown(error)
    } else {
        CallError::NotDone(error)
    }
}

fn outage(tenant: &Tenant<'_>, seconds: i64) -> Error {
    Error::Unavailable(
        Side::NextEngine,
        Text::new(
            "ネクストエンジンから正しい応答がありません。",
            "Next Engine does not answer properly.",
        ),
        tenant.now() + TimeDelta::seconds(seconds),
    )
}

fn busy(tenant: &Tenant<'_>, code: &str, seconds: i64) -> Error {
    Error::Unavailable(
        Side::NextEngine,
        Text::new(
            format!("ネクストエンジンが混雑またはメンテナンス中です({code})。"),
            format!("Next Engine is busy or under maintenance ({code})."),
        ),
        tenant.now() + TimeDelta::seconds(seconds),
    )
}
