//! One shop: its surroundings, and calls of the contract's functions on its behalf. Decides nothing; keeps the list of hosts that
//! the shop's settings need.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::runtime::{Fault, Runtime, Surroundings};

/// An error of the contract, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractError {
    /// Its case, as `wit/types.wit` spells it.
    pub kind: String,
    /// The case's payload.
    pub detail: Value,
}

impl ContractError {
    fn new(error: &Value) -> Self {
        let case = error.as_object().and_then(|cases| cases.iter().next());
        match case {
            Some((kind, detail)) => Self {
                kind: kind.clone(),
                detail: detail.clone(),
            },
            None => Self {
                kind: "unknown".to_owned(),
                detail: error.clone(),
            },
        }
    }

    /// What a person reads; each problem of `invalid` on a line of its own.
    pub fn message(&self, language: &str) -> String {
        let text = |value: &Value| {
            value
                .pointer(&format!("/message/{language}"))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        match self.detail.get("problems").and_then(Value::as_array) {
            Some(problems) => problems
                .iter()
                .map(|problem| problem_line(problem, language))
                .collect::<Vec<_>>()
                .join("\n"),
            None => text(&self.detail).unwrap_or_else(|| self.kind.clone()),
        }
    }
}

fn problem_line(problem: &Value, language: &str) -> String {
    let text = |pointer: &str| {
        problem
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let message = text(&format!("/reason/message/{language}"));
    match text("/reason/value") {
        "" => format!("{}: {message}", text("/field")),
        value => format!("{}: {message} ({value})", text("/field")),
    }
}

/// Why a call gave no value.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The contract's own error.
    #[error("{}", .0.message("en"))]
    Contract(ContractError),
    /// The host's.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// One shop.
pub struct Tenant {
    /// Its name in the configuration.
    pub name: String,
    runtime: Arc<Runtime>,
    surroundings: Surroundings,
    extra_hosts: Vec<String>,
    wake: Notify,
}

impl Tenant {
    /// A shop with no host allowed yet but these; see [`Tenant::allow_hosts`].
    pub fn new(
        runtime: Arc<Runtime>,
        surroundings: Surroundings,
        extra_hosts: Vec<String>,
    ) -> Self {
        Self {
            name: surroundings.tenant.clone(),
            runtime,
            surroundings,
            extra_hosts,
            wake: Notify::new(),
        }
    }

    /// The clock it lives by.
    pub fn clock(&self) -> &crate::clock::SharedClock {
        &self.surroundings.clock
    }

    /// Calls `interface.function` with arguments by name.
    ///
    /// # Errors
    /// The contract's error, or the host's.
    pub async fn call(&self, function: &str, arguments: Value) -> Result<Value, CallError> {
        let result = self
            .runtime
            .call(&self.surroundings, function, &arguments)
            .await?;
        let value = result.map_err(|error| CallError::Contract(ContractError::new(&error)))?;
        if function == "settings.put" {
            self.allow_hosts().await?;
        }
        Ok(value)
    }

    /// Allows the hosts that the stored settings need, and no others but those configured.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub async fn allow_hosts(&self) -> Result<(), CallError> {
        let settings = self
            .runtime
            .call(&self.surroundings, "settings.get", &json!({}))
            .await?;
        let settings = settings.map_err(|error| CallError::Contract(ContractError::new(&error)))?;
        let needed = self
            .runtime
            .call(
                &self.surroundings,
                "settings.hosts",
                &json!({ "settings": settings }),
            )
            .await?;
        let needed = needed.unwrap_or_default();
        let place = |host: &Value| {
            let text = |field: &str| {
                host.get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            format!("{}://{}", text("scheme"), text("authority"))
        };
        let needed = needed.as_array().into_iter().flatten().map(place);
        self.surroundings
            .allowed
            .set(needed.chain(self.extra_hosts.iter().cloned()));
        Ok(())
    }

    /// Something came in that makes an early round worthwhile.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends when [`Tenant::wake`] was called.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}
