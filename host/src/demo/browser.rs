//! A browser as far as the login needs one: follows redirects, keeps cookies for each host, fills in the sign-in form. Only for the
//! sandbox; knows neither service.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

const MOST_REDIRECTS: usize = 10;

/// A page that was reached.
pub struct Page {
    /// Its address, without the query.
    pub place: String,
    /// Status.
    pub status: StatusCode,
    /// Content.
    pub text: String,
}

/// A browser with its cookies.
pub struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            cookies: BTreeMap::new(),
        }
    }
}

impl Browser {
    /// Opens an address and follows where it leads.
    ///
    /// # Errors
    /// When nobody answers, or redirects go in circles.
    pub async fn open(&mut self, address: &str) -> anyhow::Result<Page> {
        self.go(Method::GET, address.parse()?, String::new()).await
    }

    /// Logs in on the form of a page that [`Browser::open`] reached, and follows where it leads.
    ///
    /// # Errors
    /// As for [`Browser::open`], and when the page has no form.
    pub async fn log_in(
        &mut self,
        page: &Page,
        login: &str,
        password: &str,
    ) -> anyhow::Result<Page> {
        let action = page
            .text
            .split("action=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let action = action
            .context("the sign-in page has no form")?
            .replace("&amp;", "&");
        let origin: Uri = page.place.parse()?;
        let host = origin.authority().context("the page has no host")?;
        let form = format!("login={login}&password={password}");
        self.go(
            Method::POST,
            format!("http://{host}{action}").parse()?,
            form,
        )
        .await
    }

    async fn go(
        &mut self,
        mut method: Method,
        mut address: Uri,
        mut form: String,
    ) -> anyhow::Result<Page> {
        for _ in 0..MOST_REDIRECTS {
            let host = address
                .authority()
                .context("an address has no host")?
                .to_string();
            let mut request = Request::builder()
                .method(method.clone())
                .uri(address.clone());
            if let Some(cookies) = self.cookies.get(&host) {
                let pairs: Vec<String> = cookies
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                request = request.header(header::COOKIE, pairs.join("; "));
            }
            if method == Method::POST {
                request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            }
            let response = self
                .client
                .request(request.body(Full::from(std::mem::take(&mut form)))?)
                .await?;
            self.keep_cookies(&host, response.headers());
            let status = response.status();
            if status.is_redirection() {
                let next = response
                    .headers()
                    .get(header::LOCATION)
                    .context("a redirect leads nowhere")?
                    .to_str()?;
                address = next.parse()?;
                method = Method::GET;
                continue;
            }
            let text = String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes())
                .into_owned();
            return Ok(Page {
                place: format!("http://{host}{}", address.path()),
                status,
                text,
            });
        }
        bail!("redirects without end")
    }

    fn keep_cookies(&mut self, host: &str, headers: &http::HeaderMap) {
        for cookie in headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
        {
            let pair = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies
                    .entry(host.to_owned())
                    .or_default()
                    .insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
