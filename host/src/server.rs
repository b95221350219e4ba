//! The HTTP server: webhooks in, the login's round trip, every function of the contract as JSON, and the console. Never logs a query string, a
//! header or a body; decides nothing about orders or stock.

mod api;
mod login;
mod webhook;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    routing::{any, get, post},
};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use crate::console::invitation_link;
use crate::{
    clock::SharedClock,
    console,
    notices::Notices,
    shops::{Served, Shops},
    storage::Store,
};
pub use login::address as login_address;
pub(crate) use login::begin_from_console;

/// What the server serves.
#[derive(Clone)]
pub struct Service {
    /// The shops.
    pub shops: Shops,
    /// What the JSON API asks for as a bearer token; without one the API is closed.
    pub api_token: Option<SecretString>,
    /// Where browsers reach it, without a slash at the end. Cookies go over https alone when it does.
    pub public_url: String,
    /// Where the console keeps its accounts.
    pub store: Arc<dyn Store>,
    /// By which sessions and links end.
    pub clock: SharedClock,
    /// Tells when a person is needed.
    pub notices: Notices,
}

impl Service {
    /// The shop of this name.
    pub(crate) fn find(&self, tenant: &str) -> Result<Served, StatusCode> {
        self.shops.find(tenant).ok_or(StatusCode::NOT_FOUND)
    }

    /// Whether the request carries the API's token.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let both = self.api_token.as_ref().zip(bearer);
        both.is_some_and(|(token, given)| same(given, token))
    }
}

/// A running server with its schedulers.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Lets rounds and requests under way finish, then ends.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Starts serving; with `schedule`, also the scheduler of each shop, and the notices.
///
/// # Errors
/// When the listener has no address.
pub fn start(service: Service, listener: TcpListener, schedule: bool) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    let notices = schedule.then(|| service.notices.clone());
    let follow = service.shops.clone().follow(notices, stopped.clone());
    tasks.push(tokio::spawn(follow));
    if schedule {
        tasks.push(tokio::spawn(service.notices.clone().run(stopped.clone())));
    }
    let app = app(service).into_make_service_with_connect_info::<SocketAddr>();
    let mut ending = stopped;
    tasks.push(tokio::spawn(async move {
        let end = async move {
            let _ = ending.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(end).await {
            tracing::error!("the server ended: {error}");
        }
    }));
    Ok(Running {
        address,
        stop,
        tasks,
    })
}

/// Everything that is served, without a listener.
pub fn app(service: Service) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/t/{tenant}/webhook/smaregi", post(webhook::take_in))
        .route("/t/{tenant}/login", get(login::begin))
        .route("/api/t/{tenant}/login-link", post(login::link))
        .route("/t/{tenant}/login/callback", get(login::finish_named))
        .route("/login/callback", get(login::finish))
        .route("/api/t/{tenant}/{interface}/{function}", any(api::call))
        .with_state(service.clone())
        .merge(console::router(service))
}

/// Compares without telling by its time how much was right.
fn same(given: &str, secret: &SecretString) -> bool {
    let secret = secret.expose_secret();
    !secret.is_empty() && bool::from(given.as_bytes().ct_eq(secret.as_bytes()))
}
