//! Outgoing HTTP as it is, with requests and answers written down: a request is read whole before it leaves, an answer before the guest
//! sees it. What is not whole reaches the guest as it came.

use std::{collections::BTreeMap, convert::Infallible};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::{Tape, errors::name};
use crate::{
    recording::{Content, Step},
    runtime::outbound::{Outbound, Sent},
};

/// Headers of answers that are kept: what a client may act on, and none that holds a token.
const KEPT: [&str; 3] = ["content-type", "date", "retry-after"];

/// Hooks that write down.
pub struct Taped {
    /// What sends.
    pub outbound: Outbound,
    /// Where it is written.
    pub tape: Tape,
}

impl WasiHttpHooks for Taped {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let number = self.tape.request(request.method(), request.uri());
        let (mut outbound, tape) = (self.outbound.clone(), self.tape.clone());
        Box::new(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            tape.body(number, &body);
            let request = Request::from_parts(head, whole(body));
            let sent = outbound.send_request(request, options, done);
            let (response, connection) = Box::into_pin(sent).await?;
            // The body comes only while somebody looks after the connection.
            let connection = tokio::spawn(Box::into_pin(connection));
            let (head, body) = response.into_parts();
            let (body, cut) = read(body).await;
            connection.abort();
            tape.answered(
                number,
                Step::Answer {
                    number,
                    status: head.status.as_u16(),
                    headers: kept(&head.headers),
                    body: Content::of(&body),
                    cut: cut.as_ref().map(name),
                },
            );
            Ok((
                Response::from_parts(head, given(body, cut)),
                Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>,
            ))
        })
    }
}

fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    let kept = KEPT.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    });
    kept.collect()
}

/// A body as far as it comes, and why no more of it does.
async fn read(mut body: WasiBody) -> (Bytes, Option<Error>) {
    let mut whole = BytesMut::new();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => whole.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
            Some(Err(error)) => return (whole.freeze(), Some(error)),
            None => return (whole.freeze(), None),
        }
    }
}

fn whole(body: Bytes) -> WasiBody {
    Full::new(body)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// A body of these bytes, with an error behind them where there is one.
pub fn given(body: Bytes, cut: Option<Error>) -> WasiBody {
    match cut {
        None => whole(body),
        Some(error) => {
            let parts = [Ok(Frame::data(body)), Err(error)];
            StreamBody::new(stream::iter(parts)).boxed_unsync()
        }
    }
}
