//! Sending a notice to a webhook: one POST, to https on the public internet or to a place that the operator listed, never on to where a
//! redirect points. Nothing of the answer is shown but its status, and nothing of the address but its host.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

use crate::runtime::AllowList;

/// How long one attempt may take, from the name's look-up to the answer's head.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of an address.
const LONGEST: usize = 2_000;

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It is no address of a webhook, such as `https://hooks.example.jp/…`.
    Address,
    /// It is not https: the place, which the operator may list.
    NotHttps(String),
    /// It is in a private network: the place, which the operator may list.
    Private(String),
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// Before anything was sent.
    Unfit(Unfit),
    /// The name has no address, or nobody listens there, or the connection broke.
    Unreachable,
    /// Its certificate is not good.
    Untrusted,
    /// No answer in time.
    TooLate,
    /// It answered that it does not take it: the status.
    Refused(u16),
}

/// Sends webhooks.
pub struct Hook {
    allowed: AllowList,
    tls: Option<TlsConnector>,
}

/// An address that may be tried.
pub struct Target {
    uri: Uri,
    host: String,
    port: u16,
    is_https: bool,
    /// Whether the operator listed the place: then it may be in a private network.
    is_listed: bool,
}

impl Hook {
    /// With these places beside the public internet, as `http://10.0.0.5:8065`.
    pub fn new(allowed: impl IntoIterator<Item = String>) -> Self {
        let list = AllowList::default();
        list.set(allowed);
        Self {
            allowed: list,
            tls: tls(),
        }
    }

    /// What can be said of an address without calling anybody.
    pub fn checked(&self, url: &str) -> Result<Target, Unfit> {
        let uri: Uri = url.parse().map_err(|_| Unfit::Address)?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().ok_or(Unfit::Address)?.as_str();
        let is_https = scheme == "https";
        let is_odd = url.len() > LONGEST || authority.contains('@') || url.contains('#');
        if is_odd || !(is_https || scheme == "http") {
            return Err(Unfit::Address);
        }
        let host = uri.host().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let place = format!("{scheme}://{authority}");
        let is_listed = self.allowed.allows(&place);
        if !is_https && !is_listed {
            return Err(Unfit::NotHttps(place));
        }
        let is_private = host
            .parse::<IpAddr>()
            .is_ok_and(|address| !is_public(address));
        if (is_private || host == "localhost") && !is_listed {
            return Err(Unfit::Private(place));
        }
        let usual = if is_https { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        Ok(Target {
            uri,
            host,
            port,
            is_https,
            is_listed,
        })
    }

    /// Sends a body of JSON; `id` is the same for each attempt at one notice.
    pub async fn send(&self, url: &str, id: &str, body: String) -> Result<(), Failed> {
        let target = self.checked(url).map_err(Failed::Unfit)?;
        let sent = tokio::time::timeout(PATIENCE, self.post(&target, id, body)).await;
        let status = sent.unwrap_or(Err(Failed::TooLate))?;
        if (200..300).contains(&status) {
            Ok(())
        } else {
            Err(Failed::Refused(status))
        }
    }

    async fn post(&self, target: &Target, id: &str, body: String) -> Result<u16, Failed> {
        let stream = connected(target).await?;
        if !target.is_https {
            return exchange(stream, target, id, body).await;
        }
        let tls = self.tls.as_ref().ok_or(Failed::Untrusted)?;
        let name = ServerName::try_from(target.host.clone());
        let name = name.map_err(|_| Failed::Unfit(Unfit::Address))?;
        let stream = tls.connect(name, stream).await;
        exchange(stream.map_err(|_| Failed::Untrusted)?, target, id, body).await
    }
}

/// The certificates that browsers trust. `None` cannot be with the provider that is built in.
fn tls() -> Option<TlsConnector> {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}

/// Connects to the very address that was looked at: a name that answers otherwise the second time leads nowhere.
async fn connected(target: &Target) -> Result<TcpStream, Failed> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let found: Vec<SocketAddr> = found.map_err(|_| Failed::Unreachable)?.collect();
    let may = |address: &&SocketAddr| target.is_listed || is_public(address.ip());
    let addresses: Vec<SocketAddr> = found.iter().filter(may).copied().collect();
    if addresses.is_empty() && !found.is_empty() {
        let authority = target
            .uri
            .authority()
            .map_or("", |authority| authority.as_str());
        return Err(Failed::Unfit(Unfit::Private(format!(
            "https://{authority}"
        ))));
    }
    let stream = TcpStream::connect(addresses.as_slice()).await;
    stream.map_err(|_| Failed::Unreachable)
}

/// One request and the status of its answer; the rest of the answer is not read.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    target: &Target,
    id: &str,
    body: String,
) -> Result<u16, Failed> {
    let unreachable = |_| Failed::Unreachable;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(unreachable)?;
    let connection = tokio::spawn(connection);
    let path = target
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let authority = target
        .uri
        .authority()
        .map_or("", |authority| authority.as_str());
    let request = Request::post(path)
        .header(header::HOST, authority)
        .header(header::CONTENT_TYPE, "application/json")
        .header(
            header::USER_AGENT,
            concat!("tsunagi/", env!("CARGO_PKG_VERSION")),
        )
        .header("idempotency-key", id)
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Failed::Unfit(Unfit::Address))?;
    let answer = sender.send_request(request).await.map_err(unreachable);
    connection.abort();
    Ok(answer?.status().as_u16())
}

/// What may be told of an address: where it leads, not what opens it.
pub fn shown(url: &str) -> String {
    let uri = url.parse::<Uri>().ok();
    let place = uri.as_ref().and_then(|uri| {
        let port = uri.port().map(|port| format!(":{port}"));
        let (scheme, host) = (uri.scheme_str()?, uri.host()?);
        Some(format!("{scheme}://{host}{}", port.unwrap_or_default()))
    });
    place.unwrap_or_default()
}

/// Whether an address is one of the public internet: no machine or network of the operator's.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_ours = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second));
    // Nothing of 0.0.0.0/8, and no multicast, reserved or broadcast address.
    !is_ours && (1..224).contains(&first)
}

/// Only what is given out to the public, without the ranges that lead on to an IPv4 address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = (0x2000..0x4000).contains(&first);
    let leads_on = first == 0x2002 || (first == 0x2001 && second < 0x200);
    let is_documentation = first == 0x2001 && second == 0xdb8;
    is_global && !leads_on && !is_documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_a_listed_place_is_taken() {
        let hook = Hook::new(["http://127.0.0.1:9000".to_owned()]);
        let private = |place: &str| Some(Unfit::Private(place.to_owned()));
        for (url, unfit) in [
            ("https://hooks.example.jp/x?y=z", None),
            ("http://127.0.0.1:9000/in", None),
            (
                "http://127.0.0.1:9001/in",
                Some(Unfit::NotHttps("http://127.0.0.1:9001".to_owned())),
            ),
            (
                "http://hooks.example.jp/",
                Some(Unfit::NotHttps("http://hooks.example.jp".to_owned())),
            ),
            ("https://127.0.0.1:9000/", private("https://127.0.0.1:9000")),
            (
                "https://169.254.169.254/latest",
                private("https://169.254.169.254"),
            ),
            ("https://[::1]/", private("https://[::1]")),
            (
                "https://[::ffff:10.0.0.1]/",
                private("https://[::ffff:10.0.0.1]"),
            ),
            ("https://localhost/", private("https://localhost")),
            (
                "https://taro:secret@hooks.example.jp/",
                Some(Unfit::Address),
            ),
            ("ftp://hooks.example.jp/", Some(Unfit::Address)),
            ("/in", Some(Unfit::Address)),
        ] {
            assert_eq!(hook.checked(url).err(), unfit, "{url}");
        }
    }

    #[test]
    fn addresses_of_our_own_networks_are_known() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("224.0.0.1", false),
            ("2606:4700::1111", true),
            ("fd00::1", false),
            ("fe80::1", false),
            ("::ffff:8.8.8.8", false),
            ("64:ff9b::a00:1", false),
            ("2002:a00:1::", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_our_network_is_refused_before_anything_is_sent() {
        // The system's own name for this machine, which no list of names can know.
        let target = Target {
            uri: "https://localhost:1/".parse().unwrap(),
            host: "localhost".to_owned(),
            port: 1,
            is_https: true,
            is_listed: false,
        };
        let refused = connected(&target).await.err().unwrap();
        assert_eq!(
            refused,
            Failed::Unfit(Unfit::Private("https://localhost:1".to_owned()))
        );
    }
}
