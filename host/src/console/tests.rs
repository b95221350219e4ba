//! The console driven as a browser drives it, without a network: its router, the real component, a store in memory.

mod changes;
mod doors;
mod notices;
mod pages;
mod shop;
mod shop_changes;
mod shops;
mod trial;
mod typed;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use secrecy::SecretString;
use tower::ServiceExt;
use tsunagi_sandbox::SandboxClock;

use super::*;
use crate::{
    config::NoticesConfig,
    notices::Notices,
    runtime::{AllowList, Surroundings, tests::usual},
    shops::{Make, Origin, Served, Shops},
    storage::Sqlite,
    tenant::Tenant,
};

pub const PASSWORD: &str = "a long password";

/// Two shops, `a` and `b`, and their console.
pub struct World {
    pub store: Arc<Sqlite>,
    pub clock: SandboxClock,
    pub url: String,
    pub shops: Shops,
    router: Router,
}

/// A shop that is added while the process runs.
fn made(store: &Arc<Sqlite>, clock: &SandboxClock) -> Make {
    let (store, clock) = (store.clone(), clock.clone());
    Box::new(move |name: &str, hosts: &[String]| {
        let surroundings = Surroundings {
            store: store.clone(),
            tenant: name.to_owned(),
            clock: Arc::new(clock.clone()),
            allowed: AllowList::default(),
        };
        Tenant::new(usual(), surroundings, hosts.to_vec())
    })
}

impl World {
    pub fn new(url: &str) -> Self {
        let begins = DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
        let clock = SandboxClock::held_at(begins);
        let store = Arc::new(Sqlite::in_memory().unwrap());
        let make = made(&store, &clock);
        let shop = |name: &str| {
            let served = Served {
                tenant: make(name, &[]),
                webhook_secret: SecretString::from("secret"),
                origin: Origin::File,
            };
            (name.to_owned(), served)
        };
        let tenants = ["a", "b"].into_iter().map(shop).collect();
        Self::of(url, tenants, store.clone(), clock)
    }

    /// The console of these shops.
    pub fn of(
        url: &str,
        tenants: BTreeMap<String, Served>,
        store: Arc<Sqlite>,
        clock: SandboxClock,
    ) -> Self {
        let clock_of_all = Arc::new(clock.clone());
        let config = NoticesConfig {
            smtp: None,
            allowed_hosts: vec!["http://127.0.0.1:9".to_owned()],
        };
        let notices = Notices::new(store.clone(), clock_of_all, url, &config).unwrap();
        let shops = Shops::of(store.clone(), made(&store, &clock), tenants);
        let service = Service {
            notices,
            shops: shops.clone(),
            api_token: None,
            public_url: url.to_owned(),
            store: store.clone(),
            clock: Arc::new(clock.clone()),
        };
        Self {
            router: router(service),
            shops,
            url: url.to_owned(),
            store,
            clock,
        }
    }

    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
            headers: vec![("accept-language", "en".to_owned())],
            code: String::new(),
        }
    }

    /// The address that `tsunagi operator` prints, without the host.
    pub async fn invitation(&self, shop: Option<&str>) -> String {
        let shop = shop.map(str::to_owned);
        let now = self.clock.now().with_timezone(&Utc);
        let link = invitation_link(self.store.clone(), &self.url, shop, None, now).await;
        let (address, _) = link.unwrap().unwrap();
        address.strip_prefix(&self.url).unwrap().to_owned()
    }

    /// A browser whose person took an invitation up.
    pub async fn signed_in(&self, name: &str, shop: Option<&str>) -> Browser {
        let mut browser = self.browser();
        let page = browser.take_up(&self.invitation(shop).await, name).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        let page = browser.get("/console").await;
        if page.status == StatusCode::SEE_OTHER {
            browser.get(page.header("location")).await;
        }
        browser
    }
}

/// What a browser got.
pub struct Page {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn cookies(&self) -> Vec<&str> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter();
        lines.map(|line| line.to_str().unwrap()).collect()
    }
}

/// A browser: keeps cookies and the form code of the page it saw last.
pub struct Browser {
    router: Router,
    pub cookies: BTreeMap<String, String>,
    pub headers: Vec<(&'static str, String)>,
    pub code: String,
}

impl Browser {
    pub async fn get(&mut self, path: &str) -> Page {
        self.go(Method::GET, path, Body::empty()).await
    }

    /// Sends a form with the code of the page seen last.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let code = self.code.clone();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair(sent::CODE, &code);
        form.extend_pairs(fields);
        self.go(Method::POST, path, Body::from(form.finish())).await
    }

    pub async fn go(&mut self, method: Method, path: &str, body: Body) -> Page {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, pairs.collect::<Vec<_>>().join("; "));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = to_bytes(body, usize::MAX).await.unwrap();
        let page = Page {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(text.to_vec()).unwrap(),
        };
        for line in page.cookies() {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let mark = format!("name=\"{}\" value=\"", sent::CODE);
        if let Some(code) = page.text.split(&mark).nth(1) {
            code.split('"').next().unwrap().clone_into(&mut self.code);
        }
        page
    }

    pub async fn take_up(&mut self, invitation: &str, name: &str) -> Page {
        self.get(invitation).await;
        let code = invitation.split("code=").nth(1).unwrap();
        let fields = [
            ("invitation", code),
            ("name", name),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        self.post("/console/invitation", &fields).await
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Page {
        self.get("/console/sign-in").await;
        self.post(
            "/console/sign-in",
            &[("name", name), ("password", password)],
        )
        .await
    }
}
