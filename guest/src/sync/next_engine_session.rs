//! Talking to ネクストエンジン: one call at a time under a lease, counted before it is made, and the pair of tokens of any answer
//! stored before anything else is done with it. Knows no order and no stock.

use std::time::Duration;

use chrono::TimeDelta;

use crate::{
    error::{Error, Result, Side},
    next_engine::{
        Call,
        answer::{self, Answer, Tokens, Verdict},
    },
    planted::Planted,
    ports::{Check, HttpFailure, HttpRequest},
    reason::{Reason, Text},
    sync::{
        call_error::{CallError, Refusal},
        meter,
        next_engine_lease::Lease,
        next_engine_login::{self, Login},
        store::Commit,
        tenant::Tenant,
    },
    wire::Value,
};

/// How long a call may take; half the lease.
const TIMEOUT: Duration = Duration::from_secs(60);
/// After an outage without a time of its own.
const PAUSE: i64 = 60;
/// A pair found dead may be dead because its successor is just being stored elsewhere: looked for once more after this.
const SECOND_READING: Duration = Duration::from_secs(5);

/// Seconds to wait for a storage that cannot take a new pair, together well within the lease.
const STORING_AGAIN: [u64; 4] = [1, 2, 4, 8];

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
            if let Some(tokens) = answer
                .tokens
                .as_ref()
                .filter(|_| Planted::TokensAfterUse.is_on())
            {
                self.login = Login::new(used.uid.clone(), tokens, self.tenant.now());
            } else if let Some(tokens) = &answer.tokens {
                let stored = keep_pair(self.tenant, &used, tokens).await;
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
                verdict => {
                    judge(self.tenant, call.writes, verdict)?;
                    return listed(self.tenant, &call, answer.body);
                }
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
        if Planted::TokensAfterUse.is_on() {
            let late = Commit::new().put(next_engine_login::LOGIN_KEY, &self.login)?;
            late.apply(&self.tenant.ports)?;
        }
        self.lease.release(self.tenant)
    }
}

/// Stores a new pair.
async fn keep_pair(tenant: &Tenant<'_>, used: &Login, tokens: &Tokens) -> Result<Login> {
    storing(tenant, || {
        next_engine_login::store_pair(tenant, used, tokens)
    })
    .await
}

/// Stores what a new pair is part of. The old one is dead by now, so a storage that cannot be used for a moment is waited for: losing
/// the pair would cost a person a login.
pub async fn storing<T>(tenant: &Tenant<'_>, store: impl Fn() -> Result<T>) -> Result<T> {
    for wait in STORING_AGAIN {
        match store() {
            Err(Error::Storage(..)) => {
                tenant.ports.clock.sleep(Duration::from_secs(wait)).await;
            }
            stored => return stored,
        }
    }
    store()
}

/// The answer, if it is the list that was asked for; a search is worth repeating.
fn listed(tenant: &Tenant<'_>, call: &Call, body: Value) -> std::result::Result<Value, CallError> {
    let flaw = answer::list_flaw(&body).filter(|_| call.searches());
    let Some(Reason { message, .. }) = flaw else {
        return Ok(body);
    };
    let (ja, en, path) = (message.ja, message.en, call.path);
    let message = Text::new(
        format!(
            "ネクストエンジンの応答({path})を読み取れません。しばらくして自動で読み直します。{ja}"
        ),
        format!(
            "An answer of Next Engine's ({path}) cannot be read. It is asked for again by itself. {en}"
        ),
    );
    let at = tenant.now() + TimeDelta::seconds(PAUSE);
    Err(CallError::NotDone(Error::Unavailable(
        Side::NextEngine,
        message,
        at,
    )))
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
    if writes && !Planted::TimeoutIsRefusal.is_on() {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        next_engine::company,
        settings::Secret,
        sync::{
            next_engine_login::LOGIN_KEY,
            store,
            testing::{Script, at_once},
        },
    };

    fn logged_in() -> Script {
        let script = Script::new();
        write_pair(&script, "a1", "r1");
        script
    }

    fn write_pair(script: &Script, access: &str, refresh: &str) {
        let now = script.now.get();
        let login = Login {
            uid: "u".to_owned(),
            access: Secret::new(access.to_owned()),
            access_ends: now + TimeDelta::days(1),
            refresh: Secret::new(refresh.to_owned()),
            refresh_ends: now + TimeDelta::days(3),
            dead_since: None,
        };
        let commit = Commit::new().put(LOGIN_KEY, &login).unwrap();
        commit.apply(&script.ports()).unwrap();
    }

    fn stored(script: &Script) -> Login {
        store::read::<Login>(&script.ports(), LOGIN_KEY)
            .unwrap()
            .unwrap()
            .value
    }

    fn pair(result: &str, code: &str, access: &str) -> serde_json::Value {
        json!({"result": result, "code": code, "message": "x", "access_token": access, "refresh_token": format!("r-{access}"),
            "access_token_end_date": "2026-11-26 12:00:00", "refresh_token_end_date": "2026-11-28 12:00:00"})
    }

    fn call(script: &Script) -> std::result::Result<Value, CallError> {
        at_once(async {
            let tenant = script.tenant();
            let mut session = NextEngine::open(&tenant).await.map_err(CallError::from)?;
            let answer = session.send(company::info()).await;
            session.close().unwrap();
            answer
        })
    }

    #[test]
    fn a_new_pair_is_stored_even_when_the_call_failed() {
        let script = logged_in();
        script.will(200, &pair("error", "003002", "a2"));
        assert!(matches!(
            call(&script),
            Err(CallError::NotDone(Error::Unavailable(..)))
        ));
        assert_eq!(stored(&script).access.reveal(), "a2");
        script.will(200, &json!({"result": "success"}));
        call(&script).unwrap();
        assert!(script.asked()[1].contains("access_token=a2&refresh_token=r-a2"));
    }

    #[test]
    fn a_new_pair_survives_a_storage_that_is_away_for_seconds() {
        let script = logged_in();
        script.will(200, &pair("success", "", "a2"));
        let answered = at_once(async {
            let tenant = script.tenant();
            let mut session = NextEngine::open(&tenant).await.map_err(CallError::from)?;
            // The call is counted, then the pair cannot be stored for a while.
            script.storage.away.borrow_mut().extend([false, true, true]);
            session.send(company::info()).await
        });
        answered.unwrap();
        assert_eq!(stored(&script).access.reveal(), "a2");
    }

    #[test]
    fn a_stale_pair_is_read_again_once_and_then_a_person_is_asked() {
        let script = logged_in();
        script.will(200, &json!({"result": "error", "code": "002002"}));
        assert!(matches!(
            call(&script),
            Err(CallError::NotDone(Error::LoginNeeded(..)))
        ));
        assert!(stored(&script).dead_since.is_some());
        assert_eq!(
            script.requests.borrow().len(),
            1,
            "the same dead pair is not tried again"
        );
        let noon = crate::time::parse_next_engine("2026-11-24 12:00:00").unwrap();
        assert_eq!(script.now.get(), noon + SECOND_READING);
        assert!(matches!(
            call(&script),
            Err(CallError::NotDone(Error::LoginNeeded(..)))
        ));
        assert_eq!(
            script.requests.borrow().len(),
            1,
            "a dead login costs no calls"
        );
    }

    #[test]
    fn a_pair_that_somebody_else_stored_meanwhile_is_used() {
        let script = logged_in();
        script.will(200, &json!({"result": "error", "code": "002002"}));
        script.will(200, &json!({"result": "success"}));
        at_once(async {
            let tenant = script.tenant();
            let mut session = NextEngine::open(&tenant).await.unwrap();
            write_pair(&script, "a9", "r9");
            session.send(company::info()).await.unwrap();
            session.close().unwrap();
        });
        assert!(script.asked()[1].contains("access_token=a9"));
    }

    #[test]
    fn a_late_answer_does_not_replace_a_newer_pair() {
        let script = logged_in();
        let used = stored(&script);
        let late = answer::read(pair("success", "", "old").to_string().as_bytes())
            .unwrap()
            .tokens
            .unwrap();
        script.now.set(script.now.get() + TimeDelta::days(3));
        write_pair(&script, "newer", "r");
        next_engine_login::store_pair(&script.tenant(), &used, &late).unwrap();
        assert_eq!(stored(&script).access.reveal(), "newer");
    }

    #[test]
    fn two_at_once_are_one_and_a_wait_and_whoever_lost_the_lease_writes_nothing() {
        let script = logged_in();
        let tenant = script.tenant();
        let first = at_once(NextEngine::open(&tenant)).unwrap();
        assert!(matches!(
            at_once(NextEngine::open(&tenant)),
            Err(Error::Contended(..))
        ));
        script.now.set(script.now.get() + TimeDelta::seconds(121));
        let second = at_once(NextEngine::open(&tenant)).unwrap();
        let write = |session: &NextEngine<'_>| {
            let commit = Commit::new().fence(session.fence()).put("x", &1).unwrap();
            commit.try_apply(&script.ports()).unwrap()
        };
        assert!(!write(&first) && write(&second));
    }

    #[test]
    fn a_clock_that_was_wrong_neither_ends_a_login_nor_holds_the_lease() {
        let script = logged_in();
        let now = script.now.get();
        script.now.set(now + TimeDelta::days(30));
        assert!(matches!(
            call(&script),
            Err(CallError::NotDone(Error::LoginNeeded(..)))
        ));
        let tenant = script.tenant();
        // Taken while the clock was ahead, and never given back.
        let _ahead = Lease::take(&tenant).unwrap();
        script.now.set(now);
        script.will(200, &json!({"result": "success"}));
        call(&script).unwrap();
    }

    #[test]
    fn an_undated_pair_does_not_replace_another() {
        let script = logged_in();
        let used = stored(&script);
        let undated = answer::read(
            json!({"result": "success", "access_token": "x", "refresh_token": "y"})
                .to_string()
                .as_bytes(),
        );
        let undated = undated.unwrap().tokens.unwrap();
        write_pair(&script, "other", "r");
        script.now.set(script.now.get() + TimeDelta::hours(5));
        next_engine_login::store_pair(&script.tenant(), &used, &undated).unwrap();
        assert_eq!(stored(&script).access.reveal(), "other");
        next_engine_login::store_pair(&script.tenant(), &stored(&script), &undated).unwrap();
        assert_eq!(stored(&script).access.reveal(), "x");
    }

    #[test]
    fn what_cannot_be_answered_now_is_asked_for_again_later() {
        let busy = json!({"result": "error", "code": "002007"}).to_string();
        let no_list = json!({"result": "success", "count": "1"}).to_string();
        for (answer, seconds) in [
            (Err(HttpFailure::NotSent), PAUSE),
            (Err(HttpFailure::OutcomeUnknown), PAUSE),
            (Ok("<html>".to_owned()), PAUSE),
            (Ok(no_list), PAUSE),
            (Ok(busy), 900),
        ] {
            let script = logged_in();
            let answer = answer.map(|body| crate::ports::HttpResponse {
                status: 200,
                retry_after: None,
                body: body.into_bytes(),
            });
            script.answers.borrow_mut().push_back(answer);
            let tenant = script.tenant();
            let mut session = at_once(NextEngine::open(&tenant)).unwrap();
            let search = crate::next_engine::queue::one("7");
            let error = at_once(session.send(search)).unwrap_err();
            let later = script.now.get() + TimeDelta::seconds(seconds);
            let CallError::NotDone(Error::Unavailable(_, _, at)) = error else {
                panic!("{error:?}")
            };
            assert_eq!(at, later);
        }
    }

    #[test]
    fn what_happened_to_a_write_is_never_guessed() {
        let upload = || crate::next_engine::upload::stock(&[("a".to_owned(), 1)], "m");
        for (answer, unknown) in [
            (Err(HttpFailure::NotSent), false),
            (Err(HttpFailure::OutcomeUnknown), true),
            (Ok((502, "<html>".to_owned())), true),
            (
                Ok((
                    200,
                    json!({"result": "error", "code": "999999"}).to_string(),
                )),
                true,
            ),
            (
                Ok((
                    200,
                    json!({"result": "error", "code": "003001"}).to_string(),
                )),
                false,
            ),
        ] {
            let script = logged_in();
            let answer = answer.map(|(status, body)| crate::ports::HttpResponse {
                status,
                retry_after: None,
                body: body.into_bytes(),
            });
            script.answers.borrow_mut().push_back(answer);
            let tenant = script.tenant();
            let mut session = at_once(NextEngine::open(&tenant)).unwrap();
            let error = at_once(session.send(upload())).unwrap_err();
            assert_eq!(matches!(error, CallError::Unknown(_)), unknown, "{error:?}");
        }
    }
}
