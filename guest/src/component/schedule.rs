//! The `schedule` export.

use super::{
    Connector,
    bindings::{
        exports::tsunagi::connector::schedule::{self as wit, Guest},
        tsunagi::connector::types::{Budget, Error},
    },
    convert, look, run,
};
use crate::sync::{report, schedule};

impl Guest for Connector {
    fn run(budget: Budget) -> Result<wit::Round, Error> {
        let round = run(budget, async |tenant| schedule::run(tenant).await)?;
        Ok(wit::Round {
            orders_registered: round.orders_registered,
            orders_undone: round.orders_undone,
            orders_refused: round.orders_refused,
            changes_decided: round.changes_decided,
            rows_applied: round.rows_applied,
            rows_returned: round.rows_returned,
            trouble: round.trouble.map(convert::reason),
            compared: round.compared.map(compared),
            more: round.more,
            next_at: convert::moment(round.next_at),
        })
    }

    fn calls() -> Result<wit::Meter, Error> {
        let meter = look(schedule::calls)?;
        let calls = |calls: report::EndpointCalls| wit::EndpointCalls {
            side: convert::side(calls.side),
            endpoint: calls.endpoint,
            calls: calls.calls,
        };
        Ok(wit::Meter {
            month: meter.month,
            endpoints: meter.endpoints.into_iter().map(calls).collect(),
            next_engine_calls: meter.next_engine_calls,
            next_engine_forecast: meter.next_engine_forecast,
            next_engine_budget: meter.next_engine_budget,
        })
    }
}

fn compared(compared: report::Compared) -> wit::Compared {
    wit::Compared {
        compared_at: convert::moment(compared.compared_at),
        both: compared.both,
        one_side: compared.one_side,
        unexplained: compared.unexplained,
    }
}
