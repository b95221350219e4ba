//! Keeping the login alive: neither life slides with use, so when nothing else calls Next Engine in time, one call is made for the
//! pair alone. Renews nothing that another call would renew anyway.

use chrono::TimeDelta;

use crate::{
    error::Result,
    next_engine::company,
    ports::Ports,
    sync::{next_engine_login, next_engine_session::NextEngine, tenant::Tenant},
    time::Moment,
};

/// After the access token's end any call renews the pair (next-engine.md 1.3); this long is waited for one that has to be made
/// anyway. Two days of the refresh token's life are left then.
const LEFT_TO_OTHERS: TimeDelta = TimeDelta::hours(1);

/// When a call must be made for the pair alone; `None` while nobody is logged in.
pub fn keep_alive_due(ports: &Ports<'_>, now: Moment) -> Result<Option<Moment>> {
    let login = next_engine_login::stored(ports)?.map(|login| login.value);
    let alive = login.filter(|login| login.dead_since.is_none() && login.refresh_ends > now);
    Ok(alive.map(|login| login.access_ends + LEFT_TO_OTHERS))
}

/// Makes that call.
pub async fn keep_alive(tenant: &Tenant<'_>) -> Result<()> {
    let mut session = NextEngine::open(tenant).await?;
    let called = session.send(company::info()).await;
    session.close()?;
    called?;
    Ok(())
}
