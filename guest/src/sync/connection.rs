//! 連携: on and off, what is known of the connection, and the real check of both services. The login's round trip is in `login`.
//! Decides nothing about orders or stock.

mod check;
mod login;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    ports::Ports,
    rules::settings_check,
    sync::{
        next_engine_login::{self, COMPANY_KEY, Company, LOGIN_KEY},
        report::{Backlog, Status},
        stock::catch_up,
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

pub use check::check;
pub use login::{begin_login, finish_login};

const LINK_KEY: &str = "link";

/// Whether the link is on, and since when what is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// 連携する
    pub on: bool,
    /// Stock changes before it are never sent; absent while never switched on.
    pub baseline: Option<Moment>,
    /// When it was last switched off.
    pub off_since: Option<Moment>,
}

fn stored(ports: &Ports<'_>) -> Result<Option<Stored<Link>>> {
    store::read(ports, LINK_KEY)
}

/// The link as it stands; off while never switched on.
pub fn link(ports: &Ports<'_>) -> Result<Link> {
    Ok(stored(ports)?
        .map(|stored| stored.value)
        .unwrap_or_default())
}

/// What storage knows. See `wit/connection.wit`.
pub fn get_status(ports: &Ports<'_>) -> Result<Status> {
    let link = link(ports)?;
    let login = next_engine_login::stored(ports)?.map(|stored| stored.value);
    let company = store::read::<Company>(ports, COMPANY_KEY)?.map(|stored| stored.value);
    let now = ports.clock.now();
    let dead = login
        .as_ref()
        .is_some_and(|login| login.dead_since.is_some() || login.refresh_ends <= now);
    Ok(Status {
        switched_on: link.on,
        tokens: login.map(|login| login.times()),
        company_name: company.as_ref().map(|company| company.name.clone()),
        company_id: company.map(|company| company.id),
        login_needed: dead.then(next_engine_login::demand),
        baseline: link.baseline,
    })
}

/// 連携オン. See `wit/connection.wit`.
pub fn switch_on(tenant: &Tenant<'_>, backlog: Backlog) -> Result<Status> {
    let seen = stored(&tenant.ports)?;
    let before = seen.as_ref().map(|seen| seen.value).unwrap_or_default();
    if before.on {
        return get_status(&tenant.ports);
    }
    let problems = settings_check::validate(&tenant.settings);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    next_engine_login::usable(tenant)?;
    let now = tenant.now();
    let leave = backlog == Backlog::Leave || before.baseline.is_none();
    let link = Link {
        on: true,
        baseline: before.baseline.filter(|_| !leave).or(Some(now)),
        off_since: None,
    };
    let mut commit = Commit::new()
        .check(LINK_KEY, seen.as_ref())
        .put(LINK_KEY, &link)?;
    if let Some(off_since) = before.off_since.filter(|_| !leave) {
        // What moved meanwhile is found by the next look; webhooks of that time were noted, too.
        commit = catch_up::look_from(tenant, commit, off_since)?;
    }
    commit.apply(&tenant.ports)?;
    get_status(&tenant.ports)
}

/// 連携オフ. See `wit/connection.wit`.
pub fn switch_off(ports: &Ports<'_>) -> Result<Status> {
    if let Some(commit) = off(ports, Commit::new())? {
        commit.apply(ports)?;
    }
    get_status(ports)
}

/// Adds switching off to a commit; `None` when it is off already.
fn off(ports: &Ports<'_>, commit: Commit) -> Result<Option<Commit>> {
    let seen = stored(ports)?;
    let Some(link) = seen.as_ref().map(|seen| seen.value).filter(|link| link.on) else {
        return Ok(None);
    };
    let link = Link {
        on: false,
        off_since: Some(ports.clock.now()),
        ..link
    };
    commit
        .check(LINK_KEY, seen.as_ref())
        .put(LINK_KEY, &link)
        .map(Some)
}

/// Forgets the tokens and switches off. See `wit/connection.wit`.
pub fn disconnect(ports: &Ports<'_>) -> Result<Status> {
    if next_engine_login::stored(ports)?.is_some() {
        let forget = Commit::new().delete(LOGIN_KEY);
        let commit = off(ports, Commit::new().delete(LOGIN_KEY))?.unwrap_or(forget);
        commit.apply(ports)?;
    }
    get_status(ports)
}
