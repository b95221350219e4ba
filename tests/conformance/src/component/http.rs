//! Requests to the peer over `wasi:http`, read to their end or given up after their time.

use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join};
use wasip2::http::{
    outgoing_handler,
    types::{
        ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody,
        OutgoingRequest, Scheme,
    },
};
use wstd::{
    future::FutureExt,
    io::{AsyncInputStream, AsyncOutputStream, AsyncPollable},
};

use crate::ports::{Request, Response, Web};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// The other side.
pub struct Peer {
    /// `http://127.0.0.1:4000`, for example.
    pub address: String,
}

impl Web for Peer {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, String>> {
        Box::pin(async move {
            let timeout: Duration = request.timeout;
            let sent = exchange(&self.address, &request)
                .timeout(wstd::time::Duration::from(timeout))
                .await;
            sent.unwrap_or_else(|_| Err(format!("no answer within {timeout:?}")))
        })
    }
}

async fn exchange(address: &str, request: &Request) -> Result<Response, String> {
    let (head, body) = build(address, request).ok_or("the request cannot be made")?;
    let pending = outgoing_handler::handle(head, None).map_err(|error| told(&error))?;
    let (_, received) = join(send(body, &request.body), receive(pending)).await;
    received
}

fn told(error: &ErrorCode) -> String {
    format!("{error:?}")
}

fn build(address: &str, request: &Request) -> Option<(OutgoingRequest, OutgoingBody)> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.as_bytes()).ok()?;
    }
    let post = request.method == "POST";
    if post {
        let length = request.body.len().to_string();
        headers.append("content-length", length.as_bytes()).ok()?;
    }
    let (scheme, authority) = address.split_once("://")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        _ => Scheme::Https,
    };
    let head = OutgoingRequest::new(headers);
    head.set_method(if post { &Method::Post } else { &Method::Get })
        .ok()?;
    head.set_scheme(Some(&scheme)).ok()?;
    head.set_authority(Some(authority)).ok()?;
    head.set_path_with_query(Some(&request.path)).ok()?;
    let body = head.body().ok()?;
    Some((head, body))
}

async fn send(body: OutgoingBody, bytes: &[u8]) -> Option<()> {
    if !bytes.is_empty() {
        let stream = AsyncOutputStream::new(body.write().ok()?);
        stream.write_all(bytes).await.ok()?;
    }
    OutgoingBody::finish(body, None).ok()
}

async fn receive(pending: FutureIncomingResponse) -> Result<Response, String> {
    AsyncPollable::new(pending.subscribe()).wait_for().await;
    match pending.get() {
        Some(Ok(Ok(response))) => read(&response)
            .await
            .ok_or_else(|| "the body ends too early".to_owned()),
        Some(Ok(Err(error))) => Err(told(&error)),
        _ => Err("no answer".to_owned()),
    }
}

async fn read(response: &IncomingResponse) -> Option<Response> {
    let headers = response.headers().entries().into_iter();
    let headers = headers
        .map(|(name, value)| {
            (
                name.to_lowercase(),
                String::from_utf8_lossy(&value).into_owned(),
            )
        })
        .collect();
    let incoming = response.consume().ok()?;
    let stream = AsyncInputStream::new(incoming.stream().ok()?);
    let (mut body, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    loop {
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 {
            return Some(Response {
                status: response.status(),
                headers,
                body,
            });
        }
        body.extend_from_slice(chunk.get(..count)?);
    }
}
