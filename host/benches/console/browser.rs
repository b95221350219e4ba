//! A browser without a network: the server's own router, asked in process.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use tower::ServiceExt;

const PASSWORD: &str = "leaves of green tea";

/// Somebody's browser.
pub struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

/// What came.
pub struct Page {
    pub status: StatusCode,
    pub place: String,
    pub text: String,
}

impl Browser {
    /// One whose person took an invitation up and is signed in.
    pub async fn signed_in(router: Router, invitation: &str, name: &str) -> Result<Self> {
        let mut browser = Self {
            router,
            cookies: BTreeMap::new(),
        };
        let path = invitation
            .find("/console")
            .context("the invitation's path")?;
        let path = &invitation[path..];
        let form = browser.get(path).await?.text;
        let form_code = form.split("name=\"form-code\" value=\"").nth(1);
        let form_code = form_code.and_then(|rest| rest.split('"').next());
        let code = path
            .split("code=")
            .nth(1)
            .context("the invitation's code")?;
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.append_pair("form-code", form_code.context("the form's code")?);
        fields.extend_pairs([("invitation", code), ("name", name)]);
        fields.extend_pairs([("password", PASSWORD), ("again", PASSWORD)]);
        let body = Body::from(fields.finish());
        let page = browser
            .go(Method::POST, "/console/invitation", body)
            .await?;
        ensure!(
            page.status == StatusCode::SEE_OTHER,
            "{}: {}",
            page.status,
            page.text
        );
        Ok(browser)
    }

    pub async fn get(&mut self, path: &str) -> Result<Page> {
        self.go(Method::GET, path, Body::empty()).await
    }

    /// How long each of so many looks at a page takes, the first left out; fails where there is no such page.
    pub async fn looks(&mut self, path: &str, times: usize) -> Result<Vec<Duration>> {
        let mut took = Vec::with_capacity(times);
        for look in 0..=times {
            let begun = Instant::now();
            let page = self.get(path).await?;
            let lasted = begun.elapsed();
            ensure!(
                page.status == StatusCode::OK,
                "{path}: {} {}",
                page.status,
                page.place
            );
            if look > 0 {
                took.push(lasted);
            }
        }
        Ok(took)
    }

    async fn go(&mut self, method: Method, path: &str, body: Body) -> Result<Page> {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "))
            .body(body)?;
        let (parts, body) = self.router.clone().oneshot(request).await?.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let pair = line
                .to_str()?
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let place = parts.headers.get(header::LOCATION);
        let place = place.map_or(Ok(""), |place| place.to_str())?.to_owned();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await?.to_vec())?;
        Ok(Page {
            status: parts.status,
            place,
            text,
        })
    }
}
