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
        stock::{batch, catch_up},
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
    /// That storage was put back to an earlier time; the last word on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
}

/// 復元: what happened between these times is at both services, and not in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Storage is as it was then; the earliest, where it was put back more than once.
    pub as_of: Moment,
    /// When that was told.
    pub told_at: Moment,
}

impl Link {
    /// Whether what moved up to now was sent in a time that storage does not know: sent again, it would count twice.
    fn has_lost_time(&self) -> bool {
        let untouched = |restored: Restored| self.baseline.is_none_or(|at| at < restored.told_at);
        self.restored.is_some_and(untouched)
    }
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
    let leave = backlog == Backlog::Leave || before.baseline.is_none() || before.has_lost_time();
    let link = Link {
        on: true,
        baseline: before.baseline.filter(|_| !leave).or(Some(now)),
        off_since: None,
        restored: before.restored,
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

/// Storage is an earlier copy from now on. See `wit/connection.wit`.
pub fn restored(ports: &Ports<'_>, as_of: Moment) -> Result<Status> {
    let seen = stored(ports)?;
    let before = seen.as_ref().map(|seen| seen.value).unwrap_or_default();
    let now = ports.clock.now();
    let earliest = before.restored.map_or(as_of, |last| last.as_of.min(as_of));
    let link = Link {
        on: false,
        off_since: before.off_since.filter(|_| !before.on).or(Some(now)),
        restored: Some(Restored {
            as_of: earliest.min(now),
            told_at: now,
        }),
        ..before
    };
    let commit = Commit::new()
        .check(LINK_KEY, seen.as_ref())
        .put(LINK_KEY, &link)?;
    batch::rename(ports, commit)?.apply(ports)?;
    get_status(ports)
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::sync::{
        next_engine_login::Login,
        stock::records::{CatchUp, catch_up_key},
        tenant::SETTINGS_KEY,
        testing::Script,
    };

    /// Connected and on since noon, with store 1 looked through until one.
    fn shop() -> Script {
        let script = Script::new();
        script.switch_on(&["1"]);
        let mut settings = script.tenant().settings;
        settings.credentials.next_engine_client_id = "ne".to_owned();
        settings.credentials.smaregi_client_id = "sm".to_owned();
        let looked = CatchUp::new(script.now.get() + TimeDelta::hours(1));
        let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
        let commit = commit.put(&catch_up_key("1"), &looked).unwrap();
        commit.apply(&script.ports()).unwrap();
        script
    }

    fn pass(script: &Script, hours: i64) -> Moment {
        script.now.set(script.now.get() + TimeDelta::hours(hours));
        script.now.get()
    }

    fn looked_through(script: &Script) -> Moment {
        let stored = store::read::<CatchUp>(&script.ports(), &catch_up_key("1")).unwrap();
        stored.unwrap().value.through
    }

    #[test]
    fn a_backlog_is_sent_from_where_it_began_or_left_for_good() {
        for (backlog, sends) in [(Backlog::Send, true), (Backlog::Leave, false)] {
            let script = shop();
            let first = script.now.get();
            let off = pass(&script, 0);
            assert!(!switch_off(&script.ports()).unwrap().switched_on);
            assert_eq!(link(&script.ports()).unwrap().off_since, Some(off));
            let on = pass(&script, 5);
            let status = switch_on(&script.tenant(), backlog).unwrap();
            assert!(status.switched_on);
            assert_eq!(status.baseline, Some(if sends { first } else { on }));
            let looked = if sends {
                off
            } else {
                off + TimeDelta::hours(1)
            };
            assert_eq!(looked_through(&script), looked);
            assert_eq!(link(&script.ports()).unwrap().off_since, None);
        }
    }

    #[test]
    fn what_was_never_on_has_no_backlog() {
        let script = shop();
        let never = Commit::new().delete(LINK_KEY);
        never.apply(&script.ports()).unwrap();
        let now = pass(&script, 1);
        let status = switch_on(&script.tenant(), Backlog::Send).unwrap();
        assert_eq!(status.baseline, Some(now));
    }

    #[test]
    fn storage_put_back_is_off_since_then_or_since_it_was_off() {
        let script = shop();
        let told = pass(&script, 2);
        restored(&script.ports(), told - TimeDelta::hours(1)).unwrap();
        assert_eq!(link(&script.ports()).unwrap().off_since, Some(told));
        let script = shop();
        let off = pass(&script, 2);
        switch_off(&script.ports()).unwrap();
        let told = pass(&script, 2);
        restored(&script.ports(), told - TimeDelta::hours(1)).unwrap();
        assert_eq!(link(&script.ports()).unwrap().off_since, Some(off));
    }

    #[test]
    fn what_storage_forgot_is_never_sent_and_what_came_since_is() {
        let script = shop();
        let told = pass(&script, 2);
        restored(&script.ports(), told - TimeDelta::hours(1)).unwrap();
        let status = switch_on(&script.tenant(), Backlog::Send).unwrap();
        assert_eq!(status.baseline, Some(told), "left, as it was sent once");
        pass(&script, 1);
        switch_off(&script.ports()).unwrap();
        pass(&script, 1);
        let status = switch_on(&script.tenant(), Backlog::Send).unwrap();
        assert_eq!(status.baseline, Some(told), "sent, from there on");
    }

    #[test]
    fn what_is_on_stays_as_it_is_and_what_is_off_stays_off_since_then() {
        let script = shop();
        let first = script.now.get();
        pass(&script, 1);
        let status = switch_on(&script.tenant(), Backlog::Leave).unwrap();
        assert_eq!(status.baseline, Some(first));
        let off = pass(&script, 1);
        switch_off(&script.ports()).unwrap();
        pass(&script, 1);
        switch_off(&script.ports()).unwrap();
        assert_eq!(link(&script.ports()).unwrap().off_since, Some(off));
    }

    #[test]
    fn only_a_complete_and_living_connection_is_switched_on() {
        let script = shop();
        switch_off(&script.ports()).unwrap();
        let mut tenant = script.tenant();
        tenant.settings.credentials.smaregi_client_id = String::new();
        let refused = switch_on(&tenant, Backlog::Leave);
        assert!(matches!(refused, Err(Error::Invalid(_))));
        pass(&script, 72);
        let refused = switch_on(&script.tenant(), Backlog::Leave);
        assert!(matches!(refused, Err(Error::LoginNeeded(..))));
        assert!(!link(&script.ports()).unwrap().on);
    }

    #[test]
    fn a_login_is_needed_once_one_is_refused_or_over() {
        let needed = |script: &Script| get_status(&script.ports()).unwrap().login_needed.is_some();
        let script = shop();
        assert!(!needed(&script));
        let login = next_engine_login::stored(&script.ports()).unwrap().unwrap();
        let refused = Login {
            dead_since: Some(script.now.get()),
            ..login.value
        };
        let commit = Commit::new().put(LOGIN_KEY, &refused).unwrap();
        commit.apply(&script.ports()).unwrap();
        assert!(needed(&script));
        let script = shop();
        pass(&script, 71);
        assert!(!needed(&script));
        pass(&script, 1);
        assert!(needed(&script));
    }

    #[test]
    fn disconnecting_forgets_the_pair_and_switches_off() {
        let script = shop();
        let status = disconnect(&script.ports()).unwrap();
        assert!(!status.switched_on && status.tokens.is_none());
        let again = disconnect(&script.ports()).unwrap();
        assert!(!again.switched_on && again.tokens.is_none());
        let refused = switch_on(&script.tenant(), Backlog::Leave);
        assert!(matches!(refused, Err(Error::NotConnected(..))));
    }
}
