//! A tenant that is logged in and switched on, without the round trip.

use chrono::TimeDelta;
use serde_json::json;

use crate::{
    ports::Ports,
    settings::Secret,
    sync::{
        connection,
        next_engine_login::{LOGIN_KEY, Login},
        report::Backlog,
        store::Commit,
        tenant::Tenant,
    },
};

/// Logs in for a year and switches on.
pub fn connect(ports: &Ports<'_>) {
    let ends = ports.clock.now() + TimeDelta::days(365);
    let login = Login {
        uid: "1".to_owned(),
        access: Secret::new("access".to_owned()),
        access_ends: ends,
        refresh: Secret::new("refresh".to_owned()),
        refresh_ends: ends,
        dead_since: None,
    };
    Commit::new()
        .put(LOGIN_KEY, &json!(login))
        .unwrap()
        .apply(ports)
        .unwrap();
    connection::switch_on(&Tenant::open(*ports, 0, 60).unwrap(), Backlog::Leave).unwrap();
}
