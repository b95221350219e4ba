//! Outgoing HTTP: only to listed hosts, answers only up to a size. A refusal tells the operator the line to add; nothing here shows
//! a path, a query, a header or a body.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::{Request, Response, uri::Scheme};
use http_body_util::{BodyExt, Limited};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// The longest waits that a guest may ask for; also what it gets when it asks for none.
const CONNECT: Duration = Duration::from_secs(30);
const FIRST_BYTE: Duration = Duration::from_secs(180);
const BETWEEN_BYTES: Duration = Duration::from_secs(60);

/// The places one tenant may reach, as `https://host` or `http://host:port`. Shared, so that new settings act at once.
#[derive(Debug, Clone, Default)]
pub struct AllowList(Arc<RwLock<BTreeSet<String>>>);

impl AllowList {
    /// Replaces the list.
    pub fn set(&self, places: impl IntoIterator<Item = String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            places.into_iter().map(|place| plain(&place)).collect();
    }

    /// Whether a place is on the list.
    pub fn allows(&self, place: &str) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&plain(place))
    }
}

/// One spelling for a place: lower case, without the scheme's own port.
fn plain(place: &str) -> String {
    let place = place.trim_end_matches('/').to_ascii_lowercase();
    let own_port = if place.starts_with("https://") {
        ":443"
    } else {
        ":80"
    };
    place.strip_suffix(own_port).unwrap_or(&place).to_owned()
}

/// Whether a place is this machine, which needs no https.
pub fn is_loopback(place: &str) -> bool {
    let Some(host) = place
        .parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned))
    else {
        return false;
    };
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || plain
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// How one call's requests go out.
#[derive(Clone)]
pub struct Outbound {
    allowed: AllowList,
    answer_bytes: usize,
}

impl Outbound {
    /// To these hosts, answers of at most so many bytes.
    pub fn new(allowed: AllowList, answer_bytes: usize) -> Self {
        Self {
            allowed,
            answer_bytes,
        }
    }
}

/// What became of a request; the future is the connection's own work.
pub type Sent = Result<
    (
        Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let scheme = request.uri().scheme().unwrap_or(&Scheme::HTTPS);
        let place = format!(
            "{scheme}://{}",
            request
                .uri()
                .authority()
                .map_or("", |authority| authority.as_str())
        );
        if !self.allowed.allows(&place) {
            tracing::warn!(
                "refused a request to {place}; to allow it, add it to the tenant: allowed-hosts = [\"{place}\"]"
            );
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let limit = self.answer_bytes;
        Box::new(async move {
            let (response, connection) =
                default_send_request(request, Some(bounded(options))).await?;
            let limited =
                response.map(|body| Limited::new(body, limit).map_err(too_long).boxed_unsync());
            Ok((
                limited,
                Box::new(connection) as Box<dyn Future<Output = _> + Send>,
            ))
        })
    }
}

/// What the guest asked for, within this host's own limits.
fn bounded(asked: Option<RequestOptions>) -> RequestOptions {
    let within = |asked: Option<Duration>, most: Duration| Some(asked.unwrap_or(most).min(most));
    RequestOptions {
        connect_timeout: within(asked.and_then(|asked| asked.connect_timeout), CONNECT),
        first_byte_timeout: within(asked.and_then(|asked| asked.first_byte_timeout), FIRST_BYTE),
        between_bytes_timeout: within(
            asked.and_then(|asked| asked.between_bytes_timeout),
            BETWEEN_BYTES,
        ),
    }
}

/// Either the body's own error or the limit's.
fn too_long(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(_) => Error::HttpResponseBodySize(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (place, is) in [
            ("http://127.0.0.1:5000", true),
            ("http://localhost", true),
            ("http://[::1]:80", true),
            ("http://127.0.0.1.evil.example", false),
            ("http://10.0.0.1", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_loopback(place), is, "{place}");
        }
    }

    #[test]
    fn only_the_very_place_is_allowed() {
        let list = AllowList::default();
        assert!(!list.allows("https://api.smaregi.jp"));
        list.set([
            "https://api.smaregi.jp".to_owned(),
            "http://127.0.0.1:8080/".to_owned(),
        ]);
        for (place, allowed) in [
            ("https://api.smaregi.jp", true),
            ("https://API.smaregi.jp:443", true),
            ("https://api.smaregi.jp:8443", false),
            ("http://api.smaregi.jp", false),
            ("https://evil-api.smaregi.jp", false),
            ("https://api.smaregi.jp.evil.example", false),
            ("http://127.0.0.1:8080", true),
            ("http://127.0.0.1:80", false),
            ("http://127.0.0.1", false),
        ] {
            assert_eq!(list.allows(place), allowed, "{place}");
        }
    }
}
