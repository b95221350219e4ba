//! The `connection` export.

use super::{
    Connector, WHOLE,
    bindings::{
        exports::tsunagi::connector::connection::{self as wit, Guest},
        tsunagi::connector::types::Error,
    },
    convert, ports, run, told,
};
use crate::sync::{connection, report};

impl Guest for Connector {
    fn begin_login() -> Result<wit::LoginStart, Error> {
        let start = run(WHOLE, async |tenant| connection::begin_login(tenant))?;
        Ok(wit::LoginStart {
            address: start.address,
            ticket: start.ticket,
            expires_at: convert::moment(start.expires_at),
        })
    }

    fn finish_login(ticket: String, uid: String, state: String) -> Result<wit::Status, Error> {
        run(WHOLE, async |tenant| {
            connection::finish_login(tenant, &ticket, &uid, &state).await
        })
        .map(status)
    }

    fn check() -> Result<wit::CheckReport, Error> {
        let report = run(WHOLE, async |tenant| connection::check(tenant).await)?;
        Ok(wit::CheckReport {
            next_engine: side(report.next_engine),
            tokens: report.tokens.map(times),
            smaregi: side(report.smaregi),
            missing_scopes: report.missing_scopes,
            checked_at: convert::moment(report.checked_at),
        })
    }

    fn get_status() -> Result<wit::Status, Error> {
        connection::get_status(&ports::World.ports())
            .map(status)
            .map_err(told)
    }

    fn switch_on(backlog: wit::Backlog) -> Result<wit::Status, Error> {
        let backlog = match backlog {
            wit::Backlog::Send => report::Backlog::Send,
            wit::Backlog::Leave => report::Backlog::Leave,
        };
        run(WHOLE, async |tenant| connection::switch_on(tenant, backlog)).map(status)
    }

    fn switch_off() -> Result<wit::Status, Error> {
        connection::switch_off(&ports::World.ports())
            .map(status)
            .map_err(told)
    }

    fn restored(as_of: String) -> Result<wit::Status, Error> {
        let as_of = convert::given_moment("as-of", &as_of).map_err(told)?;
        connection::restored(&ports::World.ports(), as_of)
            .map(status)
            .map_err(told)
    }

    fn disconnect() -> Result<wit::Status, Error> {
        connection::disconnect(&ports::World.ports())
            .map(status)
            .map_err(told)
    }
}

fn times(times: report::TokenTimes) -> wit::TokenTimes {
    wit::TokenTimes {
        access_expires_at: convert::moment(times.access_expires_at),
        refresh_expires_at: convert::moment(times.refresh_expires_at),
    }
}

fn side(side: report::SideCheck) -> wit::SideCheck {
    wit::SideCheck {
        ok: side.ok,
        reason: side.reason.map(convert::reason),
    }
}

fn status(status: report::Status) -> wit::Status {
    wit::Status {
        switched_on: status.switched_on,
        tokens: status.tokens.map(times),
        company_name: status.company_name,
        company_id: status.company_id,
        login_needed: status.login_needed.map(convert::text),
        baseline: convert::maybe_moment(status.baseline),
    }
}
