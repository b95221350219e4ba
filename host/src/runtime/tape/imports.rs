//! The imports again, each of which does what it did and writes down what came of it. Linked over the others where a runtime records.
//! The wall clock is none of them: it is given to the context ([`super::Clock`]).

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::{
    WasiView,
    p2::{
        DynPollable,
        bindings::{clocks::monotonic_clock, io::poll, random::random},
    },
    random::WasiRandomView,
};
use wasmtime_wasi_http::{
    RequestOptions, WasiHttpView,
    p2::{
        bindings::http::{outgoing_handler::Host as _, types::HostFutureIncomingResponse as _},
        types::{HostFutureIncomingResponse, HostOutgoingRequest},
    },
};

use super::{Tape, errors::name, steps};
use crate::{
    random::hexadecimal,
    recording::{Content, Outcome, Row, Step},
    runtime::{bindings::tsunagi::connector::storage as wit, state::CallState},
};

/// The interfaces of which one function alone is laid over, as the linker spells them; a test notices when they are spelled otherwise.
const HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";
const TYPES: &str = "wasi:http/types@0.2.12";

/// A call's state, with a tape.
pub struct View<'a>(&'a mut CallState);

struct HasView;

impl HasData for HasView {
    type Data<'a> = View<'a>;
}

fn view(state: &mut CallState) -> View<'_> {
    View(state)
}

/// Links all of them.
pub fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    wit::add_to_linker::<CallState, HasView>(linker, view)?;
    monotonic_clock::add_to_linker::<CallState, HasView>(linker, view)?;
    random::add_to_linker::<CallState, HasView>(linker, view)?;
    poll::add_to_linker::<CallState, HasView>(linker, view)?;
    linker.instance(HANDLER)?.func_wrap(
        "handle",
        |mut store,
         (request, options): (
            Resource<HostOutgoingRequest>,
            Option<Resource<RequestOptions>>,
        )| {
            let state = store.data_mut();
            Ok((match state.http().handle(request, options) {
                Ok(future) => {
                    state.tape().awaited(future.rep());
                    Ok(future)
                }
                Err(error) => Err(error.downcast()?),
            },))
        },
    )?;
    linker.instance(TYPES)?.func_wrap(
        "[method]future-incoming-response.get",
        |mut store, (future,): (Resource<HostFutureIncomingResponse>,)| {
            let (state, rep) = (store.data_mut(), future.rep());
            let given = state.http().get(future)?;
            match &given {
                Some(Ok(Err(error))) => state.tape().taken(rep, Some(name(error))),
                Some(Ok(Ok(_))) => state.tape().taken(rep, None),
                _ => {}
            }
            Ok((given,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

impl View<'_> {
    fn tape(&self) -> Tape {
        self.0.tape()
    }
}

fn row(entry: &wit::Entry) -> Row {
    Row {
        key: entry.key.clone(),
        revision: entry.revision,
        value: Content::of(&entry.value),
    }
}

fn outcome<T, U>(given: &Result<T, wit::StorageError>, shown: impl FnOnce(&T) -> U) -> Outcome<U> {
    match given {
        Ok(given) => Outcome::Ok(shown(given)),
        Err(wit::StorageError::Conflict(key)) => Outcome::Conflict(key.clone()),
        Err(wit::StorageError::Unavailable(why)) => Outcome::Unavailable(why.clone()),
    }
}

impl wit::Host for View<'_> {
    async fn get(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<wit::Entry>>, wit::StorageError>> {
        let given = wit::Host::get(&mut self.0.stored(), keys.clone()).await?;
        let found = outcome(&given, |found| {
            found.iter().map(|entry| entry.as_ref().map(row)).collect()
        });
        self.tape().push(Step::Get { keys, found });
        Ok(given)
    }

    async fn scan(
        &mut self,
        range: wit::KeyRange,
        direction: wit::Direction,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Entry>, wit::StorageError>> {
        let given = wit::Host::scan(&mut self.0.stored(), range.clone(), direction, limit).await?;
        let found = outcome(&given, |found| found.iter().map(row).collect());
        self.tape()
            .push(steps::scan(range, direction, limit, found));
        Ok(given)
    }

    async fn commit(
        &mut self,
        checks: Vec<wit::Check>,
        writes: Vec<wit::Write>,
    ) -> wasmtime::Result<Result<(), wit::StorageError>> {
        let (seen, put) = steps::commit(&checks, &writes);
        let given = wit::Host::commit(&mut self.0.stored(), checks, writes).await?;
        self.tape().push(Step::Commit {
            checks: seen,
            writes: put,
            done: outcome(&given, |()| ()),
        });
        Ok(given)
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        let now = monotonic_clock::Host::now(&mut self.0.sleeping())?;
        self.tape().monotonic(now);
        Ok(now)
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        monotonic_clock::Host::resolution(&mut self.0.sleeping())
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let now = monotonic_clock::Host::now(&mut self.0.sleeping())?;
        monotonic_clock::Host::subscribe_duration(self, when.saturating_sub(now))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let mut sleeping = self.0.sleeping();
        let wait = monotonic_clock::Host::subscribe_duration(&mut sleeping, duration)?;
        self.tape().wait(wait.rep(), duration);
        Ok(wait)
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let bytes = random::Host::get_random_bytes(self.0.random(), len)?;
        self.tape().push(Step::Random(hexadecimal(&bytes)));
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        let number = random::Host::get_random_u64(self.0.random())?;
        self.tape()
            .push(Step::Random(hexadecimal(&number.to_be_bytes())));
        Ok(number)
    }
}

impl poll::Host for View<'_> {
    async fn poll(&mut self, list: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        poll::Host::poll(self.0.ctx().table, list).await
    }
}

impl poll::HostPollable for View<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        let rep = pollable.rep();
        let ready = poll::HostPollable::ready(self.0.ctx().table, pollable).await?;
        if ready {
            self.tape().ready(rep);
        }
        Ok(ready)
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        let rep = pollable.rep();
        poll::HostPollable::block(self.0.ctx().table, pollable).await?;
        self.tape().ready(rep);
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.tape().dropped(pollable.rep());
        poll::HostPollable::drop(self.0.ctx().table, pollable)
    }
}
