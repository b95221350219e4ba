//! Talking to スマレジ: its token, its pace, its refusals. Several requests may be in flight. Knows no product and no transaction.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use chrono::TimeDelta;
use futures_util::lock::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, Side},
    ports::{HttpFailure, HttpRequest, HttpResponse},
    reason::{Reason, Text},
    settings::Secret,
    smaregi::{Request, token},
    sync::{
        call_error::{CallError, Refusal},
        smaregi_pace::Pace,
        store::{self, Commit},
        tenant::Tenant,
    },
    text,
    time::Moment,
    wire::{self, Row, Value},
};

/// Where the app access token is cached.
pub const TOKEN_KEY: &str = "smaregi/token";

/// How long a request may take; registrations of long orders take seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A token this close to its end is not begun with.
const MARGIN: TimeDelta = TimeDelta::seconds(120);
/// After an outage without a time of its own.
const PAUSE: TimeDelta = TimeDelta::seconds(60);
/// Waits of 429 up to this are waited out here, so many times; longer ones are the caller's.
const LONGEST_WAIT_SECONDS: i64 = 5;
const WAITS: u32 = 3;
const LONGEST_MESSAGE: usize = 300;

/// A cached token.
#[derive(Clone, Serialize, Deserialize)]
struct Cached {
    access: Secret,
    expires_at: Moment,
    scopes: Vec<String>,
}

/// A session of one call.
pub struct Smaregi<'a> {
    tenant: &'a Tenant<'a>,
    token: RefCell<Cached>,
    /// Held while a new token is asked for, so that one is enough for all who were refused.
    renewing: Mutex<()>,
    pace: RefCell<Pace>,
    /// 429 says it for all requests: none is made before, and the pause grows until one succeeds.
    not_before: Cell<Option<Moment>>,
    limited: Cell<u32>,
}

impl<'a> Smaregi<'a> {
    /// With the cached token, or a new one when it is about to expire.
    pub async fn open(tenant: &'a Tenant<'a>) -> Result<Self> {
        match cached(tenant)? {
            Some(cached) => Ok(Self::with(tenant, cached)),
            None => Self::open_anew(tenant).await,
        }
    }

    /// With a new token, so that scopes ticked a moment ago are seen.
    pub async fn open_anew(tenant: &'a Tenant<'a>) -> Result<Self> {
        Ok(Self::with(tenant, fetch(tenant).await?))
    }

    fn with(tenant: &'a Tenant<'a>, token: Cached) -> Self {
        Self {
            tenant,
            token: RefCell::new(token),
            renewing: Mutex::new(()),
            pace: RefCell::new(Pace::new(&tenant.settings)),
            not_before: Cell::new(None),
            limited: Cell::new(0),
        }
    }

    /// How many requests may be in flight.
    pub fn parallel(&self) -> usize {
        usize::try_from(self.tenant.settings.pace.smaregi_parallel)
            .unwrap_or(1)
            .max(1)
    }

    /// Scopes that are needed and that the token does not carry.
    pub fn missing_scopes(&self) -> Vec<String> {
        token::missing(&self.token.borrow().scopes)
    }

    /// Sends a request and gives the answer's body. A token that died early is asked for again once.
    pub async fn send(&self, request: &Request) -> std::result::Result<Value, CallError> {
        let mut renewed = false;
        let mut waits = 0;
        loop {
            let access = self.token.borrow().access.clone();
            let response = self.once(request, &access).await?;
            match response.status {
                200..=299 => {
                    self.limited.set(0);
                    return body(self.tenant, request, &response);
                }
                401 if !renewed => {
                    renewed = true;
                    self.renew(&access).await?;
                }
                429 => {
                    self.slow_down(response.retry_after);
                    waits = waits_more(waits).ok_or_else(|| self.too_fast())?;
                }
                // The scope may be ticked by the next call: a token carries those of the moment it was asked for.
                403 => {
                    Commit::new().delete(TOKEN_KEY).apply(&self.tenant.ports)?;
                    return Err(failure(self.tenant, request, &response));
                }
                _ => return Err(failure(self.tenant, request, &response)),
            }
        }
    }

    /// One renewal for all who were refused: another request, or another call, may have renewed it already.
    async fn renew(&self, used: &Secret) -> std::result::Result<(), CallError> {
        let _one = self.renewing.lock().await;
        if self.token.borrow().access != *used {
            return Ok(());
        }
        let stored = cached(self.tenant)?.filter(|stored| stored.access != *used);
        let fresh = match stored {
            Some(stored) => stored,
            None => {
                self.wait(true).await?;
                fetch(self.tenant).await?
            }
        };
        *self.token.borrow_mut() = fresh;
        Ok(())
    }

    /// Nothing is sent before the time that a 429 named; without one the pause doubles.
    fn slow_down(&self, retry_after: Option<u64>) {
        let times = self.limited.get();
        self.limited.set(times.saturating_add(1));
        let seconds = retry_after
            .and_then(|seconds| i64::try_from(seconds).ok())
            .unwrap_or_else(|| 1_i64 << times.min(6))
            .clamp(1, 3_600);
        let at = self.tenant.now() + TimeDelta::seconds(seconds);
        let later = self.not_before.get().map_or(at, |other| other.max(at));
        self.not_before.set(Some(later));
    }

    fn too_fast(&self) -> CallError {
        let at = self.not_before.get().unwrap_or_else(|| self.tenant.now());
        CallError::NotDone(limited(at))
    }

    async fn once(
        &self,
        request: &Request,
        access: &Secret,
    ) -> std::result::Result<HttpResponse, CallError> {
        self.wait(request.writes()).await?;
        let tenant = self.tenant;
        tenant.budget.spend(tenant.now())?;
        tenant.tally.count(request.name());
        let sent = tenant.ports.http.send(http(tenant, request, access)).await;
        sent.map_err(|failure| unanswered(tenant, request.writes(), failure))
    }

    /// Keeps the pace, and what a 429 asked for, by waiting; a long wait is the caller's.
    async fn wait(&self, writes: bool) -> std::result::Result<(), CallError> {
        let clock = self.tenant.ports.clock;
        let now = clock.now();
        if let Some(at) = self.not_before.get().filter(|at| *at > now) {
            if at - now > TimeDelta::seconds(LONGEST_WAIT_SECONDS) {
                return Err(self.too_fast());
            }
            clock.sleep((at - now).to_std().unwrap_or_default()).await;
        }
        let now = clock.now();
        let at = self.pace.borrow_mut().take(now, writes);
        if let Ok(wait) = (at - now).to_std()
            && !wait.is_zero()
        {
            clock.sleep(wait).await;
        }
        Ok(())
    }
}

fn waits_more(waits: u32) -> Option<u32> {
    (waits < WAITS).then(|| waits.saturating_add(1))
}

/// The stored token, unless it is about to expire.
fn cached(tenant: &Tenant<'_>) -> Result<Option<Cached>> {
    let cached = store::read::<Cached>(&tenant.ports, TOKEN_KEY)?.map(|stored| stored.value);
    Ok(cached.filter(|cached| cached.expires_at - MARGIN > tenant.now()))
}

/// Asks for a token and caches it. Calls of the token endpoint count towards Smaregi's limit, too.
async fn fetch(tenant: &Tenant<'_>) -> Result<Cached> {
    let credentials = &tenant.settings.credentials;
    if credentials.smaregi_client_secret.is_empty() || credentials.smaregi_contract_id.is_empty() {
        return Err(Error::NotConnected(
            Side::Smaregi,
            Text::new(
                "スマレジの契約IDとクライアントの設定がありません。",
                "Smaregi's contract and client are not set.",
            ),
        ));
    }
    tenant.budget.spend(tenant.now())?;
    tenant.tally.count("POST /app/{contract}/token".to_owned());
    let (authorization, form) = token::parts(credentials);
    let request = HttpRequest {
        method: "POST",
        url: format!(
            "{}{}",
            tenant.settings.endpoints.smaregi_id,
            token::path(&credentials.smaregi_contract_id)
        ),
        headers: vec![
            ("authorization", authorization),
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ],
        body: form.into_bytes(),
        timeout: TIMEOUT,
    };
    let asked_at = tenant.now();
    let response = tenant
        .ports
        .http
        .send(request)
        .await
        .map_err(|failure| Error::from(unanswered(tenant, false, failure)))?;
    if response.status == 429 {
        let seconds = i64::try_from(response.retry_after.unwrap_or(1)).unwrap_or(3_600);
        return Err(limited(
            tenant.now() + TimeDelta::seconds(seconds.clamp(1, 3_600)),
        ));
    }
    if !(200..=299).contains(&response.status) {
        return Err(failure_of(tenant, false, &response).into());
    }
    let answer = wire::parse(&response.body).unwrap_or(Value::Null);
    let token = token::decode(&answer).map_err(|_| outage(tenant))?;
    let cached = Cached {
        access: token.access,
        expires_at: asked_at + TimeDelta::seconds(token.lives),
        scopes: token.scopes,
    };
    Commit::new()
        .put(TOKEN_KEY, &cached)?
        .apply(&tenant.ports)?;
    Ok(cached)
}

fn http(tenant: &Tenant<'_>, request: &Request, access: &Secret) -> HttpRequest {
    let settings = &tenant.settings;
    let mut url = format!(
        "{}/{}/pos{}",
        settings.endpoints.smaregi_api, settings.credentials.smaregi_contract_id, request.path
    );
    if !request.query.is_empty() {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&request.query)
            .finish();
        url = format!("{url}?{query}");
    }
    let mut headers = vec![
        ("authorization", format!("Bearer {}", access.reveal())),
        ("accept", "application/json".to_owned()),
    ];
    let body = request
        .body
        .as_ref()
        .map(serde_json::Value::to_string)
        .unwrap_or_default()
        .into_bytes();
    if request.body.is_some() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    HttpRequest {
        method: request.method,
        url,
        headers,
        body,
        timeout: TIMEOUT,
    }
}

/// A success whose body is cut, no JSON or of another form: a write happened, a read is worth repeating.
fn body(
    tenant: &Tenant<'_>,
    request: &Request,
    response: &HttpResponse,
) -> std::result::Result<Value, CallError> {
    let answer =
        wire::parse(&response.body).ok_or_else(|| open_if(request.writes(), outage(tenant)))?;
    if request.form.fits(&answer) {
        return Ok(answer);
    }
    let reason = wire::unreadable(request.endpoint, &answer);
    let error = unreadable_answer(tenant, &reason);
    Err(open_if(request.writes(), error))
}

/// An answer of which nothing can be concluded: its call is as good as not made.
pub fn unreadable_answer(tenant: &Tenant<'_>, reason: &Reason) -> Error {
    let (ja, en) = (&reason.message.ja, &reason.message.en);
    let message = Text::new(
        format!("スマレジの応答を読み取れません。しばらくして自動で読み直します。{ja}"),
        format!("An answer of Smaregi's cannot be read. It is asked for again by itself. {en}"),
    );
    Error::Unavailable(Side::Smaregi, message, tenant.now() + PAUSE)
}

fn open_if(writes: bool, error: Error) -> CallError {
    if writes {
        CallError::Unknown(error)
    } else {
        CallError::NotDone(error)
    }
}

fn unanswered(tenant: &Tenant<'_>, writes: bool, failure: HttpFailure) -> CallError {
    match failure {
        HttpFailure::NotSent => CallError::NotDone(outage(tenant)),
        HttpFailure::OutcomeUnknown => open_if(writes, outage(tenant)),
    }
}

fn failure(tenant: &Tenant<'_>, request: &Request, response: &HttpResponse) -> CallError {
    failure_of(tenant, request.writes(), response)
}

/// Both of Smaregi's error shapes (smaregi.md 1, 8): `{type, title, detail}` of the API and `{error, error_description}` of the
/// token host.
fn failure_of(tenant: &Tenant<'_>, writes: bool, response: &HttpResponse) -> CallError {
    if response.status >= 500 || response.status == 408 {
        return open_if(writes, outage(tenant));
    }
    let body = wire::parse(&response.body).unwrap_or(Value::Null);
    let said = |field: &str| {
        Row::of(&body, "body")
            .ok()
            .and_then(|row| row.maybe_text(field))
    };
    let kind = said("type").or_else(|| said("error")).unwrap_or_default();
    let words = [said("title"), said("detail"), said("error_description")];
    let message = words.into_iter().flatten().collect::<Vec<_>>().join(": ");
    CallError::Refused(Refusal {
        side: Side::Smaregi,
        code: format!("{} {kind}", response.status).trim_end().to_owned(),
        message: text::fit(&message, LONGEST_MESSAGE),
    })
}

fn outage(tenant: &Tenant<'_>) -> Error {
    Error::Unavailable(
        Side::Smaregi,
        Text::new(
            "スマレジから正しい応答がありません。",
            "Smaregi does not answer properly.",
        ),
        tenant.now() + PAUSE,
    )
}

fn limited(until: Moment) -> Error {
    Error::Unavailable(
        Side::Smaregi,
        Text::new(
            "スマレジの呼び出し制限に達しました。",
            "Smaregi's rate limit is reached.",
        ),
        until,
    )
}

#[cfg(test)]
mod tests;
