//! Keeping the login alive: neither life slides with use, so when nothing else calls Next Engine in time, one call is made for the
//! pair alone. Renews nothing that another call would renew anyway.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    next_engine::company,
    ports::Ports,
    sync::{
        next_engine_login,
        next_engine_session::NextEngine,
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

/// After the access token's end any call renews the pair (next-engine.md 1.3); this long is waited for one that has to be made
/// anyway. Two days of the refresh token's life are left then.
const LEFT_TO_OTHERS: TimeDelta = TimeDelta::hours(1);
/// A call that brought no new pair (the clocks may differ) is repeated after this, doubled each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::hours(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(8);
const TRIED_KEY: &str = "next-engine/kept-alive";

/// Calls made for one pair's sake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tried {
    /// That pair's end.
    access_ends: Moment,
    times: u32,
    last: Moment,
}

/// When a call must be made for the pair alone; `None` while nobody is logged in.
pub fn keep_alive_due(ports: &Ports<'_>, now: Moment) -> Result<Option<Moment>> {
    let login = next_engine_login::stored(ports)?.map(|login| login.value);
    let alive = login.filter(|login| login.dead_since.is_none() && login.refresh_ends > now);
    let Some(login) = alive else {
        return Ok(None);
    };
    let due = login.access_ends + LEFT_TO_OTHERS;
    let tried = tried(ports, login.access_ends)?;
    Ok(Some(tried.map_or(due, |tried| {
        let doubled = FIRST_PAUSE * 2_i32.saturating_pow(tried.times.saturating_sub(1).min(5));
        due.max(tried.last.min(now) + doubled.min(LONGEST_PAUSE))
    })))
}

fn tried(ports: &Ports<'_>, access_ends: Moment) -> Result<Option<Tried>> {
    let tried = store::read::<Tried>(ports, TRIED_KEY)?.map(|stored| stored.value);
    Ok(tried.filter(|tried| tried.access_ends == access_ends))
}

fn note_try(tenant: &Tenant<'_>) -> Result<()> {
    let Some(login) = next_engine_login::stored(&tenant.ports)? else {
        return Ok(());
    };
    let access_ends = login.value.access_ends;
    let times = tried(&tenant.ports, access_ends)?.map_or(0, |tried| tried.times);
    let tried = Tried {
        access_ends,
        times: times.saturating_add(1),
        last: tenant.now(),
    };
    Commit::new().put(TRIED_KEY, &tried)?.apply(&tenant.ports)
}

/// Makes that call.
pub async fn keep_alive(tenant: &Tenant<'_>) -> Result<()> {
    let mut session = NextEngine::open(tenant).await?;
    note_try(tenant)?;
    let called = session.send(company::info()).await;
    session.close()?;
    called?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::testing::{Script, at_once};

    #[test]
    fn a_living_pair_is_renewed_an_hour_after_its_end_and_a_dead_one_never() {
        let script = Script::new();
        let due = || keep_alive_due(&script.ports(), script.now.get()).unwrap();
        assert_eq!(due(), None, "nobody is logged in");
        script.switch_on(&[]);
        let begin = script.now.get();
        let after = |hours| Some(begin + TimeDelta::hours(hours));
        assert_eq!(due(), after(25));
        script.now.set(begin + TimeDelta::hours(71));
        assert_eq!(due(), after(25));
        script.now.set(begin + TimeDelta::hours(72));
        assert_eq!(due(), None, "the login is over");
        script.now.set(begin);
        let login = next_engine_login::stored(&script.ports()).unwrap().unwrap();
        next_engine_login::mark_dead(&script.tenant(), &login.value);
        assert_eq!(due(), None, "a person has to log in");
    }

    #[test]
    fn a_call_that_brings_no_pair_is_not_repeated_at_once() {
        let script = Script::new();
        script.switch_on(&["1"]);
        script.now.set(script.now.get() + TimeDelta::hours(26));
        for hours in [1, 2, 4, 8, 8] {
            let now = script.now.get();
            assert!(keep_alive_due(&script.ports(), now).unwrap().unwrap() <= now);
            script.will(200, &json!({"result": "success", "data": []}));
            at_once(keep_alive(&script.tenant())).unwrap();
            let due = keep_alive_due(&script.ports(), now).unwrap().unwrap();
            assert_eq!(due, now + TimeDelta::hours(hours));
            script.now.set(due);
        }
    }
}
