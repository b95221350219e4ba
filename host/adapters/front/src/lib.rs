//! HTTP in front of the connector, where the host is none of ours: the webhook, the login's round trip, a tick, and every function of
//! the contract as JSON. Serves one shop. Decides nothing about orders or stock, keeps nothing, and logs nothing.

pub mod api;
mod bindings;
#[cfg(target_family = "wasm")]
mod component;
mod login;
pub mod routes;
#[cfg(test)]
mod tests;
mod text;
