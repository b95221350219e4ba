//! The guest's flows as this machine's own code, over the world of answers that are given from a list.

use std::time::Duration;

use anyhow::{Result, anyhow};
use chrono::{DateTime, FixedOffset};
use futures_util::future::LocalBoxFuture;
use tsunagi_guest::{
    error::{Error, Result as Done},
    ports::{
        Check, Clock, Entry, Http, HttpFailure, HttpRequest, HttpResponse, Ports, Random, Storage,
        StorageFailure, Write,
    },
    sync::{meter, tenant::Tenant},
};

use super::World;

/// The native flows' world.
pub struct Native(World);

impl Native {
    /// Over this world.
    pub fn new(world: &World) -> Self {
        Self(world.clone())
    }

    /// What an export of the component does, by its flow.
    pub fn call<T>(&self, work: impl AsyncFnOnce(&Tenant<'_>) -> Done<T>) -> Result<T> {
        let ports = Ports {
            http: self,
            storage: self,
            clock: self,
            random: self,
        };
        let whole = (u32::MAX, 86_400);
        let threads = tokio::runtime::Builder::new_current_thread().build()?;
        let done = threads.block_on(async {
            let tenant = Tenant::open(ports, whole.0, whole.1)?;
            let done = work(&tenant).await;
            let _ = meter::flush(&tenant);
            done
        });
        done.map_err(|error: Error| anyhow!("{}", error.reason().message.en))
    }
}

impl Http for Native {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        let answer = self
            .0
            .act(|_| wire(request))
            .and_then(|request| self.0.answer(&request));
        let answer = answer.map(|answer| HttpResponse {
            status: answer.status().as_u16(),
            retry_after: None,
            body: answer.into_body(),
        });
        Box::pin(std::future::ready(answer.ok_or(HttpFailure::NotSent)))
    }
}

fn wire(request: HttpRequest) -> Option<http::Request<Vec<u8>>> {
    let mut builder = http::Request::builder()
        .method(request.method)
        .uri(&request.url);
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    builder.body(request.body).ok()
}

impl Storage for Native {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StorageFailure> {
        Ok(self.0.act(|state| state.memory.get(keys)))
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, StorageFailure> {
        Ok(self
            .0
            .act(|state| state.memory.scan(start, end, backward, limit)))
    }

    fn commit(&self, checks: &[Check], writes: &[Write]) -> Result<(), StorageFailure> {
        self.0.act(|state| state.memory.commit(checks, writes))
    }
}

impl Clock for Native {
    fn now(&self) -> DateTime<FixedOffset> {
        self.0.state().now
    }

    fn sleep(&self, _duration: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Random for Native {
    fn next(&self) -> u64 {
        self.0.state().roll()
    }
}
