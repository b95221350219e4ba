//! Outgoing HTTP over `wasi:http`, several requests in flight. Tells apart what certainly was not sent from what may have arrived;
//! never shows an address, a header or a body.
//!
//! Written on the interface itself: `wstd`'s client takes a body that was not read to its end for a failed request, although
//! the answer is there.

use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join};
use url::Url;
use wasip2::http::{
    outgoing_handler,
    types::{
        ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody,
        OutgoingRequest, RequestOptions, Scheme,
    },
};
use wstd::{
    future::FutureExt,
    io::{AsyncInputStream, AsyncOutputStream, AsyncPollable},
};

use super::ports::World;
use crate::{
    ports::{Clock, Http, HttpFailure, HttpRequest, HttpResponse},
    time,
};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

impl Http for World {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async move {
            let timeout = request.timeout;
            let sent = exchange(request)
                .timeout(wstd::time::Duration::from(timeout))
                .await;
            sent.unwrap_or(Err(HttpFailure::OutcomeUnknown))
        })
    }
}

async fn exchange(request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
    // What HTTP cannot carry was not sent.
    let (head, body) = build(&request).ok_or(HttpFailure::NotSent)?;
    let options = options(request.timeout);
    let pending =
        outgoing_handler::handle(head, Some(options)).map_err(|error| classify(&error))?;
    let (_, received) = join(send(body, &request.body), receive(pending)).await;
    received
}

fn build(request: &HttpRequest) -> Option<(OutgoingRequest, OutgoingBody)> {
    let url = Url::parse(&request.url).ok()?;
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.as_bytes()).ok()?;
    }
    if request.method != "GET" {
        // Some servers refuse a body sent in chunks.
        headers
            .append("content-length", request.body.len().to_string().as_bytes())
            .ok()?;
    }
    let head = OutgoingRequest::new(headers);
    let method = match request.method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    head.set_method(&method).ok()?;
    let scheme = if url.scheme() == "http" {
        Scheme::Http
    } else {
        Scheme::Https
    };
    head.set_scheme(Some(&scheme)).ok()?;
    head.set_authority(Some(url.authority())).ok()?;
    let path = url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    );
    head.set_path_with_query(Some(&path)).ok()?;
    let body = head.body().ok()?;
    Some((head, body))
}

/// A host that knows no time-outs of this kind keeps its own; ours above all of them holds anyway.
fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let _ = options.set_connect_timeout(Some(nanoseconds));
    let _ = options.set_first_byte_timeout(Some(nanoseconds));
    let _ = options.set_between_bytes_timeout(Some(nanoseconds));
    options
}

/// Whether all of it was read there is told by the answer, not by this.
async fn send(body: OutgoingBody, bytes: &[u8]) -> Option<()> {
    if !bytes.is_empty() {
        let stream = AsyncOutputStream::new(body.write().ok()?);
        stream.write_all(bytes).await.ok()?;
    }
    OutgoingBody::finish(body, None).ok()
}

async fn receive(pending: FutureIncomingResponse) -> Result<HttpResponse, HttpFailure> {
    AsyncPollable::new(pending.subscribe()).wait_for().await;
    match pending.get() {
        Some(Ok(Ok(response))) => read(&response).await.ok_or(HttpFailure::OutcomeUnknown),
        Some(Ok(Err(error))) => Err(classify(&error)),
        _ => Err(HttpFailure::OutcomeUnknown),
    }
}

/// `None` for a body that was cut.
async fn read(response: &IncomingResponse) -> Option<HttpResponse> {
    let retry_after = response.headers().get("retry-after").into_iter().next();
    let retry_after = retry_after
        .and_then(|value| time::parse_retry_after(&String::from_utf8(value).ok()?, World.now()));
    let incoming = response.consume().ok()?;
    let stream = AsyncInputStream::new(incoming.stream().ok()?);
    let (mut body, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    loop {
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 {
            return Some(HttpResponse {
                status: response.status(),
                retry_after,
                body,
            });
        }
        body.extend_from_slice(chunk.get(..count)?);
    }
}

/// Failures that come before the first byte of a request.
fn classify(error: &ErrorCode) -> HttpFailure {
    match error {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_)
        | ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestUriInvalid => HttpFailure::NotSent,
        _ => HttpFailure::OutcomeUnknown,
    }
}
