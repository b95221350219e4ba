//! The guest's flows as this machine's own code: what each export of the component does (`guest/src/component`), without the
//! component. It must differ from that in nothing but the conversion of arguments and answers.

use tsunagi_guest::{
    error::{Error, Result as Done},
    ports::Ports,
    sync::{
        connection, meter, orders,
        report::{self, Round, SendProgress, Status},
        schedule,
        settings::{self, Keep},
        stock,
        tenant::Tenant,
    },
    time,
};

use crate::{
    export::{Answer, Ended, Engine, Export, Failure},
    instance,
    world::{Moment, World},
};

/// The native engine.
#[derive(Debug, Clone, Copy)]
pub struct Native;

impl Engine for Native {
    fn call(&self, world: &World, export: &Export) -> Ended {
        instance::run(world, export.name(), async |ports| {
            let done = done(&ports, export).await;
            done.map_err(|error| failure(&error, ports.clock.now()))
        })
    }
}

/// Does it, with the ports of an instance.
///
/// # Errors
/// As the export.
pub(crate) async fn done(ports: &Ports<'_>, export: &Export) -> Done<Answer> {
    match export {
        Export::GetStatus => connection::get_status(ports).map(status),
        Export::SwitchOff => connection::switch_off(ports).map(status),
        Export::Restored(as_of) => connection::restored(ports, *as_of).map(status),
        Export::Disconnect => connection::disconnect(ports).map(status),
        Export::PutSettings(given) => {
            let keep = Keep {
                next_engine: false,
                smaregi: false,
            };
            settings::put(ports, given, &keep, &[]).map(|()| Answer::Done)
        }
        _ => {
            let (requests, seconds) = export.budget();
            let tenant = Tenant::open(*ports, requests, seconds)?;
            let done = of_tenant(&tenant, export).await;
            let _ = meter::flush(&tenant);
            done
        }
    }
}

async fn of_tenant(tenant: &Tenant<'_>, export: &Export) -> Done<Answer> {
    match export {
        Export::BeginLogin => connection::begin_login(tenant).map(|start| {
            Answer::Login(report::LoginStart {
                expires_at: time::second(start.expires_at),
                ..start
            })
        }),
        Export::FinishLogin { ticket, uid, state } => {
            let status_of = connection::finish_login(tenant, ticket, uid, state).await;
            status_of.map(status)
        }
        Export::SwitchOn(backlog) => connection::switch_on(tenant, *backlog).map(status),
        Export::ImportShop(shop) | Export::ImportSlice(shop, _) => {
            let progress = orders::import_shop(tenant, shop).await;
            progress.map(Answer::Imported)
        }
        Export::Retry(choice) => orders::retry(tenant, choice).await.map(Answer::Imported),
        Export::Run => schedule::run(tenant).await.map(|round| {
            Answer::Round(Round {
                next_at: time::second(round.next_at),
                ..round
            })
        }),
        _ => of_stock(tenant, export).await,
    }
}

async fn of_stock(tenant: &Tenant<'_>, export: &Export) -> Done<Answer> {
    match export {
        Export::TakeIn(webhook) => stock::take_in(tenant, webhook).map(Answer::Taken),
        Export::TakeInChanges(hints) => stock::take_in_changes(tenant, hints).map(Answer::Taken),
        Export::Send => stock::send(tenant).await.map(sent),
        Export::CatchUp(since) => {
            let since = since.map(time::second);
            stock::catch_up(tenant, since).await.map(sent)
        }
        Export::Resend(choice) => stock::resend(tenant, choice).map(Answer::Resent),
        Export::Compare => stock::compare(tenant).await.map(|comparison| {
            Answer::Compared(report::Comparison {
                compared_at: time::second(comparison.compared_at),
                ..comparison
            })
        }),
        Export::Align {
            codes,
            confirmed,
            over_guard,
        } => {
            let aligned = stock::align(tenant, codes, *confirmed, *over_guard).await;
            aligned.map(Answer::Aligned)
        }
        // Everything else is matched before.
        _ => Ok(Answer::Done),
    }
}

fn status(status: Status) -> Answer {
    Answer::Status(Status {
        tokens: status.tokens.map(|tokens| report::TokenTimes {
            access_expires_at: time::second(tokens.access_expires_at),
            refresh_expires_at: time::second(tokens.refresh_expires_at),
        }),
        baseline: status.baseline.map(time::second),
        ..status
    })
}

fn sent(progress: SendProgress) -> Answer {
    Answer::Sent(SendProgress {
        next_at: progress.next_at.map(time::second),
        ..progress
    })
}

/// An error in the contract's words.
pub fn failure(error: &Error, now: Moment) -> Failure {
    let (case, retry_at) = match error {
        Error::Invalid(_) => ("invalid", None),
        Error::NotConnected(..) => ("not-connected", None),
        Error::LoginNeeded(..) => ("login-needed", None),
        Error::Refused(..) => ("refused", None),
        Error::Unavailable(_, _, at) => ("unavailable", Some(*at)),
        Error::Contended(_, at) => ("contended", Some(*at)),
        Error::NotFound(..) => ("not-found", None),
        Error::Storage(..) => ("storage", None),
        Error::BudgetSpent => ("contended", Some(now)),
    };
    Failure {
        case: case.to_owned(),
        message: error.reason().message.en,
        retry_at: retry_at.map(|at| time::second(at.max(now))),
    }
}
