//! The web console: pages for the shop and for the operator, over the same typed calls as everything else. Decides nothing about orders
//! or stock.
//!
//! `secrets`, `accounts`, `sessions` and `attempts` know who somebody is, `access` and `sent` let requests in, `layout`, `form`,
//! `choices`, `chart`, `show` and `language` make pages, `names` knows what ids are called, `jobs` does long work and `progress` shows it,
//! `histories` and `csv` read far back, `glance` looks at all shops, `export` hands a shop's data out, `audit` remembers who did what, `pages` is what people see.

mod access;
mod accounts;
mod assets;
mod attempts;
mod audit;
mod chart;
mod choices;
mod csv;
mod export;
mod form;
mod glance;
mod histories;
mod jobs;
mod language;
mod layout;
mod names;
mod pages;
mod progress;
mod secrets;
mod sent;
mod sessions;
mod show;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::MethodRouter,
};
use chrono::{DateTime, Utc};

use crate::{
    records,
    server::Service,
    storage::{Store, StoreError},
};
pub(crate) use accounts::forget as forget_accounts;
use attempts::Attempts;
pub(crate) use audit::note_by_command;
pub(crate) use export::stream as export_rows;
use glance::Glance;
use jobs::Jobs;
pub(crate) use pages::{checked_key, compared_key, last_import};
use records::Records;
pub use show::moment_text as moment;
pub(crate) use show::{count, flag, items, number, text};

/// No script or style but our own files; nothing from elsewhere, and no page of anybody else's around ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What every page needs. Clones are the same console.
#[derive(Clone)]
struct Console {
    service: Service,
    records: Records,
    attempts: Arc<Mutex<Attempts>>,
    jobs: Jobs,
    glance: Glance,
    stores: names::Stores,
}

impl Console {
    fn now(&self) -> DateTime<Utc> {
        self.service.clock.now()
    }

    fn attempts<T>(&self, act: impl FnOnce(&mut Attempts) -> T) -> T {
        act(&mut self.attempts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The console's pages.
pub fn router(service: Service) -> Router {
    let console = Console {
        records: Records::new(service.store.clone()),
        attempts: Arc::default(),
        jobs: Jobs::default(),
        glance: Glance::default(),
        stores: names::Stores::default(),
        service,
    };
    let mut router = Router::new();
    for (path, handlers) in routes() {
        router = router.route(path, handlers);
    }
    router
        .layer(middleware::from_fn(guarded))
        .with_state(console)
}

/// All addresses, in one list so that a test can try each of them with another shop's cookie.
fn routes() -> Vec<(&'static str, MethodRouter<Console>)> {
    pages::routes()
}

/// Headers of every answer.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A new one-time link to an account of a shop, or the operator's when no shop is given; with `account`, to a new password for it.
/// Says until when it is good.
///
/// # Errors
/// When the store cannot be used; `Ok(None)` when there is no such account.
pub async fn invitation_link(
    store: Arc<dyn Store>,
    public_url: &str,
    shop: Option<String>,
    account: Option<String>,
    now: DateTime<Utc>,
) -> Result<Option<(String, DateTime<Utc>)>, StoreError> {
    let records = Records::new(store);
    let account = account.map(|name| accounts::spelled(&name));
    if let Some(name) = &account
        && accounts::find(&records, name).await?.is_none()
    {
        return Ok(None);
    }
    let (code, invitation) = accounts::invite(&records, shop, account, now).await?;
    let address = format!("{public_url}/console/invitation?code={code}");
    Ok(Some((address, invitation.expires_at)))
}
