//! The export: takes a request in whole, asks the routes, and answers. Decides nothing.

use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use wstd::http::{Body, Error, Request, Response};

use crate::{
    api::Plugged,
    routes::{self, Secrets},
};

/// Bytes of a request's body, more than any call of the contract needs.
const LARGEST: usize = 4 << 20;

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body.into_boxed_body(), LARGEST)
        .collect()
        .await
    else {
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refused);
    };
    let request = Request::from_parts(head, body.to_bytes().to_vec());
    let secrets = Secrets {
        api_token: std::env::var("TSUNAGI_API_TOKEN").ok(),
        webhook: std::env::var("TSUNAGI_WEBHOOK_SECRET").ok(),
    };
    Ok(routes::answer(&request, &secrets, &Plugged).map(Into::into))
}
