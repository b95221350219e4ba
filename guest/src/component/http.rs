//! Outgoing HTTP over `wasi:http`, several requests in flight. Tells apart what certainly was not sent from what may have arrived;
//! never shows an address, a header or a body.

use futures_util::future::LocalBoxFuture;
use wasip2::http::types::ErrorCode;
use wstd::{
    future::FutureExt,
    http::{Body, Client, Request},
};

use super::ports::World;
use crate::ports::{Http, HttpFailure, HttpRequest, HttpResponse};

impl Http for World {
    fn send(&self, request: HttpRequest) -> LocalBoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async move {
            let timeout = request.timeout;
            let sent = exchange(request).timeout(wstd::time::Duration::from(timeout)).await;
            sent.unwrap_or(Err(HttpFailure::OutcomeUnknown))
        })
    }
}

async fn exchange(request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let timeout = request.timeout;
    let request = build(request)?;
    let mut client = Client::new();
    client.set_connect_timeout(timeout);
    client.set_first_byte_timeout(timeout);
    client.set_between_bytes_timeout(timeout);
    let response = client.send(request).await.map_err(|error| classify(&error))?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    // A cut body leaves the outcome open, whatever the error says about the connection.
    let body = response.into_body().bytes_contents().await.map_err(|_| HttpFailure::OutcomeUnknown)?;
    Ok(HttpResponse { status, retry_after, body: body.to_vec() })
}

fn build(request: HttpRequest) -> Result<Request<Body>, HttpFailure> {
    let mut builder = Request::builder().method(request.method).uri(request.url);
    if !request.body.is_empty() || request.method != "GET" {
        // Some servers refuse a form sent in chunks.
        builder = builder.header("content-length", request.body.len());
    }
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    // A header or address that HTTP cannot carry was not sent.
    builder.body(Body::from(request.body)).map_err(|_| HttpFailure::NotSent)
}

/// Failures that come before the first byte of a request.
fn classify(error: &wstd::http::Error) -> HttpFailure {
    match error.downcast_ref::<ErrorCode>() {
        Some(
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
            | ErrorCode::HttpRequestUriInvalid,
        ) => HttpFailure::NotSent,
        _ => HttpFailure::OutcomeUnknown,
    }
}
