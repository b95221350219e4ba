//! Where a replayed component's requests end: each is compared with the recording, and answered when its turn has come. Nothing is sent.

use bytes::Bytes;
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::player::Player;
use crate::{
    recording::Step,
    runtime::{
        outbound::Sent,
        tape::{error, given},
    },
};

/// Where requests end.
pub struct Outside(pub Player);

impl WasiHttpHooks for Outside {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (method, url) = (request.method().to_string(), request.uri().to_string());
        // What is not recorded ends the call as soon as the guest waits or writes.
        let Ok(mut begun) = self.0.request(&method, &url) else {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        };
        let player = self.0.clone();
        Box::new(async move {
            let body = request.into_body().collect().await?.to_bytes();
            player.body(&begun, &body);
            drop(begun.writing);
            match (&mut begun.answer).await {
                Ok(Step::Answer {
                    status,
                    headers,
                    body,
                    cut,
                    ..
                }) => {
                    let mut response = http::Response::builder().status(status);
                    for (name, value) in &headers {
                        response = response.header(name, value);
                    }
                    let bytes = body.bytes().map_err(|_| Error::HttpProtocolError)?;
                    let body = given(Bytes::from(bytes), cut.as_deref().map(error));
                    let response = response.body(body).map_err(|_| Error::HttpProtocolError)?;
                    Ok((
                        response,
                        Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>,
                    ))
                }
                Ok(Step::Failed { error: name, .. }) => Err(error(&name)),
                _ => Err(Error::ConnectionTerminated),
            }
        })
    }
}
