//! The glue between the contract and the flows: generated bindings, which nothing outside this module may name, the ports over
//! WASI and `storage`, and one file for each exported interface. Decides nothing.

mod bindings;
mod connection;
mod convert;
mod directory;
mod history;
mod http;
mod orders;
mod ports;
mod schedule;
mod settings;
mod stock;

use crate::{
    error::{Error, Result},
    sync::{meter, tenant::Tenant},
};
use bindings::tsunagi::connector::types::{self, Budget};

/// What carries the exports.
struct Connector;

#[expect(
    unsafe_code,
    reason = "the generated export glue declares the component's symbols"
)]
mod export {
    super::bindings::export!(Connector with_types_in super::bindings);

    use super::Connector;
}

/// For exports that are not sliced: more than any of them needs.
const WHOLE: Budget = Budget {
    requests: u32::MAX,
    seconds: 86_400,
};

/// Runs a flow for the tenant whose storage this is, and writes down what it counted.
fn run<T>(
    budget: Budget,
    work: impl AsyncFnOnce(&Tenant<'_>) -> Result<T>,
) -> std::result::Result<T, types::Error> {
    let world = ports::World;
    let outcome = wstd::runtime::block_on(async {
        let tenant = Tenant::open(world.ports(), budget.requests, budget.seconds)?;
        let outcome = work(&tenant).await;
        // What was done is settled; a count that storage does not take now must not make it look undone.
        let _ = meter::flush(&tenant);
        outcome
    });
    outcome.map_err(told)
}

/// The same for exports that only look at what is stored: they work before the first settings, too.
fn look<T>(work: impl FnOnce(&Tenant<'_>) -> Result<T>) -> std::result::Result<T, types::Error> {
    let world = ports::World;
    Tenant::look(world.ports())
        .and_then(|tenant| work(&tenant))
        .map_err(told)
}

/// An error in the contract's words, with its times brought to the present at least.
fn told(error: Error) -> types::Error {
    convert::error(error, ports::World.ports().clock.now())
}
